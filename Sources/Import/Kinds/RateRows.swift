internal import Accounting
internal import Postgres

/// Exchange rates, 1 base = rate quote: `date,base,quote,rate`.
struct RateRows: RowKind {
  struct Row: Sendable {
    let key: Key
    let rate: Rate
  }

  struct Key: Hashable {
    let base: Currency
    let quote: Currency
    let date: Day
  }

  static let columns: [ColumnRule] = [
    .required("date"), .required("base"), .required("quote"), .required("rate").number,
  ]
  private static let (date, base, quote, rate) = (0, 1, 2, 3)

  init(header: Header, options: KindOptions) {}

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let date = try cells.requiredDay(Self.date)
    let base = try cells.bookCurrency(Self.base)
    let quote = try cells.bookCurrency(Self.quote)
    guard base != quote else { throw cells.refuse(Self.quote, "\(quote) is the base as well") }
    let rate = try cells.positive(Self.rate, as: Rate.self)
    return Row(key: Key(base: base, quote: quote, date: date), rate: rate)
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.currencies

  static let staging = StagingTable(
    name: "import_rates",
    columns: """
      base text not null, quote text not null, rate_date date not null, rate numeric not null
      """,
    count: 4)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(text: row.key.base.description)
    staging.write(text: row.key.quote.description)
    staging.write(row.key.date)
    staging.write(row.rate)
  }

  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "rates", staging: staging, table: "fx_rates",
    match: """
      l.base = s.base and l.quote = s.quote and l.rate_date = s.rate_date
      """,
    columns: [
      .init(name: "rate", stored: "l.rate", staged: "s.rate", isNumeric: true)
    ])

  private static let unstageUnchanged = stored.unstageUnchanged

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.unstageUnchanged)
    try merged.take(Self.upsert, of: Self.self, on: db)
    return merged
  }

  private static let upsert = Statement(
    "import-rates",
    """
    with written as (
      insert into closebell.fx_rates as r (base, quote, rate_date, rate)
      select base, quote, rate_date, rate from pg_temp.import_rates
      order by base, quote, rate_date
      on conflict on constraint fx_rates_key do update set rate = excluded.rate
        where r.rate <> excluded.rate
      returning base, quote, rate_date, r.xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new), min(rate_date),
      (select array_agg(distinct currency)
       from written, lateral (values (base), (quote)) both_of (currency))
    from written
    """)
}
