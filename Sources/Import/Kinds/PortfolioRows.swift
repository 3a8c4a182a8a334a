internal import Accounting
internal import Postgres

/// Portfolios and their terms.
///
/// `code,name,base_currency,inception_date[,calendar,lot_relief,cash,dividends,irr_convention,
/// flow_timing,retired_on]`
struct PortfolioRows: RowKind {
  struct Row: Sendable {
    let key: Key
    let name: String
    let base: Currency
    let inception: Day
    let calendar: String?
    let lotRelief: LotRelief?
    let cash: CashMode?
    let dividends: DividendMode?
    let convention: IRRConvention?
    let flowTiming: ReturnMeasures.FlowTiming?
  }

  struct Key: Hashable {
    let code: ExactText
    let retired: Day?
  }

  static let columns: [ColumnRule] = [
    .required("code"), .required("name"), .required("base_currency"),
    .required("inception_date"), .optional("calendar").word, .optional("lot_relief").word,
    .optional("cash").word, .optional("dividends").word, .optional("irr_convention").word,
    .optional("retired_on"), .optional("flow_timing").word,
  ]
  private static let (code, name, base, inception, calendar) = (0, 1, 2, 3, 4)
  private static let (lotRelief, cash, dividends, convention) = (5, 6, 7, 8)
  private static let (retired, flowTiming) = (9, 10)

  private let restate: Bool

  init(header: Header, options: KindOptions) { restate = options.restate }

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let code = try cells.name(Self.code)
    guard !code.utf8.contains(UInt8(ascii: "#")) else {
      throw cells.refuse(quoting: Self.code, "contains #, which marks a retired portfolio's number")
    }
    let inception = try cells.requiredDay(Self.inception)
    let retired = try cells.day(Self.retired)
    if let retired, retired < inception {
      throw cells.refuse(Self.retired, "\(retired) is before the inception on \(inception)")
    }
    return Row(
      key: Key(code: ExactText(code), retired: retired),
      name: try cells.requiredText(Self.name, limit: 1_000),
      base: try cells.bookCurrency(Self.base), inception: inception,
      calendar: try cells.calendar(Self.calendar), lotRelief: try cells.word(Self.lotRelief),
      cash: try cells.word(Self.cash), dividends: try cells.word(Self.dividends),
      convention: try cells.word(Self.convention),
      flowTiming: try cells.word(Self.flowTiming))
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.portfolios

  static let staging = StagingTable(
    name: "import_portfolios",
    columns: """
      code text not null, name text not null, base_currency text not null,
      inception_date date not null, calendar text, lot_relief closebell.lot_relief,
      cash closebell.cash_mode, dividends closebell.dividend_mode,
      irr_convention closebell.irr_convention, flow_timing closebell.flow_timing,
      retired_on date, id bigint
      """,
    count: 12)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(text: row.key.code.description)
    staging.write(text: row.name)
    staging.write(text: row.base.description)
    staging.write(row.inception)
    if let calendar = row.calendar { staging.write(text: calendar) } else { staging.writeNull() }
    staging.write(word: row.lotRelief)
    staging.write(word: row.cash)
    staging.write(word: row.dividends)
    staging.write(word: row.convention)
    staging.write(word: row.flowTiming)
    staging.write(row.key.retired)
    staging.writeNull()
  }

  /// Terms are changed by an update that writes no row twice; this says what of an active one
  /// would change.
  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "portfolios", staging: staging, table: "portfolios",
    match: "l.code = s.code and l.retired_on is null",
    columns: [
      .init(name: "name", stored: "l.name", staged: "s.name"),
      .init(name: "base_currency", stored: "l.base_currency", staged: "s.base_currency"),
      .init(name: "inception_date", stored: "l.inception_date", staged: "s.inception_date"),
      .init(name: "calendar", stored: "l.calendar", staged: "coalesce(s.calendar, l.calendar)"),
      .init(
        name: "lot_relief", stored: "l.lot_relief", staged: "coalesce(s.lot_relief, l.lot_relief)"),
      .init(name: "cash", stored: "l.cash", staged: "coalesce(s.cash, l.cash)"),
      .init(name: "dividends", stored: "l.dividends", staged: "coalesce(s.dividends, l.dividends)"),
      .init(
        name: "irr_convention", stored: "l.irr_convention",
        staged: "coalesce(s.irr_convention, l.irr_convention)"),
      .init(
        name: "flow_timing", stored: "l.flow_timing",
        staged: "coalesce(s.flow_timing, l.flow_timing)"),
      .init(
        name: "retired_on", stored: "l.retired_on", staged: "coalesce(s.retired_on, l.retired_on)"),
    ])

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.matchRetired)
    try db.execute(Self.match)
    merged.replaced = try db.execute(Self.keepLast)
    try merged.refuse(Self.findLateInceptions, unstaging: Self.staging, on: db)
    if !restate { try merged.refuse(Self.findRestated, unstaging: Self.staging, on: db) }
    try merged.take(Self.update, of: Self.self, on: db)
    merged.inserted += try db.execute(Self.insert)
    return merged
  }
}
