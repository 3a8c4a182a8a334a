internal import Postgres
internal import Storage

/// What a run says of itself, of all that went wrong in it.
///
/// Where a lease is over, several things happen at once and in any order: the heartbeat learns of
/// it, a worker's session is ended or its lease is found gone, and what else is under way is
/// cancelled. The run's error is the same whichever comes first.
enum RunFailure {
  /// The error that matters: that the server is another one or the lease is over, before anything
  /// else, and that before what was only cut off for another's sake.
  ///
  /// - Parameters:
  ///   - errors: As they arrived.
  ///   - leaseIsOver: Whether nothing may be written any more, by our own clock.
  ///   - lostSlots: Whether others took slots over that were ours.
  static func told(
    _ errors: [any Error], leaseIsOver: Bool, lostSlots: Bool
  ) -> (any Error)? {
    if let moved = errors.first(where: { $0 is ServerChanged }) { return moved }
    if let lease = errors.first(where: { $0 is LeaseEnded || $0 is LeaseGone }) { return lease }
    if leaseIsOver {
      if let other = errors.first(where: { !isCutOff($0) && !Fault.endedSession($0) }) {
        return other
      }
      return lostSlots || !errors.isEmpty ? LeaseEnded() : nil
    }
    return errors.first { !isCutOff($0) } ?? errors.first
  }

  private static func isCutOff(_ error: any Error) -> Bool {
    error is CancellationError || Fault.cause(of: error)?.kind == .cancelled
  }
}
