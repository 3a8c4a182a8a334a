internal import Glibc
package import Storage

/// Reads the rows of a CSV file (RFC 4180) one at a time, in memory that a row bounds.
///
/// A row is looked at where it stands in the reader's buffer; a field is copied only where it holds
/// doubled quotes. Rows end with LF or CRLF, empty lines are no rows, a byte order mark is passed
/// over. A row that breaks the rules costs itself alone: reading goes on after its line.
struct CSVReader {
  /// The most bytes that a row may have.
  static let rowLimit = 1 << 20

  /// Why the row read last is no row, and the number of the field; nil where it is fine.
  private(set) var problem: (field: Int?, message: String)?
  /// The line on which the row read last begins; the first line of the file is 1.
  private(set) var line = 0
  /// How many bytes of the file the rows read so far cover.
  private(set) var offset = 0

  let source: ByteSource
  private let blockSize: Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var end = 0
  private var isAtEnd = false
  /// The line on which the next row begins.
  private(set) var nextLine = 1
  private var rowEnd = 0
  private var scan: RowScan
  private var hash = SHA256()
  /// Up to where the buffer is in the digest.
  private var hashedEnd = 0

  /// A reader of a source, which takes so many bytes at a time.
  init(_ source: ByteSource, delimiter: UInt8 = UInt8(ascii: ","), blockSize: Int = 1 << 18) {
    self.source = source
    self.blockSize = blockSize
    scan = RowScan(delimiter: delimiter)
  }

  /// Whether the buffer keeps what was read already: as long as the header is looked for.
  private var keepsEverything = false
  /// Every byte read so far, as long as no row after the header was asked for.
  var everything: ArraySlice<UInt8> { buffer[..<end] }
  /// Everything up to the end of the header row, without its line end, once that was read.
  var beginning: ArraySlice<UInt8> { buffer[beginningStart..<rowText.endIndex] }
  private var beginningStart = 0

  /// Passes over a byte order mark.
  ///
  /// - Returns: The first bytes of the file, four if it has so many.
  mutating func begin() throws(ImportError) -> [UInt8] {
    while end < 4, !isAtEnd { try refill() }
    let first = Array(buffer[..<min(end, 4)])
    if first.starts(with: [0xEF, 0xBB, 0xBF]) {
      start = 3
      offset = 3
      beginningStart = 3
    }
    return first
  }

  /// Reads up to the row that begins on a line, however much that is, and keeps all of it.
  ///
  /// - Returns: Whether there is such a row.
  mutating func row(onLine line: Int) throws(ImportError) -> Bool {
    keepsEverything = true
    defer { keepsEverything = false }
    while nextLine < line {
      if let lineEnd = buffer[start..<end].firstIndex(of: UInt8(ascii: "\n")) {
        offset += lineEnd + 1 - start
        start = lineEnd + 1
        nextLine += 1
      } else {
        guard !isAtEnd, end < Self.rowLimit else { return false }
        try refill()
      }
    }
    return try next()
  }

  /// Reads the next row.
  ///
  /// - Returns: Whether there was one.
  mutating func next() throws(ImportError) -> Bool {
    problem = nil
    var blanks = 0
    while true {
      let found = buffer.withUnsafeBufferPointer { bytes -> RowScan.Found in
        guard let base = bytes.baseAddress else { return .more }
        return scan.row(base, from: start, to: end, isLast: isAtEnd)
      }
      switch found {
      case .more where isAtEnd: return false
      case .more where end - start > Self.rowLimit:
        try giveUpOnLongRow()
        return true
      case .more: try refill()
      case .blank(let next):
        blanks += 1
        if blanks % Self.blanksBetweenLooks == 0 { try source.requireWanted() }
        nextLine += 1
        offset += next - start
        start = next
      case .row(let next):
        line = nextLine
        rowEnd = next
        nextLine += scan.lineCount
        problem = scan.problem ?? textProblem()
        offset += next - start
        rowStart = start
        start = next
        return true
      }
    }
  }

  /// Lines may be blank without end, and somebody may ask to stop.
  private static let blanksBetweenLooks = 100_000

  private var rowStart = 0

  /// The row's fields; valid only during the call.
  func withRow<R>(_ body: (RowFields) throws -> R) rethrows -> R {
    try buffer.withUnsafeBufferPointer { bytes in
      try scan.scratch.withUnsafeBufferPointer { scratch in
        try scan.fields.withUnsafeBufferPointer { fields in
          try body(RowFields(bytes: bytes, scratch: scratch, fields: fields))
        }
      }
    }
  }

  /// The row as it stands in the file, without its line end.
  var rowText: ArraySlice<UInt8> {
    var last = rowEnd
    if last > rowStart, buffer[last - 1] == UInt8(ascii: "\n") { last -= 1 }
    if last > rowStart, buffer[last - 1] == UInt8(ascii: "\r") { last -= 1 }
    return buffer[rowStart..<last]
  }

  /// Whether the row's bytes are its problem, and not its quotes.
  var isTextProblem: Bool { scan.problem == nil && problem != nil && scan.fields.count > 0 }

