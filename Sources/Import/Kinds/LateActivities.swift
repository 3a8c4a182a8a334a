internal import Accounting
internal import Postgres
internal import Storage

/// Activities that come after their own date was locked.
///
/// A new one is booked on the portfolio's first open date. One whose booking was closed and locked
/// is not changed any more. Both are settled in the transaction that writes the rows, with the
/// locks held, so that a lock lies wholly before or wholly after it.
///
/// A date counts as locked for an activity only if a locked snapshot covers it: where nothing was
/// reported yet, the activity keeps its own date.
struct LateActivities: Sendable {
  private let findChanged: Statement
  private let findHomeless: Statement
  private let describeBooked: Statement

  /// - Parameter changes: What makes a staged row another than the stored one, and a name for it.
  init(_ changes: (name: String, condition: String)) {
    findChanged = Statement(
      "import-activities-locked-\(changes.name)",
      """
      select s.row_number, 'id', l.external_id || ' was booked on '
        || coalesce(l.booked_on, l.activity_date) || ', which is locked: import a correcting '
        || 'activity with an id of its own, or unlock the month'
      from pg_temp.import_activities s join closebell.holding_activity_log l
        on \(ActivityRows.isOfID("l", "s"))
      where \(Self.isReported("coalesce(l.booked_on, l.activity_date)"))
        and \(changes.condition)
      """)
    // A row that is there already and does not change stays as it is, and is not told of.
    let isNews = """
      not exists (select from closebell.holding_activity_log l
        where \(ActivityRows.isOfID("l", "s"))
          and not \(changes.condition))
      """
    findHomeless = Statement(
      "import-activities-homeless-\(changes.name)",
      """
      select s.row_number, 'date', s.activity_date || ' is locked, and the portfolio was retired '
        || 'before a date on which it could be booked: unlock the month'
      from pg_temp.import_activities s
      where s.booked_on is null and \(Self.isReported("s.activity_date")) and \(isNews)
      """)
    describeBooked = Statement(
      "import-activities-booked-\(changes.name)",
      """
      select s.row_number, s.activity_date || ' is locked: booked on ' || s.booked_on
      from pg_temp.import_activities s where s.booked_on is not null and \(isNews)
      order by s.row_number
      """)
  }

  /// Refuses changes of what was reported, and says of the other staged rows when they are booked.
  func bookOrRefuse(_ merged: inout Merged, on db: isolated Connection) throws {
    try PeriodLocks.hold(on: db)
    guard try db.row(Self.isAnythingLocked, as: { try $0.nextBool() }) == true else { return }
    try merged.refuse(findChanged, unstaging: ActivityRows.staging, on: db)
    let portfolios = try db.rows(Self.findLate, as: Self.decode)
    guard !portfolios.isEmpty else { return }
    let overrides = try MarketLoading.overrides(on: db)
    var booked: [(portfolio: Int64, on: Day)] = []
    for portfolio in portfolios {
      // A calendar without a rule is refused by the close, with its name.
      let calendar = try? BusinessCalendar(
        named: portfolio.calendar, overrides: overrides[ExactText(portfolio.calendar)] ?? [:])
      let open =
        calendar?.next(after: portfolio.lockedThrough) ?? portfolio.lockedThrough + 1
      guard portfolio.retired.map({ open <= $0 }) ?? true else { continue }
      booked.append((portfolio.id, open))
    }
    _ = try db.execute(
      Self.book, booked.map(\.portfolio), booked.map { PostgresDate(days: $0.on.number) })
    try merged.refuse(findHomeless, unstaging: ActivityRows.staging, on: db)
    try warn(&merged, on: db)
  }

  private func warn(_ merged: inout Merged, on db: isolated Connection) throws {
    merged.warnings += try db.rows(describeBooked) { row in
      ImportWarning(row: Int(try row.nextInt64()), message: try row.nextString())
    }
  }

  private struct Portfolio {
    var id: Int64
    var calendar: String
    var retired: Day?
    var lockedThrough: Day
  }

  private static func decode(_ row: inout RowReader) throws -> Portfolio {
    Portfolio(
      id: try row.nextInt64(), calendar: try row.nextString(),
      retired: try row.nextDateOrNil().map(Day.init),
      lockedThrough: Day(number: try row.nextDate()))
  }

  // MARK: - SQL

  /// True for a date of a staged row's portfolio that a locked snapshot covers.
  private static func isReported(_ date: String) -> String {
    """
    (\(PeriodLocks.isLocked(date, of: "s.portfolio_id"))
      and exists (select from closebell.portfolio_snapshots c
        where c.portfolio_id = s.portfolio_id and c.is_complete and c.snapshot_date >= \(date)
          and c.snapshot_date <= \(PeriodLocks.lockedThrough(of: "s.portfolio_id"))))
    """
  }

  private static let isAnythingLocked = Statement(
    "import-activities-any-lock", "select exists (select from closebell.period_locks)")
  private static let findLate = Statement(
    "import-activities-late",
    """
    select p.id, p.calendar, p.retired_on, \(PeriodLocks.lockedThrough(of: "p.id"))
    from closebell.portfolios p
    where p.id in (select s.portfolio_id from pg_temp.import_activities s
      where \(isReported("s.activity_date")))
    """)
  private static let book = Statement(
    "import-activities-book",
    """
    update pg_temp.import_activities s set booked_on = b.booked_on
    from unnest($1::bigint[], $2::date[]) as b (portfolio_id, booked_on)
    where s.portfolio_id = b.portfolio_id and \(isReported("s.activity_date"))
    """)
}
