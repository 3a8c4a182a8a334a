import Accounting
import Foundation
import TestSupport
import Testing

@Suite("Internal rate of return")
struct InternalRateTests {
  private func solve(_ flows: [DatedFlow]) -> IRRResult {
    InternalRate.solve(flows, closingValue: nil, on: Day(number: 0))
  }

  /// The grid's half step, and what a reference printed in double can be off by.
  private func tolerance(_ growth: Double) -> Double { 6e-12 + 2e-12 * abs(growth) }

  @Test("every published case has the root that a high-precision solver found")
  func published() throws {
    let cases = try allReferenceSeries()
    #expect(cases.count == 136)
    for item in cases {
      let result = solve(item.flows)
      guard let chosen = item.chosen else {
        // Roots outside −58 … 708 are not listed; either answer passes there.
        if let growth = result.logGrowth { #expect(growth < -58 || growth > 708, "\(item.id)") }
        continue
      }
      let growth = try #require(result.logGrowth, "\(item.id): \(result)")
      // A root given as r near −1 has lost digits of g that it never had.
      let given = 4e-16 * exp(min(36, max(0, -chosen)))
      #expect(abs(growth - chosen) <= tolerance(growth) + given, "\(item.id)")
      #expect(result.roots >= item.growths.count, "\(item.id): \(result)")
      #expect((result.roots > 1) == (result.status == .severalRoots), "\(item.id)")
    }
  }

  @Test("a case with a single root has the rate that its source prints")
  func printed() throws {
    var compared = 0
    for item in try allReferenceSeries() where item.growths.count == 1 {
      guard let expected = item.expected, let rate = solve(item.flows).rate else { continue }
      compared += 1
      // Half a step of our grid may be more than the digits that a source prints.
      let tolerance = max(item.tolerance * max(1, abs(expected)), 5.1e-12 * (1 + rate))
      #expect(abs(rate - expected) <= tolerance, "\(item.id)")
    }
    #expect(compared == 64)
  }

  @Test("scaling, shuffling, splitting and zero flows do not change a rate")
  func invariance() throws {
    var generator = SeededGenerator(seed: 7)
    for item in try allReferenceSeries() where !item.flows.isEmpty {
      let plain = solve(item.flows)
      #expect(solve(item.flows.shuffled(using: &generator)) == plain, "\(item.id) shuffled")
      var padded = item.flows
      for _ in 0..<5 {
        let zero = DatedFlow(
          day: item.flows[0].day + Int.random(in: 0...900, using: &generator), amount: 0)
        padded.insert(zero, at: Int.random(in: 0...padded.count, using: &generator))
      }
      if plain.status != .totalLoss, padded.contains(where: { $0.amount > 0 }) {
        #expect(solve(padded) == plain, "\(item.id) with zeros")
      }
      var split: [DatedFlow] = []
      for flow in item.flows {
        // Half of a double is exact, and so is the rest.
        split.append(DatedFlow(day: flow.day, amount: flow.amount / 2))
        split.append(DatedFlow(day: flow.day, amount: flow.amount - flow.amount / 2))
      }
      #expect(solve(split.shuffled(using: &generator)) == plain, "\(item.id) split")
      for scale in [1e9, 1e-9, 1e3, 1e-6] {
        let scaled = solve(
          item.flows.map { DatedFlow(day: $0.day, amount: $0.amount * scale) })
        #expect(scaled.status == plain.status && scaled.roots == plain.roots, "\(item.id)")
        guard let growth = plain.logGrowth, let other = scaled.logGrowth else { continue }
        #expect(abs(growth - other) <= tolerance(growth), "\(item.id) × \(scale)")
      }
    }
  }

  @Test("the stored growth is the true root, correctly rounded to the grid")
  func correctRounding() throws {
    let cases = try referenceCases("irr_rounding.jsonl")
    #expect(cases.count == 140)
    for (index, fields) in cases.enumerated() {
      // Numbers are text: JSONSerialization rounds some of 17 digits to a neighbour.
      let flows = try #require(fields["flows"] as? [[Any]]).map { pair in
        DatedFlow(
          day: Day(number: try #require(pair[0] as? NSNumber).int32Value),
          amount: try #require((pair[1] as? String).flatMap { Double($0) }))
      }
      let day = Day(number: try #require(fields["day"] as? NSNumber).int32Value)
      let closing = try #require((fields["closing"] as? String).flatMap { Double($0) })
      let growth = try #require((fields["growth"] as? String).flatMap { Double($0) })
      let result = InternalRate.solve(flows, closingValue: closing, on: day)
      #expect(
        result.logGrowth == growth,
        "line \(index + 1): \(result) for \(fields["exact"] ?? "")")
    }
  }

  @Test("each status means what it says")
  func statuses() {
    let day = Day(year: 2024, month: 1, day: 1)
    func status(_ flows: [(Int, Double)], closing: Double?, after days: Int = 365) -> IRRStatus {
      InternalRate.solve(
        flows.map { DatedFlow(day: day + $0.0, amount: $0.1) }, closingValue: closing,
        on: day + days
      ).status
    }
    #expect(status([(0, -100)], closing: 110) == .solved)
    #expect(status([(0, -100), (365, 230)], closing: -132, after: 730) == .severalRoots)
    #expect(status([(0, -1), (365, 1)], closing: -1, after: 730) == .noRoot)
    #expect(status([(0, -100), (30, -100)], closing: -5) == .noSignChange)
    #expect(status([(0, 100)], closing: 110) == .noSignChange)
    #expect(status([(0, -100)], closing: 110, after: 0) == .tooShort)
    #expect(status([(0, -100), (0, 100)], closing: 0) == .tooShort)
    #expect(status([], closing: nil) == .tooShort)
    #expect(status([(0, -100), (30, -100)], closing: 0) == .totalLoss)
    #expect(status([(0, -100)], closing: 0) == .totalLoss)
    #expect(status([(0, -100)], closing: 0, after: 0) == .tooShort)
    #expect(status([(0, -100), (5, 100)], closing: 0) == .solved)
    #expect(status([(0, -.infinity)], closing: 5) == .incomplete)
    #expect(status([(0, -1)], closing: .nan) == .incomplete)
    #expect(IRRResult.incomplete.rate == nil)
  }

  @Test("a total loss is −100 %, and no other failure has a number")
  func numbersOfFailures() {
    let day = Day(year: 2024, month: 1, day: 1)
    let flows = [DatedFlow(day: day, amount: -100)]
    let lost = InternalRate.solve(flows, closingValue: 0, on: day + 30)
    #expect(lost.rate == -1 && lost.periodReturn == -1 && lost.logGrowth == nil)
    let same = InternalRate.solve(flows, closingValue: -7, on: day + 30)
    #expect(same.rate == nil && same.logGrowth == nil && same.periodReturn == nil)
    #expect(same.roots == 0)
  }

  @Test("a deep loss over two days keeps its growth, and has no rate a double could hold")
  func beyondRates() throws {
    let day = Day(year: 2024, month: 1, day: 1)
    let half = InternalRate.solve(
      [DatedFlow(day: day, amount: -100)], closingValue: 50, on: day + 1)
    #expect(half.status == .solved && half.rate == nil)
    #expect(abs(try #require(half.logGrowth) + 365 * log(2.0)) < 1e-9)
    #expect(abs(try #require(half.periodReturn) + 0.5) < 1e-12)
    let sixfold = InternalRate.solve(
      [DatedFlow(day: day, amount: -100)], closingValue: 600, on: day + 1)
    #expect(try #require(sixfold.rate) > 1e284)
  }

  @Test("a step that is small by accident is not taken for an arrival")
  func accidentalStep() throws {
    // 55 552 for 0.94 within two days. Newton's method on the polynomial at g = 0 goes astray here,
    // to a step that rounds to nothing.
    let result = solve([
      DatedFlow(day: Day(number: 101), amount: -0.66),
      DatedFlow(day: Day(number: 101), amount: -0.01),
      DatedFlow(day: Day(number: 102), amount: -0.27),
      DatedFlow(day: Day(number: 103), amount: 55552.32749516838),
    ])
    #expect(abs(try #require(result.logGrowth) - 2_066.658_972_330_342_4) < 3e-9)
  }

  @Test("a symmetrical pair of roots is decided for the gain; a double root counts once")
  func symmetry() throws {
    let day = Day(number: 0)
    func periodic(_ amounts: [Double]) -> IRRResult {
      solve(amounts.enumerated().map { DatedFlow(day: day + $0 * 365, amount: $1) })
    }
    let pair = periodic([-1, 2.5, -1])
    #expect(pair.status == .severalRoots && pair.roots == 2)
    #expect(abs(try #require(pair.logGrowth) - log(2.0)) < 1e-11)
    let touching = periodic([-1, 2, -1])
    #expect(touching.status == .solved && touching.logGrowth == 0)
    // Growth factors 1.1, 1.2 and 1.3: the coefficients of (x − 1.1)(x − 1.2)(x − 1.3).
    let three = periodic([-1, 3.6, -4.31, 1.716])
    #expect(three.roots == 3)
    #expect(abs(try #require(three.rate) - 0.1) < 1e-9)
    // Roots at 1.1 and 1.100001: closer than a coarse search could tell.
    let near = periodic([-1, 2.200001, -1.2100011])
    #expect(near.roots == 2)
    #expect(abs(try #require(near.rate) - 0.1) < 1e-9)
  }

  @Test("every root of a polynomial made from its roots is found and counted")
  func constructedRoots() throws {
    var generator = SeededGenerator(seed: 11)
    for round in 0..<300 {
      let count = 2 + round % 4
      let factors = (0..<count).map { index in
        pow(3, Double(index) - 1.7) * Double.random(in: 1...2, using: &generator)
      }
      var amounts = [1.0]
      for factor in factors {
        var next = amounts + [0]
        for index in amounts.indices { next[index + 1] -= factor * amounts[index] }
        amounts = next
      }
      let result = solve(
        amounts.enumerated().map { DatedFlow(day: Day(number: Int32($0 * 365)), amount: $1) })
      #expect(result.roots == count, "\(factors)")
      let growths = factors.map { log($0) }
      let nearest = try #require(growths.min { abs($0) < abs($1) })
      #expect(abs(try #require(result.logGrowth) - nearest) < 1e-11, "\(factors)")
    }
  }

  @Test("no change of sign on a fine scan escapes the count of roots")
  func scannedRoots() {
    var generator = SeededGenerator(seed: 12)
    for _ in 0..<300 {
      let count = Int.random(in: 3...9, using: &generator)
      let flows = (0..<count).map { index in
        DatedFlow(
          day: Day(number: Int32(index * 97)),
          amount: .random(in: -100...100, using: &generator))
      }
      var changes = 0
      var last = 0.0
      for step in -600...600 {
        let growth = Double(step) / 20 + 0.003
        let base = growth > 0 ? flows[0].day : flows[count - 1].day
        let value = flows.reduce(0) {
          $0 + $1.amount * exp(-growth * Double($1.day - base) / 365)
        }
        if last * value < 0 { changes += 1 }
        last = value
      }
      let result = solve(flows)
      #expect(result.roots >= changes && (result.roots - changes) % 2 == 0, "\(flows)")
    }
  }

  @Test("monthly_nominal nets by month, closes a month on, and multiplies by 12")
  func monthlyNominal() throws {
    let flows = [
      DatedFlow(day: Day(year: 2024, month: 1, day: 10), amount: -60),
      DatedFlow(day: Day(year: 2024, month: 1, day: 25), amount: -40),
      DatedFlow(day: Day(year: 2024, month: 3, day: 31), amount: -100),
    ]
    let monthly = 1.01
    let value = 100 * pow(monthly, 5) + 100 * pow(monthly, 3)
    let result = InternalRate.solve(
      flows.reversed(), closingValue: value, on: Day(year: 2024, month: 5, day: 31),
      convention: .monthlyNominal)
    #expect(abs(try #require(result.rate) - 0.12) < 1e-10)
    #expect(abs(try #require(result.logGrowth) - 12 * log(monthly)) < 1e-11)
    #expect(abs(try #require(result.periodReturn) - (pow(monthly, 5) - 1)) < 1e-10)
  }

  @Test("neither huge amounts, tiny ones, long spans nor wild rates trap or give NaN")
  func extremes() {
    var generator = SeededGenerator(seed: 99)
    for _ in 0..<3_000 {
      let count = Int.random(in: 1...12, using: &generator)
      let span = [1, 3, 40, 400, 36_525].randomElement(using: &generator) ?? 1
      let flows = (0..<count).map { _ in
        DatedFlow(
          day: Day(number: Int32.random(in: 0...Int32(span), using: &generator)),
          amount: pow(10, .random(in: -300...300, using: &generator))
            * (Bool.random(using: &generator) ? 1 : -1))
      }
      for convention in IRRConvention.allCases {
        let result = InternalRate.solve(
          flows, closingValue: nil, on: Day(number: 0), convention: convention)
        for number in [result.logGrowth, result.rate, result.periodReturn] {
          #expect(number?.isFinite ?? true, "\(flows) \(result)")
        }
        #expect((result.logGrowth != nil) == (result.roots > 0))
      }
    }
  }

  @Test("a batch gives what the series give one by one")
  func batch() throws {
    let cases = try allReferenceSeries()
    var (days, amounts, offsets) = ([Int32](), [Double](), [0])
    for item in cases {
      days += item.flows.map(\.day.number)
      amounts += item.flows.map(\.amount)
      offsets.append(days.count)
    }
    let results = InternalRate.solve(
      many: days, amounts: amounts, offsets: offsets, on: Day(number: 0))
    #expect(results == cases.map { solve($0.flows) })
  }

  @Test("closing values beside the flows of a batch count as flows of their date")
  func batchWithClosingValues() {
    let days: [Int32] = [0, 100, 0]
    let result = InternalRate.solve(
      many: days, amounts: [-100, -50, -10], offsets: [0, 2, 3], closingValues: [170, 11],
      on: Day(number: 365))
    #expect(
      result[1].rate
        == InternalRate.solve(
          [
            DatedFlow(day: Day(number: 0), amount: -10),
            DatedFlow(day: Day(number: 365), amount: 11),
          ],
          closingValue: nil, on: Day(number: 0)
        ).rate)
    #expect(
      result[0]
        == InternalRate.solve(
          [
            DatedFlow(day: Day(number: 0), amount: -100),
            DatedFlow(day: Day(number: 100), amount: -50),
          ],
          closingValue: 170, on: Day(number: 365)))
    #expect(InternalRate.solve(many: [], amounts: [], offsets: [], on: Day(number: 0)).isEmpty)
    #expect(InternalRate.solve(many: [], amounts: [], offsets: [0], on: Day(number: 0)).isEmpty)
  }
}
