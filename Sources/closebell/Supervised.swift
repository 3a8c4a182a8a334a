import Accounting
import Close
import Dispatch
import Glibc
import Postgres
import Presentation
import Storage
import Synchronization

/// A run with its signals, its progress line, and its report.
enum Supervised {
  /// Runs to the end; SIGINT or SIGTERM stops it after the open chunks, a second one at once.
  ///
  /// - Parameter purpose: What the run is for, by the server's clock.
  static func run(
    _ settings: RunSettings, _ options: CommonOptions,
    purpose: (ServerClock, inout RunSettings) throws -> CloseRun.Purpose
  ) async throws -> RunReport {
    let configuration = try await options.configuration(for: "run")
    var settings = settings
    let asked = try await Connection.connect(configuration)
    let run: CloseRun
    do {
      let clock = try await ServerClock.ask(asked, isStrict: settings.isStrict)
      let first = OpenedBefore(asked)
      run = CloseRun(try purpose(clock, &settings), settings: settings) {
        if let opened = first.take() { return opened }
        return try await Connection.connect(configuration)
      }
    } catch {
      await asked.close()
      throw error
    }
    let signals = Signals { count in
      if count > 1 { _exit(130) }
      run.stop()
    }
    defer { signals.restore() }
    let progress = Task { await ProgressLine(isQuiet: options.quiet).show { run.progress } }
    defer { progress.cancel() }
    let report = try await run.run()
    progress.cancel()
    await progress.value
    return report
  }

  /// Prints what the run did and leaves with its exit code.
  static func conclude(_ report: RunReport, _ options: CommonOptions, verb: String) throws {
    if options.json {
      StandardOutput.json(RunSummary(report).json)
    } else if !options.quiet {
      StandardOutput.line(RunSummary(report).text(verb: verb))
    }
    let shown = options.verbose ? report.failures.count : 20
    for failure in report.failures.prefix(shown) {
      Terminal.complain(
        "error: portfolio \(failure.portfolio.description.shown), \(failure.date): \(failure.error)"
      )
    }
    let hidden = report.failures.count - min(report.failures.count, shown)
    if hidden > 0 { Terminal.complain("detail: and \(hidden) more; see them with --verbose") }
    if report.paused {
      Terminal.complain("error: claims are paused\nhint: closebell resume")
    } else if report.exitCode == 75 {
      Terminal.complain(
        "error: held by another run: \(report.counts.busy) slots\nhint: try again later")
    }
    if report.exitCode != 0 { throw Failure("", code: report.exitCode) }
  }
}

/// A connection that is used before a run begins, and is then the run's first.
private final class OpenedBefore: Sendable {
  private let connection: Mutex<Connection?>

  init(_ connection: Connection) { self.connection = Mutex(connection) }

  /// The connection, once.
  func take() -> Connection? {
    connection.withLock { connection in
      defer { connection = nil }
      return connection
    }
  }
}

/// SIGINT and SIGTERM, delivered to a closure with their count so far.
final class Signals: @unchecked Sendable {
  // Made once, and then only cancelled, which a source takes from any thread.
  private let sources: [any DispatchSourceSignal]
  private let before: [__sighandler_t?]

  init(_ received: @escaping @Sendable (Int) -> Void) {
    let queue = DispatchQueue(label: "closebell.signals")
    let count = Counter()
    before = Self.numbers.map { signal($0, SIG_IGN) }
    sources = Self.numbers.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { received(count.next()) }
      source.resume()
      return source
    }
  }

  /// Takes no more signals: from here on they do what they did before.
  func restore() {
    for source in sources { source.cancel() }
    for (number, disposition) in zip(Self.numbers, before) { signal(number, disposition) }
  }

  /// Runs `body`, which waits for a person: whoever else takes signals would wait for it too, so a
  /// signal ends the program meanwhile.
  static func endingTheProgram<R>(_ body: () throws -> R) rethrows -> R {
    let before = numbers.map { signal($0) { _ in _exit(130) } }
    defer { for (number, disposition) in zip(numbers, before) { signal(number, disposition) } }
    return try body()
  }

  private static let numbers = [SIGINT, SIGTERM]

  /// Counts on the one queue that the signals arrive on.
  private final class Counter: @unchecked Sendable {
    // Only ever touched on the serial queue above.
    private var value = 0

    func next() -> Int {
      value += 1
      return value
    }
  }
}

/// Whether a signal came.
final class StopFlag: Sendable {
  private let flag = Mutex(false)

  var isRaised: Bool { flag.withLock { $0 } }

  func raise() { flag.withLock { $0 = true } }
}

/// One line on a terminal that says how far the run is; nothing where output is not a terminal.
struct ProgressLine {
  let isQuiet: Bool

  func show(_ report: @Sendable () -> RunReport?) async {
    guard !isQuiet, Terminal.isInteractive else { return }
    let started = ContinuousClock.now
    var isDrawn = false
    while (try? await Task.sleep(for: .milliseconds(200))) != nil {
      guard let counts = report()?.counts, counts.completed > 0 else { continue }
      let seconds = max((ContinuousClock.now - started) / .seconds(1), 0.001)
      let rate = Readable.whole(Double(counts.completed) / seconds)
      Terminal.draw("\r\u{1B}[Kclosing: \(counts.completed) slots, \(rate) slots/s")
      isDrawn = true
    }
    if isDrawn { Terminal.draw("\r\u{1B}[K") }
  }

