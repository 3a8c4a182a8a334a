import Accounting
import Testing

@Suite("Positions, worked by hand")
struct HoldingExamplesTests {
  @Test("A position bought on the date is measured from its trade price, not from a close")
  func boughtOnTheDate() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "90")
    world.price("ACME", "2024-01-02", "104")
    world.log("2024-01-01", .deposit, amount: "10000")
    world.log("2024-01-02", .buy, "ACME", "10", at: "100", fee: "1.50")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    // 10 × (104 − 100) = 40, less the fee of 1.50.
    #expect(close.snapshot.dailyPnL == .of("38.50"))
    #expect(close.row().attribution.unrealizedChange == .of("40"))
    #expect(close.row().attribution.fees == .of("1.50"))
    #expect(close.row().costBasis == .of("1000"))
    // 10000 − 1000 − 1.50
    #expect(close.snapshot.cash == .of("8998.50"))
    #expect(close.snapshot.closingEquity == .of("10038.50"))
    #expect(close.snapshot.dailyReturn == 38.5 / 10000)
  }

  @Test("A position sold on the date is measured to its trade price")
  func soldOnTheDate() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "100")
    world.price("ACME", "2024-01-02", "120")
    world.log("2024-01-01", .deposit, amount: "10000")
    world.log("2024-01-01", .buy, "ACME", "10", at: "95")
    world.log("2024-01-02", .sell, "ACME", "4", at: "110")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    // Sold: 4 × (110 − 100) = 40; kept: 6 × (120 − 100) = 120.
    #expect(close.snapshot.dailyPnL == .of("160"))
    // Realized 4 × (110 − 95) = 60; level 6 × 25 = 150 against 10 × 5 = 50 before.
    #expect(close.row().attribution.realized == .of("60"))
    #expect(close.row().attribution.unrealizedChange == .of("100"))
    #expect(close.row().unrealized == .of("150"))
  }

  @Test("A trade that crosses zero closes every lot and opens the other side with the rest")
  func crossingZero() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-02", "90")
    world.log("2024-01-01", .deposit, amount: "10000")
    world.log("2024-01-01", .buy, "ACME", "3", at: "100")
    world.log("2024-01-01", .buy, "ACME", "2", at: "110")
    world.log("2024-01-02", .sell, "ACME", "12", at: "95")
    let close = try world.close("2024-01-02")
    // Closed 5 for 475 against 300 + 220 = 520: −45. Short 7 at 95 = −665, now worth −630: +35.
    #expect(close.row().quantity == .of("-7"))
    #expect(close.row().costBasis == .of("-665"))
    #expect(close.row().marketValue == .of("-630"))
    #expect(close.row().attribution.realized == .of("-45"))
    #expect(close.row().unrealized == .of("35"))
    #expect(close.snapshot.dailyPnL == .of("-10"))
    #expect(close.snapshot.longValue == .zero)
    #expect(close.snapshot.shortValue == .of("-630"))
    // 10000 − 300 − 220 + 1140
    #expect(close.snapshot.cash == .of("10620"))
  }

  @Test(
    "A partial sale relieves the first, the last, or the average lot",
    arguments: [
      // Lots 10 @ 100, 10 @ 130; sell 15 @ 140 for 2100.
      (LotRelief.fifo, "450", "650"),  // 1000 + 5 × 130 = 1650; left 5 × 130
      (.lifo, "300", "500"),  // 1300 + 5 × 100 = 1800; left 5 × 100
      (.average, "375", "575"),  // 15 × 115 = 1725; left 5 × 115
    ])
  func reliefs(relief: LotRelief, realized: String, left: String) throws {
    var world = BookWorld(relief: relief)
    world.hold("ACME")
    world.price("ACME", "2024-01-03", "140")
    world.log("2024-01-01", .deposit, amount: "10000")
    world.log("2024-01-01", .buy, "ACME", "10", at: "100")
    world.log("2024-01-02", .buy, "ACME", "10", at: "130")
    world.log("2024-01-03", .sell, "ACME", "15", at: "140")
    let row = try world.close("2024-01-03").row()
    #expect(row.attribution.realized == .of(realized))
    #expect(row.costBasis == .of(left))
  }

  @Test("A foreign position splits its gain into price and currency, on the level and on a sale")
  func currencySplit() throws {
    var world = BookWorld(base: "USD")
    world.hold("SAP", "EUR")
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.rate("EUR", "USD", "2024-01-02", "1.20")
    world.price("SAP", "2024-01-01", "100")
    world.price("SAP", "2024-01-02", "105")
    world.log("2024-01-01", .deposit, amount: "5000")
    world.log("2024-01-01", .buy, "SAP", "10", at: "100")
    world.log("2024-01-02", .sell, "SAP", "4", at: "104")
    let first = try world.close("2024-01-01")
    #expect(first.row().costBasis == .of("1100"))
    #expect(first.snapshot.dailyPnL == .zero)
    let row = try world.close("2024-01-02").row()
    // Sale: (416 − 400) × 1.20 = 19.20; currency 400 × 1.20 − 440 = 40.
    #expect(row.attribution.realized == .of("19.20"))
    // Kept: (630 − 600) × 1.20 = 36; currency 600 × 1.20 − 660 = 60.
    #expect(row.unrealized == .of("36"))
    #expect(row.unrealizedFX == .of("60"))
    #expect(row.attribution.fx == .of("100"))
    #expect(row.marketValue == .of("756"))
    #expect(row.dailyPnL == .of("155.20"))
  }
}
