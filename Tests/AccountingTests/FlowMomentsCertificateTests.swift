import Accounting
import TestSupport
import Testing

/// Warm against full over series chosen to be hard: certificates, wild values, coinciding dates.
@Suite("Moments of flows, certified")
struct FlowMomentsCertificateTests {
  /// What a run of nights asked and got.
  private struct Tally {
    var asked = 0
    var answered = 0
    var rate: Double { Double(answered) / Double(max(asked, 1)) }
  }

  /// Solves both ways and compares every bit that the moments answer.
  private func compare(
    _ moments: FlowMoments, _ flows: [DatedFlow], _ value: Double, _ day: Day, _ tally: inout Tally,
    _ solver: inout InternalRateSolver
  ) {
    tally.asked += 1
    guard let warm = moments.solve(closingValue: value, on: day) else { return }
    tally.answered += 1
    let cold = solver.solve(flows, closingValue: value, on: day)
    #expect(warm == cold, "\(flows) \(value) \(day)")
    #expect(warm.logGrowth?.bitPattern == cold.logGrowth?.bitPattern)
  }

  private func series(
    _ count: Int, days: ClosedRange<Int>, taking: Double, using generator: inout SeededGenerator
  ) -> [DatedFlow] {
    var day = Day(year: 2012, month: 3, day: 1)
    var held = 0.0
    return (0..<count).map { _ in
      day = day + Int.random(in: days, using: &generator)
      var amount = -Double(Int.random(in: 1_000...100_000, using: &generator)) / 100
      if held > 0, Double.random(in: 0...1, using: &generator) < taking {
        amount = Double(Int(held * .random(in: 1...40, using: &generator))) / 100
      }
      held -= amount
      return DatedFlow(day: day, amount: amount)
    }
  }

  private func expand(
    _ flows: [DatedFlow], at value: Double, _ day: Day, _ solver: inout InternalRateSolver
  ) -> FlowMoments {
    let growth = solver.solve(flows, closingValue: value, on: day).logGrowth ?? 0
    return FlowMoments(flows: flows, expandedAt: growth)
  }

  @Test(
    "a value that moved by 3 % overnight is solved from the moments, to the last bit",
    arguments: [
      (2, 30...30, 0.0, 0.90), (10, 28...31, 0.0, 0.97), (60, 28...31, 0.0, 0.985),
      (240, 28...31, 0.0, 0.97), (60, 28...31, 0.15, 0.94), (200, 1...20, 0.3, 0.85),
    ])
  func overnight(_ count: Int, _ days: ClosedRange<Int>, _ taking: Double, _ floor: Double) {
    var generator = SeededGenerator(seed: UInt64(count) * 31 + UInt64(taking * 100))
    var solver = InternalRateSolver()
    var tally = Tally()
    for _ in 0..<60 {
      let flows = series(count, days: days, taking: taking, using: &generator)
      let paid = -flows.reduce(0) { $0 + $1.amount }
      let value = max(paid, 50) * .random(in: 0.7...1.8, using: &generator)
      guard let last = flows.last?.day else { continue }
      let moments = expand(flows, at: value, last + 20, &solver)
      for _ in 0..<20 {
        let moved = value * .random(in: 0.97...1.03, using: &generator)
        compare(moments, flows, moved, last + 21, &tally, &solver)
      }
    }
    #expect(tally.rate >= floor, "\(count) flows: \(tally)")
  }

  @Test("weeks of moves and new flows later, what is answered is still exact")
  func weeksLater() {
    var generator = SeededGenerator(seed: 5)
    var solver = InternalRateSolver()
    var tally = Tally()
    for round in 0..<150 {
      let taking = round % 3 == 0 ? 0.0 : 0.2
      var flows = series(
        1 + round % 70, days: 1...31, taking: taking, using: &generator)
      var value = max(-flows.reduce(0) { $0 + $1.amount }, 10) * 1.1
      guard let last = flows.last?.day else { continue }
      var day = last + 1
      var moments = expand(flows, at: value, day, &solver)
      for _ in 0..<40 {
        day = day + Int.random(in: 1...4, using: &generator)
        value *= .random(in: 0.97...1.031, using: &generator)
        if Int.random(in: 0..<8, using: &generator) == 0 {
          let takes = taking > 0 && Bool.random(using: &generator)
          let amount = takes ? value * 0.1 : -value * 0.05
          for part in [amount / 4, amount * 0.75] {
            flows.append(DatedFlow(day: day, amount: part))
            moments.add(day: day, amount: part)
          }
          value -= amount
        }
        compare(moments, flows, value, day, &tally, &solver)
      }
    }
    #expect(tally.rate >= 0.8, "\(tally)")
  }

