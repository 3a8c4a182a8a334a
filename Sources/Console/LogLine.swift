package import Problems
import Text

/// How what is written to standard error looks.
package enum LogFormat: String, CaseIterable, Sendable {
  /// As a person reads it: `error: …`, `hint: …`.
  case text
  /// One JSON object a line, as a collector of logs reads it.
  case json
}

/// A message for standard error, in its parts: nothing is ever read out of its text.
///
/// What others wrote may be anywhere in it. A reader is shown each part on a line that we begin,
/// `level: text` and then `detail: …` and `hint: …`; a program gets each as one member.
package struct LogLine {
  /// How bad it is; PostgreSQL's own, in small letters.
  package enum Level: String {
    case error, warning, log, notice, info, debug
    /// What stands without a word before it: more about the message before.
    case more = ""
  }

  package var level: Level
  package var message: String
  /// Whether the message is a text with lines of its own, put together before: they are set in.
  package var keepsLines = false
  package var details: [String] = []
  package var hint: String?
  /// How PostgreSQL classifies it, where it is a problem of the database's.
  package var sqlState: String?
  /// The stable name of a problem.
  package var code: String?

  package init(_ level: Level, _ message: String, hint: String? = nil, code: ProblemCode? = nil) {
    self.level = level
    self.message = message
    self.hint = hint
    self.code = code?.name
  }

  /// A problem, and what it is about.
  package init(_ problem: StatedProblem, about subject: String? = nil, level: Level = .error) {
    // What PostgreSQL says begins with the level already.
    let prefix = "error: "
    let message =
      if let subject { "\(subject): \(problem.headline)" } else {
        problem.headline.hasPrefix(prefix)
          ? String(problem.headline.dropFirst(prefix.count)) : problem.headline
      }
    self.init(level, message, hint: problem.remedy?.text, code: problem.code)
    details = problem.details
    sqlState = problem.sqlState
  }

  /// Its lines, as they are written for a reader.
  package var lines: [String] {
    let head = level == .more ? message : "\(level.rawValue): \(message)"
    return (keepsLines ? head.setIn : [head]) + details.flatMap { "detail: \($0)".setIn }
      + (hint.map { ["hint: \($0)"] } ?? [])
  }

  /// The object as one line; no member is there twice.
  package func json(at time: String) -> String {
    let isInfo = level == .log || level == .more
    var members: [(String, JSON)] = [
      ("ts", .string(time)), ("level", .string(isInfo ? "info" : level.rawValue)),
      ("message", .string(message)),
    ]
    if !details.isEmpty { members.append(("detail", .string(details.joined(separator: "\n")))) }
    if let hint { members.append(("hint", .string(hint))) }
    if let sqlState { members.append(("sqlstate", .string(sqlState))) }
    if let code { members.append(("code", .string(code))) }
    return JSON.object(members).text
  }
}
