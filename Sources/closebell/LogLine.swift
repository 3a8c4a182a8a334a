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

/// A message for standard error, taken apart: `level: text`, then lines such as `hint: …`.
struct LogLine {
  var level = "info"
  var message: String
  /// Further lines by their name, in their order.
  var details: [(name: String, text: String)] = []
  /// How PostgreSQL classifies it, where it is a problem of the database's.
  var sqlState: String?
  /// The stable name of a problem.
  var code: String?

  private static let levels = ["error", "warning", "log", "notice", "info", "debug"]

  /// Lines without a name of their own belong to the message.
  init(_ text: String, code: String? = nil) {
    self.code = code
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    message = lines[0]
    if let (level, rest) = Message.named(lines[0], Self.levels) {
      self.level = level == "log" ? "info" : level
      message = rest
    }
    for line in lines.dropFirst() {
      if let named = Message.named(line, Message.names) {
        details.append(named)
      } else {
        message += "\n" + line
      }
    }
  }

  /// A problem, and what it is about.
  init(_ problem: StatedProblem, about subject: String?) {
    level = "error"
    // What PostgreSQL says begins with the level already.
    let prefix = "error: "
    message =
      if let subject { "\(subject): \(problem.headline)" } else {
        problem.headline.hasPrefix(prefix)
          ? String(problem.headline.dropFirst(prefix.count)) : problem.headline
      }
    message = Typed.onOneLine(message)
    for detail in problem.details { add(detail) }
    if let remedy = problem.remedy { details.append(("hint", Typed.onOneLine(remedy.text))) }
    sqlState = problem.sqlState
    code = problem.code.name
  }

  /// A reason that was stored is one that somebody else was told, with lines such as `hint:` of its
  /// own.
  private mutating func add(_ detail: String) {
    let lines = Typed.onOneLine(detail).split(separator: "\n", omittingEmptySubsequences: false)
    details.append(("detail", String(lines[0])))
    for line in lines.dropFirst().map(String.init) {
      if let named = Message.named(line, Message.names) {
        details.append(named)
      } else {
        details[details.count - 1].text += "\n" + line
      }
    }
  }

  /// All of it, as it is written for a reader.
  var said: String {
    details.reduce("\(level): \(message)") { $0 + "\n\($1.name): \($1.text)" }
  }

  /// The object as one line.
  func json(at time: String) -> String {
    var members: [(String, JSON)] = [
      ("ts", .string(time)), ("level", .string(level)), ("message", .string(message)),
    ]
    members += details.map { ($0.name, .string($0.text)) }
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
