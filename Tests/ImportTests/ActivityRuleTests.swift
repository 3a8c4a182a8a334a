import Import
import Testing

@Suite("An activity has what its type needs and nothing else")
struct ActivityRuleTests {
  private static let header =
    "id,portfolio,date,type,symbol,quantity,price,amount,fee,currency,acquired,status,note\n"

  /// Cells from the portfolio on, and the field that is refused; nil where the row is good.
  static let rows: [(cells: String, refused: String?)] = [
    // Cash.
    ("ALPHA,2020-02-03,deposit,,,,10,,,,,", nil),
    ("ALPHA,2020-02-03,deposit,,,,0,,,,,", nil),
    ("ALPHA,2020-02-03,deposit,ACME,,,10,,,,,", "symbol"),
    ("ALPHA,2020-02-03,deposit,,1,,10,,,,,", "quantity"),
    ("ALPHA,2020-02-03,withdrawal,,,,10,,EUR,,,", nil),
    ("ALPHA,2020-02-03,withdrawal,,,5,10,,,,,", "price"),
    ("BETA,2020-02-03,exchange_out,,,,10,,USD,,,", nil),
    ("ALPHA,2020-02-03,exchange_in,,,,10,,USD,,,", "type"),
    // Trades.
    ("ALPHA,2020-02-03,buy,ACME,1,10,,1,USD,,,", nil),
    ("ALPHA,2020-02-03,sell,CALL,1,0,,,,,,", nil),
    ("ALPHA,2020-02-03,buy,ACME,1,,,,,,,", "price"),
    ("ALPHA,2020-02-03,buy,ACME,0,10,,,,,,", "quantity"),
    ("ALPHA,2020-02-03,buy,ACME,1,-1,,,,,,", "price"),
    ("ALPHA,2020-02-03,buy,ACME,1,10,10,,,,,", "amount"),
    ("ALPHA,2020-02-03,buy,ACME,1,10,,-1,,,,", "fee"),
    ("ALPHA,2020-02-03,buy,ACME,1,10,,,EUR,,,", "currency"),
    ("ALPHA,2020-02-03,sell,FUND,1,10,,,,,,", "type"),
    ("ALPHA,2020-02-03,expire,CALL,,,,,,,,", nil),
    ("ALPHA,2020-02-03,expire,CALL,2,1,,,,,,", nil),
    ("ALPHA,2020-02-03,expire,,,,,,,,,", "symbol"),
    ("ALPHA,2020-02-03,expire,CALL,,,5,,,,,", "amount"),
    // In kind.
    ("ALPHA,2020-02-03,transfer_in,ACME,3,,,,,2019-05-01,,", nil),
    ("ALPHA,2020-02-03,transfer_in,ACME,3,7,30,,,,,", nil),
    ("ALPHA,2020-02-03,transfer_in,ACME,3,,,,,2020-02-04,,", "acquired"),
    ("ALPHA,2020-02-03,transfer_in,ACME,,,30,,,,,", "quantity"),
    ("ALPHA,2020-02-03,transfer_out,ACME,3,,,,,2019-05-01,,", "acquired"),
    ("ALPHA,2020-02-03,transfer_out,FUND,,,30,,,,,", nil),
    // Income and costs.
    ("ALPHA,2020-02-03,dividend,ACME,,,10,,,,,", nil),
    ("ALPHA,2020-02-03,dividend,,,,10,,,,,", nil),
    ("ALPHA,2020-02-03,dividend,ACME,,,-10,,,,,", "amount"),
    ("GAMMA,2020-02-03,dividend,ACME,,,10,,,,,", "type"),
    ("GAMMA,2020-02-03,dividend,FUND,,,10,,,,,", nil),
    ("ALPHA,2020-02-03,interest,,,,-10,,,,,", nil),
    ("ALPHA,2020-02-03,fee,ACME,,,-10,,,,,", nil),
    ("ALPHA,2020-02-03,tax,ACME,,,,,,,,", "amount"),
    // Valued holdings.
    ("ALPHA,2020-02-03,investment,FUND,,,10,,EUR,,,", nil),
    ("ALPHA,2020-02-03,investment,ACME,,,10,,,,,", "type"),
    ("ALPHA,2020-02-03,regular_investment,,,,10,,,,,", "symbol"),
    ("ALPHA,2020-02-03,government_uplift,FUND,1,,10,,,,,", "quantity"),
    ("ALPHA,2020-02-03,withdrawal,FUND,,,10,,,,,", nil),
    ("ALPHA,2020-02-03,withdrawal,ACME,,,10,,,,,", "type"),
    ("ALPHA,2020-02-03,fund_switch_out,FUND,,,10,,USD,,,", "currency"),
    ("ALPHA,2020-02-03,product_switch_in,FUND,,,-1,,,,,", "amount"),
    // Dates, words, pence.
    ("ALPHA,2019-12-31,deposit,,,,10,,,,,", "date"),
    ("ALPHA,2020-02-03,deposit,,,,10,,,,cancelled,", nil),
    ("ALPHA,2020-02-03,deposit,,,,10,,,,gone,", "status"),
    ("ALPHA,2020-02-03,buy,BANK,1,168.02,,5,GBX,,,", nil),
    ("ALPHA,2020-02-03,deposit,,,,1.001,,GBX,,,", "amount"),
  ]

  @Test("every rule of every type, by row and field")
  func rules() async throws {
    let books = try await Books.small()
    let text = Self.header + Self.rows.enumerated().map { "\($0),\($1.cells)\n" }.joined()
    let report = try await books.importing(.activities, text)
    var expected: [String] = []
    for (index, row) in Self.rows.enumerated() {
      if let field = row.refused { expected.append("\(index + 1) \(field)") }
    }
    #expect(report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == expected)
    #expect(report.inserted == Self.rows.count - expected.count)
  }

  @Test("pence are stored in pounds, a currency left out is the instrument's or the books'")
  func currencies() async throws {
    let books = try await Books.small()
    try await books.mustImport(
      .activities,
      Self.header + "1,ALPHA,2020-02-03,buy,BANK,1,168.02,,5,GBX,,,\n"
        + "2,ALPHA,2020-02-03,buy,BANK,1,1,,,,,,\n3,BETA,2020-02-03,deposit,,,,1,,,,,\n")
    #expect(
      try await books.texts(
        """
        select currency, trim_scale(price), trim_scale(fee)
        from closebell.holding_activity_log order by external_id
        """) == ["(GBP,1.6802,0.05)", "(GBP,1,0)", "(EUR,,0)"])
  }

  @Test("instruments and prices of their own kind only")
  func kinds() async throws {
    let books = try await Books.small()
    let prices = try await books.importing(
      .prices, "date,symbol,close\n2020-02-03,FUND,1\n2020-02-03,ACME,0\n")
    #expect(prices.refusedRows.map(\.field) == ["symbol"])
    let instruments = try await books.importing(
      .instruments,
      """
      symbol,name,kind,currency,multiplier,pricing
      A,A,equity,GBX,,
      B B,B,equity,USD,,
      C,C,future,USD,,valued
      D,,equity,USD,,
      E,E,equity,USD,0,
      F,F,stock,USD,,
      G,G,bond,USD,0.01,
      """)
    #expect(
      instruments.refusedRows.map(\.field) == [
        "currency", "symbol", "pricing", "name", "multiplier", "kind",
      ])
    let calendars = try await books.importing(
      .calendars, "calendar,date,open\nXNYS,2020-02-03,maybe\nXNYS,2020-02-04,true\n")
    #expect(calendars.refusedRows.map(\.field) == ["open"])
  }
}
