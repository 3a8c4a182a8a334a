internal import CLibPQ
internal import Dispatch
internal import Synchronization

/// Stops what a connection is doing, from any thread.
///
/// Work on a connection comes in *turns* (one `perform` each). An interruption belongs to the turn
/// that was under way when it was asked for and never hits a later one: a turn ends only after
/// the request that is on its way has come back. The server ignores a request that finds it
/// idle, so one that arrives a moment too early would be lost; therefore it is repeated until the
/// turn ends. A server that does not react for five seconds is cut off, lest a dead network
/// outlive its deadline.
///
/// `PQcancel` connects anew and may block for as long as the network lets it. So it runs on a
/// queue of its own, without the lock, and the clock by which silence is cut off on another.
final class Interrupter: Sendable {
  /// Why a turn was interrupted.
  enum Cause { case cancelled, deadline }

  /// libpq's copy of what a cancel request needs; freed by whoever holds it last.
  ///
  /// Unchecked, because a pointer is never `Sendable`: the object does not change after it is
  /// made, and libpq allows `PQcancel` from any thread.
  private final class Handle: @unchecked Sendable {
    let pointer: OpaquePointer?

    init(_ connection: OpaquePointer) { pointer = PQgetCancel(connection) }

    deinit { PQfreeCancel(pointer) }

    func request() {
      guard let pointer else { return }
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
        _ = PQcancel(pointer, text.baseAddress, 256)
      }
    }
  }

  private struct State {
    /// -1 once the connection is closed, for the number may belong to another file then.
    var socket: Int32
    var turn: UInt64 = 0
    var isOpen = false
    var cause: Cause?
    var isInFlight = false
    var isInterruptible = true
    /// Whether a cancel request is on its way.
    var isRequesting = false
  }

  private static let clock = DispatchQueue(label: "postgres.deadlines")
  private static let repeatMilliseconds = 250
  private static let patienceMilliseconds = 5000

  private let handle: Handle
  private let requests = DispatchQueue(label: "postgres.cancel")
  private let underWay = DispatchGroup()
  private let state: Mutex<State>
  private let lost = Atomic<Bool>(false)

  init(connection: OpaquePointer) {
    handle = Handle(connection)
    let socket = PQsocket(connection)
    state = Mutex(State(socket: socket))
  }

  /// Whether the connection is known to be gone.
  var isLost: Bool { lost.load(ordering: .relaxed) }

  /// Notes that the connection is gone.
  func noteLoss() { lost.store(true, ordering: .relaxed) }

  /// Makes every later interruption do nothing; called before the connection is closed.
  func retire() {
    noteLoss()
    state.withLock { state in
      state.isOpen = false
      state.socket = -1
    }
  }

  // MARK: turns

  /// Opens a turn, which ends by itself if it outlasts `timeout`.
  func beginTurn(timeout: Duration?) -> UInt64 {
    let turn = state.withLock { state in
      state.turn += 1
      state.isOpen = true
      state.cause = nil
      return state.turn
    }
    if let timeout {
      let (seconds, attoseconds) = timeout.components
      let nanoseconds =
        Int(min(seconds, 1_000_000_000)) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
      Self.clock.asyncAfter(deadline: .now() + .nanoseconds(max(0, nanoseconds))) { [weak self] in
        self?.interrupt(turn, .deadline)
      }
    }
    return turn
  }

  /// Closes the turn; an interruption of it has no effect from now on.
  func endTurn(_ turn: UInt64) {
    let isRequesting = state.withLock { state in
      guard state.turn == turn else { return false }
      state.isOpen = false
      return state.isRequesting
    }
    if isRequesting, !isLost { awaitRequestUnderWay() }
    state.withLock { state in
      if state.turn == turn { state.cause = nil }
    }
  }

  /// Waits for the request that is on its way; gives the connection up if it does not come back.
  private func awaitRequestUnderWay() {
    let patience = DispatchTimeInterval.milliseconds(Self.patienceMilliseconds)
    guard underWay.wait(timeout: .now() + patience) == .timedOut else { return }
    noteLoss()
    state.withLock { if $0.socket >= 0 { pq_socket_cut($0.socket) } }
  }

  // MARK: calls within a turn

  /// The reason not to go on, if there is one.
  var cause: Cause? { state.withLock { $0.cause } }

  /// Marks that a call is with the server; throws instead if the turn was interrupted.
  ///
  /// Calls that tidy up (a rollback) are not interruptible and always go through.
  func enterCall(interruptible: Bool) throws(Interruption) {
    let (cause, isRequesting): (Cause?, Bool) = state.withLock { state in
      if interruptible, let cause = state.cause { return (cause, false) }
      state.isInFlight = true
      state.isInterruptible = interruptible
      return (nil, state.isRequesting)
    }
    if let cause { throw Interruption(cause: cause) }
    // Else the request for the statement before could hit the rollback.
    if isRequesting { awaitRequestUnderWay() }
  }

  /// Marks that the server's answer is complete.
  func leaveCall() {
    state.withLock { $0.isInFlight = false }
  }

  // MARK: from any thread

  /// Interrupts the turn that is open now, if any.
  func interruptCurrent() {
    let turn = state.withLock { $0.isOpen ? $0.turn : nil }
    if let turn { interrupt(turn, .cancelled) }
  }

  /// Interrupts the turn if it is still open.
  func interrupt(_ turn: UInt64, _ cause: Cause) {
    let isFirst = state.withLock { state in
      guard state.turn == turn, state.isOpen, state.cause == nil else { return false }
      state.cause = cause
      return true
    }
    guard isFirst else { return }
    requests.async { self.request(turn) }
    cutLater(turn)
  }

  /// Sends requests, one after the other, until the turn ends.
  private func request(_ turn: UInt64) {
    let (goesOn, sends) = state.withLock { state in
      guard state.turn == turn, state.isOpen, state.socket >= 0 else { return (false, false) }
      guard state.isInFlight, state.isInterruptible else { return (true, false) }
      state.isRequesting = true
      underWay.enter()
      return (true, true)
    }
    if sends {
      handle.request()
      state.withLock { $0.isRequesting = false }
      underWay.leave()
    }
    guard goesOn else { return }
    let pause = DispatchTimeInterval.milliseconds(Self.repeatMilliseconds)
    requests.asyncAfter(deadline: .now() + pause) { self.request(turn) }
  }

  /// Cuts the connection if the server has not reacted by then.
  ///
  /// A rollback that outlasts a mere cancellation is left alone; a deadline spares nothing.
  private func cutLater(_ turn: UInt64) {
    let patience = DispatchTimeInterval.milliseconds(Self.patienceMilliseconds)
    Self.clock.asyncAfter(deadline: .now() + patience) { [weak self] in
      guard let self else { return }
      let goesOn = state.withLock { state in
        guard state.turn == turn, state.isOpen, state.socket >= 0 else { return false }
        if state.isInFlight, state.isInterruptible || state.cause == .deadline {
          pq_socket_cut(state.socket)
        }
        return true
      }
      if goesOn { cutLater(turn) }
    }
  }
}

/// The turn was interrupted, so that a call was not made.
struct Interruption: Error {
  var cause: Interrupter.Cause
}
