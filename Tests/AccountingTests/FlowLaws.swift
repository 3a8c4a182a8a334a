import Accounting
import Foundation
import TestSupport

/// What must hold of every rate, checked by other means than the solver's.
struct FlowLaws: ~Copyable {
  var checked = 0
  var solved = 0
  /// Rates whose change of sign stood out of the rounding of a plain sum.
  var balanced = 0
  var askedWarm = 0
  var answeredWarm = 0
  var broken: [String] = []
  private var solver = InternalRateSolver()

  init() {}

  mutating func check(_ sample: RandomFlows.Sample, using generator: inout SeededGenerator) {
    checked += 1
    let flows = sample.flows
    let plain = solve(flows)
    if let complaint = numbers(plain) { report(complaint, flows, plain) }
    if !sample.isExtreme, let growth = plain.logGrowth { balance(flows, growth, plain) }
    // One law a set: each costs another solve.
    switch checked % 4 {
    case 0: expect("shuffled", solve(flows.shuffled(using: &generator)), plain, flows)
    case 1: expect("split", solve(split(flows).shuffled(using: &generator)), plain, flows)
    case 2 where !sample.isExtreme:
      let power = pow(2, Double(Int.random(in: -90...90, using: &generator)))
      let scaled = flows.map { DatedFlow(day: $0.day, amount: $0.amount * power) }
      expect("scaled", solve(scaled), plain, flows)
    default: warm(flows, plain)
    }
  }

  private mutating func solve(_ flows: [DatedFlow]) -> IRRResult {
    solver.solve(flows, closingValue: nil, on: Day(number: 0))
  }

  private mutating func report(_ law: String, _ flows: [DatedFlow], _ result: IRRResult) {
    broken.append("\(law): \(flows.map { ($0.day.number, $0.amount) }) gave \(result)")
  }

  private mutating func expect(
    _ law: String, _ other: IRRResult, _ plain: IRRResult, _ flows: [DatedFlow]
  ) {
    if other != plain || other.logGrowth?.bitPattern != plain.logGrowth?.bitPattern {
      report("\(law) gave \(other)", flows, plain)
    }
  }

  /// Numbers are finite, and there where the status says.
  private mutating func numbers(_ result: IRRResult) -> String? {
    for number in [result.logGrowth, result.rate, result.periodReturn] {
      if let number, !number.isFinite { return "not finite" }
    }
    let hasRate = result.status == .solved || result.status == .severalRoots
    if hasRate { solved += 1 }
    if hasRate != (result.logGrowth != nil) || hasRate != (result.roots > 0) {
      return "growth and status disagree"
    }
    return (result.status == .severalRoots) == (result.roots > 1) ? nil : "roots miscounted"
  }

  /// A plain sum of present values has opposite signs on both sides of the root.
  private mutating func balance(_ flows: [DatedFlow], _ growth: Double, _ result: IRRResult) {
    guard let base = flows.map(\.day).min(), let last = flows.map(\.day).max() else { return }
    let origin = growth > 0 ? base : last
    func sum(_ growth: Double) -> Int {
      var (total, gross, longest) = (0.0, 0.0, 0.0)
      for flow in flows {
        let exponent = -growth * Double(flow.day - origin) / 365
        let value = flow.amount * exp(exponent)
        total += value
        gross += abs(value)
        longest = max(longest, abs(exponent))
      }
      let noise = gross * (Double(flows.count) + 4 + 2 * longest) * 1.2e-16
      return total > noise ? 1 : total < -noise ? -1 : 0
    }
    let step = 2e-11 * max(1, abs(growth) / 4)
    let (below, above) = (sum(growth - step), sum(growth + step))
    if below * above > 0 { report("no change of sign at the root", flows, result) }
    if below * above < 0 { balanced += 1 }
  }

  /// Each flow in two parts, of which the first is a half, and a zero beside it.
  private func split(_ flows: [DatedFlow]) -> [DatedFlow] {
    flows.flatMap { flow in
      // A half is exact down to the smallest normal number.
      let half = flow.amount / 2
      let zero = DatedFlow(day: flow.day, amount: 0)
      return [
        DatedFlow(day: flow.day, amount: half),
        DatedFlow(day: flow.day, amount: flow.amount - half), zero,
      ]
    }
  }

  /// Where moments answer, they answer what all flows answer, to the bit.
  private mutating func warm(_ flows: [DatedFlow], _ plain: IRRResult) {
    let ordered = flows.sorted { $0.day < $1.day }
    guard let closing = ordered.last, closing.amount > 0, ordered.count > 1 else { return }
    askedWarm += 1
    // Expanded as by a night before, when the value was another.
    let growth = plain.logGrowth.map { $0 * 1.01 + 0.01 } ?? 0
    let moments = FlowMoments(flows: Array(ordered.dropLast()), expandedAt: growth)
    guard let answer = moments.solve(closingValue: closing.amount, on: closing.day) else { return }
    answeredWarm += 1
    expect("warm", answer, plain, flows)
  }
}
