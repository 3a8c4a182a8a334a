public import Postgres
public import Problems

/// A lock of the server's that stands for a rule of ours and not for a row: all that there are.
///
/// The server keeps locks of two numbers apart from those of one, and the first of our two is the
/// oid of the table that a lock is about. So nobody takes one by counting, or by a hash of some
/// word. Whoever may connect can still take it on purpose: no wait is longer than `lock_timeout`,
/// and then the error names who stands in the way.
public struct AdvisoryLock: Sendable {
  /// Whether others may hold it as well.
  public enum Mode: Sendable {
    /// With others who share it.
    case shared
    /// Alone.
    case exclusive
  }

  /// What it keeps, as an operator reads it.
  private let meaning: String
  private let share: Calls
  private let exclude: Calls
  private let findHolders: Statement
  /// SQL that is true while anybody holds it.
  let isHeld: String

  /// How it is taken in one mode.
  private struct Calls {
    var tryInTransaction: Statement
    var waitInTransaction: Statement
    var trySession: Statement
    var waitSession: Statement
    var free: Statement

    init(_ name: String, _ keys: String, suffix: String, also: String) {
      func call(_ step: String, _ function: String) -> Statement {
        Statement(
          "\(name)\(step)", "select pg_catalog.pg_\(function)\(suffix)(\(keys))\(also)")
      }
      tryInTransaction = call("", "try_advisory_xact_lock")
      waitInTransaction = call("-wait", "advisory_xact_lock")
      trySession = call("-session", "try_advisory_lock")
      waitSession = call("-session-wait", "advisory_lock")
      free = call("-free", "advisory_unlock")
    }
  }

  /// - Parameters:
  ///   - name: Of its statements.
  ///   - keys: SQL of its two numbers, integers.
  ///   - also: SQL of what the statement that takes it selects as well.
  private init(
    _ name: String, _ meaning: String, class first: String, object second: String,
    also: String = ""
  ) {
    self.meaning = meaning
    let keys = "\(first), \(second)"
    share = Calls("\(name)-share", keys, suffix: "_shared", also: also)
    exclude = Calls("\(name)-exclude", keys, suffix: "", also: also)
    let isGranted = Self.isGranted(
      "k", class: "(\(first))::oid", object: "(\(second))::oid")
    isHeld = "exists (select from pg_catalog.pg_locks k where \(isGranted))"
    findHolders = Statement.once(
      "\(name)-holders",
      """
      select coalesce(a.pid, 0), coalesce(a.usename::text, x.owner::text, ''),
        coalesce(a.application_name, ''),
        \(MomentText.sql("coalesce(a.xact_start, a.backend_start, x.prepared)")),
        pg_catalog.quote_literal(x.gid)
      from pg_catalog.pg_locks k
      left join pg_catalog.pg_stat_activity a on a.pid = k.pid
      -- A prepared transaction is no session's; what it has in common with its name is its number.
      left join (pg_catalog.pg_locks t
        join pg_catalog.pg_prepared_xacts x on x.transaction = t.transactionid)
        on k.pid is null and t.pid is null and t.locktype = 'transactionid' and t.granted
          and t.virtualtransaction = k.virtualtransaction
      where \(isGranted) and k.pid is distinct from pg_catalog.pg_backend_pid()
        and (a.pid is not null or x.gid is not null)
      order by coalesce(a.backend_start, x.prepared), a.pid limit 3
      """)
  }

  // MARK: - Which there are

  /// Whoever changes a period lock holds it alone; whoever claims, writes or imports shares it.
  public static let periodLocks = AdvisoryLock(
    "locks", "the lock that keeps period locks as they are", class: table("period_locks"),
    object: "0")
  /// One repair at a time.
  public static let repairs = AdvisoryLock(
    "repair", "the lock of repairs", class: table("repair_runs"), object: "0")
  /// One migration at a time; the schema may not be there yet, so its first number is a word's.
  public static let migrations = AdvisoryLock(
    "migrate", "the lock of migrations", class: "1131179891", object: "0")

  /// Two imports of one kind take turns, chunk by chunk.
  ///
  /// - Parameters:
  ///   - staging: The staging table of the kind, a name of ours.
  ///   - settings: SQL of values that the statement which takes the turn selects as well.
  public static func turn(of staging: String, settings: String) -> AdvisoryLock {
    AdvisoryLock(
      "import-turn-\(staging)", "the turn of imports of this kind",
      class: table("import_results"), object: "pg_catalog.hashtext('\(staging)')",
      also: ", \(settings)")
  }

  // MARK: - Taking it

  /// Holds it until the transaction ends, waiting for others no longer than `lock_timeout`.
  ///
  /// - Throws: `LockHeld`, which names who holds it.
  public func holdInTransaction(_ mode: Mode, on db: isolated Connection) throws {
    precondition(db.isInTransaction, "it would be freed at once")
    let calls = calls(mode)
    try hold(calls.tryInTransaction, calls.waitInTransaction, on: db)
  }

  /// Holds it until it is released or the session ends, waiting no longer than `lock_timeout`.
  ///
  /// - Throws: `LockHeld`.
  public func hold(_ mode: Mode, on db: isolated Connection) throws {
    let calls = calls(mode)
    try hold(calls.trySession, calls.waitSession, on: db)
  }

  /// Holds it until it is released or the session ends, if nobody stands in the way.
  public func tryHold(_ mode: Mode, on db: isolated Connection) throws -> Bool {
    try db.row(calls(mode).trySession) { try $0.nextBool() } ?? false
  }

