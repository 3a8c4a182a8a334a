internal import Glibc
internal import Postgres
internal import Storage

/// Writes chunks into the books, each with its checkpoint in one transaction.
///
/// Where the database refuses a chunk, it is written again part by part, each behind a savepoint,
/// until the rows that are refused stand alone.
struct ChunkStore<Kind: RowKind>: Sendable {
  let kind: Kind
  /// nil for a dry run, which writes within one transaction.
  var claim: ImportClaim?
  let onError: RowErrorPolicy
  /// Whether each row that would change is described.
  var describesChanges = false

  /// What became of a chunk.
  struct Outcome: Sendable {
    var delta = JobDelta()
    var refused: [RefusedRow] = []
    var warnings: [ImportWarning] = []
    var changes: [ImportChange] = []
    /// What closed dates may rest on, of the rows that were written.
    var change: InputChange?
    /// Whether a refused row ends the import.
    var isAborted = false
    /// Whether somebody cancelled the import; nothing of the last transaction was kept.
    var isCancelled = false
  }

  /// The stored rows speak against this row, and the import ends with it.
  private struct Abort: Error {
    let row: Int
    let refusal: RowRefusal
  }

  private struct Cancelled: Error {}

  /// Makes the temporary table of this session; it empties itself at the end of a transaction.
  ///
  /// A chunk's transaction that stands still for a minute is ended by the server: other imports of
  /// its kind wait for their turn behind it, for several minutes at most. A dry run's transaction
  /// spans the reading of the file.
  static func prepare(isDryRun: Bool, on db: isolated Connection) throws {
    let staging = Kind.staging
    let exists = try db.row(
      stagingExists, "pg_temp.\(staging.name)", isDryRun
    ) { try $0.nextBool() }
    guard exists != true else { return }
    try db.execute(
      sql: """
        create temporary table \(staging.name) (row_number bigint not null, \(staging.columns))
        on commit delete rows
        """)
  }

  /// Writes a chunk; again where the cause of a failure is passing.
  func store(_ chunk: Chunk<Kind.Row>, on db: isolated Connection) throws -> Outcome {
    do {
      return try Self.retrying(on: db) { try storeOnce(chunk, on: $0) }
    } catch is Cancelled {
      return Outcome(isCancelled: true)
    }
  }

