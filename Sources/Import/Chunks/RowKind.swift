internal import Accounting
internal import Postgres
internal import Storage

/// Of the two, the one that the database runs.
typealias Statement = Postgres.Statement

/// One kind of file: how its rows are read, staged and merged into the books.
///
/// `Row` is valid once it exists: every check that one row and the reference books allow is done
/// when it is read; what only the stored rows can tell is asked in `merge`.
protocol RowKind: Sendable {
  /// A valid row.
  associatedtype Row: Sendable
  /// What a later row of the same chunk replaces.
  associatedtype Key: Hashable

  /// The kind's columns.
  static var columns: [ColumnRule] { get }
  /// A kind of file with these columns, under these options.
  init(header: Header, options: KindOptions)
  /// Reads a row.
  func row(_ cells: Cells, number: Int, _ books: ReferenceBooks) throws(RowRefusal) -> Row
  /// The row's key.
  func key(_ row: Row) -> Key
  /// Whether two rows with one key may stand in one file; nil if the later one simply counts.
  func clash(_ earlier: Row, _ later: Row) -> RowRefusal?
  /// The temporary table of the chunk's rows: its name, and its columns after `row_number bigint`.
  static var staging: StagingTable { get }
  /// Writes the row's fields after its number.
  func write(_ row: Row, to staging: inout CopyWriter)
  /// Whose closed dates rest on the kind's rows.
  static var scope: ChangeScope { get }
  /// Finds the stored rows that staged ones mean, where their keys alone do not tell.
  ///
  /// - Parameter job: The import's number; 0 for a dry run, which is rolled back.
  /// - Returns: Whether a staged row may be stored already.
  func identify(for job: Int64, on db: isolated Connection) throws -> Bool
  /// Merges the staged rows into the books, and says what they changed.
  ///
  /// - Parameter isAnyKnown: What `identify` said.
  func merge(for job: Int64, isAnyKnown: Bool, on db: isolated Connection) throws -> Merged
  /// The same, where nothing of the rows depends on the import.
  func merge(on db: isolated Connection) throws -> Merged
  /// How staged rows and stored ones are compared.
  var stored: StoredRows { get }
}

extension RowKind {
  func clash(_ earlier: Row, _ later: Row) -> RowRefusal? { nil }
  func identify(for job: Int64, on db: isolated Connection) throws -> Bool { true }
  func merge(for job: Int64, isAnyKnown: Bool, on db: isolated Connection) throws -> Merged {
    try merge(on: db)
  }
}

/// Whose closed dates rest on the rows of a kind.
enum ChangeScope {
  case portfolios, instruments, currencies, calendars

  /// Reads the array of keys.
  func keys(_ row: inout RowReader) throws -> InputChange.Scope {
    switch self {
    case .portfolios: .portfolios(try row.next())
    case .instruments: .instruments(try row.next())
    case .currencies: .currencies(try row.next())
    case .calendars: .calendars(try row.next())
    }
  }
}

/// What a kind needs to know beside the header.
struct KindOptions: Sendable {
  /// Whether terms may change that make every closed date stale.
  var restate = false
  /// What rows are known by.
  var naming = RowNaming.byID
  /// The digest of the file, where rows have no ids.
  var digest: [UInt8] = []
}

/// What the rows of a file are known by.
enum RowNaming: Sendable {
  /// By ids of their source.
  case byID
  /// By what they say: of equal rows there are as many as in the file with the most of them.
  case byContent
  /// By their file and their number, whatever is stored.
  case byFile
}

/// A temporary table.
struct StagingTable: Sendable {
  /// Its name, without the schema.
  let name: String
  /// Its columns after `row_number bigint not null`.
  let columns: String
  /// How many columns there are after the first.
  let count: Int
}

/// What a chunk did.
struct Merged: Sendable {
  /// Rows that were new.
  var inserted = 0
  /// Rows that changed a stored one.
  var updated = 0
  /// Rows that another row of the chunk replaces.
  var replaced = 0
  /// Rows that the stored rows speak against, by number.
  var refusals: [Int: RowRefusal] = [:]
  /// Things worth a look.
  var warnings: [ImportWarning] = []
  /// What closed dates may rest on, of the rows that were written; recorded with the chunk.
  private(set) var change: InputChange?

  /// Takes what a statement did that ends in `select inserted, updated, from_date, keys`: how many
  /// rows, and of which keys of the kind's scope they are; no date where none counts.
  ///
  /// - Parameter job: The statement's only parameter, where it has one.
  mutating func take<Kind: RowKind>(
    _ statement: Statement, of kind: Kind.Type, for job: Int64? = nil,
    on db: isolated Connection
  ) throws {
    try db.row(statement, parameters: job.map { [$0] } ?? []) { row in
      inserted += Int(try row.nextInt64())
      updated += Int(try row.nextInt64())
      guard let from = try row.nextDateOrNil().map(Day.init) else { return }
      change = InputChange(try kind.scope.keys(&row), from: from)
    }
  }

  /// Takes the refusals of a statement that gives row, field and message, and unstages the rows.
  mutating func refuse(
    _ statement: Statement, unstaging staging: StagingTable, on db: isolated Connection
  ) throws {
    let found = try db.rows(statement) { row in
      (try row.nextInt64(), RowRefusal(field: try row.nextString(), message: try row.nextString()))
    }
    guard !found.isEmpty else { return }
    for (row, refusal) in found { refusals[Int(row)] = refusal }
    try db.execute(
      Statement(
        "import-unstage-\(staging.name)",
        "delete from pg_temp.\(staging.name) where row_number = any($1)"), found.map(\.0))
  }
}

extension CopyWriter {
  /// Writes a number of the books as `numeric`.
  @inline(__always)
  mutating func write(_ value: some FixedPoint) {
    write(numericUnits: value.units, scale: type(of: value).scale)
  }

  /// Writes a number of the books, or NULL.
  @inline(__always)
  mutating func write(_ value: (some FixedPoint)?) {
    if let value { write(value) } else { writeNull() }
  }

  /// Writes a date.
  mutating func write(_ day: Day) { write(date: day.number) }

  /// Writes a date, or NULL.
  mutating func write(_ day: Day?) { if let day { write(day) } else { writeNull() } }

  /// Writes a word of an enumeration; its binary form is its text.
  mutating func write<Word: RawRepresentable>(
    word: Word?
  ) where Word.RawValue == String {
    if let word { write(text: word.rawValue) } else { writeNull() }
  }
}
