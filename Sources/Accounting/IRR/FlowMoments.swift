import Glibc

/// Everything a night needs to know of a series' past flows to solve for today's closing value.
///
/// With t the years from a flow to an anchor date and y = g − g₀, the flows' value on the anchor
/// date is the series Σ Mⱼ yʲ, Mⱼ = Σ a tʲ e^(t·g₀) / j!. A closing value V, h years after the
/// anchor, makes g the zero of ψ(g) = ln(−Σ Mⱼ yʲ) + h·g − ln V: one logarithm an iteration,
/// however many flows there were.
///
/// An answer is the one that the full pass gives, to the bit, or there is none: the error is
/// bounded (what the series leaves out, what was rounded while it was built, what the last step
/// left), and unless every growth within the bound rounds to one value of `GrowthGrid`, `solve`
/// returns nil. It also returns nil unless the root is proven to be the only one, by Soper's
/// condition; see `certifiedFrom`.
///
/// Paid in is negative. The convention is `xirr_act365`.
public struct FlowMoments: Sendable, Hashable {
  /// The growth that the moments are expanded at.
  public internal(set) var expandedAt: Double
  /// The number of dates with flows.
  public internal(set) var flowCount: Int32 = 0
  /// The first date with flows.
  public internal(set) var firstDay: Day
  /// The last date with flows.
  public internal(set) var lastDay: Day

  /// The date that times are counted to: the middle, so that no time is longer than half the span.
  var anchor: Day
  /// M₀ … M₁₀; then what bounds the rest of the series, Σ |a| |t|¹¹ e^(t·g₀) / 11!; then the gross
  /// Σ |a| e^(t·g₀); the other lanes are 0.
  var moments = SIMD16<Double>.zero
  /// The growth from which on the balance of the past flows was never on the investor's side.
  ///
  /// If no prefix of the flows has a positive present value at growth c, none has at any g ≥ c
  /// (summation by parts: more growth gives the earlier balances more weight). A root g ≥ c is
  /// then a pure investment, and the only root. −∞ as long as nothing was ever taken out; +∞ if
  /// no growth near `expandedAt` will do.
  var certifiedFrom = -Double.infinity
  /// The net of the last date, and the gross that went into it.
  var lastNet = DoubleDoubleNet()

  /// The moments of no flows.
  public init(expandedAt growth: Double) {
    expandedAt = growth.isFinite ? growth : 0
    firstDay = .earliest
    lastDay = .earliest
    anchor = .earliest
  }

  /// The moments of flows in ascending order, expanded at a growth near their rate (or at 0).
  public init(flows: [DatedFlow], expandedAt growth: Double) {
    self.init(expandedAt: growth)
    guard let first = flows.first?.day, let last = flows.last?.day else { return }
    anchor = first + (last - first) / 2
    for flow in flows { append(flow) }
  }

  /// Adds a flow; not before the last one's date, else only full passes tell the rate from now on.
  public mutating func add(day: Day, amount: Double) {
    if flowCount == 0 { anchor = day }
    append(DatedFlow(day: day, amount: amount))
  }

  private mutating func append(_ flow: DatedFlow) {
    if flowCount > 0 {
      if flow.day < lastDay { return giveUp() }
      if flow.day > lastDay, flowCount == 1, lastNet.isDust, moments[12] < .infinity {
        // The first date came to nothing: the series begins here.
        self = FlowMoments(anchor: anchor, expandedAt: expandedAt)
      }
    }
    guard flow.amount != 0 else { return }
    guard FlowSeries.isPlain(abs(flow.amount)) else { return giveUp() }
    if flowCount == 0 {
      firstDay = flow.day
      lastDay = flow.day
      flowCount = 1
    } else if flow.day > lastDay {
      lastDay = flow.day
      flowCount += 1
      lastNet = DoubleDoubleNet()
    }
    lastNet.add(flow.amount)
    accumulate(flow.amount, years: Double(anchor - flow.day) / 365)
    if flow.amount > 0 { certify() }
  }

  /// Leaves every answer to full passes from now on: no later flow mends an infinite gross.
  private mutating func giveUp() {
    certifiedFrom = .infinity
    moments[12] = .infinity
  }

  private init(anchor: Day, expandedAt growth: Double) {
    self.init(expandedAt: growth)
    self.anchor = anchor
  }

