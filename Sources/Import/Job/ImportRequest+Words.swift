internal import Accounting
internal import Problems
internal import Storage

// A request as it is kept with its import, so that another process can do the rest of it.

extension ImportRequest {
  /// Everything but the kind and the source, as words `name=value`.
  var words: [String] {
    var words = ["batch-size=\(batchSize)"]
    if onError == .abort { words.append("on-error=abort") }
    if restate { words.append("restate") }
    if let maxRows { words.append("max-rows=\(maxRows)") }
    if delimiter != UInt8(ascii: ",") { words.append("delimiter=\(delimiter)") }
    if decimalComma { words.append("decimal-comma") }
    if grouping { words.append("grouping") }
    if rounds { words.append("round") }
    if isDistinct { words.append("distinct") }
    if headerLine > 1 { words.append("header-line=\(headerLine)") }
    for (word, meaning) in meanings.sorted(by: { $0.key.description < $1.key.description }) {
      words.append("word=\(word)=\(meaning)")
    }
    for header in ignored { words.append("ignore=\(header)") }
    for beginning in passedOver { words.append("skip-rows=\(beginning)") }
    if let dateFormat { words.append("date-format=\(dateFormat.pattern)") }
    if let format { words.append("format=\(format.rawValue)") }
    for (header, column) in columnMap.sorted(by: { $0.key.description < $1.key.description }) {
      words.append("map=\(header)=\(column)")
    }
    for (column, value) in constants.sorted(by: { $0.key < $1.key }) {
      words.append("set=\(column)=\(value)")
    }
    return words
  }

  /// The request of an import that is taken up.
  ///
  /// - Throws: `StorageError` where another version of this program wrote words unknown here.
  init(_ job: ClaimedImport) throws {
    self.init(kind: job.kind, source: job.source == "-" ? .standardInput : .file(job.source))
    for word in job.words {
      guard take(word) else {
        throw StorageError.unknownWord(column: "import_jobs.options", word: word)
      }
    }
  }

  /// The request of an import that waited in the queue.
  ///
  /// - Throws: `ImportError` where its file is not one that can wait; `StorageError`.
  init(queued job: ClaimedImport) throws {
    guard job.source != "-" else {
      throw ImportError.option(
        "standard input cannot be imported in the background", remedy: "name a file")
    }
    try self.init(job)
  }

  /// Bytes that mean something else in a CSV file.
  package static let bannedDelimiters = [
    UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0,
  ]

  private mutating func take(_ word: String) -> Bool {
    let cut = word.firstIndex(of: "=") ?? word.endIndex
    let value = String(word[cut...].dropFirst())
    switch word[..<cut] {
    case "batch-size":
      guard let size = Int(value), (1...Self.largestBatchSize).contains(size) else { return false }
      batchSize = size
    case "on-error":
      guard value == "abort" else { return false }
      onError = .abort
    case "restate": restate = true
    case "max-rows":
      // A limit that cannot be read is no reason to have none.
      guard let limit = Int(value), limit >= 0 else { return false }
      maxRows = limit
    case "delimiter":
      guard let byte = UInt8(value), byte < 0x80, !Self.bannedDelimiters.contains(byte) else {
        return false
      }
      delimiter = byte
    case "decimal-comma": decimalComma = true
    case "grouping": grouping = true
    case "round": rounds = true
    case "distinct": isDistinct = true
    case "header-line":
      guard let line = Int(value), Self.headerLines.contains(line) else { return false }
      headerLine = line
    case "word":
      guard let cut = value.lastIndex(of: "=") else { return false }
      meanings[ExactText(String(value[..<cut]))] = String(value[value.index(after: cut)...])
    case "ignore": ignored.append(value)
    case "skip-rows":
      // What is empty begins every row.
      guard !value.isEmpty else { return false }
      passedOver.append(value)
    case "date-format":
      dateFormat = DateFormat(value)
      return dateFormat != nil
    case "format":
      format = ExportFormat(rawValue: value)
      return format != nil
    case "map":
      guard let cut = value.lastIndex(of: "=") else { return false }
      columnMap[ExactText(String(value[..<cut]))] = String(value[value.index(after: cut)...])
    case "set":
      guard let cut = value.firstIndex(of: "=") else { return false }
      constants[String(value[..<cut])] = String(value[value.index(after: cut)...])
    default: return false
    }
    return true
  }
}
