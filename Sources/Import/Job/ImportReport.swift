internal import Accounting

/// A row that was not imported, and why.
package struct RefusedRow: Hashable, Sendable {
  /// The number of the row: the one after the header is row 1.
  package var row: Int
  /// The line of the file on which the row begins; the header is line 1.
  package var line: Int
  /// The column at fault; nil where it is the row as a whole.
  package var field: String?
  /// What is wrong, in one line.
  package var message: String
  /// The row as it stands in the file.
  package var text: String
  /// The row's bytes where they are no text.
  package var bytes: [UInt8]?
  /// The symbol that is no instrument, where that is why.
  package var missing: MissingSymbol?
  /// What would help.
  var advice: Advice?
}

/// A symbol of a file that is no instrument.
package struct MissingSymbol: Hashable, Sendable {
  /// As it stands in the file.
  package var symbol: String
  /// The currency that its first row is in; nil where that does not say.
  package var currency: String?
  /// How many rows were refused for want of it.
  package var rows: Int
  /// The first of them.
  package var row: Int
  /// The line on which that one begins.
  package var line: Int
}

/// Something worth a look that costs no row.
package struct ImportWarning: Hashable, Sendable, CustomStringConvertible {
  /// The number of the row; nil where it is about the file.
  package var row: Int?
  /// The line on which the row begins, as far as it is known.
  package var line: Int?
  /// What was noticed, in one line.
  package var message: String

  /// The message, led by its row.
  package var description: String {
    row.map { "row \($0)\(line.map { " (line \($0))" } ?? ""): \(message)" } ?? message
  }
}

/// Rows of a file that say what rows of another import do.
package struct ImportOverlap: Hashable, Sendable {
  /// The import that brought those; nil where none is known.
  package var importID: Int64?
  /// How many.
  package var rows: Int
}

/// A value that a row of a file would change.
package struct ImportChange: Hashable, Sendable, CustomStringConvertible {
  /// The number of the row.
  package var row: Int
  /// The line on which the row begins.
  package var line: Int
  /// What people call the value.
  package var column: String
  /// What is stored; nil for nothing.
  package var old: String?
  /// What the file says; nil for nothing.
  package var new: String?

  /// `row 1 (line 2): close 10 → 10.5`.
  package var description: String {
    "row \(row) (line \(line)): \(column) \(old ?? "nothing") → \(new ?? "nothing")"
  }
}

/// How an import ended.
package enum ImportOutcome: String, Sendable {
  /// Everything was read.
  case completed
  /// A refused row ended it, as asked; the rows before it are kept.
  case aborted
  /// Somebody cancelled the job; the chunks before are kept, and it can be resumed.
  case cancelled
  /// This process was asked to stop; the chunks before are kept, and it can be resumed.
  case interrupted
  /// It took longer than allowed; the chunks before are kept, and it can be resumed.
  case timedOut = "timed_out"
}

/// What an import did, as the database counted it.
package struct ImportReport: Sendable {
  /// The row of `import_jobs`; nil for a dry run.
  package var jobID: Int64?
  /// What the file held.
  package var kind: ImportKind
  /// The path of the file, `-` for standard input.
  package var source: String
  /// How it ended.
  package var outcome = ImportOutcome.completed
  /// Rows read: `inserted + updated + unchanged + refused + replaced`.
  package var processed = 0
  /// Rows that were new.
  package var inserted = 0
  /// Rows that changed a stored one.
  package var updated = 0
  /// Rows that say what is stored already.
  package var unchanged = 0
  /// Rows that were refused.
  package var refused = 0
  /// Rows whose key a later row of the same chunk repeats: the last one counts.
  package var replaced = 0
  /// How many rows had been read when the import was taken up again; 0 for a new one.
  package var resumedAfter = 0
  /// Of a dry run: the values that would change; at most the first 1 000.
  package var changes: [ImportChange] = []
  /// Things worth a look; at most the first 1 000.
  package var warnings: [ImportWarning] = []
  /// The first 1 000 refused rows, each cut after 1 000 bytes; `import_results` has them whole.
  package var refusedRows: [RefusedRow] = []
  /// How long it took, in seconds.
  package var seconds = 0.0
  /// Numbers that were rounded, half to even, to the places that are kept; of this process alone.
  package var roundedNumbers = 0
  /// Dates with a time behind them: the date counts, in the file's own zone; of this process alone.
  package var datesWithTime = 0
  /// Rows that were passed over, as asked, and are none of those read; of this process alone.
  package var passedOver = 0
  /// Rows that were taken for stored ones, since they say the same, by the import of those.
  package var overlaps: [ImportOverlap] = []
  /// What would help refused rows, each once; at most 20.
  package var hints: [String] { advice.map(\.text) }
  /// Symbols that are no instruments, in the order of the file; at most the first 1 000.
  package private(set) var missingSymbols: [MissingSymbol] = []
  /// How many rows were refused for want of an instrument.
  package private(set) var rowsWithoutInstrument = 0
  var advice: [Advice] = []
  var missingPlaces: [ExactText: Int] = [:]

  /// How many bytes of the stored file were written.
  var bytesRead = 0

  /// How many warnings and refused rows are kept in memory.
  static let keptCount = 1_000
  /// How much of a refused row is kept in memory.
  private static let keptBytes = 1_000

  mutating func warn(_ warning: ImportWarning) {
    if warnings.count < Self.keptCount { warnings.append(warning) }
  }

  mutating func add(_ remarks: Remarks) {
    roundedNumbers += remarks.rounded
    datesWithTime += remarks.timed
    passedOver += remarks.passedOver
  }

  private mutating func note(_ missing: MissingSymbol) {
    rowsWithoutInstrument += 1
    let place = missingPlaces[ExactText(missing.symbol)]
    if let place {
      missingSymbols[place].rows += 1
    } else if missingSymbols.count < Self.keptCount {
      missingPlaces[ExactText(missing.symbol)] = missingSymbols.count
      missingSymbols.append(missing)
    }
  }

  /// How many different things that would help are kept.
  private static let keptAdvice = 20

  mutating func refuse(_ row: RefusedRow) {
    if let missing = row.missing { note(missing) }
    if let one = row.advice, advice.count < Self.keptAdvice,
      !advice.contains(where: { $0.key == one.key })
    {
      advice.append(one)
    }
    guard refusedRows.count < Self.keptCount else { return }
    var row = row
    // Whole rows are in the database; a thousand of the longest would not fit in memory.
    if row.text.utf8.count > Self.keptBytes {
      row.text = String(decoding: row.text.utf8.prefix(Self.keptBytes), as: UTF8.self)
    }
    row.bytes = nil
    refusedRows.append(row)
  }
}
