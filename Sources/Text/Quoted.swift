/// Text of strangers within a message: short, on one line, and harmless on a terminal.
package enum Quoted {
  /// At most so many characters are shown.
  private static let most = 60

  /// `'text'`, with what a terminal would obey written out.
  package static func short(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let start = String(String.UnicodeScalarView(scalars.prefix(most)))
    return "'\(start.shown)\(scalars.count > most ? "…" : "")'"
  }
}