  private mutating func accumulate(_ amount: Double, years: Double) {
    let value = amount * exp(years * expandedAt)
    let two = years * years
    let three = two * years
    let four = two * two
    let eight = four * four
    let powers = SIMD16(
      1, years, two, three, four, four * years, four * two, four * three, eight, eight * years,
      eight * two, 0, 0, 0, 0, 0)
    moments += powers * Self.inverseFactorials * SIMD16(repeating: value)
    moments[11] += abs(value * eight * three) * Self.inverseFactorials[11]
    moments[12] += abs(value)
  }

  /// The reciprocals of 0! … 11!.
  @inline(__always) private static var inverseFactorials: SIMD16<Double> {
    SIMD16(
      1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5_040, 1 / 40_320, 1 / 362_880,
      1 / 3_628_800, 1 / 39_916_800, 0, 0, 0, 0)
  }

  /// Half the span: no time is longer.
  @inline(__always) var reach: Double {
    Double(max(anchor - firstDay, lastDay - anchor)) / 365
  }

  /// What rounding may have done to the series, as a part of the gross: one addition a flow, and
  /// exponential, powers and factorials, within a factor e^½ for the powers of y.
  @inline(__always) private var roundingPart: Double {
    (Double(flowCount) + 30 + 2 * reach * abs(expandedAt)) * ulp * 1.65
  }

  /// Finds a growth from which on the balance just reached is still the investment's.
  private mutating func certify() {
    for distance in [0.5, 0.15, 0.05, 0.015, 0] {
      let candidate = max(certifiedFrom, expandedAt - distance)
      let offset = candidate - expandedAt
      guard abs(offset) * reach <= 0.5 else { continue }
      let left = moments[11] * power11(abs(offset)) * 1.65 + moments[12] * roundingPart
      if value(at: offset).sum < -left {
        certifiedFrom = candidate
        return
      }
    }
    certifiedFrom = .infinity
  }

  @inline(__always) private func power11(_ value: Double) -> Double {
    let two = value * value
    let four = two * two
    return four * four * two * value
  }

  /// The series at y, its slope, and half its curvature.
  @inline(__always) private func value(
    at offset: Double
  ) -> (sum: Double, slope: Double, bend: Double) {
    // By halves (Estrin): the sum is waited for, and this is four operations deep instead of ten.
    let m = moments
    let two = offset * offset
    let four = two * two
    let low = (m[0] + m[1] * offset) + (m[2] + m[3] * offset) * two
    let middle = (m[4] + m[5] * offset) + (m[6] + m[7] * offset) * two
    let high = (m[8] + m[9] * offset) + m[10] * two
    let lowSlope = (m[1] + 2 * m[2] * offset) + (3 * m[3] + 4 * m[4] * offset) * two
    let middleSlope = (5 * m[5] + 6 * m[6] * offset) + (7 * m[7] + 8 * m[8] * offset) * two
    let highSlope = 9 * m[9] + 10 * m[10] * offset
    let lowBend = (m[2] + 3 * m[3] * offset) + (6 * m[4] + 10 * m[5] * offset) * two
    let middleBend = (15 * m[6] + 21 * m[7] * offset) + (28 * m[8] + 36 * m[9] * offset) * two
    return (
      low + (middle + high * four) * four,
      lowSlope + (middleSlope + highSlope * four) * four,
      lowBend + (middleBend + 45 * m[10] * four) * four
    )
  }

  /// The rate that a closing value on a date makes; nil where only the full pass can tell.
  public func solve(closingValue: Double, on day: Day) -> IRRResult? {
    guard flowCount > 0, certifiedFrom < .infinity, day >= lastDay,
      FlowSeries.isPlain(closingValue)
    else { return nil }
    if flowCount == 1 { return closedForm(closingValue: closingValue, on: day) }
    // On the last flow's own date the two are one: something must be left of the value.
    if day == lastDay, closingValue + lastNet.high <= 8 * ulp * (closingValue + lastNet.gross) {
      return nil
    }
    guard let root = root(closingValue: closingValue, years: Double(day - anchor) / 365),
      root.growth - root.error >= certifiedFrom,
      let growth = GrowthGrid.certain(root.growth, error: root.error)
    else { return nil }
    return IRRResult(
      growth: growth, roots: 1, span: Int32(day - firstDay), unitsPerYear: 365, nominal: false)
  }

