import Glibc
import Postgres
import TestSupport
import Testing

/// The flow that this program was written against: a placeholder first, then `equity += pnl`.
///
/// It is kept here alone, to show that the storm tells right from wrong.
@Suite(.serialized) struct AccumulatedEquityTests {
  private static let portfolios = 24

  @Test("the same storm over `equity += pnl` leaves wrong equities", .timeLimit(.minutes(5)))
  func accumulates() async throws {
    let cluster = TestCluster()
    let books = OperatorBooks(url: try await cluster.freshDatabase())
    try await books.execute(Self.tables)
    let storm = Storm(cluster, url: books.url, stream: 2)
    let psql = try await cluster.program("psql")
    let nights = Chaos.isThorough ? 8 : 2
    for night in 1...nights {
      // As for the program itself: somebody sleeps with his write in hand while others close.
      _ = try await CommandRun.run(
        psql, ["-X", "-q", "-d", books.url], input: Self.script(night: night, seconds: 0.5),
        timeLimit: .seconds(600)
      ) { process in
        let isHeld = "exists (select from old.snapshots where not is_complete)"
        // It must sleep between its placeholder and its posting, and not between two of them.
        repeat {
          process.send(SIGCONT)
          try await books.waitUntil(isHeld)
          process.send(SIGSTOP)
          try await Task.sleep(for: .milliseconds(200))
        } while try await books.count("select case when \(isHeld) then 1 else 0 end") == 0
        try await rage(night, psql, books, storm)
        process.send(SIGCONT)
      }
    }
    let wrong = try await books.count(
      """
      select count(*) from old.portfolios p
      where p.equity <> 1000 + (select sum(s.pnl) from old.snapshots s
        where s.portfolio_id = p.id and s.is_complete)
      """)
    let counts = storm.soFar
    #expect(wrong >= 1, "a storm that this flow survives proves nothing")
    Chaos.report(
      "equity += pnl: \(counts.processes) processes, \(counts.kills) killed, \(counts.stalls) "
        + "stalls: \(wrong) of \(Self.portfolios) equities wrong")
    try await cluster.discard()
  }

  private func rage(
    _ night: Int, _ psql: String, _ books: OperatorBooks, _ storm: Storm
  ) async throws {
    let isClosed = Milestone()
    let left = "select count(*) from old.snapshots where night = \(night) and is_complete"
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let posting = Storm.Party(width: 5) { whileRunning in
          try await CommandRun.run(
            psql, ["-X", "-q", "-d", books.url, "-v", "ON_ERROR_STOP=1"],
            input: Self.script(night: night), whileRunning: whileRunning)
        }
        try await storm.rage([posting]) { isClosed.count > 0 }
      }
      group.addTask {
        while try await books.count(left) < Int64(Self.portfolios) {
          try await Task.sleep(for: .milliseconds(50))
        }
        isClosed.pass()
      }
      for try await _ in group {}  // the first error ends the others
    }
  }

  private static let tables = """
    create schema old;
    create table old.portfolios (id int primary key, equity numeric not null default 1000);
    insert into old.portfolios (id) select generate_series(1, \(portfolios));
    create table old.snapshots (
      portfolio_id int, night int, pnl numeric, equity numeric, is_complete bool default false,
      created_at timestamptz default clock_timestamp(), primary key (portfolio_id, night))
    """

  /// Placeholders older than a lease are deleted first; writing is one transaction a portfolio.
  private static func script(night: Int, seconds: Double = 0.05) -> String {
    let cleanup = """
      set idle_in_transaction_session_timeout = '1s';
      delete from old.snapshots
      where not is_complete and created_at < clock_timestamp() - interval '1 second';

      """
    return cleanup
      + (0..<portfolios).map { (7 * night + $0) % portfolios + 1 }.map { portfolio in
        """
        with mine as (
          insert into old.snapshots (portfolio_id, night) values (\(portfolio), \(night))
          on conflict do nothing returning 1)
        select count(*) > 0 as mine from mine \\gset
        \\if :mine
        select pg_sleep(\(seconds));
        begin;
        update old.portfolios set equity = equity + \(portfolio + night) where id = \(portfolio);
        update old.snapshots set pnl = \(portfolio + night), is_complete = true
        where portfolio_id = \(portfolio) and night = \(night);
        commit;
        \\endif

        """
      }.joined()
  }
}
