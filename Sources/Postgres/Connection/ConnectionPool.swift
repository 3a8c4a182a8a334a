/// A fixed number of connections, lent to one user at a time.
///
/// Connections are made when they are first needed. One that comes back broken, or with a
/// transaction still open, is closed and replaced at the next need; so a lost connection costs
/// its user an error and the next user nothing.
public actor ConnectionPool {
  /// How to connect.
  public nonisolated let configuration: Configuration
  /// The largest number of connections at a time.
  public nonisolated let size: Int

  private struct Waiter {
    let number: Int
    let continuation: CheckedContinuation<Void, any Error>
  }

  private var idle: [Connection] = []
  private var lentCount = 0
  private var waiters: [Waiter] = []
  private var lastNumber = 0
  private var isClosed = false

  /// A pool that has not connected yet.
  public init(_ configuration: Configuration, size: Int) {
    precondition(size > 0, "a pool needs room for a connection")
    self.configuration = configuration
    self.size = size
  }

  /// Lends a connection to `body`; waits for one, first come first served.
  ///
  /// - Throws: what `body` throws; `PostgresError` if connecting fails, if the task is cancelled
  ///   while it waits, or if the pool is closed.
  public nonisolated func withConnection<R: Sendable>(
    _ body: @Sendable (Connection) async throws -> R
  ) async throws -> R {
    let connection = try await borrow()
    do {
      let result = try await body(connection)
      await giveBack(connection)
      return result
    } catch {
      await giveBack(connection)
      throw error
    }
  }

  /// Lends a connection to `body`, which runs on the connection's queue in one hop.
  public nonisolated func perform<R: Sendable>(
    timeout: Duration? = nil, _ body: @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    try await withConnection { try await $0.perform(timeout: timeout, body) }
  }

  /// Closes the idle connections now and the others when they come back; lends no more.
  public func close() async {
    isClosed = true
    for waiter in waiters { waiter.continuation.resume(throwing: Self.closed) }
    waiters = []
    let connections = idle
    idle = []
    for connection in connections { await connection.close() }
  }

  // MARK: lending

  private static var closed: PostgresError { PostgresError(.usage, "the pool is closed") }

  private func borrow() async throws -> Connection {
    try await takeTurn()
    while let connection = idle.popLast() {
      if await connection.isIdle { return connection }
      await connection.close()
    }
    do {
      return try await Connection.connect(configuration)
    } catch {
      passTurn()
      throw error
    }
  }

  private func giveBack(_ connection: Connection) async {
    let isReusable = await connection.isIdle
    if isReusable, !isClosed {
      idle.append(connection)
    } else {
      await connection.close()
    }
    passTurn()
  }

  /// Waits until fewer than `size` connections are lent, and counts one more.
  private func takeTurn() async throws {
    if isClosed { throw Self.closed }
    if lentCount < size {
      lentCount += 1
      return
    }
    lastNumber += 1
    let number = lastNumber
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Void, any Error>) in
        if Task.isCancelled {
          continuation.resume(throwing: Self.cancelled)
        } else {
          waiters.append(Waiter(number: number, continuation: continuation))
        }
      }
    } onCancel: {
      Task { await self.cancelWaiter(number) }
    }
  }

  /// Hands the turn to whoever has waited longest; the count stays, for it passes with it.
  private func passTurn() {
    if waiters.isEmpty {
      lentCount -= 1
    } else {
      waiters.removeFirst().continuation.resume()
    }
  }

  private func cancelWaiter(_ number: Int) {
    guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
    waiters.remove(at: index).continuation.resume(throwing: Self.cancelled)
  }

  private static var cancelled: PostgresError {
    PostgresError(.cancelled, "cancelled while waiting for a connection")
  }
}
