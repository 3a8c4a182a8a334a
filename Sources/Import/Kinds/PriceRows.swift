internal import Accounting
internal import Postgres

/// Closes of quoted instruments: `date,symbol,close[,currency]`.
struct PriceRows: RowKind {
  struct Row: Sendable {
    let instrument: Int64
    let date: Day
    let close: Price
  }

  struct Key: Hashable {
    let instrument: Int64
    let date: Day
  }

  static let columns: [ColumnRule] = [
    .required("date"), .required("symbol"), .required("close").number, .optional("currency"),
  ]
  private static let (date, symbol, close, currency) = (0, 1, 2, 3)

  init(header: Header, options: KindOptions) {}

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let date = try cells.requiredDay(Self.date)
    let instrument = try books.instrument(cells, Self.symbol, on: date)
    guard !instrument.isValued else {
      throw cells.refuse(
        quoting: Self.symbol, "is valued by statements: import its values as valuations")
    }
    let denomination = try cells.currency(Self.currency)
    try cells.require(denomination, Self.currency, of: instrument)
    guard let stated = try cells.natural(Self.close, as: Price.self) else {
      throw cells.refuse(Self.close, "a value is required")
    }
    let close = try cells.inUnits(stated, denomination, Self.close)
    return Row(instrument: instrument.id, date: date, close: close)
  }

  func key(_ row: Row) -> Key { Key(instrument: row.instrument, date: row.date) }

  static let scope = ChangeScope.instruments

  static let staging = StagingTable(
    name: "import_prices",
    columns: "instrument_id bigint not null, price_date date not null, close numeric not null",
    count: 3)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(int64: row.instrument)
    staging.write(row.date)
    staging.write(row.close)
  }

  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "prices", staging: staging, table: "prices",
    match: """
      l.instrument_id = s.instrument_id and l.price_date = s.price_date
      """,
    columns: [
      .init(name: "close", stored: "l.close", staged: "s.close", isNumeric: true)
    ])

  private static let unstageUnchanged = stored.unstageUnchanged

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.unstageUnchanged)
    try merged.take(Self.upsert, of: Self.self, on: db)
    guard merged.inserted + merged.updated > 0 else { return merged }
    merged.warnings = try db.rows(Self.jumps) { row in
      let number = Int(try row.nextInt64())
      return ImportWarning(row: number, message: try row.nextString())
    }
    return merged
  }

  private static let upsert = Statement(
    "import-prices",
    """
    with written as (
      insert into closebell.prices as p (instrument_id, price_date, close)
      select instrument_id, price_date, close from pg_temp.import_prices
      order by instrument_id, price_date
      on conflict on constraint prices_key do update set close = excluded.close
        where p.close <> excluded.close
      returning instrument_id, price_date, p.xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new), min(price_date),
      array_agg(distinct instrument_id)
    from written
    """)

  /// Ten or a hundred times the last close, or a part, is more often a slip of the decimal point,
  /// or pence for pounds, than a market; unless a split explains it.
  private static let jumps = Statement(
    "import-prices-jumps",
    """
    select s.row_number, 'the close of ' || i.symbol || ' on ' || s.price_date || ' is '
      || trim_scale(s.close) || ', about '
      || case when s.close / last.close > 40 then '100 times'
           when s.close / last.close > 1 then '10 times'
           when s.close / last.close > 0.04 then 'a tenth of' else 'a hundredth of' end
      || ' the last one, ' || trim_scale(last.close) || ' on ' || last.price_date
    from pg_temp.import_prices s
    join closebell.instruments i on i.id = s.instrument_id
    cross join lateral (
      select p.close, p.price_date from closebell.prices p
      where p.instrument_id = s.instrument_id and p.price_date < s.price_date
      order by p.price_date desc limit 1) last
    where last.close > 0
      and (s.close / last.close between 7 and 14.3 or s.close / last.close between 70 and 143
        or s.close / last.close between 0.07 and 0.143
        or s.close / last.close between 0.007 and 0.0143)
      and not exists (
        select from closebell.corporate_actions a
        where a.instrument_id = s.instrument_id and a.type in ('split', 'stock_dividend')
          and a.status = 'active' and a.portfolio_id is null
          and a.ex_date > last.price_date and a.ex_date <= s.price_date)
    order by s.row_number
    """)
}

extension Cells {
  /// Refuses a currency that is not the instrument's own; none is taken for it.
  func require(
    _ denomination: Denomination?, _ column: Int, of instrument: ReferenceBooks.Instrument
  ) throws(RowRefusal) {
    guard let denomination, denomination.currency != instrument.currency else { return }
    throw refuse(
      quoting: column,
      "is not the currency of \(instrument.symbol), which is \(instrument.currency)")
  }
}
