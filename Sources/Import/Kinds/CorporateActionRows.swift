internal import Accounting
internal import Postgres

/// What companies did.
///
/// `ex_date,symbol,type[,value,currency,pay_date,ratio,new_symbol,cash,cost,cost_share,
/// fraction_price,portfolio,id,status]`
///
/// Which of them an action takes stands in one table, `CorporateActionType.traits`; what it has no
/// use for is refused. A row says all of an action and takes the place of what was stored; only the
/// status stays as it is where the file has no such column.
struct CorporateActionRows: RowKind {
  struct Row: Sendable {
    let key: Key
    let terms: CorporateActionTerms
    /// Of value or cash, where it is not the instrument's own.
    let currency: Currency?
  }

  struct Key: Hashable {
    let instrument: Int64
    let exDate: Day
    let type: CorporateActionType
    let newInstrument: Int64?
    let portfolio: Int64?
    let externalID: ExactText?
  }

  /// What can be imported: a rename cannot.
  private enum ImportedType: String, CaseIterable {
    case split, dividend, rights, merger
    case returnOfCapital = "return_of_capital"
    case spinOff = "spin_off"
    case stockDividend = "stock_dividend"
  }

  private enum Column {
    static let (exDate, symbol, type, value, currency) = (0, 1, 2, 3, 4)
    static let (ratio, newSymbol, cash, cost, costShare, fractionPrice) = (5, 6, 7, 8, 9, 10)
    static let (portfolio, id, status, payDate) = (11, 12, 13, 14)
  }

  static let columns: [ColumnRule] = [
    .required("ex_date"), .required("symbol"), .required("type").word, .optional("value").number,
    .optional("currency"), .optional("ratio"), .optional("new_symbol"), .optional("cash").number,
    .optional("cost").word, .optional("cost_share").number, .optional("fraction_price").number,
    .optional("portfolio"), .optional("id"), .optional("status").word,
    .optional("pay_date"),
  ]

  let stored: StoredRows
  private let unstageUnchanged: Statement
  private let upsert: Statement

