import Accounting
import Testing

@Suite("Gross- and net-of-fees returns") struct GrossOfFeesTests {
  /// A buy with a fee of its own on the 2nd, an advisory fee on the 3rd.
  private func charged() throws -> (world: BookWorld, steps: [PerformanceStep]) {
    var world = BookWorld(inception: "2024-01-01")
    world.hold("AAA")
    world.price("AAA", "2024-01-01", "10")
    world.price("AAA", "2024-01-03", "11")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-02", .buy, "AAA", "50", at: "10", fee: "20")
    world.log("2024-01-03", .fee, amount: "30")
    let steps = try ["2024-01-01", "2024-01-02", "2024-01-03"].map {
      PerformanceStep(try world.close($0))
    }
    return (world, steps)
  }

  private func fees(_ world: BookWorld) -> [Activity] {
    world.activities.filter { $0.type == .fee }
  }

  @Test("gross-of-fees adds back advisory and custody fees, and bears the costs of trading")
  func definition() throws {
    let (world, steps) = try charged()
    var history = PerformanceHistory(steps)
    history.add(managementFees: fees(world), in: .iso("USD"), at: Market())
    let month = try #require(history.over(.monthToDate))
    // 1000 → 980 after the buy's fee, then + 50 from the price, and − 30.
    let net = (980.0 / 1000) * (1000.0 / 980) - 1
    let gross = (980.0 / 1000) * (1030.0 / 980) - 1
    #expect(abs(try #require(month.linked) - net) < 1e-15)
    #expect(abs(try #require(month.grossOfFees) - gross) < 1e-15)
  }

  @Test("a fee in another currency is added back at its own date's rate, as it was deducted")
  func foreign() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.rate("EUR", "USD", "2024-01-01", "1.11115")
    world.rate("EUR", "USD", "2024-01-03", "2")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-02", .fee, amount: "33.33", in: "EUR")
    let steps = [
      PerformanceStep(try world.close("2024-01-01")),
      PerformanceStep(try world.close("2024-01-03")),
    ]
    var history = PerformanceHistory(steps)
    history.add(managementFees: fees(world), in: .iso("USD"), at: world.market)
    let day = try #require(history.over(.daily))
    #expect(try #require(day.linked) < 0)
    #expect(abs(try #require(day.grossOfFees)) < 1e-17)
  }

  @Test("a refunded fee lowers the gross return")
  func refund() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-01", .deposit, amount: "1000")
    world.log("2024-01-02", .fee, amount: "-10")
    let steps = [
      PerformanceStep(try world.close("2024-01-01")),
      PerformanceStep(try world.close("2024-01-02")),
    ]
    var history = PerformanceHistory(steps)
    history.add(managementFees: fees(world), in: .iso("USD"), at: Market())
    #expect(history.over(.daily)?.linked == 0.01)
    #expect(history.over(.daily)?.grossOfFees == 0)
  }

  @Test("where inputs changed after a close, only the gross-of-fees return is unknown")
  func stale() throws {
    var (_, steps) = try charged()
    steps[2].isStale = true
    let month = try #require(PerformanceHistory(steps).over(.monthToDate))
    #expect(month.linked != nil && month.modifiedDietz != nil)
    #expect(month.grossOfFees == nil)
    #expect(month.reason == .stale)
    steps[2].isStale = false
    steps[0].isStale = true
    #expect(PerformanceHistory(steps).over(.daily)?.reason == nil)
    // A fee that no rate converts cannot have been booked.
    var history = PerformanceHistory(steps)
    var fee = Activity(id: 9, date: .iso("2024-01-03"), type: .fee, currency: .iso("CHF"))
    fee.amount = .of("1")
    history.add(managementFees: [fee], in: .iso("USD"), at: Market())
    #expect(history.over(.daily)?.reason == .stale)
  }

  // Pitfall 20: a flow on the day measured against the opening equity overstates the return.
  @Test("the portfolio's flow timing decides what a day with a large deposit is measured against")
  func timing() throws {
    for (timing, expected) in [
      (ReturnMeasures.FlowTiming.inflowsAtStart, 100.0 / 10_000), (.allAtStart, 100.0 / 9_500),
      (.allAtEnd, 100.0 / 1_000),
    ] {
      var world = BookWorld(inception: "2024-01-01", timing: timing)
      world.log("2024-01-01", .deposit, amount: "1000")
      world.log("2024-01-03", .deposit, amount: "9000")
      world.log("2024-01-03", .withdrawal, amount: "500")
      world.log("2024-01-03", .interest, amount: "100")
      _ = try world.close("2024-01-02")
      let close = try world.close("2024-01-03")
      #expect(close.snapshot.dailyReturn == expected, "\(timing)")
      #expect(abs(close.snapshot.index - (1 + expected)) < 1e-15)
    }
  }

  // Pitfall 37: a column that ends below 10,000 % loses a real return.
  @Test("a return of a million per cent is a return like others")
  func large() throws {
    var world = BookWorld(inception: "2024-01-01")
    world.log("2024-01-01", .deposit, amount: "1")
    world.log("2024-01-02", .interest, amount: "10000")
    let steps = [
      PerformanceStep(try world.close("2024-01-01")),
      PerformanceStep(try world.close("2024-01-02")),
    ]
    #expect(PerformanceHistory(steps).over(.daily)?.linked == 10_000)
  }
}
