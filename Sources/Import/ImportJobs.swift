public import Postgres

/// The record of imports: who imported what, and what was refused.
public enum ImportJobs {
  /// Asks an import to stop; it does so before its next chunk.
  ///
  /// - Returns: Whether there was one under way of this number.
  @discardableResult
  public static func cancel(_ id: Int64, on db: isolated Connection) throws -> Bool {
    try db.execute(cancelJob, id) == 1
  }

  private static let cancelJob = Statement(
    "import-job-cancel",
    """
    update closebell.import_jobs set status = 'cancelled', finished_at = clock_timestamp()
    where id = $1 and status in ('queued', 'processing')
    """)
}

extension ImportJobs {
  /// Records a new import.
  static func begin(
    _ kind: ImportKind, source: String, on db: isolated Connection
  ) throws -> Int64? {
    try db.row(insertJob, kind.rawValue, source) { try $0.nextInt64() }
  }

  /// Records how far an import has come, in the transaction of its chunk.
  ///
  /// - Returns: Whether it goes on; nobody has cancelled it.
  static func advance(
    _ job: Int64, by delta: JobDelta, offset: Int, on db: isolated Connection
  ) throws -> Bool {
    try db.execute(
      advanceJob, job, Int64(delta.processed), Int64(delta.inserted), Int64(delta.updated),
      Int64(delta.unchanged), Int64(delta.refused), Int64(offset)) == 1
  }

  /// Keeps the refused rows of a chunk.
  static func keep(
    _ refused: [RefusedRow], of job: Int64, on db: isolated Connection
  ) throws {
    guard !refused.isEmpty else { return }
    try db.copyIn("import-results", copyResults) { rows in
      for row in refused {
        rows.beginRow(6)
        rows.write(int64: job)
        rows.write(int64: Int64(row.row))
        rows.write(int64: Int64(row.line))
        if let field = row.field { rows.write(text: field) } else { rows.writeNull() }
        rows.write(text: row.message)
        rows.write(text: row.text)
      }
    }
  }

  /// Records the end of an import; a cancelled one stays cancelled.
  static func finish(
    _ job: Int64, status: String, digest: [UInt8]?, error: String?, on db: isolated Connection
  ) throws {
    try db.execute(finishJob, job, status, digest, error)
  }

  /// The latest completed import of the same bytes as the same kind.
  static func earlier(
    _ kind: ImportKind, digest: [UInt8], on db: isolated Connection
  ) throws -> Int64? {
    try db.row(findEarlier, kind.rawValue, digest) { try $0.nextInt64OrNil() } ?? nil
  }

  private static let insertJob = Statement(
    "import-job-begin",
    "insert into closebell.import_jobs (kind, source) values ($1, $2) returning id")

  private static let advanceJob = Statement(
    "import-job-advance",
    """
    update closebell.import_jobs set processed_count = processed_count + $2,
      inserted_count = inserted_count + $3, updated_count = updated_count + $4,
      unchanged_count = unchanged_count + $5, refused_count = refused_count + $6,
      byte_offset = $7
    where id = $1 and status = 'processing'
    """)

  private static let copyResults = """
    copy closebell.import_results (job_id, row_number, line_number, field, message, row_text)
    from stdin (format binary)
    """

  private static let finishJob = Statement(
    "import-job-finish",
    """
    update closebell.import_jobs set status = $2, digest = $3, error = $4,
      finished_at = clock_timestamp()
    where id = $1 and status = 'processing'
    """)

  private static let findEarlier = Statement(
    "import-job-earlier",
    """
    select max(id) from closebell.import_jobs
    where kind = $1 and digest = $2 and status = 'completed'
    """)
}

/// What a chunk adds to the counts of its job.
struct JobDelta: Sendable {
  var processed = 0
  var inserted = 0
  var updated = 0
  var unchanged = 0
  var refused = 0
  var replaced = 0
}
