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

  @Test("what show tells since inception and cumulatively is one number, never across a break")
  func emptiedPortfolio() async throws {
    let books = try await OperatorBooks.empty()
    for (kind, text) in [
      ("portfolios", "code,name,base_currency,inception_date\nPHOENIX,Phoenix,USD,2017-06-12\n"),
      (
        "activities",
        """
        id,portfolio,date,type,amount,currency
        1,PHOENIX,2017-06-12,deposit,1000,USD
        2,PHOENIX,2017-06-13,interest,100,USD
        3,PHOENIX,2017-06-14,withdrawal,1100,USD
        4,PHOENIX,2017-06-20,deposit,200,USD
        5,PHOENIX,2017-06-20,interest,10,USD
        6,PHOENIX,2017-06-21,interest,21,USD
        """
      ),
    ] {
      let done = try await books.run(["import", kind, "-"], input: text)
      #expect(done.exitCode == 0, "\(done.standardError)")
    }
    for date in ["2017-06-12", "2017-06-21"] { try await books.expectDone("run", "--date", date) }
    for date in ["2017-06-12", "2017-06-13", "2017-06-14", "2017-06-15", "2017-06-19"] {
      _ = try await told(date, by: books)
    }
    let before = try await told("2017-06-13", by: books)
    #expect(abs((before.cumulative ?? 0) - 0.1) < 1e-15 && before.since != nil)
    #expect(!before.isRestarted)
    // Nothing is earned on nothing: neither 10 % nor 0 % is true of that day.
    let empty = try await told("2017-06-16", by: books)
    #expect(empty.cumulative == nil && empty.since == nil && empty.isRestarted)
    let after = try await told("2017-06-21", by: books)
    #expect(after.cumulative == after.since && after.isRestarted)
    #expect(abs((after.cumulative ?? 0) - (1.05 * 1.1 - 1)) < 1e-15)
    let text = try await books.run("show", "PHOENIX", "--date", "2017-06-21").standardOutput
    #expect(text.contains("since 2017-06-19"))
    #expect(!text.contains("since inception"))
  }

  private struct Told {
    var cumulative: Double?
    var since: Double?
    var isRestarted: Bool
  }

  /// What is told of a date; wherever both figures are, they are one.
  private func told(_ date: String, by books: OperatorBooks) async throws -> Told {
    let shown = try await books.run("show", "PHOENIX", "--date", date, "--json")
    let object = try JSONSerialization.jsonObject(with: Data(shown.standardOutput.utf8))
    let snapshot = try #require(object as? [String: Any], "\(shown.standardError)")
    let returns = try #require(snapshot["returns"] as? [String: [String: Any]])
    let all = try #require(returns["since_inception"])
    let told = Told(
      cumulative: snapshot["cumulative_return"] as? Double, since: all["linked"] as? Double,
      isRestarted: all["index_restarted"] as? Bool ?? false)
    if let cumulative = told.cumulative, let since = told.since {
      #expect(cumulative == since, "\(date)")
    }
    return told
  }
}
