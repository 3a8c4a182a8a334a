package import Accounting

/// What a file holds; the word after `closebell import`.
package enum ImportKind: String, CaseIterable, Sendable {
  case portfolios, instruments, prices
  case fxRates = "fx-rates"
  case activities, valuations
  case corporateActions = "corporate-actions"
  case calendars
}

/// Where the bytes of a CSV file come from.
package enum ImportSource: Sendable {
  /// A file, by its path.
  case file(String)
  /// Standard input.
  case standardInput
  /// The bytes themselves.
  case bytes([UInt8])
}

/// What a refused row does to the rest of its file.
package enum RowErrorPolicy: Sendable {
  /// The other rows are kept.
  case skip
  /// The rows before it are kept; nothing after it is read.
  case abort
}

/// One file to import, and how.
package struct ImportRequest: Sendable {
  /// What the file holds.
  package var kind: ImportKind
  /// Where it is.
  package var source: ImportSource
  /// Whether everything is rolled back in the end: the report says what would change.
  package var dryRun: Bool
  /// What a refused row does to the rest.
  package var onError: RowErrorPolicy
  /// Rows a transaction: 1 to 100 000; numbers outside are brought to the nearer limit.
  package var batchSize: Int
  /// Headers of the file that mean a column of another name.
  package var columnMap: [ExactText: String]
  /// Whether terms may change that make every closed date stale.
  package var restate: Bool
  /// The most rows that are read; nil for no limit.
  package var maxRows: Int?
  /// The byte that separates fields.
  package var delimiter = UInt8(ascii: ",")
  /// Whether numbers are written as `1.234,56`.
  package var decimalComma = false
  /// Whether numbers are written as people do: `1,234.56`, `$1,234.56`, `(123.45)`.
  package var grouping = false
  /// Whether places beyond those that are kept are rounded, half to even.
  package var rounds = false
  /// Words of the file, in any case, that mean others.
  package var meanings: [ExactText: String] = [:]
  /// Headers of columns that are passed over, in any case.
  package var ignored: [String] = []
  /// The line on which the header stands; those before it are passed over.
  package var headerLine = 1
  /// What rows begin with that are none, such as a total's or a comment's.
  package var passedOver: [String] = []
  /// How dates are written, if not as `YYYY-MM-DD`.
  package var dateFormat: DateFormat?
  /// Cells that are the same in every row, by the column, which the file does not have.
  package var constants: [String: String] = [:]
  /// The export of another program that the file is, if it is one.
  package var format: ExportFormat?
  /// Whether rows without ids are booked although equal ones are there.
  package var isDistinct = false

  /// Rows a transaction unless something else is asked for: measured, see docs/benchmarks.md.
  package static let defaultBatchSize = 10_000
  /// Where a header may stand.
  package static let headerLines = 1...1_000
  /// The most rows a transaction.
  package static let largestBatchSize = 100_000

  /// A request; the defaults skip refused rows.
  package init(
    kind: ImportKind, source: ImportSource, dryRun: Bool = false, onError: RowErrorPolicy = .skip,
    batchSize: Int = Self.defaultBatchSize, columnMap: [ExactText: String] = [:],
    restate: Bool = false,
    maxRows: Int? = nil
  ) {
    self.kind = kind
    self.source = source
    self.dryRun = dryRun
    self.onError = onError
    self.batchSize = min(max(batchSize, 1), Self.largestBatchSize)
    self.columnMap = columnMap
    self.restate = restate
    self.maxRows = maxRows
  }
}

/// How far an import has come.
package struct ImportProgress: Sendable {
  /// The row of `import_jobs`; nil for a dry run.
  package var job: Int64?
  /// Rows read so far, refused ones among them.
  package var processed: Int
  /// Rows refused so far.
  package var refused: Int
  /// Bytes of the stored file read so far.
  package var bytesRead: Int
  /// The size of the file; nil for a stream.
  package var bytesTotal: Int?
  /// Seconds since the import began.
  package var seconds: Double
}
