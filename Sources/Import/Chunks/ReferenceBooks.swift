internal import Accounting
internal import Postgres

/// What rows refer to by name, as it was when it was last loaded.
struct ReferenceBooks: Sendable {
  /// A portfolio, as far as rows are checked against it.
  struct Portfolio: Sendable {
    let id: Int64
    let code: String
    let base: Currency
    let inception: Day
    let retired: Day?
    let isPerCurrency: Bool
    let hasAutomaticDividends: Bool
  }

  /// An instrument, as far as rows are checked against it.
  struct Instrument: Sendable {
    let id: Int64
    let symbol: String
    let currency: Currency
    let isValued: Bool
    let multiplier: Rate
    let retired: Day?
    let kind: InstrumentKind

    /// Its terms as the books know them.
    var terms: Accounting.Instrument {
      Accounting.Instrument(
        id: ID(id), symbol: symbol, kind: kind, currency: currency, multiplier: multiplier,
        pricing: isValued ? .valued : .quoted)
    }
  }

  private var portfolios: [ExactText: [Portfolio]] = [:]
  private var instruments: [ExactText: [Instrument]] = [:]

  /// The portfolio that a row of a date means by a code, or by `CODE#ID`.
  ///
  /// A code may be used again once its portfolio is retired; the date decides.
  func portfolio(
    _ cells: Cells, _ column: Int, on day: Day, dateColumn: Int
  ) throws(RowRefusal) -> Portfolio {
    let name = try cells.name(column)
    let candidates = portfolios[ExactText(name)] ?? numbered(name)
    guard let first = candidates.first else {
      var refusal = cells.refuse(quoting: column, "is not a portfolio")
      refusal.unknown = .portfolio
      throw refusal
    }
    for candidate in candidates where candidate.inception <= day {
      guard let retired = candidate.retired, day > retired else { return candidate }
    }
    guard candidates.contains(where: { $0.inception <= day }) else {
      throw cells.refuse(
        dateColumn, "\(day) is before the inception of \(name) on \(first.inception)")
    }
    throw cells.refuse(dateColumn, "portfolio \(name) was retired before \(day)")
  }

  private func numbered(_ name: String) -> [Portfolio] {
    guard let mark = name.utf8.lastIndex(of: UInt8(ascii: "#")),
      let id = Int64(name[name.utf8.index(after: mark)...])
    else { return [] }
    return (portfolios[ExactText(String(name[..<mark]))] ?? []).filter { $0.id == id }
  }

  /// The instrument that a row of a date means by a symbol.
  func instrument(
    _ cells: Cells, _ column: Int, on day: Day
  ) throws(RowRefusal) -> Instrument {
    let name = try cells.name(column)
    guard let candidates = instruments[ExactText(name)] else {
      var refusal = cells.refuse(quoting: column, "is not an instrument")
      refusal.unknown = .symbol(ExactText(name), currency: cells.text("currency"))
      throw refusal
    }
    for candidate in candidates {
      guard let retired = candidate.retired, day > retired else { return candidate }
    }
    throw cells.refuse(column, "instrument \(name) was retired before \(day)")
  }

  /// Loads everything; candidates of one name by the date of their retirement, the active one last.
  static func load(on db: isolated Connection) throws -> ReferenceBooks {
    var books = ReferenceBooks()
    for portfolio in try db.rows(loadPortfolios, as: decodePortfolio) {
      books.portfolios[ExactText(portfolio.code), default: []].append(portfolio)
    }
    for instrument in try db.rows(loadInstruments, as: decodeInstrument) {
      books.instruments[ExactText(instrument.symbol), default: []].append(instrument)
    }
    return books
  }

  private static let loadPortfolios = Statement.once(
    "import-load-portfolios",
    """
    select id, code, base_currency, inception_date, retired_on, cash = 'per_currency',
      dividends = 'automatic'
    from closebell.portfolios order by retired_on nulls last, id
    """)

  private static func decodePortfolio(_ row: inout RowReader) throws -> Portfolio {
    Portfolio(
      id: try row.nextInt64(), code: try row.nextString(), base: try currency(&row),
      inception: Day(number: try row.nextDate()), retired: try row.nextDateOrNil().map(Day.init),
      isPerCurrency: try row.nextBool(), hasAutomaticDividends: try row.nextBool())
  }

  private static let loadInstruments = Statement.once(
    "import-load-instruments",
    """
    select id, symbol, currency, pricing = 'valued', trim_scale(multiplier)::text,
      retired_on, kind
    from closebell.instruments order by retired_on nulls last, id
    """)

  private static func decodeInstrument(_ row: inout RowReader) throws -> Instrument {
    Instrument(
      id: try row.nextInt64(), symbol: try row.nextString(), currency: try currency(&row),
      isValued: try row.nextBool(), multiplier: try multiplier(&row),
      retired: try row.nextDateOrNil().map(Day.init), kind: try kind(&row))
  }

  private static func kind(_ row: inout RowReader) throws -> InstrumentKind {
    let word = try row.nextString()
    guard let kind = InstrumentKind(rawValue: word) else {
      throw CodecError.malformed("'\(word)' is not a kind of instrument")
    }
    return kind
  }

  private static func multiplier(_ row: inout RowReader) throws -> Rate {
    let text = try row.nextString()
    guard let multiplier = try? Rate(text) else {
      throw CodecError.malformed("'\(text)' is not a multiplier")
    }
    return multiplier
  }

  private static func currency(_ row: inout RowReader) throws -> Currency {
    let code = try row.nextString()
    guard let currency = Currency(code) else {
      throw CodecError.malformed("'\(code)' is not a currency")
    }
    return currency
  }
}
