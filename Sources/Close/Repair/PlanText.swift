import Text

/// A plan as a file: JSON that a person can read, one decision a block.
enum PlanText {
  /// An object on one line; values are JSON already.
  static func object(_ members: [(String, String)]) -> String {
    "{" + members.map { "\(quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
  }

  /// An object with a line a member.
  static func block(_ members: [(String, String)], indent: String = "") -> String {
    "{\n"
      + members.map { "\(indent)  \(quoted($0.0)): \($0.1)" }.joined(separator: ",\n")
      + "\n\(indent)}"
  }

  /// An array with a line an element.
  static func lines(_ elements: [String], indent: String = "") -> String {
    guard !elements.isEmpty else { return "[]" }
    return "[\n" + elements.map { "\(indent)  \($0)" }.joined(separator: ",\n") + "\n\(indent)]"
  }

  /// A string, or null.
  static func optional(_ text: String?) -> String { text.map(quoted) ?? "null" }

  /// A string.
  static func quoted(_ value: String) -> String { JSON.quoted(value) }
}
