internal import Synchronization

/// Asks work that is under way to end early: it begins no further chunk, and what is open is done.
package final class StopSignal: Sendable {
  private struct State {
    var isRaised = false
    var stop: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether somebody asked.
  package var isRaised: Bool { state.withLock { $0.isRaised } }

  /// Asks; whatever begins later is asked as well.
  package func raise() {
    let stop = state.withLock { state in
      state.isRaised = true
      return state.stop
    }
    stop?()
  }

  /// Says how the work that begins now is stopped, in place of the work before it.
  func stops(_ work: @escaping @Sendable () -> Void) {
    let isRaised = state.withLock { state in
      state.stop = work
      return state.isRaised
    }
    if isRaised { work() }
  }
}
