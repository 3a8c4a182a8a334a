internal import CLibPQ
internal import Synchronization

/// Makes one call to the server fail on purpose, and counts the calls.
///
/// Every exchange with the server passes one place (`Session.start`), which asks the plan of its
/// configuration. A statement, a preparation, a begin, a commit, a connect and a whole COPY count
/// as one call each. So a test can run its work once to learn how many calls there are, and
/// then once for each of them with that call failing.
///
/// A plan may also ask a function of the test before every call, which may fail the call by its
/// name, or hold it up until something else has happened.
///
/// In a program that is built for tests an environment variable sets a plan for the process, as
/// `7:kill` or `populate-fill#2:stop`; it is read once. What is released has no such variable: no
/// stranger's environment makes it fail. Without a plan a call costs one comparison with `nil`.
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
    /// The process stops as by SIGSTOP before anything is sent, until somebody lets it go on.
    case stop = "stop"
    /// The same within a COPY into the server, which has taken the command and waits for the rows.
    case stopInCopy = "stop-in-copy"
  }

  /// Which call is meant.
  private enum Target {
    case none
    /// The n-th call of all.
    case call(Int)
    /// The n-th call of a name.
    case named(Substring, Int)
    /// Whatever the function says; it runs on the connection's queue, which it may hold up.
    case asked(@Sendable (_ number: Int, _ name: String) -> Fault?)
  }

  private struct State {
    var calls = 0
    var names: [String] = []
    var namesakes = 0
    var hasFired = false
  }

  private static let namesKept = 100_000
  private let fault: Fault?
  private let target: Target
  private let state = Mutex(State())

  private init(_ target: Target, _ fault: Fault?) {
    self.target = target
    self.fault = fault
  }

  /// A plan that only counts.
  package convenience init() { self.init(.none, nil) }

  /// A plan by which the n-th call fails; the first call is number 1.
  package convenience init(failing n: Int, by fault: Fault) { self.init(.call(n), fault) }

  /// A plan that asks before every call, with its number and its name, on the connection's queue.
  package convenience init(
    asking question: @escaping @Sendable (_ number: Int, _ name: String) -> Fault?
  ) {
    self.init(.asked(question), nil)
  }

  /// A plan as `7:cut-after-send`, or `commit#2:kill` for the second call of that name (`commit` is
  /// the first); `nil` if the text is not one.
  package convenience init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let fault = Fault(rawValue: String(parts[1])) else { return nil }
    let names = parts[0].split(separator: "#", maxSplits: 1)
    guard let name = names.first, let n = Int(names.last ?? "") ?? (names.count == 1 ? 1 : nil),
      n > 0, Int(name) != nil || name.first?.isLetter == true
    else { return nil }
    self.init(Int(name) == nil ? .named(name, n) : .call(n), fault)
  }

  /// The number of calls so far.
  package var calls: Int { state.withLock { $0.calls } }

  /// The names of the calls so far, in their order; the first 100 000.
  package var names: [String] { state.withLock { $0.names } }

  /// Whether the planned fault has happened.
  package var hasFired: Bool { state.withLock { $0.hasFired } }

  /// The variable that sets a plan for the process; nil where the program is built for release.
  package static var variable: String? {
    #if FAULT_INJECTION
      "CLOSEBELL_FAULT"
    #else
      nil
    #endif
  }

  /// The plan of the environment, read once; nil where the text is none, which is for the program
  /// to refuse before it connects.
  static let ofEnvironment: FaultPlan? = variable.flatMap { environment($0) }.flatMap {
    FaultPlan($0)
  }

  /// Counts one call and says how it is to fail.
  func next(_ name: String) -> Fault? {
    let (number, isMeant) = state.withLock { state in
      state.calls += 1
      if state.names.count < Self.namesKept { state.names.append(name) }
      var isMeant = false
      switch target {
      case .none, .asked: break
      case .call(let n): isMeant = state.calls == n
      case .named(let meant, let n):
        if name == meant { state.namesakes += 1 }
        isMeant = name == meant && state.namesakes == n
      }
      return (state.calls, isMeant)
    }
    // Asked outside of the lock: the answer may be long in coming.
    let fault =
      if case .asked(let question) = target { question(number, name) } else {
        isMeant ? fault : nil
      }
    if fault != nil { state.withLock { $0.hasFired = true } }
    return fault
  }
}
