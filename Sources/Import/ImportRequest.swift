/// What a file holds; the word after `closebell import`.
public enum ImportKind: String, CaseIterable, Sendable {
  case portfolios, instruments, prices
  case fxRates = "fx-rates"
  case activities, valuations
  case corporateActions = "corporate-actions"
  case calendars
}

/// Where the bytes of a CSV file come from.
public enum ImportSource: Sendable {
  /// A file, by its path.
  case file(String)
  /// Standard input.
  case standardInput
  /// The bytes themselves.
  case bytes([UInt8])
}

/// What a refused row does to the rest of its file.
public enum RowErrorPolicy: Sendable {
  /// The other rows are kept.
  case skip
  /// The rows before it are kept; nothing after it is read.
  case abort
}

/// One file to import, and how.
public struct ImportRequest: Sendable {
  /// What the file holds.
  public var kind: ImportKind
  /// Where it is.
  public var source: ImportSource
  /// Whether everything is rolled back in the end: the report says what would change.
  public var dryRun: Bool
  /// What a refused row does to the rest.
  public var onError: RowErrorPolicy
  /// Rows a transaction: 1 to 10 000; numbers outside are brought to the nearer limit.
  public var batchSize: Int
  /// Headers of the file that mean a column of another name.
  public var columnMap: [String: String]
  /// Whether terms may change that make every closed date stale.
  public var restate: Bool
  /// The most rows that are read; nil for no limit.
  public var maxRows: Int?

  /// A request; the defaults skip refused rows and take 1 000 rows a transaction.
  public init(
    kind: ImportKind, source: ImportSource, dryRun: Bool = false, onError: RowErrorPolicy = .skip,
    batchSize: Int = 1_000, columnMap: [String: String] = [:], restate: Bool = false,
    maxRows: Int? = nil
  ) {
    self.kind = kind
    self.source = source
    self.dryRun = dryRun
    self.onError = onError
    self.batchSize = min(max(batchSize, 1), 10_000)
    self.columnMap = columnMap
    self.restate = restate
    self.maxRows = maxRows
  }
}

/// How far an import has come.
public struct ImportProgress: Sendable {
  /// Rows read so far, refused ones among them.
  public var processed: Int
  /// Rows refused so far.
  public var refused: Int
  /// Bytes read so far.
  public var bytesRead: Int
  /// The size of the file; nil for a stream.
  public var bytesTotal: Int?
  /// Seconds since the import began.
  public var seconds: Double
}
