import Accounting
import Testing

@Suite("Late activities of a locked period")
struct LateActivityTests {
  @Test("A late purchase brings the gain up to the opening as prior period, and its date's as P&L")
  func latePurchase() throws {
    var world = BookWorld.holdingACME(deposit: "5000")
    world.price("ACME", "2024-01-31", "120")
    world.price("ACME", "2024-02-01", "125")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .buy, "ACME", "2", at: "110", fee: "3", bookedOn: "2024-02-01")
    let close = try world.close("2024-02-01")
    // Late: 2 × (120 − 110) − 3 = 17. The date: 12 × (125 − 120) = 60.
    #expect(close.row().attribution.priorPeriod == .of("17"))
    #expect(close.row().attribution.unrealizedChange == .of("60"))
    #expect(close.row().attribution.fees == .zero)
    #expect(close.snapshot.dailyPnL == .of("77"))
    #expect(close.row().costBasis == .of("1220"))
  }

  @Test("A late sale corrects what the opening counted, and is no realized gain of the date")
  func lateSale() throws {
    var world = BookWorld.holdingACME()
    world.price("ACME", "2024-01-31", "120")
    _ = try world.close("2024-01-31")
    world.price("ACME", "2024-02-01", "130")
    world.log("2024-01-20", .sell, "ACME", "4", at: "105", bookedOn: "2024-02-01")
    let close = try world.close("2024-02-01")
    // Four were counted at 120 and had gone at 105: −60. Six gain 10 on the date.
    #expect(close.row().attribution.priorPeriod == .of("-60"))
    #expect(close.row().attribution.realized == .zero)
    #expect(close.row().attribution.unrealizedChange == .of("60"))
    #expect(close.snapshot.cash == .of("420"))
  }

  @Test("A late flow is an external flow of the booking date, late income is prior period")
  func lateFlowAndIncome() throws {
    var world = BookWorld.holdingACME()
    _ = try world.close("2024-01-31")
    world.log("2024-01-20", .deposit, amount: "500", bookedOn: "2024-02-01")
    world.log("2024-01-20", .dividend, "ACME", amount: "8", bookedOn: "2024-02-01")
    world.log("2024-01-20", .tax, "ACME", amount: "2", bookedOn: "2024-02-01")
    world.log("2024-01-20", .fee, amount: "1", bookedOn: "2024-02-01")
    let close = try world.close("2024-02-01")
    #expect(close.snapshot.inflow == .of("500"))
    #expect(close.snapshot.attribution.income == .zero)
    #expect(close.snapshot.attribution.priorPeriod == .of("5"))
    #expect(close.snapshot.dailyPnL == .of("5"))
  }

  @Test("A late purchase before a split arrives in new units, with the dividends that it missed")
  func lateBeforeSplit() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.price("ACME", "2024-01-31", "60")
    world.split("ACME", "2024-01-15", "2")
    world.pays("ACME", "2024-01-16", "0.25")
    world.log("2024-01-01", .deposit, amount: "1000")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .buy, "ACME", "3", at: "100", bookedOn: "2024-02-01")
    let close = try world.close("2024-02-01")
    #expect(close.row().quantity == .of("6"))
    // 6 × 60 − 300 = 60, and 6 × 0.25.
    #expect(close.row().attribution.priorPeriod == .of("61.50"))
    #expect(close.snapshot.attribution.income == .zero)
    #expect(close.snapshot.cash == .of("701.50"))
  }

  @Test("The value at the opening of a late purchase is in the units of its booking date")
  func lateOverSplitInGap() throws {
    var world = BookWorld.holdingACME()
    world.price("ACME", "2024-01-31", "120")
    world.split("ACME", "2024-02-02", "2")
    world.price("ACME", "2024-02-05", "70")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .buy, "ACME", "2", at: "110", bookedOn: "2024-02-05")
    let row = try world.close("2024-02-05").row()
    // 4 new units at 120 ÷ 2 are 240 against 220; then 24 units gain 10.
    #expect(row.attribution.priorPeriod == .of("20"))
    #expect(row.attribution.unrealizedChange == .of("240"))
  }

  @Test("A late balance moves with its currency only since the opening")
  func lateBalance() throws {
    var world = BookWorld(cash: .perCurrency)
    world.rate("EUR", "USD", "2024-01-10", "1.10")
    world.rate("EUR", "USD", "2024-01-31", "1.20")
    world.rate("EUR", "USD", "2024-02-01", "1.25")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .deposit, amount: "100", in: "EUR", bookedOn: "2024-02-01")
    let close = try world.close("2024-02-01")
    #expect(close.snapshot.inflow == .of("110"))
    #expect(close.snapshot.attribution.priorPeriod == .of("10"))
    #expect(close.snapshot.attribution.fx == .of("5"))
  }

  @Test("A late flow into a fund is inside the statement that came after it")
  func lateFundFlow() throws {
    var world = ValuedHoldingTests.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.statement("ALPHA", "2024-01-20", "1300")
    _ = try world.close("2024-01-31")
    world.log("2024-01-10", .investment, "ALPHA", amount: "250", bookedOn: "2024-02-01")
    world.log("2024-01-25", .investment, "ALPHA", amount: "40", bookedOn: "2024-02-01")
    let close = try world.close("2024-02-01")
    // The 250 were taken for a gain of January; the 40 came after the statement.
    #expect(close.row().marketValue == .of("1340"))
    #expect(close.row().attribution.priorPeriod == .of("-250"))
    #expect(close.row().attribution.unrealizedChange == .zero)
    #expect(close.snapshot.inflow == .of("290"))
  }

  /// A fund that was worth 1 300 on 01-20 and emptied on 01-25.
  private static func emptied() -> BookWorld {
    var world = ValuedHoldingTests.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.statement("ALPHA", "2024-01-20", "1300")
    world.log("2024-01-25", .withdrawal, "ALPHA", amount: "1300")
    world.log("2024-01-10", .investment, "ALPHA", amount: "250", bookedOn: "2024-02-01")
    return world
  }

  @Test(
    "A fund that was emptied keeps the date of its statement, which tells a late flow before it",
    arguments: [[], ["2024-01-25"], ["2024-01-22", "2024-01-25", "2024-01-31"]])
  func lateFlowOfAnEmptiedFund(earlier: [String]) throws {
    var world = Self.emptied()
    for date in earlier { _ = try world.close(date) }
    let close = try world.close("2024-02-01")
    #expect(close.snapshot.closingEquity == .zero)
    // 1 300 came out for 1 250.
    #expect(close.snapshot.cumulativePnL == .of("50"))
  }

  @Test("A book opened anew is told the statement of a fund that has no row any more")
  func reopenedAfterEmptying() throws {
    var world = Self.emptied()
    _ = try world.close("2024-01-25")
    let last = try world.close("2024-01-31")
    #expect(last.holdings.isEmpty)
    let opening = BookOpening(
      after: last, statementDates: world.statementDates(through: .iso("2024-01-31")))
    var book = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: opening)
    let reopened = try book.close(
      on: .iso("2024-02-01"), activities: world.activities, statements: world.statements,
      market: world.market, businessDays: { BookWorld.weekdays(after: $0, through: $1) })
    #expect(try world.close("2024-02-01") == reopened)
    #expect(reopened.snapshot.attribution.priorPeriod == .of("-250"))
  }

  @Test("A fund that is opened again is as old as its last statement, however often it was closed")
  func openedAgain() throws {
    var once = Self.emptied()
    once.log("2024-02-01", .investment, "ALPHA", amount: "40")
    var daily = once
    for date in ["2024-01-25", "2024-01-31"] { _ = try daily.close(date) }
    let row = try daily.close("2024-02-01").row()
    #expect(row.priceDate == .iso("2024-01-20"))
    #expect(row.quality == .carried(businessDays: 9))
    #expect(try once.close("2024-02-01").row().priceDate == row.priceDate)
  }
}
