package import Accounting
internal import Close
package import Postgres
package import Storage

/// What Closebell can do, as calls: for a terminal, a service and tests.
///
/// Results are plain values: `Codable` under the names that `--json` prints. What is read of closed
/// books is of one snapshot of the database; a preview, a verification and an export are of one a
/// chunk. What takes long can be stopped (``StopSignal``) and watched (`RunObserver`).
package struct Operations: Sendable {
  /// Opens a connection; a server that may only be read will do where that is asked for.
  package typealias Connect = @Sendable (_ onlyReads: Bool) async throws -> Connection

  /// Asks the server's clock, which decides what is over; refuses one that is not this machine's
  /// where that is asked for.
  package typealias AskClock =
    @Sendable (_ connection: Connection, _ isStrict: Bool) async throws -> ServerClock

  let caller: Caller
  let connect: Connect
  let askClock: AskClock

  /// - Parameter connect: Called once an operation, or once a worker of it.
  package init(
    caller: Caller, connect: @escaping Connect, askClock: @escaping AskClock
  ) {
    self.caller = caller
    self.connect = connect
    self.askClock = askClock
  }

  /// Runs `body` on a connection of its own.
  func perform<R: Sendable>(
    onlyReads: Bool = false, _ body: (Connection) async throws -> R
  ) async throws -> R {
    let connection = try await connect(onlyReads)
    do {
      let result = try await body(connection)
      await connection.close()
      return result
    } catch {
      await connection.close()
      throw error
    }
  }

  /// Runs `body` over the closed books as they are at one moment.
  func reading<R: Sendable>(
    _ body: @escaping @Sendable (BooksReader) throws -> R
  ) async throws -> R {
    try await perform(onlyReads: true) { connection in
      try await connection.perform { db in try db.readBooks(body) }
    }
  }
}

extension Operations {
  /// A portfolio's closed date.
  ///
  /// - Throws: `NotClosed` where it is not; `UnknownPortfolios`, `SchemaError`, `PostgresError`.
  package func snapshot(of portfolio: String, on date: Day) async throws -> SnapshotResult {
    switch try await reading({ books in try books.show(portfolio, on: date) }) {
    case .closed(let shown): return SnapshotResult(shown)
    case .open(let state, let error):
      throw NotClosed(portfolio: portfolio, date: date, place: .open(state: state, error: error))
    case .missing(let last):
      throw NotClosed(portfolio: portfolio, date: date, place: .empty(lastClosed: last))
    }
  }

  /// How many dates are looked at where no first one is given, the last one among them.
  package static var defaultCoverageDays: Int { CoverageReport.defaultDays }

  /// How far the books are closed.
  ///
  /// - Parameters:
  ///   - from: The first date; nil: `defaultCoverageDays` of them.
  ///   - through: The last date; nil: the latest closed.
  /// - Throws: `SchemaError`, `PostgresError`.
  package func coverage(from: Day?, through: Day?) async throws -> CoverageResult {
    CoverageResult(try await reading { books in try books.coverage(from: from, through: through) })
  }
}
