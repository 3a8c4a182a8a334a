extension CSVReader {
  /// Reads the header row, without the space around its names: the first row of the file, or the
  /// one that begins on a line.
  ///
  /// - Throws: `ImportError` where there is none, or the file is no CSV in UTF-8.
  mutating func headerNames(onLine wanted: Int = 1) throws(ImportError) -> [String] {
    let first = try begin()
    if first.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
      throw .notCSV(
        source: source.name, form: "a ZIP archive or a spreadsheet",
        hint: "save the sheet as CSV in UTF-8")
    }
    if first.starts(with: [0xFF, 0xFE]) || first.starts(with: [0xFE, 0xFF]) {
      throw .notText(
        source: source.name, reason: "it is UTF-16",
        hint: "save it as UTF-8, for example with iconv")
    }
    guard try row(onLine: wanted) else {
      guard wanted > 1 else { throw .empty(source: source.name) }
      throw .header(
        source: source.name, problem: "there is no header on line \(wanted)",
        hint: "--header-line is the number of its line in the file, the first one being 1")
    }
    if problem != nil || withRow({ $0.count == 1 }), let form = otherForm {
      throw .notCSV(source: source.name, form: form, hint: "export it as CSV")
    }
    if let problem { throw headerProblem(problem.field, problem.message) }
    return withRow { row in
      (0..<row.count).map { index in
        let name = String(decoding: row[index], as: UTF8.self)
        return String(
          name.trimmingPrefix(while: \.isWhitespace).reversed()
            .trimmingPrefix(while: \.isWhitespace).reversed())
      }
    }
  }

  /// What a row that is no header may be the beginning of; headers such as `<DATE>` are some.
  private var otherForm: String? {
    switch rowText.first {
    case UInt8(ascii: "<"): "XML or HTML"
    case UInt8(ascii: "{"), UInt8(ascii: "["): "JSON"
    default: nil
    }
  }

  /// Why a header is none: what is wrong with its bytes, or with its quotes.
  private func headerProblem(_ field: Int?, _ message: String) -> ImportError {
    let place = "column \((field ?? 0) + 1) of the header"
    if isTextProblem {
      return .notText(
        source: source.name, reason: "\(place) \(message)",
        hint: "save it as CSV in UTF-8; from Latin-1: iconv -f latin1 -t utf8")
    }
    return .header(
      source: source.name,
      problem:
        "line \(line) cannot be split into columns: \(message), in column \((field ?? 0) + 1)",
      hint: Delimiter.hint(behindQuotesIn: rowText)
        ?? "quote whole fields and double the quotes within; a header further down is named by "
        + "--header-line")
  }
}

extension Delimiter {
  /// The option that fits what stands between closing quotes and what follows them.
  static func hint(behindQuotesIn text: some Collection<UInt8>) -> String? {
    let quote = UInt8(ascii: "\"")
    let separators: [UInt8] = [UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]
    let between = zip(text, text.dropFirst())
      .filter { $0 == quote && separators.contains($1) }.map(\.1)
    return hint(inside: between)
  }
}
