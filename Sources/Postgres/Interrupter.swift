internal import CLibPQ
internal import Dispatch
internal import Synchronization

/// Stops what a connection is doing, from any thread.
///
/// Work on a connection comes in *turns* (one `perform` each). An interruption belongs to the turn
/// that was under way when it was asked for and can never hit a later one: the requests are sent
/// under the lock that a turn needs in order to end. The server ignores a request that finds it
/// idle, so one that arrives a moment too early would be lost; therefore it is repeated until the
/// turn ends. A server that does not react for five seconds is cut off, lest a dead network
/// outlive its deadline.
final class Interrupter: Sendable {
  /// Why a turn was interrupted.
  enum Cause { case cancelled, deadline }

  /// libpq's copy of what a cancel request needs.
  ///
  /// Unchecked, because a pointer is never `Sendable`: the object does not change after it is
  /// made, libpq allows `PQcancel` from any thread, and it is freed under the lock of its user.
  private struct Handle: @unchecked Sendable {
    let pointer: OpaquePointer?
  }

  private struct State {
    var handle: Handle?
    var socket: Int32
    var turn: UInt64 = 0
    var isOpen = false
    var cause: Cause?
    var isInFlight = false
    var isInterruptible = true
    var requests = 0
  }

  private static let queue = DispatchQueue(label: "postgres.interrupter", attributes: .concurrent)
  private static let repeatMilliseconds = 250
  private static let requestsBeforeCut = 20

  private let state: Mutex<State>
  private let lost = Atomic<Bool>(false)

  init(connection: OpaquePointer) {
    let handle = Handle(pointer: PQgetCancel(connection))
    let socket = PQsocket(connection)
    state = Mutex(State(handle: handle, socket: socket))
  }

  deinit {
    state.withLock { PQfreeCancel($0.handle?.pointer) }
  }

  /// Whether the connection is known to be gone.
  var isLost: Bool { lost.load(ordering: .relaxed) }

  /// Notes that the connection is gone.
  func noteLoss() { lost.store(true, ordering: .relaxed) }

  /// Makes every later interruption do nothing; called before the connection is closed.
  func retire() {
    noteLoss()
    state.withLock { state in
      PQfreeCancel(state.handle?.pointer)
      state.handle = nil
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
      let nanoseconds = Int(clamping: seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
      Self.queue.asyncAfter(deadline: .now() + .nanoseconds(max(0, nanoseconds))) { [weak self] in
        self?.interrupt(turn, .deadline)
      }
    }
    return turn
  }

  /// Closes the turn; an interruption of it has no effect from now on.
  func endTurn(_ turn: UInt64) {
    state.withLock { state in
      guard state.turn == turn else { return }
      state.isOpen = false
      state.cause = nil
    }
  }

  // MARK: calls within a turn

  /// The reason not to go on, if there is one.
  var cause: Cause? { state.withLock { $0.cause } }

  /// Marks that a call is with the server; throws instead if the turn was interrupted.
  ///
  /// Calls that tidy up (a rollback) are not interruptible and always go through.
  func enterCall(interruptible: Bool) throws(Interruption) {
    let cause: Cause? = state.withLock { state in
      if interruptible, let cause = state.cause { return cause }
      state.isInFlight = true
      state.isInterruptible = interruptible
      return nil
    }
    if let cause { throw Interruption(cause: cause) }
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
      state.requests = 0
      return true
    }
    // The request blocks for a round trip: not on the thread of whoever cancels.
    if isFirst { Self.queue.async { self.request(turn) } }
  }

  private func request(_ turn: UInt64) {
    let goesOn = state.withLock { state in
      guard state.turn == turn, state.isOpen, state.cause != nil, let handle = state.handle?.pointer
      else {
        return false
      }
      guard state.isInFlight else { return true }
      state.requests += 1
      if state.requests > Self.requestsBeforeCut {
        if state.isInterruptible || state.cause == .deadline { pq_socket_cut(state.socket) }
        return false
      }
      if state.isInterruptible {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
          _ = PQcancel(handle, text.baseAddress, 256)
        }
      }
      return true
    }
    guard goesOn else { return }
    let wait = DispatchTimeInterval.milliseconds(Self.repeatMilliseconds)
    Self.queue.asyncAfter(deadline: .now() + wait) { self.request(turn) }
  }
}

/// The turn was interrupted, so that a call was not made.
struct Interruption: Error {
  var cause: Interrupter.Cause
}
