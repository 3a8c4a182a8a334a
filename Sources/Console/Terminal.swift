import Glibc
package import Problems
import Synchronization
import Text

/// Where people and programs read.
package enum Terminal {
  private static let chosen = Mutex(LogFormat.text)

  /// How messages look; set before the first one.
  package static var format: LogFormat {
    get { chosen.withLock { $0 } }
    set { chosen.withLock { $0 = newValue } }
  }

  /// Writes a message to standard error.
  ///
  /// What a terminal would obey is written out: much of what is complained about was typed, stored
  /// or sent by somebody else.
  package static func complain(
    _ level: LogLine.Level, _ message: String, hint: String? = nil, code: ProblemCode? = nil
  ) {
    complain(LogLine(level, message, hint: hint, code: code))
  }

  /// Says what the problem is, about what if more than one thing is under way.
  package static func complain(_ problem: StatedProblem, about subject: String? = nil) {
    complain(LogLine(problem, about: subject))
  }

  /// The one door to standard error for what is said in words.
  package static func complain(_ line: LogLine) {
    switch format {
    case .text: draw(line.lines.shownLines)
    case .json: draw(line.json(at: Clock.timestamp) + "\n")
    }
  }

  /// Asks a person; the answer is typed on the same line.
  package static func ask(_ question: String) { draw(question.shown) }

  /// Writes a text to standard error as it is, such as a line of progress: words of ours alone.
  package static func draw(_ text: String) {
    // Where it fails nobody is there to be told that nobody listens.
    _ = writeAll(Array(text.utf8)[...], to: STDERR_FILENO)
  }

  /// Whether standard error is a terminal that may be drawn on.
  static var isInteractive: Bool {
    guard format == .text, isatty(STDERR_FILENO) == 1, getenv("NO_COLOR") == nil else {
      return false
    }
    return getenv("TERM").map { String(cString: $0) } != "dumb"
  }
}

/// Warnings that hold for every connection of a process, told with the first.
package enum Warnings {
  private static let told = Mutex<Set<String>>([])

  package static func once(_ warning: String, hint: String?) {
    guard told.withLock({ $0.insert(warning).inserted }) else { return }
    Terminal.complain(.warning, warning, hint: hint)
  }
}
