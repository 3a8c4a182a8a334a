package import Accounting
internal import Close
package import Problems
internal import Storage

/// How far the books are closed: what `status` shows.
package struct CoverageResult: Codable, Sendable {
  /// Whether nothing is missing, failed or stale, but for what is locked.
  package var isHealthy: Bool
  /// Ascending.
  package var dates: [DateCoverage]
  /// At most twenty.
  package var locks: [LockResult]
  /// At most twenty.
  package var failures: [SlotFailureResult]
  /// The latest, newest first.
  package var runs: [PastRun]

  private enum CodingKeys: String, CodingKey {
    case isHealthy = "healthy"
    case dates, locks, failures, runs
  }

  init(_ report: CoverageReport) {
    isHealthy = report.isHealthy
    dates = report.dates.map { DateCoverage($0) }
    locks = report.locks.map { LockResult($0) }
    failures = report.failures.map {
      SlotFailureResult(
        portfolio: $0.portfolio.description, date: $0.date, error: $0.error)
    }
    runs = report.runs.map { PastRun($0) }
  }
}

/// The slots of one date by state.
package struct DateCoverage: Codable, Sendable {
  package var date: Day
  /// The degraded ones among them.
  package var complete: Int
  package var degraded: Int
  package var claimed: Int
  package var failed: Int
  /// Those that ought to be there and are not.
  package var missing: Int
  /// Without the locked ones.
  package var stale: Int
  package var locked: Int
  /// Locked ones of which an input changed since.
  package var lockedStale: Int

  private enum CodingKeys: String, CodingKey {
    case date, complete, degraded, claimed, failed, missing, stale, locked
    case lockedStale = "locked_stale"
  }

  init(_ row: CoverageReport.Row) {
    date = row.date
    complete = row.states.complete
    degraded = row.states.degraded
    claimed = row.states.claimed
    failed = row.states.failed
    missing = row.missing
    stale = row.states.stale
    locked = row.states.locked
    lockedStale = row.states.lockedStale
  }
}

/// A lock on a period that stands.
package struct LockResult: Codable, Sendable {
  /// nil: every portfolio that has none of its own.
  package var portfolio: String?
  package var through: Day
  package var reason: String
  /// Who locked or unlocked it last.
  package var by: String
  /// When, UTC.
  package var at: String

  init(_ lock: PeriodLocks.HeldLock) {
    portfolio = lock.code
    through = lock.through
    reason = lock.author.reason
    by = lock.author.name
    at = lock.at
  }
}

/// A slot that could not be closed, and why.
package struct SlotFailureResult: Codable, Sendable {
  package var portfolio: String
  package var date: Day
  package var error: String
  /// Why, with its code, details and way out; nil in one that was read back.
  package var problem: StatedProblem?

  private enum CodingKeys: String, CodingKey {
    case portfolio, date, error
  }
}

/// A run of the past, or one that is under way.
package struct PastRun: Codable, Sendable {
  package var id: Int64
  /// The command.
  package var kind: String
  /// The first date that it was for.
  package var from: Day?
  package var through: Day?
  /// `running`, `done`, `failed`, `interrupted` or `lost`.
  package var status: String
  /// UTC.
  package var startedAt: String
  /// nil while it runs.
  package var seconds: Double?

  private enum CodingKeys: String, CodingKey {
    case id = "run_id"
    case kind, from
    case through = "to"
    case status
    case startedAt = "started_at"
    case seconds = "duration_seconds"
  }

  init(_ run: Coverage.Run) {
    id = run.id
    kind = run.kind
    (from, through) = run.dates
    status = run.status
    startedAt = run.startedAt
    seconds = run.seconds
  }
}
