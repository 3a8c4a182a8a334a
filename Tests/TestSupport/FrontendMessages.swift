/// What a client says to PostgreSQL, cut into messages (protocol 3.0).
struct FrontendMessages {
  /// One message as it came.
  struct Message {
    var bytes: [UInt8]
    /// Whether it makes the server commit: a simple query, or the execution of a portal.
    var isCommit = false
  }

  private var bytes: [UInt8] = []
  private var hasBegun = false
  /// Prepared statements, and portals, that are a commit; by their names.
  private var statements: Set<String> = []
  private var portals: Set<String> = []

  mutating func append(_ more: [UInt8]) { bytes += more }

  /// The next whole message; nil until more has come.
  ///
  /// The first of a connection has no type.
  mutating func next() -> Message? {
    let head = hasBegun ? 1 : 0
    guard bytes.count >= head + 4 else { return nil }
    let length = bytes[head..<(head + 4)].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= head + length else { return nil }
    let message = Array(bytes.prefix(head + length))
    bytes.removeFirst(head + length)
    defer { hasBegun = true }
    return Message(bytes: message, isCommit: hasBegun && isCommit(message))
  }

  private mutating func isCommit(_ message: [UInt8]) -> Bool {
    var texts = message.dropFirst(5)
    func text() -> String {
      let text = texts.prefix { $0 != 0 }
      texts = texts.dropFirst(text.count + 1)
      return String(decoding: text, as: UTF8.self)
    }
    switch UnicodeScalar(message[0]) {
    case "Q": return Self.says(text())
    case "P":
      let name = text()
      if Self.says(text()) { statements.insert(name) } else { statements.remove(name) }
    case "B":
      let portal = text()
      if statements.contains(text()) { portals.insert(portal) } else { portals.remove(portal) }
    case "E": return portals.contains(text())
    default: break
    }
    return false
  }

  private static func says(_ query: String) -> Bool {
    query.lowercased().drop { $0 == " " || $0 == "\n" }.hasPrefix("commit")
  }
}
