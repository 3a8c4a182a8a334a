import Glibc
import TestSupport
import Testing

@testable import Accounting

/// Roots beside a boundary between two stored growths, where the last bit of an amount decides.
///
/// The expected steps of 1e-11 were found with sixty digits, from the amounts as doubles.
@Suite("Growth at a boundary of the grid")
struct GrowthBoundaryTests {
  private let start = Day(number: 8_000)

  /// Paid, received so many days later, and the growth in steps of 1e-11.
  static let plain: [(paid: Double, received: Double, days: Int, steps: Double)] = [
    (254972.1312, 254977.9536, 1, 833_483_929), (89257.4771, 89250.5226, 1, -2_844_009_798),
    (763040.1759, 763041.1081, 2, 22_295_863), (253230.9862, 253221.16, 1, -1_416_348_229),
    (18706.1626, 18713.9879, 1, 15_265_756_570), (37558.631, 37554.1126, 1, -4_391_308_113),
    (554075.8012, 554070.3987, 1, -355_893_924), (253756.9057, 253749.6946, 2, -518_624_092),
    (518255.6629, 518257.6158, 1, 137_539_675), (154283.7583, 154284.9039, 2, 135_510_844),
    (597310.2291, 597302.8254, 1, -452_422_731), (438996.8698, 439004.7754, 2, 328_649_042),
  ]

  // In doubles each of these comes out on the other side.
  @Test("two amounts a day or two apart: the quotient's own rounding is in the error's bound")
  func twoAmounts() {
    for (paid, received, days, steps) in Self.plain {
      let naive = log(received / paid) / (Double(days) / 365) * 1e11
      #expect(naive.rounded() != steps)
      let flows = [DatedFlow(day: start, amount: -paid)]
      let full = InternalRate.solve(flows, closingValue: received, on: start + days)
      #expect(full.logGrowth == steps / 1e11)
      let warm = FlowMoments(flows: flows, expandedAt: 0)
        .solve(closingValue: received, on: start + days)
      #expect(warm == nil || warm == full)
    }
  }

  /// Paid, then received in two parts, of which the second is less than the last bit of the first.
  static let split: [(paid: Double, high: Double, low: Double, days: Int, steps: Double)] = [
    (954468, 1114476.3782299347, 1.0539161774967836e-10, 365, 15_498_584_046),
    (828129, 828529.0676921312, -3.0487619654880867e-11, 30, 587_627_639),
    (586221, 584411.3815858276, -3.9818338821102006e-11, 30, -3_761_563_737),
    (581489, 592249.7072192566, 3.7331590004785765e-11, 30, 22_309_157_093),
    (407571, 436986.2849231752, -1.9105469076972824e-11, 365, 6_968_665_935),
    (265630, 275672.97804740176, 1.9146338221060228e-11, 365, 3_711_093_804),
    (678455, 684584.0412170968, 4.0541517865580055e-11, 30, 10_941_800_171),
    (977568, 1321337.7717522804, -9.726943613001405e-11, 1000, 10_998_622_057),
  ]

  @Test("what a double cannot hold of a date's net still decides on which side the root lies")
  func netsBeyondDoubles() {
    for (paid, high, low, days, steps) in Self.split {
      #expect(high + low == high)
      let parts = [high, low].map { DatedFlow(day: start + days, amount: $0) }
      let paid = DatedFlow(day: start, amount: -paid)
      for flows in [[paid] + parts, parts.reversed() + [paid]] {
        let rate = InternalRate.solve(flows, closingValue: nil, on: start)
        #expect(rate.logGrowth == steps / 1e11)
      }
      let without = InternalRate.solve([paid, parts[0]], closingValue: nil, on: start)
      #expect(without.logGrowth != steps / 1e11)
    }
  }

  @Test("a growth is certain only where everything within its error rounds to it")
  func certainty() {
    var random = SeededGenerator(seed: 23)
    var (told, wrong) = (0, 0)
    for _ in 0..<100_000 {
      let near = pow(10, Double.random(in: -3...1.5, using: &random))
      let density = GrowthGrid.density(around: near)
      let boundary = ((near * density).rounded() + 0.5) / density
      let error = Double.random(in: 0...0.3, using: &random) / density
      let isBelow = Bool.random(using: &random)
      let distance = Double(Int.random(in: -8...8, using: &random)) * near.ulp
      var growth = boundary + (isBelow ? -error : error) + distance
      if Bool.random(using: &random) { growth = -growth }
      guard let value = GrowthGrid.certain(growth, error: error) else { continue }
      told += 1
      for end in [DoubleDouble.sum(growth, error), .sum(growth, -error)] {
        // 31 digits of it: more than the ends have.
        let away = end * DoubleDouble(density) + DoubleDouble(-(value * density).rounded())
        if abs(away.high) > 0.5 || abs(away.high) == 0.5 && away.high * away.low > 0 { wrong += 1 }
      }
    }
    #expect(told > 10_000)
    #expect(wrong == 0)
  }
}
