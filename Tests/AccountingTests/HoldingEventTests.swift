import TestSupport
import Testing

@testable import Accounting

/// Corporate actions of a holding's life, with numbers that were worked out by hand.
@Suite("Splits by ratio, stock dividends, returns of capital")
struct HoldingEventTests {
  @Test("three for one and one for three are nothing; all that was bought can be sold")
  func thirds() throws {
    var world = BookWorld(base: "EUR", inception: "2025-07-01")
    world.hold("BYWA", "EUR")
    world.log("2025-07-01", .deposit, amount: "4998")
    world.log("2025-07-01", .buy, "BYWA", "119", at: "42")
    world.act("BYWA", "2025-07-02", .split(.of("3:1")))
    world.act("BYWA", "2025-07-03", .split(.of("1:3")))
    world.log("2025-07-04", .sell, "BYWA", "119", at: "42")
    for (date, close) in [("2025-07-01", "42"), ("2025-07-02", "14")] {
      world.price("BYWA", date, close)
    }
    _ = try world.close("2025-07-01")
    #expect(try world.close("2025-07-02").row().quantity == .of("357"))
    let third = try world.close("2025-07-03")
    #expect(third.row().quantity == .of("119") && third.row().price == .of("42"))
    let last = try world.close("2025-07-04")
    #expect(last.row().quantity.isZero && last.snapshot.cash == .of("4998"))
    #expect(last.snapshot.cumulativePnL.isZero)
  }

  @Test("a sale that leaves no more than ratios have rounded closes the position")
  func roundedRatios() throws {
    func last(_ first: CorporateAction.Effect, _ second: CorporateAction.Effect) throws -> BookClose
    {
      var world = BookWorld(inception: "2025-07-01")
      world.hold("BYWA")
      world.log("2025-07-01", .buy, "BYWA", "100", at: "42")
      world.act("BYWA", "2025-07-02", first)
      world.act("BYWA", "2025-07-03", second)
      world.log("2025-07-04", .sell, "BYWA", "100", at: "42")
      world.price("BYWA", "2025-07-01", "42")
      _ = try world.close("2025-07-01")
      #expect(try world.close("2025-07-03").row().quantity == .of("99.999999999999"))
      return try world.close("2025-07-04")
    }
    let closed = try last(.split(.of("1:3")), .split(.of("3:1")))
    #expect(closed.row().quantity.isZero && closed.row().localCost.isZero)
    #expect(closed.snapshot.cumulativePnL.isZero)
  }

  @Test("a decimal for one unit is taken at its word, as it always was")
  func decimalSplit() throws {
    var world = BookWorld(inception: "2025-07-01")
    world.hold("BYWA")
    world.log("2025-07-01", .buy, "BYWA", "119", at: "42")
    world.split("BYWA", "2025-07-02", "3")
    world.split("BYWA", "2025-07-03", "0.333333333333")
    world.log("2025-07-04", .sell, "BYWA", "119", at: "42")
    world.price("BYWA", "2025-07-01", "42")
    #expect(try world.close("2025-07-04").row().quantity == .of("-0.000000000119"))
  }

  @Test("a stock dividend of 1:10 makes eleven of ten; a fraction is paid and realized")
  func stockDividend() throws {
    var world = BookWorld(base: "EUR", inception: "2024-07-01")
    world.hold("AIRGA", "EUR")
    world.log("2024-07-01", .deposit, amount: "2750")
    world.log("2024-07-01", .buy, "AIRGA", "25", at: "110")
    world.price("AIRGA", "2024-07-01", "110")
    world.act("AIRGA", "2024-07-03", .stockDividend(.of("1:10")), fractionPrice: "100")
    world.price("AIRGA", "2024-07-03", "100")
    _ = try world.close("2024-07-02")
    let close = try world.close("2024-07-03")
    // 27.5 units at a cost of 2 750; half a unit costs 50 and brings 50.
    #expect(close.row().quantity == .of("27") && close.row().localCost == .of("2700"))
    #expect(close.row().attribution.realized.isZero && close.snapshot.cash == .of("50"))
    #expect(close.snapshot.dailyPnL.isZero && close.snapshot.netExternalFlow.isZero)
    #expect(close.flows == [FlowEvent(holding: ID(1), day: .iso("2024-07-03"), amount: .of("50"))])
  }

