import TestSupport
import Testing

@testable import Accounting

/// Units and cash in the place of old units, with numbers that were worked out by hand.
@Suite("Mergers")
struct MergerTests {
  /// 10 OLD at 7 and 5 at 9, a cost of 115; on 01-10 OLD and NEW close at 12.
  private static func world(
    relief: LotRelief = .fifo, base: String = "USD", cash: CashMode = .base
  ) -> BookWorld {
    var world = BookWorld(base: base, relief: relief, cash: cash)
    world.hold("OLD")
    world.hold("NEW")
    world.log("2024-01-02", .deposit, amount: "1000")
    world.log("2024-01-03", .buy, "OLD", "10", at: "7")
    world.log("2024-01-05", .buy, "OLD", "5", at: "9")
    for (date, price) in [("2024-01-05", "9"), ("2024-01-10", "12"), ("2024-01-12", "13")] {
      world.price("OLD", date, price)
      world.price("NEW", date, price)
    }
    return world
  }

  private static func merger(
    _ world: BookWorld, _ ratio: String?, cash: String? = nil, in currency: String? = nil,
    payDate: String? = nil, cost: CorporateAction.Merger.Cost = .carried()
  ) -> CorporateAction.Effect {
    .merger(
      CorporateAction.Merger(
        shares: ratio.map { world.shares($0, of: "NEW") },
        cash: cash.map {
          CorporateAction.Payment(
            perUnit: .of($0), currency: currency.map { .iso($0) },
            payDate: payDate.map { .iso($0) })
        }, cost: cost))
  }

  @Test(
    "cash realizes its share of the value received, the rest goes along",
    arguments: LotRelief.allCases)
  func mixed(relief: LotRelief) throws {
    var world = Self.world(relief: relief)
    world.act("OLD", "2024-01-10", Self.merger(world, "1:2", cash: "6"))
    _ = try world.close("2024-01-05")
    let close = try world.close("2024-01-10")
    // 7.5 NEW at 12 are 90, and 90 in cash: half of the cost of 115.
    #expect(close.row(2).quantity == .of("7.5") && close.row(2).localCost == .of("57.5"))
    #expect(close.row(1).attribution.realized == .of("32.5"))
    #expect(close.snapshot.cash == .of("975"))
    // 135 became 180.
    #expect(close.snapshot.dailyPnL == .of("45") && close.row(2).dailyPnL.isZero)
    #expect(close.snapshot.netExternalFlow.isZero)
    #expect(close.flows.map(\.amount) == [.of("180"), .of("-90")])
    if relief != .average {
      #expect(world.book?.ledgers[1].position.lots.map(\.localCost) == [.of("35"), .of("22.5")])
    }
  }

  @Test("a given share of the cost counts, with a close and without one")
  func costShare() throws {
    for isPriced in [true, false] {
      var world = Self.world()
      if !isPriced { world.market.closes[ID(2)] = nil }
      world.act(
        "OLD", "2024-01-10",
        Self.merger(world, "1:2", cash: "6", cost: .carried(share: .of("0.2"))))
      let close = try world.close("2024-01-10")
      #expect(close.row(2).localCost == .of("23"))
      #expect(close.row(1).attribution.realized == .of("-2"))
      #expect(close.row(2).marketValue == (isPriced ? .of("90") : .of("23")))
    }
  }

