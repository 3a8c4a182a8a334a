import Foundation
import Postgres
import TestSupport
import Testing

/// Numbers that a separate program made, in exact decimals, from the files alone.
///
/// It was written for these books and shares no code with the product: lots, splits, rates and
/// roundings are written out for each of them.
@Suite struct StrangeBooksTests {
  /// What one snapshot says.
  struct Expectation: Sendable, CustomTestStringConvertible {
    let portfolio: String
    let date: String
    let numbers: [String]

    init(_ portfolio: String, _ date: String, _ numbers: String) {
      self.portfolio = portfolio
      self.date = date
      self.numbers = numbers.split(whereSeparator: \.isWhitespace)
        .map { $0 == "0" ? "0.0000" : String($0) }
    }

    var testDescription: String { "\(portfolio) \(date)" }
  }

  static let columns = [
    "opening_equity", "net_external_flow", "daily_pnl", "realized_pnl",
    "unrealized_change", "unrealized_pnl", "income", "fees",
    "taxes", "fx_pnl", "closing_equity", "cash",
    "long_value", "short_value", "gross_exposure", "net_exposure",
  ]

  /// In the order of the columns.
  static let snapshots = [
    Expectation(
      "SHORTIE", "2024-03-04",
      """
      0 10000.0000 21.9375 0
      23.0897 23.0897 0 1.1522
      0 0 10021.9375 20787.1693
      0 -10765.2318 10765.2318 -10765.2318
      """),
    Expectation(
      "SHORTIE", "2024-03-08",
      """
      10021.9375 0 248.9470 134.7795
      66.6011 89.6908 -1.4686 0.8753
      0 49.9103 10270.8845 14293.4787
      0 -4022.5942 4022.5942 -4022.5942
      """),
    Expectation(
      "STRIKE", "2024-03-04",
      """
      0 20000.0000 -42.1000 0
      -40.0000 -40.0000 0 2.1000
      0 0 19957.9000 20367.9000
      0 -410.0000 410.0000 -410.0000
      """),
    Expectation(
      "STRIKE", "2024-03-08",
      """
      19957.9000 0 140.3500 370.0000
      -229.0000 -269.0000 0 0.6500
      0 0 20098.2500 15367.2500
      4731.0000 0 4731.0000 4731.0000
      """),
    Expectation(
      "LIMITS", "2024-03-04",
      """
      0 999999999999999999.9999 -1126541210987.4367 0
      -1126541210987.4367 -1126541210987.4367 0 0
      0 0 999998873458789012.5632 -999998999998750002000000.3751
      999999999997623460789012.9383 0 999999999997623460789012.9383 999999999997623460789012.9383
      """),
    Expectation(
      "LIMITS", "2024-03-08",
      """
      999998873458789012.5632 0 1876541210985.0617 -1.0000
      1876541210986.0617 749999999998.6250 0 0
      0 0 1000000749999999997.6249 -999998999998750002000000.3751
      999999999999500001999998.0000 0 999999999999500001999998.0000 999999999999500001999998.0000
      """),
    Expectation(
      "AGAIN", "2024-03-04",
      """
      0 5000.0000 9.0000 0
      10.0000 10.0000 0 1.0000
      0 0 5009.0000 3999.0000
      1010.0000 0 1010.0000 1010.0000
      """),
    Expectation(
      "AGAIN", "2024-03-08",
      """
      5009.0000 0 46.3750 50.6250
      -1.7500 8.2500 0 2.5000
      0 0 5055.3750 4440.3750
      615.0000 0 615.0000 615.0000
      """),
    Expectation(
      "CONTRACT", "2024-03-04",
      """
      0 90000.0000 969.2497 976.4100
      0 0 0 7.1603
      0 0 90969.2497 90969.2497
      0 0 1465632.0938 1465632.0938
      """),
    Expectation(
      "CONTRACT", "2024-03-08",
      """
      90969.2497 0 -1006.1999 -1016.9750
      0 0 0 2.3877
      0 13.1628 89963.0498 89963.0498
      0 0 0 0
      """),
    Expectation(
      "FRACTION", "2024-03-04",
      """
      0 100.0000 0.8334 0
      0.8334 0.8334 0 0
      0 0 100.8334 51.7917
      49.0417 0 49.0417 49.0417
      """),
    Expectation(
      "FRACTION", "2024-03-08",
      """
      100.8334 0 -0.8893 0.1041
      -0.9934 -0.1600 0 0
      0 0 99.9441 55.8441
      44.1000 0 44.1000 44.1000
      """),
    Expectation(
      "WITHHELD", "2024-03-04",
      """
      0 20000.0000 -29.0350 0
      -29.0349 -29.0349 0 0
      0 -0.0001 19970.9650 5793.6215
      14177.3435 0 14177.3435 14177.3435
      """),
    Expectation(
      "WITHHELD", "2024-03-08",
      """
      19970.9650 0 82.8640 0
      91.8505 62.8156 113.5277 1.0208
      13.6331 -107.8603 20053.8290 5892.4953
      14161.3337 0 14161.3337 14161.3337
      """),
    Expectation(
      "BORROWED", "2024-03-04",
      """
      0 30000.0000 -30.2018 0
      -28.7612 -28.7612 0 1.4407
      0 0.0001 29969.7982 42263.8943
      0 -12294.0961 12294.0961 -12294.0961
      """),
    Expectation(
      "BORROWED", "2024-03-08",
      """
      29969.7982 0 217.7270 98.7328
      140.8974 112.1362 -20.6470 1.4546
      0 0.1984 30187.5252 37536.8174
      0 -7349.2922 7349.2922 -7349.2922
      """),
  ]

