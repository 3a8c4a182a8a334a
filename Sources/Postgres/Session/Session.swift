internal import CLibPQ

/// One connection of libpq, and the only place through which anything goes to the server.
///
/// It is used on its connection's queue alone. Every exchange begins with `start`, which checks
/// that the peer is still there, asks the fault plan, and marks the call for interruption; and
/// it ends with `interrupter.leaveCall()`.
final class Session {
  /// One call to the server.
  struct Call {
    /// The name of the statement, for errors.
    var name: String
    /// Whether an interruption may keep the call from being made, or stop it.
    var isInterruptible = true
  }

  let handle: OpaquePointer
  let interrupter: Interrupter
  let notices: NoticeSink
  let redacted: String
  let faultPlan: FaultPlan?
  let statementTimeout: Duration?
  var variants: [String: [PreparedVariant]] = [:]
  var savepointDepth = 0
  var transactionIsOpen = false
  private var isClosed = false
  var fault: FaultPlan.Fault?
  private var startedAt: ContinuousClock.Instant?

  init(handle: OpaquePointer, notices: NoticeSink, configuration: Configuration) {
    self.handle = handle
    self.notices = notices
    interrupter = Interrupter(connection: handle)
    redacted = configuration.redacted
    faultPlan = configuration.faultPlan
    let limit = configuration.statementTimeoutMilliseconds
    statementTimeout = limit > 0 ? .milliseconds(limit) : nil
  }

  deinit { close() }

