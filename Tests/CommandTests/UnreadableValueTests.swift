import TestSupport
import Testing

/// What somebody wrote by hand before the tables refused it.
@Suite("A stored value that is none is named with its row, and costs no more than it must")
struct UnreadableValueTests {
  @Test("one in a portfolio's own rows fails that portfolio; the others are closed")
  func ofOnePortfolio() async throws {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      alter table closebell.holding_activity_log
        drop constraint holding_activity_log_fee_is_a_number;
      insert into closebell.holding_activity_log
        (portfolio_id, activity_type, activity_date, amount, fee, currency, external_id)
      select id, 'deposit', '2017-06-30', 1, 'NaN', base_currency, 'BY-HAND'
      from closebell.portfolios where code = 'THAMES'
      """)
    let night = try await books.run("run", "--date", "2017-06-30")
    #expect(night.exitCode == 1, "\(night.standardError)")
    #expect(night.standardOutput.contains("22 closed"), "\(night.standardOutput)")
    #expect(night.standardError.hasPrefix("error: portfolio THAMES, 2017-06-30: "))
    #expect(night.standardError.contains("NaN is not a number that can be kept"))
    #expect(night.standardError.contains("detail: it is column \"fee\" of the row with "))
    #expect(night.standardError.contains("2017-06-30"))
    let verified = try await books.run("verify", "--to", "2017-06-29")
    #expect(verified.exitCode == 0, "\(verified.standardOutput)\(verified.standardError)")
  }

  @Test("one in the market, which all share, is named once, and nothing is closed on it")
  func ofTheMarket() async throws {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      alter table closebell.prices drop constraint prices_close_is_a_number;
      update closebell.prices set close = 'NaN' where price_date = '2017-06-30'
        and instrument_id = (select id from closebell.instruments where symbol = 'AAPL')
      """)
    let night = try await books.run(
      ["run", "--date", "2017-06-30"], environment: ["CLOSEBELL_LOG_FORMAT": "json"])
    #expect(night.exitCode == 2, "\(night.standardError)")
    #expect(night.standardError.split(separator: "\n").count == 1, "\(night.standardError)")
    #expect(night.standardError.contains(#"column \"close\" of the row with id "#))
    #expect(night.standardError.contains("price_date 2017-06-30"))
    #expect(night.standardError.contains(#""code":"unreadable_value"}"#))
  }

  @Test("who writes one by hand is told so by the table")
  func refused() async throws {
    let books = try await OperatorBooks.demo()
    for change in [
      "update closebell.prices set close = 'NaN'", "update closebell.fx_rates set rate = 'NaN'",
      "update closebell.portfolio_snapshots set cumulative_pnl = 'NaN'",
      "update closebell.portfolio_snapshots set return_index = 'infinity'",
    ] {
      await #expect(throws: (any Error).self, "\(change)") { try await books.execute(change) }
    }
  }
}
