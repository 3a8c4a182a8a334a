package import Accounting
package import Close
package import Problems

/// What a night, a replay or a repair's closing did.
package struct RunResult: Codable, Sendable {
  package var id: Int64
  /// The date, or the last of the range, that was asked for.
  package var date: Day
  /// `completed`, `interrupted` or `paused`.
  package var outcome: String
  package var slots: SlotCountsResult
  /// What kept it from being done; nil where nothing did, and in one that was read back.
  package private(set) var shortfall: ProblemKind?
  /// The slots that were not closed; at most a thousand.
  package var failures: [SlotFailureResult]
  /// Placeholders of owners who were gone, reclaimed at the start.
  package var reclaimed: Int
  /// The first date after a replayed range that is stale now.
  package var staleFrom: Day?
  package var seconds: Double
  /// Where the time went, summed over the workers.
  package var stages: StageSecondsResult

  private enum CodingKeys: String, CodingKey {
    case id = "run_id"
    case date, outcome, slots, failures
    case reclaimed = "taken_back"
    case staleFrom = "stale_from"
    case seconds = "duration_seconds"
    case stages
  }

  package init(_ report: RunReport) {
    id = report.run
    date = report.date
    outcome = report.outcome.rawValue
    slots = SlotCountsResult(report.counts)
    failures = report.failures.map { SlotFailureResult($0) }
    reclaimed = report.reclaimed
    staleFrom = report.staleFrom
    seconds = report.seconds
    stages = StageSecondsResult(report.stages)
    shortfall = report.shortfall
  }
}

/// What became of slots, counted.
package struct SlotCountsResult: Codable, Sendable {
  package var planned: Int
  package var claimed: Int
  package var completed: Int
  package var degraded: Int
  package var skipped: Int
  package var busy: Int
  package var blocked: Int
  package var failed: Int
  package var locked: Int
  package var takenOver: Int
  package var fenced: Int
  package var unchanged: Int

  private enum CodingKeys: String, CodingKey {
    case planned, claimed, completed, degraded, skipped, busy, blocked, failed, locked
    case takenOver = "taken_over"
    case fenced, unchanged
  }

  init(_ counts: SlotCounts) {
    planned = counts.planned
    claimed = counts.claimed
    completed = counts.completed
    degraded = counts.degraded
    skipped = counts.skipped
    busy = counts.busy
    blocked = counts.blocked
    failed = counts.failed
    locked = counts.locked
    takenOver = counts.takenOver
    fenced = counts.fenced
    unchanged = counts.unchanged
  }
}

/// Seconds of each stage.
package struct StageSecondsResult: Codable, Sendable {
  package var plan: Double
  package var claim: Double
  package var load: Double
  package var compute: Double
  package var populate: Double

  init(_ stages: StageSeconds) {
    plan = stages.plan
    claim = stages.claim
    load = stages.load
    compute = stages.compute
    populate = stages.populate
  }
}

extension SlotFailureResult {
  package init(_ failure: SlotFailure) {
    self.init(
      portfolio: failure.portfolio.description, date: failure.date, error: failure.error,
      problem: failure.problem)
  }
}
