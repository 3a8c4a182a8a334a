import ArgumentParser
import Glibc
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

  private static let levels = ["error", "warning", "log", "notice", "info", "debug"]

  /// Lines without a name of their own belong to the message.
  init(_ text: String) {
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

  /// The `12345` of `(SQLSTATE 12345)`.
  private var sqlState: String? {
    guard let start = message.firstRange(of: "(SQLSTATE ")?.upperBound else { return nil }
    let code = message[start...].prefix { $0 != ")" }
    return code.count == 5 ? String(code) : nil
  }

  /// The object as one line.
  func json(at time: String) -> String {
    var members: [(String, JSON)] = [
      ("ts", .string(time)), ("level", .string(level)), ("message", .string(message)),
    ]
    members += details.map { ($0.name, .string($0.text)) }
    if let sqlState { members.append(("sqlstate", .string(sqlState))) }
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