  /// The same of work whose size is known: with the time left.
  func show(verb: String, _ progress: @Sendable () -> (done: Int, of: Int)?) async {
    guard !isQuiet, Terminal.isInteractive else { return }
    let started = ContinuousClock.now
    var isDrawn = false
    while (try? await Task.sleep(for: .milliseconds(200))) != nil {
      guard let (done, total) = progress(), done > 0 else { continue }
      let rate = Double(done) / max((ContinuousClock.now - started) / .seconds(1), 0.001)
      let left = Readable.whole(Double(max(total - done, 0)) / rate + 0.5)
      let speed = "\(Readable.whole(rate)) slots/s, \(left) s left"
      Terminal.draw("\r\u{1B}[K\(verb): \(done) of \(total) slots, \(speed)")
      isDrawn = true
    }
    if isDrawn { Terminal.draw("\r\u{1B}[K") }
  }
}

/// A report as people and programs read it.
struct RunSummary {
  let report: RunReport

  init(_ report: RunReport) { self.report = report }

  func text(verb: String) -> String {
    let counts = report.counts
    if counts.planned == 0 && counts.failed == 0 && counts.locked == 0 {
      return switch report.outcome {
      case .completed: "nothing to do"
      case .interrupted: "interrupted: nothing was begun"
      case .paused: "paused: nothing was begun"
      }
    }
    var lines: [String] = []
    var parts = report.outcome == .completed ? [] : [report.outcome.rawValue]
    parts.append("\(counts.completed) \(verb)")
    if counts.degraded > 0 { parts.append("\(counts.degraded) of them degraded") }
    if counts.unchanged > 0 { parts.append("\(counts.unchanged) unchanged") }
    if counts.takenOver > 0 { parts.append("\(counts.takenOver) taken over") }
    if counts.failed > 0 { parts.append("\(counts.failed) failed") }
    if counts.locked > 0 { parts.append("\(counts.locked) locked") }
    if counts.blocked > 0 { parts.append("\(counts.blocked) blocked") }
    if counts.busy > 0 { parts.append("\(counts.busy) busy") }
    if counts.fenced > 0 { parts.append("\(counts.fenced) fenced") }
    lines.append(
      "run \(report.run), \(report.date): \(parts.joined(separator: ", ")) "
        + "in \(Readable.seconds(report.seconds))")
    if report.reclaimed > 0 {
      lines.append("\(report.reclaimed) placeholders of dead owners were taken back")
    }
    if let stale = report.staleFrom {
      lines.append("later slots are stale from \(stale) on; the next run closes them again")
    }
    lines.append(stages.text)
    return lines.joined(separator: "\n")
  }

  private var stages: TextTable {
    var table = TextTable([
      ("stage", .left), ("slots", .right), ("seconds", .right), ("slots/s", .right),
    ])
    let slots = report.counts.completed + report.counts.unchanged
    func add(_ name: String, _ seconds: Double) {
      let rate = seconds > 0 ? Readable.whole(Double(slots) / seconds) : "–"
      table.add([name, String(slots), Readable.seconds(seconds), rate])
    }
    add("plan", report.stages.plan)
    add("claim", report.stages.claim)
    add("load", report.stages.load)
    add("compute", report.stages.compute)
    add("populate", report.stages.populate)
    add("wall clock", report.seconds)
    return table
  }

  /// Seconds of each stage, summed over the workers.
  private var stagesJSON: JSON {
    .object([
      ("plan", .number(report.stages.plan)), ("claim", .number(report.stages.claim)),
      ("load", .number(report.stages.load)), ("compute", .number(report.stages.compute)),
      ("populate", .number(report.stages.populate)),
    ])
  }

  var json: JSON {
    let counts = report.counts
    return .object([
      ("run_id", .integer(Int(report.run))),
      ("date", .string(report.date.description)),
      ("outcome", .string(report.outcome.rawValue)),
      (
        "slots",
        .object([
          ("planned", .integer(counts.planned)), ("claimed", .integer(counts.claimed)),
          ("completed", .integer(counts.completed)), ("degraded", .integer(counts.degraded)),
          ("skipped", .integer(counts.skipped)), ("busy", .integer(counts.busy)),
          ("blocked", .integer(counts.blocked)), ("failed", .integer(counts.failed)),
          ("locked", .integer(counts.locked)),
          ("taken_over", .integer(counts.takenOver)), ("fenced", .integer(counts.fenced)),
          ("unchanged", .integer(counts.unchanged)),
        ])
      ),
      (
        "failures",
        .array(
          report.failures.map {
            .object([
              ("portfolio", .string($0.portfolio.description)),
              ("date", .string($0.date.description)),
              ("error", .string($0.error)),
            ])
          })
      ),
      ("taken_back", .integer(report.reclaimed)),
      ("stale_from", .optional(report.staleFrom?.description)),
      ("duration_seconds", .number(report.seconds)),
      ("stages", stagesJSON),
    ])
  }
}
