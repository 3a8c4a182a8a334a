import Accounting
import Testing

@Suite("Holdings valued by statements")
struct ValuedHoldingTests {
  static func funds() -> BookWorld {
    var world = BookWorld()
    world.hold("ALPHA", kind: .fund, pricing: .valued)
    world.hold("BETA", kind: .fund, pricing: .valued)
    return world
  }

  @Test("A statement is the value after all flows of its date; later flows are added to it")
  func statementAndFlows() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.log("2024-01-02", .regularInvestment, "ALPHA", amount: "100")
    world.statement("ALPHA", "2024-01-02", "1150")
    world.log("2024-01-03", .governmentUplift, "ALPHA", amount: "25")
    let first = try world.close("2024-01-01")
    #expect(first.row().marketValue == .of("1000"))
    #expect(first.row().quality == .missing)
    #expect(first.snapshot.cash == .zero)
    let second = try world.close("2024-01-02")
    #expect(second.row().marketValue == .of("1150"))
    #expect(second.row().quality == .priced)
    #expect(second.snapshot.dailyPnL == .of("50"))
    let third = try world.close("2024-01-03")
    #expect(third.row().marketValue == .of("1175"))
    #expect(third.row().quality == .carried(businessDays: 1))
    #expect(third.snapshot.dailyPnL == .zero)
    #expect(third.snapshot.inflow == .of("25"))
    #expect(!third.snapshot.isDegraded)
    // 101 days after the statement: no price is missing, so nothing is degraded.
    #expect(try !world.close("2024-04-12").snapshot.isDegraded)
  }

  @Test("Money taken out relieves the cost pro rata to the value")
  func partialWithdrawal() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.statement("ALPHA", "2024-01-01", "1200")
    world.log("2024-01-02", .withdrawal, "ALPHA", amount: "300")
    _ = try world.close("2024-01-01")
    let row = try world.close("2024-01-02").row()
    // A quarter of the value: cost 250, realized 50; the level falls from 200 to 150.
    #expect(row.costBasis == .of("750"))
    #expect(row.attribution.realized == .of("50"))
    #expect(row.attribution.unrealizedChange == .of("-50"))
    #expect(row.dailyPnL == .zero)
  }

  @Test("Money taken out of a fund below its cost relieves by value too, and realizes the loss")
  func partialWithdrawalAtLoss() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.statement("ALPHA", "2024-01-01", "800")
    world.log("2024-01-02", .withdrawal, "ALPHA", amount: "200")
    _ = try world.close("2024-01-01")
    let row = try world.close("2024-01-02").row()
    // A quarter of the value: cost 250, realized −50; the level rises from −200 to −150.
    #expect(row.costBasis == .of("750"))
    #expect(row.attribution.realized == .of("-50"))
    #expect(row.attribution.unrealizedChange == .of("50"))
  }

  @Test("An outflow above the carried value sets it to 0, and the excess is that date's P&L")
  func excessOutflow() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.log("2024-01-02", .regularWithdrawal, "ALPHA", amount: "1030")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.row().marketValue == .zero)
    #expect(close.row().costBasis == .zero)
    #expect(close.snapshot.dailyPnL == .of("30"))
    #expect(close.snapshot.outflow == .of("1030"))
    #expect(try world.close("2024-01-03").holdings.isEmpty)
    world.statement("ALPHA", "2024-01-04", "12")
    #expect(try world.close("2024-01-04").snapshot.dailyPnL == .of("12"))
  }

  @Test("Fees, taxes and dividends inside a fund are information only")
  func informationOnly() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000", fee: "5")
    for type in [ActivityType.fee, .tax, .dividend] {
      world.log("2024-01-01", type, "ALPHA", amount: "7")
    }
    let close = try world.close("2024-01-01")
    #expect(close.snapshot.cash == .zero)
    #expect(close.snapshot.dailyPnL == .zero)
    #expect(close.flows.map(\.amount) == [.of("-1000"), .of("-1000")])
  }

  @Test("A switch between funds is a flow of the funds and not of the portfolio")
  func fundSwitch() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.log("2024-01-02", .fundSwitchOut, "ALPHA", amount: "400")
    world.log("2024-01-02", .fundSwitchIn, "BETA", amount: "400")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.row(1).marketValue == .of("600"))
    #expect(close.row(2).marketValue == .of("400"))
    #expect(close.snapshot.inflow == .zero)
    #expect(close.snapshot.outflow == .zero)
    #expect(close.snapshot.dailyPnL == .zero)
    #expect(close.flows.map(\.amount) == [.of("400"), .of("-400")])
  }

  @Test("Switch legs that do not net to zero are refused, naming both sides")
  func unbalancedSwitch() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.log("2024-01-02", .fundSwitchOut, "ALPHA", amount: "400")
    world.log("2024-01-02", .fundSwitchIn, "BETA", amount: "399.99")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-02") }
    #expect(
      error?.description == "fund switches of 2024-01-02 in USD do not net to zero: "
        + "in 399.99 (BETA), out 400.00 (ALPHA)")
  }

  @Test("Switch legs of two dates do not net, even where one gap covers both")
  func switchOverTwoDates() throws {
    var world = Self.funds()
    world.log("2024-01-01", .investment, "ALPHA", amount: "1000")
    world.log("2024-01-02", .fundSwitchOut, "ALPHA", amount: "400")
    world.log("2024-01-03", .fundSwitchIn, "BETA", amount: "400")
    _ = try world.close("2024-01-01")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-03") }
    #expect(
      error?.description.hasPrefix("fund switches of 2024-01-02 in USD do not net to zero") == true)
  }

  @Test("Legs rounded one by one on the way to base currency leave no hole in the identity")
  func roundedSwitch() throws {
    var world = BookWorld()
    for symbol in ["A", "B", "C"] {
      world.hold(symbol, "EUR", kind: .fund, pricing: .valued)
    }
    world.rate("EUR", "USD", "2024-01-01", "1.00005")
    world.log("2024-01-01", .investment, "A", amount: "1000")
    world.log("2024-01-02", .fundSwitchOut, "A", amount: "3")
    world.log("2024-01-02", .fundSwitchIn, "B", amount: "1")
    world.log("2024-01-02", .fundSwitchIn, "C", amount: "2")
    // 3.00015 → 3.0002 (even), 1.00005 → 1.0000, 2.0001.
    let snapshot = try world.close("2024-01-02").snapshot
    #expect(snapshot.closingEquity == snapshot.dailyPnL + snapshot.netExternalFlow)
  }

  @Test(
    "Units are not traded in a valued holding, and money does not go straight into a quoted one",
    arguments: [ActivityType.buy, .sell, .expire, .exchangeIn, .deposit])
  func refusedOnValued(type: ActivityType) throws {
    var world = Self.funds()
    world.log("2024-01-01", type, "ALPHA", "1", at: "1", amount: "1")
    #expect(throws: CloseError.self) { try world.close("2024-01-01") }
  }

  @Test(
    "Money does not go straight into a holding that has a close",
    arguments: [
      ActivityType.investment, .regularInvestment, .governmentUplift, .productSwitchIn,
      .withdrawal, .regularWithdrawal, .productSwitchOut, .fundSwitchIn, .fundSwitchOut, .deposit,
    ])
  func refusedOnQuoted(type: ActivityType) throws {
    var world = BookWorld()
    world.hold("ACME")
    world.log("2024-01-01", type, "ACME", amount: "1")
    #expect(throws: CloseError.self) { try world.close("2024-01-01") }
  }
}
