internal import Accounting
internal import Synchronization

/// What was noticed of rows that were taken: it costs none, and is said once for a file.
struct Remarks: Hashable, Sendable {
  /// Numbers with more places than are kept, which were rounded.
  var rounded = 0
  /// Dates with a time behind them, of which the date counts.
  var timed = 0
  /// Rows that were passed over, as asked.
  var passedOver = 0

  /// Adds those of other rows.
  mutating func add(_ other: Remarks) {
    rounded += other.rounded
    timed += other.timed
    passedOver += other.passedOver
  }
}

/// How a file writes numbers, dates and words.
///
/// One object for all rows of a file: what is out of the ordinary is behind one reference.
final class Notation: Sendable {
  /// How dates are written, if not as `YYYY-MM-DD`.
  let dateFormat: DateFormat?
  /// Whether numbers are plain decimals, and each cell is looked at as such first.
  let isPlain: Bool
  /// Whether words of the file's own mean others.
  let hasWords: Bool
  private let style: WrittenNumber.Style
  private let rounds: Bool
  private let words: [ExactText: String]
  private let rounded = Atomic<Int>(0)
  private let timed = Atomic<Int>(0)

  /// A notation; the defaults are plain decimals and `YYYY-MM-DD`.
  ///
  /// - Parameters:
  ///   - groups: Whether thousands are grouped, by commas unless those are decimal.
  ///   - byHand: Whether currency signs and brackets may stand around numbers.
  ///   - words: Words of the file in small letters, and what they mean.
  init(
    decimalComma: Bool = false, groups: Bool = false, byHand: Bool = false, rounds: Bool = false,
    dateFormat: DateFormat? = nil, words: [ExactText: String] = [:]
  ) {
    isPlain = !decimalComma && !groups && !byHand
    style = decimalComma ? Self.commas(byHand) : Self.points(groups: groups, byHand)
    self.rounds = rounds
    self.dateFormat = dateFormat
    self.words = words
    hasWords = !words.isEmpty
  }

  /// The notation that a request asks for.
  ///
  /// - Parameter groups: Whether the format groups thousands whatever is asked.
  convenience init(_ request: ImportRequest, groups: Bool = false) {
    self.init(
      decimalComma: request.decimalComma, groups: groups || request.grouping,
      byHand: request.grouping, rounds: request.rounds, dateFormat: request.dateFormat,
      words: Dictionary(
        request.meanings.map { (ExactText($0.key.description.lowercased()), $0.value) },
        uniquingKeysWith: { _, last in last }))
  }

  private static func commas(_ byHand: Bool) -> WrittenNumber.Style {
    WrittenNumber.Style(
      point: UInt8(ascii: ","), group: UInt8(ascii: "."), isByHand: byHand)
  }

  private static func points(groups: Bool, _ byHand: Bool) -> WrittenNumber.Style {
    WrittenNumber.Style(group: groups ? UInt8(ascii: ",") : nil, isByHand: byHand)
  }

  /// What was noticed since this was asked last.
  func takeRemarks() -> Remarks {
    guard rounded.load(ordering: .relaxed) > 0 || timed.load(ordering: .relaxed) > 0 else {
      return Remarks()
    }
    return Remarks(
      rounded: rounded.exchange(0, ordering: .relaxed),
      timed: timed.exchange(0, ordering: .relaxed))
  }
}

// MARK: - Numbers

extension Notation {
  /// Reads a number: exact, or rounded to the type's places where that was asked for.
  func number<Number: FixedPoint>(
    _ cell: UnsafeBufferPointer<UInt8>, as _: Number.Type = Number.self
  ) throws(DecimalError) -> Number {
    Number(units: try units(cell, scale: Number.scale))
  }

  private func units(
    _ cell: UnsafeBufferPointer<UInt8>, scale: Int
  ) throws(DecimalError) -> Int128 {
    let (units, isRounded) = try WrittenNumber(cell, style).units(scale: scale, rounds: rounds)
    if isRounded { rounded.add(1, ordering: .relaxed) }
    return units
  }

  /// Reads a number that only rates are made of.
  func approximate(_ cell: UnsafeBufferPointer<UInt8>) throws(DecimalError) -> Double {
    try WrittenNumber(cell, style).approximate
  }

  /// What a cell says of the notation of its file.
  enum Evidence {
    /// Nothing: it is read as asked, or in no way at all.
    case none
    /// It has a decimal point, and commas were expected.
    case point
    /// It has a decimal comma, and points were expected.
    case comma
    /// Its thousands are grouped, or it is written as people write.
    case groups
  }

  /// Whether a cell that cannot be read here is written in one of the other ways.
  func evidence(_ cell: UnsafeBufferPointer<UInt8>) -> Evidence {
    func reads(_ style: WrittenNumber.Style) -> Bool { (try? WrittenNumber(cell, style)) != nil }
    if reads(style) { return .none }
    if style.point == UInt8(ascii: ",") {
      if reads(Self.points(groups: true, true)) { return .point }
      return reads(Self.commas(true)) ? .groups : .none
    }
    // `1,5` can only be a decimal comma; `1,500` may be either, and groups are named first.
    if !isGrouped, reads(Self.points(groups: true, true)) { return .groups }
    return reads(Self.commas(true)) ? .comma : .none
  }

  private var isGrouped: Bool { style.group != nil && style.isByHand }

  /// What would have a refused number read.
  func advice(_ error: DecimalError, _ cell: UnsafeBufferPointer<UInt8>) -> Advice? {
    switch error {
    case .outOfRange: nil
    case .tooManyDecimals:
      Advice(
        key: "round",
        "--round rounds what is beyond the places that are kept, half to even, and counts it")
    case .malformed:
      switch evidence(cell) {
      case .none: nil
      case .point:
        Advice(key: "point", "numbers have decimal points here: do without --decimal-comma")
      case .comma:
        Advice(
          key: "comma",
          "--decimal-comma reads 1.234,56; with it fields are separated by semicolons, "
            + "unless --delimiter says otherwise")
      case .groups:
        Advice(key: "groups", "--grouping reads 1,234.56, $1,234.56 and (123.45)")
      }
    }
  }
}

// MARK: - Dates and words

extension Notation {
  /// Reads a date, which a time may follow: the date counts, as it stands in the file.
  ///
  /// - Parameter formats: Tried where the file was not said to have one; nil is `YYYY-MM-DD`.
  func day(_ cell: UnsafeBufferPointer<UInt8>, formats: [DateFormat?] = [nil]) -> Day? {
    if let dateFormat { return day(cell, dateFormat) }
    for format in formats {
      if let day = day(cell, format) { return day }
    }
    return nil
  }

  private func day(_ cell: UnsafeBufferPointer<UInt8>, _ format: DateFormat?) -> Day? {
    let count = format?.byteCount ?? 10
    guard cell.count >= count else { return nil }
    let date = UnsafeBufferPointer(rebasing: cell[..<count])
    guard let day = format.map({ $0.day(date) }) ?? Day(iso: date) else { return nil }
    guard cell.count > count else { return day }
    guard let time = WrittenTime(UnsafeBufferPointer(rebasing: cell[count...])) else { return nil }
    if !time.isMidnight { timed.add(1, ordering: .relaxed) }
    return day
  }

  /// What a word of the file means, if it was said to mean another.
  func meaning(_ word: String) -> String? { words[ExactText(word.lowercased())] }
}
