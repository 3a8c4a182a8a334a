extension String {
  /// The text without the white space before and after it.
  var withoutSpaceAround: String {
    // Nearly all have none, and characters are slow to look at.
    let isBare = utf8.first.map(Self.isVisible) ?? true && utf8.last.map(Self.isVisible) ?? true
    if isBare { return self }
    return String(
      trimmingPrefix(while: \.isWhitespace).reversed().trimmingPrefix(while: \.isWhitespace)
        .reversed())
  }

  private static func isVisible(_ byte: UInt8) -> Bool { byte > 32 && byte < 0x7F }
}
