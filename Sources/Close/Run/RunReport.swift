public import Accounting
public import Problems

/// A slot that was not closed, and why.
public struct SlotFailure: Sendable, Hashable {
  /// The portfolio.
  public var portfolio: PortfolioName
  /// The date.
  public var date: Day
  /// Why.
  public var problem: StatedProblem

  /// Why, in an operator's words.
  public var error: String { "\(problem)" }
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
public struct SlotCounts: Sendable, Hashable {
  /// Due in this run.
  public var planned = 0
  /// Placeholders of this run, those taken over among them.
  public var claimed = 0
  /// Closed, the degraded ones among them.
  public var completed = 0
  /// Closed with too many carried or missing prices.
  public var degraded = 0
  /// Nothing due: already complete, or not a business date.
  public var skipped = 0
  /// Held by a live owner.
  public var busy = 0
  /// Behind a date of the same portfolio that is not closed.
  public var blocked = 0
  /// Could not be closed; listed.
  public var failed = 0
  /// In a locked period; listed.
  public var locked = 0
  /// Taken over from an owner who is gone.
  public var takenOver = 0
  /// Lost to another owner before they were written.
  public var fenced = 0
  /// Looked at again and found right as they stood.
  public var unchanged = 0

  /// Nothing.
  public init() {}

  /// Adds what became of other slots.
  public static func += (left: inout SlotCounts, right: SlotCounts) {
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
public struct StageSeconds: Sendable, Hashable {
  /// Asking what is due.
  public var plan = 0.0
  /// Inserting placeholders.
  public var claim = 0.0
  /// Reading inputs.
  public var load = 0.0
  /// Arithmetic.
  public var compute = 0.0
  /// Writing results.
  public var populate = 0.0

  /// No time.
  public init() {}

  /// Adds another worker's time.
  public static func += (left: inout StageSeconds, right: StageSeconds) {
    left.plan += right.plan
    left.claim += right.claim
    left.load += right.load
    left.compute += right.compute
    left.populate += right.populate
  }
}

/// How a run ended that could report.
public enum RunOutcome: String, Sendable {
  /// It went to its end, whatever became of the slots.
  case completed
  /// A signal stopped it: what was open was finished, and the rest was not begun.
  case interrupted
  /// Claims are paused: nothing was begun.
  case paused
}

/// What a run did.
public struct RunReport: Sendable {
  /// The run's number.
  public var run: Int64
  /// The date, or the last of the range, that was asked for.
  public var date: Day
  /// What became of the slots.
  public var counts = SlotCounts()
  /// The slots that were not closed: failed, refused, blocked.
  ///
  /// At most `failuresKept`.
  public var failures: [SlotFailure] = []
  /// Placeholders of owners who were gone, taken back at the start.
  public var reclaimed = 0
  /// Slots after a replayed range that are stale now: the first such date, if any.
  public var staleFrom: Day?
  /// Whether the run was stopped by a signal.
  public var interrupted = false
  /// Whether claims are paused, so that nothing was begun.
  public var paused = false
  /// Wall time.
  public var seconds = 0.0
  /// Where the time went.
  public var stages = StageSeconds()

  /// How it ended, in one word.
  public var outcome: RunOutcome {
    if paused { return .paused }
    return interrupted ? .interrupted : .completed
  }

  /// How many failures are kept; the count goes on.
  public static let failuresKept = 1_000
}
