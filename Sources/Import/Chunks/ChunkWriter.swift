internal import Postgres
internal import Storage

/// The connection of an import, replaced where it is lost, and the claim under which it writes.
actor ChunkWriter<Kind: RowKind> {
  private var connection: Connection
  private var ownsConnection = false
  /// nil for a dry run.
  private(set) var claim: ImportClaim?
  private let control: ImportControl
  /// Where the chunks before were written.
  private var server: ServerIdentity?

  /// So often a lost connection is made anew for one chunk, with pauses from 0.1 to 12.8 seconds.
  private static var attempts: Int { 8 }

  init(_ connection: Connection, _ control: ImportControl) {
    self.connection = connection
    self.control = control
  }

  /// Settles on the server that it is connected to, and on the epoch of what it is going to mark.
  func recordServer() async throws {
    server = try await connection.perform { db in try DatabaseEpoch.begin(on: db).server }
  }

  /// Works under a claim from now on.
  func take(_ claim: ImportClaim) { self.claim = claim }

  /// Runs `body` on the connection of the moment.
  func perform<R: Sendable>(
    heedsCancellation: Bool = true, _ body: @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    try await connection.perform(heedsCancellation: heedsCancellation, body)
  }

  /// Closes a connection that was made here, and frees the claim's lock on one that was not.
  func end() async {
    if ownsConnection { return await connection.close() }
    guard let claim else { return }
    try? await connection.perform(heedsCancellation: false) { db in
      try ImportJobs.release(claim.id, on: db)
    }
  }

  /// Writes a chunk; where the connection is lost, looks on a new one whether it was written.
  ///
  /// - Parameter before: The counts without the chunk.
  func store(
    _ chunk: Chunk<Kind.Row>, _ store: ChunkStore<Kind>, before: JobDelta
  ) async throws -> ChunkStore<Kind>.Outcome {
    var store = store
    store.claim = claim
    var attempt = 0
    while true {
      do {
        let attempted = store
        return try await connection.perform { db in try attempted.store(chunk, on: db) }
      } catch  where mayReconnect(after: error) && attempt < Self.attempts {
        guard let state = try await reconnect(after: error, &attempt) else {
          return ChunkStore<Kind>.Outcome(isCancelled: true)
        }
        store.claim = state.claim
        guard state.checkpoint.offset == chunk.end.offset else { continue }
        return try await outcome(of: chunk, before, state)
      }
    }
  }

  /// Loads what rows refer to by name.
  ///
  /// A chunk may be under way, which makes a lost connection anew by itself; so where it is lost,
  /// this reads on one of its own.
  func loadBooks() async throws -> ReferenceBooks {
    var attempt = 0
    while true {
      do {
        guard attempt > 0, let connect = control.reconnect else {
          return try await connection.perform { db in try ReferenceBooks.load(on: db) }
        }
        let own = try await connect()
        do {
          let books = try await own.perform { db in try ReferenceBooks.load(on: db) }
          await own.close()
          return books
        } catch {
          await own.close()
          throw error
        }
      } catch let error as PostgresError
        where error.mayRetry && claim != nil && control.reconnect != nil && attempt < Self.attempts
      {
        try await Task.sleep(for: .milliseconds(100 << attempt))
        attempt += 1
      }
    }
  }

  /// Runs what follows the last chunk and may be done twice; again where the cause of a failure is
  /// passing, and on a new connection where this one is lost.
  ///
  /// - Returns: nil where the import has ended: by a call whose answer was lost, or cancelled.
  func conclude<R: Sendable>(
    _ body: @Sendable (isolated Connection, ImportClaim) throws -> R
  ) async throws -> R? {
    var attempt = 0
    while let claim {
      do {
        return try await connection.perform { db in
          try ChunkStore<Kind>.retrying(on: db) { try body($0, claim) }
        }
      } catch  where mayReconnect(after: error) && attempt < Self.attempts {
        _ = try await reconnect(after: error, &attempt)
      }
    }
    return nil
  }

  private func mayReconnect(after error: any Error) -> Bool {
    guard claim != nil, control.reconnect != nil, !Task.isCancelled else { return false }
    return !connection.isUsable || (error as? TransactionError)?.commitOutcomeUnknown == true
  }

  /// Connects again and takes the import up; nil where somebody has cancelled it meanwhile.
  private func reconnect(
    after first: any Error, _ attempt: inout Int
  ) async throws -> ClaimedImport? {
    var last = first
    while attempt < Self.attempts, let claim, let connect = control.reconnect {
      try await Task.sleep(for: .milliseconds(100 << attempt))
      attempt += 1
      do {
        let fresh = try await connect()
        try await requireSameServer(fresh)
        if ownsConnection { await connection.close() }
        (connection, ownsConnection) = (fresh, true)
        let control = control
        let state = try await fresh.perform { db in
          try ChunkStore<Kind>.prepare(isDryRun: false, on: db)
          return try ImportQueue.reclaim(claim, control, on: db)
        }
        self.claim = state?.claim
        return state
      } catch let error as PostgresError where error.kind != .cancelled {
        last = error
      } catch let error as TransactionError {
        last = error
      }
    }
    throw last
  }

  /// A standby that took the server's place may know nothing of the last chunks.
  private func requireSameServer(_ fresh: Connection) async throws {
    let server = server
    do {
      try await fresh.perform { db in
        let here = try DatabaseEpoch.begin(on: db).server
        if let server, server != here { throw ServerChanged(from: server, to: here) }
      }
    } catch {
      await fresh.close()
      throw error
    }
  }

  /// What became of a chunk whose commit nobody heard of: as the database counted it.
  private func outcome(
    of chunk: Chunk<Kind.Row>, _ before: JobDelta, _ state: ClaimedImport
  ) async throws -> ChunkStore<Kind>.Outcome {
    var outcome = ChunkStore<Kind>.Outcome()
    outcome.delta = state.counts.without(before)
    let job = state.claim.job
    let rows = (first: Int64(chunk.start.row), last: Int64(chunk.end.row))
    outcome.refused = try await connection.perform { db in
      try db.rows(refusedOfChunk, job, rows.first, rows.last) { row in
        RefusedRow(
          row: Int(try row.nextInt64()), line: Int(try row.nextInt64()),
          field: try row.nextStringOrNil(), message: try row.nextString(),
          text: try row.nextString())
      }
    }
    return outcome
  }
}

private let refusedOfChunk = Statement(
  "import-refused-of-chunk",
  """
  select row_number, line_number, field, message, row_text from closebell.import_results
  where job_id = $1::bigint and row_number > $2::bigint and row_number <= $3::bigint
  order by row_number
  """)

extension JobDelta {
  /// These counts without those of before.
  fileprivate func without(_ before: JobDelta) -> JobDelta {
    JobDelta(
      processed: processed - before.processed, inserted: inserted - before.inserted,
      updated: updated - before.updated, unchanged: unchanged - before.unchanged,
      refused: refused - before.refused, replaced: replaced - before.replaced)
  }
}
