public import Accounting
public import Postgres

/// A lease says that the owner of a claim is alive; a dead owner's slots may be taken over.
///
/// The row commits before the first claim under its id. The connection that renews it also holds
/// an advisory lock on the id, so that a killed process is seen at once and not after a lease.
/// A wrong guess about life is harmless: every later write is fenced by the claim id itself.
public enum Leases {
  /// Draws a claim id that was never used, records its lease and takes its lock.
  ///
  /// To be called in a transaction, whose commit must outlive a crash: an id that a server forgot
  /// it would give once more, and the fence could not tell the two owners apart.
  ///
  /// - Parameters:
  ///   - seconds: How long the lease lasts unless it is renewed; the server's clock counts.
  ///   - dates: Dates on which the claim is going to be used; see `cover`.
  public static func open(
    run: Int64, host: String, pid: Int32, seconds: Double, dates: ClosedRange<Day>? = nil,
    on db: isolated Connection
  ) throws -> Int64 {
    precondition(db.isInTransaction, "a lease that can be seen without its lock is a dead one")
    // The lock is held before the row can be seen: nobody finds a lease without an owner.
    guard
      let claim = try db.row(
        insert, run, host, pid, seconds, dates?.lowerBound.postgres, dates?.upperBound.postgres,
        as: { try $0.nextInt64() })
    else { throw StorageError.noRow("lease") }
    _ = try db.row(lock, claim) { try $0.nextOptional(String.self) }
    return claim
  }

  /// Prolongs a lease that is still valid.
  ///
  /// - Returns: False where it had already ended: the owner must stop at once.
  public static func renew(
    claim: Int64, seconds: Double, on db: isolated Connection
  ) throws -> Bool {
    try db.execute(prolong, claim, seconds) == 1
  }

  /// Ends a lease that nobody needs any more, and frees its lock.
  public static func close(claim: Int64, on db: isolated Connection) throws {
    _ = try db.execute(delete, claim)
    _ = try db.row(unlock, claim) { try $0.next(Bool.self) }
  }

  /// Says which dates the claim is going to be used on; commits before the first claim there.
  public static func cover(
    from first: Day, through last: Day, claim: Int64, on db: isolated Connection
  ) throws {
    _ = try db.execute(widen, claim, first.postgres, last.postgres)
  }

  /// Makes sure that our lease is still recorded, and keeps it so until the transaction ends.
  ///
  /// An owner who lives may be taken for dead: the server crashed under it, or its control
  /// connection broke. Input changes are forgotten once no lease is left that could be older than
  /// them; a write without a lease could say what was true before a change that nobody remembers.
  ///
  /// - Throws: `LeaseGone` where others took us for dead.
  public static func require(claim: Int64, on db: isolated Connection) throws {
    guard try db.row(hold, claim, as: { try $0.nextInt64() }) != nil else { throw LeaseGone() }
  }

  /// Names the session of a worker after its claim, so that others find it once its lease is over.
  public static func nameSession(_ claim: Int64, on db: isolated Connection) throws {
    try db.execute(sql: "set application_name = '\(sessionName)\(claim)'")
  }

  /// Ends the sessions that hold slots locked although the lease that they write under is over:
  /// they hold up whoever takes the slots over.
  ///
  /// The server's own limit ends one that is idle, but not one that stopped in mid-COPY. Sessions
  /// of other roles are left alone.
  ///
  /// - Returns: How many there were.
  static func endOverdueSessions(on db: isolated Connection) throws -> Int {
    try db.rows(terminateOverdue) { try $0.nextBool() }.count { $0 }
  }

  /// Removes the leases whose owners are gone and that no unfinished slot refers to.
  ///
  /// One that an owner holds still while it writes is left for the next time.
  public static func forgetDead(on db: isolated Connection) throws {
    _ = try db.execute(deleteDead)
  }

  /// SQL that is true for a `claim_id` whose owner lives: its lease is valid and its lock is held.
  static func isAlive(_ claim: String) -> String {
    """
    exists (select from closebell.worker_lease l
      where l.claim_id = \(claim) and l.lease_until > pg_catalog.clock_timestamp()
        and \(isLockHeld(of: "l.claim_id")))
    """
  }

