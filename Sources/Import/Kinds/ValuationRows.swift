internal import Accounting
internal import Postgres

/// Statements of valued holdings: `portfolio,symbol,date,value`.
struct ValuationRows: RowKind {
  struct Row: Sendable {
    let key: Key
    let value: Money
  }

  struct Key: Hashable {
    let portfolio: Int64
    let instrument: Int64
    let date: Day
  }

  static let columns: [ColumnRule] = [
    .required("portfolio"), .required("symbol"), .required("date"), .required("value").number,
  ]
  private static let (portfolio, symbol, date, value) = (0, 1, 2, 3)

  init(header: Header, options: KindOptions) {}

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let date = try cells.requiredDay(Self.date)
    let portfolio = try books.portfolio(
      cells, Self.portfolio, on: date, dateColumn: Self.date)
    let instrument = try books.instrument(cells, Self.symbol, on: date)
    guard instrument.isValued else {
      throw cells.refuse(quoting: Self.symbol, "is quoted: its value comes from prices")
    }
    guard let value = try cells.natural(Self.value, as: Money.self) else {
      throw cells.refuse(Self.value, "a value is required")
    }
    let key = Key(portfolio: portfolio.id, instrument: instrument.id, date: date)
    return Row(key: key, value: value)
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.portfolios

  static let staging = StagingTable(
    name: "import_valuations",
    columns: """
      portfolio_id bigint not null, instrument_id bigint not null, valuation_date date not null,
      value numeric not null
      """,
    count: 4)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(int64: row.key.portfolio)
    staging.write(int64: row.key.instrument)
    staging.write(row.key.date)
    staging.write(row.value)
  }

  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "valuations", staging: staging, table: "statement_valuations",
    match: """
      l.portfolio_id = s.portfolio_id and l.valuation_date = s.valuation_date
        and l.portfolio_fund_id = (\(PortfolioFunds.find))
      """,
    columns: [
      .init(name: "value", stored: "l.value", staged: "s.value", isNumeric: true)
    ])

  private static let unstageUnchanged = stored.unstageUnchanged

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.unstageUnchanged)
    try PortfolioFunds.create(from: Self.staging, on: db)
    try merged.take(Self.upsert, of: Self.self, on: db)
    return merged
  }

  private static let upsert = Statement(
    "import-valuations",
    """
    with written as (
      insert into closebell.statement_valuations as v
        (portfolio_id, portfolio_fund_id, valuation_date, value)
      select portfolio_id, (\(PortfolioFunds.find)), valuation_date, value
      from pg_temp.import_valuations s order by 1, 2, 3
      on conflict on constraint statement_valuations_key do update set value = excluded.value
        where v.value <> excluded.value
      returning portfolio_id, valuation_date, v.xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new),
      min(valuation_date), array_agg(distinct portfolio_id)
    from written
    """)
}

/// The rows of `portfolio_funds` that staged rows need.
enum PortfolioFunds {
  /// The holding of a staged row `s`, as a subquery: it is looked up in its index row by row.
  ///
  /// A join may be turned round, and then reads the whole table once a chunk.
  static let find = """
    select f.id from closebell.portfolio_funds f
    where f.portfolio_id = s.portfolio_id and f.instrument_id = s.instrument_id
    """

  /// Creates what is missing; ids are drawn for those rows only.
  static func create(from staging: StagingTable, on db: isolated Connection) throws {
    try db.execute(
      Statement(
        "import-funds-\(staging.name)",
        """
        insert into closebell.portfolio_funds (portfolio_id, instrument_id)
        select s.portfolio_id, s.instrument_id from (
          select distinct portfolio_id, instrument_id from pg_temp.\(staging.name)
          where instrument_id is not null offset 0) s
        where (\(find)) is null
        order by 1, 2
        on conflict do nothing
        """))
  }
}
