public import Postgres

// Taking rows out of an older table, and putting them back.

/// What becomes of a row, and why.
public struct RowVerdict: Sendable {
  /// The row.
  public var row: LegacyRow
  /// What becomes of it.
  public var action: RepairArchive.Action
  /// Why.
  public var reason: String

  /// What becomes of a row.
  public init(_ row: LegacyRow, _ action: RepairArchive.Action, _ reason: String) {
    self.row = row
    self.action = action
    self.reason = reason
  }
}

extension LegacyTable {
  /// Archives the rows of some slots, and takes out those that are to be removed; the table is
  /// locked.
  ///
  /// - Returns: How many rows were removed.
  public func carryOut(
    _ verdicts: [RowVerdict], run: Int64, on db: isolated Connection
  ) throws -> Int {
    let statement = Statement.once("legacy-archive", archive)
    let archived = try db.execute(
      statement, verdicts.map(\.row.place.table), verdicts.map(\.row.place.tuple),
      verdicts.map(\.action.rawValue), verdicts.map(\.reason), run, name)
    guard archived == verdicts.count else { throw StorageError.noRow("row to archive") }
    let removed = verdicts.filter { $0.action == .removed }
    guard !removed.isEmpty else { return 0 }
    do {
      let count = try db.execute(
        Statement.once("legacy-remove", remove), removed.map(\.row.place.table),
        removed.map(\.row.place.tuple))
      guard count == removed.count else { throw StorageError.noRow("row to remove") }
      return count
    } catch let error as PostgresError where error.isRefusedToRole {
      throw LegacyTableError.noRight(name, "the right to delete from it is missing")
    }
  }

  /// Refuses where a foreign key would delete or change other tables' rows with ours.
  public func requireNothingHangsOnIt(on db: isolated Connection) throws {
    let found = try db.row(hangingOn, oid) {
      (table: try $0.nextString(), constraint: try $0.nextString())
    }
    if let found {
      throw LegacyTableError.referenced(name, by: found.table, constraint: found.constraint)
    }
  }

  /// Slots of a run whose rows are not the ones that it left: some of them, as text.
  public func changed(
    sinceRun run: Int64, on db: isolated Connection
  ) throws -> [String] {
    try db.rows(Statement.once("legacy-changed-since", changedSince), run) {
      try $0.nextString()
    }
  }

  /// Puts back the rows that a run removed.
  ///
  /// - Returns: How many.
  public func putBack(_ run: Int64, on db: isolated Connection) throws -> Int {
    let columns = try db.row(insertableColumns, oid) { try $0.nextString() } ?? ""
    return try db.execute(
      Statement.once(
        "legacy-put-back",
        """
        insert into \(name) (\(columns)) overriding system value
        select \(columns) from (
          select (pg_catalog.jsonb_populate_record(null::\(name), a.row_data)).*
          from closebell.repair_archive a
          where a.run_id = $1::bigint and a.action = 'removed') r
        """), run)
  }

  // MARK: - SQL

  private var archive: String {
    """
    insert into closebell.repair_archive
      (run_id, table_name, portfolio, slot_date, action, reason, row_data)
    select $5::bigint, $6::text, t.\(portfolio.name)::text, t.\(date.name), v.action, v.reason,
      pg_catalog.to_jsonb(t)
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
      with ordinality as v (place, tuple, action, reason, n)
    join \(name) t on t.ctid = v.tuple::tid and t.tableoid = v.place::oid
    order by v.n
    """
  }

  private var remove: String {
    """
    delete from \(name) t
    using unnest($1::bigint[], $2::text[]) as v (place, tuple)
    where t.ctid = v.tuple::tid and t.tableoid = v.place::oid
    """
  }

  /// What a run left of a slot, against what stands there now; both as sorted texts.
  private var changedSince: String {
    """
    select 'portfolio ' || a.portfolio || ', ' || a.slot_date
    from (
      select portfolio, slot_date,
        coalesce(pg_catalog.array_agg(row_data::text order by row_data::text collate "C")
          filter (where action in ('kept', 'stale')), '{}') as rows
      from closebell.repair_archive where run_id = $1::bigint
      group by portfolio, slot_date) a
    where a.rows is distinct from coalesce((
      select pg_catalog.array_agg(j.line order by j.line collate "C")
      from (select pg_catalog.to_jsonb(t)::text as line from \(name) t
        where t.\(portfolio.name)::text = a.portfolio and t.\(date.name) = a.slot_date) j), '{}')
    order by a.slot_date, a.portfolio limit 20
    """
  }

  private var hangingOn: Statement {
    Statement.once(
      "legacy-hanging-on",
      """
      select c.conrelid::regclass::text, c.conname::text from pg_catalog.pg_constraint c
      where c.contype = 'f' and c.confrelid = $1::bigint::oid
        and c.confdeltype in ('c', 'n', 'd')
      order by 2 limit 1
      """)
  }

  private var insertableColumns: Statement {
    Statement.once(
      "legacy-insertable-columns",
      """
      select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attnum)
      from pg_catalog.pg_attribute a
      where a.attrelid = $1::bigint::oid and a.attnum > 0 and not a.attisdropped
        and a.attgenerated = ''
      """)
  }
}
