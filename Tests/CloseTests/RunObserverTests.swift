import Close
import Postgres
import Problems
import Synchronization
import TestSupport
import Testing

/// What a run says while it is under way.
@Suite struct RunObserverTests {
  @Test("whoever watches a run hears its beginning, every chunk and its end, in this order")
  func order() async throws {
    let books = try await DemoBooks.small()
    let heard = Heard()
    let report = try await watched(books, by: heard) { _ in }
    let words = heard.words
    #expect(words.first == "began \(report.run)")
    #expect(words.last == "ended \(report.counts.completed)")
    #expect(words.count { $0.hasPrefix("began") || $0.hasPrefix("ended") } == 2)
    #expect(heard.chunks == report.counts)
    #expect(report.counts.completed > 0)
  }

  @Test("a chunk that is taken again after a passing fault is told, and the run goes on")
  func retried() async throws {
    let books = try await DemoBooks.small()
    let heard = Heard()
    let report = try await watched(books, by: heard) { configuration in
      configuration.faultPlan = FaultPlan("populate-fill:cut-after-send")
    }
    #expect(report.exitCode == 0)
    #expect(heard.words.count { $0.hasPrefix("retried") } == 1)
    #expect(heard.words.last == "ended \(report.counts.completed)")
  }

  private func watched(
    _ books: DemoBooks, by heard: Heard, _ adjust: (inout Configuration) -> Void
  ) async throws -> RunReport {
    var configuration = books.configuration
    adjust(&configuration)
    let held = configuration
    return try await CloseRun(
      .night("2017-06-30"), settings: DemoBooks.settings(workers: 1), observer: heard
    ) { try await Connection.connect(held) }.run()
  }

  /// Keeps what it hears.
  private final class Heard: RunObserver {
    private let state = Mutex<(words: [String], chunks: SlotCounts)>(([], SlotCounts()))

    var words: [String] { state.withLock { $0.words } }
    /// The sum of all chunks.
    var chunks: SlotCounts { state.withLock { $0.chunks } }

    func observe(_ event: RunEvent) {
      state.withLock { state in
        switch event {
        case .began(let run): state.words.append("began \(run)")
        case .advanced(let chunk, _):
          state.chunks += chunk
          state.words.append("advanced")
        case .retried(let problem, _): state.words.append("retried \(problem.code.name)")
        case .ended(let report): state.words.append("ended \(report.counts.completed)")
        case .failed, .lease: break
        }
      }
    }
  }
}
