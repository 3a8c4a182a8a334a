import Close
import Console
import Glibc
import Operations

/// Work with its signals, its progress line and its log.
struct Watch {
  private let common: CommonOptions
  private let stop: StopSignal

  /// - Parameter stop: Is raised by SIGINT and SIGTERM.
  init(_ common: CommonOptions, _ stop: StopSignal = StopSignal()) {
    self.common = common
    self.stop = stop
  }

  /// Closes dates to the end; a signal stops it after the open chunks, a second one at once.
  func run<R>(
    _ work: (StopSignal, any RunObserver) async throws -> R
  ) async throws -> R {
    let signals = signals()
    defer { signals.restore() }
    let progress = ProgressLine(isQuiet: common.quiet)
    defer { progress.erase() }
    return try await work(stop, Observers([progress, RunLog(isVerbose: common.verbose)]))
  }

  /// The same of work whose size is known.
  ///
  /// - Parameter work: Keeps what it is handed up to date.
  func run<R>(
    verb: String, _ work: (WorkProgress) async throws -> R
  ) async throws -> R {
    let signals = signals()
    defer { signals.restore() }
    let line = ProgressLine(isQuiet: common.quiet)
    let progress = WorkProgress()
    let drawing = Task { await line.follow(verb: verb, progress) }
    let result: Result<R, any Error>
    do { result = .success(try await work(progress)) } catch { result = .failure(error) }
    drawing.cancel()
    await drawing.value
    line.erase()
    return try result.get()
  }

  private func signals() -> Signals {
    Signals { [stop] count in
      if count > 1 { _exit(130) }
      stop.raise()
    }
  }
}
