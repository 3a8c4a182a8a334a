internal import CLibPQ

/// Takes the notices that libpq would write to standard error.
///
/// A connection that the server ends while it is idle says why in a message of severity `FATAL`
/// that belongs to no statement; libpq passes it on as a notice. It is kept, so that the error
/// of the next statement can give the reason.
final class NoticeSink {
  var handler: (@Sendable (Notice) -> Void)?
  var lastFatal: PostgresError?

  init(_ handler: (@Sendable (Notice) -> Void)?) { self.handler = handler }

  /// Attaches the sink to a connection, which must not outlive it: `PQsetNoticeReceiver`.
  func attach(to connection: OpaquePointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = PQsetNoticeReceiver(
      connection,
      { context, result in
        guard let context, let result else { return }
        Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().receive(result)
      }, context)
  }

  private func receive(_ result: OpaquePointer) {
    let error = ServerResult.error(result, statementName: nil)
    if error.severity == "FATAL" || error.severity == "PANIC" { lastFatal = error }
    handler?(
      Notice(
        severity: error.severity ?? "NOTICE", sqlState: error.sqlState, message: error.message,
        detail: error.detail, hint: error.hint))
  }
}
