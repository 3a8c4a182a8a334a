internal import Postgres
internal import Synchronization

/// Connections that are opened while something else still has to be done.
///
/// A server takes some milliseconds to greet a session, which the workers of a run would wait for
/// once the run has begun.
final class ConnectionsAhead: Sendable {
  private let connect: @Sendable () async throws -> Connection
  private let opening: Mutex<[Task<Connection, any Error>]>

  /// Begins to open connections.
  init(_ count: Int, _ connect: @escaping @Sendable () async throws -> Connection) {
    self.connect = connect
    opening = Mutex((0..<count).map { _ in Task { try await connect() } })
  }

  /// One of them, or a fresh one where none is left or it could not be opened.
  func take() async throws -> Connection {
    if let one = opening.withLock({ $0.popLast() }), let open = try? await one.value {
      if open.isUsable { return open }
      await open.close()
    }
    return try await connect()
  }

  /// Closes those that nobody took.
  func close() async {
    let left = opening.withLock { opening in
      defer { opening = [] }
      return opening
    }
    for one in left { await (try? one.value)?.close() }
  }
}
