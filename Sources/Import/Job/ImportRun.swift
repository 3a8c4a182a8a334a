internal import Accounting
package import Postgres
internal import Storage

/// Imports a CSV file: every row that can be is merged into the books, the others are reported.
///
/// Rows are written in chunks, one transaction each with its checkpoint, so that stopping anywhere
/// leaves whole chunks and the import can be resumed. In the same transactions everything that a
/// changed row may make stale is marked. Nobody who reads or closes is kept waiting.
///
/// - Parameters:
///   - connection: Used for nothing else meanwhile.
///   - progress: Called after each chunk.
/// - Throws: `ImportError` where the file as a whole is refused; `PostgresError` or
///   `TransactionError` where the database fails (the chunks before are kept).
package func runImport(
  _ request: ImportRequest, on connection: Connection,
  progress: (@Sendable (ImportProgress) -> Void)? = nil
) async throws -> ImportReport {
  try await runImport(request, on: connection, control: ImportControl(progress: progress))
}

/// The same, watched and stopped by `control`.
package func runImport(
  _ request: ImportRequest, on connection: Connection, control: ImportControl
) async throws -> ImportReport {
  try await dispatch(request, nil, connection, control)
}

/// Takes an import up that was stopped, failed, died, or was only queued.
///
/// - Parameter change: May change what the import was asked to do, such as its limit of rows.
/// - Throws: `ImportJobError` where it is under way or done; `ImportError.changed` where the file
///   does not begin with what was imported from it.
package func resumeImport(
  _ id: Int64, on connection: Connection, control: ImportControl,
  change: (inout ImportRequest) -> Void = { _ in }
) async throws -> ImportReport {
  let job = try await connection.perform { db in
    try DatabaseEpoch.requireForWriting(on: db)
    return try ImportQueue.claim(id, control, on: db)
  }
  var request = try ImportRequest(job)
  change(&request)
  return try await dispatch(request, job, connection, control)
}

/// Takes the first import that waits in the background.
///
/// One whose row asks for nothing that can be done is marked as failed.
///
/// - Returns: nil where none waits.
package func runQueuedImport(
  on connection: Connection, control: ImportControl
) async throws -> (job: Int64, result: Result<ImportReport, any Error>)? {
  let next = try await connection.perform { db in
    try DatabaseEpoch.requireForWriting(on: db)
    return try ImportQueue.claimNext(control, on: db)
  }
  switch next {
  case nil: return nil
  case .impossible(let job, let error): return (job, .failure(error))
  case .claimed(let job, let request):
    do {
      return (job.claim.job, .success(try await dispatch(request, job, connection, control)))
    } catch {
      return (job.claim.job, .failure(error))
    }
  }
}

private func dispatch(
  _ request: ImportRequest, _ job: ClaimedImport?, _ connection: Connection,
  _ control: ImportControl
) async throws -> ImportReport {
  func run<Kind: RowKind>(_: Kind.Type) async throws -> ImportReport {
    try await ImportRun<Kind>(request, job, connection, control).run()
  }
  return switch request.kind {
  case .portfolios: try await run(PortfolioRows.self)
  case .instruments: try await run(InstrumentRows.self)
  case .prices: try await run(PriceRows.self)
  case .fxRates: try await run(RateRows.self)
  case .activities: try await run(ActivityRows.self)
  case .valuations: try await run(ValuationRows.self)
  case .corporateActions: try await run(CorporateActionRows.self)
  case .calendars: try await run(CalendarRows.self)
  }
}

/// Opens a file and reads its header, as an import begins, and the rest for its digest.
func openingCheck(
  _ request: ImportRequest, _ shouldStop: @escaping @Sendable () -> Bool
) throws -> SourceDetails {
  func open<Kind: RowKind>(_: Kind.Type) throws -> SourceDetails {
    try RowFile<Kind>(request, digest: .read, shouldStop: shouldStop).details
  }
  return switch request.kind {
  case .portfolios: try open(PortfolioRows.self)
  case .instruments: try open(InstrumentRows.self)
  case .prices: try open(PriceRows.self)
  case .fxRates: try open(RateRows.self)
  case .activities: try open(ActivityRows.self)
  case .valuations: try open(ValuationRows.self)
  case .corporateActions: try open(CorporateActionRows.self)
  case .calendars: try open(CalendarRows.self)
  }
}

