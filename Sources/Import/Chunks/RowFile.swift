internal import Postgres
internal import Problems

/// When the digest of a whole file is needed before its first row.
enum FileDigest {
  /// Where the file's rows are named after it.
  case ifNeeded
  /// In any case.
  case read
  /// The file must have this one, before anything of it is looked at or told.
  case due([UInt8])
}

/// A file of a kind, CSV or another program's document: its header read, its rows read and checked
/// chunk by chunk.
struct RowFile<Kind: RowKind> {
  let kind: Kind
  let name: String
  let details: SourceDetails
  /// Whether the last row was read.
  private(set) var isAtEnd = false
  /// Whether the limit of rows was reached and there was one more.
  private(set) var hasTooManyRows = false

  private let request: ImportRequest
  private let header: Header
  private let fieldCount: Int
  private let translator: RowTranslator?
  private let passedOver: PassedOverRows
  private var reader: CSVReader
  /// Reads in place of `reader` where the file is a document.
  private var document: DocumentReader?
  /// Why the document cannot be read on, once the rows before are written.
  private var failure: ImportError?
  private var books = ReferenceBooks()
  private var number = 0
  private var loadedAt = ContinuousClock.now
  private var loadDuration = Duration.zero

  /// A chunk is written when its rows have so many bytes, however few they are.
  private static var chunkBytes: Int { 4 << 20 }

