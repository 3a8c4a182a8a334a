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
  /// Where in the file the chunk begins.
  let startOffset: Int
  /// Where in the file the chunk ends.
  var endOffset = 0
  /// The rows' texts, one after the other, in case that one is refused yet.
  private var texts: [UInt8] = []

  /// The bytes of a refused row that are kept.
  private static var textLimit: Int { 1_000 }

  init(startOffset: Int, capacity: Int) {
    self.startOffset = startOffset
    entries.reserveCapacity(capacity)
  }

  /// How many rows were read, refused ones among them.
  var rowCount: Int { entries.count + refused.count }

  /// Adds a valid row.
  mutating func append(_ row: Row, number: Int, line: Int, text: ArraySlice<UInt8>) {
    let start = texts.count
    texts.append(contentsOf: text.prefix(Self.textLimit))
    entries.append(Entry(number: number, line: line, row: row, text: start..<texts.count))
  }

  /// Adds a refused row.
  mutating func refuse(
    _ refusal: RowRefusal, number: Int, line: Int, text: ArraySlice<UInt8>
  ) {
    refused.append(
      RefusedRow(
        row: number, line: line, field: refusal.field, message: refusal.message,
        text: Self.readable(text)))
  }

  /// Marks an entry as replaced by a later one.
  mutating func replace(_ index: Int) { entries[index].isReplaced = true }

  /// A row that was valid by itself, as a refused one.
  func refusedRow(_ entry: Entry, _ refusal: RowRefusal) -> RefusedRow {
    RefusedRow(
      row: entry.number, line: entry.line, field: refusal.field, message: refusal.message,
      text: Self.readable(texts[entry.text]))
  }

  /// The text in a form that the database can keep and a terminal can show.
  private static func readable(_ text: ArraySlice<UInt8>) -> String {
    let text = text.prefix(textLimit)
    guard text.contains(0) else { return String(decoding: text, as: UTF8.self) }
    return String(String(decoding: text, as: UTF8.self).map { $0 == "\0" ? "\u{2400}" : $0 })
  }
}
