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
    let wanted = Chaos.isThorough ? 60 : 12
    let night = Milestone()
    try await storm.rage(
      width: 5,
      { whileRunning in
        let script = Self.script(night: night.count)
        let run = try await CommandRun.run(
          psql, ["-X", "-q", "-d", books.url, "-v", "ON_ERROR_STOP=1"], input: script,
          whileRunning: whileRunning)
        // A night that is over is followed by the next one.
        if run.exitCode == 0 { night.pass() }
        return run
      }, until: { $0.stalls >= wanted })
    for last in 0...night.count {
      _ = try await CommandRun.run(
        psql, ["-X", "-q", "-d", books.url], input: Self.script(night: last))
    }
    let wrong = try await books.count(
      """
      select count(*) from old.portfolios p
      where p.equity <> 1000 + (select sum(s.pnl) from old.snapshots s
        where s.portfolio_id = p.id and s.is_complete)
      """)
    let counts = storm.soFar
    #expect(wrong > 0, "a storm that this flow survives proves nothing")
    Chaos.report(
      "equity += pnl: \(counts.processes) processes, \(counts.kills) killed, \(counts.stalls) "
        + "stalls: \(wrong) of \(Self.portfolios) equities wrong")
    try await cluster.discard()
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
  private static func script(night: Int) -> String {
    let cleanup = """
      delete from old.snapshots
      where not is_complete and created_at < clock_timestamp() - interval '1 second';

      """
    return cleanup
      + (1...portfolios).map { portfolio in
        """
        with mine as (
          insert into old.snapshots (portfolio_id, night) values (\(portfolio), \(night))
          on conflict do nothing returning 1)
        select count(*) > 0 as mine from mine \\gset
        \\if :mine
        select pg_sleep(0.02);
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
