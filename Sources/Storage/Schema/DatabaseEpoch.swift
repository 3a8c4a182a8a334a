public import Postgres
internal import Problems

/// Which database's transaction numbers count.
///
/// Whether a slot saw a change of its inputs is told by PostgreSQL's transaction numbers. They do
/// not travel with a dump: the database it is restored into counts its own, and may stand before or
/// behind. So each such database is an epoch, and numbers are compared within one only. Whoever is
/// going to write begins a new one where the database is not the one that the last was begun in.
public enum DatabaseEpoch {
  /// What every writer asks before it writes anything: that the schema is this program's, and
  /// whose transaction numbers count.
  ///
  /// - Throws: `SchemaError`.
  public static func requireForWriting(on db: isolated Connection) throws {
    try Migrator.requireCurrentSchema(on: db)
    try begin(on: db)
  }

  /// Begins a new epoch if the database is not the one in which the last one began: restored from
  /// a dump, wholly or just its rows, copied, upgraded, or recovered on another timeline.
  ///
  /// A needless epoch does no harm. It begins when no chunk and no import is in the middle of
  /// writing: what they marked or read would otherwise stand in the wrong one. Runs that began
  /// before end; see ``Leases``.
  ///
  /// Whoever is going to write is told here, too, that a table is not what it was made as.
  ///
  /// - Returns: The server, and the new epoch; nil where none was needed.
  /// - Throws: `AlteredTable`; `LockHeld` where somebody is in the middle of writing for too long.
  @discardableResult
  public static func begin(
    on db: isolated Connection
  ) throws -> (server: ServerIdentity, new: Int?) {
    let found = try db.row(look) {
      (
        ServerIdentity(system: try $0.nextInt64OrNil(), timeline: try $0.nextInt32OrNil()),
        try $0.nextBool(), try $0.nextStringOrNil()?.onOneLine
      )
    }
    guard let (server, isElsewhere, objection) = found else { throw StorageError.noRow("epoch") }
    if let objection { throw AlteredTable(objection: objection) }
    guard isElsewhere else { return (server, nil) }
    do {
      try db.execute(sql: next)
    } catch let error as PostgresError where error.waitedTooLongForLock {
      throw LockHeld(meaning: "what an epoch begins with", holders: [])
    }
    return (server, try db.row(begun, as: { try $0.nextInt32OrNil() })?.map { Int($0) })
  }

  /// This database, as a row of its own: what a row of `incarnation` says of the one it began in.
  private static let here = """
    (select s.system_identifier, s.timeline, d.oid as database_oid,
        'closebell.incarnation'::regclass::oid as table_oid,
        pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) as next_transaction
      from closebell.this_server() s, pg_catalog.pg_database d
      where d.datname = pg_catalog.current_database())
    """
  /// The row's own `xmin` says who wrote it: of a restored one that is not who it says.
  private static let differs = """
    (h.timeline is not null and (
      h.system_identifier is distinct from i.system_identifier
      or h.timeline is distinct from i.timeline or h.database_oid is distinct from i.database_oid
      or h.table_oid is distinct from i.table_oid
      or i.written_by is null or i.written_by >= h.next_transaction
      or i.written_by::xid <> i.xmin))
    """
  private static let look = Statement.once(
    "epoch-look",
    """
    select h.system_identifier, h.timeline, \(differs), \(AlteredTable.first)
    from closebell.incarnation i, \(here) h
    """)
  /// One text and one transaction, so that nobody who is stopped in it keeps others waiting.
  ///
  /// What it began stands in a setting of the session. The first database that is settled on goes
  /// on with the epoch it was made with.
  private static let next = """
    lock table closebell.worker_lease, closebell.input_changes in exclusive mode;
    with begun as (
      update closebell.incarnation i
      set epoch = i.epoch + (o.system_identifier is not null or o.written_by is not null)::integer,
        system_identifier = h.system_identifier, timeline = h.timeline,
        database_oid = h.database_oid, table_oid = h.table_oid,
        written_by = pg_catalog.pg_current_xact_id(), begun_at = pg_catalog.clock_timestamp()
      from \(here) h, closebell.incarnation o
      where \(differs)
      returning i.epoch, o.epoch as before)
    select pg_catalog.set_config('closebell.epoch_begun', coalesce(
      (select b.epoch::text from begun b where b.epoch > b.before), ''), false)
    """
  private static let begun = Statement.once(
    "epoch-begun",
    "select nullif(pg_catalog.current_setting('closebell.epoch_begun'), '')::integer")
}
