internal import Accounting
internal import Postgres

// How the books' numbers stand in rows: money with four decimals, the rest with twelve, dates as
// days since 2000-01-01 on both sides. One place, so that no scale is spelled twice.

extension Day {
  var postgres: PostgresDate { PostgresDate(days: number) }
}

extension RowReader {
  mutating func nextDay() throws -> Day { try day(try nextDate()) }

  mutating func nextDayOrNil() throws -> Day? {
    guard let number = try nextDateOrNil() else { return nil }
    return try day(number)
  }

  /// A date that days can be added to and taken from: an infinite one, which only SQL by hand can
  /// have put there, belongs to no book.
  private func day(_ number: Int32) throws -> Day {
    guard number.magnitude < 1_000_000_000 else { throw StorageError.endlessDate(place) }
    return Day(number: number)
  }

  mutating func nextID<Owner>(_: Owner.Type = Owner.self) throws -> ID<Owner> {
    ID(try nextInt64())
  }

  mutating func nextSlot() throws -> Slot {
    Slot(portfolio: try nextID(), date: try nextDay())
  }

  mutating func nextFixed<F: FixedPoint>(_: F.Type = F.self) throws -> F {
    F(units: try nextNumericUnits(scale: F.scale))
  }

  mutating func nextFixedOrNil<F: FixedPoint>(_: F.Type = F.self) throws -> F? {
    try nextNumericUnitsOrNil(scale: F.scale).map { F(units: $0) }
  }

  mutating func nextFingerprintOrNil() throws -> Fingerprint? {
    try nextBytesOrNil().flatMap { Fingerprint(bytes: $0) }
  }

  mutating func nextCurrency() throws -> Currency {
    let code = try nextString()
    guard let currency = Currency(code) else {
      throw StorageError.unknownWord(column: "currency", word: code)
    }
    return currency
  }

  /// A word of a closed set, as the database's enum of the same words gives it.
  mutating func nextWord<Word: RawRepresentable>(
    _: Word.Type = Word.self
  ) throws -> Word where Word.RawValue == String {
    let text = try nextString()
    guard let word = Word(rawValue: text) else {
      throw StorageError.unknownWord(column: "\(Word.self)", word: text)
    }
    return word
  }
}

extension CopyWriter {
  mutating func write(_ value: some FixedPoint) {
    write(numericUnits: value.units, scale: type(of: value).scale)
  }

  mutating func write(_ value: (some FixedPoint)?) {
    if let value { write(value) } else { writeNull() }
  }

  mutating func write(_ day: Day) { write(date: day.number) }

  mutating func write(_ day: Day?) {
    if let day { write(day) } else { writeNull() }
  }

  mutating func write<Owner>(_ id: ID<Owner>) { write(int64: id.rawValue) }

  mutating func write(_ fingerprint: Fingerprint?) {
    if let fingerprint { write(bytes: fingerprint.bytes) } else { writeNull() }
  }

  mutating func write(_ number: Double?) {
    if let number { write(double: number) } else { writeNull() }
  }
}

/// In this module a statement is SQL; the ledger's statements of funds are rows like others.
typealias Statement = Postgres.Statement
