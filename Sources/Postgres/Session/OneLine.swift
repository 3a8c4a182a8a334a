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
}
