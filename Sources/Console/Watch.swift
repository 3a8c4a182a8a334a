package import Close
import Glibc
package import Operations

/// Work with its signals, its progress line and its log.
package struct Watch {
  private let style: OutputStyle
  private let stop: StopSignal

  /// - Parameter stop: Is raised by SIGINT and SIGTERM.
  package init(_ style: OutputStyle, _ stop: StopSignal = StopSignal()) {
    self.style = style
    self.stop = stop
  }

  /// Closes dates to the end; a signal stops it after the open chunks, a second one at once.
  package func run<R>(
    _ work: (StopSignal, any RunObserver) async throws -> R
  ) async throws -> R {
    let signals = signals()
    defer { signals.restore() }
    let progress = ProgressLine(isQuiet: style.isQuiet)
    defer { progress.erase() }
    return try await work(stop, Observers([progress, RunLog(isVerbose: style.isVerbose)]))
  }

  /// The same of work whose size is known.
  ///
  /// - Parameter work: Keeps what it is handed up to date.
  package func run<R>(
    verb: String, _ work: (WorkProgress) async throws -> R
  ) async throws -> R {
    let signals = signals()
    defer { signals.restore() }
    let line = ProgressLine(isQuiet: style.isQuiet)
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
