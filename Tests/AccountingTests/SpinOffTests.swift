import TestSupport
import Testing

@testable import Accounting

/// Units of another instrument on top, with numbers that were worked out by hand.
@Suite("Spin-offs and rights")
struct SpinOffTests {
  /// 5 ALDER at a cost of 50; at 06-03 5 BIRCH come, with a tenth of the cost.
  private static func world(
    relief: LotRelief = .fifo, timing: ReturnMeasures.FlowTiming = .inflowsAtStart
  ) -> BookWorld {
    var world = BookWorld(base: "GBP", inception: "2024-03-01", relief: relief, timing: timing)
    world.hold("ALDER", "GBP")
    world.hold("BIRCH", "GBP")
    world.log("2024-03-01", .deposit, amount: "100")
    world.log("2024-03-01", .buy, "ALDER", "10", at: "10")
    world.log("2024-03-04", .sell, "ALDER", "5", at: "20")
    for (date, close) in [
      ("2024-03-01", "10"), ("2024-03-04", "20"), ("2024-03-05", "20"), ("2024-03-06", "19"),
      ("2024-03-07", "19"),
    ] {
      world.price("ALDER", date, close)
    }
    world.price("BIRCH", "2024-03-06", "2")
    world.price("BIRCH", "2024-03-07", "2")
    world.act(
      "ALDER", "2024-03-06", .spinOff(world.shares("1:1", of: "BIRCH"), costShare: .of("0.1")))
    world.log("2024-03-07", .sell, "BIRCH", "5", at: "2")
    return world
  }

