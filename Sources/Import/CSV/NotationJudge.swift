/// Reads a file for how its numbers are written, before a row of it is taken.
///
/// `312.450` is three hundred and twelve where commas group, and a thousand times as much where
/// points do. One cell that can only be written the other way says which, for all of them: so the
/// whole file is asked before, and refused whole.
struct NotationJudge {
  private let notation: Notation
  private let fields: [(field: Int, name: String)]
  private let fieldCount: Int
  private let request: ImportRequest

  init(
    _ notation: Notation, _ fields: [(field: Int, name: String)], _ fieldCount: Int,
    _ request: ImportRequest
  ) {
    self.notation = notation
    self.fields = fields
    self.fieldCount = fieldCount
    self.request = request
  }

  /// Reads all rows, and begins again after the header; what can be read only once is spooled.
  ///
  /// - Parameter reader: Of a file of which only the header was read.
  /// - Throws: `ImportError.notation` at the first number that speaks against the notation.
  func judge(_ reader: inout CSVReader, _ passedOver: PassedOverRows) throws(ImportError) {
    guard !fields.isEmpty else { return }
    let source = reader.source
    if source.byteTotal == nil {
      _ = try source.rewound(after: reader.everything)
      reader = try reopened(source)
    }
    try read(&reader, passedOver)
    _ = try source.rewound(after: [])
    reader = try reopened(source)
  }

  private func reopened(_ source: ByteSource) throws(ImportError) -> CSVReader {
    var reader = CSVReader(source, delimiter: request.delimiter)
    _ = try reader.headerNames(onLine: request.headerLine)
    return reader
  }

  private func read(_ reader: inout CSVReader, _ passedOver: PassedOverRows) throws(ImportError) {
    var number = 0
    while try reader.next() {
      number += 1
      if number.isMultiple(of: 4_096) { try reader.source.requireWanted() }
      if reader.problem != nil || passedOver.contains(reader) {
        continue
      }
      guard let (name, cell, evidence) = reader.withRow(contradiction) else { continue }
      throw .notation(
        place: "\(reader.source.name), row \(number) (line \(reader.line)), \(name)",
        problem: "'\(cell)' \(problem(evidence))", hint: hint(evidence))
    }
  }

  private func contradiction(_ row: RowFields) -> (String, String, Notation.Evidence)? {
    guard row.count == fieldCount else { return nil }
    for (field, name) in fields {
      let cell = row[field].withoutSpaces
      guard !cell.isEmpty else { continue }
      let evidence = notation.evidence(cell)
      if evidence == .point || evidence == .comma {
        return (name, String(decoding: cell.prefix(60), as: UTF8.self), evidence)
      }
    }
    return nil
  }

  private func problem(_ evidence: Notation.Evidence) -> String {
    evidence == .point
      ? "has a decimal point, and points are to group thousands: the file is not one of 1.234,56"
      : "has a decimal comma, and commas are to group thousands: the file is not one of 1,234.56"
  }

  private func hint(_ evidence: Notation.Evidence) -> String {
    let isSemicolons = request.delimiter == UInt8(ascii: ";")
    if evidence == .point {
      return "numbers have decimal points here: "
        + (isSemicolons
          ? "--delimiter ';' instead of --decimal-comma" : "do without --decimal-comma")
    }
    return "numbers have decimal commas here: --decimal-comma"
      + (request.grouping ? " instead of --grouping" : "")
      + (isSemicolons ? "" : ", and --delimiter as the file has it")
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Without the spaces and tabs around.
  @inline(__always)
  var withoutSpaces: Self {
    var cell = self
    while let last = cell.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") {
      cell = Self(rebasing: cell.dropLast())
    }
    while let first = cell.first, first == UInt8(ascii: " ") || first == UInt8(ascii: "\t") {
      cell = Self(rebasing: cell.dropFirst())
    }
    return cell
  }
}
