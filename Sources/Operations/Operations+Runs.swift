internal import Accounting
package import Close
internal import Postgres
internal import Storage
internal import Synchronization

extension Operations {
  /// Closes what is due, and what was missed before it.
  ///
  /// - Parameters:
  ///   - stop: Ends it after the open chunks.
  ///   - observer: Is told what happens as it happens.
  /// - Throws: `DateInFuture`, and what `CloseRun` throws. Portfolios that could not be closed are
  ///   no error: they are reported.
  package func close(
    _ request: CloseRequest, stop: StopSignal, observer: any RunObserver
  ) async throws -> RunResult {
    var settings = request.closing.settings(of: caller)
    settings.catchesUp = request.catchesUp
    settings.maxCatchUp = request.maxCatchUp
    return try await run(settings, stop, observer) { clock, settings in
      if let date = request.date { try clock.requireReached(date) }
      settings.closedBy = request.date == nil ? clock.now : nil
      return .night(request.date ?? clock.today)
    }
  }

  /// Closes a range of dates again, and dates of it that were never closed.
  ///
  /// - Throws: As ``close(_:stop:observer:)``.
  package func replay(
    _ request: ReplayRequest, stop: StopSignal, observer: any RunObserver
  ) async throws -> RunResult {
    try await run(request.settings(of: caller), stop, observer) { clock, _ in
      try clock.requireReached(request.range.through)
      return .replay(request.range)
    }
  }

  /// - Parameter purpose: What the run is for, by the server's clock.
  private func run(
    _ settings: RunSettings, _ stop: StopSignal, _ observer: any RunObserver,
    purpose: (ServerClock, inout RunSettings) throws -> CloseRun.Purpose
  ) async throws -> RunResult {
    let asked = try await connect(false)
    let run: CloseRun
    do {
      var settings = settings
      let clock = try await askClock(asked, settings.isStrict)
      let purpose = try purpose(clock, &settings)
      let first = OpenedBefore(asked)
      run = CloseRun(purpose, settings: settings, observer: observer) { [connect] in
        if let opened = first.take() { return opened }
        return try await connect(false)
      }
    } catch {
      await asked.close()
      throw error
    }
    stop.stops { run.stop() }
    return RunResult(try await run.run())
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
