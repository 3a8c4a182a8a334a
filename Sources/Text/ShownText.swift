extension Unicode.Scalar {
  /// Whether a terminal would obey this character, or show nothing of it.
  ///
  /// Control characters (C0, DEL, C1), separators of lines and paragraphs, what turns the direction
  /// of writing, and all that Unicode lets a reader ignore: zero-width spaces and joiners, soft
  /// hyphens, variation selectors, tags.
  package var isHidden: Bool {
    if value < 0x7F { return value < 0x20 }
    if value < 0xA0 { return true }
    return properties.isDefaultIgnorableCodePoint || value == 0x2028 || value == 0x2029
      || (0xFFF9...0xFFFB).contains(value)
  }

  /// `\t`, `\n` and `\r`, else `\u001b`, as JSON writes it: two of them beyond U+FFFF.
  var writtenOut: String {
    switch self {
    case "\t": "\\t"
    case "\n": "\\n"
    case "\r": "\\r"
    default: String(self).utf16.reduce(into: "") { $0 += "\\u" + Self.fourDigits($1) }
    }
  }

  private static func fourDigits(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }
}

extension StringProtocol {
  /// The text on one line, with every hidden character written out: `\u001b`, `\n`.
  ///
  /// For whatever was typed, stored or sent by somebody else.
  package var shown: String { shown(keepingLines: false) }

  /// The same with the ends of its lines left alone: for what another program reads, on a terminal.
  package var shownLines: String { shown(keepingLines: true) }

  private func shown(keepingLines: Bool) -> String {
    let isPlain = utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || keepingLines && $0 == 0x0A }
    if isPlain { return String(self) }
    var result = ""
    for scalar in unicodeScalars {
      if scalar.isHidden, !(keepingLines && scalar == "\n") {
        result += scalar.writtenOut
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Sequence<String> {
  /// A text for a reader: each element on a line of its own, whatever it holds.
  ///
  /// So a text is put together as lines and never as one string: what somebody else wrote is then
  /// always within a line of ours.
  package var shownLines: String {
    reduce(into: "") { text, line in
      text += line.shown
      text += "\n"
    }
  }
}

extension Sequence<[String]> {
  /// Parts of a text, those that are not empty, with an empty line between them.
  package var paragraphs: [String] {
    reduce(into: []) { lines, part in
      guard !part.isEmpty else { return }
      if !lines.isEmpty { lines.append("") }
      lines += part
    }
  }
}
