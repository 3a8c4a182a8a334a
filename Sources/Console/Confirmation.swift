import Glibc
import Problems

/// What nobody should do by mistake.
package enum Confirmation {
  /// Asks on a terminal; elsewhere only --yes, or a plan that was written down before, will do.
  package static func ask(_ question: String, isGiven: Bool, wasWrittenDown: Bool = false) throws {
    if isGiven { return }
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      if wasWrittenDown { return }
      throw StatedProblem(
        ProblemCode("nobody_to_ask", .usage), "nobody is there to be asked",
        remedy: "\(.option(.yes)) does it unasked")
    }
    StandardOutput.flush()
    Terminal.ask(question + " [y/N] ")
    let answer = Signals.endingTheProgram { readLine() }
    guard let answer, ["y", "yes"].contains(answer.lowercased()) else {
      throw StatedProblem(
        ProblemCode("not_confirmed", .refused), "not confirmed; nothing was changed")
    }
  }
}
