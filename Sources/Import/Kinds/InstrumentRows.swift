internal import Accounting
internal import Postgres

/// What can be held: `symbol,name,kind,currency[,multiplier,pricing,retired_on]`.
struct InstrumentRows: RowKind {
  struct Row: Sendable {
    let key: Key
    let name: String
    let kind: InstrumentKind
    let currency: Currency
    let multiplier: Rate?
    let pricing: Pricing?
  }

  struct Key: Hashable {
    let symbol: ExactText
    let retired: Day?
  }

  static let columns: [ColumnRule] = [
    .required("symbol"), .required("name"), .required("kind").word, .required("currency"),
    .optional("multiplier").number, .optional("pricing").word, .optional("retired_on"),
  ]
  private static let (symbol, name, kind, currency) = (0, 1, 2, 3)
  private static let (multiplier, pricing, retired) = (4, 5, 6)

  private let restate: Bool

  init(header: Header, options: KindOptions) { restate = options.restate }

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let symbol = try cells.name(Self.symbol)
    let kind = try cells.requiredWord(Self.kind, of: InstrumentKind.self)
    var multiplier: Rate?
    if cells.bytes(Self.multiplier) != nil {
      multiplier = try cells.positive(Self.multiplier, as: Rate.self)
    }
    let pricing = try cells.word(Self.pricing, of: Pricing.self)
    if pricing == .valued, kind == .option || kind == .future {
      throw cells.refuse(Self.pricing, "an option or a future cannot be valued by statements")
    }
    return Row(
      key: Key(symbol: ExactText(symbol), retired: try cells.day(Self.retired)),
      name: try cells.requiredText(Self.name, limit: 1_000), kind: kind,
      currency: try cells.bookCurrency(Self.currency), multiplier: multiplier, pricing: pricing)
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.instruments

  static let staging = StagingTable(
    name: "import_instruments",
    columns: """
      symbol text not null, name text not null, kind closebell.instrument_kind not null,
      currency text not null, multiplier numeric, pricing closebell.pricing, retired_on date,
      id bigint
      """,
    count: 8)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(text: row.key.symbol.description)
    staging.write(text: row.name)
    staging.write(word: row.kind)
    staging.write(text: row.currency.description)
    staging.write(row.multiplier)
    staging.write(word: row.pricing)
    staging.write(row.key.retired)
    staging.writeNull()
  }

  /// Terms are changed by an update that writes no row twice; this says what of an active one
  /// would change.
  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "instruments", staging: staging, table: "instruments",
    match: "l.symbol = s.symbol and l.retired_on is null",
    columns: [
      .init(name: "name", stored: "l.name", staged: "s.name"),
      .init(name: "kind", stored: "l.kind", staged: "s.kind"),
      .init(name: "currency", stored: "l.currency", staged: "s.currency"),
      .init(
        name: "multiplier", stored: "l.multiplier", staged: "coalesce(s.multiplier, l.multiplier)",
        isNumeric: true),
      .init(name: "pricing", stored: "l.pricing", staged: "coalesce(s.pricing, l.pricing)"),
      .init(
        name: "retired_on", stored: "l.retired_on", staged: "coalesce(s.retired_on, l.retired_on)"),
    ])

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.matchRetired)
    try db.execute(Self.match)
    merged.replaced = try db.execute(Self.keepLast)
    if !restate { try merged.refuse(Self.findRestated, unstaging: Self.staging, on: db) }
    merged.warnings = try db.rows(Self.futuresWithoutMultiplier) { row in
      let number = Int(try row.nextInt64())
      return ImportWarning(row: number, message: try row.nextString())
    }
    try merged.take(Self.update, of: Self.self, on: db)
    merged.inserted += try db.execute(Self.insert)
    return merged
  }
}

// Which instrument a row means: the same rule as for portfolios.

extension InstrumentRows {
  /// Looked up by its id, as the portfolios are.
  private static let storedRow =
    "select o.* from closebell.instruments o where o.id = s.id offset 0"

  private static let matchRetired = Statement(
    "import-instruments-match-retired",
    """
    update pg_temp.import_instruments s set id = coalesce(
      (select max(i.id) from closebell.instruments i
       where i.symbol = s.symbol and i.retired_on = s.retired_on),
      (select i.id from closebell.instruments i
       where i.symbol = s.symbol and i.retired_on is null))
    where s.retired_on is not null
    """)

