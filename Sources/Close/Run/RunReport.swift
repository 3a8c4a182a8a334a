package import Accounting
package import Problems

/// A slot that was not closed, and why.
package struct SlotFailure: Sendable, Hashable {
  /// The portfolio.
  package var portfolio: PortfolioName
  /// The date.
  package var date: Day
  /// Why.
  package var problem: StatedProblem

  /// Why, in an operator's words.
  package var error: String { "\(problem)" }
}

extension SlotFailure {
  /// A date that stays as it was reported, or was never closed and stays so.
  static func locked(_ portfolio: Portfolio, _ date: Day) -> SlotFailure {
    let month = date.description.dropLast(3)
    return SlotFailure(
      portfolio: portfolio.name, date: date,
      problem: StatedProblem(
        ProblemCode("date_locked", .locked), "\(month) is locked",
        remedy: Remedy(.unlock(month: String(month), portfolio: "\(portfolio.name)"))))
  }
}

/// What became of slots, counted.
package struct SlotCounts: Sendable, Hashable {
  /// Due in this run.
  package var planned = 0
  /// Placeholders of this run, those taken over among them.
  package var claimed = 0
  /// Closed, the degraded ones among them.
  package var completed = 0
  /// Closed with too many carried or missing prices.
  package var degraded = 0
  /// Nothing due: already complete, or not a business date.
  package var skipped = 0
  /// Held by a live owner.
  package var busy = 0
  /// Behind a date of the same portfolio that is not closed.
  package var blocked = 0
  /// Could not be closed; listed.
  package var failed = 0
  /// In a locked period; listed.
  package var locked = 0
  /// Taken over from an owner who is gone.
  package var takenOver = 0
  /// Lost to another owner before they were written.
  package var fenced = 0
  /// Looked at again and found right as they stood.
  package var unchanged = 0

  /// Nothing.
  package init() {}

  /// Adds what became of other slots.
  package static func += (left: inout SlotCounts, right: SlotCounts) {
    left.planned += right.planned
    left.claimed += right.claimed
    left.completed += right.completed
    left.degraded += right.degraded
    left.skipped += right.skipped
    left.busy += right.busy
    left.blocked += right.blocked
    left.failed += right.failed
    left.locked += right.locked
    left.takenOver += right.takenOver
    left.fenced += right.fenced
    left.unchanged += right.unchanged
  }
}

/// Where a run's time went, summed over its workers.
package struct StageSeconds: Sendable, Hashable {
  /// Asking what is due.
  package var plan = 0.0
  /// Inserting placeholders.
  package var claim = 0.0
  /// Reading inputs.
  package var load = 0.0
  /// Arithmetic.
  package var compute = 0.0
  /// Writing results.
  package var populate = 0.0

  /// No time.
  package init() {}

  /// Adds another worker's time.
  package static func += (left: inout StageSeconds, right: StageSeconds) {
    left.plan += right.plan
    left.claim += right.claim
    left.load += right.load
    left.compute += right.compute
    left.populate += right.populate
  }
}

/// How a run ended that could report.
package enum RunOutcome: String, Sendable {
  /// It went to its end, whatever became of the slots.
  case completed
  /// A signal stopped it: what was open was finished, and the rest was not begun.
  case interrupted
  /// Claims are paused: nothing was begun.
  case paused
}

/// What a run did.
package struct RunReport: Sendable {
  /// The run's number.
  package var run: Int64
  /// The date, or the last of the range, that was asked for.
  package var date: Day
  /// What became of the slots.
  package var counts = SlotCounts()
  /// The slots that were not closed: failed, refused, blocked.
  ///
  /// At most `failuresKept`.
  package var failures: [SlotFailure] = []
  /// Placeholders of owners who were gone, taken back at the start.
  package var reclaimed = 0
  /// Slots after a replayed range that are stale now: the first such date, if any.
  package var staleFrom: Day?
  /// Whether the run was stopped by a signal.
  package var interrupted = false
  /// Whether claims are paused, so that nothing was begun.
  package var paused = false
  /// Wall time.
  package var seconds = 0.0
  /// Where the time went.
  package var stages = StageSeconds()

  /// How it ended, in one word.
  package var outcome: RunOutcome {
    if paused { return .paused }
    return interrupted ? .interrupted : .completed
  }

  /// How many failures are kept; the count goes on.
  static let failuresKept = 1_000
}
