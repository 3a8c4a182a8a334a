import Accounting
import Glibc
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Close

/// A recomputation that cannot be finished stops at once: it has no report to make.
@Suite struct RecomputeFailureTests {
  private struct Refused: Error {}

  /// Connections of which one is refused, and says so once it has been.
  private final class Opener: Sendable {
    private let count = Mutex(0)
    let refused: Int
    let configuration: Configuration

    init(_ books: DemoBooks, refusing number: Int) {
      refused = number
      configuration = books.configuration
    }

    func connect() async throws -> Connection {
      let number = count.withLock { count in
        count += 1
        return count
      }
      if number == refused { throw Refused() }
      return try await Connection.connect(configuration)
    }
  }

  @Test("a worker that cannot connect stops the others after what they are at", arguments: [1, 2])
  func worker(refused: Int) async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    let opener = Opener(books, refusing: refused)
    let recompute = Recompute(
      RecomputeScope(), settings: DemoBooks.settings(workers: 2, chunk: 1)
    ) { try await opener.connect() }
    let visited = Mutex(0)
    await #expect(throws: Refused.self) {
      try await recompute.run { _ in
        visited.withLock { $0 += 1 }
        // On the connection's queue: it goes on once the other one has given up.
        for _ in 0..<20_000 where !recompute.isStopping { usleep(1_000) }
      }
    }
    #expect(recompute.isStopping)
    #expect(visited.withLock { $0 } <= 1)
  }

  @Test("a verification whose checks of rows cannot connect is over at once", arguments: [1, 2, 3])
  func verification(refused: Int) async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    let opener = Opener(books, refusing: refused)
    let verification = Verification(
      RecomputeScope(), settings: DemoBooks.settings(workers: 2, chunk: 1)
    ) { try await opener.connect() }
    await #expect(throws: Refused.self) { try await verification.run() }
  }
}
