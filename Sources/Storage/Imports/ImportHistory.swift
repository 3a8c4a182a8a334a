public import Postgres

/// An import, as its row says.
public struct PastImport: Sendable {
  /// Its number.
  public var id: Int64
  /// What the file held.
  public var kind: String
  /// The file, or standard input.
  public var source: String
  /// queued, processing, interrupted (its process died), completed, failed or cancelled.
  public var status: String
  /// Rows read.
  public var processed: Int
  /// Rows that were not known before.
  public var inserted: Int
  /// Rows that changed what was known.
  public var updated: Int
  /// Rows that said what was known.
  public var unchanged: Int
  /// Rows that were refused.
  public var refused: Int
  /// Rows skipped, since a later row of the same chunk has their key.
  public var replaced: Int
  /// Why it failed or stopped.
  public var error: String?
  /// Host and process that are, or were, at it.
  public var claimedBy: String?
  /// When it began, as text; nil while it is queued.
  public var startedAt: String?
  /// When it ended, as text.
  public var finishedAt: String?
  /// How much of the file was read, from 0 to 1; nil where its size is not known.
  public var fraction: Double?
  /// Rows a second since it was begun, or taken up again; nil before the first chunk.
  public var rowsPerSecond: Double?
  /// Seconds until the end at the rate so far; nil where nobody can know.
  public var secondsLeft: Double?
  /// Whether it can be resumed, if it is not completed.
  public var canResume: Bool
}

/// A row that an import refused.
public struct PastRefusal: Sendable {
  /// The number of the data row; the first is 1.
  public var row: Int
  /// The line on which the row begins; the header is line 1.
  public var line: Int
  /// The column at fault, if it is one.
  public var field: String?
  /// Why.
  public var message: String
  /// The row as it stood in the file.
  public var text: String
  /// The row's bytes where they are no text.
  public var bytes: [UInt8]?
}

/// Reads of what was imported, and of what is.
public enum ImportHistory {
  /// The latest imports, the newest first.
  public static func latest(limit: Int, on db: isolated Connection) throws -> [PastImport] {
    try db.rows(latestJobs, Int64(limit), as: { try decode(&$0) })
  }

  /// One import; nil where there is none of the number.
  public static func one(_ id: Int64, on db: isolated Connection) throws -> PastImport? {
    try db.row(oneJob, id, as: { try decode(&$0) })
  }

  /// The header row of an import's file as it stood there; nil where there is no such import.
  public static func header(of id: Int64, on db: isolated Connection) throws -> [UInt8]? {
    try db.row(headerOf, id) { try $0.nextBytesOrNil() } ?? nil
  }

  /// Hands over the rows that an import refused, in the order of the file, one at a time.
  public static func forEachRefusal(
    of id: Int64, on db: isolated Connection, _ body: (PastRefusal) throws -> Void
  ) throws {
    _ = try db.forEachRow(refusedRows, id) {
      try body(
        PastRefusal(
          row: Int(try $0.nextInt64()), line: Int(try $0.nextInt64()),
          field: try $0.nextOptional(String.self), message: try $0.nextString(),
          text: try $0.nextString(), bytes: try $0.nextBytesOrNil()))
    }
  }

  /// SQL that is true for an import, a row `job` of `import_jobs`, whose process lives: its lease
  /// is valid and the lock of its claim is held.
  ///
  /// A wrong guess is harmless: every chunk is fenced by the claim itself.
  public static func isAlive(_ job: String) -> String {
    """
    (\(job).lease_until > pg_catalog.clock_timestamp()
      and \(AdvisoryLock.isHeld(claim: "\(job).claim_id", of: "import_jobs", by: nil)))
    """
  }

  private static func decode(_ row: inout RowReader) throws -> PastImport {
    func count() throws -> Int { Int(try row.nextInt64()) }
    return PastImport(
      id: try row.nextInt64(), kind: try row.nextString(), source: try row.nextString(),
      status: try row.nextString(), processed: try count(), inserted: try count(),
      updated: try count(), unchanged: try count(), refused: try count(), replaced: try count(),
      error: try row.nextStringOrNil(), claimedBy: try row.nextStringOrNil(),
      startedAt: try row.nextStringOrNil(), finishedAt: try row.nextStringOrNil(),
      fraction: try row.nextDoubleOrNil(), rowsPerSecond: try row.nextDoubleOrNil(),
      secondsLeft: try row.nextDoubleOrNil(), canResume: try row.nextBool())
  }

  /// Whoever may write the table may write anything; a list is to be had all the same.
  private static let hasSession = """
    j.checkpoint_at > j.session_at and pg_catalog.isfinite(j.checkpoint_at)
      and pg_catalog.isfinite(j.session_at)
    """
  private static let seconds = "extract(epoch from j.checkpoint_at - j.session_at)::float8"

  private static let columns = """
    j.id, j.kind, j.source,
    case when j.status = 'processing' and not \(isAlive("j")) then 'interrupted'
      else j.status end,
    j.processed_count, j.inserted_count, j.updated_count, j.unchanged_count, j.refused_count,
    j.replaced_count, j.error, j.claimed_by,
    \(MomentText.sql("j.started_at")), \(MomentText.sql("j.finished_at")),
    case when j.status = 'completed' then 1::float8
      when j.source_size > 0 then least(1, j.source_read::float8 / j.source_size) end,
    case when \(hasSession)
      then (j.processed_count::float8 - j.session_rows) / \(seconds) end,
    case when j.status = 'processing' and \(hasSession)
        and j.source_size >= j.source_read and j.source_read > j.session_read
      then (j.source_size::float8 - j.source_read) * \(seconds)
        / (j.source_read::float8 - j.session_read) end,
    j.can_resume
    """
  private static let latestJobs = Statement(
    "imports-latest",
    "select \(columns) from closebell.import_jobs j order by j.id desc limit $1::bigint")
  private static let oneJob = Statement(
    "imports-one", "select \(columns) from closebell.import_jobs j where j.id = $1::bigint")
  private static let headerOf = Statement(
    "imports-header", "select j.header_row from closebell.import_jobs j where j.id = $1::bigint")
  private static let refusedRows = Statement(
    "imports-refused",
    """
    select r.row_number, r.line_number, r.field, r.message, r.row_text, r.row_bytes
    from closebell.import_results r where r.job_id = $1::bigint order by r.row_number
    """)
}
