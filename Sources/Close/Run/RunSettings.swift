package import Accounting
package import Storage

/// What a run was asked for, and how much it may take.
package struct RunSettings: Sendable {
  /// Only these portfolios; empty means all.
  package var codes: [String] = []
  /// Workers, one connection each.
  package var workers = 2
  /// Portfolios a chunk: memory is workers × chunk.
  package var chunk = 500
  /// How long a claim is protected without a sign of life.
  package var leaseSeconds = 120.0
  /// Close what each calendar had closed by this moment (seconds since 2000-01-01 00:00 UTC);
  /// nil: close the date asked for.
  package var closedBy: Int64?
  /// Whether missed business dates before the date asked for are closed first.
  package var catchesUp = true
  /// How many dates of a portfolio a night may close or close again.
  package var maxCatchUp = 10
  /// The policy on carried and missing prices, for every date; nil: what was closed before keeps
  /// its own, and what was not has the usual one.
  package var policy: ClosePolicy?
  /// Whether a degraded slot is refused.
  package var isStrict = false
  /// Why locked dates may be closed again, and who says so; nil: they stay.
  package var overrideLock: PeriodLocks.Author?
  /// How long to wait for slots that a live owner holds.
  package var waitSeconds: Double?
  /// Who we are, for the run history.
  package var host = ""
  /// Our process id.
  package var pid: Int32 = 0
  /// Our version.
  package var version = ""
  /// The arguments, without secrets.
  package var arguments = ""

  /// Whether every date of a segment is written, even one that comes out as it stands, and what it
  /// replaces is archived.
  var isRepair = false

  /// The defaults.
  package init() {}
}
