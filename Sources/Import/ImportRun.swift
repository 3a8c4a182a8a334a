internal import Accounting
public import Postgres
internal import Storage

/// Imports a CSV file: every row that can be is merged into the books, the others are reported.
///
/// Rows are written in chunks, one transaction each, so that stopping anywhere leaves whole chunks
/// and importing the file again goes on. In the same transactions everything that a changed row
/// may make stale is marked. Nobody who reads or closes is kept waiting.
///
/// - Parameters:
///   - connection: Used for nothing else meanwhile.
///   - progress: Called after each chunk.
/// - Throws: `ImportError` where the file as a whole is refused; `PostgresError` or
///   `TransactionError` where the database fails (the chunks before are kept).
public func runImport(
  _ request: ImportRequest, on connection: Connection,
  progress: (@Sendable (ImportProgress) -> Void)? = nil
) async throws -> ImportReport {
  switch request.kind {
  case .portfolios: try await run(PortfolioRows.self, request, connection, progress)
  case .instruments: try await run(InstrumentRows.self, request, connection, progress)
  case .prices: try await run(PriceRows.self, request, connection, progress)
  case .fxRates: try await run(RateRows.self, request, connection, progress)
  case .activities: try await run(ActivityRows.self, request, connection, progress)
  case .valuations: try await run(ValuationRows.self, request, connection, progress)
  case .corporateActions: try await run(CorporateActionRows.self, request, connection, progress)
  case .calendars: try await run(CalendarRows.self, request, connection, progress)
  }
}

private func run<Kind: RowKind>(
  _: Kind.Type, _ request: ImportRequest, _ connection: Connection,
  _ progress: (@Sendable (ImportProgress) -> Void)?
) async throws -> ImportReport {
  let clock = ContinuousClock()
  let start = clock.now
  var file = try RowFile<Kind>(request)
  if !request.dryRun { try await connection.perform { db in _ = try Incarnation.begin(on: db) } }
  try await file.loadBooks(from: connection)
  let run = ImportRun<Kind>(request: request, connection: connection, sourceName: file.name)
  let job = try await run.begin()
  let store = ChunkStore<Kind>(kind: file.kind, job: job, onError: request.onError)
  var report = ImportReport(jobID: job, kind: request.kind, source: file.name)
  do {
    var chunk = try await file.nextChunk(booksFrom: connection)
    while let current = chunk {
      async let stored = connection.perform { db in try store.store(current, on: db) }
      // The next chunk is read while this one is written.
      let ahead: Result<Chunk<Kind.Row>?, any Error>
      do {
        ahead = .success(try await file.nextChunk(booksFrom: connection))
      } catch {
        ahead = .failure(error)
      }
      report.add(try await stored)
      progress?(file.progress(report, seconds: (clock.now - start) / .seconds(1)))
      guard report.outcome == .completed else { break }
      chunk = try ahead.get()
    }
    if file.hasTooManyRows { throw file.tooManyRows }
    if file.isAtEnd { try await run.noteEarlierImport(file.digest, &report) }
    report.noteReplaced()
    try await run.finish(job, report.outcome, file.isAtEnd ? file.digest : nil)
  } catch {
    await run.fail(job, error)
    throw error
  }
  report.seconds = (clock.now - start) / .seconds(1)
  return report
}

/// The frame around the chunks: the row of `import_jobs`, or the one transaction of a dry run.
struct ImportRun<Kind: RowKind>: Sendable {
  let request: ImportRequest
  let connection: Connection
  let sourceName: String

  /// Makes the staging table and records the import; a dry run begins its transaction instead.
  func begin() async throws -> Int64? {
    let (request, sourceName) = (request, sourceName)
    return try await connection.perform { db in
      try ChunkStore<Kind>.prepare(on: db)
      guard request.dryRun else {
        return try ImportJobs.begin(request.kind, source: sourceName, on: db)
      }
      try db.execute(sql: "begin")
      return nil
    }
  }

  /// Says so where the same bytes were imported before.
  func noteEarlierImport(_ digest: [UInt8], _ report: inout ImportReport) async throws {
    let kind = request.kind
    let earlier = try await connection.perform { db in
      try ImportJobs.earlier(kind, digest: digest, on: db)
    }
    guard let earlier else { return }
    report.warn(
      ImportWarning(row: nil, message: "the same file was imported before, as import \(earlier)"))
  }

  /// Records the end; a dry run takes everything back.
  func finish(_ job: Int64?, _ outcome: ImportOutcome, _ digest: [UInt8]?) async throws {
    try await connection.perform { db in
      guard let job else { return try db.execute(sql: "rollback") }
      let error = outcome == .aborted ? "stopped at a refused row" : nil
      try ImportJobs.finish(
        job, status: outcome == .completed ? "completed" : "failed", digest: digest,
        error: error, on: db)
    }
  }

  /// Records a failure, if the database can still be reached.
  func fail(_ job: Int64?, _ error: any Error) async {
    let message = "\(error)"
    let wasCancelled = (error as? PostgresError)?.kind == .cancelled || error is CancellationError
    _ = try? await connection.perform(heedsCancellation: false) { db in
      guard let job else { return try db.execute(sql: "rollback") }
      try ImportJobs.finish(
        job, status: wasCancelled ? "cancelled" : "failed", digest: nil, error: message, on: db)
    }
  }
}

extension ImportReport {
  fileprivate mutating func add<Kind>(_ outcome: ChunkStore<Kind>.Outcome) {
    processed += outcome.delta.processed
    inserted += outcome.delta.inserted
    updated += outcome.delta.updated
    unchanged += outcome.delta.unchanged
    replaced += outcome.delta.replaced
    for row in outcome.refused.sorted(by: { $0.row < $1.row }) { refuse(row) }
    for warning in outcome.warnings { warn(warning) }
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
