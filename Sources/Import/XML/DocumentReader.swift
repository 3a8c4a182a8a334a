internal import Glibc

/// Reads the rows of an XML document one at a time, as `CSVReader` does those of a CSV file.
///
/// A piece of the document is in memory at a time, and the rows found in it. A resumed import reads
/// the document from its beginning again, and passes over the rows that it has.
struct DocumentReader {
  /// The line of the row read last, and of the next one.
  private(set) var line = 1
  /// How many bytes of the file the rows read so far cover.
  private(set) var offset = 0
  /// The row read last.
  private(set) var row = DocumentRow(line: 0, end: 0, lines: [])

  let source: ByteSource
  private let document: any ExportDocument
  private let reader: XMLReader
  private let pieceSize: Int
  private var piece: [UInt8] = []
  /// How many bytes of the file lie before the piece.
  private var pieceStart = 0
  private var isAtEnd = false
  private var failure: XMLFailure?
  /// The rows of the piece that were not asked for yet begin here.
  private var position = 0
  private var rows: [DocumentRow] = []
  private var rowCount = 0
  private var hash = SHA256()
  /// Up to where the file is in the digest.
  private var hashed = 0
  /// The digest as of the row read last, where more of the file is in the other.
  private var hashOfRows = SHA256()

  /// A reader of a source from which these bytes were taken already.
  init(
    _ source: ByteSource, begun: ArraySlice<UInt8> = [], as document: any ExportDocument,
    pieceSize: Int = 1 << 16
  ) {
    self.source = source
    self.document = document
    self.pieceSize = pieceSize
    reader = XMLReader(document)
    piece = Array(begun)
    if !piece.isEmpty { parse(isLast: false) }
  }

  /// The header of the rows' texts.
  var headerText: [UInt8] { Array(document.columns.joined(separator: ",").utf8) }

  /// The row read last as rows of a CSV file, which can be mended and imported as such.
  var rowText: ArraySlice<UInt8> {
    var text: [UInt8] = []
    for (number, line) in row.lines.enumerated() {
      if number > 0 { text.append(UInt8(ascii: "\n")) }
      for (place, cell) in line.enumerated() {
        if place > 0 { text.append(UInt8(ascii: ",")) }
        Self.append(cell, to: &text)
      }
    }
    return text[...]
  }

  private static func append(_ cell: String, to text: inout [UInt8]) {
    let quote = UInt8(ascii: "\"")
    guard cell.utf8.contains(where: { $0 == quote || $0 == UInt8(ascii: ",") || $0 < 32 }) else {
      return text.append(contentsOf: cell.utf8)
    }
    text.append(quote)
    for byte in cell.utf8 {
      if byte == quote { text.append(quote) }
      text.append(byte)
    }
    text.append(quote)
  }

  /// Reads the next row.
  ///
  /// - Returns: Whether there was one.
  /// - Throws: `ImportError` where the document is broken or ends early, after the rows before.
  mutating func next() throws(ImportError) -> Bool {
    while position == rows.count {
      if let failure {
        throw .notXML(
          source: source.name,
          place: "line \(failure.line)" + (failure.element.map { ", in <\($0)>" } ?? ""),
          reason: failure.reason, hint: failure.hint)
      }
      if isAtEnd {
        offset = pieceStart
        return false
      }
      try refill()
    }
    row = rows[position]
    position += 1
    rowCount += 1
    (line, offset) = (row.line, row.end)
    return true
  }

  /// The SHA-256 of the first `offset` bytes: of the whole file once no row is left.
  mutating func digest() -> [UInt8] {
    guard hashed <= offset else { return hashOfRows.digest() }
    hashConsumed(to: offset)
    return hash.digest()
  }

  /// Passes over the rows before a checkpoint, which must be those that were read then.
  ///
  /// - Throws: `ImportError.changed` where the file begins with other bytes.
  mutating func skip(to checkpoint: Checkpoint) throws(ImportError) {
    while rowCount < checkpoint.row {
      guard try next() else { break }
    }
    guard offset == checkpoint.offset, digest() == checkpoint.digest else {
      throw .changed(source: source.name, offset: checkpoint.offset)
    }
  }

  private mutating func hashConsumed(to end: Int) {
    guard hashed < end else { return }
    let fresh = hashed - pieceStart..<end - pieceStart
    piece.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[fresh])) }
    hashed = end
  }

  private mutating func refill() throws(ImportError) {
    if hashed <= offset {
      hashConsumed(to: offset)
      hashOfRows = hash
    }
    hashConsumed(to: pieceStart + piece.count)
    pieceStart += piece.count
    var space = piece
    if space.count != pieceSize { space = [UInt8](repeating: 0, count: pieceSize) }
    piece = []
    let count: Int
    do {
      let source = source
      count = try space.withUnsafeMutableBytes { try source.read(into: $0) }
    } catch let error as ImportError {
      throw error
    } catch {
      throw .unreadable(source: source.name, reason: "\(error)", hint: nil)
    }
    if count < space.count { space.removeLast(space.count - count) }
    piece = space
    try source.requireWanted()
    parse(isLast: count == 0)
  }

  private mutating func parse(isLast: Bool) {
    let reader = reader
    do throws(XMLFailure) {
      let result = piece.withUnsafeBytes { bytes -> Result<Void, XMLFailure> in
        do throws(XMLFailure) {
          return .success(try reader.read(bytes, isLast: isLast))
        } catch {
          return .failure(error)
        }
      }
      try result.get()
      isAtEnd = isLast
    } catch {
      failure = error
    }
    rows = document.takeRows()
    position = 0
  }
}
