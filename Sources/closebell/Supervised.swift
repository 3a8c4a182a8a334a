import Accounting
import ArgumentParser
import Close
import Dispatch
import Glibc
import Operations
import Postgres
import Presentation
import Problems
import Storage
import Synchronization
import Text

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
    try options.present(RunResult(report)) { RunText($0, verb: verb).text }
    let shown = options.verbose ? report.failures.count : 20
    for failure in report.failures.prefix(shown) {
      Terminal.complain(failure)
    }
    let hidden = report.failures.count - min(report.failures.count, shown)
    if hidden > 0 { Terminal.complain("detail: and \(hidden) more; see them with --verbose") }
    if report.paused {
      Terminal.complain(
        StatedProblem(
          ProblemCode("claims_paused", .busy), "claims are paused", remedy: Remedy(.resumeClaims)))
    } else if report.shortfall == .busy {
      Terminal.complain(
        StatedProblem(
          ProblemCode("slots_held", .busy), "held by another run: \(report.counts.busy) slots",
          remedy: "try again later"))
    }
    if let shortfall = report.shortfall { throw ExitCode(shortfall) }
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