/// One import, from its claim to its end.
struct ImportRun<Kind: RowKind>: Sendable {
  private let request: ImportRequest
  private let job: ClaimedImport?
  private let control: ImportControl
  private let writer: ChunkWriter<Kind>
  private let start = ContinuousClock.now

  init(
    _ request: ImportRequest, _ job: ClaimedImport?, _ connection: Connection,
    _ control: ImportControl
  ) {
    self.request = request
    self.job = job
    self.control = control
    writer = ChunkWriter(connection, control)
  }

  private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  func run() async throws -> ImportReport {
    if let job { await take(job.claim) }
    do {
      let digest = job?.digestDue.map { FileDigest.due($0) } ?? .ifNeeded
      var file = try RowFile<Kind>(request, digest: digest, shouldStop: control.shouldStop)
      try file.judgeNotation()
      if let job { try file.resume(job) }
      if !request.dryRun { try await writer.recordServer() }
      try await file.loadBooks(from: writer)
      try await begin(file.name, file.details)
      var report = ImportReport(
        jobID: await writer.claim?.job, kind: request.kind, source: file.name)
      report.counts = job?.counts ?? JobDelta()
      report.resumedAfter = job?.checkpoint.row ?? 0
      try await chunks(&file, &report)
      if file.isAtEnd { try await noteEarlierImport(file.digest(), &report) }
      report.overlaps = try await overlaps()
      report.noteReplaced()
      try await finish(report, file.isAtEnd ? file.digest() : nil)
      report.seconds = seconds
      await writer.end()
      return report
    } catch {
      await fail(error)
      await writer.end()
      throw error
    }
  }

  /// Writes chunk after chunk; the next one is read while one is written.
  private func chunks(_ file: inout RowFile<Kind>, _ report: inout ImportReport) async throws {
    let store = ChunkStore<Kind>(
      kind: file.kind, claim: nil, onError: request.onError, describesChanges: request.dryRun)
    var chunk = try await file.nextChunk(booksFrom: writer)
    while let current = chunk {
      let before = report.counts
      async let stored = writer.store(current, store, before: before)
      let ahead: Result<Chunk<Kind.Row>?, any Error>
      do {
        ahead = .success(try await file.nextChunk(booksFrom: writer))
      } catch {
        ahead = .failure(error)
      }
      report.add(try await stored)
      if report.outcome != .cancelled { report.add(current.remarks) }
      report.bytesRead = current.end.sourceRead
      control.progress?(file.progress(report, seconds: seconds))
      if case .success(.none) = ahead { break }
      guard report.outcome == .completed else { break }
      report.outcome = reasonToStop ?? .completed
      guard report.outcome == .completed, let next = try ahead.get() else { break }
      chunk = next
    }
    if file.hasTooManyRows { throw file.tooManyRows }
  }

  private var reasonToStop: ImportOutcome? {
    if control.shouldStop() { return .interrupted }
    if let limit = control.timeoutSeconds, seconds > limit { return .timedOut }
    return nil
  }

  /// Makes the staging table and records the import; a dry run begins its transaction instead.
  private func begin(_ source: String, _ details: SourceDetails) async throws {
    let (request, control) = (request, control)
    let isClaimed = job != nil
    let claim = try await writer.perform { db -> ImportClaim? in
      try ChunkStore<Kind>.prepare(isDryRun: request.dryRun, on: db)
      if isClaimed { return nil }
      try OwnSequences.keepAhead(for: .imports, on: db)
      guard request.dryRun else {
        return try ImportJobs.begin(
          request, source: ByteSource.absolute(source), details: details, control: control, on: db)
      }
      try db.execute(sql: "begin")
      return nil
    }
    if let claim { await take(claim) }
  }

