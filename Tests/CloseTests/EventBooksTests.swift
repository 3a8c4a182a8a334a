import Accounting
import Close
import Foundation
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// Portfolios full of corporate actions, through the database: `Fixtures/events`, whose books were
/// worked out by `Fixtures/reference/events.py` from the same files.
@Suite struct EventBooksTests {
  /// Some one after the other, and some gaps.
  private static let dates = [4, 5, 6, 7, 8, 11, 12, 13, 18].map {
    "2024-03-\($0 < 10 ? "0" : "")\($0)"
  }

  private static func imported(_ kinds: [(ImportKind, String)]) async throws -> DemoBooks {
    let books = try await DemoBooks.empty()
    try await books.importEvents(kinds)
    return books
  }

  private static let market: [(ImportKind, String)] = [
    (.instruments, "instruments"), (.portfolios, "portfolios"), (.prices, "prices"),
    (.fxRates, "fx-rates"),
  ]
  private static let actions = [(ImportKind.corporateActions, "corporate-actions")]
  private static let activities = [(ImportKind.activities, "activities")]

  private static func closed() async throws -> DemoBooks {
    DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: "event_books") { conninfo in
        let books = DemoBooks(conninfo: conninfo)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        try await books.importEvents(Self.market + Self.actions + Self.activities)
        for date in Self.dates { try await books.closeWhole(date) }
      })
  }

  @Test("every number equals the reference's to the last digit, night after night")
  func nights() async throws {
    let books = try await Self.closed()
    try await books.expectReference()
    #expect(try await books.verify().isClean)
    let repair = EquityRepair(settings: DemoBooks.settings()) { try await books.connect() }
    #expect(try await repair.plan(EquityScope()).isEmpty)
  }

  @Test("a replay finds nothing to write, with what nights keep of flows and without it")
  func replayed() async throws {
    let books = try await Self.closed()
    // The gaps are filled first.
    _ = try await books.replay("2024-03-04", "2024-03-18")
    let before = try await books.tables()
    for forgets in [false, true] {
      if forgets { try await books.execute("delete from closebell.portfolio_irr_moments") }
      let report = try await books.replay("2024-03-04", "2024-03-18")
      #expect(report.exitCode == 0 && report.counts.completed == 0, "\(report.counts) \(forgets)")
    }
    #expect(try await books.tables() == before)
  }

  @Test("actions that arrive when all is closed come out as if they had been there")
  func late() async throws {
    let books = try await Self.imported(Self.market + Self.activities)
    for date in Self.dates { try await books.closeWhole(date) }
    try await books.importEvents(Self.actions)
    try await books.closeStale()
    try await books.expectReference()
    #expect(try await books.verify().isClean)
  }

  @Test("activities that arrive after the actions find the holdings that units pass to")
  func actionsFirst() async throws {
    let books = try await Self.imported(Self.market + Self.actions + Self.activities)
    let late = try await Self.imported(Self.market + Self.activities + Self.actions)
    let funds = """
      select p.code, i.symbol from closebell.portfolio_funds f
      join closebell.portfolios p on p.id = f.portfolio_id
      join closebell.instruments i on i.id = f.instrument_id order by 1, 2
      """
    #expect(try await books.texts(funds) == late.texts(funds))
  }

  @Test("what was taken back never happened: the books are those that never had it")
  func cancelled() async throws {
    let books = try await Self.closed()
    let without = try await Self.imported(Self.market + Self.activities)
    for date in Self.dates { try await without.closeWhole(date) }
    let text = try String(
      contentsOfFile: Fixtures.path("events/corporate-actions.csv"), encoding: .utf8)
    try await books.importText(
      .corporateActions, text.replacing(",active,", with: ",cancelled,"))
    try await books.closeStale()
    #expect(try await books.snapshotLines() == without.snapshotLines())
    #expect(try await books.verify().isClean)
  }

  @Test("an action of a locked month is refused nothing and books nothing until it is unlocked")
  func lockedMonth() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    let before = try await books.may()
    try await books.importText(.instruments, "symbol,name,kind,currency\nSEED,Seed,equity,USD\n")
    try await books.importText(.prices, "date,symbol,close\n2017-05-31,SEED,6\n")
    try await books.importText(
      .corporateActions,
      """
      ex_date,symbol,type,ratio,new_symbol,cost_share
      2017-05-31,ACME,spin_off,1:2,SEED,0.1

      """)
    try await books.closeEach("2017-06-02", through: "2017-06-02")
    #expect(try await books.may() == before)
    let found = try await books.verify()
    #expect(found.findings.map(\.dates) == [[.stale: [Day("2017-05-31") ?? .earliest]]])
    try await books.unlock("2017-05")
    try await books.closeStale()
    #expect(try await books.verify().isClean)
    // 20 ACME bring 10 SEED at 6 and a tenth of 1 980.
    #expect(try await books.number("closing_equity", "2017-05-31") == "10119.0000")
    #expect(
      try await books.texts(
        """
        select i.symbol, trim_scale(v.quantity), v.cost_basis
        from closebell.portfolio_fund_valuations v
        join closebell.instruments i on i.id = v.instrument_id
        where v.valuation_date = '2017-05-31' order by 1
        """) == ["ACME,20,1782.0000", "SEED,10,198.0000"])
  }
}

