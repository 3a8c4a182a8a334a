package import Import
internal import Postgres
internal import Storage
internal import Synchronization

/// Imports, one after the other over one connection, which is made anew where it was lost.
package actor Importing {
  private let operations: Operations
  private let watch: ImportWatch
  private var connection: Connection?
  private let begun = Mutex<Int64?>(nil)

  /// From here on the planner's idea of the tables is worth a new look.
  private static let manyRows = 10_000

  init(_ operations: Operations, _ watch: ImportWatch) {
    self.operations = operations
    self.watch = watch
  }

  /// The number of the import that is, or was last, at work; nil where it has not begun.
  package nonisolated var job: Int64? { begun.withLock { $0 } }

  /// Imports a file.
  ///
  /// - Throws: `ImportError` where the file as a whole is refused; `PostgresError` or
  ///   `TransactionError` where the database fails: the chunks before are kept.
  package func take(_ request: ImportRequest) async throws -> ImportResult {
    var request = request
    request.maxRows = watch.limits.maxRows
    begun.withLock { $0 = nil }
    return ImportResult(try await runImport(request, on: ready(), control: control))
  }

  /// Takes one up that was stopped, failed, died, or was only queued.
  ///
  /// - Throws: `ImportJobError` where it is under way or done; as ``take(_:)`` does.
  package func resume(_ job: Int64) async throws -> ImportResult {
    begun.withLock { $0 = nil }
    return ImportResult(
      try await resumeImport(job, on: ready(), control: control) { [watch] in
        $0.maxRows = watch.limits.maxRows
      })
  }

  /// Takes the first that waits in the background.
  ///
  /// - Returns: nil where none waits; an import that failed is no failure of the queue's.
  package func takeQueued() async throws -> (job: Int64, result: Result<ImportResult, any Error>)? {
    guard let (job, result) = try await runQueuedImport(on: ready(), control: control) else {
      return nil
    }
    return (job, result.map { ImportResult($0) })
  }

  /// Has a file wait for ``takeQueued()``.
  ///
  /// - Throws: `ImportError` where the file as a whole is refused.
  package func queue(_ request: ImportRequest, source: String) async throws -> QueuedImport {
    let stop = watch.stop
    var request = request
    request.maxRows = watch.limits.maxRows
    let (job, kind) = try await ready().perform { [request] db in
      (try ImportQueue.add(request, shouldStop: { stop.isRaised }, on: db), request.kind)
    }
    return QueuedImport(id: job, kind: kind, source: source)
  }

  /// What is left in the queue since nobody here asked for it.
  package func untaken() async throws -> [UntakenImports] {
    let roles = watch.limits.trustedRoles
    return try await ready().perform { db in
      try ImportQueue.untaken(besides: roles, on: db).map {
        UntakenImports(role: $0.role, count: Int($0.count), first: $0.first)
      }
    }
  }

  /// Reads the rows that an import refused.
  package func refusedRows<R: Sendable>(
    of job: Int64, _ body: @escaping @Sendable (RefusedRows) throws -> R
  ) async throws -> R {
    try await ready().perform { db in try body(RefusedRows(of: job, on: db)) }
  }

  /// Refreshes the planner's idea of the tables after a large import.
  package func settle(_ result: ImportResult) async throws {
    guard result.id != nil, result.inserted >= Self.manyRows else { return }
    try await ready().perform { db in try Statistics.refreshInputs(on: db) }
  }

  /// Closes the connection.
  package func end() async {
    await connection?.close()
    connection = nil
  }

  /// A connection that works: the one of before, or a new one in its place.
  private func ready() async throws -> Connection {
    if let connection, connection.isUsable { return connection }
    await end()
    let fresh = try await operations.connect(false)
    try await fresh.perform { db in try Migrator.requireCurrentSchema(on: db) }
    connection = fresh
    return fresh
  }

  private var control: ImportControl {
    let (watch, caller, connect) = (watch, operations.caller, operations.connect)
    return ImportControl(
      reconnect: { try await connect(false) },
      shouldStop: { watch.stop.isRaised },
      began: { [weak self] job in self?.begun.withLock { $0 = job } },
      progress: watch.progress, timeoutSeconds: watch.limits.seconds,
      claimant: "\(caller.host), process \(caller.process)", trustedRoles: watch.limits.trustedRoles
    )
  }
}