  /// Opens the file and reads its header.
  ///
  /// - Throws: `ImportError` where it cannot be read, is another than was queued, or its header
  ///   does not fit.
  init(
    _ request: ImportRequest, blockSize: Int = 1 << 18, digest wanted: FileDigest = .ifNeeded,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(ImportError) {
    let source: ByteSource
    var digest: [UInt8] = []
    if case .due(let due) = wanted {
      source = try ByteSource(request.source, isFile: true, shouldStop: shouldStop)
      digest = try source.rewound(after: [])
      guard digest == due else { throw .notAsQueued(source: source.name) }
    } else {
      source = try ByteSource(request.source, shouldStop: shouldStop)
    }
    var reader = CSVReader(source, delimiter: request.delimiter, blockSize: blockSize)
    _ = try reader.begin()
    if isXML(reader.everything, delimiter: request.delimiter) {
      try self.init(request, document: reader, digest, wanted)
    } else {
      try self.init(request, table: reader, digest, wanted, blockSize: blockSize)
    }
  }

  /// Reads the header of a CSV file.
  private init(
    _ request: ImportRequest, table begun: CSVReader, _ known: [UInt8], _ wanted: FileDigest,
    blockSize: Int
  ) throws(ImportError) {
    var (reader, digest) = (begun, known)
    let source = reader.source
    let names = try reader.headerNames(onLine: request.headerLine)
    let headerText = Array(request.headerLine > 1 ? reader.beginning : reader.rowText)
    var translator: RowTranslator?
    if let format = request.format {
      translator = try RowTranslator(format, names, request, source: source.name)
    }
    if let translator {
      header = translator.header
    } else {
      header = try Header(names, request, rules: Kind.columns, source: source.name)
    }
    fieldCount = translator?.fieldCount ?? header.fieldCount
    var options = KindOptions(restate: request.restate)
    let hasIDs = translator?.hasIDs ?? header.has(ActivityRows.Column.id)
    options.naming = try Self.naming(request, hasIDs: hasIDs)
    let namesRows = options.naming != .byID
    var reads = namesRows
    if case .read = wanted { reads = true }
    if reads, digest.isEmpty {
      digest = try source.rewound(after: reader.everything)
      reader = CSVReader(source, delimiter: request.delimiter, blockSize: blockSize)
      _ = try reader.headerNames(onLine: request.headerLine)
    }
    if namesRows { options.digest = digest }
    translator?.digest = options.digest
    self.translator = translator
    kind = Kind(header: header, options: options)
    name = source.name
    // Where nothing is named after the file, it may grow before it is resumed.
    var isKept = options.naming != .byContent
    if case .ifNeeded = wanted {} else { isKept = true }
    details = SourceDetails(
      header: headerText, size: source.byteTotal.map(Int64.init),
      digest: digest.isEmpty || !isKept ? nil : digest)
    self.request = request
    self.reader = reader
    passedOver = PassedOverRows(request.passedOver)
  }

  /// What the file's rows are known by.
  private static func naming(
    _ request: ImportRequest, hasIDs: Bool
  ) throws(ImportError) -> RowNaming {
    guard request.isDistinct else {
      return hasIDs || request.kind != .activities ? .byID : .byContent
    }
    guard request.kind == .activities, !hasIDs else {
      throw .option(
        "--distinct is for activities without ids of their source",
        remedy: "do without it: a row with an id is never taken for another")
    }
    return .byFile
  }

  /// How the file's own cells are written.
  private var notation: Notation { translator?.notation ?? header.notation }

  /// Reads the file to its end, before a row of it is taken, where its numbers are said not to be
  /// plain decimals; what can be read only once is spooled.
  ///
  /// Nothing of a document is judged: it says itself how it is written.
  ///
  /// - Throws: `ImportError.notation` where a number speaks against what was said.
  mutating func judgeNotation() throws(ImportError) {
    guard document == nil, !notation.isPlain else { return }
    let fields = translator?.numberFields ?? header.numberFields
    try NotationJudge(notation, fields, fieldCount, request).judge(&reader, passedOver)
  }

  /// Reads on as a document of another program, of which a reader has taken the beginning.
  private init(
    _ request: ImportRequest, document reader: CSVReader, _ known: [UInt8], _ wanted: FileDigest
  ) throws(ImportError) {
    let source = reader.source
    let export = try request.document(source: source.name)
    let naming = try Self.naming(request, hasIDs: true)
    var (begun, digest) = (reader.everything, known)
    if case .read = wanted, digest.isEmpty {
      digest = try source.rewound(after: begun)
      begun = []
    }
    let document = DocumentReader(source, begun: begun, as: export)
    var header = try Header(
      export.columns, map: [:], rules: Kind.columns, kind: request.kind, source: source.name)
    header.notation = Notation(rounds: request.rounds)
    self.header = header
    fieldCount = header.fieldCount
    translator = nil
    passedOver = PassedOverRows([])
    kind = Kind(header: header, options: KindOptions(restate: request.restate, naming: naming))
    name = source.name
    details = SourceDetails(
      header: document.headerText, size: source.byteTotal.map(Int64.init),
      digest: digest.isEmpty ? nil : digest)
    self.request = request
    self.reader = reader
    self.document = document
  }

  /// Goes on where an earlier import of the file stopped.
  ///
  /// - Throws: `ImportError.changed` where the file is not the one that was imported.
  mutating func resume(_ job: ClaimedImport) throws(ImportError) {
    if let digest = job.digest, details.digest != nil, details.digest != digest {
      throw .changed(source: name, offset: reader.source.byteTotal ?? 0)
    }
    guard job.checkpoint.offset > 0 else { return }
    if document == nil {
      try reader.skip(to: job.checkpoint)
    } else {
      try document?.skip(to: job.checkpoint)
    }
    number = job.checkpoint.row
  }

  /// The digest of everything read so far.
  mutating func digest() -> [UInt8] { document?.digest() ?? reader.digest() }

  private var offset: Int { document?.offset ?? reader.offset }

  /// Reads a row.
  ///
  /// - Returns: Whether there was one.
  private mutating func readRow() throws(ImportError) -> Bool {
    guard let found = try document?.next() else { return try reader.next() }
    return found
  }

  /// The error of a file with more rows than allowed.
  var tooManyRows: ImportError { .tooManyRows(source: name, limit: request.maxRows ?? 0) }

  /// How far the import has come.
  func progress(_ report: ImportReport, seconds: Double) -> ImportProgress {
    ImportProgress(
      job: report.jobID, processed: report.processed, refused: report.refused,
      bytesRead: report.bytesRead, bytesTotal: reader.source.byteTotal, seconds: seconds)
  }

  /// Loads what rows refer to by name.
  mutating func loadBooks(from writer: ChunkWriter<Kind>) async throws {
    let start = ContinuousClock.now
    books = try await writer.loadBooks()
    loadedAt = .now
    loadDuration = loadedAt - start
  }

  private mutating func checkpoint() -> Checkpoint {
    Checkpoint(
      offset: offset, row: number, line: document?.line ?? reader.nextLine, digest: digest(),
      sourceRead: reader.source.stored(offset))
  }

  /// Reads rows until they are worth a transaction.
  ///
  /// - Returns: nil where no row is left.
  /// - Throws: `ImportError.changing` where the file changed before the last of them was read.
  mutating func nextChunk(booksFrom writer: ChunkWriter<Kind>) async throws -> Chunk<Kind.Row>? {
    if let failure { throw failure }
    var chunk = Chunk<Kind.Row>(start: checkpoint(), capacity: min(request.batchSize, 10_000))
    var places: [Kind.Key: Int] = [:]
    places.reserveCapacity(min(request.batchSize, 10_000))
    while !isAtEnd, !hasTooManyRows, chunk.rowCount < request.batchSize,
      chunk.rowCount == 0 && chunk.remarks.passedOver == 0
        || offset - chunk.start.offset < Self.chunkBytes
    {
      if let limit = request.maxRows, number >= limit {
        // Not taken: a resumed import with a higher limit begins with it.
        var ahead = self
        hasTooManyRows = try ahead.readRow()
        if !hasTooManyRows {
          self = ahead
          isAtEnd = true
        }
        break
      }
      do throws(ImportError) {
        isAtEnd = try !readRow()
      } catch {
        guard document != nil, chunk.rowCount > 0, !error.isInterruption else { throw error }
        failure = error
        break
      }
      if isAtEnd { break }
      number += 1
      if passedOver.contains(reader) {
        chunk.remarks.passedOver += 1
        continue
      }
      var result = row()
      if case .failure(let refusal) = result, refusal.unknown != nil,
        ContinuousClock.now - loadedAt > max(loadDuration * 20, .milliseconds(100))
      {
        try await loadBooks(from: writer)
        _ = notation.takeRemarks()
        result = row()
      }
      take(result, into: &chunk, &places)
      if request.onError == .abort, !chunk.refused.isEmpty { break }
    }
    try reader.source.requireUnchanged()
    guard chunk.rowCount > 0 || chunk.remarks != Remarks() else { return nil }
    chunk.end = checkpoint()
    return chunk
  }

  /// Checks the row read last: what it says, which is one thing unless another program wrote it.
  private func row() -> Result<[Kind.Row], RowRefusal> {
    if let document { return rows(of: document.row) }
    if let problem = reader.problem {
      let field = problem.field.flatMap { translator == nil ? header.name(ofField: $0) : nil }
      return .failure(RowRefusal(field: field, message: problem.message))
    }
    return reader.withRow { fields in
      guard fields.count == fieldCount else {
        let count = fields.count == 1 ? "1 field" : "\(fields.count) fields"
        var refusal = RowRefusal(
          field: nil, message: "the row has \(count), the header has \(fieldCount)")
        refusal.advice = Advice(
          key: "fields",
          "quote fields that hold a separator; --skip-rows passes over rows that are none, by what "
            + "they begin with, and --header-line lines before the header")
        return .failure(refusal)
      }
      do throws(RowRefusal) {
        guard let translator else {
          return .success([
            try kind.row(Cells(fields: fields, header: header), number: number, books)
          ])
        }
        var rows: [Kind.Row] = []
        try translator.forEach(fields, number: number) { cells throws(RowRefusal) in
          rows.append(try kind.row(cells, number: number, books))
        }
        return .success(rows)
      } catch {
        return .failure(error)
      }
    }
  }

  /// Checks a row of a document: all that it says, or nothing.
  private func rows(of row: DocumentRow) -> Result<[Kind.Row], RowRefusal> {
    if let refusal = row.refusal { return .failure(refusal) }
    do throws(RowRefusal) {
      var rows: [Kind.Row] = []
      for line in row.lines {
        rows.append(
          try Cells.reading(line, header) { cells throws(RowRefusal) in
            try kind.row(cells, number: number, books)
          })
      }
      return .success(rows)
    } catch {
      return .failure(error)
    }
  }

  /// Adds a row to a chunk; where its key stands there already, the later row counts.
  private func take(
    _ result: Result<[Kind.Row], RowRefusal>, into chunk: inout Chunk<Kind.Row>,
    _ places: inout [Kind.Key: Int]
  ) {
    let line = document?.line ?? reader.line
    let text = document?.rowText ?? reader.rowText
    let remarks = notation.takeRemarks()
    switch result {
    case .failure(let refusal):
      chunk.refuse(refusal, number: number, line: line, text: text)
    case .success(let rows):
      if remarks != Remarks() { chunk.remarks.add(remarks) }
      // A row of an export that says several things is taken whole, or not at all.
      for row in rows {
        if let earlier = places[kind.key(row)],
          let clash = kind.clash(chunk.entries[earlier].row, row)
        {
          return chunk.refuse(clash, number: number, line: line, text: text)
        }
      }
      for row in rows {
        let earlier = places.updateValue(chunk.entries.count, forKey: kind.key(row))
        if let earlier { chunk.replace(earlier) }
        chunk.append(row, number: number, line: line, text: text)
      }
    }
  }
}
