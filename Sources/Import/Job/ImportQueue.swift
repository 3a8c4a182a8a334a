package import Postgres
internal import Problems
internal import Storage

/// Imports that wait for a process to take them.
package enum ImportQueue {
  /// Queues a file for `work`; its header is looked at now, its rows then.
  ///
  /// It is read to its end for its digest: what is imported later are these bytes or none.
  ///
  /// - Returns: The import's number.
  /// - Throws: `ImportError` where the file cannot be read or its header does not fit.
  package static func add(
    _ request: ImportRequest, shouldStop: @escaping @Sendable () -> Bool = { false },
    on db: isolated Connection
  ) throws -> Int64 {
    guard case .file(let path) = request.source else {
      throw ImportError.option(
        "standard input cannot be imported in the background", remedy: "name a file")
    }
    // What is read now is gone when the rows are to be read.
    guard ByteSource.mayBeFile(path) else {
      throw ImportError.option(
        "\(path) is no regular file, and cannot be imported in the background",
        remedy: "import it without \(.option(.background))")
    }
    let details = try openingCheck(request, shouldStop)
    try DatabaseEpoch.requireForWriting(on: db)
    try OwnSequences.keepAhead(for: .imports, on: db)
    let job = try db.row(
      insertQueued, request.kind.rawValue, ByteSource.absolute(path), request.words, details.header,
      details.size, details.digest
    ) { try $0.nextInt64() }
    guard let job else { throw StorageError.noRow("import") }
    return job
  }

  /// Claims an import that is not under way, whether it was stopped, failed, died or never begun.
  ///
  /// - Throws: `ImportJobError` where there is nothing to do, or another process is at it.
  static func claim(
    _ id: Int64, _ control: ImportControl, on db: isolated Connection
  ) throws -> ClaimedImport {
    try OwnSequences.keepAhead(for: .imports, on: db)
    let claimed = try db.transaction { db in
      let claim = try ImportJobs.drawClaim(on: db)
      let claimed = try db.row(
        claimOne, id, claim, control.claimant, control.leaseSeconds, control.trustedRoles
      ) {
        try decode(&$0, claim, control)
      }
      if claimed == nil { try ImportJobs.release(claim, on: db) }
      return claimed
    }
    if let claimed { return claimed }
    let found = try db.row(describe, id, control.trustedRoles) {
      (
        try $0.nextString(), try $0.nextStringOrNil() ?? "", try $0.nextBool(),
        try $0.nextString(), try $0.nextStringOrNil(), try $0.nextBool()
      )
    }
    guard let (status, who, canResume, source, role, isTrusted) = found else {
      throw ImportJobError.unknown(id)
    }
    if status == "completed" { throw ImportJobError.completed(id) }
    if !isTrusted { throw ImportJobError.ofOthers(id, role: role) }
    if !canResume {
      throw ImportJobError.notResumable(
        id, reason: "it stopped at a refused row", remedy: "mend \(source) and import it again")
    }
    throw ImportJobError.busy(id, by: who)
  }

  /// What was next in the queue.
  enum Next: Sendable {
    /// It is ours now.
    case claimed(ClaimedImport, ImportRequest)
    /// Its row asks for nothing that can be done; it is marked as failed.
    case impossible(Int64, any Error)
  }

  /// Claims the first import that waits: queued, or begun in the background by a process that died.
  ///
  /// - Returns: nil where none waits.
  static func claimNext(_ control: ImportControl, on db: isolated Connection) throws -> Next? {
    try OwnSequences.keepAhead(for: .imports, on: db)
    return try db.transaction { db in
      let id = try ImportJobs.drawClaim(on: db)
      let first = try db.row(
        claimFirst, id, control.claimant, control.leaseSeconds, control.trustedRoles
      ) { row in
        (try row.nextInt64(), Result { try decodeRest(&row) })
      }
      guard let (job, read) = first else {
        try ImportJobs.release(id, on: db)
        return nil
      }
      let claim = ImportClaim(job: job, id: id, leaseSeconds: control.leaseSeconds)
      do {
        var claimed = try read.get()
        claimed.claim = claim
        return .claimed(claimed, try ImportRequest(queued: claimed))
      } catch {
        // Left as it is it would be the first one again.
        try ImportJobs.finish(claim, status: "failed", digest: nil, error: "\(error)", on: db)
        try ImportJobs.release(id, on: db)
        return .impossible(job, error)
      }
    }
  }

  /// What waits and is not taken, by who asked for it.
  package struct Untaken: Sendable {
    /// The role; nil where that was not kept yet.
    package var role: String?
    /// How many imports.
    package var count: Int64
    /// The first one's number.
    package var first: Int64
  }

  /// The queued imports of roles whose requests are not taken, the first ones of at most ten roles.
  package static func untaken(
    besides trusted: [String], on db: isolated Connection
  ) throws -> [Untaken] {
    try db.rows(untakenJobs, trusted) {
      Untaken(
        role: try $0.nextStringOrNil(), count: try $0.nextInt64(), first: try $0.nextInt64())
    }
  }

  /// Takes our own import up again on a new connection: under a new claim, since the lock of the
  /// old one may still be held by a session that does not know that it is dead.
  ///
  /// - Returns: nil where it has ended under the old claim, or was cancelled.
  /// - Throws: `ImportJobError.takenOver` where somebody else did so first.
  static func reclaim(
    _ old: ImportClaim, _ control: ImportControl, on db: isolated Connection
  ) throws -> ClaimedImport? {
    let claimed = try db.transaction { db in
      let claim = try ImportJobs.drawClaim(on: db)
      let claimed = try db.row(claimAgain, old.job, old.id, claim, control.leaseSeconds) {
        try decode(&$0, claim, control)
      }
      if claimed == nil { try ImportJobs.release(claim, on: db) }
      return claimed
    }
    if let claimed { return claimed }
    let status = try db.row(describe, old.job, [String]()) { try $0.nextString() }
    let hasEnded = try status != "processing" && ImportJobs.isOf(old, on: db)
    guard status == "cancelled" || hasEnded else { throw ImportJobError.takenOver(old.job) }
    return nil
  }

  private static func decode(
    _ row: inout RowReader, _ claim: Int64, _ control: ImportControl
  ) throws -> ClaimedImport {
    let job = try row.nextInt64()
    var claimed = try decodeRest(&row)
    claimed.claim = ImportClaim(job: job, id: claim, leaseSeconds: control.leaseSeconds)
    return claimed
  }

  /// More than any file has of anything, and so few that sums of them are numbers.
  private static let mostCounted: Int64 = 1 << 53

  /// What stands behind the number of a claimed import, whose claim is still to be said.
  private static func decodeRest(_ row: inout RowReader) throws -> ClaimedImport {
    let word = try row.nextString()
    guard let kind = ImportKind(rawValue: word) else {
      throw StorageError.unknownWord(column: "import_jobs.kind", word: word)
    }
    func count() throws -> Int {
      let count = try row.nextInt64()
      guard (0...mostCounted).contains(count) else {
        throw StorageError.unknownWord(column: "import_jobs", word: "\(count)")
      }
      return Int(count)
    }
    return ClaimedImport(
      claim: ImportClaim(job: 0, id: 0, leaseSeconds: 0), kind: kind,
      source: try row.nextString(), words: try row.next([String].self),
      checkpoint: Checkpoint(
        offset: try count(), row: try count(), line: try count(),
        digest: try row.nextBytesOrNil() ?? [], sourceRead: try count()),
      counts: JobDelta(
        processed: try count(), inserted: try count(), updated: try count(),
        unchanged: try count(), refused: try count(), replaced: try count()),
      digest: try row.nextBytesOrNil(), isBackground: try row.nextBool())
  }

  // MARK: - SQL

  private static let insertQueued = Statement(
    "import-job-queue",
    """
    insert into closebell.import_jobs (kind, source, options, header_row, source_size, digest,
      status, is_background, queued_at, started_at)
    values ($1::text, $2::text, $3::text[], $4::bytea, $5::bigint, $6::bytea, 'queued', true,
      clock_timestamp(), null)
    returning id
    """)

  private static let claimed = """
    returning j.id, j.kind, j.source, j.options, j.byte_offset, j.row_number, j.line_number,
      j.prefix_digest, j.source_read, j.processed_count, j.inserted_count, j.updated_count,
      j.unchanged_count, j.refused_count, j.replaced_count, j.digest, j.is_background
    """

  /// SQL that is true where whoever asked for an import may have files read and books written with
  /// our rights: ourselves, whoever has the rights of the owner of the tables, and `roles`.
  ///
  /// The column cannot be forged: see migration 17.
  private static func isTrusted(_ job: String, besides roles: String) -> String {
    """
    (\(job).requested_by is not null and (\(job).requested_by = current_user
      or \(job).requested_by::text = any (\(roles)::text[])
      or exists (select from pg_catalog.pg_roles r
        join pg_catalog.pg_class c on c.oid = 'closebell.import_jobs'::regclass
        where r.rolname = \(job).requested_by
          and pg_catalog.pg_has_role(r.oid, c.relowner, 'usage'))))
    """
  }

  private static func assignments(claim: String, by: String, lease: String) -> String {
    """
    status = 'processing', claim_id = \(claim)::bigint, claimed_by = \(by)::text,
      lease_until = clock_timestamp() + \(lease)::float8 * interval '1 second',
      started_at = coalesce(j.started_at, clock_timestamp()), finished_at = null, error = null,
      session_at = clock_timestamp(), session_rows = j.processed_count,
      session_read = j.source_read
    """
  }

  private static let claimOne = Statement(
    "import-job-claim",
    """
    update closebell.import_jobs j set \(assignments(claim: "$2", by: "$3", lease: "$4"))
    where j.id = $1::bigint and j.can_resume and (j.status in ('queued', 'failed', 'cancelled')
      or j.status = 'processing' and not \(ImportHistory.isAlive("j")))
      and \(isTrusted("j", besides: "$5"))
    \(claimed)
    """)

  private static let claimFirst = Statement(
    "import-job-claim-first",
    """
    update closebell.import_jobs j set \(assignments(claim: "$1", by: "$2", lease: "$3"))
    where j.id = (
      select w.id from closebell.import_jobs w
      where (w.status = 'queued'
        or w.status = 'processing' and w.is_background and w.can_resume
          and not \(ImportHistory.isAlive("w")))
        and \(isTrusted("w", besides: "$4"))
      order by w.id limit 1 for update skip locked)
    \(claimed)
    """)

  private static let claimAgain = Statement(
    "import-job-reclaim",
    """
    update closebell.import_jobs j set claim_id = $3::bigint,
      lease_until = clock_timestamp() + $4::float8 * interval '1 second'
    where j.id = $1::bigint and j.claim_id = $2::bigint and j.status = 'processing'
    \(claimed)
    """)

  private static let describe = Statement(
    "import-job-describe",
    """
    select j.status, j.claimed_by, j.can_resume, j.source, j.requested_by::text,
      \(isTrusted("j", besides: "$2"))
    from closebell.import_jobs j where j.id = $1::bigint
    """)

  private static let untakenJobs = Statement(
    "import-job-untaken",
    """
    select w.requested_by::text, count(*), min(w.id) from closebell.import_jobs w
    where w.status = 'queued' and not \(isTrusted("w", besides: "$1"))
    group by w.requested_by order by min(w.id) limit 10
    """)
}
