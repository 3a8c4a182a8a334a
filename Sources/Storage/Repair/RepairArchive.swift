public import Accounting
public import Postgres

/// What repairs took away, kept with the run so that it can be put back.
public enum RepairArchive {
  /// What a repair did with a row.
  public enum Action: String, Sendable {
    /// It is gone.
    case removed
    /// Another row stands in its place.
    case replaced
    /// It stayed where others of its slot were removed.
    case kept
    /// It stayed, and is known to be wrong.
    case stale
  }

  /// A repair that was begun.
  public struct Run: Sendable {
    /// The run.
    public var id: Int64
    /// `duplicates` or `equity`.
    public var kind: String
    /// The table, of a repair of duplicates.
    public var table: String?
    /// Whether it came to its end.
    public var isApplied: Bool
    /// The run that undid it.
    public var undoneBy: Int64?
  }

  /// Takes the lock that only one repair of a database holds; it is freed with the connection.
  ///
  /// - Returns: False where another repair holds it.
  public static func lock(on db: isolated Connection) throws -> Bool {
    guard try AdvisoryLock.repairs.tryHold(.exclusive, on: db) else { return false }
    // Whoever held it before is gone, with or without a word.
    _ = try db.execute(endDead)
    return true
  }

  /// Records a repair before it changes anything.
  public static func begin(
    _ run: Int64, kind: String, table: String?, plan: String, digest: String,
    on db: isolated Connection
  ) throws {
    _ = try db.execute(insertRun, run, kind, table, digest, plan)
  }

  /// Records that a repair came to its end.
  public static func end(_ run: Int64, on db: isolated Connection) throws {
    _ = try db.execute(finishRun, run)
  }

  /// The repair that applied a plan and was not undone.
  public static func applied(
    plan digest: String, on db: isolated Connection
  ) throws -> Int64? {
    try db.row(findApplied, digest) { try $0.nextInt64() }
  }

  /// Whether a repair by a plan was begun and neither came to its end nor was undone.
  public static func isBegun(plan digest: String, on db: isolated Connection) throws -> Bool {
    try db.row(findBegun, digest) { try $0.nextBool() } ?? false
  }

  /// What a plan of equities looked at: dates and portfolios, and the policy that was asked for.
  public static func scope(
    ofPlan text: String, on db: isolated Connection
  ) throws -> (from: String?, to: String?, codes: [String], policy: ClosePolicy?) {
    try db.row(readScope, text) {
      (
        try $0.nextOptional(String.self), try $0.nextOptional(String.self),
        try $0.next([String].self), try $0.nextPolicyOrNil()
      )
    } ?? (nil, nil, [], nil)
  }

  /// A repair by its run.
  public static func run(_ run: Int64, on db: isolated Connection) throws -> Run? {
    try db.row(readRun, run) {
      Run(
        id: run, kind: try $0.nextString(), table: try $0.nextOptional(String.self),
        isApplied: try $0.nextBool(), undoneBy: try $0.nextInt64OrNil())
    }
  }

  /// Records that a repair was undone by another run.
  public static func markUndone(
    _ run: Int64, by other: Int64, on db: isolated Connection
  ) throws {
    _ = try db.execute(setUndone, run, other)
  }

  /// The SHA-256 of each text, in hexadecimal.
  public static func digests(of texts: [String], on db: isolated Connection) throws -> [String] {
    try db.rows(textDigests, texts) { try $0.nextString() }
  }

  /// The digests of a plan, by the database's own reading of its text, so that layout and the
  /// order of members do not count.
  ///
  /// - Returns: The whole's, and one an element of `part`, in their order.
  /// - Throws: `PostgresError` where the text is no JSON.
  public static func digests(
    ofPlan text: String, part: String, on db: isolated Connection
  ) throws -> (whole: String, parts: [PlanPart]) {
    let whole = try db.row(wholeDigest, text) { try $0.nextString() } ?? ""
    let parts = try db.rows(partDigests, text, part) {
      PlanPart(
        name: try $0.nextString(), digest: try $0.nextString(),
        recorded: try $0.nextOptional(String.self))
    }
    return (whole, parts)
  }

