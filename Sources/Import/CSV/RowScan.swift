/// Finds the fields of one row in a piece of text, and keeps them until the next.
struct RowScan {
  /// Where a field stands: in the text, or among the copies of those with doubled quotes.
  struct Field {
    var start: Int
    var end: Int
    var isInScratch: Bool
  }

  /// What a piece of text begins with.
  enum Found {
    /// A row or a line that breaks the rules, up to this position.
    case row(next: Int)
    /// An empty line, up to this position.
    case blank(next: Int)
    /// A row that is not complete yet.
    case more
  }

  /// The row's fields.
  var fields: [Field] = []
  /// Fields with doubled quotes, copied without the doubles.
  private(set) var scratch: [UInt8] = []
  /// How many lines the row covers.
  private(set) var lineCount = 1
  /// Why it is no row, and the number of the field.
  private(set) var problem: (field: Int?, message: String)?
  /// What separates fields.
  private let delimiter: UInt8

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// A scan of rows whose fields this byte separates.
  init(delimiter: UInt8) { self.delimiter = delimiter }

  /// Finds the row that begins at `from`; the bytes known end at `to`.
  mutating func row(
    _ text: UnsafePointer<UInt8>, from: Int, to: Int, isLast: Bool
  ) -> Found {
    fields.removeAll(keepingCapacity: true)
    scratch.removeAll(keepingCapacity: true)
    problem = nil
    lineCount = 1
    var position = from
    if from == to { return .more }
    while true {
      let isQuoted = position < to && text[position] == Self.quote
      let fieldEnd =
        isQuoted
        ? quoted(text, &position, to: to, isLast: isLast)
        : bare(text, &position, to: to, isLast: isLast)
      switch fieldEnd {
      case .delimiter: position += 1
      case .end(let next):
        let isBlank = fields.count == 1 && fields[0].start == fields[0].end && !isQuoted
        return isBlank ? .blank(next: next) : .row(next: next)
      case .more: return .more
      case .broken(let message):
        problem = (fields.count, message)
        while position < to, text[position] != Self.lineFeed { position += 1 }
        if position == to { return isLast ? .row(next: to) : .more }
        return .row(next: position + 1)
      }
    }
  }

  private enum FieldEnd {
    case delimiter
    case end(next: Int)
    case more
    case broken(String)
  }

  /// What follows a field: a delimiter, the end of the line or of the text; nil for anything else.
  @inline(__always)
  private func ending(
    _ text: UnsafePointer<UInt8>, _ position: Int, to: Int, isLast: Bool
  ) -> FieldEnd? {
    if position == to { return isLast ? .end(next: to) : .more }
    switch text[position] {
    case delimiter: return .delimiter
    case Self.lineFeed: return .end(next: position + 1)
    case Self.carriageReturn:
      if position + 1 == to { return isLast ? .end(next: to) : .more }
      return text[position + 1] == Self.lineFeed ? .end(next: position + 2) : nil
    default: return nil
    }
  }

  private mutating func bare(
    _ text: UnsafePointer<UInt8>, _ position: inout Int, to: Int, isLast: Bool
  ) -> FieldEnd {
    let start = position
    let delimiter = delimiter
    while true {
      while position < to {
        let byte = text[position]
        if byte == delimiter || byte == Self.lineFeed || byte == Self.quote
          || byte == Self.carriageReturn
        {
          break
        }
        position += 1
      }
      if let ending = ending(text, position, to: to, isLast: isLast) {
        fields.append(Field(start: start, end: position, isInScratch: false))
        return ending
      }
      if text[position] == Self.quote { return .broken("a quote inside a field without quotes") }
      position += 1  // a carriage return that ends no line
    }
  }

  private mutating func quoted(
    _ text: UnsafePointer<UInt8>, _ position: inout Int, to: Int, isLast: Bool
  ) -> FieldEnd {
    let start = position + 1
    var copied = start
    let scratchStart = scratch.count
    position = start
    while true {
      while position < to, text[position] != Self.quote {
        if text[position] == Self.lineFeed { lineCount += 1 }
        position += 1
      }
      if position == to { return isLast ? .broken("the quote is never closed") : .more }
      if position + 1 == to, !isLast { return .more }
      guard position + 1 < to, text[position + 1] == Self.quote else { break }
      scratch.append(
        contentsOf: UnsafeBufferPointer(start: text + copied, count: position + 1 - copied))
      position += 2
      copied = position
    }
    if copied == start {
      fields.append(Field(start: start, end: position, isInScratch: false))
    } else {
      scratch.append(
        contentsOf: UnsafeBufferPointer(start: text + copied, count: position - copied))
      fields.append(Field(start: scratchStart, end: scratch.count, isInScratch: true))
    }
    position += 1
    guard let ending = ending(text, position, to: to, isLast: isLast) else {
      fields.removeLast()
      return .broken("text after a closing quote")
    }
    return ending
  }
}