  @Test("wild values and rates get the exact answer or none")
  func wild() {
    var generator = SeededGenerator(seed: 6)
    var solver = InternalRateSolver()
    var tally = Tally()
    for _ in 0..<1_500 {
      let count = Int.random(in: 1...8, using: &generator)
      let flows = series(count, days: 0...400, taking: 0.4, using: &generator)
      guard let last = flows.last?.day else { continue }
      let growth = Double.random(in: -3...3, using: &generator)
      let moments = FlowMoments(flows: flows, expandedAt: growth)
      for gap in [0, 1, 30, 4_000] {
        let value = Double(Int.random(in: -100...200_000, using: &generator)) / 100
        compare(moments, flows, value, last + gap, &tally, &solver)
      }
      compare(moments, flows, -flows[count - 1].amount, last, &tally, &solver)
    }
    #expect(tally.answered > 500)
  }

  @Test("a single payment is solved in closed form, and a first date that nets to nothing is gone")
  func singlePayment() throws {
    let day = Day(year: 2020, month: 1, day: 1)
    var moments = FlowMoments(expandedAt: 0)
    #expect(moments.solve(closingValue: 5, on: day) == nil)
    for amount in [-0.1, -0.2, 0.3] { moments.add(day: day, amount: amount) }
    moments.add(day: day + 10, amount: -60)
    moments.add(day: day + 10, amount: -40)
    #expect(moments.firstDay == day + 10)
    #expect(moments.flowCount == 1)
    let warm = try #require(moments.solve(closingValue: 180, on: day + 400))
    let flows = [DatedFlow(day: day + 10, amount: -100)]
    #expect(warm == InternalRate.solve(flows, closingValue: 180, on: day + 400))
    #expect(moments.solve(closingValue: 0, on: day + 11) == nil)
    #expect(moments.solve(closingValue: -1, on: day + 11) == nil)
    #expect(moments.solve(closingValue: .nan, on: day + 11) == nil)
    #expect(moments.solve(closingValue: 180, on: day + 9) == nil)
  }

  @Test("several roots are never answered from moments")
  func severalRoots() {
    let day = Day(number: 0)
    let flows = [
      DatedFlow(day: day, amount: -100), DatedFlow(day: day + 365, amount: 230),
      DatedFlow(day: day + 730, amount: -140),
    ]
    let cold = InternalRate.solve(flows, closingValue: 8, on: day + 730)
    #expect(cold.status == .severalRoots)
    for growth in [-0.2, 0, 0.09, 0.14, 0.2, 0.5] {
      let moments = FlowMoments(flows: flows, expandedAt: growth)
      for value in [1.0, 7, 7.9, 8, 9] {
        guard let warm = moments.solve(closingValue: value, on: day + 730) else { continue }
        #expect(warm == InternalRate.solve(flows, closingValue: value, on: day + 730))
      }
    }
  }

  @Test("a root below the growth that is certified is not answered: there may be several")
  func belowTheCertificate() {
    let day = Day(number: 0)
    // Above ln 1.05 the first year has nothing left over; the roots lie below.
    let flows = [
      DatedFlow(day: day, amount: -100), DatedFlow(day: day + 365, amount: 105),
      DatedFlow(day: day + 730, amount: -10),
    ]
    let cold = InternalRate.solve(flows, closingValue: 6, on: day + 731)
    #expect(cold.status == .severalRoots && cold.roots == 3)
    let moments = FlowMoments(flows: flows, expandedAt: 0.1)
    #expect(moments.solve(closingValue: 6, on: day + 731) == nil)
    // With more left in the fund there is one root, above it.
    let single = InternalRate.solve(flows, closingValue: 16, on: day + 731)
    #expect(single.status == .solved)
    #expect(moments.solve(closingValue: 16, on: day + 731) == single)
  }

  @Test("where next to nothing is left of what was paid, the slope bounds no error: no answer")
  func nearlyEmptied() {
    let day = Day(number: 8_000)
    for (left, isAnswered) in [(1e-10, true), (1e-12, false)] {
      let paid = (0..<3).map { DatedFlow(day: day + 30 * $0, amount: -100) }
      let flows = paid + [DatedFlow(day: day + 90, amount: 300 * (1 - left))]
      let value = 300 * left * 1.1
      let cold = InternalRate.solve(flows, closingValue: value, on: day + 290)
      let moments = FlowMoments(flows: flows, expandedAt: cold.logGrowth ?? 0)
      let warm = moments.solve(closingValue: value, on: day + 290)
      #expect(cold.status == .solved)
      #expect(warm == (isAnswered ? cold : nil))
    }
  }
}