  private func take(_ claim: ImportClaim) async {
    await writer.take(claim)
    control.began?(claim.job)
  }

  /// Says so where the same bytes were imported before.
  private func noteEarlierImport(_ digest: [UInt8], _ report: inout ImportReport) async throws {
    let kind = request.kind
    let earlier =
      request.dryRun
      ? try await writer.perform { db in try ImportJobs.earlier(kind, digest: digest, on: db) }
      : try await writer.conclude { db, _ in
        try ImportJobs.earlier(kind, digest: digest, on: db)
      } ?? nil
    guard let earlier else { return }
    report.warn(
      ImportWarning(row: nil, message: "the same file was imported before, as import \(earlier)"))
  }

  /// With which imports the rows without ids overlap.
  private func overlaps() async throws -> [ImportOverlap] {
    guard request.kind == .activities else { return [] }
    guard !request.dryRun else {
      return try await writer.perform { db in try ImportJobs.overlaps(of: 0, on: db) }
    }
    return try await writer.conclude { db, claim in
      try ImportJobs.overlaps(of: claim.job, on: db)
    } ?? []
  }

  /// Records the end; a dry run takes everything back.
  private func finish(_ report: ImportReport, _ digest: [UInt8]?) async throws {
    guard await writer.claim != nil else {
      if request.dryRun { try await writer.perform { db in try db.execute(sql: "rollback") } }
      return
    }
    let (status, error): (String, String?) =
      switch report.outcome {
      case .completed: ("completed", nil)
      case .aborted: ("failed", "stopped at a refused row")
      case .cancelled: ("cancelled", "cancelled")
      case .interrupted: ("cancelled", "interrupted")
      case .timedOut: ("failed", "took longer than allowed")
      }
    try await writer.conclude { db, claim in
      try ImportJobs.finish(claim, status: status, digest: digest, error: error, on: db)
    }
  }

  /// Records a failure, if the database can still be reached.
  private func fail(_ error: any Error) async {
    let message = "\(error)"
    let wasCancelled =
      (error as? PostgresError)?.kind == .cancelled || error is CancellationError
      || (error as? ImportError)?.isInterruption == true
    let (claim, isDryRun) = (await writer.claim, request.dryRun)
    _ = try? await writer.perform(heedsCancellation: false) { db in
      if isDryRun, db.isInTransaction { try db.execute(sql: "rollback") }
      guard let claim else { return }
      try ImportJobs.finish(
        claim, status: wasCancelled ? "cancelled" : "failed", digest: nil, error: message, on: db)
    }
  }
}

extension ImportReport {
  /// The counts, as a job has them.
  fileprivate var counts: JobDelta {
    get {
      JobDelta(
        processed: processed, inserted: inserted, updated: updated, unchanged: unchanged,
        refused: refused, replaced: replaced)
    }
    set {
      (processed, inserted, updated) = (newValue.processed, newValue.inserted, newValue.updated)
      (unchanged, refused, replaced) = (newValue.unchanged, newValue.refused, newValue.replaced)
    }
  }

  fileprivate mutating func add<Kind>(_ outcome: ChunkStore<Kind>.Outcome) {
    counts.add(outcome.delta)
    for row in outcome.refused.sorted(by: { $0.row < $1.row }) { refuse(row) }
    for warning in outcome.warnings { warn(warning) }
    for change in outcome.changes where changes.count < Self.keptCount { changes.append(change) }
    if outcome.isAborted { self.outcome = .aborted }
    if outcome.isCancelled { self.outcome = .cancelled }
  }

  fileprivate mutating func noteReplaced() {
    guard replaced > 0 else { return }
    let rows = replaced == 1 ? "1 row repeats" : "\(replaced) rows repeat"
    warnings.insert(
      ImportWarning(row: nil, message: "\(rows) the key of a later row, which counts instead"),
      at: 0)
  }
}
