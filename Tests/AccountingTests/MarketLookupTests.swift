import Accounting
import Testing

@Suite("Market lookups")
struct MarketLookupTests {
  static let acme = ID<Instrument>(1)

  static func market(_ rates: [(String, String, String, String)]) -> Market {
    var world = BookWorld()
    for (base, quote, date, rate) in rates { world.rate(base, quote, date, rate) }
    return world.market
  }

  static func rate(_ market: Market, _ from: String, _ to: String) throws -> DatedRate {
    try market.rate(from: .iso(from), to: .iso(to), on: .iso("2024-01-10"))
  }

  @Test("The last close on or before the date counts, later ones do not")
  func lastClose() throws {
    let closes = (1...9).map { ClosingPrice(date: .iso("2024-01-0\($0)"), price: .of("\($0)")) }
    let market = Market(closes: [Self.acme: closes])
    for day in 1...9 {
      let close = try market.close(of: Self.acme, on: .iso("2024-01-0\(day)"))
      #expect(close == closes[day - 1])
    }
    #expect(try market.close(of: Self.acme, on: .iso("2024-02-01")) == closes[8])
    #expect(try market.close(of: Self.acme, on: .iso("2023-12-31")) == nil)
    #expect(try market.close(of: ID(2), on: .iso("2024-01-01")) == nil)
  }

  @Test("A carried close is divided by each split since, rounded half to even")
  func splits() throws {
    let market = Market(
      closes: [Self.acme: [ClosingPrice(date: .iso("2024-01-02"), price: .of("100"))]],
      actions: [
        Self.acme: [
          CorporateAction(exDate: .iso("2024-01-02"), effect: .split(ratio: .of("7"))),
          CorporateAction(exDate: .iso("2024-01-03"), effect: .split(ratio: .of("3"))),
          CorporateAction(exDate: .iso("2024-01-03"), effect: .dividend(perUnit: .of("1"))),
          CorporateAction(exDate: .iso("2024-01-05"), effect: .split(ratio: .of("0.5"))),
        ]
      ])
    func price(_ date: String) throws -> Price? {
      try market.close(of: Self.acme, on: .iso(date))?.price
    }
    // The close of an ex-date is already in new units.
    #expect(try price("2024-01-02") == .of("100"))
    #expect(try price("2024-01-04") == .of("33.333333333333"))
    #expect(try price("2024-01-05") == .of("66.666666666666"))
  }

  @Test("The pair itself comes before its inverse, and an inverse is rounded once")
  func directAndInverse() throws {
    let both = Self.market([
      ("EUR", "USD", "2024-01-01", "1.10"), ("USD", "EUR", "2024-01-09", "0.90"),
    ])
    #expect(
      try Self.rate(both, "EUR", "USD") == DatedRate(date: .iso("2024-01-01"), rate: .of("1.10")))
    let one = Self.market([("EUR", "USD", "2024-01-01", "1.10")])
    // 1 ÷ 1.1 = 0.909090909090(90…)
    #expect(try Self.rate(one, "USD", "EUR").rate == .of("0.909090909091"))
    #expect(try Self.rate(one, "USD", "USD").rate == .one)
  }

  @Test("A cross prefers the currency that quotes both, and is as old as its older part")
  func cross() throws {
    let market = Self.market([
      ("EUR", "USD", "2024-01-09", "1.10"), ("EUR", "GBP", "2024-01-04", "0.85"),
      ("USD", "CHF", "2024-01-10", "0.90"), ("CHF", "GBP", "2024-01-10", "0.80"),
    ])
    // 0.85 ÷ 1.10 = 0.772727272727(27…), although the rates through CHF are newer.
    #expect(
      try Self.rate(market, "USD", "GBP")
        == DatedRate(date: .iso("2024-01-04"), rate: .of("0.772727272727")))
  }

  @Test(
    "A cross goes through a third currency whichever way round its pairs are published",
    arguments: [
      ([("EUR", "USD", "1.25"), ("EUR", "GBP", "0.80")], "0.640000000000"),  // 0.80 ÷ 1.25
      ([("USD", "EUR", "0.80"), ("EUR", "GBP", "0.80")], "0.640000000000"),  // 0.80 × 0.80
      ([("USD", "EUR", "0.80"), ("GBP", "EUR", "1.25")], "0.640000000000"),  // 0.80 ÷ 1.25
      ([("EUR", "USD", "1.25"), ("GBP", "EUR", "1.25")], "0.640000000000"),  // 1 ÷ 1.5625
    ])
  func crossForms(pairs: [(String, String, String)], expected: String) throws {
    let market = Self.market(pairs.map { ($0.0, $0.1, "2024-01-02", $0.2) })
    #expect(try Self.rate(market, "USD", "GBP").rate == .of(expected))
  }

  @Test("Of two currencies that quote both, the newer rates win, then the alphabet")
  func crossChoice() throws {
    // The newer ones come later in the alphabet, so that neither rule stands in for the other.
    var pairs = [
      ("CHF", "USD", "2024-01-08", "1"), ("CHF", "GBP", "2024-01-08", "2"),
      ("EUR", "USD", "2024-01-09", "1"), ("EUR", "GBP", "2024-01-09", "3"),
    ]
    #expect(try Self.rate(Self.market(pairs), "USD", "GBP").rate == .of("3"))
    pairs += [("AUD", "USD", "2024-01-09", "1"), ("AUD", "GBP", "2024-01-09", "4")]
    #expect(try Self.rate(Self.market(pairs), "USD", "GBP").rate == .of("4"))
  }

  @Test("A currency that never had a rate is an error that names both and the date")
  func missingRate() throws {
    let market = Self.market([("EUR", "USD", "2024-01-11", "1.10")])
    let error = #expect(throws: CloseError.self) { try Self.rate(market, "EUR", "USD") }
    #expect(error?.description == "no exchange rate from EUR to USD on or before 2024-01-10")
  }

  @Test("A carried exchange rate ages a holding like a carried close")
  func carriedRate() throws {
    var world = BookWorld()
    world.hold("SAP", "EUR")
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.price("SAP", "2024-01-10", "100")
    world.log("2024-01-10", .buy, "SAP", "1", at: "100")
    let close = try world.close("2024-01-10")
    // Seven weekdays from Monday 2024-01-01 to Wednesday 2024-01-10.
    #expect(close.row().quality == .carried(businessDays: 7))
    #expect(close.snapshot.isDegraded)
  }
}
