internal import Accounting
internal import Storage

/// Under which policy each date is closed.
struct ClosePolicies {
  /// For every date; nil: as below.
  var asked: ClosePolicy?
  /// Of dates that were closed before.
  var kept: [Slot: ClosePolicy] = [:]

  /// The one that was asked for; else the date's own; else, of a date never closed, the usual one.
  func policy(of slot: Slot) -> ClosePolicy { asked ?? kept[slot] ?? ClosePolicy() }
}