  /// Runs `body` again, with growing pauses, where the cause of a failure is passing.
  static func retrying<R>(
    on db: isolated Connection, _ body: (isolated Connection) throws -> R
  ) throws -> R {
    var pauseMilliseconds: UInt32 = 50
    while true {
      do {
        return try body(db)
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

  private func storeOnce(_ chunk: Chunk<Kind.Row>, on db: isolated Connection) throws -> Outcome {
    do {
      return try together(on: db) { db in
        var outcome = try write(chunk, chunk.entries.indices, on: db)
        try conclude(&outcome, chunk, on: db)
        return outcome
      }
    } catch is Abort {
    } catch let error as PostgresError where error.isAboutARow && !chunk.entries.isEmpty {}
    return try together(on: db) { db in
      var outcome = Outcome()
      try isolate(chunk, chunk.entries.indices, &outcome, on: db)
      try conclude(&outcome, chunk, on: db)
      return outcome
    }
  }

  private func together<R>(
    on db: isolated Connection, _ body: (isolated Connection) throws -> R
  ) throws -> R {
    try claim == nil ? db.savepoint(body) : db.transaction(body)
  }

  /// Writes a part of a chunk behind a savepoint, and splits it where it is refused as a whole.
  private func isolate(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, _ outcome: inout Outcome,
    on db: isolated Connection
  ) throws {
    guard !part.isEmpty else { return }
    let refusal: RowRefusal
    do {
      outcome.add(try db.savepoint { try write(chunk, part, on: $0) })
      return
    } catch let abort as Abort {
      guard let index = part.first(where: { chunk.entries[$0].number == abort.row }) else { return }
      try isolate(chunk, part.lowerBound..<index, &outcome, on: db)
      outcome.refuse(chunk, index..<index + 1, abort.refusal)
      outcome.isAborted = true
      return
    } catch let error as PostgresError where error.isAboutARow {
      refusal = RowRefusal(field: error.column, message: error.rowMessage)
    }
    let middle = chunk.rowBoundary(atOrAfter: part.lowerBound + max(part.count / 2, 1))
    guard middle < part.upperBound else {
      let first = chunk.rowBoundary(atOrAfter: part.lowerBound + 1)
      guard first < part.upperBound else {
        outcome.refuse(chunk, part, refusal)
        outcome.isAborted = onError == .abort
        return
      }
      return try isolate(
        chunk, [part.lowerBound..<first, first..<part.upperBound], &outcome, on: db)
    }
    try isolate(chunk, [part.lowerBound..<middle, middle..<part.upperBound], &outcome, on: db)
  }

  private func isolate(
    _ chunk: Chunk<Kind.Row>, _ parts: [Range<Int>], _ outcome: inout Outcome,
    on db: isolated Connection
  ) throws {
    for part in parts where !outcome.isAborted {
      try isolate(chunk, part, &outcome, on: db)
    }
  }

  /// Adds the rows that were refused as they were read, and records how far the import is and what
  /// it changed; a dry run changes nothing.
  private func conclude(
    _ outcome: inout Outcome, _ chunk: Chunk<Kind.Row>, on db: isolated Connection
  ) throws {
    if !outcome.isAborted {
      outcome.refused += chunk.refused
      outcome.delta.refused += chunk.refused.count
      outcome.delta.processed += chunk.refused.count
      outcome.isAborted = onError == .abort && !outcome.refused.isEmpty
    }
    guard let claim else { return }
    let goesOn = try ImportJobs.advance(
      claim, by: outcome.delta, to: chunk.end, canResume: !outcome.isAborted, on: db)
    guard goesOn else { throw Cancelled() }
    try ImportJobs.keep(outcome.refused, of: claim.job, on: db)
    try outcome.change?.record(on: db)
  }

  /// Writes a part of a chunk.
  private func write(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, on db: isolated Connection
  ) throws -> Outcome {
    var outcome = Outcome()
    outcome.delta.processed = part.count
    guard !part.isEmpty else { return outcome }
    let staged = try stage(chunk, part, on: db)
    let job = claim?.job ?? 0
    let isAnyKnown = try kind.identify(for: job, on: db)
    if describesChanges {
      outcome.changes = try db.rows(kind.stored.preview) { row in
        let number = Int(try row.nextInt64())
        return ImportChange(
          row: number, line: chunk.line(ofRow: number) ?? 0, column: try row.nextString(),
          old: try row.nextStringOrNil(), new: try row.nextStringOrNil())
      }
    }
    let merged = try kind.merge(for: job, isAnyKnown: isAnyKnown, on: db)
    for index in part {
      guard let refusal = merged.refusals[chunk.entries[index].number] else { continue }
      if onError == .abort { throw Abort(row: chunk.entries[index].number, refusal: refusal) }
      outcome.refuse(chunk, index..<index + 1, refusal)
    }
    outcome.delta.processed = part.count
    outcome.warnings = merged.warnings.map { warning in
      var warning = warning
      warning.line = warning.row.flatMap { chunk.line(ofRow: $0) }
      return warning
    }
    outcome.change = merged.change
    outcome.delta.inserted = merged.inserted
    outcome.delta.updated = merged.updated
    outcome.delta.replaced = part.count - staged + merged.replaced
    outcome.delta.unchanged =
      staged - merged.replaced - merged.inserted - merged.updated - outcome.delta.refused
    return outcome
  }

  private func stage(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, on db: isolated Connection
  ) throws -> Int {
    let table = Kind.staging.name
    // A second part of one transaction finds the rows of the first.
    if claim == nil || part != chunk.entries.indices {
      try db.execute(Statement("empty-\(table)", "delete from pg_temp.\(table)"))
    }
    let count = try db.copyIn(
      "stage-\(table)", "copy pg_temp.\(table) from stdin (format binary)"
    ) { rows in
      for entry in chunk.entries[part] where !entry.isReplaced {
        rows.beginRow(Kind.staging.count + 1)
        rows.write(int64: Int64(entry.number))
        kind.write(entry.row, to: &rows)
      }
    }
    // Only now: nobody's turn waits for our rows to arrive.
    try AdvisoryLock.turn(of: table, settings: chunkSettings).holdInTransaction(
      .exclusive, on: db)
    return count
  }
}

private let stagingExists = Statement(
  "import-staging-exists",
  """
  select to_regclass($1) is not null, case when $2::boolean then null
    else set_config('idle_in_transaction_session_timeout', '60s', false) end
  """)

/// Imports of one kind take turns chunk by chunk, so that two of them never deadlock and a check
/// against the stored rows still holds when the chunk is written; nobody else waits for the lock.
///
/// The plans of a merge are kept for all chunks, and the first may be made while the tables are
/// empty: whatever would read a whole table is ruled out, as it would be read once a chunk.
private let chunkSettings = """
  set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true)
  """

extension ChunkStore.Outcome {
  /// Adds what another part did.
  fileprivate mutating func add(_ other: Self) {
    delta.add(other.delta)
    refused += other.refused
    warnings += other.warnings
    changes += other.changes
    guard let joined = other.change else { return }
    change?.join(joined)
    if change == nil { change = joined }
  }

  /// Counts entries as refused; a row of which several came is listed once.
  fileprivate mutating func refuse(
    _ chunk: Chunk<Kind.Row>, _ part: Range<Int>, _ refusal: RowRefusal
  ) {
    delta.refused += part.count
    delta.processed += part.count
    for index in part where refused.last?.row != chunk.entries[index].number {
      refused.append(chunk.refusedRow(chunk.entries[index], refusal))
    }
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
