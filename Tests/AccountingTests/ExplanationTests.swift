import TestSupport
import Testing

@testable import Accounting

@Suite("What an explanation says of each kind of thing")
struct ExplanationTests {
  private func lines(_ formulas: [Formula]) -> [String] {
    formulas.map { "\($0.name): \($0.expression.text) = \($0.result)" }
  }

  @Test("A future's gain is settled from its last settlement, and its notional is exposure")
  func future() throws {
    var world = BookWorld()
    world.hold("ES", kind: .future, multiplier: "50")
    world.price("ES", "2024-01-02", "2434")
    world.price("ES", "2024-01-03", "2430")
    world.log("2024-01-02", .buy, "ES", "2", at: "2430.25")
    world.log("2024-01-03", .sell, "ES", "3", at: "2436")
    let first = try world.explain("2024-01-02")
    let second = try world.explain("2024-01-03")
    #expect(
      lines(first.holdings[0].closing).prefix(2)
        == [
          "notional: 2 * 2434 * 50 = 243400.0000",
          "gain settled: 243400.00 - 243025.00 = 375.0000",
        ])
    #expect(
      lines(second.holdings[0].steps[0].formulas).contains(
        "gain settled: 243600.00 - 243400.00 = 200.0000"))
    #expect(second.holdings[0].steps[0].opened?.quantity == .of("-1"))
    try check(first, "first")
    try check(second, "second")
  }

  @Test("A split and a dividend of one date: the split has the units, the dividend the money")
  func splitAndDividend() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("AAA")
    world.price("AAA", "2024-01-02", "30")
    world.price("AAA", "2024-01-03", "16")
    world.log("2024-01-02", .buy, "AAA", "10", at: "30")
    world.split("AAA", "2024-01-03", "2")
    world.pays("AAA", "2024-01-03", "0.5")
    _ = try world.explain("2024-01-02")
    let second = try world.explain("2024-01-03")
    let steps = second.holdings[0].steps
    #expect(lines(steps[0].formulas) == ["quantity: 10 * 2 = 20"])
    #expect(steps[0].cash == [] && steps[0].attribution == Attribution())
    #expect(lines(steps[1].formulas) == ["dividend: 20 * 0.5 = 10.0000"])
    #expect(steps[1].attribution.income == .of("10"))
    try check(second, "split and dividend")
  }

  @Test("A close from before a split is divided by the ratio, and that is told")
  func carriedOverSplit() throws {
    var world = BookWorld()
    world.hold("AAA")
    world.price("AAA", "2024-01-02", "181.23")
    world.log("2024-01-02", .buy, "AAA", "80", at: "180")
    world.split("AAA", "2024-01-03", "2")
    _ = try world.explain("2024-01-02")
    let second = try world.explain("2024-01-03")
    #expect(
      lines(second.holdings[0].closing).prefix(2)
        == [
          "close of 2024-01-02 after the split: 181.23 / 2 = 90.615",
          "market value: 160 * 90.615 * 1 = 14498.4000",
        ])
    try check(second, "carried over a split")
  }

  @Test("A trade over zero closes each lot, opens the other side, and shares its value")
  func crossing() throws {
    var world = BookWorld(base: "EUR")
    world.hold("GM", "USD")
    world.rate("EUR", "USD", "2024-01-02", "1.25")
    world.price("GM", "2024-01-02", "33")
    world.log("2024-01-01", .buy, "GM", "200", at: "30")
    world.log("2024-01-02", .buy, "GM", "100", at: "32")
    world.log("2024-01-02", .sell, "GM", "500", at: "33.91", fee: "5")
    // The first trade's rate lies before all publications.
    world.rate("EUR", "USD", "2024-01-01", "1.2")
    let first = try world.explain("2024-01-02")
    let sale = first.holdings[0].steps[2]
    #expect(sale.relieved.map(\.quantity) == [.of("200"), .of("100")])
    #expect(sale.opened?.quantity == .of("-200"))
    #expect(lines(sale.formulas).contains("of it closing: 16955.00 * 300 / 500 = 10173.0000"))
    #expect(lines(sale.formulas).contains("realized: (10173.00 - 9200.00) * 0.8 = 778.4000"))
    #expect(first.rates.map(\.rate.rate) == [.of("0.833333333333"), .of("0.8")])
    #expect(first.noReturn != nil)
    try check(first, "crossing")
  }

  @Test("A late activity is told with its own date, and counts from the opening on")
  func late() throws {
    var world = BookWorld(cash: .perCurrency)
    world.hold("AAA", "EUR")
    for (date, rate, close) in [
      ("2024-01-02", "1.1", "10"), ("2024-01-03", "1.2", "11"), ("2024-01-04", "1.3", "12"),
    ] {
      world.rate("EUR", "USD", date, rate)
      world.price("AAA", date, close)
    }
    world.log("2024-01-02", .deposit, amount: "5000", in: "EUR")
    world.log("2024-01-02", .buy, "AAA", "100", at: "9", bookedOn: "2024-01-04")
    _ = try world.explain("2024-01-03")
    let second = try world.explain("2024-01-04")
    let step = second.holdings[0].steps[0]
    #expect(
      lines(step.formulas).contains("worth at the opening in USD: 100 * 11 * 1 * 1.2 = 1320.0000"))
    #expect(lines(step.formulas).contains("prior period: 1320.00 - 990.00 = 330.0000"))
    #expect(
      lines(step.formulas).contains("what cash moved since: -1080.00 + 990.00 = -90.0000"))
    #expect(second.close.snapshot.attribution.priorPeriod == .of("240"))
    try check(second, "late")
  }

  @Test("A gap is explained from the snapshot before it, each activity at its own date's rate")
  func gap() throws {
    var world = BookWorld(base: "EUR")
    world.hold("AAA", "USD")
    for (date, rate, close) in [
      ("2024-01-02", "1.25", "10"), ("2024-01-03", "1.6", "11"), ("2024-01-05", "2", "12"),
    ] {
      world.rate("EUR", "USD", date, rate)
      world.price("AAA", date, close)
    }
    world.log("2024-01-02", .deposit, amount: "1000")
    world.log("2024-01-02", .buy, "AAA", "100", at: "10")
    world.log("2024-01-03", .dividend, "AAA", amount: "16")
    _ = try world.explain("2024-01-02")
    let second = try world.explain("2024-01-05")
    #expect(second.opening?.date == .iso("2024-01-02"))
    #expect(
      lines(second.holdings[0].steps[0].formulas) == ["dividend in EUR: 16.00 * 0.625 = 10.0000"])
    #expect(second.rates.map(\.date) == [.iso("2024-01-03"), .iso("2024-01-05")])
    try check(second, "gap")
  }

  @Test(
    "A crossed rate is told as it was formed, whichever way round its pairs are published",
    arguments: [
      ([("EUR", "USD", "1.25"), ("EUR", "GBP", "0.80")], "0.8 / 1.25"),
      ([("USD", "EUR", "0.80"), ("EUR", "GBP", "0.80")], "0.8 * 0.8"),
      ([("USD", "EUR", "0.80"), ("GBP", "EUR", "1.25")], "0.8 / 1.25"),
      ([("EUR", "USD", "1.25"), ("GBP", "EUR", "1.25")], "1 / (1.25 * 1.25)"),
    ])
  func crossedRate(pairs: [(String, String, String)], says: String) throws {
    var world = BookWorld(base: "GBP")
    for (base, quote, rate) in pairs { world.rate(base, quote, "2024-01-02", rate) }
    world.log("2024-01-02", .deposit, amount: "100", in: "USD")
    let explanation = try world.explain("2024-01-02")
    let formula = try #require(explanation.rates.first?.formula)
    #expect(formula.expression.text == says && formula.result == "0.64")
    try check(explanation, says)
  }

  @Test("A holding before its first close, and one that is not quoted yet, are told at cost")
  func atCost() throws {
    var world = BookWorld()
    world.hold("NEW")
    world.price("NEW", "2024-01-05", "12")
    world.log("2024-01-02", .buy, "NEW", "3", at: "10")
    let holding = try world.explain("2024-01-02").holdings[0]
    #expect(
      holding.published == nil && lines(holding.closing)[0] == "market value: 30.00 = 30.0000")
    #expect(holding.closing[0].expression.isNumber)
  }

  @Test("A balance that is spent is told down to zero, and is gone")
  func spentBalance() throws {
    var world = BookWorld(cash: .perCurrency)
    world.rate("EUR", "USD", "2024-01-02", "1.1")
    world.rate("EUR", "USD", "2024-01-03", "1.2")
    world.log("2024-01-02", .deposit, amount: "100", in: "EUR")
    world.log("2024-01-03", .withdrawal, amount: "100", in: "EUR")
    _ = try world.explain("2024-01-02")
    let explanation = try world.explain("2024-01-03")
    #expect(explanation.close.cashBalances.isEmpty)
    #expect(lines(explanation.cash).contains("balance in EUR: 100.00 - 100.00 = 0.0000"))
    // 100 euros were worth 110, and went at 120.
    #expect(explanation.close.snapshot.attribution.fx == .of("10"))
    try check(explanation, "spent")
  }

  @Test("A flow of nothing into or out of a fund changes nothing, and is told so")
  func flowOfNothing() throws {
    var world = ValuedHoldingTests.funds()
    world.log("2024-01-02", .investment, "ALPHA", amount: "10")
    world.log("2024-01-02", .withdrawal, "ALPHA", amount: "0")
    let explanation = try world.explain("2024-01-02")
    let step = explanation.holdings[0].steps[1]
    #expect(step.attribution == Attribution() && step.relieved.isEmpty)
    #expect(explanation.close.snapshot.closingEquity == .of("10"))
    try check(explanation, "nothing")
  }

  @Test("Where no trade needs the lots they may be unknown: the totals are told")
  func unknownLots() throws {
    var world = BookWorld.holdingACME()
    let opening = BookOpening(after: try world.close("2024-01-01"))
    world.log("2024-01-02", .buy, "ACME", "1", at: "100")
    let book = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: opening)
    let explanation = try book.explain(
      on: .iso("2024-01-02"), activities: world.activities, statements: [], market: world.market,
      businessDays: { _, _ in 1 })
    let holding = explanation.holdings[0]
    #expect(holding.openingLots == nil && holding.closingLots == nil)
    #expect(holding.row.quantity == .of("11"))
    try check(explanation, "unknown lots")
  }
}

extension BookWorld {
  /// Explains the next date, and closes it.
  mutating func explain(_ date: String) throws -> Explanation {
    let book =
      self.book
      ?? PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    let explanation = try book.explain(
      on: .iso(date), activities: activities, statements: statements, market: market,
      businessDays: { BookWorld.weekdays(after: $0, through: $1) }, policy: policy)
    let close = try self.close(date)
    #expect(explanation.close == close)
    return explanation
  }
}
