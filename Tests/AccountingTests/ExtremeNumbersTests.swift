import Accounting
import Testing

/// Sums of numbers that fit, each by itself, where the sum does not; and doubles at their ends.
@Suite("Numbers at the ends of their range")
struct ExtremeNumbersTests {
  private func refusal(
    _ dates: [String] = ["2024-01-05"], _ prepare: (inout BookWorld) -> Void
  ) -> String? {
    var world = BookWorld()
    // A currency of which one is worth a ten-billionth: what is too large locally is not in base.
    world.rate("USD", "ZWL", "2024-01-01", "10000000000")
    world.hold("ZIM", "ZWL")
    world.hold("ACME")
    prepare(&world)
    let error = #expect(throws: CloseError.self) {
      for date in dates { _ = try world.close(date) }
    }
    return error?.description
  }

  @Test("A cost in the instrument's currency that no row can keep is an error by its symbol")
  func localCost() {
    let says = refusal { world in
      for _ in 1...2 { world.log("2024-01-02", .buy, "ZIM", "900000000000", at: "1000000000000") }
    }
    #expect(says == "ZIM on 2024-01-05: the result is too large for the books")
  }

  @Test("A balance in its own currency that no row can keep is an error by its currency")
  func balance() {
    let says = refusal { world in
      world.portfolio = BookWorld(cash: .perCurrency).portfolio
      for _ in 1...2 { world.log("2024-01-02", .sell, "ZIM", "900000000000", at: "1000000000000") }
      world.log("2024-01-03", .buy, "ZIM", "1799999999999", at: "0")
    }
    #expect(says == "cash in ZWL on 2024-01-05: the result is too large for the books")
  }

  @Test("A P&L of all dates that no row can keep is an error, though each date's fits")
  func cumulative() {
    let says = refusal(["2024-01-01", "2024-01-02"]) { world in
      world.price("ACME", "2024-01-01", "900000000000")
      for date in ["2024-01-01", "2024-01-02"] {
        world.log(date, .buy, "ACME", "1000000000000", at: "0")
        world.log(date, .transferOut, "ACME", "1000000000000")
      }
    }
    #expect(says == "the portfolio's sums on 2024-01-02: the result is too large for the books")
  }

  @Test("Parts of a P&L that no row can keep are an error, though they nearly cancel")
  func attribution() {
    let says = refusal { world in
      world.price("ZIM", "2024-01-02", "1000000000000")
      world.hold("ZAM", "ZWL")
      world.price("ZAM", "2024-01-02", "1000000000000")
      // Both fall in price by what their currency gains.
      world.rate("USD", "ZWL", "2024-01-03", "1")
      for symbol in ["ZIM", "ZAM"] {
        world.log("2024-01-02", .buy, symbol, "900000000000", at: "1000000000000")
        world.price(symbol, "2024-01-03", "0")
      }
    }
    #expect(says == "the portfolio's sums on 2024-01-05: the result is too large for the books")
  }

  @Test("Late units that a split made many are an error before they fill a number")
  func lateUnits() {
    let says = refusal(["2024-01-03", "2024-01-05"]) { world in
      world.split("ACME", "2024-01-03", "999999")
      for _ in 1...1_800 {
        world.log(
          "2024-01-02", .buy, "ACME", "999999999999999999", at: "0", bookedOn: "2024-01-05")
      }
    }
    #expect(says == "ACME on 2024-01-05: the result is too large for the books")
  }

  @Test("Shares of which a split leaves nothing are told as gone, on a date without anything else")
  func splitToNothing() throws {
    var world = BookWorld()
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "1000000000000")
    world.log("2024-01-01", .deposit, amount: "10")
    world.log("2024-01-01", .buy, "ACME", "0.000000000001", at: "2000000000000")
    world.split("ACME", "2024-01-02", "0.1")
    #expect(try world.close("2024-01-01").snapshot.closingEquity == .of("9"))
    let close = try world.close("2024-01-02")
    #expect(close.row().attribution.realized == .of("-2"))
    #expect(close.row().attribution.unrealizedChange == .of("1"))
    #expect(close.snapshot.closingEquity == .of("8"))
    #expect(try world.close("2024-01-03").holdings.isEmpty)
  }

  @Test("A future of which a split leaves nothing is gone, and has cost nothing")
  func futureSplitToNothing() throws {
    var world = BookWorld()
    world.hold("ESH4", kind: .future, multiplier: "50")
    world.price("ESH4", "2024-01-01", "800000000000")
    world.log("2024-01-01", .buy, "ESH4", "0.000000000001", at: "800000000000")
    world.split("ESH4", "2024-01-02", "0.1")
    _ = try world.close("2024-01-01")
    let close = try world.close("2024-01-02")
    #expect(close.row().quantity == .zero)
    #expect(close.snapshot.attribution == Attribution())
    #expect(close.snapshot.grossExposure == .zero)
  }

  /// A date a close, each with money that comes, earns or loses, and goes.
  private func chain(
    of dates: Int, deposit: String, interest: String, withdrawal: String
  ) throws -> [BookClose] {
    var world = BookWorld()
    let days = (0..<dates).map { (Day.iso("2024-01-01") + $0).description }
    for day in days {
      world.log(day, .deposit, amount: deposit)
      world.log(day, .interest, amount: interest)
      world.log(day, .withdrawal, amount: withdrawal)
    }
    return try days.map { try world.close($0) }
  }

  @Test("An index that outgrows a double starts again at 1, and nothing is linked across that")
  func hugeIndex() throws {
    let closes = try chain(
      of: 16, deposit: "0.0001", interest: "100000000000000000",
      withdrawal: "100000000000000000.0001")
    for close in closes { #expect(close.snapshot.dailyReturn == 1e21) }
    // 10^(21 × 14) fits, 10^(21 × 15) does not.
    #expect(closes[13].snapshot.indexSince == .iso("2024-01-01"))
    #expect(abs(closes[13].snapshot.index / 1e294 - 1) < 1e-13)
    #expect(closes[14].snapshot.index == 1)
    #expect(closes[14].snapshot.indexSince == .iso("2024-01-15"))
    #expect(closes[15].snapshot.index == 1 + 1e21)
    let history = PerformanceHistory(closes.map { PerformanceStep($0) })
    #expect(history.over(.sinceInception)?.linked == 1e21)
    #expect(history.over(.monthToDate)?.linked == nil)
    #expect(history.over(.monthToDate)?.reason == .indexBreak)
    // The same of either return alone: fees, or one paid back, part them.
    let (huge, back) = (Money(units: 9 * Money.derivedLimit / 10), Money.of("-100000000000000000"))
    for (count, fees) in [(14, huge), (16, back)] {
      var steps = closes.prefix(count).map { PerformanceStep($0) }
      for index in steps.indices { steps[index].managementFees = fees }
      #expect(PerformanceHistory(steps).over(.monthToDate)?.linked == nil)
      #expect(PerformanceHistory(steps).over(.monthToDate)?.grossOfFees == nil)
    }
  }

  @Test("An index too small for a double starts again at 1: it is no loss of everything")
  func tinyIndex() throws {
    let closes = try chain(
      of: 32, deposit: "1000000", interest: "-999999.9999", withdrawal: "0.0001")
    for close in closes {
      #expect(close.snapshot.index.isNormal && close.snapshot.index > 0)
      #expect((close.snapshot.dailyReturn ?? -1) > -1)
    }
    // 10^(−10 × 30) is a full double, 10^(−10 × 31) is not.
    #expect(closes[29].snapshot.indexSince == .iso("2024-01-01"))
    #expect(closes[30].snapshot.index == 1)
    #expect(closes[30].snapshot.indexSince == .iso("2024-01-31"))
  }

  @Test("Modified Dietz has no return on a base that is exactly zero, whatever doubles make of it")
  func dietzBase() {
    let start = Day.iso("2024-01-01")
    // 0.1 − 0.3 × 1/3: nothing, but 1.4e-17 in doubles.
    let change = ReturnMeasures.modifiedDietz(
      opening: .of("0.1"), closing: .zero, from: start, to: start + 3,
      flows: [(start + 2, .of("-0.3"))])
    #expect(change == nil)
  }

  @Test("A rate that two negative ones would make is no rate")
  func negativeRates() throws {
    var world = BookWorld()
    world.rate("EUR", "CHF", "2024-01-02", "-1")
    world.rate("EUR", "USD", "2024-01-02", "-2")
    let error = #expect(throws: CloseError.self) {
      try world.market.rate(from: .iso("CHF"), to: .iso("USD"), on: .iso("2024-01-02"))
    }
    #expect(
      error?.description == "the rate of CHF in USD on 2024-01-02: -2 is not positive")
  }
}