  /// The digest that a plan's text names as its own, and what it is a plan of.
  public static func recorded(
    inPlan text: String, on db: isolated Connection
  ) throws -> (kind: String?, table: String?, digest: String?) {
    try db.row(recordedDigest, text) {
      (
        try $0.nextOptional(String.self), try $0.nextOptional(String.self),
        try $0.nextOptional(String.self)
      )
    } ?? (nil, nil, nil)
  }

  /// An element of a plan.
  public struct PlanPart: Sendable, Equatable {
    /// What it is about: portfolio and date.
    public var name: String
    /// The digest of what it says now.
    public var digest: String
    /// The digest that it was written with.
    public var recorded: String?
  }

  // MARK: - SQL

  private static let endDead = Statement(
    "repair-end-dead",
    """
    update closebell.batch_runs
    set status = 'failed', exit_code = \(Runs.exitCodeOfLost),
      finished_at = pg_catalog.clock_timestamp()
    where status = 'running' and kind like 'repair%'
    """)
  private static let insertRun = Statement(
    "repair-begin",
    """
    insert into closebell.repair_runs (run_id, kind, table_name, plan_digest, plan)
    values ($1::bigint, $2::text, $3::text, $4::text, $5::text::jsonb)
    """)
  private static let finishRun = Statement(
    "repair-end",
    """
    update closebell.repair_runs set applied_at = pg_catalog.clock_timestamp()
    where run_id = $1::bigint
    """)
  private static let findApplied = Statement(
    "repair-find-applied",
    """
    select run_id from closebell.repair_runs
    where plan_digest = $1::text and applied_at is not null and undone_by is null
    order by run_id desc limit 1
    """)
  private static let findBegun = Statement(
    "repair-find-begun",
    """
    select exists (select from closebell.repair_runs
      where plan_digest = $1::text and applied_at is null and undone_by is null)
    """)
  private static let readScope = Statement.once(
    "repair-read-scope",
    """
    select $1::text::jsonb ->> 'from', $1::text::jsonb ->> 'to',
      array(select pg_catalog.jsonb_array_elements_text($1::text::jsonb -> 'portfolios')),
      ($1::text::jsonb ->> 'max_carried_days')::smallint
    """)
  private static let readRun = Statement(
    "repair-read-run",
    """
    select kind, table_name, applied_at is not null, undone_by
    from closebell.repair_runs where run_id = $1::bigint
    """)
  private static let setUndone = Statement(
    "repair-set-undone",
    "update closebell.repair_runs set undone_by = $2::bigint where run_id = $1::bigint")
  private static let textDigests = Statement(
    "repair-text-digests",
    """
    select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(t, 'UTF8')), 'hex')
    from pg_catalog.unnest($1::text[]) with ordinality as a (t, n) order by n
    """)
  private static let wholeDigest = Statement.once(
    "repair-whole-digest",
    """
    select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
      ($1::text::jsonb - 'digest')::text, 'UTF8')), 'hex')
    """)
  private static let partDigests = Statement.once(
    "repair-part-digests",
    """
    select coalesce('portfolio ' || (e ->> 'portfolio')
        || coalesce(', ' || (e ->> 'date'), '') || coalesce(', ' || (e ->> 'table'), ''),
      'part ' || n),
      pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        (e - 'digest')::text, 'UTF8')), 'hex'), e ->> 'digest'
    from pg_catalog.jsonb_array_elements(case pg_catalog.jsonb_typeof($1::text::jsonb -> $2::text)
      when 'array' then $1::text::jsonb -> $2::text else '[]'::jsonb end)
      with ordinality as a (e, n)
    order by n
    """)
  private static let recordedDigest = Statement.once(
    "repair-recorded-digest",
    """
    select $1::text::jsonb ->> 'kind', $1::text::jsonb ->> 'table', $1::text::jsonb ->> 'digest'
    """)
}
