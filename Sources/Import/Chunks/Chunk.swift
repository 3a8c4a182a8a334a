internal import Accounting

/// Rows of a file that are written in one transaction.
struct Chunk<Row: Sendable>: Sendable {
  /// A valid row and where it stood.
  struct Entry: Sendable {
    let number: Int
    let line: Int
    let row: Row
    fileprivate let text: Range<Int>
    /// Whether a later row has the same key.
    fileprivate(set) var isReplaced = false
  }

  /// The valid rows, in the order of the file.
  private(set) var entries: [Entry] = []
  /// The rows that were refused as they were read.
  private(set) var refused: [RefusedRow] = []
  /// What was noticed of the valid rows, and how many were passed over.
  var remarks = Remarks()
  /// Where in the file the chunk begins.
  let start: Checkpoint
  /// Where in the file the chunk ends.
  var end: Checkpoint
  /// The rows' texts, one after the other, in case that one is refused yet.
  private var texts: [UInt8] = []

  init(start: Checkpoint, capacity: Int) {
    self.start = start
    end = start
    entries.reserveCapacity(capacity)
  }

  /// How many rows were read, refused ones among them.
  var rowCount: Int { entries.count + refused.count }

  /// Adds a valid row.
  mutating func append(_ row: Row, number: Int, line: Int, text: ArraySlice<UInt8>) {
    let start = texts.count
    texts.append(contentsOf: text)
    entries.append(Entry(number: number, line: line, row: row, text: start..<texts.count))
  }

  /// Adds a refused row.
  mutating func refuse(
    _ refusal: RowRefusal, number: Int, line: Int, text: ArraySlice<UInt8>
  ) {
    refused.append(RefusedRow(refusal, number: number, line: line, bytes: text))
  }

  /// Marks an entry as replaced by a later one.
  mutating func replace(_ index: Int) { entries[index].isReplaced = true }

  /// A row that was valid by itself, as a refused one.
  func refusedRow(_ entry: Entry, _ refusal: RowRefusal) -> RefusedRow {
    RefusedRow(refusal, number: entry.number, line: entry.line, bytes: texts[entry.text])
  }

  /// The line on which an entry begins.
  func line(ofRow number: Int) -> Int? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].number == number ? entries[low].line : nil
  }

  /// The first entry at or after an index that belongs to another row than the one before it.
  func rowBoundary(atOrAfter index: Int) -> Int {
    var index = index
    while index > 0, index < entries.count, entries[index].number == entries[index - 1].number {
      index += 1
    }
    return index
  }
}

extension RefusedRow {
  /// A refused row with its text as it stands in the file.
  init(_ refusal: RowRefusal, number: Int, line: Int, bytes: ArraySlice<UInt8>) {
    let isText = !bytes.contains(0)
    if isText, let text = String(validating: bytes, as: UTF8.self) {
      self.init(
        row: number, line: line, field: refusal.field, message: refusal.message, text: text)
    } else {
      // In a form that the database can keep and a terminal can show.
      let text = String(
        String(decoding: bytes, as: UTF8.self).map { $0 == "\0" ? "\u{2400}" : $0 })
      self.init(
        row: number, line: line, field: refusal.field, message: refusal.message, text: text,
        bytes: Array(bytes))
    }
    advice = refusal.advice
    if case .symbol(let symbol, let currency) = refusal.unknown {
      missing = MissingSymbol(
        symbol: symbol.description, currency: currency, rows: 1, row: number, line: line)
    }
  }
}