  /// SQL that is true for a `claim_id` whose owner's connection holds its advisory lock.
  static func isLockHeld(of claim: String) -> String {
    """
    exists (select from pg_catalog.pg_locks k
      where k.locktype = 'advisory' and k.granted and k.objsubid = 1
        and k.database = (select d.oid from pg_catalog.pg_database d
          where d.datname = pg_catalog.current_database())
        and k.classid::bigint = (\(claim) >> 32)
        and k.objid::bigint = (\(claim) & 4294967295))
    """
  }

  private static let insert = Statement.once(
    "lease-open",
    """
    insert into closebell.worker_lease
      (claim_id, run_id, host, pid, lease_until, first_date, last_date)
    values (pg_catalog.nextval('closebell.claim_id_seq'), $1::bigint, $2::text, $3::integer,
      pg_catalog.clock_timestamp() + $4::float8 * interval '1 second', $5::date, $6::date)
    returning claim_id
    """)
  private static let prolong = Statement(
    "lease-renew",
    """
    update closebell.worker_lease
    set lease_until = pg_catalog.clock_timestamp() + $2::float8 * interval '1 second'
    where claim_id = $1::bigint and lease_until > pg_catalog.clock_timestamp()
    """)
  private static let widen = Statement.once(
    "lease-cover",
    """
    update closebell.worker_lease
    set first_date = least(first_date, $2::date), last_date = greatest(last_date, $3::date)
    where claim_id = $1::bigint
    """)
  private static let hold = Statement(
    "lease-hold",
    "select claim_id from closebell.worker_lease where claim_id = $1::bigint for key share")
  private static let delete = Statement.once(
    "lease-close", "delete from closebell.worker_lease where claim_id = $1::bigint")
  /// Slots are looked for lease by lease (`offset 0`): there is hardly ever a dead one, and joined
  /// otherwise the server would read every slot first.
  private static let deleteDead = Statement.once(
    "lease-forget-dead",
    """
    delete from closebell.worker_lease d using (
      select w.claim_id from closebell.worker_lease w
      where not \(isAlive("w.claim_id"))
        and not exists (select from closebell.portfolio_snapshots s
          where s.snapshot_date between w.first_date and w.last_date
            and s.claim_id = w.claim_id and s.state = 'claimed' offset 0)
      for update skip locked) w
    where d.claim_id = w.claim_id
    """)
  private static let sessionName = "closebell/run, claim "
  private static let terminateOverdue = Statement.once(
    "lease-end-sessions",
    """
    select pg_catalog.pg_terminate_backend(a.pid)
    from closebell.worker_lease w join pg_catalog.pg_stat_activity a
      on a.application_name = '\(sessionName)' || w.claim_id
    where w.lease_until < pg_catalog.clock_timestamp()
      and a.datname = pg_catalog.current_database() and a.usename = current_user
      and exists (select from pg_catalog.pg_locks k
        where k.pid = a.pid and k.relation = 'closebell.portfolio_snapshots'::regclass
          and k.mode in ('RowShareLock', 'RowExclusiveLock'))
    """)
  private static let lock = Statement.once(
    "lease-lock", "select pg_catalog.pg_advisory_lock($1::bigint)::text")
  private static let unlock = Statement.once(
    "lease-unlock", "select pg_catalog.pg_advisory_unlock($1::bigint)")
}

/// Our lease was ended by others, who took us for dead.
public struct LeaseGone: Error, CustomStringConvertible {
  /// The reason, and what to do.
  public var description: String {
    """
    the lease was ended: the connection that held its lock broke, and others took this run for dead
    hint: nothing more was written; run it again
    """
  }
}

/// A promise of the database that it did not keep; the statement's name says where.
public enum StorageError: Error, Sendable, CustomStringConvertible {
  /// A statement that always gives a row gave none.
  case noRow(String)
  /// A stored word is not one that this program knows.
  case unknownWord(column: String, word: String)
  /// A stored date is infinite.
  case endlessDate

  /// What was expected, as an operator reads it.
  public var description: String {
    switch self {
    case .noRow(let what): "the database returned no row for: \(what)"
    case .endlessDate:
      """
      the database holds an infinite date
      hint: it was written by hand; look for it: where date = 'infinity' or date = '-infinity'
      """
    case .unknownWord(let column, let word):
      """
      the database holds an unknown word in \(column): \(word)
      hint: it was written by another version; check: closebell migrate --status
      """
    }
  }
}
