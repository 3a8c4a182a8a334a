internal import CLibPQ
internal import Dispatch

/// One connection to a PostgreSQL server, an actor on a queue of its own.
///
/// libpq blocks, and a hop to another executor costs about as much as a quarter of a round trip;
/// so the work of a whole unit is one closure that runs on the connection's queue from its first
/// statement to its last:
/// ```swift
/// let closed = try await connection.perform { connection in
///   try connection.transaction { connection in
///     try connection.execute(insertSnapshot, 42 as Int64, "EUR")
///     return try connection.rows(openSlots, as: { row in try row.nextInt64() })
///   }
/// }
/// ```
/// Every statement below is synchronous and meant for the inside of `perform`. Cancelling the
/// task that awaits a `perform` cancels the statement on the server; the connection lives on.
public actor Connection {
  let session: Session
  nonisolated let interrupter: Interrupter
  private nonisolated let executor: QueueExecutor
  /// The server's version, as 150 018 for 15.18.
  public nonisolated let serverVersion: Int
  /// The process at the server, as `pg_stat_activity` shows it.
  public nonisolated let backendPID: Int32
  var copyBuffer: CopyBuffer

  /// The queue on which all of the connection's work runs.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  private init(_ session: sending Session, _ executor: QueueExecutor) {
    serverVersion = Int(PQserverVersion(session.handle))
    backendPID = PQbackendPID(session.handle)
    interrupter = session.interrupter
    copyBuffer = CopyBuffer()
    self.executor = executor
    self.session = session
  }

  /// Connects, and sets up the session: the server's own names alone, UTC, ISO dates, UTF-8, the
  /// time limits.
  ///
  /// - Throws: `PostgresError` of kind `connectFailed`, which names host, user and database.
  public static func connect(_ configuration: Configuration) async throws -> Connection {
    let executor = QueueExecutor(label: configuration.applicationName)
    let session = try await withCheckedThrowingContinuation {
      (continuation: CheckedContinuation<Session, any Error>) in
      executor.queue.async {
        do {
          continuation.resume(returning: try Session.open(configuration))
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
    return Connection(session, executor)
  }

  /// Runs `body` on the connection's queue, in one hop.
  ///
  /// - Parameters:
  ///   - timeout: after this time the statement under way is cancelled and no further one is
  ///     sent; the error is of kind `timeout`.
  ///   - heedsCancellation: whether cancelling the task does the same, with an error of kind
  ///     `cancelled`. `false` is for work that tidies up after a cancellation.
  public func perform<R: Sendable>(
    timeout: Duration? = nil, heedsCancellation: Bool = true,
    _ body: @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    let turn = interrupter.beginTurn(timeout: timeout)
    defer { interrupter.endTurn(turn) }
    guard heedsCancellation else { return try body(self) }
    return try await withTaskCancellationHandler {
      try body(self)
    } onCancel: { [interrupter] in
      interrupter.interrupt(turn, .cancelled)
    }
  }

  /// Cancels the `perform` that is under way now, if any; from any thread: `PQcancel`.
  ///
  /// Its statement fails with an error of kind `cancelled`, and no further one is sent.
  public nonisolated func cancel() { interrupter.interruptCurrent() }

  /// Whether the connection is, for all that is known, still there.
  public nonisolated var isUsable: Bool { !interrupter.isLost }

  /// Whether it could be given to somebody else: alive, and outside any transaction.
  var isIdle: Bool { session.isIdle && session.peerIsThere() }

  /// Receives the server's notices from now on; `nil` drops them.
  public func setNoticeHandler(_ handler: (@Sendable (Notice) -> Void)?) {
    session.notices.handler = handler
  }

  /// Ends the connection, after which statements fail; closing twice is harmless.
  public func close() { session.close() }
}

/// Holds the buffer of COPY rows between two COPYs.
final class CopyBuffer {
  var spare: BinaryBuffer?

  /// Takes the buffer, or a new one while it is in use.
  func take() -> BinaryBuffer {
    spare.take() ?? BinaryBuffer(capacity: CopyWriter.pieceBytes + 16_384)
  }
}
