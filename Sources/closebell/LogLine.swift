import ArgumentParser
import Glibc
import Problems
import Text

/// How what is written to standard error looks.
enum LogFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  /// As a person reads it: `error: …`, `hint: …`.
  case text
  /// One JSON object a line, as a collector of logs reads it.
  case json
}

/// A message for standard error, in its parts: nothing is ever read out of its text.
///
/// What others wrote may be anywhere in it. A reader is shown each part on a line that we begin,
/// `level: text` and then `detail: …` and `hint: …`; a program gets each as one member.
struct LogLine {
  /// How bad it is; PostgreSQL's own, in small letters.
  enum Level: String {
    case error, warning, log, notice, info, debug
    /// What stands without a word before it: more about the message before.
    case more = ""
  }

  var level: Level
  var message: String
  /// Whether the message is a text with lines of its own, put together before: they are set in.
  var keepsLines = false
  var details: [String] = []
  var hint: String?
  /// How PostgreSQL classifies it, where it is a problem of the database's.
  var sqlState: String?
  /// The stable name of a problem.
  var code: String?

  init(_ level: Level, _ message: String, hint: String? = nil, code: ProblemCode? = nil) {
    self.level = level
    self.message = message
    self.hint = hint
    self.code = code?.name
  }

  /// A problem, and what it is about.
  init(_ problem: StatedProblem, about subject: String? = nil, level: Level = .error) {
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
  var lines: [String] {
    let head = level == .more ? message : "\(level.rawValue): \(message)"
    return (keepsLines ? head.setIn : [head]) + details.flatMap { "detail: \($0)".setIn }
      + (hint.map { ["hint: \($0)"] } ?? [])
  }

  /// The object as one line; no member is there twice.
  func json(at time: String) -> String {
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

extension Clock {
  /// The time in UTC with milliseconds, as logs have it.
  static var timestamp: String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let bytes = buffer.prefix(length).map { UInt8(bitPattern: $0) }
    let milliseconds = String(1_000 + now.tv_nsec / 1_000_000).dropFirst()
    return String(decoding: bytes, as: UTF8.self) + ".\(milliseconds)Z"
  }
}
