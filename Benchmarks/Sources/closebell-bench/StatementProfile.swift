import Glibc
import Postgres

/// Where a night's time goes on the server, statement by statement, as its own log tells.
///
/// Times are those that passed, waiting for a processor included; the log itself costs some.
struct StatementProfile {
  let connection: Connection
  let logFile: String

  /// What one kind of statement took in all.
  struct Part {
    var name: String
    var count = 0
    var milliseconds = 0.0
  }

  /// Runs `body` while the server writes down every statement's duration; the dearest first.
  func measure(_ body: () throws -> Void) async throws -> [Part] {
    try await set("= 0")
    let before = lines().count
    try body()
    let parts = sum(lines().dropFirst(before))
    try await set(nil)
    return parts
  }

  private func set(_ value: String?) async throws {
    let change = { (name: String) in
      value.map { "alter system set \(name) \($0)" } ?? "alter system reset \(name)"
    }
    for name in ["log_min_duration_statement", "log_parameter_max_length"] {
      let sql = change(name)
      try await connection.perform { db in try db.execute(sql: sql) }
    }
    try await connection.perform { db in try db.execute(sql: "select pg_catalog.pg_reload_conf()") }
    usleep(300_000)
  }

  private func lines() -> [Substring] {
    guard let file = fopen(logFile, "r") else { return [] }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n")
  }

  private func sum(_ lines: ArraySlice<Substring>) -> [Part] {
    var parts: [String: Part] = [:]
    for line in lines {
      guard let (name, milliseconds) = Self.statement(line) else { continue }
      var part = parts[name] ?? Part(name: name)
      part.count += 1
      part.milliseconds += milliseconds
      parts[name] = part
    }
    return parts.values.sorted { $0.milliseconds > $1.milliseconds }
  }

  /// As `… LOG:  duration: 0.145 ms  execute load-holdings: select …`.
  private static func statement(_ line: Substring) -> (name: String, milliseconds: Double)? {
    let words = line.split(separator: " ", omittingEmptySubsequences: true)
    guard let place = words.firstIndex(of: "duration:"), words.count > place + 4,
      let milliseconds = Double(words[place + 1])
    else { return nil }
    let (kind, rest) = (words[place + 3], words[(place + 4)...])
    switch kind {
    case "parse", "bind": return ("parse and plan", milliseconds)
    case "execute":
      let isNamed = rest.first != "<unnamed>:"
      return (isNamed ? String(rest[place + 4].dropLast()) : "of the run itself", milliseconds)
    default: return (rest.prefix(2).joined(separator: " "), milliseconds)
    }
  }
}
