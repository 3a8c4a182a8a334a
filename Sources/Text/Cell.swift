/// A value of a series that is written for a spreadsheet or another program.
package enum Cell {
  /// A name, as somebody gave it.
  case text(String)
  /// Digits that no reader may round, or a date: JSON has them as a string.
  case exact(String)
  case number(Double)
  case bool(Bool)
  case none

  /// A name, or nothing.
  package static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .none }

  /// Digits or a date, or nothing.
  package static func optionalExact(_ text: String?) -> Cell { text.map { .exact($0) } ?? .none }

  /// A number, or nothing.
  package static func optional(_ number: Double?) -> Cell { number.map { .number($0) } ?? .none }

  /// The value in a line of JSON.
  package var json: JSON {
    switch self {
    case .text(let text), .exact(let text): .string(text)
    case .number(let number): .number(number)
    case .bool(let value): .bool(value)
    case .none: .null
    }
  }

  /// The value in a line of CSV.
  package var csv: String {
    switch self {
    case .text(let text): CSV.quoted(CSV.defused(text))
    case .exact(let text): text
    case .number(let number): "\(number)"
    case .bool(let value): value ? "true" : "false"
    case .none: ""
    }
  }
}

/// How texts are written between commas (RFC 4180), and for readers that calculate what they read.
package enum CSV {
  /// A text that a spreadsheet would calculate begins with an apostrophe; a plain number stays one.
  ///
  /// Such a text begins with `=`, `+`, `-` or `@`, also as wide as a Chinese character, or with a
  /// tab or the end of a line, behind which some programs look for one of these.
  package static func defused(_ text: String) -> String {
    guard let first = text.unicodeScalars.first, formulaStarts.contains(first),
      !isPlainNumber(text)
    else { return text }
    return "'" + text
  }

  /// In quotes where CSV asks for it.
  package static func quoted(_ text: String) -> String {
    guard text.utf8.contains(where: { quotedBytes.contains($0) }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  private static let formulaStarts: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠",
  ]
  private static let quotedBytes: Set<UInt8> = Set("\",\n\r\t".utf8)

  /// A sign, digits with at most one point, and at most a power of ten: no hexadecimal digits, no
  /// infinity, and nothing else that one reader takes for a number and another for a formula.
  private static func isPlainNumber(_ text: String) -> Bool {
    var rest = text.utf8[...]
    func takeSign() {
      if let sign = rest.first, sign == 0x2B || sign == 0x2D { rest.removeFirst() }
    }
    func takeDigits() -> Int {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      rest.removeFirst(digits.count)
      return digits.count
    }
    takeSign()
    var count = takeDigits()
    if rest.first == 0x2E {
      rest.removeFirst()
      count += takeDigits()
    }
    guard count > 0 else { return false }
    if rest.first == 0x65 || rest.first == 0x45 {
      rest.removeFirst()
      takeSign()
      guard takeDigits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}
