public import Accounting
public import Postgres
public import Problems

/// A lease says that the owner of a claim is alive; a dead owner's slots may be taken over.
///
/// The row commits before the first claim under its id. The session that opened it also holds an
/// advisory lock on the id, so that a killed process is seen at once and not after a lease. A wrong
/// guess about life is harmless: every later write is fenced by the claim id itself.
///
/// Holding a lease takes its token, and the lock in the hands of the session that the row names,
/// on the server and in the epoch in which it was opened. A worker who reconnects elsewhere holds
/// none.
public enum Leases {
  /// Draws a claim id that was never used, records its lease and takes its lock.
  ///
  /// To be called in a transaction, whose commit must outlive a crash: an id that a server forgot
  /// it would give once more. The session keeps the lock; with it ends the lease.
  ///
  /// - Parameters:
  ///   - seconds: How long the lease lasts unless it is renewed; the server's clock counts.
  ///   - dates: Dates on which the claim is going to be used; see `cover`.
  ///   - token: A number that nobody else draws.
  public static func open(
    run: Int64, host: String, pid: Int32, seconds: Double, dates: ClosedRange<Day>? = nil,
    token: Int64 = Lease.randomToken(), on db: isolated Connection
  ) throws -> Lease {
    precondition(db.isInTransaction, "a lease that can be seen without its lock is a dead one")
    // The lock is held before the row can be seen: nobody finds a lease without an owner.
    let claim = try AdvisoryLock.drawClaim(of: "worker_lease", on: db)
    let server = try db.row(
      insert, claim, run, host, pid, seconds, dates?.lowerBound.postgres,
      dates?.upperBound.postgres, token
    ) { ServerIdentity(system: try $0.nextInt64OrNil(), timeline: try $0.nextInt32OrNil()) }
    guard let server else { throw StorageError.noRow("lease") }
    return Lease(claim: claim, token: token, server: server)
  }

  /// Prolongs a lease that is still valid.
  ///
  /// - Returns: False where it had already ended: the owner must stop at once.
  public static func renew(
    _ lease: Lease, seconds: Double, on db: isolated Connection
  ) throws -> Bool {
    try db.execute(prolong, lease.claim, seconds, lease.token) == 1
  }

  /// Says which dates the claim is going to be used on; commits before the first claim there.
  public static func cover(
    from first: Day, through last: Day, _ lease: Lease, on db: isolated Connection
  ) throws {
    _ = try db.execute(widen, lease.claim, first.postgres, last.postgres, lease.token)
  }

  /// Makes sure that we hold our lease, and keeps it recorded until the transaction ends.
  ///
  /// An owner who lives may be taken for dead: the server crashed under it, or its control
  /// connection broke. Input changes are forgotten once no lease is left that could be older than
  /// them; a write without a lease could say what was true before a change that nobody remembers.
  ///
  /// - Throws: `LeaseGone` where others took us for dead, `ServerChanged` where the session is on
  ///   another server, `SchemaError` where the schema was migrated under us.
  public static func require(_ lease: Lease, on db: isolated Connection) throws {
    try check(lease, hold, on: db)
  }

  /// Prepares a worker's session: makes sure that it is where the run's lease is, and names it
  /// after the claim, so that others find it once the lease is over.
  ///
  /// - Throws: As `require`.
  public static func join(_ lease: Lease, on db: isolated Connection) throws {
    try check(lease, nameSession, on: db)
  }

  private static func check(
    _ lease: Lease, _ statement: Statement, on db: isolated Connection
  ) throws {
    guard
      let version = try db.row(statement, lease.claim, lease.token, as: { try $0.nextInt32() })
    else {
      let here = try ServerIdentity.read(on: db)
      guard here == lease.server else { throw ServerChanged(from: lease.server, to: here) }
      throw LeaseGone()
    }
    try Migrator.requireCurrent(newest: Int(version))
  }

