public import Postgres

/// Takes a table of an earlier system under the key that it never had.
public enum Adoption {
  /// What adopting a table found and did.
  public struct Result: Sendable {
    /// The table, as SQL names it.
    public var table: String
    /// Whether the key was added now; false where it was there.
    public var keyAdded: Bool
    /// Its slots.
    public var slots: Int64
    /// Those that a repair marked stale.
    public var stale: Int64
    /// Those that we closed too, with the same equity.
    public var equal: Int64
    /// Those that we closed with another equity.
    public var different: Int64
  }

  /// Adds the unique key, without keeping writers out for long, and records every slot so that it
  /// can be compared with our own.
  ///
  /// - Throws: `LegacyTableError.needsRepair` where a slot stands more than once or is unfinished.
  public static func adopt(_ name: String, on db: isolated Connection) throws -> Result {
    let table = try LegacyTable.find(name, on: db)
    try db.transaction(readOnly: true) { db in
      try table.hold(on: db)
      try table.requireSlots(on: db)
      try table.requireClean(on: db)
    }
    let keyAdded = try table.addKey(on: db)
    // Under the key nothing is doubled any more; what was unfinished is, until it is looked at.
    return try db.transaction(isolation: .repeatableRead) { db in
      try table.hold(on: db)
      try table.requireClean(on: db)
      _ = try db.execute(record, table.name, table.portfolio.name, table.value.name)
      _ = try db.execute(Statement.once("adopt-copy", table.copy), table.name)
      _ = try db.execute(Statement.once("adopt-forget", table.forgetGone), table.name)
      let counts = try db.row(compare, table.name) {
        (
          try $0.nextInt64(), try $0.nextInt64(), try $0.nextInt64(), try $0.nextInt64()
        )
      }
      let (slots, stale, equal, different) = counts ?? (0, 0, 0, 0)
      return Result(
        table: table.name, keyAdded: keyAdded, slots: slots, stale: stale, equal: equal,
        different: different)
    }
  }

  private static let record = Statement(
    "adopt-record",
    """
    insert into closebell.adopted_tables (table_name, portfolio_column, value_column)
    values ($1::text, $2::text, $3::text)
    on conflict (table_name) do update
    set portfolio_column = excluded.portfolio_column, value_column = excluded.value_column
    """)
  /// Both equities at the scale of the adopted one.
  private static let compare = Statement(
    "adopt-compare",
    """
    select count(*), count(*) filter (where c.stale_reason is not null),
      count(*) filter (where c.same), count(*) filter (where not c.same)
    from (select a.stale_reason, a.adopted_equity = pg_catalog.round(
        a.closing_equity, pg_catalog.scale(a.adopted_equity)) as same
      from closebell.adopted_comparison a where a.table_name = $1::text) c
    """)
}

extension LegacyTable {
  fileprivate func requireClean(on db: isolated Connection) throws {
    let found = try obstacles(limit: 50, on: db)
    guard found.list.isEmpty else {
      throw LegacyTableError.needsRepair(
        name, found.list, duplicates: found.duplicates, unfinished: found.unfinished)
    }
  }

  /// - Returns: False where a unique key of just these columns is there.
  fileprivate func addKey(on db: isolated Connection) throws -> Bool {
    if try db.row(hasKey, oid, portfolio.name, date.name, as: { try $0.nextBool() }) == true {
      return false
    }
    do {
      // What a killed attempt left is in the way of the next, and worth nothing.
      if let name = try db.row(leftover, oid, as: { try $0.nextString() }) {
        try db.execute(sql: "drop index concurrently if exists \(name)")
      }
      let columns = "(\(portfolio.name), \(date.name))"
      guard !isPartitioned else {
        // Neither concurrently nor from an index is possible here.
        try db.execute(
          sql: "alter table \(name) add constraint closebell_one_per_slot unique \(columns)")
        return true
      }
      try db.execute(
        sql: "create unique index concurrently closebell_one_per_slot on \(name) \(columns)")
      try db.execute(
        sql: """
          alter table \(name) add constraint closebell_one_per_slot
          unique using index closebell_one_per_slot
          """)
      return true
    } catch let error as PostgresError where error.isRefusedToRole {
      throw LegacyTableError.noRight(name, "only its owner may add the unique key")
    } catch let error as PostgresError where error.isUniqueViolation {
      try db.transaction(readOnly: true) { db in
        try hold(on: db)
        try requireClean(on: db)
      }
      throw error
    }
  }

  /// Every slot, with why it is wrong if a repair said so; a row of zeros only was called
  /// complete by a column's default, unless we closed at zero too.
  fileprivate var copy: String {
    """
    insert into closebell.adopted_snapshots as a
      (table_name, portfolio, snapshot_date, portfolio_id, equity, created_at, stale_reason,
       row_data)
    select $1::text, t.\(portfolio.name)::text, t.\(date.name), \(ownPortfolio),
      t.\(value.name)::numeric, t.\(createdAt.name), coalesce((
        select r.reason from closebell.repair_archive r
        join closebell.repair_runs u on u.run_id = r.run_id and u.undone_by is null
        where r.table_name = $1::text and r.action = 'stale' and r.slot_date = t.\(date.name)
          and r.portfolio = t.\(portfolio.name)::text
          and r.row_data = pg_catalog.to_jsonb(t)
        order by r.run_id desc limit 1),
        case when \(isBlank) and coalesce(\(ownClosing), 1) <> 0
          then 'every number in it is zero' end),
      pg_catalog.to_jsonb(t)
    from \(name) t
    on conflict (table_name, portfolio, snapshot_date) do update
    set portfolio_id = excluded.portfolio_id, equity = excluded.equity,
      created_at = excluded.created_at, stale_reason = excluded.stale_reason,
      row_data = excluded.row_data
    where (a.portfolio_id, a.stale_reason, a.row_data) is distinct from
      (excluded.portfolio_id, excluded.stale_reason, excluded.row_data)
    """
  }

  fileprivate var forgetGone: String {
    """
    delete from closebell.adopted_snapshots a
    where a.table_name = $1::text and not exists (select from \(name) t
      where t.\(portfolio.name)::text = a.portfolio and t.\(date.name) = a.snapshot_date)
    """
  }

  private var hasKey: Statement {
    Statement.once(
      "adopt-has-key",
      """
      select exists (select from pg_catalog.pg_index i
        where i.indrelid = $1::bigint::oid and i.indisunique and i.indisvalid and i.indimmediate
          and i.indpred is null and i.indexprs is null and i.indnkeyatts = 2
          and (select pg_catalog.array_agg(pg_catalog.quote_ident(a.attname)
                order by pg_catalog.quote_ident(a.attname))
               from pg_catalog.pg_attribute a
               where a.attrelid = i.indrelid and a.attnum = any(i.indkey))
            = (select pg_catalog.array_agg(n order by n)
               from pg_catalog.unnest(array[$2::text, $3::text]) n))
      """)
  }

  private var leftover: Statement {
    Statement.once(
      "adopt-leftover",
      """
      select i.indexrelid::regclass::text from pg_catalog.pg_index i
      join pg_catalog.pg_class c on c.oid = i.indexrelid
      where i.indrelid = $1::bigint::oid and c.relname = 'closebell_one_per_slot'
        and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid)
      """)
  }
}
