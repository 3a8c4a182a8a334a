internal import Accounting
internal import Postgres

/// What happened in portfolios.
///
/// `[id,]portfolio,date,type[,symbol,quantity,price,amount,fee,currency,acquired,status,note,
/// multiplier,account,pay_date]`
///
/// `id` may be left out: then a row is known by what it says. A multiplier is not stored: where a
/// source states one, it must be the instrument's.
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
    let account: String?
    let payDate: Day?
  }

  enum Status: String, CaseIterable {
    case active, cancelled
  }

  enum Column {
    static let (id, portfolio, date, type) = (0, 1, 2, 3)
    static let (symbol, quantity, price, amount, fee) = (4, 5, 6, 7, 8)
    static let (currency, acquired, status, note, multiplier, account) = (9, 10, 11, 12, 13, 14)
    static let payDate = 15
  }

  static let columns: [ColumnRule] = [
    .optional("id"), .required("portfolio"), .required("date"), .required("type").word,
    .optional("symbol"), .optional("quantity").number, .optional("price").number,
    .optional("amount").number, .optional("fee").number, .optional("currency"),
    .optional("acquired"), .optional("status").word, .optional("note"),
    .optional("multiplier").number, .optional("account"),
    .optional("pay_date"),
  ]

  private let hasIDs: Bool
  private let naming: RowNaming
  private let digest: [UInt8]
  private let fileName: String
  let stored: StoredRows
  private let unstageUnchanged: Statement
  private let upsert: Statement
  private let late: LateActivities

  init(header: Header, options: KindOptions) {
    hasIDs = header.has(Column.id)
    naming = options.naming
    digest = options.digest
    fileName = hexadecimal(options.digest.prefix(16))
    stored = Self.comparison(header)
    unstageUnchanged =
      naming == .byContent ? Self.unstageFound(stored) : stored.unstageUnchanged
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
      note: try cells.text(Column.note, limit: 10_000),
      account: cells.bytes(Column.account) == nil ? nil : try cells.id(Column.account),
      payDate: try payDate(cells, type, date, instrument))
  }

  /// Of what is cash of the portfolio: what a fund by statements pays happens inside it.
  private func payDate(
    _ cells: Cells, _ type: ActivityType, _ date: Day, _ instrument: ReferenceBooks.Instrument?
  ) throws(RowRefusal) -> Day? {
    guard let payDate = try cells.day(Column.payDate) else { return nil }
    guard type.traits.mayBePaidLater else {
      let having = ActivityType.allCases.filter(\.traits.mayBePaidLater).map(\.rawValue)
      throw cells.refuse(
        Column.payDate, "only \(having.joined(separator: ", ")) have one; leave it empty")
    }
    if instrument?.isValued == true {
      throw cells.refuse(
        Column.payDate, "what a fund by statements pays stays in it; leave it empty")
    }
    guard payDate >= date else {
      throw cells.refuse(quoting: Column.payDate, "is before the date of the \(type.rawValue)")
    }
    return payDate
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
      account text, booked_on date, origin text, stored_id bigint, stored_import_id bigint,
      pay_date date
      """,
    count: 19)

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
    if let account = row.account { staging.write(text: account) } else { staging.writeNull() }
    for _ in 0..<4 { staging.writeNull() }
    staging.write(row.payDate)
  }

  func identify(for job: Int64, on db: isolated Connection) throws -> Bool {
    switch naming {
    case .byContent:
      return try db.row(Self.findEqual, job, digest) { try $0.nextBool() } ?? true
    case .byID:
      if try db.row(Self.isAnyUnnamed, as: { try $0.nextBool() }) == true {
        try db.execute(Self.adoptEqual, job)
      }
      fallthrough
    case .byFile:
      return try db.row(Self.isAnyKnown) { try $0.nextBool() } ?? true
    }
  }

  func merge(for job: Int64, isAnyKnown: Bool, on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    let isByContent = naming == .byContent
    if isAnyKnown {
      try db.execute(unstageUnchanged, parameters: isByContent ? [job] : [])
      if isByContent {
        try db.execute(Self.nameNew)
        try db.execute(Self.unstageNamed)
      } else if hasIDs, naming == .byID {
        try merged.refuse(Self.findForeign, unstaging: Self.staging, on: db)
      }
    }
    try PortfolioFunds.create(from: Self.staging, on: db)
    try PortfolioFunds.passOn(from: Self.staging, on: db)
    try late.bookOrRefuse(&merged, on: db)
    if isAnyKnown, isByContent { try db.execute(Self.recordFound, job) }
    let insert = isByContent ? Self.insertByContent : Self.insert
    try merged.take(isAnyKnown ? upsert : insert, of: Self.self, for: job, on: db)
    if naming != .byID { try db.execute(Self.noteUnnamed) }
    return merged
  }

  func merge(on db: isolated Connection) throws -> Merged {
    try merge(for: 0, isAnyKnown: identify(for: 0, on: db), on: db)
  }
}