  @Test("cash and shares without a close cannot be told apart")
  func noClose() throws {
    for cost in [CorporateAction.Merger.Cost.carried(), .realized] {
      var world = Self.world()
      world.market.closes[ID(2)] = nil
      world.act("OLD", "2024-01-10", Self.merger(world, "1:2", cash: "6", cost: cost))
      #expect(
        throws: CloseError.notReorganised(
          symbol: "OLD", exDate: .iso("2024-01-10"), .noClose(symbol: "NEW"))
      ) { try world.close("2024-01-10") }
    }
  }

  @Test("realized, all is sold and bought at the value received")
  func realized() throws {
    var world = Self.world()
    world.act("OLD", "2024-01-10", Self.merger(world, "1:2", cash: "6", cost: .realized))
    _ = try world.close("2024-01-05")
    let close = try world.close("2024-01-10")
    #expect(close.row(1).attribution.realized == .of("65"))
    #expect(close.row(2).localCost == .of("90") && close.row(2).unrealized.isZero)
    #expect(world.book?.ledgers[1].position.lots.map(\.acquired) == [.iso("2024-01-10")])
    #expect(close.snapshot.dailyPnL == .of("45"))
    #expect(close.flows.map(\.amount) == [.of("180"), .of("-90")])
  }

  @Test("cash alone sells all, in any currency")
  func cashOnly() throws {
    var world = Self.world(cash: .perCurrency)
    world.rate("EUR", "USD", "2024-01-01", "1.25")
    world.act("OLD", "2024-01-10", Self.merger(world, nil, cash: "8", in: "EUR"))
    _ = try world.close("2024-01-05")
    let close = try world.close("2024-01-10")
    // 120 EUR are 150.
    #expect(close.row(1).quantity.isZero && close.row(1).attribution.realized == .of("35"))
    #expect(close.cashBalances.map(\.balance) == [.of("120"), .of("885")])
    #expect(close.snapshot.dailyPnL == .of("15") && close.flows.map(\.amount) == [.of("150")])
  }

  @Test("a short pays the cash and owes the shares")
  func short() throws {
    var world = BookWorld()
    world.hold("OLD")
    world.hold("NEW")
    world.log("2024-01-03", .sell, "OLD", "10", at: "10")
    world.price("OLD", "2024-01-05", "9")
    world.price("NEW", "2024-01-10", "12")
    world.act("OLD", "2024-01-10", Self.merger(world, "1:2", cash: "4"), fractionPrice: "12")
    _ = try world.close("2024-01-05")
    let close = try world.close("2024-01-10")
    // Owed: 5 at 12 and 40 in cash, for a cost of −100; 40 of 100 is relieved.
    #expect(close.row(2).quantity == .of("-5") && close.row(2).localCost == .of("-60"))
    #expect(close.row(1).attribution.realized.isZero)
    #expect(close.snapshot.cash == .of("60") && close.snapshot.dailyPnL == .of("-10"))
  }

  @Test("across currencies the cost converts at the ex-date's cross rate, its base stays")
  func abroad() throws {
    var world = BookWorld(base: "USD")
    world.hold("OLD", "GBP")
    world.hold("NEW", "EUR")
    world.rate("GBP", "USD", "2024-01-01", "1.2")
    world.rate("GBP", "USD", "2024-01-10", "1.3")
    world.rate("EUR", "USD", "2024-01-01", "1.04")
    world.log("2024-01-03", .buy, "OLD", "10", at: "10")
    world.price("OLD", "2024-01-05", "10")
    world.price("NEW", "2024-01-10", "15")
    world.act("OLD", "2024-01-10", Self.merger(world, "1:1"))
    _ = try world.close("2024-01-05")
    let close = try world.close("2024-01-10")
    // 1.3 / 1.04 = 1.25 EUR a pound.
    #expect(close.row(2).localCost == .of("125") && close.row(2).costBasis == .of("120"))
    #expect(close.row(2).marketValue == .of("156") && close.row(2).dailyPnL.isZero)
    #expect(close.snapshot.dailyPnL == .of("36"))
  }

  @Test("lots that meet the other side close it at their cost")
  func covered() throws {
    var world = Self.world()
    world.log("2024-01-04", .sell, "NEW", "20", at: "8")
    world.act("OLD", "2024-01-10", Self.merger(world, "1:1"))
    _ = try world.close("2024-01-05")
    let close = try world.close("2024-01-10")
    // 15 arrive at a cost of 115, for which 15 were sold at 120.
    #expect(close.row(2).quantity == .of("-5") && close.row(2).localCost == .of("-40"))
    #expect(close.row(2).attribution.realized == .of("5"))
    #expect(close.row(1).dailyPnL == .of("45") && close.row(2).dailyPnL == .of("-60"))
    #expect(close.snapshot.netExternalFlow.isZero)
  }

  @Test("a fraction of what comes is paid from the oldest lot of all that is held")
  func fraction() throws {
    var world = Self.world()
    world.log("2024-01-02", .buy, "NEW", "1", at: "6")
    world.act("OLD", "2024-01-10", Self.merger(world, "1:2"), fractionPrice: "12")
    let close = try world.close("2024-01-10")
    // 7.5 come; half a unit of the lot of 01-02 costs 3 and brings 6.
    #expect(close.row(2).quantity == .of("8") && close.row(2).localCost == .of("118"))
    #expect(close.row(2).attribution.realized == .of("3"))
  }

  @Test("a circle on one date is refused of whom it concerns")
  func circle() throws {
    var world = Self.world()
    world.act("OLD", "2024-01-10", Self.merger(world, "1:1"))
    world.act(
      "NEW", "2024-01-10", .merger(CorporateAction.Merger(shares: world.shares("1:1", of: "OLD"))))
    #expect(
      throws: CloseError.notReorganised(symbol: "OLD", exDate: .iso("2024-01-10"), .cycle)
    ) { try world.close("2024-01-10") }
  }

  @Test("what came late for a date before it, and was locked out of it, is refused")
  func late() throws {
    var world = Self.world()
    world.act("OLD", "2024-01-10", Self.merger(world, "1:1"))
    world.log("2024-01-09", .buy, "OLD", "1", at: "9", bookedOn: "2024-01-12")
    _ = try world.close("2024-01-10")
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-12") }
    #expect(
      error?.description.hasSuffix(
        "buy of OLD on 2024-01-09 (activity 4) came late and would have had part in it") == true)
  }

  @Test("spun off, paid in stock and merged on one date: in the order of the rules")
  func severalOnOneDate() throws {
    var world = Self.world()
    world.hold("SPUN")
    world.price("SPUN", "2024-01-10", "2")
    world.act("OLD", "2024-01-10", Self.merger(world, "1:1"))
    world.act("OLD", "2024-01-10", .stockDividend(.of("1:5")))
    world.act("OLD", "2024-01-10", .spinOff(world.shares("1:1", of: "SPUN"), costShare: .of("0.2")))
    world.act("OLD", "2024-01-10", .split(.of("2:1")))
    let close = try world.close("2024-01-10")
    // 30 after the split; 30 spun off; 36 with the stock dividend; 36 of the new one.
    #expect(close.row(3).quantity == .of("30") && close.row(3).localCost == .of("23"))
    #expect(close.row(2).quantity == .of("36") && close.row(2).localCost == .of("92"))
  }
}
