import Console
import Glibc
import Import
import Operations
import Postgres
import Presentation
import Problems
import Settings
import Storage
import Synchronization
import Text

/// Imports with their signals, their progress, and their reports.
final class ImportSession: Sendable {
  private let common: CommonOptions
  private let configuration: Configuration
  private let stop = StopSignal()
  private let signals: Signals
  private let trustedRoles: [String]
  private let shown = Mutex<[Int64: Int]>([:])
  /// The number of the import that is, or was last, at work.
  private let job = Mutex<Int64?>(nil)

  /// From here on the planner's idea of the tables is worth a new look.
  private static let manyRows = 10_000

  /// SIGINT or SIGTERM stops the import under way after its open chunk, a second one at once.
  ///
  /// - Parameter trustedRoles: Whose requests are taken beside our own.
  init(_ common: CommonOptions, trustedRoles: [String] = []) async throws {
    self.common = common
    self.trustedRoles = trustedRoles
    configuration = try await common.configuration(for: "import")
    let stop = stop
    signals = Signals { count in
      if count > 1 { _exit(130) }
      stop.raise()
    }
  }

  deinit { signals.restore() }

  /// Whether somebody asked to stop.
  var isStopped: Bool { stop.isRaised }

  /// A connection, and the schema is what this program knows.
  func connect() async throws -> Connection {
    let connection = try await Connection.connect(configuration)
    try await connection.perform { db in try Migrator.requireCurrentSchema(on: db) }
    return connection
  }

  /// A connection that works: the one of before, or a new one in its place.
  func ready(_ connection: inout Connection?) async throws -> Connection {
    if let open = connection, open.isUsable { return open }
    await connection?.close()
    connection = nil
    let fresh = try await connect()
    connection = fresh
    return fresh
  }

  /// How an import is watched and stopped.
  var control: ImportControl {
    let (stop, configuration) = (stop, configuration)
    return ImportControl(
      reconnect: { try await Connection.connect(configuration) },
      shouldStop: { stop.isRaised },
      began: { [weak self] job in self?.job.withLock { $0 = job } },
      progress: { [weak self] progress in self?.show(progress) },
      timeoutSeconds: Settings.current.importTimeout?.seconds,
      claimant: "\(Host.name), process \(getpid())", trustedRoles: trustedRoles)
  }

