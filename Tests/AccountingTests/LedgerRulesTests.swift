import Accounting
import Testing

/// One test a rule, named after it; the arithmetic stands beside it.
@Suite("Rules of the daily close")
struct LedgerRulesTests {
  @Test("The P&L of a gap is booked when the gap ends, from the prices of the last snapshot")
  func gapDays() throws {
    var world = BookWorld.holdingACME()
    _ = try world.close("2024-01-01")
    world.price("ACME", "2024-01-02", "130")
    world.price("ACME", "2024-01-05", "125")
    let close = try world.close("2024-01-05")
    // 10 × (125 − 100); the 130 of the missed date does not matter.
    #expect(close.snapshot.dailyPnL == .of("250"))
    #expect(close.snapshot.openedFrom == .iso("2024-01-01"))
    #expect(close.snapshot.openingEquity == .of("1000"))
  }

  @Test("A close takes what was booked after the previous close, up to and with its own date")
  func window() throws {
    var world = BookWorld()
    for day in 1...4 { world.log("2024-01-0\(day)", .deposit, amount: "1\(day)") }
    #expect(try world.close("2024-01-01").snapshot.inflow == .of("11"))
    #expect(try world.close("2024-01-03").snapshot.inflow == .of("25"))
    #expect(try world.close("2024-01-04").snapshot.inflow == .of("14"))
  }

  @Test("Income, fees and taxes with a symbol belong to that holding, others to the portfolio")
  func ownIncome() throws {
    var world = BookWorld()
    world.hold("ACME")
    for symbol in ["ACME", nil] {
      world.log("2024-01-02", .dividend, symbol, amount: "20")
      world.log("2024-01-02", .tax, symbol, amount: "3")
      world.log("2024-01-02", .fee, symbol, amount: "2")
    }
    let close = try world.close("2024-01-02")
    #expect(close.row().dailyPnL == .of("15") && close.row().attribution.taxes == .of("3"))
    #expect(close.snapshot.dailyPnL == .of("30") && close.snapshot.attribution.fees == .of("4"))
    #expect(close.snapshot.cash == .of("30"))
    #expect(close.flows.map(\.amount) == [.of("20"), .of("-3"), .of("-2")])
  }

  @Test("Activities of a gap count at the rate of their own date")
  func gapActivities() throws {
    var world = BookWorld()
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.rate("EUR", "USD", "2024-01-02", "1.20")
    world.rate("EUR", "USD", "2024-01-03", "1.30")
    world.log("2024-01-01", .deposit, amount: "100", in: "EUR")
    world.log("2024-01-02", .deposit, amount: "100", in: "EUR")
    let close = try world.close("2024-01-03")
    #expect(close.snapshot.inflow == .of("230"))
    #expect(close.snapshot.cash == .of("230"))
    #expect(close.snapshot.dailyPnL == .zero)
  }

  @Test("A carried price moves nothing, however old, and the next one brings the whole move")
  func carriedPrice() throws {
    var world = BookWorld.holdingACME()
    _ = try world.close("2024-01-01")
    let next = try world.close("2024-01-02")
    #expect(next.snapshot.dailyPnL == .zero)
    #expect(next.row().quality == .carried(businessDays: 1))
    #expect(next.row().priceDate == .iso("2024-01-01"))
    #expect(!next.snapshot.isDegraded)
    let late = try world.close("2024-01-09")
    // Older than the previous snapshot: still 0. 2024-01-09 is six weekdays after 01-01.
    #expect(late.snapshot.dailyPnL == .zero)
    #expect(late.snapshot.maxCarriedDays == 6)
    #expect(late.snapshot.isDegraded)
    world.price("ACME", "2024-01-10", "107")
    #expect(try world.close("2024-01-10").snapshot.dailyPnL == .of("70"))
  }

