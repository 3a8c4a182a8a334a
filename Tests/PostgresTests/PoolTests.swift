import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("A pool of connections", .timeLimit(.minutes(5)))
struct PoolTests {
  /// How many are lent now, and how many were at most.
  private final class Tally: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var most: Int { state.withLock { $0.most } }

    func lend() {
      state.withLock { state in
        state.now += 1
        state.most = max(state.most, state.now)
      }
    }

    func reclaim() { state.withLock { $0.now -= 1 } }
  }

  private func pool(_ size: Int) async throws -> ConnectionPool {
    ConnectionPool(try await testConfiguration(), size: size)
  }

  @Test("never more than its size are lent, and all who wait are served")
  func bounded() async throws {
    let pool = try await pool(3)
    let tally = Tally()
    let pids = try await withThrowingTaskGroup(of: Int32.self) { group in
      for _ in 0..<30 {
        group.addTask {
          try await pool.withConnection { connection in
            tally.lend()
            // The first ones keep theirs until as many are lent as there are.
            try await waitUntil("three are lent at once") { tally.most >= 3 }
            try await connection.perform { try $0.execute(sql: "select 1") }
            tally.reclaim()
            return connection.backendPID
          }
        }
      }
      return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
    }
    #expect(tally.most == 3)
    #expect(pids.count == 3)
    await pool.close()
  }

  @Test("a broken connection is replaced, as is one with a transaction left open")
  func replacement() async throws {
    let pool = try await pool(1)
    let first = try await pool.withConnection { $0.backendPID }
    let again = try await pool.withConnection { $0.backendPID }
    #expect(first == again)
    try await withConnection { other in
      let kill = Statement("kill", "select pg_terminate_backend($1, 5000)")
      _ = try other.row(kill, first) { try $0.nextBool() }
    }
    let second = try await pool.perform { connection in
      try connection.execute(sql: "begin")
      return connection.backendPID
    }
    #expect(second != first)
    let third = try await pool.perform { connection in
      try connection.transaction { $0.backendPID }
    }
    #expect(third != second)
    await pool.close()
  }

  @Test("who waits in vain can be cancelled, and takes nobody's turn")
  func cancelledWaiter() async throws {
    let pool = try await pool(1)
    try await pool.withConnection { _ in
      let waiter = Task { try await pool.withConnection { $0.backendPID } }
      try await Task.sleep(for: .milliseconds(50))
      waiter.cancel()
      let error = try await postgresError { try await waiter.value }
      #expect(error?.kind == .cancelled)
    }
    try await pool.perform { try $0.execute(sql: "select 1") }
    await pool.close()
  }

  @Test("a closed pool lends nothing more")
  func closed() async throws {
    let pool = try await pool(1)
    try await pool.perform { try $0.execute(sql: "select 1") }
    await pool.close()
    let error = try await postgresError { try await pool.withConnection { $0.backendPID } }
    #expect(error?.kind == .usage)
  }

  @Test("a failure to connect is thrown, and leaves the turn to the next")
  func failingConnect() async throws {
    let pool = ConnectionPool(
      Configuration(conninfo: "host=127.0.0.1 port=1", applicationName: "x"), size: 1)
    for _ in 0..<3 {
      let error = try await postgresError { try await pool.withConnection { $0.backendPID } }
      #expect(error?.kind == .connectFailed)
    }
  }
}