  /// Frees what the session holds.
  public func release(_ mode: Mode, on db: isolated Connection) throws {
    _ = try db.row(calls(mode).free) { try $0.nextBool() }
  }

  private func calls(_ mode: Mode) -> Calls {
    switch mode {
    case .shared: share
    case .exclusive: exclude
    }
  }

  /// Who holds it is asked before waiting: after a wait in vain the transaction answers nothing.
  private func hold(
    _ attempt: Statement, _ wait: Statement, on db: isolated Connection
  ) throws {
    if try db.row(attempt, as: { try $0.nextBool() }) == true { return }
    let holders = try db.rows(findHolders) {
      LockHeld.Session(
        pid: try $0.nextInt32(), role: try $0.nextString(), application: try $0.nextString(),
        since: try $0.nextStringOrNil(), prepared: try $0.nextStringOrNil()?.onOneLine)
    }
    do {
      try db.execute(wait)
    } catch let error as PostgresError where error.waitedTooLongForLock {
      throw LockHeld(meaning: meaning, holders: holders)
    }
  }

  // MARK: - Claims

  /// Draws a claim id that was never used, and takes the lock that says that its owner lives.
  ///
  /// The lock's second number is the id's lower half, and it is shared: should anybody hold that
  /// of an id drawn 2³² claims before, the lock is had all the same. Who reads it asks for the
  /// session as well, so that one owner is never taken for another.
  ///
  /// - Parameter table: What is claimed by it: `worker_lease` or `import_jobs`.
  public static func drawClaim(of table: String, on db: isolated Connection) throws -> Int64 {
    // Only a stranger who holds one alone makes us pass its number over.
    for _ in 0..<1_000 {
      let drawn = try db.row(draw(of: table)) { (try $0.nextInt64(), try $0.nextBool()) }
      guard let (claim, isOurs) = drawn else { throw StorageError.noRow("claim") }
      if isOurs { return claim }
    }
    throw LockHeld(meaning: "every lock of a thousand claims", holders: [])
  }

  /// Frees the lock of a claim that ended.
  public static func release(
    claim: Int64, of table: String, on db: isolated Connection
  ) throws {
    _ = try db.row(free(of: table), claim) { try $0.nextBool() }
  }

  /// SQL that is true where the session `pid`, any if nil, holds the lock of a claim.
  public static func isHeld(claim: String, of name: String, by pid: String?) -> String {
    """
    exists (select from pg_catalog.pg_locks k
      where \(isGranted("k", class: "(\(table(name)))::oid", object: "(\(object(claim)))::oid"))
        \(pid.map { "and k.pid = \($0)" } ?? ""))
    """
  }

  private static func draw(of name: String) -> Statement {
    .once(
      "claim-draw",
      """
      select c.id, pg_catalog.pg_try_advisory_lock_shared(\(table(name)), \(object("c.id")))
      from (select pg_catalog.nextval('closebell.claim_id_seq') as id offset 0) c
      """)
  }

  private static func free(of name: String) -> Statement {
    .once(
      "claim-free",
      """
      select pg_catalog.pg_advisory_unlock_shared(\(table(name)), \(object("$1::bigint")))
      """)
  }

  /// SQL of the second number of the lock of a claim.
  private static func object(_ claim: String) -> String {
    "(\(claim) & 4294967295)::oid::integer"
  }

  // MARK: - SQL

  /// SQL of the first number of the locks about a table of ours.
  private static func table(_ name: String) -> String {
    "'closebell.\(name)'::regclass::oid::integer"
  }

  /// SQL that is true for a row of `pg_locks` that is this lock, held in this database.
  static func isGranted(_ row: String, class first: String, object second: String) -> String {
    """
    \(row).locktype = 'advisory' and \(row).granted and \(row).objsubid = 2
        and \(row).classid = \(first) and \(row).objid = \(second)
        and \(row).database = (select d.oid from pg_catalog.pg_database d
          where d.datname = pg_catalog.current_database())
    """
  }
}

/// Somebody else holds a lock of ours, for longer than one waits for it.
public struct LockHeld: Problem {
  /// A session that holds it.
  public struct Session: Sendable {
    /// Its number; 0 where it left a prepared transaction behind.
    public let pid: Int32
    /// Whose it is.
    public let role: String
    /// What it calls itself.
    public let application: String
    /// Since when it is at it, UTC; nil where we may not know.
    public let since: String?
    /// The name of the prepared transaction that holds it, quoted for SQL; nil for a session.
    public let prepared: String?
  }

  let meaning: String
  /// Who held it when we began to wait.
  public let holders: [Session]

  /// Which lock, who holds it, and the way out.
  public var stated: StatedProblem {
    let end = holders.first.map { holder in
      holder.prepared.map { "; or commit or rollback prepared \($0)" }
        ?? "; or select pg_terminate_backend(\(holder.pid))"
    }
    return StatedProblem(
      ProblemCode("lock_held", .busy),
      "\(meaning) is held by somebody else for longer than CLOSEBELL_LOCK_TIMEOUT",
      details: holders.map { holder in
        let name = holder.application.isEmpty ? "" : ", application \"\(holder.application)\""
        let what = holder.prepared.map { "prepared transaction \($0)" } ?? "session \(holder.pid)"
        return "\(what) of role \"\(holder.role)\"\(name), "
          + "since \(holder.since ?? "an unknown time")"
      }, remedy: "try again when that session is done\(end ?? "")")
  }
}