  @Test("A holding that never had a close is valued at cost and counted as missing")
  func missingClose() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .buy, "ACME", "10", at: "70", fee: "2")
    let close = try world.close("2024-01-01")
    #expect(close.row().quality == .missing)
    #expect(close.row().price == nil)
    #expect(close.row().marketValue == .of("700"))
    #expect(close.snapshot.dailyPnL == .of("-2"))
    #expect(close.snapshot.missingCount == 1)
    #expect(close.snapshot.isDegraded)
  }

  @Test("Degraded by share: a small stale holding is tolerated where the policy says so")
  func degradedShare() throws {
    var world = BookWorld.holdingACME()
    world.hold("TINY")
    world.log("2024-01-01", .buy, "TINY", "1", at: "9")
    var strict = world
    // 9 of 1009 is 0.9 %.
    world.policy.maxDegradedShare = 0.01
    #expect(try !world.close("2024-01-01").snapshot.isDegraded)
    #expect(try strict.close("2024-01-01").snapshot.isDegraded)
  }

  @Test("Zero is a number: a price of 0, an equity of 0 and an index that goes on from there")
  func zeroIsANumber() throws {
    var world = BookWorld.holdingACME()
    world.price("ACME", "2024-01-02", "0")
    world.price("ACME", "2024-01-03", "5")
    _ = try world.close("2024-01-01")
    let wiped = try world.close("2024-01-02")
    #expect(wiped.snapshot.closingEquity == .zero)
    #expect(wiped.snapshot.dailyPnL == .of("-1000"))
    #expect(wiped.row().quality == .priced)
    #expect(wiped.snapshot.dailyReturn == -1)
    #expect(wiped.snapshot.index == 0)
    let next = try world.close("2024-01-03")
    #expect(next.snapshot.openingEquity == .zero)
    #expect(next.snapshot.dailyPnL == .of("50"))
    #expect(next.snapshot.dailyReturn == nil)
    #expect(next.snapshot.indexSince == .iso("2024-01-03"))
    world.log("2024-01-04", .deposit, amount: "50")
    world.price("ACME", "2024-01-04", "10")
    let restart = try world.close("2024-01-04")
    // 50 ÷ (50 + 50): the chain starts again at 1 from the close before.
    #expect(restart.snapshot.dailyReturn == 0.5)
    #expect(restart.snapshot.index == 1.5)
    #expect(restart.snapshot.indexSince == .iso("2024-01-03"))
  }

  @Test("The first close covers everything since inception and has no return of a day")
  func firstClose() throws {
    var world = BookWorld.holdingACME()
    world.price("ACME", "2024-01-05", "120")
    let close = try world.close("2024-01-05")
    #expect(close.snapshot.openedFrom == nil)
    #expect(close.snapshot.openingEquity == .zero)
    #expect(close.snapshot.inflow == .of("1000"))
    #expect(close.snapshot.dailyPnL == .of("200"))
    #expect(close.snapshot.dailyReturn == nil)
    #expect(close.snapshot.index == 1)
    #expect(close.snapshot.indexSince == .iso("2024-01-05"))
  }

  @Test("A first close on the inception date has a return")
  func firstCloseOnInception() throws {
    var world = BookWorld.holdingACME(price: "110")
    let close = try world.close("2024-01-01")
    #expect(close.snapshot.dailyReturn == 0.1)
    #expect(close.snapshot.index == 1.1)
  }

  @Test("Inflows count from the start of the day and outflows to its end")
  func flowTiming() throws {
    var world = BookWorld.holdingACME()
    world.log("2024-01-02", .deposit, amount: "9000")
    world.log("2024-01-02", .withdrawal, amount: "500")
    world.price("ACME", "2024-01-02", "110")
    _ = try world.close("2024-01-01")
    let snapshot = try world.close("2024-01-02").snapshot
    // (9600 + 500) ÷ (1000 + 9000) − 1 = 100 ÷ 10000, not 100 ÷ 1000.
    #expect(snapshot.closingEquity == .of("9600"))
    #expect(snapshot.dailyReturn == 0.01)
    #expect(snapshot.inflow == .of("9000"))
    #expect(snapshot.outflow == .of("500"))
  }

  @Test("A base that is not positive gives no return, leaves the index and starts a new chain")
  func negativeEquity() throws {
    var world = BookWorld.holdingACME()
    world.log("2024-01-02", .fee, amount: "2000")
    _ = try world.close("2024-01-01")
    world.price("ACME", "2024-01-02", "110")
    let under = try world.close("2024-01-02").snapshot
    // 100 − 2000 on 1000: worse than everything, the chain ends at 0.
    #expect(under.closingEquity == .of("-900"))
    #expect(under.dailyReturn == -1.9)
    #expect(under.index == 0)
    world.price("ACME", "2024-01-03", "120")
    let next = try world.close("2024-01-03").snapshot
    #expect(next.dailyReturn == nil)
    #expect(next.index == 0)
  }

  @Test("A withdrawal of everything leaves the index as it is and breaks the chain")
  func emptied() throws {
    var world = BookWorld()
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-02", .interest, amount: "10")
    world.log("2024-01-03", .withdrawal, amount: "1010")
    world.log("2024-01-05", .deposit, amount: "100")
    world.log("2024-01-05", .interest, amount: "1")
    _ = try world.close("2024-01-01")
    #expect(try world.close("2024-01-02").snapshot.index == 1.01)
    #expect(try world.close("2024-01-03").snapshot.index == 1.01)
    let empty = try world.close("2024-01-04").snapshot
    #expect(empty.dailyReturn == nil)
    #expect(empty.index == 1.01)
    #expect(empty.indexSince == .iso("2024-01-04"))
    let again = try world.close("2024-01-05").snapshot
    #expect(again.dailyReturn == 0.01)
    #expect(again.index == 1.01 * 1.01)
    #expect(again.indexSince == .iso("2024-01-04"))
  }

  @Test("Negative cash is margin, not zero and not an error")
  func negativeCash() throws {
    var world = BookWorld.holdingACME(deposit: "400")
    let snapshot = try world.close("2024-01-01").snapshot
    #expect(snapshot.cash == .of("-600"))
    #expect(snapshot.closingEquity == .of("400"))
    #expect(snapshot.longValue == .of("1000"))
  }

  @Test("A portfolio of cash alone is worth its cash")
  func allCash() throws {
    var world = BookWorld()
    world.log("2024-01-01", .deposit, amount: "123.45")
    #expect(try world.close("2024-01-01").snapshot.closingEquity == .of("123.45"))
  }

  @Test("A realized gain is not added to what was already booked day by day")
  func noDoubleCount() throws {
    var world = BookWorld.holdingACME()
    for (date, price) in [("2024-01-02", "130"), ("2024-01-03", "150"), ("2024-01-04", "140")] {
      world.price("ACME", date, price)
    }
    world.log("2024-01-04", .sell, "ACME", "10", at: "145")
    var sum = Money.zero
    for date in ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"] {
      sum += try world.close(date).snapshot.dailyPnL
    }
    #expect(sum == .of("450"))
  }

  @Test("An exited holding appears once with zeros, and then no more")
  func exited() throws {
    var world = BookWorld.holdingACME()
    world.log("2024-01-02", .sell, "ACME", "10", at: "101")
    _ = try world.close("2024-01-01")
    let row = try world.close("2024-01-02").row()
    #expect(row.quantity == .zero)
    #expect(row.marketValue == .zero)
    #expect(row.price == nil)
    #expect(row.dailyPnL == .of("10"))
    #expect(try world.close("2024-01-03").holdings.isEmpty)
  }

  @Test("Any past date can be closed again: quantities come from the log, not from a row")
  func replay() throws {
    var world = BookWorld.holdingACME()
    let before = try world.close("2024-01-01")
    world.log("2024-01-02", .sell, "ACME", "10", at: "101")
    _ = try world.close("2024-01-02")
    var again = BookWorld.holdingACME()
    again.activities = world.activities
    #expect(try again.close("2024-01-01") == before)
  }

  @Test("A short pays when the price rises, and its value is negative")
  func short() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "100")
    world.price("ACME", "2024-01-02", "108")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .sell, "ACME", "5", at: "100", fee: "1")
    world.log("2024-01-02", .buy, "ACME", "2", at: "106")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    // Bought back 2: −2 × 6 = −12; still short 3: −3 × 8 = −24.
    #expect(close.row().attribution.realized == .of("-12"))
    #expect(close.row().attribution.unrealizedChange == .of("-24"))
    #expect(close.snapshot.shortValue == .of("-324"))
    #expect(close.snapshot.grossExposure == .of("324"))
    #expect(close.snapshot.netExposure == .of("-324"))
    // 1000 + 500 − 1 − 212
    #expect(close.snapshot.cash == .of("1287"))
  }

  @Test("A part of a lot leaves rounded half to even, and the lot keeps the rest")
  func nothingIsLost() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "1")
    world.log("2024-01-01", .deposit, amount: "100")
    world.log("2024-01-01", .buy, "ACME", "3", at: "0.33333333")
    for _ in 0..<3 { world.log("2024-01-01", .sell, "ACME", "1", at: "1") }
    let close = try world.close("2024-01-01")
    // Cost 1.0000 (0.99999999 rounded): a third is 0.3333, then half of 0.6667 is 0.33335 → 0.3334,
    // then 0.3333. Realized 3 − 1.
    #expect(close.row().attribution.realized == .of("2.0000"))
    #expect(close.row().costBasis == .zero)
  }
}

extension BookWorld {
  /// 10 ACME bought at 100 on 2024-01-01, the inception, out of a deposit.
  static func holdingACME(deposit: String = "1000", price: String = "100") -> BookWorld {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", price)
    world.log("2024-01-01", .deposit, amount: deposit)
    world.log("2024-01-01", .buy, "ACME", "10", at: "100")
    return world
  }
}
