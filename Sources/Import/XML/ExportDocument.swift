internal import Problems

/// What a document says that is a row of a kind, or would be one.
struct DocumentRow {
  /// The line of its end.
  var line: Int
  /// How many bytes of the document are before its end.
  var end: Int
  /// Its cells in the columns of the kind: several rows where it means several things.
  var lines: [[String]]
  /// Why it is none; then the cells are what was understood.
  var refusal: RowRefusal?
}

/// A document of another program that is read as rows of a kind.
protocol ExportDocument: XMLVisitor {
  /// The columns of its rows.
  var columns: [String] { get }
  /// What was found since this was asked last.
  func takeRows() -> [DocumentRow]
}

extension ImportRequest {
  /// A document of the format that was asked for, to be read as rows of the kind.
  ///
  /// - Throws: `ImportError` where there is none, or an option does not apply to it.
  func document(source: String) throws(ImportError) -> any ExportDocument {
    guard let format else {
      throw .notCSV(
        source: source, form: "XML or HTML",
        hint: "--format \(ExportFormat.interactiveBrokers.rawValue) reads a Flex query, and "
          + "--format \(ExportFormat.portfolioPerformance.rawValue) a file of that program; "
          + "export anything else as CSV")
    }
    try requireNoneForTables()
    let portfolio = constants["portfolio"]
    let document: (any ExportDocument)? =
      switch format {
      case .interactiveBrokers:
        FlexDocument(
          kind, portfolio: portfolio, Notation(rounds: rounds, dateFormat: dateFormat))
      case .portfolioPerformance:
        ClientDocument(kind, portfolio: portfolio, instrumentKind: constants["kind"])
      case .ghostfolio: nil
      }
    guard let document else {
      throw .option(
        "there are no \(kind.rawValue) to be read in an XML file of \(format.rawValue)",
        remedy: "the manual says which kinds each format has")
    }
    let isOfOne = format == .portfolioPerformance
    try requireConstants(
      kind == .activities ? ["portfolio"] : kind == .instruments && isOfOne ? ["kind"] : [])
    if kind == .activities, isOfOne, portfolio == nil {
      throw .option(
        "an export of \(format.rawValue) does not say which portfolio it is of",
        remedy: "add --set portfolio=CODE")
    }
    return document
  }

  /// Refuses what says how a table is to be read.
  private func requireNoneForTables() throws(ImportError) {
    for (option, isAsked) in [
      ("--delimiter", delimiter != UInt8(ascii: ",")), ("--decimal-comma", decimalComma),
      ("--grouping", grouping), ("--map", !columnMap.isEmpty), ("--word", !meanings.isEmpty),
      ("--ignore", !ignored.isEmpty),
      ("--header-line", headerLine != 1), ("--skip-rows", !passedOver.isEmpty),
      ("--date-format", dateFormat != nil && format != .interactiveBrokers),
    ] where isAsked {
      throw .option(
        "\(option) does not go with an XML file, which says itself how it is written",
        remedy: "do without it")
    }
    guard !restate || kind == .instruments else {
      throw .option(
        "--restate does not go with \(kind.rawValue) of an XML file", remedy: "do without it")
    }
  }

  private func requireConstants(_ known: [String]) throws(ImportError) {
    guard let column = constants.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw .option(
      "column '\(column)' cannot be set for this format and kind",
      remedy: known.isEmpty
        ? "leave out --set" : "only --set \(known[0])=VALUE goes with it")
  }
}

/// Whether a file begins as XML does: with a declaration or a tag, after space and a byte order
/// mark.
///
/// Some vendors' headers of CSV files stand in such brackets too: `<TICKER>,<DATE>,<CLOSE>`.
func isXML(_ bytes: ArraySlice<UInt8>, delimiter: UInt8) -> Bool {
  let marks: Set<UInt8> = [0xEF, 0xBB, 0xBF, 0xFF, 0xFE, 0]
  // In UTF-16 each second byte of these is zero.
  let text = bytes.prefix(4_096).filter { !marks.contains($0) }.drop(while: isSpace)
  guard text.first == UInt8(ascii: "<") else { return false }
  guard let end = text.firstIndex(of: UInt8(ascii: ">")) else { return true }
  let name = text[..<end].dropFirst()
  guard !name.contains(where: { isSpace($0) || mayStandInTag.contains($0) }) else { return true }
  let rest = text[(end + 1)...]
  return rest.first != delimiter && rest.first { !isSpace($0) } == UInt8(ascii: "<")
}

private func isSpace(_ byte: UInt8) -> Bool { [9, 10, 13, 32].contains(byte) }

/// What only a tag has: `<?xml`, `<!--`, `<client/>`, `<client id="1">`.
private let mayStandInTag = Set("?!/=\"'".utf8)