  /// Ends the session: `PQfinish`.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    interrupter.retire()
    PQfinish(handle)
  }

  /// Whether statements can be sent: `PQstatus`.
  var isAlive: Bool {
    !isClosed && !interrupter.isLost && PQstatus(handle) == CONNECTION_OK
  }

  /// Whether no transaction is open and no answer is awaited: `PQtransactionStatus`.
  var isIdle: Bool { isAlive && PQtransactionStatus(handle) == PQTRANS_IDLE }

  // MARK: the funnel

  /// Sends one call; `send` returns what libpq's `PQsend…` function does.
  ///
  /// After it has returned, the caller must take all results and call `leaveCall`.
  func start(_ call: Call, _ send: () -> Int32) throws {
    guard isAlive else { throw lossBeforeSend(call) }
    guard PQtransactionStatus(handle) != PQTRANS_ACTIVE else {
      throw PostgresError(
        .usage, "the connection is busy with another statement", statementName: call.name)
    }
    do throws(Interruption) {
      try interrupter.enterCall(interruptible: call.isInterruptible)
    } catch {
      throw interruption(error.cause, call)
    }
    do {
      fault = faultPlan?.next(call.name)
      if let fault { failBeforeSend(fault) }
      guard peerIsThere() else { throw lossBeforeSend(call) }
      startedAt = statementTimeout == nil ? nil : .now
      let isReplaced = fault == .serverError
      guard (isReplaced ? PQsendQuery(handle, Self.injectedError) : send()) == 1 else {
        throw sendFailure(call)
      }
    } catch {
      interrupter.leaveCall()
      throw error
    }
  }

  /// The answer is about to be awaited: a planned loss of it happens here.
  func awaitAnswer() {
    guard let fault, fault == .cutAfterSend || fault == .killAfterSend else { return }
    _ = PQflush(handle)
    // What is readable is the answer: the server has carried out the call.
    _ = pq_socket_is_readable(PQsocket(handle), 2000)
    if fault == .killAfterSend { pq_kill_self() }
    pq_socket_cut(PQsocket(handle))
    // The answer may lie in the socket's buffer already; it must be lost.
    pq_socket_drain(PQsocket(handle))
    self.fault = nil
  }

  /// Makes one call and takes its whole answer: the last result, or the first error thrown.
  func exchange(_ call: Call, _ send: () -> Int32) throws -> ServerResult {
    try start(call, send)
    defer { interrupter.leaveCall() }
    awaitAnswer()
    return try takeAnswer(call)
  }

  /// Takes results until there are no more: `PQgetResult`.
  func takeAnswer(_ call: Call) throws -> ServerResult {
    var answer: OpaquePointer?
    var failed: PostgresError?
    while let next = PQgetResult(handle) {
      switch PQresultStatus(next) {
      case PGRES_COPY_IN:
        PQclear(next)
        _ = PQputCopyEnd(handle, "the statement must not be a COPY")
      case PGRES_COPY_OUT, PGRES_COPY_BOTH:
        PQclear(next)
        discardCopyOut()
      case PGRES_FATAL_ERROR, PGRES_NONFATAL_ERROR, PGRES_BAD_RESPONSE:
        if failed == nil { failed = failure(next, call) }
        PQclear(next)
      default:
        PQclear(answer)
        answer = next
      }
      if !isAlive, failed != nil { break }
    }
    if let failed {
      PQclear(answer)
      throw failed
    }
    guard let answer else {
      throw isAlive
        ? PostgresError(
          .unexpectedAnswer, "the server gave no answer", statementName: call.name,
          reachedServer: true)
        : lossAfterSend(call)
    }
    return ServerResult(answer)
  }

  /// Takes and drops whatever still comes, so that the connection can be used again.
  func discardAnswer() {
    while let result = PQgetResult(handle) {
      let status = PQresultStatus(result)
      PQclear(result)
      if status == PGRES_COPY_IN { _ = PQputCopyEnd(handle, "abandoned") }
      if status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH { discardCopyOut() }
      if PQstatus(handle) != CONNECTION_OK { break }
    }
  }

  private func discardCopyOut() {
    var row: UnsafeMutablePointer<CChar>?
    while PQgetCopyData(handle, &row, 0) > 0 { PQfreemem(row) }
  }

  // MARK: before sending

  /// Looks whether the server has ended the connection meanwhile; costs one system call.
  ///
  /// A readable socket of an idle connection carries a notice, or the end of the stream. Only
  /// here can one still know that a call has *not* reached the server.
  func peerIsThere() -> Bool {
    guard pq_socket_is_readable(PQsocket(handle), 0) == 1 else { return true }
    while PQconsumeInput(handle) == 1 {
      _ = PQisBusy(handle)
      if pq_socket_is_readable(PQsocket(handle), 0) == 0 { break }
    }
    _ = PQisBusy(handle)
    return PQstatus(handle) == CONNECTION_OK
  }

  private func failBeforeSend(_ fault: FaultPlan.Fault) {
    switch fault {
    case .cutBeforeSend: pq_socket_cut(PQsocket(handle))
    case .kill: pq_kill_self()
    case .stop: pq_stop_self()
    case .cutAfterSend, .serverError, .killAfterSend, .stopInCopy: break
    }
  }

  /// Stands in for a call that is to fail: a genuine error of the server, with all it entails.
  private static let injectedError = """
    do $$ begin raise exception 'injected fault' using errcode = '40001'; end $$
    """

  /// Whether the call in hand was replaced by an injected error.
  var isReplaced: Bool { fault == .serverError }

  // MARK: errors

  /// The error that a failed result stands for.
  func failure(_ result: OpaquePointer, _ call: Call) -> PostgresError {
    var error = ServerResult.error(result, statementName: call.name)
    if error.isReadOnlyServer, error.hint == nil { error.hint = PostgresError.wayToWrite }
    let cause = interrupter.cause
    // After a fatal error the server closes; libpq notices only with its next look. An error
    // without a code is libpq's own: it could not read, or did not understand.
    let isLost =
      !isAlive || error.sqlState == nil || error.severity == "FATAL" || error.severity == "PANIC"
    if isLost {
      if error.sqlState == nil { error = lossAfterSend(call) }
      error.kind = .connectionLost
      error.connectionIsLost = true
      interrupter.noteLoss()
    }
    if let cause, error.sqlState == SQLState.queryCanceled || isLost {
      var stopped = interruption(cause, call)
      stopped.reachedServer = true
      stopped.sqlState = error.sqlState
      stopped.connectionIsLost = error.connectionIsLost
      return stopped
    }
    if error.sqlState == SQLState.queryCanceled, let startedAt, let statementTimeout,
      startedAt.duration(to: .now) >= statementTimeout
    {
      error.kind = .timeout
    }
    return error
  }

  func interruption(_ cause: Interrupter.Cause, _ call: Call) -> PostgresError {
    switch cause {
    case .cancelled: PostgresError(.cancelled, "cancelled", statementName: call.name)
    case .deadline:
      PostgresError(
        .timeout, "the time allowed for the work has passed", statementName: call.name)
    }
  }

  /// The connection was gone before the call was made.
  private func lossBeforeSend(_ call: Call) -> PostgresError {
    var error = lossAfterSend(call)
    error.reachedServer = false
    return error
  }

  /// The connection broke with the call under way.
  func lossAfterSend(_ call: Call) -> PostgresError {
    interrupter.noteLoss()
    let text = isClosed ? "" : ServerResult.oneLine(String(cString: PQerrorMessage(handle)))
    var error = PostgresError(
      .connectionLost, "the connection to the server was lost",
      detail: text.isEmpty ? nil : text, sqlState: SQLState.connectionFailure,
      statementName: call.name,
      reachedServer: true, connectionIsLost: true)
    if isClosed { error.message = "the connection is closed" }
    if let reason = notices.lastFatal {
      error.message = "the server ended the connection: \(reason.message)"
      error.sqlState = reason.sqlState
      error.severity = reason.severity
      error.detail = reason.detail
      error.hint = reason.hint
    }
    return error
  }

  /// libpq would not take the call; on a broken connection part of it may have gone out.
  private func sendFailure(_ call: Call) -> PostgresError {
    if !isAlive { return lossAfterSend(call) }
    return PostgresError(
      .usage,
      "libpq refused the call: "
        + ServerResult.oneLine(String(cString: PQerrorMessage(handle))),
      statementName: call.name)
  }
}