  /// Draws a line on a terminal; elsewhere logs every quarter of a file of several chunks.
  private func show(_ progress: ImportProgress) {
    guard !common.quiet, let line = ImportProgressText(progress) else { return }
    if Terminal.isInteractive {
      return Terminal.draw("\r\u{1B}[K\(line.text)\(line.percent == 100 ? "\r\u{1B}[K" : "")")
    }
    let quarter = line.percent / 25
    let isNews = shown.withLock { shown in
      let last = shown[progress.job ?? 0] ?? 0
      shown[progress.job ?? 0] = quarter
      // A file of one chunk says the same in its summary.
      return quarter > last && !(last == 0 && quarter == 4)
    }
    if isNews { Terminal.complain(.log, line.text) }
  }

  /// Does an import; one that fails keeps the rows that it refused before, as one that is stopped.
  func taking(
    _ rejects: RejectsFile?, _ connection: inout Connection?,
    _ work: (Connection) async throws -> ImportReport
  ) async throws -> Int32 {
    let report: ImportReport
    job.withLock { $0 = nil }
    do {
      report = try await work(ready(&connection))
    } catch {
      if let rejects, let job = job.withLock({ $0 }) {
        await keep(rejects, of: job, &connection)
      }
      throw error
    }
    return try await conclude(report, rejects: rejects, &connection)
  }

  /// Says where the rows are, or nothing: what the import failed of is told after it.
  private func keep(
    _ rejects: RejectsFile, of job: Int64, _ connection: inout Connection?
  ) async {
    do {
      let connection = try await ready(&connection)
      let count = try await connection.perform { db in
        try ImportHistory.one(job, on: db)?.refused ?? 0
      }
      guard count > 0 else { return }
      if let place = try await rejects.write(job, isWhole: false, on: connection) {
        Terminal.complain(.log, "the rows that were refused before are in \(place)")
      }
    } catch {
      Terminal.complain(LogLine(error.stated, about: rejects.path, level: .warning))
    }
  }

  /// Prints what an import did, and refreshes the planner's idea of the tables after a large one.
  ///
  /// - Returns: The exit code.
  func conclude(
    _ report: ImportReport, rejects: RejectsFile?, _ connection: inout Connection?
  ) async throws -> Int32 {
    // What follows says where they are, and is said even where they could not be written.
    let file = await written(report, rejects, on: &connection)
    let place = try? file.get()
    let result = ImportResult(report, rejectsFile: place ?? nil)
    if rejects?.isStandardOutput == true, !common.json {
      // The rows and nothing else, to be mended and imported as they stand.
      if !common.quiet { Terminal.complain(.log, ImportText(result).summary) }
    } else {
      try common.present(result) { ImportText($0).lines }
    }
    StandardOutput.flush()
    for warning in report.warnings.prefix(20) { Terminal.complain(.warning, "\(warning)") }
    for row in report.listedRefusals {
      Terminal.complain(.error, "\(report.source), \(ImportResult.Refusal(row).summary)")
    }
    let hidden = report.refused - report.rowsWithoutInstrument - report.listedRefusals.count
    if hidden > 0, let job = report.jobID {
      Terminal.complain(
        .more, "detail: and \(hidden) more; see: closebell imports show \(job)")
    }
    if let missing = MissingSymbolsText(result) {
      Terminal.complain(.error, "\(report.source): \(missing.list)")
      Terminal.complain(.more, "hint: \(missing.proposal)")
      for row in missing.rows { Terminal.complain(.more, "  \(row)") }
    }
    for hint in report.hints { Terminal.complain(.more, "hint: \(hint)") }
    if let place = try file.get() {
      if let rejects, place != rejects.path {
        Terminal.complain(
          .warning, "\(rejects.path) stays as it is: not all of it was taken")
      }
      Terminal.complain(
        .more, "hint: mend \(place) and import it with the same options")
    }
    if report.jobID != nil, report.inserted >= Self.manyRows {
      try await ready(&connection).perform { db in try Statistics.refreshInputs(on: db) }
    }
    return exitCode(report)
  }

  /// Where the refused rows are now, nil for nowhere.
  private func written(
    _ report: ImportReport, _ rejects: RejectsFile?, on connection: inout Connection?
  ) async -> Result<String?, any Error> {
    guard let rejects, let job = report.jobID else { return .success(nil) }
    do {
      let isWhole = report.outcome == .completed
      return .success(
        try await rejects.write(job, isWhole: isWhole, on: ready(&connection)))
    } catch {
      return .failure(error)
    }
  }

  /// Says what kept the import from its end.
  private func exitCode(_ report: ImportReport) -> Int32 {
    let (code, what): (ProblemCode, String)
    switch report.outcome {
    case .completed: return report.refused > 0 ? ProblemKind.badInput.exitCode : 0
    case .aborted: return ProblemKind.badInput.exitCode
    case .cancelled: (code, what) = (ProblemCode("import_cancelled", .refused), "was cancelled")
    case .interrupted:
      (code, what) = (ProblemCode("import_stopped", .interrupted), "was interrupted")
    case .timedOut:
      (code, what) = (
        ProblemCode("import_timed_out", .failed), "took longer than CLOSEBELL_IMPORT_TIMEOUT"
      )
    }
    let job = report.jobID ?? 0
    Terminal.complain(
      StatedProblem(code, "import \(job) \(what)", remedy: Remedy(.resumeImport(job))))
    return code.kind.exitCode
  }
}

extension ImportReport {
  /// The refused rows that are named one by one; symbols that are no instruments are one list.
  fileprivate var listedRefusals: [RefusedRow] {
    Array(refusedRows.lazy.filter { $0.missing == nil }.prefix(20))
  }
}