  /// Names the session that holds a lease's lock and prolongs it, so that an operator knows what
  /// ends with it.
  public static func nameKeeper(of claim: Int64, on db: isolated Connection) throws {
    try db.execute(sql: "set application_name = '\(keeperName)\(claim)'")
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
        and \(isLocked))
    """
  }

  /// SQL that is true for a row `l` of `worker_lease` whose session holds its lock.
  private static let isLocked = AdvisoryLock.isHeld(
    claim: "l.claim_id", of: "worker_lease", by: "l.backend_pid")

  /// SQL that is true for a row `l` of `worker_lease` that is held under a token, here.
  private static func isOurs(_ token: String) -> String {
    """
    l.token = \(token) and l.epoch = closebell.current_epoch() and \(isLocked)
      and exists (select from pg_catalog.pg_stat_get_activity(l.backend_pid) a
        where a.backend_start = l.backend_start)
      and exists (select from closebell.this_server() s
        where s.system_identifier is not distinct from l.system_identifier
          and s.timeline is not distinct from l.timeline)
    """
  }

  /// SQL that is true where the lease of a claim is held under a token, here.
  static func isHeld(_ claim: String, _ token: String) -> String {
    """
    exists (select from closebell.worker_lease l
      where l.claim_id = \(claim) and \(isOurs(token)))
    """
  }

  private static let insert = Statement.once(
    "lease-open",
    """
    insert into closebell.worker_lease
      (claim_id, run_id, host, pid, lease_until, first_date, last_date, token, backend_pid,
       backend_start, system_identifier, timeline, epoch)
    select $1::bigint, $2::bigint, $3::text, $4::integer,
      pg_catalog.clock_timestamp() + $5::float8 * interval '1 second', $6::date, $7::date,
      $8::bigint, pg_catalog.pg_backend_pid(), a.backend_start, s.system_identifier, s.timeline,
      closebell.current_epoch()
    from closebell.this_server() s, pg_catalog.pg_stat_activity a
    where a.pid = pg_catalog.pg_backend_pid()
    returning system_identifier, timeline
    """)
  private static let prolong = Statement(
    "lease-renew",
    """
    update closebell.worker_lease
    set lease_until = pg_catalog.clock_timestamp() + $2::float8 * interval '1 second'
    where claim_id = $1::bigint and token = $3::bigint
      and lease_until > pg_catalog.clock_timestamp()
    """)
  private static let widen = Statement.once(
    "lease-cover",
    """
    update closebell.worker_lease
    set first_date = least(first_date, $2::date), last_date = greatest(last_date, $3::date)
    where claim_id = $1::bigint and token = $4::bigint
    """)
  private static let newestVersion =
    "(select max(m.version) from closebell.schema_migrations m)"
  private static let hold = Statement(
    "lease-hold",
    """
    select \(newestVersion) from closebell.worker_lease l
    where l.claim_id = $1::bigint and \(isOurs("$2::bigint")) for key share of l
    """)
  private static let nameSession = Statement.once(
    "lease-join",
    """
    select \(newestVersion), pg_catalog.set_config(
      'application_name', '\(sessionName)' || l.claim_id, false)
    from closebell.worker_lease l
    where l.claim_id = $1::bigint and \(isOurs("$2::bigint"))
    """)
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
  private static let keeperName = "closebell/run, lease of claim "
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
}

/// Our lease was ended by others, who took us for dead.
public struct LeaseGone: Problem {
  /// The reason, and what to do.
  public var stated: StatedProblem {
    StatedProblem(
      ProblemCode("lease_gone", .failed),
      """
      the lease was ended: the connection that held its lock broke, and others took this run for \
      dead
      """, remedy: "nothing more was written; run it again")
  }
}

/// A promise of the database that it did not keep; the statement's name says where.
public enum StorageError: Problem {
  /// A statement that always gives a row gave none.
  case noRow(String)
  /// A stored word is not one that this program knows.
  case unknownWord(column: String, word: String)
  /// A stored date is infinite: where it stands.
  case endlessDate(String)
  /// A row stands twice, which the key of its table forbids.
  case rowTwice(table: String, row: String)
  /// What a row says makes no sense together.
  case rowMakesNoSense(table: String, row: String, reason: String)

  /// What was expected, as an operator reads it.
  public var stated: StatedProblem {
    switch self {
    case .noRow(let what):
      StatedProblem(
        ProblemCode("row_missing", .failed), "the database returned no row for: \(what)")
    case .endlessDate(let place):
      StatedProblem(
        ProblemCode("infinite_date", .failed), "the database holds an infinite date",
        details: ["it is \(place)"],
        remedy: """
          it was written by hand; look for it: where date = 'infinity' or date = '-infinity'
          """)
    case .rowTwice(let table, let row):
      StatedProblem(
        ProblemCode("row_twice", .failed), "closebell.\(table) holds a row twice: \(row)",
        remedy: """
          somebody took the table's key away: remove the row that is wrong, and put the key back \
          as the schema has it
          """)
    case .rowMakesNoSense(let table, let row, let reason):
      StatedProblem(
        ProblemCode("row_unsound", .badInput),
        "closebell.\(table) holds a row that makes no sense, \(row): \(reason)",
        remedy: "it was written by hand; import it again as it should be, or cancelled")
    case .unknownWord(let column, let word):
      StatedProblem(
        ProblemCode("unknown_word", .failed),
        "the database holds an unknown word in \(column): \(word)",
        remedy: "it was written by another version; check: \(.migrationStatus)")
    }
  }
}