extension DemoBooks {
  fileprivate func importEvents(_ kinds: [(ImportKind, String)]) async throws {
    for (kind, file) in kinds {
      try await importText(
        kind, String(contentsOfFile: Fixtures.path("events/\(file).csv"), encoding: .utf8))
    }
  }

  fileprivate func closeWhole(_ date: String) async throws {
    let report = try await close(date, DemoBooks.settings { $0.catchesUp = false })
    guard report.exitCode == 0 else { throw NotClosed(failures: report.failures) }
  }

  /// Closes what is stale again.
  fileprivate func closeStale() async throws {
    let report = try await replay("2017-05-30", "2024-03-18", onlyStale: true)
    guard report.exitCode == 0 else { throw NotClosed(failures: report.failures) }
  }

  /// Every snapshot's numbers, in the columns of the expected file but the return.
  fileprivate func snapshotLines() async throws -> [String] {
    try await texts(
      """
      select p.code, s.snapshot_date, s.opening_equity, s.inflow, s.outflow, s.daily_pnl,
        s.realized_pnl, s.unrealized_change, s.income, s.fees, s.taxes, s.fx_pnl,
        s.unrealized_pnl, s.closing_equity, s.cash, s.receivables, s.long_value, s.short_value,
        s.cumulative_pnl
      from closebell.portfolio_snapshots s join closebell.portfolios p on p.id = s.portfolio_id
      where s.is_complete order by 1, 2
      """)
  }

  fileprivate func holdingLines() async throws -> [String] {
    try await texts(
      """
      select p.code, v.valuation_date, i.symbol, trim_scale(v.quantity), trim_scale(v.price),
        coalesce(v.local_valuation, v.valuation), v.valuation,
        coalesce(v.local_cost, v.cost_basis), v.cost_basis,
        coalesce(v.unrealized_pnl, v.valuation - v.cost_basis), v.daily_pnl,
        coalesce(v.realized_pnl, 0::numeric(28, 4)), coalesce(v.income, 0::numeric(28, 4))
      from closebell.portfolio_fund_valuations v
      join closebell.portfolios p on p.id = v.portfolio_id
      join closebell.instruments i on i.id = v.instrument_id
      order by 1, 2, 3
      """)
  }

  /// Compares with the expected files, line by line.
  fileprivate func expectReference() async throws {
    func line(_ row: [String: String], _ columns: [String]) -> String {
      columns.map { row[$0] ?? "" }.joined(separator: ",")
    }
    let snapshots = try CSVTable.read("events/expected-snapshots.csv").map {
      line(
        $0,
        [
          "portfolio", "date", "opening_equity", "inflow", "outflow", "daily_pnl", "realized_pnl",
          "unrealized_change", "income", "fees", "taxes", "fx_pnl", "unrealized_pnl",
          "closing_equity", "cash", "receivables", "long_value", "short_value", "cumulative_pnl",
        ])
    }
    let stored = try await snapshotLines()
    #expect(stored.count == snapshots.count)
    #expect(Set(stored).symmetricDifference(snapshots).sorted().prefix(6) == [])
    // The reference goes on with rows of what is held no more.
    let holdings = Set(
      try CSVTable.read("events/expected-holdings.csv").map {
        line(
          $0,
          [
            "portfolio", "date", "symbol", "quantity", "price", "local_value", "market_value",
            "local_cost", "cost_basis", "unrealized", "daily_pnl", "realized_pnl", "income",
          ])
      })
    let held = try await holdingLines()
    #expect(held.filter { !holdings.contains($0) }.prefix(6) == [])
    let flat = ",0.0000,0.0000,0.0000,0.0000,0.0000,0.0000,0.0000,0.0000"
    let left = holdings.subtracting(held).filter { !$0.hasSuffix(flat) }
    #expect(left.sorted().prefix(6) == [])
  }
}
