package import Operations
import Presentation
import Problems
import Text

/// How a command ends that has closed dates.
package enum Concluding {
  /// Prints what was done and leaves with its exit code.
  package static func conclude(_ result: RunResult, _ style: OutputStyle, verb: String) throws {
    try style.present(result) { RunText($0, verb: verb).lines }
    complain(result.failures, shown: style.isVerbose ? result.failures.count : 20)
    if result.outcome == "paused" {
      Terminal.complain(
        StatedProblem(
          ProblemCode("claims_paused", .busy), "claims are paused", remedy: Remedy(.resumeClaims)))
    } else if result.shortfall == .busy {
      Terminal.complain(
        StatedProblem(
          ProblemCode("slots_held", .busy), "held by another run: \(result.slots.busy) slots",
          remedy: "try again later"))
    }
    if let shortfall = result.shortfall { throw Ended(shortfall) }
  }

  private static func complain(_ failures: [SlotFailureResult], shown: Int) {
    for failure in failures.prefix(shown) { complain(failure) }
    let hidden = failures.count - min(failures.count, shown)
    if hidden > 0 {
      Terminal.complain(.more, "detail: and \(hidden) more; see them with --verbose")
    }
  }

  /// Says why a slot was not closed.
  package static func complain(_ failure: SlotFailureResult) {
    let slot = "portfolio \(failure.portfolio), \(failure.date)"
    if let problem = failure.problem { return Terminal.complain(problem, about: slot) }
    // What was put together before has lines of its own.
    var line = LogLine(.error, "\(slot): \(failure.error)")
    line.keepsLines = true
    Terminal.complain(line)
  }
}
