package import Accounting
package import Close
package import Storage

/// How much one piece of work takes at a time: memory is workers × chunk.
package struct WorkLimits: Sendable {
  /// One connection each.
  package var workers: Int
  /// Portfolios that a worker takes at a time.
  package var chunk: Int
  /// How long a claim is protected without a sign of life.
  package var leaseSeconds: Double

  package init(workers: Int, chunk: Int, leaseSeconds: Double) {
    self.workers = workers
    self.chunk = chunk
    self.leaseSeconds = leaseSeconds
  }
}

/// What every computation over closed dates is asked for.
package struct WorkRequest: Sendable {
  /// Codes, `CODE#ID` for retired ones; empty: all.
  package var portfolios: [String]
  /// Nil: each date keeps the one that it was closed under, and others have the usual one.
  package var policy: ClosePolicy?
  package var limits: WorkLimits

  package init(portfolios: [String], policy: ClosePolicy?, limits: WorkLimits) {
    self.portfolios = portfolios
    self.policy = policy
    self.limits = limits
  }

  func settings(of caller: Caller) -> RunSettings {
    var settings = RunSettings()
    settings.codes = portfolios
    settings.policy = policy
    settings.workers = limits.workers
    settings.chunk = limits.chunk
    settings.leaseSeconds = limits.leaseSeconds
    settings.host = caller.host
    settings.pid = caller.process
    settings.version = caller.version
    settings.arguments = caller.arguments
    return settings
  }
}

/// What a run and a replay are asked for beyond that.
package struct CloseWork: Sendable {
  package var work: WorkRequest
  /// Whether a degraded snapshot is refused, and a clock that is not the server's.
  package var isStrict: Bool
  /// How long to wait for slots that a live owner holds; nil: as long as a lease.
  package var waitSeconds: Double?

  package init(_ work: WorkRequest, isStrict: Bool, waitSeconds: Double?) {
    self.work = work
    self.isStrict = isStrict
    self.waitSeconds = waitSeconds
  }

  func settings(of caller: Caller) -> RunSettings {
    var settings = work.settings(of: caller)
    settings.isStrict = isStrict
    settings.waitSeconds = waitSeconds
    return settings
  }
}

/// Closing what is due.
package struct CloseRequest: Sendable {
  package var closing: CloseWork
  /// Nil: what each calendar has closed by now.
  package var date: Day?
  /// Whether missed business dates before the date are closed first.
  package var catchesUp: Bool
  /// How many dates of a portfolio are closed, or closed again, at most.
  package var maxCatchUp: Int

  package init(_ closing: CloseWork, date: Day?, catchesUp: Bool, maxCatchUp: Int) {
    self.closing = closing
    self.date = date
    self.catchesUp = catchesUp
    self.maxCatchUp = maxCatchUp
  }
}

/// Closing a range again.
package struct ReplayRequest: Sendable {
  package var closing: CloseWork
  package var range: ReplayRange
  /// Why locked dates are closed again too, and who says so; nil: they stay.
  package var overrideLock: PeriodLocks.Author?

  package init(_ closing: CloseWork, range: ReplayRange, overrideLock: PeriodLocks.Author?) {
    self.closing = closing
    self.range = range
    self.overrideLock = overrideLock
  }

  func settings(of caller: Caller) -> RunSettings {
    var settings = closing.settings(of: caller)
    settings.overrideLock = overrideLock
    return settings
  }
}
