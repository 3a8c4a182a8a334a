import Accounting
import Testing

@Suite("Transfers in kind and cash")
struct TransferAndCashTests {
  @Test("A transfer in is a flow at the date's close; the gain it brings along is not P&L")
  func transferIn() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-02", "150")
    world.log("2024-01-01", .deposit, amount: "10")
    world.log("2024-01-02", .transferIn, "ACME", "10", at: "100", acquired: "2020-05-05")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.snapshot.inflow == .of("1500"))
    #expect(close.snapshot.dailyPnL == .zero)
    #expect(close.row().unrealized == .of("500"))
    #expect(close.row().attribution.unrealizedChange == .zero)
    #expect(close.flows.filter { $0.holding == nil }.map(\.amount) == [.of("-1500")])
    #expect(close.flows.filter { $0.holding != nil }.map(\.amount) == [.of("-1500")])
  }

  @Test("A transfer at an amount of its own is measured from that amount")
  func transferAtAmount() throws {
    var world = BookWorld()
    world.hold("SAP", "EUR")
    world.rate("EUR", "USD", "2024-01-02", "1.20")
    world.price("SAP", "2024-01-02", "150")
    world.log("2024-01-02", .transferIn, "SAP", "10", at: "100", amount: "1400")
    let close = try world.close("2024-01-02")
    #expect(close.snapshot.inflow == .of("1680"))
    // (1500 − 1400) × 1.20; the level is (1500 − 1000) × 1.20.
    #expect(close.snapshot.dailyPnL == .of("120"))
    #expect(close.row().unrealized == .of("600"))
    #expect(close.row().attribution.unrealizedChange == .of("120"))
    #expect(close.row().attribution.fx == .zero)
  }

  @Test("A transfer out is a flow at the date's close, takes its lots along and realizes nothing")
  func transferOut() throws {
    var world = BookWorld.holdingACME()
    world.price("ACME", "2024-01-02", "130")
    world.log("2024-01-02", .transferOut, "ACME", "4", fee: "1")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    // All ten gained 30 on the date; four of them leave at 130.
    #expect(close.snapshot.outflow == .of("520"))
    #expect(close.row().attribution.realized == .zero)
    #expect(close.row().attribution.unrealizedChange == .of("300"))
    #expect(close.snapshot.dailyPnL == .of("299"))
    #expect(close.row().costBasis == .of("600"))
    #expect(close.snapshot.dailyReturn == 0.299)
  }

  @Test("A lot that arrived keeps its date and is relieved before younger ones")
  func acquiredOrder() throws {
    var world = BookWorld.holdingACME()
    world.log("2024-01-02", .transferIn, "ACME", "5", at: "20", acquired: "2019-01-01")
    world.log("2024-01-03", .sell, "ACME", "5", at: "100")
    // First in by acquisition: the five that cost 20.
    #expect(try world.close("2024-01-03").row().attribution.realized == .of("400"))
  }

  @Test("A transfer without an amount or a close is refused by name")
  func transferWithoutValue() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.log("2024-01-02", .transferIn, "ACME", "5", at: "20")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-02") }
    #expect(
      error?.description == "transfer_in of ACME on 2024-01-02 (activity 1): "
        + "no amount, and no close on or before the date")
  }

  @Test("Base cash converts each effect at its date's rate, and has no currency effect after")
  func baseCash() throws {
    var world = BookWorld()
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.rate("EUR", "USD", "2024-01-02", "1.50")
    world.log("2024-01-01", .deposit, amount: "100", in: "EUR")
    world.log("2024-01-01", .interest, amount: "10", in: "EUR")
    let first = try world.close("2024-01-01").snapshot
    #expect(first.cash == .of("121"))
    #expect(first.dailyPnL == .of("11"))
    let second = try world.close("2024-01-02")
    #expect(second.snapshot.dailyPnL == .zero)
    #expect(second.cashBalances.isEmpty)
  }

  @Test("Balances by currency are revalued, and the currency's effect is exact")
  func currencyCash() throws {
    var world = BookWorld(cash: .perCurrency)
    world.hold("SAP", "EUR")
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.rate("EUR", "USD", "2024-01-02", "1.20")
    world.price("SAP", "2024-01-02", "100")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .deposit, amount: "2000", in: "EUR")
    world.log("2024-01-02", .buy, "SAP", "10", at: "100")
    world.log("2024-01-02", .dividend, "SAP", amount: "50")
    let first = try world.close("2024-01-01")
    #expect(first.cashBalances.map(\.balance) == [.of("2000"), .of("1000")])
    #expect(first.snapshot.cash == .of("3200"))
    let second = try world.close("2024-01-02")
    // 2000 EUR gained 0.10; the trade and the dividend happened at 1.20.
    #expect(second.cashBalances.first?.balance == .of("1050"))
    #expect(second.cashBalances.first?.baseValue == .of("1260"))
    #expect(second.snapshot.attribution.fx == .of("200"))
    #expect(second.snapshot.attribution.income == .of("60"))
    #expect(second.snapshot.dailyPnL == .of("260"))
  }

  @Test("An exchange gains or loses what its legs differ at the date's rates")
  func exchange() throws {
    var world = BookWorld(cash: .perCurrency)
    world.rate("EUR", "USD", "2024-01-01", "1.10")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-01", .exchangeOut, amount: "550")
    world.log("2024-01-01", .exchangeIn, amount: "495", fee: "2", in: "EUR")
    let close = try world.close("2024-01-01")
    // 495 × 1.10 − 550 = −5.50; the fee is 2.20.
    #expect(close.snapshot.attribution.fx == .of("-5.50"))
    #expect(close.snapshot.attribution.fees == .of("2.20"))
    #expect(close.cashBalances.map(\.balance) == [.of("493"), .of("450")])
    var base = BookWorld()
    base.log("2024-01-01", .exchangeOut, amount: "550")
    #expect(throws: CloseError.self) { try base.close("2024-01-01") }
  }

  @Test("A fee on a deposit is a fee, never part of the flow")
  func feeOnDeposit() throws {
    var world = BookWorld()
    world.log("2024-01-01", .deposit, amount: "100", fee: "3")
    let snapshot = try world.close("2024-01-01").snapshot
    #expect(snapshot.inflow == .of("100"))
    #expect(snapshot.attribution.fees == .of("3"))
    #expect(snapshot.cash == .of("97"))
  }

  @Test("Interest may be paid, a fee and a tax refunded; a dividend may not be negative")
  func signs() throws {
    var world = BookWorld()
    world.log("2024-01-01", .interest, amount: "-4")
    world.log("2024-01-01", .fee, amount: "-1")
    world.log("2024-01-01", .tax, amount: "-2")
    let snapshot = try world.close("2024-01-01").snapshot
    #expect(snapshot.attribution.income == .of("-4"))
    #expect(snapshot.attribution.fees == .of("-1"))
    #expect(snapshot.attribution.taxes == .of("-2"))
    #expect(snapshot.cash == .of("-1"))
    var other = BookWorld()
    other.log("2024-01-01", .deposit, amount: "-1")
    #expect(throws: CloseError.self) { try other.close("2024-01-01") }
  }
}
