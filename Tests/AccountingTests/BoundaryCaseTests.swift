import Accounting
import Testing

/// Rules at the very place where one begins and the other ends; each was once held by no test.
@Suite("Where one rule ends and another begins")
struct BoundaryCaseTests {
  // MARK: - Lots

  @Test("Lots of one date are relieved in the order in which they were booked")
  func lotsOfOneDate() throws {
    for (relief, realized) in [(LotRelief.fifo, "20"), (.lifo, "5")] {
      var world = BookWorld(relief: relief)
      world.hold("ACME")
      world.log("2024-01-01", .buy, "ACME", "1", at: "100")
      world.log("2024-01-01", .buy, "ACME", "1", at: "115")
      world.log("2024-01-01", .sell, "ACME", "1", at: "120")
      #expect(try world.close("2024-01-01").row().attribution.realized == .of(realized))
    }
  }

  @Test("Lots after a split are the differences of rounded running totals")
  func roundedLots() throws {
    var world = BookWorld()
    world.hold("ACME")
    for price in ["1000000000", "2000000000", "4000000000"] {
      world.log("2024-01-01", .buy, "ACME", "0.1", at: price)
    }
    world.split("ACME", "2024-01-02", "0.333333333333")
    // 0.0333333333333 → …333; 0.0666666666666 → …667; 0.0999999999999 → 0.1: the second lot has
    // one unit more. The first two are sold whole, and no part of the third.
    world.log("2024-01-03", .sell, "ACME", "0.066666666667", at: "0")
    let row = try world.close("2024-01-03").row()
    #expect(row.quantity == .of("0.033333333333"))
    #expect(row.costBasis == .of("400000000"))
    #expect(row.attribution.realized == .of("-300000000"))
  }

  @Test("What opens more of a position needs no lots, on either side")
  func openingNeedsNoLots() throws {
    for (side, other) in [(ActivityType.buy, ActivityType.sell), (.sell, .buy)] {
      var world = BookWorld()
      world.hold("ACME")
      world.log("2024-01-01", side, "ACME", "5", at: "1")
      let book = PortfolioBook(
        portfolio: world.portfolio, instruments: world.instruments,
        opening: BookOpening(after: try world.close("2024-01-01")))
      world.log("2024-01-02", side, "ACME", "1", at: "1")
      #expect(book.holdingsNeedingLots(for: world.activities).isEmpty)
      world.log("2024-01-02", other, "ACME", "1", at: "1")
      #expect(book.holdingsNeedingLots(for: world.activities).count == 1)
    }
  }

  // MARK: - Late activities

  @Test("A late purchase comes before a split of its booking date")
  func lateOnASplit() throws {
    var world = BookWorld.holdingACME()
    _ = try world.close("2024-01-31")
    world.split("ACME", "2024-02-01", "2")
    world.price("ACME", "2024-02-01", "55")
    world.log("2024-01-10", .buy, "ACME", "3", at: "90", bookedOn: "2024-02-01")
    let row = try world.close("2024-02-01").row()
    #expect(row.quantity == .of("26"))
    // 3 × (100 − 90), in the units before; then 13 × (110 − 100).
    #expect(row.attribution.priorPeriod == .of("30"))
    #expect(row.attribution.unrealizedChange == .of("130"))
  }

  @Test("Late activities of one booking date follow their own dates, not their keys")
  func lateOrder() throws {
    var world = BookWorld()
    world.hold("OPT", kind: .option)
    _ = try world.close("2024-01-31")
    world.log("2024-01-20", .expire, "OPT", bookedOn: "2024-02-01")
    world.log("2024-01-10", .buy, "OPT", "1", at: "7", bookedOn: "2024-02-01")
    let row = try world.close("2024-02-01").row()
    #expect(row.quantity == .zero && row.attribution.priorPeriod == .of("-7"))
  }

