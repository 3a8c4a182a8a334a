import Glibc
import Import
package import Operations
import Presentation
import Problems
import Synchronization
import Text

/// Imports with their signals, their progress, and their reports.
package final class ImportSession: Sendable {
  package let imports: Importing
  private let style: OutputStyle
  private let stop: StopSignal
  private let signals: Signals

  /// SIGINT or SIGTERM stops the import under way after its open chunk, a second one at once.
  package init(_ operations: Operations, _ limits: ImportLimits, _ style: OutputStyle) {
    self.style = style
    let stop = StopSignal()
    self.stop = stop
    signals = Signals { count in
      if count > 1 { _exit(130) }
      stop.raise()
    }
    let line = ImportLine(isQuiet: style.isQuiet)
    imports = operations.importing(
      ImportWatch(stop: stop, limits: limits, progress: { line.show($0) }))
  }

  deinit { signals.restore() }

  /// Whether somebody asked to stop.
  package var isStopped: Bool { stop.isRaised }

  /// Does an import; one that fails keeps the rows that it refused before, as one that is stopped.
  ///
  /// - Returns: The exit code.
  package func taking(
    _ rejects: RejectsFile?, _ work: (Importing) async throws -> ImportResult
  ) async throws -> Int32 {
    let result: ImportResult
    do {
      result = try await work(imports)
    } catch {
      if let rejects, let job = imports.job { await keep(rejects, of: job) }
      throw error
    }
    return try await conclude(result, rejects: rejects)
  }

  /// Says where the rows are, or nothing: what the import failed of is told after it.
  private func keep(_ rejects: RejectsFile, of job: Int64) async {
    do {
      let place = try await imports.refusedRows(of: job) { rows in
        rows.job.refused > 0 ? try rejects.write(rows, isWhole: false) : nil
      }
      if let place {
        Terminal.complain(.log, "the rows that were refused before are in \(place)")
      }
    } catch {
      Terminal.complain(LogLine(error.stated, about: rejects.path, level: .warning))
    }
  }

  /// Prints what an import did, and refreshes the planner's idea of the tables after a large one.
  ///
  /// - Returns: The exit code.
  package func conclude(_ done: ImportResult, rejects: RejectsFile?) async throws -> Int32 {
    // What follows says where they are, and is said even where they could not be written.
    let file = await written(done, rejects)
    var result = done
    result.rejectsFile = (try? file.get()) ?? nil
    if rejects?.isStandardOutput == true, !style.isJSON {
      // The rows and nothing else, to be mended and imported as they stand.
      if !style.isQuiet { Terminal.complain(.log, ImportText(result).summary) }
    } else {
      try style.present(result) { ImportText($0).lines }
    }
    StandardOutput.flush()
    complain(result)
    if let place = try file.get() {
      if let rejects, place != rejects.path {
        Terminal.complain(.warning, "\(rejects.path) stays as it is: not all of it was taken")
      }
      Terminal.complain(.more, "hint: mend \(place) and import it with the same options")
    }
    try await imports.settle(result)
    if let ending = result.ending { Terminal.complain(ending) }
    return result.shortfall?.exitCode ?? 0
  }

  /// Says what was noticed, which rows were refused, and what would help.
  private func complain(_ result: ImportResult) {
    for warning in result.warnings.prefix(20) { Terminal.complain(.warning, warning) }
    let listed = result.refusals.lazy.filter { !$0.lacksInstrument }.prefix(20)
    for row in listed { Terminal.complain(.error, "\(result.source), \(row.summary)") }
    let hidden = result.refused - result.rowsWithoutInstrument - listed.count
    if hidden > 0, let job = result.id {
      Terminal.complain(
        .more, "detail: and \(hidden) more; see: \(Action.showImport(job).command)")
    }
    if let missing = MissingSymbolsText(result) {
      Terminal.complain(.error, "\(result.source): \(missing.list)")
      Terminal.complain(.more, "hint: \(missing.proposal)")
      for row in missing.rows { Terminal.complain(.more, "  \(row)") }
    }
    for hint in result.hints { Terminal.complain(.more, "hint: \(hint)") }
  }

  /// Where the refused rows are now, nil for nowhere.
  private func written(
    _ result: ImportResult, _ rejects: RejectsFile?
  ) async -> Result<String?, any Error> {
    guard let rejects, let job = result.id else { return .success(nil) }
    let isWhole = result.outcome == ImportOutcome.completed.rawValue
    do {
      return .success(
        try await imports.refusedRows(of: job) { try rejects.write($0, isWhole: isWhole) })
    } catch {
      return .failure(error)
    }
  }
}

/// How far an import is: a line on a terminal; elsewhere every quarter of a file of several chunks.
private final class ImportLine: Sendable {
  private let isQuiet: Bool
  private let shown = Mutex<[Int64: Int]>([:])

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func show(_ progress: ImportProgress) {
    guard !isQuiet, let line = ImportProgressText(progress) else { return }
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
}