  @Test(
    "a tenth of the cost goes along, and the return is the day's, whatever the flows' timing",
    arguments: LotRelief.allCases, ReturnMeasures.FlowTiming.allCases)
  func spunOff(relief: LotRelief, timing: ReturnMeasures.FlowTiming) throws {
    var world = Self.world(relief: relief, timing: timing)
    _ = try world.close("2024-03-01")
    _ = try world.close("2024-03-05")
    let close = try world.close("2024-03-06")
    #expect(close.row(1).localCost == .of("45") && close.row(2).localCost == .of("5"))
    #expect(close.snapshot.closingEquity == .of("205") && close.snapshot.dailyPnL == .of("5"))
    #expect(close.snapshot.netExternalFlow.isZero)
    #expect(close.snapshot.dailyReturn == 0.025)
    #expect(close.row(1).dailyPnL == .of("5") && close.row(2).dailyPnL.isZero)
    #expect(close.snapshot.attribution.realized.isZero)
    #expect(
      close.flows == [
        FlowEvent(holding: ID(1), day: .iso("2024-03-06"), amount: .of("10")),
        FlowEvent(holding: ID(2), day: .iso("2024-03-06"), amount: .of("-10")),
      ])
    let last = try world.close("2024-03-07")
    #expect(last.row(2).attribution.realized == .of("5") && last.row(2).quantity.isZero)
    #expect(last.snapshot.dailyPnL.isZero)
  }

  @Test("in the middle of a gap it is the same")
  func gap() throws {
    var world = Self.world()
    _ = try world.close("2024-03-01")
    let close = try world.close("2024-03-07")
    #expect(close.snapshot.closingEquity == .of("205"))
    #expect(close.row(2).attribution.realized == .of("5"))
    #expect(close.row(1).localCost == .of("45"))
  }

  @Test("rights cost nothing and are worth what they close at")
  func rights() throws {
    var world = BookWorld(base: "EUR", inception: "2021-01-04")
    world.hold("TOUR", "EUR")
    world.hold("TOUR-R", "EUR")
    world.log("2021-01-04", .deposit, amount: "3000")
    world.log("2021-01-04", .buy, "TOUR", "500", at: "5.00")
    world.act("TOUR", "2021-01-08", .rights(world.shares("1:1", of: "TOUR-R"), costShare: .zero))
    world.log("2021-01-26", .sell, "TOUR-R", "7", at: "1.90")
    world.log("2021-01-29", .expire, "TOUR-R", "493")
    world.log("2021-01-29", .buy, "TOUR", "425", at: "1.07")
    for (date, close) in [
      ("2021-01-07", "5.00"), ("2021-01-08", "3.25"), ("2021-01-26", "3.30"),
      ("2021-01-29", "3.40"),
    ] {
      world.price("TOUR", date, close)
    }
    world.price("TOUR-R", "2021-01-08", "1.80")
    world.price("TOUR-R", "2021-01-26", "1.90")
    _ = try world.close("2021-01-07")
    let ex = try world.close("2021-01-08")
    // 500 × (3.25 + 1.80) − 2 500; none of it is the rights' own.
    #expect(ex.snapshot.dailyPnL == .of("25") && ex.row(2).dailyPnL.isZero)
    #expect(ex.row(2).localCost.isZero && ex.row(2).unrealized == .of("900"))
    _ = try world.close("2021-01-26")
    let last = try world.close("2021-01-29")
    #expect(last.row(1).quantity == .of("925") && last.row(1).localCost == .of("2954.75"))
    #expect(last.snapshot.cash == .of("58.55"))
    #expect(last.snapshot.closingEquity == .of("3203.55"))
  }

  @Test("a short owes the units that come, and the other side of everything")
  func short() throws {
    var world = BookWorld(inception: "2024-03-01")
    world.hold("ALDER")
    world.hold("BIRCH")
    world.log("2024-03-01", .sell, "ALDER", "10", at: "20")
    world.act(
      "ALDER", "2024-03-06", .spinOff(world.shares("1:4", of: "BIRCH"), costShare: .of("0.1")),
      fractionPrice: "8")
    world.price("ALDER", "2024-03-05", "20")
    world.price("ALDER", "2024-03-06", "19")
    world.price("BIRCH", "2024-03-06", "8")
    _ = try world.close("2024-03-05")
    let close = try world.close("2024-03-06")
    // 2.5 owed at a cost of −20; half of one is bought back for 4, at a cost of −4.
    #expect(close.row(1).localCost == .of("-180") && close.row(2).localCost == .of("-16"))
    #expect(close.row(2).quantity == .of("-2") && close.row(2).attribution.realized.isZero)
    #expect(close.snapshot.cash == .of("196"))
    #expect(close.snapshot.dailyPnL == .of("-10"))
    #expect(close.row(2).dailyPnL.isZero && close.row(1).dailyPnL == .of("-10"))
  }

  @Test("without any close of the new instrument the cost moved is its value")
  func unpriced() throws {
    var world = BookWorld(inception: "2024-03-01")
    world.hold("ALDER")
    world.hold("BIRCH")
    world.log("2024-03-01", .buy, "ALDER", "10", at: "20")
    world.act(
      "ALDER", "2024-03-06", .spinOff(world.shares("1:1", of: "BIRCH"), costShare: .of("0.1")))
    world.price("ALDER", "2024-03-05", "21")
    world.price("ALDER", "2024-03-06", "19")
    _ = try world.close("2024-03-05")
    let close = try world.close("2024-03-06")
    #expect(close.row(2).marketValue == .of("20") && close.row(2).quality == .missing)
    #expect(close.flows.map(\.amount) == [.of("20"), .of("-20")])
    #expect(close.snapshot.dailyPnL.isZero)
  }

  @Test("who holds the old instrument and has no holding of the new one is told so")
  func noHolding() throws {
    var world = BookWorld.holdingACME()
    world.act(
      "ACME", "2024-01-02",
      .spinOff(
        CorporateAction.Shares(into: ID(9), ratio: .of("1:1")), costShare: .zero))
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-02") }
    #expect(
      error?.description == "corporate action of ACME on 2024-01-02: "
        + "the portfolio has no holding of what it becomes (instrument 9)")
    // Nobody who holds nothing is asked.
    var other = BookWorld()
    other.hold("ACME")
    other.market.actions = world.market.actions
    #expect(try other.close("2024-01-02").snapshot.closingEquity.isZero)
  }
}