  @Test("Inside a gap a late activity waits for its booking date")
  func lateInAGap() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-31", "100")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .buy, "ACME", "1", at: "90", bookedOn: "2024-02-05")
    world.log("2024-02-02", .buy, "ACME", "1", at: "101")
    world.log("2024-02-02", .expire, "ACME")
    let row = try world.close("2024-02-05").row()
    // What expires is what was there; the late one is still held.
    #expect(row.quantity == .of("1") && row.costBasis == .of("90"))
    #expect(row.attribution.realized == .of("-101"))
  }

  @Test("A late exchange's spread is prior period")
  func lateExchange() throws {
    var world = BookWorld(cash: .perCurrency)
    world.rate("EUR", "USD", "2024-01-10", "1.10")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .exchangeOut, amount: "112", bookedOn: "2024-02-01")
    world.log("2024-01-10", .exchangeIn, amount: "100", in: "EUR", bookedOn: "2024-02-01")
    let parts = try world.close("2024-02-01").snapshot.attribution
    #expect(parts.priorPeriod == .of("-2") && parts.fx == .zero)
  }

  @Test("A late fee is added back at its own date's rate, as it was deducted")
  func lateFee() throws {
    var world = BookWorld()
    world.rate("EUR", "USD", "2024-01-10", "1.10")
    world.rate("EUR", "USD", "2024-01-31", "2")
    world.log("2024-01-01", .deposit, amount: "1000")
    var steps = [PerformanceStep(try world.close("2024-01-31"))]
    world.log("2024-01-10", .fee, amount: "100", in: "EUR", bookedOn: "2024-02-01")
    steps.append(PerformanceStep(try world.close("2024-02-01")))
    var history = PerformanceHistory(steps)
    history.add(managementFees: [world.activities[1]], in: .iso("USD"), at: world.market)
    #expect(history.over(.daily)?.linked == -0.11)
    #expect(history.over(.daily)?.grossOfFees == 0)
  }

  // MARK: - Funds

  @Test("A late flow of a statement's own date is inside it, in or out")
  func lateOnAStatement() throws {
    var world = ValuedHoldingTests.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.statement("ALPHA", "2024-01-20", "1200")
    _ = try world.close("2024-01-31")
    world.log("2024-01-20", .withdrawal, "ALPHA", amount: "300", bookedOn: "2024-02-01")
    let row = try world.close("2024-02-01").row()
    // 1 200 are left of 1 500, and four fifths of the cost.
    #expect(row.marketValue == .of("1200") && row.costBasis == .of("800"))
    #expect(row.attribution.priorPeriod == .of("300"))
  }

  @Test("A withdrawal of nothing from a fund that is worth nothing relieves no cost")
  func nothingOfNothing() throws {
    var world = ValuedHoldingTests.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.statement("ALPHA", "2024-01-02", "0")
    world.log("2024-01-03", .withdrawal, "ALPHA", amount: "0")
    _ = try world.close("2024-01-02")
    let row = try world.close("2024-01-03").row()
    #expect(row.costBasis == .of("1000") && row.attribution.realized == .zero)
  }

  @Test("Switch legs of two currencies do not net")
  func switchOverTwoCurrencies() throws {
    var world = ValuedHoldingTests.funds()
    world.hold("GAMMA", "EUR", kind: .fund, pricing: .valued)
    world.rate("EUR", "USD", "2024-01-01", "1")
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.log("2024-01-02", .fundSwitchOut, "ALPHA", amount: "400")
    world.log("2024-01-02", .fundSwitchIn, "GAMMA", amount: "400")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-02") }
    #expect(
      error?.description == "fund switches of 2024-01-02 in EUR do not net to zero: "
        + "in 400.00 (GAMMA), out nothing")
  }

  @Test("A fund abroad is as old as the older of its statement and its rate")
  func rateOfAStatement() throws {
    var world = BookWorld()
    world.hold("GAMMA", "EUR", kind: .fund, pricing: .valued)
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.log("2024-01-01", .investment, "GAMMA", amount: "10")
    world.statement("GAMMA", "2024-01-02", "11")
    #expect(try world.close("2024-01-02").row().quality == .carried(businessDays: 1))
  }

  // MARK: - Futures

  @Test("A future gets no dividend, and a price on its expiry is its settlement, not the close")
  func futures() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ESH4", kind: .future, multiplier: "50")
    world.price("ESH4", "2024-01-01", "4800")
    world.price("ESH4", "2024-01-02", "4812")
    world.pays("ESH4", "2024-01-02", "1")
    world.log("2024-01-01", .buy, "ESH4", "1", at: "4800")
    world.log("2024-01-02", .expire, "ESH4", at: "4810")
    world.activities[1].referenceClose = .of("4811")
    _ = try world.close("2024-01-01")
    let parts = try world.close("2024-01-02").row().attribution
    #expect(parts.realized == .of("500") && parts.income == .zero)
  }

  // MARK: - Quality

  @Test("Five business days old is usual, six is not: a close, and the rate of a balance")
  func fiveDays() throws {
    var world = BookWorld.holdingACME()
    #expect(try !world.close("2024-01-08").snapshot.isDegraded)
    #expect(try world.close("2024-01-09").snapshot.isDegraded)
    var cash = BookWorld(cash: .perCurrency)
    cash.rate("EUR", "USD", "2024-01-01", "1.10")
    cash.log("2024-01-01", .deposit, amount: "10", in: "EUR")
    #expect(try !cash.close("2024-01-08").snapshot.isDegraded)
    #expect(try cash.close("2024-01-09").snapshot.isDegraded)
  }

  @Test("A share that is just what the policy allows is allowed; cash is part of the whole")
  func shareAtTheLimit() throws {
    var world = BookWorld(cash: .perCurrency)
    world.hold("TINY")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .buy, "TINY", "1", at: "250")
    var narrower = world
    // 250 of 1 000.
    world.policy.maxDegradedShare = 0.25
    narrower.policy.maxDegradedShare = 0.249
    #expect(try !world.close("2024-01-01").snapshot.isDegraded)
    #expect(try narrower.close("2024-01-01").snapshot.isDegraded)
  }

  @Test("Without any close a holding abroad stands at its cost, at the date's rate")
  func costAbroad() throws {
    var world = BookWorld()
    world.hold("NOTE", "EUR")
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.rate("EUR", "USD", "2024-01-02", "1.20")
    world.log("2024-01-01", .buy, "NOTE", "10", at: "10")
    _ = try world.close("2024-01-01")
    let row = try world.close("2024-01-02").row()
    #expect(row.marketValue == .of("120") && row.quality == .missing)
    #expect(row.attribution.fx == .of("10") && row.attribution.unrealizedChange == .zero)
  }

  // MARK: - Returns

  @Test("After a loss of everything on the inception date, the returns since count from there")
  func lossOnInception() throws {
    var world = BookWorld()
    world.log("2024-01-01", .deposit, amount: "100")
    world.log("2024-01-01", .fee, amount: "100")
    world.log("2024-01-02", .deposit, amount: "100")
    world.log("2024-01-02", .interest, amount: "10")
    let steps = try ["2024-01-01", "2024-01-02"].map { PerformanceStep(try world.close($0)) }
    #expect(PerformanceHistory([steps[0]]).over(.sinceInception)?.linked == -1)
    let since = PerformanceHistory(steps).over(.sinceInception)
    #expect(since?.linked == 0.1 && since?.from == .iso("2024-01-01"))
  }
}
