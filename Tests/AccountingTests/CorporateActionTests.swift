import Accounting
import Testing

@Suite("Corporate actions, options and futures")
struct CorporateActionTests {
  @Test("A split in the middle of a gap multiplies the quantity and leaves the cost")
  func splitInGap() throws {
    var world = BookWorld.holdingACME()
    _ = try world.close("2024-01-01")
    world.split("ACME", "2024-01-03", "2")
    world.log("2024-01-02", .buy, "ACME", "1", at: "104")
    world.log("2024-01-03", .sell, "ACME", "2", at: "55")
    world.price("ACME", "2024-01-04", "56")
    let close = try world.close("2024-01-04")
    // 10 + 1 old = 22 new; the sale relieves 2 of 20 at 50: 110 − 100 = 10.
    #expect(close.row().quantity == .of("20"))
    #expect(close.row().localCost == .of("1004"))
    #expect(close.row().attribution.realized == .of("10"))
    // 20 × 56 − 1004
    #expect(close.row().unrealized == .of("116"))
    #expect(close.snapshot.dailyPnL == .of("126"))
  }

  @Test("A close older than the ex-date is divided by the ratio, on a short too")
  func carriedOverSplit() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "90")
    world.split("ACME", "2024-01-02", "3")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .sell, "ACME", "5", at: "90")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.row().quantity == .of("-15"))
    #expect(close.row().price == .of("30"))
    #expect(close.row().priceDate == .iso("2024-01-01"))
    #expect(close.snapshot.dailyPnL == .zero)
  }

  @Test("A split that leaves less than the smallest fraction closes the position without proceeds")
  func splitToNothing() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "1")
    world.log("2024-01-01", .deposit, amount: "10")
    world.log("2024-01-01", .buy, "ACME", "0.000000000001", at: "1000000000000")
    world.split("ACME", "2024-01-02", "0.1")
    let row = try world.close("2024-01-02").row()
    #expect(row.quantity == .zero)
    #expect(row.attribution.realized == .of("-1"))
  }

  @Test("A recorded dividend counts; the corporate action is left aside")
  func recordedDividend() throws {
    var world = BookWorld.holdingACME()
    world.pays("ACME", "2024-01-02", "0.50")
    world.log("2024-01-03", .dividend, "ACME", amount: "5")
    world.log("2024-01-03", .tax, "ACME", amount: "0.75")
    let close = try world.close("2024-01-03")
    #expect(close.row().attribution.income == .of("5"))
    #expect(close.row().attribution.taxes == .of("0.75"))
    #expect(close.snapshot.cash == .of("4.25"))
  }

  @Test("An automatic dividend is paid on the ex-date on what was held before its trades")
  func automaticDividend() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "100")
    world.pays("ACME", "2024-01-02", "0.50")
    world.split("ACME", "2024-01-02", "2")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .buy, "ACME", "10", at: "100")
    world.log("2024-01-02", .sell, "ACME", "20", at: "50")
    let close = try world.close("2024-01-02")
    // Split first: 20 × 0.50, although all is sold on the ex-date.
    #expect(close.row().attribution.income == .of("10"))
    #expect(close.snapshot.cash == .of("1010"))
    let flows = close.flows.filter { $0.holding != nil }.map(\.amount)
    #expect(flows == [.of("-1000"), .of("10"), .of("1000")])
  }

  @Test("A short pays the automatic dividend")
  func shortPaysDividend() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "100")
    world.pays("ACME", "2024-01-02", "0.50")
    world.log("2024-01-01", .sell, "ACME", "10", at: "100")
    #expect(try world.close("2024-01-02").row().attribution.income == .of("-5"))
  }

  @Test("Where dividends are recorded, what a short owes is negative interest of its symbol")
  func shortOwesRecorded() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "100")
    world.pays("ACME", "2024-01-02", "0.50")
    world.log("2024-01-01", .sell, "ACME", "10", at: "100")
    world.log("2024-01-02", .interest, "ACME", amount: "-5")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.row().attribution.income == .of("-5") && close.row().dailyPnL == .of("-5"))
    #expect(close.snapshot.cash == .of("995"))
    #expect(close.flows.map(\.amount) == [.of("-5")])
  }

  @Test("With automatic dividends a dividend activity on a quoted symbol is refused, not doubled")
  func automaticRefusesRecorded() throws {
    var world = BookWorld(dividends: .automatic)
    world.hold("ACME")
    world.log("2024-01-01", .dividend, "ACME", amount: "5")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-01") }
    #expect(
      error?.description == "dividend of ACME on 2024-01-01 (activity 1): "
        + "the portfolio takes dividends from corporate actions")
  }

  @Test("A lot of which a split leaves less than the smallest fraction gives its cost to the next")
  func tinyLot() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.log("2024-01-01", .buy, "ACME", "10", at: "100")
    world.log("2024-01-02", .buy, "ACME", "0.000000000001", at: "20000000000000")
    world.split("ACME", "2024-01-03", "0.1")
    world.log("2024-01-04", .buy, "ACME", "2", at: "1500")
    world.log("2024-01-05", .sell, "ACME", "1", at: "1500")
    _ = try world.close("2024-01-02")
    // 1 000 and 20: one lot of 1 is left, which cost 1 020, and is sold first.
    let row = try world.close("2024-01-05").row()
    #expect(row.attribution.realized == .of("480"))
    #expect(row.quantity == .of("2") && row.costBasis == .of("3000"))
  }

  @Test("An option that expires is closed at zero: all of its cost is the loss")
  func expiry() throws {
    var world = BookWorld()
    world.hold("ACME C100", kind: .option, multiplier: "100")
    world.price("ACME C100", "2024-01-01", "2.50")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .buy, "ACME C100", "2", at: "2.50")
    world.log("2024-01-02", .expire, "ACME C100")
    #expect(try world.close("2024-01-01").row().marketValue == .of("500"))
    let close = try world.close("2024-01-02")
    #expect(close.row().attribution.realized == .of("-500"))
    #expect(close.row().quantity == .zero)
    #expect(close.snapshot.cash == .of("500"))
  }

  @Test("An assigned short call is an expiry and a sale of the underlying at the strike")
  func assignment() throws {
    var world = BookWorld.holdingACME()
    world.hold("ACME C105", kind: .option, multiplier: "10")
    world.price("ACME C105", "2024-01-01", "3")
    world.log("2024-01-01", .sell, "ACME C105", "1", at: "3")
    world.log("2024-01-02", .expire, "ACME C105", "1")
    world.log("2024-01-02", .sell, "ACME", "10", at: "105")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    // The premium of 30 is kept, the shares gain 50.
    #expect(close.row(2).attribution.realized == .of("30"))
    #expect(close.row(1).attribution.realized == .of("50"))
    #expect(close.snapshot.closingEquity == .of("1080"))
  }

  @Test("What is not held cannot expire")
  func nothingToExpire() throws {
    var world = BookWorld()
    world.hold("OPT", kind: .option, multiplier: "100")
    world.log("2024-01-01", .expire, "OPT")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-01") }
    #expect(error?.description == "expire of OPT on 2024-01-01 (activity 1): only 0 held")
  }

  @Test(
    "No more can expire than is held, on either side",
    arguments: [(ActivityType.buy, "2"), (.sell, "-2")])
  func tooMuchToExpire(side: ActivityType, held: String) throws {
    var world = BookWorld()
    world.hold("OPT", kind: .option, multiplier: "100")
    world.log("2024-01-01", side, "OPT", "2", at: "3")
    world.log("2024-01-02", .expire, "OPT", "3")
    _ = try world.close("2024-01-01")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-02") }
    #expect(error?.description == "expire of OPT on 2024-01-02 (activity 2): only \(held) held")
  }

  @Test("The multiplier is the instrument's: 100 is not universal")
  func multipliers() throws {
    var world = BookWorld()
    world.hold("BOND", kind: .bond, multiplier: "0.01")
    world.hold("MINI", kind: .option, multiplier: "10")
    world.log("2024-01-01", .buy, "BOND", "5000", at: "98.5")
    world.log("2024-01-01", .buy, "MINI", "3", at: "1.20")
    let close = try world.close("2024-01-01")
    #expect(close.row(1).costBasis == .of("4925"))
    #expect(close.row(2).costBasis == .of("36"))
  }

  @Test("A future is settled in cash every day; it is worth nothing, its notional is exposure")
  func future() throws {
    var world = BookWorld()
    world.hold("ESH4", kind: .future, multiplier: "50")
    world.price("ESH4", "2024-01-01", "4800")
    world.price("ESH4", "2024-01-02", "4790")
    world.price("ESH4", "2024-01-03", "4820")
    world.log("2024-01-01", .deposit, amount: "20000")
    world.log("2024-01-01", .buy, "ESH4", "2", at: "4795", fee: "4")
    world.log("2024-01-03", .sell, "ESH4", "3", at: "4810")
    let first = try world.close("2024-01-01")
    // 2 × 5 × 50 = 500, less the fee.
    #expect(first.snapshot.dailyPnL == .of("496"))
    #expect(first.snapshot.cash == .of("20496"))
    #expect(first.flows.map(\.amount) == [.of("-20000")])
    #expect(first.row().marketValue == .zero)
    #expect(first.snapshot.longValue == .zero)
    #expect(first.snapshot.grossExposure == .of("480000"))
    let second = try world.close("2024-01-02")
    #expect(second.row().attribution.realized == .of("-1000"))
    let third = try world.close("2024-01-03")
    // 2 × (4810 − 4790) × 50 = 2000; short 1 from 4810 to 4820: −500.
    #expect(third.row().attribution.realized == .of("1500"))
    #expect(third.row().quantity == .of("-1"))
    #expect(third.snapshot.netExposure == .of("-241000"))
    #expect(third.snapshot.cash == .of("20996"))
    #expect(third.flows.allSatisfy { $0.holding == nil })
  }

  @Test("A future's gain goes to cash at the rate of its day, and is no currency gain")
  func foreignFuture() throws {
    var world = BookWorld(cash: .perCurrency)
    world.hold("FDAX", "EUR", kind: .future, multiplier: "25")
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.rate("EUR", "USD", "2024-01-02", "1.20")
    world.price("FDAX", "2024-01-01", "17000")
    world.price("FDAX", "2024-01-02", "17010")
    world.log("2024-01-01", .buy, "FDAX", "1", at: "16980")
    // 20 × 25 = 500 EUR at 1.10.
    let first = try world.close("2024-01-01")
    #expect(first.snapshot.dailyPnL == .of("550"))
    #expect(first.cashBalances.map(\.balance) == [.of("500")])
    let second = try world.close("2024-01-02")
    // 10 × 25 = 250 EUR at 1.20 = 300; the balance of 500 EUR gains 0.10 each.
    #expect(second.row().attribution.realized == .of("300"))
    #expect(second.snapshot.attribution.fx == .of("50"))
    #expect(second.snapshot.closingEquity == .of("900"))
  }

  @Test("A future expires at its final settlement, not at zero")
  func futureExpiry() throws {
    var world = BookWorld()
    world.hold("ESH4", kind: .future, multiplier: "50")
    world.price("ESH4", "2024-01-01", "4800")
    world.price("ESH4", "2024-01-02", "4812")
    world.log("2024-01-01", .buy, "ESH4", "1", at: "4800")
    world.log("2024-01-02", .expire, "ESH4")
    _ = try world.close("2024-01-01")
    #expect(try world.close("2024-01-02").row().attribution.realized == .of("600"))
  }

  @Test("A future that expires inside a gap is settled at its own date's close, not at a later one")
  func futureExpiryInGap() throws {
    var world = BookWorld()
    world.hold("ESH4", kind: .future, multiplier: "50")
    world.price("ESH4", "2024-01-01", "4800")
    world.price("ESH4", "2024-01-02", "4812")
    world.price("ESH4", "2024-01-03", "4900")
    world.log("2024-01-01", .buy, "ESH4", "1", at: "4800")
    world.log("2024-01-02", .expire, "ESH4")
    _ = try world.close("2024-01-01")
    #expect(try world.close("2024-01-04").row().attribution.realized == .of("600"))
  }
}
