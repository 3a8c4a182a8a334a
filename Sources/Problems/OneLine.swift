// The lines of a message are ours alone, whatever others wrote into them. Everything here looks at
// scalars: to Swift a carriage return and a line feed are one character, which is neither.

extension String {
  /// The text with the ends of its lines written out, `\\n` and `\\r`.
  ///
  /// For what others wrote, in a message whose further lines (`detail:`, `hint:`) are ours alone.
  package var onOneLine: String {
    guard utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  /// The lines of a text that somebody else wrote, each after the first set in by two blanks, so
  /// that none of them looks like one of ours.
  package var setIn: [String] {
    unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      ($0 == 0 ? "" : "  ") + String($1).onOneLine
    }
  }
}
