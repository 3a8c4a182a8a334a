internal import Accounting
internal import Postgres

/// Exceptions to the calendars' rules: `calendar,date,open`.
struct CalendarRows: RowKind {
  struct Row: Sendable {
    let key: Key
    let isOpen: Bool
  }

  struct Key: Hashable {
    let calendar: String
    let date: Day
  }

  private enum Answer: String, CaseIterable {
    case `true`, `false`, yes, no
  }

  static let columns: [ColumnRule] = [
    .required("calendar").word, .required("date"), .required("open").word,
  ]
  private static let (calendar, date, open) = (0, 1, 2)

  init(header: Header, options: KindOptions) {}

  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row {
    let calendar = try cells.requiredCalendar(Self.calendar)
    let date = try cells.requiredDay(Self.date)
    let answer = try cells.requiredWord(Self.open, of: Answer.self)
    return Row(
      key: Key(calendar: calendar, date: date), isOpen: answer == .true || answer == .yes)
  }

  func key(_ row: Row) -> Key { row.key }

  static let scope = ChangeScope.calendars

  static let staging = StagingTable(
    name: "import_calendars",
    columns: "calendar text not null, day date not null, is_open boolean not null", count: 3)

  func write(_ row: Row, to staging: inout CopyWriter) {
    staging.write(text: row.key.calendar)
    staging.write(row.key.date)
    staging.write(bool: row.isOpen)
  }

  var stored: StoredRows { Self.stored }

  private static let stored = StoredRows(
    name: "calendars", staging: staging, table: "calendar_overrides",
    match: """
      l.calendar = s.calendar and l.day = s.day
      """,
    columns: [
      .init(name: "open", stored: "l.is_open", staged: "s.is_open")
    ])

  private static let unstageUnchanged = stored.unstageUnchanged

  func merge(on db: isolated Connection) throws -> Merged {
    var merged = Merged()
    try db.execute(Self.unstageUnchanged)
    try merged.take(Self.upsert, of: Self.self, on: db)
    return merged
  }

  private static let upsert = Statement(
    "import-calendars",
    """
    with written as (
      insert into closebell.calendar_overrides as o (calendar, day, is_open)
      select calendar, day, is_open from pg_temp.import_calendars order by calendar, day
      on conflict on constraint calendar_overrides_key do update set is_open = excluded.is_open
        where o.is_open <> excluded.is_open
      returning calendar, day, o.xmax = 0 as is_new
    )
    select count(*) filter (where is_new), count(*) filter (where not is_new), min(day),
      array_agg(distinct calendar)
    from written
    """)
}
