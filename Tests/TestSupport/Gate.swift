package import Postgres
import Glibc
import Synchronization

/// Holds a worker up at a call to the server until the test lets it go on.
///
/// So two runs can be interleaved step by step, and the step at which one stands still has a name
/// or a number.
public final class Gate: Sendable {
  /// Where it stands.
  public enum Place: Sendable {
    /// Before the first call of this name, or a later one.
    case named(String, nth: Int = 1)
    /// Before the n-th call of all, counted from 1.
    case call(Int)
  }

  private let place: Place
  private let state = Mutex(State())

  private struct State {
    var isReached = false
    var isOpen = false
    var namesakes = 0
    var name: String?
  }

  /// A closed gate.
  public init(before place: Place) { self.place = place }

  /// The plan for the connections that are to be held up.
  package var plan: FaultPlan {
    FaultPlan(asking: { [self] number, name in
      pass(number, name)
      return nil
    })
  }

  /// The name of the call that stands here.
  public var name: String? { state.withLock { $0.name } }

  /// Waits until somebody stands here.
  ///
  /// - Returns: False if `isOver` said first that nobody will come any more.
  public func reached(unless isOver: @Sendable () -> Bool = { false }) async throws -> Bool {
    try await waitUntil("a call at \(place)") { state.withLock { $0.isReached } || isOver() }
    return state.withLock { $0.isReached }
  }

  /// Lets whoever stands here, or comes, go on.
  public func open() { state.withLock { $0.isOpen = true } }

  /// Lets a call through, or holds it up if it is the one that is meant; for a plan of one's own.
  public func pass(_ number: Int, _ name: String) {
    let mustWait = state.withLock { state in
      let isHere: Bool
      switch place {
      case .named(let meant, let n):
        if name == meant { state.namesakes += 1 }
        isHere = name == meant && state.namesakes == n
      case .call(let n): isHere = number == n
      }
      guard isHere, !state.isReached else { return false }
      state.isReached = true
      state.name = name
      return true
    }
    guard mustWait else { return }
    while !state.withLock({ $0.isOpen }) { usleep(1_000) }
  }
}
