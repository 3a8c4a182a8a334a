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
  static func quoted(_ value: String) -> String {
    var result = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
