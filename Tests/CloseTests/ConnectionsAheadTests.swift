import Accounting
import Close
import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

/// Workers' sessions are opened while a run begins; whatever becomes of them, it does not care.
@Suite struct ConnectionsAheadTests {
  /// Says to the n-th connection of a run, the first of which keeps its lease, what happens to it.
  private final class Opener: Sendable {
    private let count = Mutex(0)
    let configuration: Configuration
    let happen: @Sendable (_ number: Int, Connection) async throws -> Void

    init(
      _ books: DemoBooks,
      _ happen: @escaping @Sendable (_ number: Int, Connection) async throws -> Void = { _, _ in }
    ) {
      var configuration = books.configuration
      configuration.applicationName = "ahead"
      self.configuration = configuration
      self.happen = happen
    }

    var opened: Int { count.withLock { $0 } }

    func connect() async throws -> Connection {
      let number = count.withLock { count in
        count += 1
        return count
      }
      let connection = try await Connection.connect(configuration)
      do {
        try await happen(number, connection)
      } catch {
        await connection.close()
        throw error
      }
      return connection
    }
  }

  private struct Refused: Error {}

  private func run(
    _ opener: Opener, _ change: (inout RunSettings) -> Void = { _ in }
  ) async throws -> RunReport {
    let night = CloseRun(
      .night(try #require(Day("2017-06-30"))),
      settings: DemoBooks.settings(workers: 3, chunk: 1, change)
    ) { try await opener.connect() }
    return try await night.run()
  }

  @Test("a run that cannot begin, or may not, leaves no session behind")
  func nothingBegun() async throws {
    let books = try await DemoBooks.small()
    let opener = Opener(books)
    await #expect(throws: UnknownPortfolios.self) {
      try await run(opener) { $0.codes = ["NOBODY"] }
    }
    try await books.waitForNobody(named: "ahead%")
    try await books.perform { db in try Runs.pause(reason: "test", on: db) }
    #expect(try await run(opener).paused)
    try await books.waitForNobody(named: "ahead%")
    #expect(opener.opened == 10, "the lease's, the plan's and one a worker, twice")
  }

  @Test("sessions that cannot be opened ahead, or end at once, are opened when they are needed")
  func lost() async throws {
    let books = try await DemoBooks.small()
    _ = try await books.close("2017-06-30")
    let expected = try await books.tables()
    for isEnded in [false, true] {
      let books = try await DemoBooks.small()
      let opener = Opener(books) { number, connection in
        guard (2...5).contains(number) else { return }
        guard isEnded else { throw Refused() }
        let process = try await connection.perform { db in
          try db.row(Statement.once("pid", "select pg_backend_pid()::text")) { try $0.nextString() }
        }
        try await books.execute("select pg_terminate_backend(\(process ?? ""))")
      }
      let report = try await run(opener)
      #expect(report.exitCode == 0)
      #expect(try await books.tables() == expected)
      #expect(opener.opened > 5)
      try await books.waitForNobody(named: "ahead%")
    }
  }
}
