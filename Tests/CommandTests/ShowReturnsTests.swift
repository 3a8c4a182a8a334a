import Foundation
import TestSupport
import Testing

/// The returns that `show` prints.
@Suite struct ShowReturnsTests {
  @Test("show gives every period's return, or the reason why it has none, as text and as JSON")
  func show() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30", "--portfolio", "THAMES")
    let text = try await books.run("show", "THAMES", "--date", "2017-06-30")
    #expect(text.exitCode == 0)
    #expect(text.standardOutput.contains("begins before the first close"))
    let shown = try await books.run("show", "THAMES", "--date", "2017-06-30", "--json")
    let object = try JSONSerialization.jsonObject(with: Data(shown.standardOutput.utf8))
    let returns = try #require((object as? [String: Any])?["returns"] as? [String: [String: Any]])
    #expect(
      returns.keys.sorted() == [
        "daily", "month_to_date", "quarter_to_date", "since_inception", "trailing_1_year",
        "trailing_3_years", "trailing_5_years", "year_to_date",
      ])
    let daily = try #require(returns["daily"])
    #expect(
      daily.keys.sorted() == [
        "annualised", "days", "from", "gross_of_fees", "linked", "modified_dietz", "reason", "to",
      ])
    #expect(daily["from"] as? String == "2017-06-29")
    #expect(daily["days"] as? Int == 1)
    // As text: the number that is stored, to the last bit, whatever a reader's parser makes of it.
    #expect(shown.standardOutput.contains(#""linked":-0.0008516093759132126,"#))
    #expect(daily["annualised"] is NSNull && daily["reason"] is NSNull)
    let year = try #require(returns["year_to_date"])
    #expect(year["linked"] is NSNull && year["from"] is NSNull)
    #expect(year["reason"] as? String == "before_first_close")
  }
}
