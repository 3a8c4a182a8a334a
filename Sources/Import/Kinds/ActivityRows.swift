internal import Accounting
internal import Postgres

/// What happened in portfolios.
///
/// `id,portfolio,date,type[,symbol,quantity,price,amount,fee,currency,acquired,status,note,
/// multiplier]`
///
/// `id` may be left out: then a row is named after the file's digest and its number. A multiplier
/// is not stored: where a source states one, it must be the instrument's.
struct ActivityRows: RowKind {
  struct Row: Sendable {
    let externalID: String
    let portfolio: Int64
    let portfolioCode: String
    let instrument: Int64?
    let type: ActivityType
    let date: Day
    let quantity: Quantity?
    let price: Price?
    let amount: Money?
    let fee: Money
    let currency: Currency
    let acquired: Day?
    let isCancelled: Bool
    let note: String?
  }

  enum Status: String, CaseIterable {
    case active, cancelled
  }

  enum Column {
    static let (id, portfolio, date, type) = (0, 1, 2, 3)
    static let (symbol, quantity, price, amount, fee) = (4, 5, 6, 7, 8)
    static let (currency, acquired, status, note, multiplier) = (9, 10, 11, 12, 13)
  }

  static let columns: [ColumnRule] = [
    .optional("id"), .required("portfolio"), .required("date"), .required("type").word,
    .optional("symbol"), .optional("quantity").number, .optional("price").number,
    .optional("amount").number, .optional("fee").number, .optional("currency"),
    .optional("acquired"), .optional("status").word, .optional("note"),
    .optional("multiplier").number,
  ]

  private let hasIDs: Bool
  private let fileName: String
  let stored: StoredRows
  private let unstageUnchanged: Statement
  private let upsert: Statement
  private let late: LateActivities

  init(header: Header, options: KindOptions) {
    hasIDs = header.has(Column.id)
    fileName = hexadecimal(options.digest.prefix(16))
    stored = Self.comparison(header)
    unstageUnchanged = stored.unstageUnchanged
    upsert = Self.merging(header)
    late = LateActivities(Self.changes(header))
  }

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let externalID =
      hasIDs
      ? try cells.id(Column.id) : "file:\(fileName)/\(number)"
    let date = try cells.requiredDay(Column.date)
    let portfolio = try books.portfolio(
      cells, Column.portfolio, on: date, dateColumn: Column.date)
    let type = try cells.requiredWord(Column.type, of: ActivityType.self)
    let instrument = try self.instrument(cells, type, date, portfolio, books)
    if cells.bytes(Column.multiplier) != nil { try requireMultiplier(cells, of: instrument) }
    let traits = type.traits
    let needs = traits.needs(isValued: instrument?.isValued)
    let denomination = try cells.currency(Column.currency)
    if traits.isInOwnCurrency, let instrument {
      try cells.require(denomination, Column.currency, of: instrument)
    }
    let quantity = try self.number(
      cells, Column.quantity, needs.quantity, type, nil, as: Quantity.self)
    guard quantity != .zero else {
      throw cells.refuse(quoting: Column.quantity, "must be greater than 0")
    }
    return Row(
      externalID: externalID, portfolio: portfolio.id, portfolioCode: portfolio.code,
      instrument: instrument?.id, type: type, date: date, quantity: quantity,
      price: try self.number(cells, Column.price, needs.price, type, denomination),
      amount: try self.number(
        cells, Column.amount, needs.amount, type, denomination, isSigned: traits.isSigned),
      fee: try self.number(cells, Column.fee, .optional, type, denomination) ?? .zero,
      currency: denomination?.currency ?? instrument?.currency ?? portfolio.base,
      acquired: try acquired(cells, type, date),
      isCancelled: try cells.word(Column.status, of: Status.self) == .cancelled,
      note: try cells.text(Column.note, limit: 10_000))
  }

  private func acquired(
    _ cells: Cells, _ type: ActivityType, _ date: Day
  ) throws(RowRefusal) -> Day? {
    guard let acquired = try cells.day(Column.acquired) else { return nil }
    guard type.traits.mayHaveAcquired else {
      let having = ActivityType.allCases.filter(\.traits.mayHaveAcquired).map(\.rawValue)
      throw cells.refuse(
        Column.acquired, "only a \(having.joined(separator: " or ")) has one; leave it empty")
    }
    guard acquired <= date else {
      throw cells.refuse(quoting: Column.acquired, "is after the date of the transfer")
    }
    return acquired
  }

  func key(_ row: Row) -> ExactText { ExactText(row.externalID) }

  func clash(_ earlier: Row, _ later: Row) -> RowRefusal? {
    guard earlier.portfolio != later.portfolio else { return nil }
    return RowRefusal(
      field: "id", message: "'\(later.externalID)' belongs to portfolio \(earlier.portfolioCode)")
  }

  static let scope = ChangeScope.portfolios

  static let staging = StagingTable(
    name: "import_activities",
    columns: """
      portfolio_id bigint not null, instrument_id bigint, external_id text not null,
      activity_type closebell.activity_type not null, activity_date date not null,
      quantity numeric, price numeric, amount numeric, fee numeric not null,
      currency text not null, acquired date, status closebell.activity_status not null, note text,
      booked_on date
      """,
    count: 14)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(int64: row.portfolio)
    if let instrument = row.instrument {
      staging.write(int64: instrument)
    } else {
      staging.writeNull()
    }
    staging.write(text: row.externalID)
    staging.write(text: row.type.rawValue)
    staging.write(row.date)
    staging.write(row.quantity)
    staging.write(row.price)
    staging.write(row.amount)
    staging.write(row.fee)
    staging.write(text: row.currency.description)
    staging.write(row.acquired)
    staging.write(text: row.isCancelled ? "cancelled" : "active")
    if let note = row.note { staging.write(text: note) } else { staging.writeNull() }
    staging.writeNull()
  }

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    let isAnyKnown = try db.row(Self.isAnyKnown) { try $0.nextBool() } ?? true
    if isAnyKnown {
      try db.execute(unstageUnchanged)
      if hasIDs { try merged.refuse(Self.findForeign, unstaging: Self.staging, on: db) }
    }
    try PortfolioFunds.create(from: Self.staging, on: db)
    try late.bookOrRefuse(&merged, on: db)
    try merged.take(isAnyKnown ? upsert : Self.insert, of: Self.self, on: db)
    return merged
  }
}
