/// Rows that are none, by what they begin with: a comment, a total, a footnote.
struct PassedOverRows: Sendable {
  private let beginnings: [[UInt8]]

  /// Rows that begin with one of these texts; case, and space and quotes before it, do not count.
  init(_ beginnings: [String]) {
    self.beginnings = beginnings.map { Array($0.lowercased().utf8) }
  }

  /// Whether every row counts.
  var isEmpty: Bool { beginnings.isEmpty }

  /// Whether the row that was read last is passed over.
  ///
  /// One that is no row, since a quote in it is never closed, may have swallowed others: it is
  /// refused, unless it is one line.
  func contains(_ reader: CSVReader) -> Bool {
    guard !isEmpty, contains(reader.rowText) else { return false }
    return reader.problem == nil
      || reader.rowText.count < CSVReader.rowLimit && !reader.rowText.contains(UInt8(ascii: "\n"))
  }

  /// Whether a row of this text is passed over.
  private func contains(_ text: ArraySlice<UInt8>) -> Bool {
    guard
      let first = text.firstIndex(where: {
        $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\"")
      })
    else { return false }
    let longest = beginnings.reduce(0) { max($0, $1.count) }
    let begin = Array(
      String(decoding: text[first...].prefix(longest + 3), as: UTF8.self)
        .lowercased().utf8)
    return beginnings.contains { begin.starts(with: $0) }
  }
}