  /// Looks for bytes that no text of the database can hold.
  private func textProblem() -> (field: Int?, message: String)? {
    let isPlain = buffer.withUnsafeBufferPointer { bytes in
      var all: UInt8 = 0
      var hasNull = false
      for byte in bytes[start..<rowEnd] {
        all |= byte
        hasNull = hasNull || byte == 0
      }
      return all < 0x80 && !hasNull
    }
    if isPlain { return nil }
    return withRow { row in
      for index in 0..<row.count {
        let field = row[index]
        if field.contains(0) { return (index, "contains a NUL byte") }
        if String(validating: field, as: UTF8.self) == nil {
          return (index, "is not valid UTF-8 text")
        }
      }
      return nil
    }
  }

  /// The SHA-256 of the first `offset` bytes: of the whole file once no row is left.
  mutating func digest() -> [UInt8] {
    hashConsumed()
    return hash.digest()
  }

  private mutating func hashConsumed() {
    guard hashedEnd < start else { return }
    let fresh = hashedEnd..<start
    buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[fresh])) }
    hashedEnd = start
  }

  /// Passes over everything before a checkpoint, which must be what was read then.
  ///
  /// - Throws: `ImportError.changed` where the file begins with other bytes.
  mutating func skip(to checkpoint: Checkpoint) throws(ImportError) {
    while offset < checkpoint.offset {
      if start == end {
        try refill()
        if isAtEnd { break }
      }
      let count = min(end - start, checkpoint.offset - offset)
      start += count
      offset += count
    }
    guard offset == checkpoint.offset, digest() == checkpoint.digest else {
      throw .changed(source: source.name, offset: checkpoint.offset)
    }
    nextLine = checkpoint.line
  }

  private mutating func refill() throws(ImportError) {
    if start > 0, !keepsEverything {
      hashConsumed()
      hashedEnd = 0
      let (first, count) = (start, end - start)
      buffer.withUnsafeMutableBytes { bytes in
        _ = bytes.baseAddress.map { memmove($0, $0 + first, count) }
      }
      (start, end) = (0, count)
    }
    if buffer.count < end + blockSize {
      buffer.append(contentsOf: repeatElement(0, count: end + blockSize - buffer.count))
    }
    let filled = end
    do {
      let (source, blockSize) = (source, blockSize)
      let count = try buffer.withUnsafeMutableBytes { bytes in
        try source.read(
          into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled..<filled + blockSize]))
      }
      end += count
      isAtEnd = count == 0
    } catch let error as ImportError {
      throw error
    } catch {
      throw .unreadable(source: source.name, reason: "\(error)", hint: nil)
    }
  }

  /// Passes over a row that is longer than any row may be, to the end of the line on which the
  /// limit is reached.
  private mutating func giveUpOnLongRow() throws(ImportError) {
    line = nextLine
    let cut = start + Self.rowLimit
    let lineEnd = buffer[cut..<end].firstIndex(of: UInt8(ascii: "\n")) ?? cut
    let kept = Array(buffer[start..<lineEnd])
    var from = start + Self.rowLimit
    nextLine += buffer[start..<from].count { $0 == UInt8(ascii: "\n") }
    offset += from - start
    while true {
      if let lineEnd = buffer[from..<end].firstIndex(of: UInt8(ascii: "\n")) {
        offset += lineEnd + 1 - from
        nextLine += 1
        start = lineEnd + 1
        break
      }
      offset += end - from
      start = end
      if isAtEnd { break }
      try source.requireWanted()
      try refill()
      from = start
    }
    problem = (nil, "the row is longer than \(Self.rowLimit) bytes; is a quote not closed?")
    scan.fields.removeAll(keepingCapacity: true)
    // What is reported of the row is kept in front of what follows.
    hashConsumed()
    hashedEnd = kept.count
    buffer.replaceSubrange(0..<start, with: kept)
    end += kept.count - start
    (rowStart, rowEnd, start) = (0, kept.count, kept.count)
  }
}

extension PastRefusal {
  /// Whether the row may be longer than what was kept of it.
  package var mayBeCut: Bool { (bytes?.count ?? text.utf8.count) >= CSVReader.rowLimit }
}

/// Where in a file an import goes on: everything before is done.
struct Checkpoint: Sendable, Equatable {
  /// How many bytes of the text lie before.
  var offset = 0
  /// How many rows lie before.
  var row = 0
  /// The line on which the next row begins.
  var line = 1
  /// The SHA-256 of the bytes before.
  var digest: [UInt8] = []
  /// How many bytes of the file lie before; fewer than `offset` where it is compressed.
  var sourceRead = 0
}

/// The fields of a row, where they stand.
struct RowFields {
  let bytes: UnsafeBufferPointer<UInt8>
  let scratch: UnsafeBufferPointer<UInt8>
  let fields: UnsafeBufferPointer<RowScan.Field>

  /// How many fields the row has.
  var count: Int { fields.count }

  /// A field's bytes, without its quotes.
  subscript(index: Int) -> UnsafeBufferPointer<UInt8> {
    let field = fields[index]
    let text = field.isInScratch ? scratch : bytes
    return UnsafeBufferPointer(rebasing: text[field.start..<field.end])
  }
}