  init(header: Header, options: KindOptions) {
    let hasStatus = header.has(Column.status)
    stored = Self.comparison(hasStatus)
    unstageUnchanged = stored.unstageUnchanged
    upsert = Self.merging(hasStatus)
  }

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let exDate = try cells.requiredDay(Column.exDate)
    let instrument = try books.instrument(cells, Column.symbol, on: exDate)
    guard !instrument.isValued else {
      throw cells.refuse(
        quoting: Column.symbol, "is valued by statements: it has no units to act on")
    }
    let type = try type(cells)
    let denomination = try cells.currency(Column.currency)
    if type == .split { try cells.require(denomination, Column.currency, of: instrument) }
    var terms = CorporateActionTerms(type, exDate: exDate)
    terms.currency = denomination?.currency
    try readNumbers(cells, denomination, into: &terms)
    var other: ReferenceBooks.Instrument?
    if cells.bytes(Column.newSymbol) != nil {
      other = try books.instrument(cells, Column.newSymbol, on: exDate)
      terms.newInstrument = other?.terms
    }
    var portfolio: Int64?
    if cells.bytes(Column.portfolio) != nil {
      portfolio = try books.portfolio(
        cells, Column.portfolio, on: exDate, dateColumn: Column.exDate
      ).id
    }
    terms.portfolio = portfolio.map { ID($0) }
    terms.isCancelled =
      try cells.word(Column.status, of: ActivityRows.Status.self) == .cancelled
    try check(terms, of: instrument)
    return Row(
      key: Key(
        instrument: instrument.id, exDate: exDate, type: type, newInstrument: other?.id,
        portfolio: portfolio,
        externalID: cells.bytes(Column.id) == nil ? nil : ExactText(try cells.id(Column.id))),
      terms: terms,
      currency: terms.currency == instrument.currency ? nil : terms.currency)
  }

  private func type(_ cells: Cells) throws(RowRefusal) -> CorporateActionType {
    let word = try cells.requiredWord(Column.type, of: ImportedType.self)
    guard let type = CorporateActionType(rawValue: word.rawValue) else {
      preconditionFailure("what can be imported is a type")
    }
    return type
  }

  private func readNumbers(
    _ cells: Cells, _ denomination: Denomination?, into terms: inout CorporateActionTerms
  ) throws(RowRefusal) {
    terms.value = try positive(cells, Column.value)
    terms.cash = try positive(cells, Column.cash)
    // A split's value counts units; what else it may be is money.
    if terms.type != .split, let value = terms.value {
      terms.value = try cells.inUnits(value, denomination, Column.value)
    }
    if let cash = terms.cash { terms.cash = try cells.inUnits(cash, denomination, Column.cash) }
    terms.ratio = try ratio(cells)
    terms.payDate = try cells.day(Column.payDate)
    terms.costShare = try cells.number(Column.costShare)
    terms.fractionPrice = try cells.natural(Column.fractionPrice)
    terms.cost = try cells.word(Column.cost)
  }

  private func positive(_ cells: Cells, _ column: Int) throws(RowRefusal) -> Price? {
    cells.bytes(column) == nil ? nil : try cells.positive(column)
  }

  private func ratio(_ cells: Cells) throws(RowRefusal) -> Ratio? {
    guard let text = try cells.text(Column.ratio, limit: Cells.nameLimit) else { return nil }
    do throws(Ratio.Fault) {
      return try Ratio(text)
    } catch {
      throw cells.refuse(
        quoting: Column.ratio, "is no ratio of two numbers greater than 0, new:old, such as 3:2")
    }
  }

  /// Refuses what makes no sense for the type, by the column to look at.
  private func check(
    _ terms: CorporateActionTerms, of instrument: ReferenceBooks.Instrument
  ) throws(RowRefusal) {
    do throws(CorporateActionFault) {
      _ = try terms.action(of: instrument.terms)
    } catch {
      throw RowRefusal(field: error.field?.rawValue ?? "symbol", message: error.description)
    }
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.instruments

  static let staging = StagingTable(
    name: "import_actions",
    columns: """
      instrument_id bigint not null, ex_date date not null,
      type closebell.corporate_action_type not null, new_instrument_id bigint,
      portfolio_id bigint, external_id text, status closebell.activity_status not null,
      value numeric, currency text, ratio_new numeric, ratio_old numeric, cash numeric,
      cost closebell.merger_cost, cost_share numeric, fraction_price numeric,
      pay_date date
      """,
    count: 16)

  func write(_ row: Row, to staging: inout CopyWriter) {
    let (key, terms) = (row.key, row.terms)
    staging.write(int64: key.instrument)
    staging.write(key.exDate)
    staging.write(word: key.type)
    staging.write(id: key.newInstrument)
    staging.write(id: key.portfolio)
    if let id = key.externalID { staging.write(text: id.description) } else { staging.writeNull() }
    staging.write(text: terms.isCancelled ? "cancelled" : "active")
    staging.write(terms.value)
    if let currency = row.currency {
      staging.write(text: currency.description)
    } else {
      staging.writeNull()
    }
    staging.write(terms.ratio?.new)
    staging.write(terms.ratio?.old)
    staging.write(terms.cash)
    staging.write(word: terms.cost)
    staging.write(terms.costShare)
    staging.write(terms.fractionPrice)
    staging.write(terms.payDate)
  }

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(unstageUnchanged)
    try merged.refuse(Self.findCircles, unstaging: Self.staging, on: db)
    try merged.take(upsert, of: Self.self, on: db)
    try PortfolioFunds.passOnActions(on: db)
    return merged
  }
}

extension CopyWriter {
  fileprivate mutating func write(id: Int64?) {
    if let id { write(int64: id) } else { writeNull() }
  }
}
