package import Import
package import Problems
package import Storage

/// What an import did.
package struct ImportResult: Codable, Sendable {
  /// A row that was refused, and why.
  package struct Refusal: Codable, Sendable {
    /// The one after the header is row 1.
    package var row: Int
    package var line: Int
    /// The column at fault; nil where it is the row as a whole.
    package var field: String?
    package var message: String
    package var text: String
    /// Whether it is for want of an instrument: those are listed by symbol.
    package var lacksInstrument = false

    private enum CodingKeys: CodingKey { case row, line, field, message, text }
  }

  /// A value that a row of a dry run would change.
  package struct Change: Codable, Sendable {
    package var row: Int
    package var line: Int
    package var column: String
    package var old: String?
    package var new: String?
  }

  /// A symbol that is no instrument, and the rows that were refused for want of it.
  package struct Missing: Codable, Sendable {
    package var symbol: String
    package var currency: String?
    package var rows: Int
    /// The first of them.
    package var row: Int
    package var line: Int
  }

  /// Rows that say what rows of another import do, and were taken for them.
  package struct EqualRows: Codable, Sendable {
    /// The import that brought those; nil where none is known.
    package var importID: Int64?
    package var rows: Int

    private enum CodingKeys: String, CodingKey {
      case importID = "job_id"
      case rows
    }
  }

  /// nil for a dry run.
  package var id: Int64?
  package var kind: String
  package var source: String
  /// `completed`, `aborted`, `cancelled`, `interrupted` or `timed_out`.
  package var outcome: String
  package var processed: Int
  package var inserted: Int
  package var updated: Int
  package var unchanged: Int
  package var refused: Int
  /// Rows whose key a later row of the same chunk repeats.
  package var skipped: Int
  /// How many rows had been read when it was taken up again.
  package var resumedAfter: Int
  package var refusals: [Refusal]
  /// Where the refused rows were written.
  package var rejectsFile: String?
  package var changes: [Change]
  package var warnings: [String]
  /// What would help refused rows.
  package var hints: [String]
  package var missingSymbols: [Missing]
  /// How many rows were refused for want of an instrument; this process alone knows.
  package var rowsWithoutInstrument = 0
  /// Of numbers with more places than are kept; of this process alone, as are the next two.
  package var roundedNumbers: Int
  package var datesWithTime: Int
  package var rowsPassedOver: Int
  package var equalRows: [EqualRows]
  package var seconds: Double

  private enum CodingKeys: String, CodingKey {
    case id = "job_id"
    case kind, source, outcome, processed, inserted, updated, unchanged, refused, skipped
    case resumedAfter = "resumed_after"
    case refusals = "refused_rows"
    case rejectsFile = "rejects_file"
    case changes, warnings, hints
    case missingSymbols = "missing_symbols"
    case roundedNumbers = "rounded_numbers"
    case datesWithTime = "dates_with_time"
    case rowsPassedOver = "rows_passed_over"
    case equalRows = "equal_rows"
    case seconds = "duration_seconds"
  }

  package init(_ report: ImportReport) {
    id = report.jobID
    kind = report.kind.rawValue
    source = report.source
    outcome = report.outcome.rawValue
    processed = report.processed
    inserted = report.inserted
    updated = report.updated
    unchanged = report.unchanged
    refused = report.refused
    skipped = report.replaced
    resumedAfter = report.resumedAfter
    refusals = report.refusedRows.map { Refusal($0) }
    changes = report.changes.map {
      Change(row: $0.row, line: $0.line, column: $0.column, old: $0.old, new: $0.new)
    }
    warnings = report.warnings.map(\.description)
    hints = report.hints
    missingSymbols = report.missingSymbols.map {
      Missing(
        symbol: $0.symbol, currency: $0.currency, rows: $0.rows, row: $0.row, line: $0.line)
    }
    rowsWithoutInstrument = report.rowsWithoutInstrument
    roundedNumbers = report.roundedNumbers
    datesWithTime = report.datesWithTime
    rowsPassedOver = report.passedOver
    equalRows = report.overlaps.map { EqualRows(importID: $0.importID, rows: $0.rows) }
    seconds = report.seconds
  }
}

extension ImportResult.Refusal {
  package init(_ row: RefusedRow) {
    self.init(
      row: row.row, line: row.line, field: row.field, message: row.message, text: row.text,
      lacksInstrument: row.missing != nil)
  }