  @Test("a close from before a stock dividend is carried in its units, on a short too")
  func carriedStockDividend() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "110")
    world.log("2024-01-01", .sell, "ACME", "10", at: "110")
    world.act("ACME", "2024-01-02", .stockDividend(.of("1:10")))
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.row().quantity == .of("-11") && close.row().price == .of("100"))
    #expect(close.snapshot.dailyPnL.isZero)
  }

  @Test("a reverse split pays what is left below one unit, the oldest lot first")
  func reverseSplit() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .buy, "ACME", "9", at: "2")
    world.log("2024-01-02", .buy, "ACME", "16", at: "3")
    world.act("ACME", "2024-01-03", .split(.of("1:10")), fractionPrice: "40")
    world.price("ACME", "2024-01-03", "40")
    let close = try world.close("2024-01-03")
    // 0.9 at 18 and 1.6 at 48; 0.5 of the first lot costs 10 and brings 20.
    #expect(close.row().quantity == .of("2") && close.row().localCost == .of("56"))
    #expect(close.row().attribution.realized == .of("10"))
    #expect(close.snapshot.cash == .of("954"))
  }

  @Test("capital that comes back relieves each lot's cost, and what is above it is gain")
  func returnOfCapital() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .buy, "ACME", "10", at: "2")
    world.log("2024-01-02", .buy, "ACME", "10", at: "9")
    world.act("ACME", "2024-01-03", .returnOfCapital(CorporateAction.Payment(perUnit: .of("3"))))
    world.price("ACME", "2024-01-02", "10")
    world.price("ACME", "2024-01-03", "7")
    _ = try world.close("2024-01-02")
    let close = try world.close("2024-01-03")
    // The first lot has cost 20 and is paid 30: all of it, and 10 of gain. The second keeps 60.
    #expect(close.row().localCost == .of("60"))
    #expect(close.row().attribution.realized == .of("10"))
    #expect(close.row().attribution.income.isZero && close.snapshot.dailyPnL.isZero)
    #expect(close.snapshot.cash == .of("950"))
    #expect(world.book?.ledgers[0].position.lots.map(\.localCost) == [.zero, .of("60")])
    #expect(close.flows.map(\.amount) == [.of("60")])
  }

  @Test("under average cost it is one pool; recorded dividends leave it to the log")
  func pooledReturn() throws {
    for dividends in DividendMode.allCases {
      var world = BookWorld(relief: .average, dividends: dividends)
      world.hold("ACME")
      world.log("2024-01-01", .buy, "ACME", "10", at: "2")
      world.log("2024-01-02", .buy, "ACME", "10", at: "9")
      world.act("ACME", "2024-01-03", .returnOfCapital(CorporateAction.Payment(perUnit: .of("3"))))
      let close = try world.close("2024-01-03")
      #expect(close.row().localCost == (dividends == .automatic ? .of("50") : .of("110")))
      #expect(close.row().attribution.realized.isZero)
    }
  }

  @Test("abroad the relief's currency part is realized, and a short gives back what it took")
  func foreignReturn() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME", "EUR")
    world.rate("EUR", "USD", "2024-01-01", "1.1")
    world.rate("EUR", "USD", "2024-01-03", "1.2")
    world.log("2024-01-01", .sell, "ACME", "10", at: "5")
    world.act("ACME", "2024-01-03", .returnOfCapital(CorporateAction.Payment(perUnit: .of("2"))))
    world.price("ACME", "2024-01-03", "3")
    let close = try world.close("2024-01-03")
    // Taken 50 EUR = 55; 20 EUR = 24 are paid and relieve 20 EUR = 22.
    #expect(close.row().localCost == .of("-30") && close.row().costBasis == .of("-33"))
    #expect(close.row().attribution.realized.isZero)
    #expect(close.snapshot.cash == .of("31"))
    #expect(close.snapshot.dailyPnL == .of("-5"))
  }

  @Test("an action that is narrowed to a portfolio happens in no other")
  func narrowed() throws {
    for (portfolio, quantity) in [(Int64(1), "20"), (2, "10")] {
      var world = BookWorld.holdingACME()
      world.act("ACME", "2024-01-02", .split(.of("2:1")), portfolio: ID(portfolio))
      #expect(try world.close("2024-01-02").row().quantity == .of(quantity))
    }
  }

  @Test("what only owned units can have happen is refused of a future")
  func future() throws {
    var world = BookWorld()
    world.hold("ES", kind: .future, multiplier: "50")
    world.log("2024-01-01", .buy, "ES", "1", at: "4800")
    world.act("ES", "2024-01-02", .stockDividend(.of("1:10")))
    #expect(throws: CloseError.notReorganised(symbol: "ES", exDate: .iso("2024-01-02"), .noUnits)) {
      try world.close("2024-01-02")
    }
  }
}
