internal import Glibc
internal import Postgres

/// Writes chunks into the books, each in one transaction, or in as many as it takes to set apart
/// the rows that the database refuses.
struct ChunkStore<Kind: RowKind>: Sendable {
  let kind: Kind
  /// The row of `import_jobs`; nil for a dry run, which writes within one transaction.
  let job: Int64?
  let onError: RowErrorPolicy

  /// What became of a chunk.
  struct Outcome: Sendable {
    var delta = JobDelta()
    var refused: [RefusedRow] = []
    var warnings: [ImportWarning] = []
    /// Whether a refused row ends the import.
    var isAborted = false
    /// Whether somebody cancelled the import; nothing of the last transaction was kept.
    var isCancelled = false
  }

  /// The database refuses this row, and the import ends with it.
  private struct Abort: Error {
    let row: Int
    let refusal: RowRefusal
  }

  private struct Cancelled: Error {}

  /// Makes the temporary table of this session; it empties itself at the end of a transaction.
  static func prepare(on db: isolated Connection) throws {
    let staging = Kind.staging
    let exists = try db.row(
      Statement("import-staging-exists", "select to_regclass($1) is not null"),
      "pg_temp.\(staging.name)"
    ) { try $0.nextBool() }
    guard exists != true else { return }
    try db.execute(
      sql: """
        create temporary table \(staging.name) (row_number bigint not null, \(staging.columns))
        on commit delete rows
        """)
  }

  /// Writes a chunk.
  func store(_ chunk: Chunk<Kind.Row>, on db: isolated Connection) throws -> Outcome {
    var outcome = Outcome()
    do {
      try store(chunk, chunk.entries.indices, chunk.refused, &outcome, on: db)
    } catch is Cancelled {
      outcome.isCancelled = true
    }
    if onError == .abort, !outcome.refused.isEmpty { outcome.isAborted = true }
    return outcome
  }

  /// Writes a part of a chunk, and splits it where the database refuses it as a whole.
  private func store(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, _ refused: [RefusedRow],
    _ outcome: inout Outcome, on db: isolated Connection
  ) throws {
    do {
      try attempt(chunk, part, refused, &outcome, on: db)
    } catch let abort as Abort {
      guard let index = part.first(where: { chunk.entries[$0].number == abort.row }) else { return }
      let row = chunk.refusedRow(chunk.entries[index], abort.refusal)
      try store(chunk, part.lowerBound..<index, [row], &outcome, on: db)
    } catch let error as PostgresError where error.isAboutARow && !part.isEmpty {
      guard part.count > 1 else {
        let refusal = RowRefusal(field: error.column, message: error.rowMessage)
        let row = chunk.refusedRow(chunk.entries[part.lowerBound], refusal)
        let later = onError == .abort ? [] : refused
        return try attempt(
          chunk, part.lowerBound..<part.lowerBound, [row] + later, &outcome, on: db)
      }
      let middle = part.lowerBound + part.count / 2
      try store(chunk, part.lowerBound..<middle, [], &outcome, on: db)
      if onError == .abort, !outcome.refused.isEmpty { return }
      try store(chunk, middle..<part.upperBound, refused, &outcome, on: db)
    }
  }

  /// Writes a part of a chunk in one transaction; again where the cause of a failure is passing.
  private func attempt(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, _ refused: [RefusedRow],
    _ outcome: inout Outcome, on db: isolated Connection
  ) throws {
    var pauseMilliseconds: UInt32 = 50
    while true {
      do {
        let isDryRun = job == nil
        let written =
          try isDryRun
          ? db.savepoint { try write(chunk, part, refused, on: $0) }
          : db.transaction { try write(chunk, part, refused, on: $0) }
        outcome.add(written)
        return
      } catch  where pauseMilliseconds <= 1_600 && db.isUsable && Self.mayRetry(error) {
        usleep(pauseMilliseconds * 1_000)
        pauseMilliseconds *= 2
      }
    }
  }

  private static func mayRetry(_ error: any Error) -> Bool {
    switch error {
    case let error as PostgresError: error.mayRetry && error.kind != .timeout
    case let error as TransactionError: error.mayRetry
    default: false
    }
  }

  /// The body of a part's transaction.
  private func write(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, _ refused: [RefusedRow],
    on db: isolated Connection
  ) throws -> Outcome {
    var outcome = Outcome()
    outcome.refused = refused
    var staged = 0
    if !part.isEmpty {
      let merged = try merge(chunk, part, &staged, on: db)
      for index in part {
        guard let refusal = merged.refusals[chunk.entries[index].number] else { continue }
        if onError == .abort { throw Abort(row: chunk.entries[index].number, refusal: refusal) }
        outcome.refused.append(chunk.refusedRow(chunk.entries[index], refusal))
      }
      outcome.warnings = merged.warnings
      outcome.delta.inserted = merged.inserted
      outcome.delta.updated = merged.updated
      outcome.delta.replaced = part.count - staged + merged.replaced
      outcome.delta.unchanged =
        staged - merged.replaced - merged.inserted - merged.updated - merged.refusals.count
    }
    outcome.delta.refused = outcome.refused.count
    outcome.delta.processed = part.count + refused.count
    guard let job else { return outcome }
    let isLast = part.upperBound == chunk.entries.count
    let offset = isLast ? chunk.endOffset : chunk.startOffset
    guard try ImportJobs.advance(job, by: outcome.delta, offset: offset, on: db) else {
      throw Cancelled()
    }
    try ImportJobs.keep(outcome.refused, of: job, on: db)
    return outcome
  }

  private func merge(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, _ staged: inout Int,
    on db: isolated Connection
  ) throws -> Merged {
    try db.execute(beginChunk, Kind.staging.name)
    let table = Kind.staging.name
    if job == nil { try db.execute(Statement("empty-\(table)", "delete from pg_temp.\(table)")) }
    staged = try db.copyIn(
      "stage-\(table)", "copy pg_temp.\(table) from stdin (format binary)"
    ) { rows in
      for entry in chunk.entries[part] where !entry.isReplaced {
        rows.beginRow(Kind.staging.count + 1)
        rows.write(int64: Int64(entry.number))
        kind.write(entry.row, to: &rows)
      }
    }
    return try kind.merge(on: db)
  }
}

/// Imports of one kind take turns chunk by chunk, so that two of them never deadlock and a check
/// against the stored rows still holds when the chunk is written; nobody else waits for the lock.
///
/// The plans of a merge are kept for all chunks, and the first may be made while the tables are
/// empty: whatever would read a whole table is ruled out, as it would be read once a chunk.
private let beginChunk = Statement(
  "import-chunk-begin",
  """
  select pg_advisory_xact_lock(hashtext('closebell import'), hashtext($1)),
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)
  """)

extension ChunkStore.Outcome {
  /// Adds what another transaction did.
  fileprivate mutating func add(_ other: Self) {
    delta.add(other.delta)
    refused += other.refused
    warnings += other.warnings
  }
}

extension JobDelta {
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

extension PostgresError {
  /// Whether the data of some row may be the cause: a value, a constraint, a limit of the server,
  /// or a trigger's own refusal.
  fileprivate var isAboutARow: Bool {
    guard kind == .server, let sqlState else { return false }
    return ["22", "23", "54", "P0"].contains { sqlState.hasPrefix($0) }
  }

  /// The server's message, with its detail.
  fileprivate var rowMessage: String { detail.map { "\(message): \($0)" } ?? message }
}
