import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

/// Dates closed again after their inputs changed, and dates that were never closed.
@Suite struct ReplayTests {
  private func week() async throws -> DemoBooks {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-26")
    _ = try await books.close("2017-06-30")
    return books
  }

  /// Raises one close without going through an import, and says so as an import does.
  private func correctPrice(
    _ symbol: String, _ date: String, by factor: String, _ books: DemoBooks
  ) async throws {
    try await books.execute(
      """
      begin;
      update closebell.prices p set close = close * \(factor) from closebell.instruments i
      where i.id = p.instrument_id and i.symbol = '\(symbol)' and p.price_date = '\(date)';
      insert into closebell.input_changes (from_date, instrument_ids)
      select '\(date)', array[id] from closebell.instruments where symbol = '\(symbol)';
      commit
      """)
  }

  @Test("a replay of unchanged inputs writes nothing")
  func unchanged() async throws {
    let books = try await week()
    let before = try await books.tables()
    let ids = try await books.integer("select sum(id) from closebell.portfolio_fund_irr_values")
    let report = try await books.replay("2017-06-27", "2017-06-29")
    #expect(report.counts.completed == 0)
    #expect(report.counts.unchanged > 60)
    #expect(try await books.tables() == before)
    #expect(
      try await books.integer("select sum(id) from closebell.portfolio_fund_irr_values") == ids)
    #expect(
      try await books.integer("select max(revision) from closebell.portfolio_snapshots") == 1)
  }

  @Test("a corrected price makes stale what depends on it, and the next run closes just that again")
  func correctedPrice() async throws {
    let books = try await week()
    try await correctPrice("AMZN", "2017-06-28", by: "1.01", books)
    let reference = try await DemoBooks.fresh()
    try await correctPrice("AMZN", "2017-06-28", by: "1.01", reference)
    _ = try await reference.close("2017-06-26")
    _ = try await reference.close("2017-06-30")
    #expect(try await books.tables() != (try await reference.tables()))

    let stale = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(!stale.isEmpty)
    #expect(stale.values.allSatisfy { $0 == Day("2017-06-28") })
    let holders = try await books.integer(
      """
      select count(*) from closebell.portfolio_funds f
      join closebell.instruments i on i.id = f.instrument_id
      join closebell.portfolio_snapshots s using (portfolio_id)
      where i.symbol = 'AMZN' and s.snapshot_date = '2017-06-28'
      """)
    #expect(stale.count == Int(holders))

    let report = try await books.close("2017-06-30")
    #expect(report.counts.completed > 0)
    #expect(try await books.tables() == (try await reference.tables()))
    let left = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(left.isEmpty)
    #expect(try await books.integer("select count(*) from closebell.snapshot_history") > 0)
  }

  @Test("a run closes a stale date before it closes the next one")
  func staleFirst() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-28")
    _ = try await books.close("2017-06-29")
    try await correctPrice("AMZN", "2017-06-29", by: "0.98", books)
    _ = try await books.close("2017-06-30")
    let reference = try await DemoBooks.fresh()
    try await correctPrice("AMZN", "2017-06-29", by: "0.98", reference)
    _ = try await reference.close("2017-06-28")
    _ = try await reference.close("2017-06-29")
    _ = try await reference.close("2017-06-30")
    #expect(try await books.tables() == (try await reference.tables()))
    let left = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(left.isEmpty, "what was closed in the same segment opened from the new values")
  }

  @Test("a portfolio that the database refuses costs its chunk nothing, in a replay too")
  func oneRefused() async throws {
    let books = try await week()
    try await books.execute(
      """
      begin;
      update closebell.prices set close = close * 1.01 where price_date = '2017-06-28';
      insert into closebell.input_changes (from_date, instrument_ids)
      select '2017-06-28', array_agg(id) from closebell.instruments;
      alter table closebell.portfolio_irr_values
        add constraint one_is_refused check (portfolio_id <> 5) not valid;
      commit
      """)
    let report = try await books.replay(
      "2017-06-28", "2017-06-30", DemoBooks.settings(chunk: 500) { $0.waitSeconds = 0 })
    #expect(report.counts.failed == 1)
    #expect(report.counts.busy == 0)
    #expect(report.exitCode == 1)
    try await books.execute(
      "alter table closebell.portfolio_irr_values drop constraint one_is_refused")
    let mended = try await books.replay("2017-06-28", "2017-06-30")
    #expect(mended.exitCode == 0, "\(mended.failures)")
    let left = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(left.isEmpty)
  }

  @Test("a corrected exchange rate concerns portfolios that only have activities in the currency")
  func rateOfAnActivity() async throws {
    let books = try await DemoBooks.fresh()
    try await books.execute(
      """
      insert into closebell.holding_activity_log
        (portfolio_id, activity_type, activity_date, amount, currency, external_id)
      select id, 'deposit', '2017-06-27', 100000, 'JPY', 'YEN-1' from closebell.portfolios
      where code = 'COLA'
      """)
    _ = try await books.close("2017-06-28")
    try await books.execute(
      """
      begin;
      update closebell.fx_rates set rate = 100 where quote = 'JPY' and rate_date = '2017-06-27';
      insert into closebell.input_changes (from_date, currencies) values ('2017-06-27', '{JPY}');
      commit
      """)
    let cola = try await books.integer("select id from closebell.portfolios where code = 'COLA'")
    let stale = try await books.perform { db in try Planning.stale(through: .latest, on: db) }
    #expect(stale[ID<Portfolio>(cola)] == Day("2017-06-28"))
  }

  @Test("a later date that failed gives its place up to an earlier one")
  func laterFailure() async throws {
    let books = try await DemoBooks.fresh()
    try await books.execute(
      """
      create table public.kept as select * from closebell.fx_rates where quote = 'JPY';
      delete from closebell.fx_rates where quote = 'JPY'
      """)
    #expect(try await books.close("2017-06-30").counts.failed == 1)
    try await books.execute("insert into closebell.fx_rates select * from public.kept")
    let sakura = DemoBooks.settings {
      $0.codes = ["SAKURA"]
      $0.waitSeconds = 0
    }
    let earlier = try await books.close("2017-06-29", sakura)
    #expect(earlier.exitCode == 0, "\(earlier.failures)")
    #expect(earlier.counts.completed == 1)
    let later = try await books.close("2017-06-30", sakura)
    #expect(later.counts.completed == 1)
  }

  @Test("a replay that would leave a hole behind the last close says where")
  func noNewHoles() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-22")
    let report = try await books.replay("2017-06-26", "2017-06-27")
    #expect(report.exitCode == 1)
    #expect(report.counts.completed < 3)
    #expect(report.failures.contains { $0.error.contains("2017-06-23 is not closed yet") })
  }

  @Test("a hole is filled, and the slot behind it opens from the filled one")
  func fillsHole() async throws {
    let books = try await DemoBooks.fresh()
    let gap = DemoBooks.settings { $0.catchesUp = false }
    _ = try await books.close("2017-06-27", gap)
    _ = try await books.close("2017-06-30", gap)
    let report = try await books.replay("2017-06-28", "2017-06-29")
    #expect(report.exitCode == 0, "\(report.failures)")
    let reference = try await DemoBooks.fresh()
    for date in ["2017-06-27", "2017-06-28", "2017-06-29", "2017-06-30"] {
      _ = try await reference.close(date)
    }
    #expect(try await books.tables() == (try await reference.tables()))
  }

  @Test("a backfill before the first slot makes the old first slot open from it")
  func backfillsBeforeTheFirst() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    let report = try await books.replay("2017-06-28", "2017-06-28")
    #expect(report.exitCode == 0, "\(report.failures)")
    let reference = try await DemoBooks.fresh()
    _ = try await reference.close("2017-06-28")
    _ = try await reference.close("2017-06-29")
    #expect(try await books.tables() == (try await reference.tables()))
  }

  @Test("a portfolio alone in its chunk finds an id for every row, whatever it had before")
  func backfillsOneByOne() async throws {
    let books = try await DemoBooks.fresh()
    let alone = DemoBooks.settings(workers: 1, chunk: 1)
    _ = try await books.close("2017-06-29", alone)
    let report = try await books.replay("2017-06-28", "2017-06-28", alone)
    #expect(report.exitCode == 0, "\(report.failures)")
    let duplicates = try await books.integer(
      "select count(*) - count(distinct id) from closebell.portfolio_fund_irr_values")
    #expect(duplicates == 0)
  }

  @Test("a replay keeps the ids of IRR rows and the old values' history")
  func keepsIDs() async throws {
    let books = try await week()
    let sql = """
      select sum(id * (fund_id + 7)) from closebell.portfolio_fund_irr_values
      where date = '2017-06-28'
      """
    let before = try await books.integer(sql)
    try await correctPrice("AMZN", "2017-06-28", by: "1.05", books)
    let report = try await books.replay("2017-06-28", "2017-06-28", throughLatest: true)
    #expect(report.counts.completed > 0)
    #expect(try await books.integer(sql) == before)
    #expect(
      try await books.integer("select count(*) from closebell.snapshot_history")
        == Int64(report.counts.completed))
  }

  @Test("slots after a replayed range that changed are stale, and the report says from when")
  func laterSlotsAreStale() async throws {
    let books = try await week()
    try await correctPrice("AMZN", "2017-06-28", by: "1.05", books)
    let report = try await books.replay("2017-06-28", "2017-06-28")
    #expect(report.staleFrom == Day("2017-06-29"))
    _ = try await books.close("2017-06-30")
    let reference = try await DemoBooks.fresh()
    try await correctPrice("AMZN", "2017-06-28", by: "1.05", reference)
    _ = try await reference.close("2017-06-26")
    _ = try await reference.close("2017-06-30")
    #expect(try await books.tables() == (try await reference.tables()))
  }
}
