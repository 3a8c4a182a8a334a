internal import CLibPQ
internal import Synchronization

/// Makes one call to the server fail on purpose, and counts the calls.
///
/// Every exchange with the server passes one place (`Session.start`), which asks the plan of its
/// configuration. A statement, a preparation, a begin, a commit, a connect and a whole COPY count
/// as one call each. So a test can run its work once to learn how many calls there are, and
/// then once for each of them with that call failing.
///
/// Outside of tests the environment variable `CLOSEBELL_FAULT` sets a plan for the process, as
/// `7:kill`; it is read once. Without a plan a call costs one comparison with `nil`.
package final class FaultPlan: Sendable {
  /// How a call fails.
  package enum Fault: String, Sendable, CaseIterable {
    /// The connection breaks before anything is sent.
    case cutBeforeSend = "cut-before-send"
    /// The server receives the call and acts on it; the answer is lost.
    case cutAfterSend = "cut-after-send"
    /// The server answers with an error (40001) in place of carrying out the call.
    case serverError = "server-error"
    /// The process is killed before anything is sent.
    case kill = "kill"
    /// The process is killed after the server has acted on the call.
    case killAfterSend = "kill-after-send"
  }

  private struct State {
    var calls = 0
    var names: [String] = []
  }

  private static let namesKept = 100_000
  private let fault: Fault?
  private let failing: Int
  private let state = Mutex(State())

  /// A plan that only counts.
  package init() {
    fault = nil
    failing = 0
  }

  /// A plan by which the n-th call fails; the first call is number 1.
  package init(failing n: Int, by fault: Fault) {
    self.fault = fault
    failing = n
  }

  /// A plan as `7:cut-after-send`; `nil` if the text is not one.
  package convenience init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let n = Int(parts[0]), n > 0,
      let fault = Fault(rawValue: String(parts[1]))
    else { return nil }
    self.init(failing: n, by: fault)
  }

  /// The number of calls so far.
  package var calls: Int { state.withLock { $0.calls } }

  /// The names of the calls so far, in their order; the first 100 000.
  package var names: [String] { state.withLock { $0.names } }

  /// Whether the planned fault has happened.
  package var hasFired: Bool { fault != nil && calls >= failing }

  /// The plan of the environment, read once.
  static let ofEnvironment: FaultPlan? = {
    guard let text = environment("CLOSEBELL_FAULT"), !text.isEmpty else { return nil }
    guard let plan = FaultPlan(text) else {
      preconditionFailure("CLOSEBELL_FAULT must look like 7:kill")
    }
    return plan
  }()

  /// Counts one call and says how it is to fail.
  func next(_ name: String) -> Fault? {
    let number = state.withLock { state in
      state.calls += 1
      if state.names.count < Self.namesKept { state.names.append(name) }
      return state.calls
    }
    return number == failing ? fault : nil
  }
}

/// The value of an environment variable.
func environment(_ name: String) -> String? {
  pq_environment(name).map { String(cString: $0) }
}
