package import Postgres
internal import Storage

/// The record of imports: who imports what, how far it is, and what was refused.
package enum ImportJobs {
  /// Asks an import to stop; it does so before its next chunk.
  ///
  /// - Returns: Whether there was one queued or under way of this number.
  @discardableResult
  package static func cancel(_ id: Int64, on db: isolated Connection) throws -> Bool {
    try db.execute(cancelJob, id) == 1
  }

  private static let cancelJob = Statement(
    "import-job-cancel",
    """
    update closebell.import_jobs set status = 'cancelled', finished_at = clock_timestamp(),
      error = 'cancelled'
    where id = $1 and status in ('queued', 'processing')
    """)
}

/// The right to work at an import: nobody writes a chunk of it under another claim.
struct ImportClaim: Sendable {
  /// The row of `import_jobs`.
  let job: Int64
  /// Unique among all claims; its advisory lock says that we live.
  let id: Int64
  /// How long after a chunk the claim holds.
  let leaseSeconds: Double
}

/// What is stored of an import when it is claimed.
struct ClaimedImport: Sendable {
  var claim: ImportClaim
  var kind: ImportKind
  var source: String
  var words: [String]
  var checkpoint: Checkpoint
  var counts: JobDelta
  /// The digest of the whole file, where its rows are named after it, or it was queued.
  var digest: [UInt8]?
  /// Whether it was queued.
  var isBackground = false

  /// The digest that its file must have before anything is read from it; nil where none is due.
  ///
  /// Whoever queues a file has read it. Whoever only writes a path into the queue has not, and
  /// would have it read by somebody who may.
  var digestDue: [UInt8]? { isBackground ? digest ?? [] : nil }
}

extension ImportJobs {
  /// Records a new import, claimed.
  static func begin(
    _ request: ImportRequest, source: String, details: SourceDetails, control: ImportControl,
    on db: isolated Connection
  ) throws -> ImportClaim {
    try db.transaction { db in
      let claim = try drawClaim(on: db)
      let job = try db.row(
        insertJob, request.kind.rawValue, source, request.words, details.header, details.size,
        details.digest, claim, control.claimant, control.leaseSeconds
      ) { try $0.nextInt64() }
      guard let job else { throw StorageError.noRow("import") }
      return ImportClaim(job: job, id: claim, leaseSeconds: control.leaseSeconds)
    }
  }

  /// A claim id that was never used; its lock is ours before anybody can see it.
  static func drawClaim(on db: isolated Connection) throws -> Int64 {
    try AdvisoryLock.drawClaim(of: "import_jobs", on: db)
  }

  /// Frees the lock of a claim that ended.
  static func release(_ claim: Int64, on db: isolated Connection) throws {
    try AdvisoryLock.release(claim: claim, of: "import_jobs", on: db)
  }

  /// Records how far an import has come, in the transaction of its chunk.
  ///
  /// - Returns: Whether it goes on; nobody has cancelled it.
  /// - Throws: `ImportJobError.takenOver` where the claim is no longer ours.
  static func advance(
    _ claim: ImportClaim, by delta: JobDelta, to checkpoint: Checkpoint, canResume: Bool,
    on db: isolated Connection
  ) throws -> Bool {
    let count = try db.execute(
      advanceJob, claim.job, claim.id, Int64(delta.processed), Int64(delta.inserted),
      Int64(delta.updated), Int64(delta.unchanged), Int64(delta.refused), Int64(delta.replaced),
      Int64(checkpoint.offset), Int64(checkpoint.row), Int64(checkpoint.line), checkpoint.digest,
      Int64(checkpoint.sourceRead), claim.leaseSeconds, canResume)
    if count == 1 { return true }
    if try isOf(claim, on: db) { return false }
    throw ImportJobError.takenOver(claim.job)
  }

  /// Whether nobody has claimed the import since.
  static func isOf(_ claim: ImportClaim, on db: isolated Connection) throws -> Bool {
    try db.row(claimOf, claim.job, as: { try $0.nextInt64OrNil() }) == claim.id
  }

  /// Keeps the refused rows of a chunk.
  static func keep(
    _ refused: [RefusedRow], of job: Int64, on db: isolated Connection
  ) throws {
    guard !refused.isEmpty else { return }
    try db.copyIn("import-results", copyResults) { rows in
      for row in refused {
        rows.beginRow(7)
        rows.write(int64: job)
        rows.write(int64: Int64(row.row))
        rows.write(int64: Int64(row.line))
        if let field = row.field { rows.write(text: field) } else { rows.writeNull() }
        rows.write(text: row.message)
        rows.write(text: row.text)
        if let bytes = row.bytes { rows.write(bytes: bytes) } else { rows.writeNull() }
      }
    }
  }