  private static let match = Statement(
    "import-instruments-match",
    """
    update pg_temp.import_instruments s set id =
      (select i.id from closebell.instruments i
       where i.symbol = s.symbol and i.retired_on is null)
    where s.retired_on is null and s.symbol not in (
      select r.symbol from pg_temp.import_instruments r join closebell.instruments i on i.id = r.id
      where r.retired_on is not null and i.retired_on is null)
    """)

  private static let keepLast = Statement(
    "import-instruments-keep-last",
    """
    delete from pg_temp.import_instruments s
    where s.id is not null and s.row_number not in (
      select max(r.row_number) from pg_temp.import_instruments r
      where r.id is not null group by r.id)
    """)

  /// Terms on which closed dates of its holders rest.
  private static let findRestated = Statement(
    "import-instruments-restated",
    """
    select row_number, field, 'cannot change after a holder''s first close without --restate'
    from (
      select s.row_number, s.id,
        case when s.currency <> i.currency then 'currency'
          when s.multiplier <> i.multiplier then 'multiplier'
          when s.pricing <> i.pricing then 'pricing'
          when s.kind <> i.kind and 'future' in (s.kind, i.kind) then 'kind' end as field
      from pg_temp.import_instruments s cross join lateral (\(storedRow)) i) changed
    where field is not null and exists (
      select from closebell.portfolio_funds f
      join closebell.portfolio_snapshots c on c.portfolio_id = f.portfolio_id and c.is_complete
      where f.instrument_id = changed.id)
    """)

  /// There is hardly a future of which a point is worth one.
  private static let futuresWithoutMultiplier = Statement(
    "import-instruments-futures",
    """
    select row_number, 'the future ' || symbol || ' comes without a multiplier, and gets 1'
    from pg_temp.import_instruments
    where id is null and kind = 'future' and multiplier is null order by row_number
    """)

  /// The other half of the statement still sees a written row as it was.
  private static let update = Statement(
    "import-instruments-update",
    """
    with written as (
      insert into closebell.instruments as i
        (id, symbol, name, kind, currency, multiplier, pricing, retired_on)
      select s.id, s.symbol, s.name, s.kind, s.currency, coalesce(s.multiplier, old.multiplier),
        coalesce(s.pricing, old.pricing), coalesce(s.retired_on, old.retired_on)
      from pg_temp.import_instruments s cross join lateral (\(storedRow)) old
      where s.name <> old.name or s.kind <> old.kind or s.currency <> old.currency
        or s.multiplier <> old.multiplier or s.pricing <> old.pricing
        or coalesce(s.retired_on, old.retired_on) is distinct from old.retired_on
      on conflict on constraint instruments_key do update set name = excluded.name,
        kind = excluded.kind, currency = excluded.currency, multiplier = excluded.multiplier,
        pricing = excluded.pricing, retired_on = excluded.retired_on
      returning i.id, i.kind, i.currency, i.multiplier, i.pricing
    ), changed as (
      select w.id from written w cross join lateral (
        select o.* from closebell.instruments o where o.id = w.id offset 0) old
      where (w.kind, w.currency, w.multiplier, w.pricing)
        <> (old.kind, old.currency, old.multiplier, old.pricing)
    ), held as (
      select f.portfolio_id, f.instrument_id from closebell.portfolio_funds f
      where f.instrument_id in (select id from changed)
    )
    select 0::bigint, (select count(*) from written), min(p.inception_date),
      array_agg(distinct held.instrument_id)
    from held join closebell.portfolios p on p.id = held.portfolio_id
    """)

  /// A contract of an option is for 100 units unless the file says otherwise.
  private static let insert = Statement(
    "import-instruments-insert",
    """
    insert into closebell.instruments
      (symbol, name, kind, currency, multiplier, pricing, retired_on)
    select symbol, name, kind, currency,
      coalesce(multiplier, case when kind = 'option' then 100 else 1 end),
      coalesce(pricing, 'quoted'), retired_on
    from pg_temp.import_instruments where id is null order by row_number
    """)
}
