internal import Accounting
internal import Postgres

/// What companies did: `ex_date,symbol,type,value[,currency]`.
struct CorporateActionRows: RowKind {
  enum ActionType: String, CaseIterable, Sendable {
    case split, dividend
  }

  struct Row: Sendable {
    let key: Key
    let value: Rate
  }

  struct Key: Hashable {
    let instrument: Int64
    let exDate: Day
    let type: ActionType
  }

  static let columns: [ColumnRule] = [
    .required("ex_date"), .required("symbol"), .required("type").word, .required("value").number,
    .optional("currency"),
  ]
  private static let (exDate, symbol, type, value, currency) = (0, 1, 2, 3, 4)

  init(header: Header, options: KindOptions) {}

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let exDate = try cells.requiredDay(Self.exDate)
    let instrument = try books.instrument(cells, Self.symbol, on: exDate)
    guard !instrument.isValued else {
      throw cells.refuse(quoting: Self.symbol, "is valued by statements: it has no units to act on")
    }
    let type = try cells.requiredWord(Self.type, of: ActionType.self)
    let denomination = try cells.currency(Self.currency)
    try cells.require(denomination, Self.currency, of: instrument)
    var value = try cells.positive(Self.value, as: Rate.self)
    if type == .dividend { value = try cells.inUnits(value, denomination, Self.value) }
    return Row(key: Key(instrument: instrument.id, exDate: exDate, type: type), value: value)
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.instruments

  static let staging = StagingTable(
    name: "import_actions",
    columns: """
      instrument_id bigint not null, ex_date date not null,
      type closebell.corporate_action_type not null, value numeric not null
      """,
    count: 4)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(int64: row.key.instrument)
    staging.write(row.key.exDate)
    staging.write(word: row.key.type)
    staging.write(row.value)
  }

  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "actions", staging: staging, table: "corporate_actions",
    match: """
      l.instrument_id = s.instrument_id and l.ex_date = s.ex_date and l.type = s.type
      """,
    columns: [
      .init(name: "value", stored: "l.value", staged: "s.value", isNumeric: true)
    ])

  private static let unstageUnchanged = stored.unstageUnchanged

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.unstageUnchanged)
    try merged.take(Self.upsert, of: Self.self, on: db)
    return merged
  }

  private static let upsert = Statement(
    "import-actions",
    """
    with written as (
      insert into closebell.corporate_actions as a (instrument_id, ex_date, type, value)
      select instrument_id, ex_date, type, value from pg_temp.import_actions
      order by instrument_id, ex_date, type
      on conflict on constraint corporate_actions_key do update set value = excluded.value
        where a.value <> excluded.value
      returning instrument_id, ex_date, a.xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new), min(ex_date),
      array_agg(distinct instrument_id)
    from written
    """)
}