  /// Records the end of an import; a cancelled one stays cancelled.
  static func finish(
    _ claim: ImportClaim, status: String, digest: [UInt8]?, error: String?,
    on db: isolated Connection
  ) throws {
    try db.execute(finishJob, claim.job, claim.id, status, digest, error)
  }

  /// Which imports' rows an import found to be equal to its own, the one with the most first.
  ///
  /// - Parameter job: The import's number; 0 for a dry run.
  static func overlaps(of job: Int64, on db: isolated Connection) throws -> [ImportOverlap] {
    try db.rows(findOverlaps, job) {
      ImportOverlap(importID: try $0.nextInt64OrNil(), rows: Int(try $0.nextInt64()))
    }
  }

  /// The latest completed import of the same bytes as the same kind.
  static func earlier(
    _ kind: ImportKind, digest: [UInt8], on db: isolated Connection
  ) throws -> Int64? {
    try db.row(findEarlier, kind.rawValue, digest) { try $0.nextInt64OrNil() } ?? nil
  }
}

// MARK: - SQL

extension ImportJobs {
  private static let insertJob = Statement(
    "import-job-begin",
    """
    insert into closebell.import_jobs (kind, source, options, header_row, source_size, digest,
      claim_id, claimed_by, lease_until, session_at)
    values ($1::text, $2::text, $3::text[], $4::bytea, $5::bigint, $6::bytea, $7::bigint,
      $8::text, clock_timestamp() + $9::float8 * interval '1 second', clock_timestamp())
    returning id
    """)

  private static let advanceJob = Statement(
    "import-job-advance",
    """
    update closebell.import_jobs set processed_count = processed_count + $3,
      inserted_count = inserted_count + $4, updated_count = updated_count + $5,
      unchanged_count = unchanged_count + $6, refused_count = refused_count + $7,
      replaced_count = replaced_count + $8, byte_offset = $9, row_number = $10,
      line_number = $11, prefix_digest = $12, source_read = $13,
      checkpoint_at = clock_timestamp(),
      lease_until = clock_timestamp() + $14::float8 * interval '1 second', can_resume = $15
    where id = $1 and claim_id = $2 and status = 'processing'
    """)

  private static let claimOf = Statement(
    "import-job-claim-of", "select claim_id from closebell.import_jobs where id = $1")

  private static let copyResults = """
    copy closebell.import_results
      (job_id, row_number, line_number, field, message, row_text, row_bytes)
    from stdin (format binary)
    """

  private static let finishJob = Statement(
    "import-job-finish",
    """
    with forgotten as (
      delete from closebell.import_matches m
      where m.job_id = $1 and $3 = 'completed' and exists (
        select from closebell.import_jobs j
        where j.id = $1 and j.claim_id = $2 and j.status = 'processing')
    )
    update closebell.import_jobs set status = $3, digest = coalesce(digest, $4), error = $5,
      finished_at = clock_timestamp(), lease_until = null
    where id = $1 and claim_id = $2 and status = 'processing'
    """)

  private static let findOverlaps = Statement(
    "import-job-overlaps",
    """
    select nullif(o.earlier_id, 0), o.row_count from closebell.import_overlaps o
    where o.job_id = $1 order by o.row_count desc, o.earlier_id
    """)

  private static let findEarlier = Statement(
    "import-job-earlier",
    """
    select max(id) from closebell.import_jobs
    where kind = $1 and digest = $2 and status = 'completed'
    """)
}

/// What is recorded of a file before its first row.
struct SourceDetails: Sendable {
  /// The header row as it stands in the file.
  var header: [UInt8]
  /// The size of the file; nil for a stream.
  var size: Int64?
  /// The digest of the whole file, where its rows are named after it, or it is to be queued.
  var digest: [UInt8]?
}

/// What a chunk adds to the counts of its job.
struct JobDelta: Sendable, Equatable {
  var processed = 0
  var inserted = 0
  var updated = 0
  var unchanged = 0
  var refused = 0
  var replaced = 0

  /// Adds the counts of another transaction.
  mutating func add(_ other: JobDelta) {
    processed += other.processed
    inserted += other.inserted
    updated += other.updated
    unchanged += other.unchanged
    refused += other.refused
    replaced += other.replaced
  }
}
