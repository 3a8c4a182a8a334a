import Accounting
import Close
import Import
import Storage
import TestSupport
import Testing

/// Rules that other systems broke, held at the stored rows.
@Suite struct MeasurePitfallTests {
  // Pitfall 9.
  @Test("snapshots taken away and closed again give the same equity: nothing compounds")
  func noStoredBalance() async throws {
    let books = try await DemoBooks.fresh()
    for date in ["2017-06-29", "2017-06-30"] { _ = try await books.close(date) }
    let first = try await books.tables()
    try await books.execute(
      """
      truncate closebell.portfolio_snapshots, closebell.portfolio_fund_valuations,
        closebell.portfolio_cash_balances, closebell.portfolio_fund_irr_values,
        closebell.portfolio_irr_values, closebell.portfolio_irr_moments cascade
      """)
    #expect(try await books.tables().isEmpty)
    for date in ["2017-06-29", "2017-06-30"] { _ = try await books.close(date) }
    #expect(try await books.tables() == first)
  }

  // Pitfall 19.
  @Test("a close without equity to earn on stores no return, and keeps its P&L")
  func noBase() async throws {
    var books = CaseBooks(base: "USD", inception: "2024-01-01")
    books.log("2024-01-02", "fee", amount: 10)
    books.log("2024-01-03", "deposit", amount: 5)
    let closed = try await books.closed(on: ["2024-01-01", "2024-01-02", "2024-01-03"])
    #expect(try await closed.number("count(s.daily_return)") == 0)
    #expect(try await closed.at("daily_pnl", "2024-01-02") == -10)
    let shown = try #require(try await closed.shown())
    #expect(shown.stored.snapshot.indexSince == shown.stored.snapshot.date)
    #expect(try await closed.period(.daily)?.reason == .indexBreak)
  }

  // Pitfall 21.
  @Test("cash alone is equity, and borrowed cash is negative equity, not 0")
  func cashIsEquity() async throws {
    var books = CaseBooks(base: "USD", inception: "2024-01-01")
    books.log("2024-01-01", "deposit", amount: 100)
    books.log("2024-01-02", "withdrawal", amount: 250)
    let closed = try await books.closed(on: ["2024-01-01", "2024-01-02"])
    #expect(try await closed.at("closing_equity", "2024-01-01") == 100)
    #expect(try await closed.at("closing_equity") == -150)
    #expect(try await closed.at("cash") == -150)
  }

  // Pitfall 23.
  @Test("one portfolio that lags is missing, however far the others are")
  func laggard() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-28")
    let before = try await missing(books)
    _ = try await books.close("2017-06-29", DemoBooks.settings { $0.codes = ["THAMES", "FERN"] })
    _ = try await books.close("2017-06-30", DemoBooks.settings { $0.codes = ["FERN"] })
    let after = try await missing(books)
    #expect(before == [0])
    // A portfolio is expected from its first close on, so DAWN, which begins on the 30th, is not.
    let closed = try await books.integer(
      "select count(*) from closebell.portfolio_snapshots where snapshot_date = '2017-06-28'")
    #expect(after == [0, Int(closed) - 2, Int(closed) - 1])
  }

  private func missing(_ books: DemoBooks) async throws -> [Int] {
    try await books.perform { db in
      try db.readBooks { try $0.coverage(from: Day("2017-06-28"), through: nil) }
        .dates.map(\.missing)
    }
  }

  // Pitfall 29.
  @Test("a stored rate says its convention, and the same flows differ by it")
  func convention() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-30")
    let others = """
      select count(*) from closebell.portfolio_irr_values v
      join closebell.portfolios p on p.id = v.portfolio_id
      where v.convention <> p.irr_convention
      """
    #expect(try await books.integer(others) == 0)
    let thistle = try #require(try await books.shown("THISTLE", "2017-06-30"))
    #expect(thistle.convention == .monthlyNominal)
    let other = try await DemoBooks.fresh()
    try await other.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date,irr_convention
      THISTLE,Thistle Savings Plan,GBP,2015-01-05,xirr_act365
      """)
    _ = try await other.close("2017-06-30")
    let dated = try #require(try await other.shown("THISTLE", "2017-06-30"))
    #expect(dated.convention == .xirrAct365)
    #expect(dated.stored.snapshot == thistle.stored.snapshot)
    #expect(try #require(dated.result?.rate) != (try #require(thistle.result?.rate)))
  }

  // Pitfalls 33 and 37.
  @Test("a return beyond 10,000 % fits its column, and a day's is not annualised")
  func largeReturn() async throws {
    var books = CaseBooks(base: "USD", inception: "2024-01-01")
    books.log("2024-01-01", "deposit", amount: 1)
    books.log("2024-01-02", "interest", amount: 1_000_000)
    let closed = try await books.closed(on: ["2024-01-01", "2024-01-02"])
    #expect(try await closed.at("daily_return") == 1_000_000)
    let day = try #require(try await closed.period(.daily))
    #expect(day.linked == 1_000_000)
    #expect(day.annualized == nil)
  }
}
