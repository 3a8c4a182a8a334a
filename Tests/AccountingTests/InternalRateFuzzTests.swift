import Accounting
import Foundation
import TestSupport
import Testing

/// Random flows of every kind that broke somebody's solver; `CLOSEBELL_TEST_FLOWS` sets how many.
@Suite("Internal rate of return under random flows") struct InternalRateFuzzTests {
  private static let parts = 16

  private static var count: Int {
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_FLOWS"].flatMap { Int($0) } ?? 200_000
  }

  @Test(
    "no flows trap or give NaN; a rate balances; order, splits, scale and moments change no bit",
    arguments: 0..<parts)
  func laws(_ part: Int) {
    var flows = RandomFlows(seed: 1_000 + UInt64(part))
    var tally = FlowLaws()
    for _ in 0..<Self.count / Self.parts {
      tally.check(flows.next(), using: &flows.generator)
      guard tally.broken.count < 5 else { break }
    }
    #expect(tally.broken.isEmpty, "\(tally.broken.joined(separator: "\n"))")
    // The laws bite: rates were found, their sign changes seen, and moments answered.
    #expect(tally.solved * 2 > tally.checked)
    #expect(tally.balanced * 10 > tally.solved * 9)
    #expect(tally.answeredWarm * 5 > tally.askedWarm, "\(tally.answeredWarm) \(tally.askedWarm)")
  }
}

/// Sets of flows: short and long, tame and wild.
struct RandomFlows {
  var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// Flows, and whether their sizes are so far apart that a double loses the smaller ones.
  struct Sample {
    var flows: [DatedFlow]
    var isExtreme = false
  }

  mutating func next() -> Sample {
    switch Int.random(in: 0..<16, using: &generator) {
    case 0: wild()
    case 1: alternating()
    case 2: nearTotalLoss()
    case 3: hugeGrowth()
    case 4: crowded()
    default: plan()
    }
  }

  private mutating func cents(_ range: ClosedRange<Int>) -> Double {
    Double(Int.random(in: range, using: &generator)) / 100
  }

  /// A power of ten.
  private mutating func power(_ range: ClosedRange<Double>) -> Double {
    pow(10.0, Double.random(in: range, using: &generator))
  }

  private mutating func day(_ span: Int) -> Day {
    Day(number: Int32(Int.random(in: 0...span, using: &generator)))
  }

  /// Deposits, perhaps a withdrawal, then a value: what portfolios look like.
  private mutating func plan() -> Sample {
    var when = day(9_000)
    var flows: [DatedFlow] = []
    var paid = 0.0
    for _ in 0..<Int.random(in: 1...9, using: &generator) {
      let takes = paid > 0 && Int.random(in: 0..<8, using: &generator) == 0
      let amount = takes ? (paid * 20).rounded() / 100 : -cents(1...1_000_000)
      paid -= amount
      flows.append(DatedFlow(day: when, amount: amount))
      when = when + Int.random(in: 0...200, using: &generator)
    }
    let value = max(1, (paid * .random(in: 0.3...2.5, using: &generator) * 100).rounded()) / 100
    flows.append(DatedFlow(day: when + 1, amount: value))
    return Sample(flows: flows)
  }

  /// Amounts up to 600 orders of magnitude apart, in any order.
  private mutating func wild() -> Sample {
    let span = [1, 3, 40, 400, 73_048].randomElement(using: &generator) ?? 1
    let flows = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
      DatedFlow(
        day: day(span),
        amount: power(-300...300) * (Bool.random(using: &generator) ? 1 : -1))
    }
    return Sample(flows: flows, isExtreme: true)
  }

  /// A change of sign with every flow: up to as many roots.
  private mutating func alternating() -> Sample {
    var when = day(100)
    let gap = [1, 30, 365].randomElement(using: &generator) ?? 1
    return Sample(
      flows: (0..<Int.random(in: 3...6, using: &generator)).map { index in
        when = when + gap
        return DatedFlow(day: when, amount: (index % 2 == 0 ? -1 : 1) * cents(1...10_000))
      })
  }

  /// Almost nothing is left, perhaps of much and within days.
  private mutating func nearTotalLoss() -> Sample {
    let start = day(1_000)
    let paid = power(0...12)
    return Sample(flows: [
      DatedFlow(day: start, amount: -paid), DatedFlow(day: start + 1, amount: -paid / 3),
      DatedFlow(
        day: start + Int.random(in: 2...400, using: &generator),
        amount: power(-12...0)),
    ])
  }

  /// Many times the stake, overnight or over a lifetime.
  private mutating func hugeGrowth() -> Sample {
    let start = day(1_000)
    return Sample(flows: [
      DatedFlow(day: start, amount: -cents(1...100)), DatedFlow(day: start, amount: -0.01),
      DatedFlow(day: start + 1, amount: -cents(1...100)),
      DatedFlow(
        day: start + [2, 30, 30_000][Int.random(in: 0..<3, using: &generator)],
        amount: power(3...15)),
    ])
  }

  /// Several flows on each of a few dates, some of which come to nothing.
  private mutating func crowded() -> Sample {
    var flows: [DatedFlow] = []
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let (when, amount) = (day(4), cents(-1_000...1_000))
      flows.append(DatedFlow(day: when, amount: amount))
      if Bool.random(using: &generator) { flows.append(DatedFlow(day: when, amount: -amount)) }
      if Bool.random(using: &generator) { flows.append(DatedFlow(day: when, amount: 0.1)) }
    }
    return Sample(flows: flows)
  }
}
