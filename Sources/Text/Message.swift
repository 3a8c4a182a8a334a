/// A message of one or more lines: what is said first, then lines such as `hint: …`.
package enum Message {
  /// The names that a line of ours begins with.
  package static let names = ["hint", "detail"]

  /// The message for a reader: what a terminal would obey is written out, and a line that has no
  /// name of ours is set in, so that nothing somebody else wrote looks like a message of its own.
  package static func text(_ message: String) -> String {
    let lines = message.shownLines.split(separator: "\n", omittingEmptySubsequences: false)
    let rest = lines.dropFirst().map { line in
      line.isEmpty || line.first == " " || named(String(line), names) != nil ? line : "  " + line
    }
    return (lines.prefix(1) + rest).joined(separator: "\n")
  }

  /// A line taken apart where it begins with one of some names, a colon and a space.
  package static func named(
    _ line: String, _ names: [String]
  ) -> (name: String, text: String)? {
    names.first { line.hasPrefix($0 + ": ") }.map { ($0, String(line.dropFirst($0.count + 2))) }
  }
}
