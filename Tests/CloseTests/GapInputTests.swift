import Accounting
import Close
import Import
import TestSupport
import Testing

/// What a close over a gap needs from before its own date, read as a night reads it.
@Suite struct GapInputTests {
  /// One contract of 50, bought at 100 on Monday 05-29, which expires on Wednesday 05-31 at that
  /// date's close of 104; somebody quotes it once more on 06-01.
  private static func expiring() async throws -> DemoBooks {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .instruments, "symbol,name,kind,currency,multiplier\nESM7,Future,future,USD,50\n")
    try await books.importText(
      .portfolios, "code,name,base_currency,inception_date\nLATE,Late,USD,2017-05-29\n")
    try await books.importText(
      .prices,
      """
      date,symbol,close
      2017-05-29,ESM7,101
      2017-05-30,ESM7,102
      2017-05-31,ESM7,104
      2017-06-01,ESM7,140

      """)
    try await books.importText(
      .activities,
      """
      id,portfolio,date,type,symbol,quantity,price,amount
      F1,LATE,2017-05-29,deposit,,,,10000
      F2,LATE,2017-05-29,buy,ESM7,1,100,
      F3,LATE,2017-05-31,expire,ESM7,,,

      """)
    return books
  }

  @Test("a future that expires inside a gap is settled at the close of its own date")
  func expiryInAGap() async throws {
    let books = try await Self.expiring()
    _ = try await books.close("2017-05-29")
    let report = try await books.close("2017-06-02", DemoBooks.settings { $0.catchesUp = false })
    #expect(report.exitCode == 0, "\(report.failures)")
    // 50 × (101 − 100), then 50 × (104 − 101).
    #expect(try await books.number("cash", "2017-05-29") == "10050.0000")
    #expect(try await books.number("realized_pnl", "2017-06-02") == "150.0000")
    #expect(try await books.number("closing_equity", "2017-06-02") == "10200.0000")
  }

  @Test("a future that expires before the first close is settled at the close of its own date")
  func expiryBeforeTheFirstClose() async throws {
    let books = try await Self.expiring()
    let report = try await books.close("2017-06-02")
    #expect(report.exitCode == 0, "\(report.failures)")
    #expect(try await books.number("closing_equity", "2017-06-02") == "10200.0000")
    let slot = try #require(try await books.explained("LATE", "2017-06-02"))
    #expect(slot.differences == [])
  }

  @Test("a corrected close of an expiry inside a gap closes the gap's end again")
  func correctedExpiry() async throws {
    let books = try await Self.expiring()
    _ = try await books.close("2017-05-29")
    _ = try await books.close("2017-06-02", DemoBooks.settings { $0.catchesUp = false })
    try await books.importText(.prices, "date,symbol,close\n2017-05-31,ESM7,105\n")
    _ = try await books.replay("2017-06-02", "2017-06-02", onlyStale: true)
    #expect(try await books.number("closing_equity", "2017-06-02") == "10250.0000")
  }

  @Test("a late flow is inside the statement before it, though the fund was emptied and closed")
  func lateFlowOfAnEmptiedFund() async throws {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .instruments, "symbol,name,kind,currency,pricing\nALPHA,Alpha,fund,USD,valued\n")
    try await books.importText(
      .portfolios, "code,name,base_currency,inception_date\nLATE,Late,USD,2017-05-26\n")
    try await books.importText(
      .valuations, "portfolio,symbol,date,value\nLATE,ALPHA,2017-05-29,1300\n")
    try await books.importText(
      .activities,
      """
      id,portfolio,date,type,symbol,amount
      V1,LATE,2017-05-26,investment,ALPHA,1000
      V2,LATE,2017-05-30,withdrawal,ALPHA,1300

      """)
    for date in ["2017-05-29", "2017-05-30", "2017-05-31"] { _ = try await books.close(date) }
    // The last close of May has no row of the fund, and so no date of its statement.
    let rows = "closebell.portfolio_fund_valuations where valuation_date = '2017-05-31'"
    #expect(try await books.integer("select count(*) from \(rows)") == 0)
    try await books.lock("2017-05")
    try await books.importText(
      .activities,
      "id,portfolio,date,type,symbol,amount\nV3,LATE,2017-05-26,investment,ALPHA,250\n")
    _ = try await books.close("2017-06-01")
    // The 250 were in the 1 300 that were taken out: paid in, and no gain after all.
    #expect(try await books.number("inflow", "2017-06-01") == "250.0000")
    #expect(try await books.number("prior_period_adjustment", "2017-06-01") == "-250.0000")
    #expect(try await books.number("closing_equity", "2017-06-01") == "0.0000")
    let slot = try #require(try await books.explained("LATE", "2017-06-01"))
    #expect(slot.differences == [])
  }
}
