internal import Accounting
public import Postgres

// Closed dates that a repair replaces: kept before they are written, and put back.

extension RepairArchive {
  /// Archives everything that stands of complete slots under our claim, and names the slots that
  /// are about to be closed for the first time, in the transaction that writes them.
  static func keep(
    _ slots: [Slot], adding new: [Slot], run: Int64, reason: String, on db: isolated Connection
  ) throws {
    for table in OrphanRows.tables where !slots.isEmpty {
      _ = try db.execute(
        keepRows(table), slots.map(\.portfolio.rawValue), slots.map(\.date.postgres), run, reason)
    }
    guard !new.isEmpty else { return }
    _ = try db.execute(
      keepNew, new.map(\.portfolio.rawValue), new.map(\.date.postgres), run, reason)
  }

  /// Slots of a run that are not as it left them, or that live owners hold, as text.
  public static func changed(sinceRun run: Int64, on db: isolated Connection) throws -> [String] {
    try db.rows(changedSince, run) { try $0.nextString() }
  }

  /// Slots outside a run that opened from what it wrote, as text.
  public static func builtOn(run: Int64, on db: isolated Connection) throws -> [String] {
    try db.rows(laterSlots, run) { try $0.nextString() }
  }

  /// Stops everybody else from claiming or closing anything until the transaction ends.
  public static func lockSlots(on db: isolated Connection) throws {
    try db.execute(sql: "lock table closebell.portfolio_snapshots in share row exclusive mode")
  }

  /// Puts back the closed dates that a run replaced, and takes out those that it added.
  ///
  /// Numbers come back to the last digit. Revisions go on counting, so that nobody who read the
  /// repaired values can take these for them.
  ///
  /// - Returns: How many rows were put back.
  public static func putBack(_ run: Int64, on db: isolated Connection) throws -> Int {
    _ = try db.execute(noteRevisions, run)
    for table in OrphanRows.tables.reversed() { _ = try db.execute(clear(table), run) }
    var rows = 0
    for table in OrphanRows.tables { rows += try db.execute(restore(table), run) }
    try IRRMoments.forget(db.rows(portfolios, run) { try $0.nextID() }, on: db)
    return rows
  }

  // MARK: - SQL

  private static func keepRows(_ table: OrphanRows.Table) -> Statement {
    Statement(
      "repair-keep-\(table.name)",
      """
      insert into closebell.repair_archive
        (run_id, table_name, portfolio, slot_date, action, reason, row_data)
      select $3::bigint, 'closebell.\(table.name)', t.portfolio_id::text, t.\(table.date),
        'replaced', $4::text, pg_catalog.to_jsonb(t)
      from unnest($1::bigint[], $2::date[]) as c (portfolio_id, slot_date)
      join closebell.\(table.name) t
        on t.\(table.date) = c.slot_date and t.portfolio_id = c.portfolio_id
      """)
  }

  private static let keepNew = Statement(
    "repair-keep-new",
    """
    insert into closebell.repair_archive
      (run_id, table_name, portfolio, slot_date, action, reason, row_data)
    select $3::bigint, 'closebell.portfolio_snapshots', c.portfolio_id::text, c.slot_date, 'added',
      $4::text, '{}'
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, slot_date)
    """)

  /// The slots of a run.
  private static let slots = """
    (select distinct a.portfolio::bigint as portfolio_id, a.slot_date
     from closebell.repair_archive a
     where a.run_id = $1::bigint and a.table_name = 'closebell.portfolio_snapshots'
       and a.action in ('replaced', 'added'))
    """

  private static let changedSince = Statement.once(
    "repair-changed-since",
    """
    select 'portfolio ' || coalesce(\(PortfolioName.text(of: "p")), c.portfolio_id::text)
      || ', ' || c.slot_date
    from \(slots) c
    left join closebell.portfolios p on p.id = c.portfolio_id
    left join closebell.portfolio_snapshots s
      on s.portfolio_id = c.portfolio_id and s.snapshot_date = c.slot_date
    where s.is_complete is not true or s.run_id <> $1::bigint
      or \(Leases.isAlive("s.claim_id"))
    order by c.slot_date, 1 limit 20
    """)

  private static let laterSlots = Statement.once(
    "repair-built-on",
    """
    select 'portfolio ' || \(PortfolioName.text(of: "p")) || ', ' || s.snapshot_date
    from \(slots) c
    join closebell.portfolio_snapshots s
      on s.portfolio_id = c.portfolio_id and s.opened_from_date = c.slot_date and s.is_complete
    join closebell.portfolios p on p.id = s.portfolio_id
    where not exists (select from \(slots) o
      where o.portfolio_id = s.portfolio_id and o.slot_date = s.snapshot_date)
    order by 1 limit 20
    """)

  /// The revisions that the slots have now, before they go.
  private static let noteRevisions = Statement.once(
    "repair-note-revisions",
    """
    insert into pg_temp.repair_revisions (portfolio_id, slot_date, revision)
    select s.portfolio_id, s.snapshot_date, s.revision
    from \(slots) c
    join closebell.portfolio_snapshots s
      on s.portfolio_id = c.portfolio_id and s.snapshot_date = c.slot_date
    """)

  /// Makes the session's table of revisions; before the transaction that undoes.
  public static func prepare(on db: isolated Connection) throws {
    try db.execute(
      sql: """
        create temporary table if not exists repair_revisions (
          portfolio_id bigint, slot_date date, revision integer) on commit delete rows
        """)
  }

  private static func clear(_ table: OrphanRows.Table) -> Statement {
    Statement.once(
      "repair-clear-\(table.name)",
      """
      delete from closebell.\(table.name) t using \(slots) c
      where t.portfolio_id = c.portfolio_id and t.\(table.date) = c.slot_date
      """)
  }

  /// A snapshot gets the next revision, and says so in what opened from it; all else is as it was.
  private static func restore(_ table: OrphanRows.Table) -> Statement {
    let row =
      table.name == "portfolio_snapshots"
      ? """
      a.row_data || case when now.revision is null then '{}'::jsonb else
        pg_catalog.jsonb_build_object('revision', now.revision + 1) end
        || case when opening.revision is null then '{}'::jsonb else
        pg_catalog.jsonb_build_object('opened_from_revision', opening.revision + 1) end
      """ : "a.row_data"
    return Statement.once(
      "repair-restore-\(table.name)",
      """
      insert into closebell.\(table.name)
      select (pg_catalog.jsonb_populate_record(null::closebell.\(table.name), \(row))).*
      from closebell.repair_archive a
      left join pg_temp.repair_revisions now
        on now.portfolio_id = a.portfolio::bigint and now.slot_date = a.slot_date
      left join pg_temp.repair_revisions opening
        on opening.portfolio_id = a.portfolio::bigint
          and opening.slot_date = (a.row_data ->> 'opened_from_date')::date
      where a.run_id = $1::bigint and a.table_name = 'closebell.\(table.name)'
        and a.action in ('replaced', 'removed')
      order by a.item
      """)
  }

  private static let portfolios = Statement.once(
    "repair-portfolios", "select distinct c.portfolio_id from \(slots) c order by 1")
}