  package init(_ row: PastRefusal) {
    self.init(
      row: row.row, line: row.line, field: row.field, message: row.message, text: row.text)
  }
}

extension ImportResult {
  /// What kept it from its end; nil where that is a refused row, or nothing.
  package var ending: StatedProblem? {
    let (code, what): (ProblemCode, String)
    switch ImportOutcome(rawValue: outcome) {
    case .completed, .aborted, nil: return nil
    case .cancelled: (code, what) = (ProblemCode("import_cancelled", .refused), "was cancelled")
    case .interrupted:
      (code, what) = (ProblemCode("import_stopped", .interrupted), "was interrupted")
    case .timedOut:
      (code, what) = (
        ProblemCode("import_timed_out", .failed), "took longer than CLOSEBELL_IMPORT_TIMEOUT"
      )
    }
    return StatedProblem(code, "import \(id ?? 0) \(what)", remedy: Remedy(.resumeImport(id ?? 0)))
  }

  /// What it falls short of; nil where every row was taken.
  package var shortfall: ProblemKind? {
    ending?.code.kind
      ?? (refused > 0 || outcome == ImportOutcome.aborted.rawValue ? .badInput : nil)
  }
}

/// An import that waits for `closebell imports work`.
package struct QueuedImport: Codable, Sendable {
  package var id: Int64
  package var kind: String
  package var source: String
  package var status = "queued"

  private enum CodingKeys: String, CodingKey {
    case id = "job_id"
    case kind, source, status
  }

  package init(id: Int64, kind: ImportKind, source: String) {
    self.id = id
    self.kind = kind.rawValue
    self.source = source
  }
}

/// Queued imports of somebody whose requests are not taken here.
package struct UntakenImports: Sendable {
  /// Who asked for them; nil: nobody knows.
  package var role: String?
  package var count: Int
  /// The number of the first.
  package var first: Int64
}

/// One of several files that was not imported.
package struct FailedImport: Codable, Sendable {
  package var kind: String
  package var source: String
  package var outcome = "failed"
  package var error: String

  package init(kind: ImportKind, source: String, error: String) {
    self.kind = kind.rawValue
    self.source = source
    self.error = error
  }
}

/// The latest imports.
package struct ImportList: Codable, Sendable {
  /// The newest first.
  package var imports: [PastImportResult]

  package init(_ jobs: [PastImport]) { imports = jobs.map { PastImportResult($0) } }
}

/// An import of the past, or one that is under way.
package struct PastImportResult: Codable, Sendable {
  package var id: Int64
  package var kind: String
  package var source: String
  /// `queued`, `processing`, `interrupted`, `completed`, `failed` or `cancelled`.
  package var status: String
  package var processed: Int
  package var inserted: Int
  package var updated: Int
  package var unchanged: Int
  package var refused: Int
  package var skipped: Int
  /// How much of the file was read; nil where its size is not known.
  package var percent: Double?
  package var rowsPerSecond: Double?
  package var secondsLeft: Double?
  package var startedAt: String?
  package var finishedAt: String?
  /// Host and process that are, or were, at it.
  package var claimedBy: String?
  package var error: String?
  package var canResume: Bool

  private enum CodingKeys: String, CodingKey {
    case id = "job_id"
    case kind, source, status, processed, inserted, updated, unchanged, refused, skipped, percent
    case rowsPerSecond = "rows_per_second"
    case secondsLeft = "seconds_left"
    case startedAt = "started_at"
    case finishedAt = "finished_at"
    case claimedBy = "claimed_by"
    case error
    case canResume = "can_resume"
  }

  package init(_ job: PastImport) {
    id = job.id
    kind = job.kind
    source = job.source
    status = job.status
    processed = job.processed
    inserted = job.inserted
    updated = job.updated
    unchanged = job.unchanged
    refused = job.refused
    skipped = job.replaced
    percent = job.fraction.map { $0 * 100 }
    rowsPerSecond = job.rowsPerSecond
    secondsLeft = job.secondsLeft
    startedAt = job.startedAt
    finishedAt = job.finishedAt
    claimedBy = job.claimedBy
    error = job.error
    canResume = job.canResume && job.status != "completed"
  }
}
