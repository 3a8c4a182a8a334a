import Postgres
import TestSupport
import Testing

/// What is over is decided by one clock.
///
/// Here the server's stands still in the summer of 2017,
/// years behind the clock of whoever runs the tests.
@Suite("The server's clock decides which dates are over")
struct ServerClockTests {
  /// The demo's books, on a server on which it is always this moment.
  private static func books(at moment: String) async throws -> OperatorBooks {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      alter function pg_catalog.clock_timestamp() rename to true_clock_timestamp;
      create function pg_catalog.clock_timestamp() returns timestamptz language sql
        as $$ select timestamptz '\(moment)' $$
      """)
    return books
  }

  private static func dates(_ books: OperatorBooks) async throws -> [String] {
    try await books.texts(
      """
      select distinct snapshot_date::text from closebell.portfolio_snapshots
      where is_complete order by 1
      """)
  }

  @Test("without a date a run closes what is over on the server, and says that clocks differ")
  func latest() async throws {
    let books = try await Self.books(at: "2017-07-01 03:00+00")
    let night = try await books.run("run")
    #expect(night.exitCode == 0, "\(night.standardError)")
    #expect(night.standardError.hasPrefix("warning: this machine's clock is "))
    #expect(night.standardError.contains("days ahead of the server's, which counts"))
    #expect(try await Self.dates(books) == ["2017-06-29", "2017-06-30"])
    #expect(try await books.run("run").standardOutput.contains("nothing to do"))
  }

  @Test("a date that is not over on the server is not closed: its cut-off counts too")
  func cutOff() async throws {
    let books = try await Self.books(at: "2017-06-30 20:29:59+00")
    try await books.expectDone("run")
    let closed = try await books.texts(
      """
      select distinct p.calendar from closebell.portfolio_snapshots s
      join closebell.portfolios p on p.id = s.portfolio_id
      where s.snapshot_date = '2017-06-30'
      """)
    #expect(closed == ["XLON"], "New York is over half an hour after 16:00, its time")
  }

  @Test("a date or a month that the server has not reached is usage, with nothing done")
  func future() async throws {
    let books = try await Self.books(at: "2017-07-01 03:00+00")
    let before = try await books.tables()
    for (command, says) in [
      (["run", "--date", "2017-07-02"], "2017-07-02 lies in the future"),
      (["replay", "--from", "2017-06-29", "--to", "2017-07-02"], "2017-07-02 lies in the future"),
      (
        ["replay", "--from", "2017-06-29", "--to", "2017-07-02", "--dry-run"],
        "2017-07-02 lies in the future"
      ),
      (["lock", "--month", "2017-07", "--reason", "x"], "2017-07 is not over"),
    ] {
      let refused = try await books.run(command)
      #expect(refused.exitCode == 64, "\(command): \(refused.standardError)")
      #expect(refused.standardError.contains("error: \(says)"), "\(refused.standardError)")
    }
    #expect(try await books.tables() == before)
  }

  @Test("with --strict clocks that differ are refused, and nothing is begun")
  func strict() async throws {
    let books = try await Self.books(at: "2017-07-01 03:00+00")
    for command in [
      ["run"], ["run", "--date", "2017-06-30"],
      ["replay", "--from", "2017-06-29", "--to", "2017-06-29"],
    ] {
      let refused = try await books.run(command + ["--strict"])
      #expect(refused.exitCode == 78, "\(command): \(refused.standardError)")
      #expect(refused.standardError.contains("hint: set both by a time server"))
    }
    #expect(try await books.integer("select count(*) from closebell.batch_runs") == 1)
  }

  @Test("a clock that agrees is not worth a word")
  func agreeing() async throws {
    let books = try await OperatorBooks.demo()
    let night = try await books.run("run", "--date", "2017-06-30", "--strict")
    #expect(!night.standardError.contains("clock"), "\(night.standardError)")
    let future = try await books.run("run", "--date", "2190-01-01")
    #expect(future.exitCode == 64)
    #expect(future.standardError.contains("2190-01-01 lies in the future"))
  }
}