  /// One payment and one value: a logarithm.
  private func closedForm(closingValue: Double, on day: Day) -> IRRResult? {
    guard lastNet.high < 0, !lastNet.isDust, day > lastDay else { return nil }
    // Both are plain: neither the ratio nor its logarithm is out of the ordinary.
    let ratio = closingValue / -lastNet.high
    let years = Double(day - lastDay) / 365
    let logarithm = log(ratio)
    let growth = logarithm / years
    let error = (4 * ulp + 3 * ulp * abs(logarithm)) / years + 2 * ulp * abs(growth)
    guard let certain = GrowthGrid.certain(growth, error: error) else { return nil }
    return IRRResult(
      growth: certain, roots: 1, span: Int32(day - firstDay), unitsPerYear: 365, nominal: false)
  }

  /// The zero of ψ and a bound on its error.
  @inline(__always) private func root(closingValue: Double, years: Double) -> ApproximateRoot? {
    guard var offset = firstOffset(closingValue: closingValue, years: years) else { return nil }
    let reach = reach
    let perClosing = 1 / closingValue
    for _ in 0..<3 {
      guard abs(offset) * reach <= 0.5 else { return nil }
      let here = self.value(at: offset)
      let worth = -here.sum
      guard worth > 0 else { return nil }
      let value = log(worth * perClosing) + years * (expandedAt + offset)
      let perSum = 1 / here.sum
      let mean = here.slope * perSum
      let slope = mean + years
      // At a certified root it is, by Soper's sum; elsewhere the steps have gone astray.
      guard slope > 0 else { return nil }
      // 1 / slope, without waiting for another division.
      let perSlope = here.sum / (here.slope + years * here.sum)
      let bend = here.bend * perSum - mean * mean / 2
      let turn = bend * perSlope
      // Chebyshev's step: cubic, with one division.
      let newton = -value * perSlope
      let step = newton * (1 - newton * turn)
      let next = offset + step
      // Not the step alone: it may be small because its two parts cancel.
      let size = max(abs(step), abs(newton))
      // ψ‴ from above: three moments about the anchor, each at most e^½ × gross/worth × reachᵏ.
      let excess = 1.65 * reach * moments[12] * abs(perSum)
      let third = 6 * excess * excess * excess
      let remainder = 2 * (2 * turn * turn + third * perSlope * (1 / 6)) * size * size * size
      offset = next
      guard remainder <= 1e-15 else { continue }
      let growth = expandedAt + next
      let left = moments[11] * power11(abs(next)) * 1.65 + moments[12] * roundingPart
      let noise = left * abs(perSum) + (9 + 6 * abs(years * growth)) * ulp
      let error = 1.02 * noise * perSlope + remainder + 3 * ulp * (abs(growth) + abs(next))
      // Along the error the slope must not change, or it would not bound it.
      guard error * (abs(bend) + third * error) <= 0.005 * slope, abs(next) * reach <= 0.5
      else { return nil }
      return ApproximateRoot(growth: growth, error: error)
    }
    return nil
  }

  /// A first y, from what is known at y = 0, where the derivatives of ψ are the moments.
  @inline(__always) private func firstOffset(closingValue: Double, years: Double) -> Double? {
    let worth = -moments[0]
    guard worth > 0 else { return nil }
    let value = log(worth / closingValue) + years * expandedAt
    let inverse = 1 / moments[0]
    let one = moments[1] * inverse
    let two = moments[2] * inverse
    let three = moments[3] * inverse
    guard one + years > 0 else { return nil }
    let perSlope = moments[0] / (moments[1] + years * moments[0])
    let alpha = (two - one * one * (1 / 2)) * perSlope
    let beta = (three - one * two + one * one * one * (1 / 3)) * perSlope
    // The cubic's inverse series: no division, and the iteration forgives the rest.
    let linear = -value * perSlope
    return linear * ((1 - linear * alpha) + linear * linear * (2 * alpha * alpha - beta))
  }
}

/// The exact sum of one date's amounts, and of their magnitudes.
struct DoubleDoubleNet: Sendable, Hashable {
  var high = 0.0
  var low = 0.0
  var gross = 0.0

  /// Whether nothing is left but what the conversion of decimals to doubles can leave.
  var isDust: Bool { abs(high) <= 4 * ulp * gross }

  mutating func add(_ amount: Double) {
    let total = DoubleDouble.sum(high, amount)
    let net = DoubleDouble.sum(total.high, total.low + low)
    high = net.high
    low = net.low
    gross += abs(amount)
  }
}