  /// On the second date: quantity, price, market value, cost.
  static let holdings = [
    ("SHORTIE", "NVX", "-20 219.875 -4022.5942 -4143.7460"),
    ("STRIKE", "ZED", "100 47.31 4731.0000 5000.0000"),
    ("STRIKE", "ZEDP50", "0 - 0 0"),
    (
      "LIMITS", "HUGE",
      "999999999999.499999999999 999999999999.999999999999 "
        + "999999999999499999999998.0000 999999999998749999999999.3750"
    ),
    ("LIMITS", "DUST", "999999999999999999.999999999999 0.000000000002 2000000.0000 1000000.0000"),
    ("LIMITS", "MOTE", "0.000000000001 0.000000000001 0 1000000.0000"),
    ("AGAIN", "ACME", "6 102.5 615.0000 606.7500"),
    ("CONTRACT", "FDAX", "0 - 0 0"),
    ("FRACTION", "PENNY", "6 7.35 44.1000 44.2600"),
    ("WITHHELD", "NYSE1", "90 172.013 14161.3337 14206.3785"),
    ("BORROWED", "7203T", "-600 2310.25 -7349.2922 -7359.2009"),
  ]

  private func shown(
    _ books: OperatorBooks, _ portfolio: String, _ date: String
  ) async throws -> [String: Any] {
    let said = try await books.run("show", portfolio, "--date", date, "--json")
    #expect(said.exitCode == 0, "\(said.standardError)")
    let object = try JSONSerialization.jsonObject(with: Data(said.standardOutput.utf8))
    return try #require(object as? [String: Any])
  }

  @Test("imported, closed over a gap and shown, they have the digits of a separate calculation")
  func numbers() async throws {
    let books = try await StrangeBooks.closed()
    for expected in Self.snapshots {
      let shown = try await shown(books, expected.portfolio, expected.date)
      for (column, number) in zip(Self.columns, expected.numbers) {
        #expect(shown[column] as? String == number, "\(expected.testDescription): \(column)")
      }
    }
    for (portfolio, symbol, numbers) in Self.holdings {
      let rows = try await shown(books, portfolio, StrangeBooks.dates[1])["holdings"]
      let row = try #require(
        (rows as? [[String: Any]])?.first { $0["symbol"] as? String == symbol })
      let said = ["quantity", "price", "market_value", "cost_basis"].map {
        row[$0] as? String == "0.0000" ? "0" : row[$0] as? String ?? "-"
      }
      #expect(said.joined(separator: " ") == numbers, "\(portfolio): \(symbol)")
    }
  }

  @Test("sold out and reopened on one date, the rate is that of the date's net")
  func rateOfTheReopened() async throws {
    let books = try await StrangeBooks.closed()
    let rows = try await shown(books, "AGAIN", StrangeBooks.dates[1])["holdings"]
    let rate = try #require((rows as? [[String: Any]])?.first?["irr"] as? [String: Any])
    // ln((1034 − 410 + 728 − 910.625 + 615) / 1001) × 365 / 4
    #expect(rate["log_growth"] as? Double == 4.91324086889)
    #expect(rate["status"] as? String == "solved")
  }

  @Test("a currency without a rate and a cost too large fail by name; the others are closed")
  func failures() async throws {
    let books = try await StrangeBooks.closed()
    let again = try await books.run("run", "--date", StrangeBooks.dates[0], "--no-catch-up")
    #expect(again.exitCode == 1)
    for line in [
      "portfolio NORATE, 2024-03-04: no exchange rate from TRY to USD on or before 2024-03-04",
      "portfolio TOOBIG, 2024-03-04: ZIM on 2024-03-04: the result is too large for the books",
    ] {
      #expect(again.standardError.contains(line), "\(again.standardError)")
    }
    let closed = try await books.perform { db in
      try db.row(
        Statement(
          "closed", "select count(*) from closebell.portfolio_snapshots where is_complete")
      ) { try $0.nextInt64() }
    }
    #expect(closed == Int64(Self.snapshots.count))
  }

  @Test("every step of them can be redone by hand, and a second derivation says the same")
  func explained() async throws {
    let books = try await StrangeBooks.closed()
    for expected in Self.snapshots {
      let said = try await books.run(
        "explain", expected.portfolio, "--date", expected.date, "--json")
      #expect(said.exitCode == 0, "\(expected.testDescription): \(said.standardError)")
      let object = try JSONSerialization.jsonObject(with: Data(said.standardOutput.utf8))
      let formulas = ExplainCommandTests.formulas(in: object)
      #expect(formulas.count > 5)
      for formula in formulas {
        let objection = Calculator.objection(
          to: formula["formula"] ?? "", result: formula["result"] ?? "",
          rounding: formula["rounding"] ?? "")
        #expect(objection == nil, "\(expected.testDescription): \(formula)")
      }
    }
    let verified = try await books.run("verify")
    #expect(verified.exitCode == 0, "\(verified.standardOutput)\(verified.standardError)")
  }
}
