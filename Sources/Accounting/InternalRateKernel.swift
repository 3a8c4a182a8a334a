import Glibc

/// Present values of payments and receipts, and the search for the growth at which they are equal.
///
/// With P and N the present values of the receipts and of the payments, the search is for the zero
/// of h(x) = ln P − ln N, x being the growth in a unit of time. For an orderly series h is nearly
/// a straight line; for two flows it is one.
struct FlowSums: ~Copyable {
  /// First all flows of one sign, then all of the other.
  private var units: UnsafeMutablePointer<Int32>
  private var amounts: UnsafeMutablePointer<Double>
  private var capacity: Int
  private var count = 0
  private var firstCount = 0
  private var earliest: Int32 = 0
  private var latest: Int32 = 0
  private var firstSign = -1.0

  /// q^0 … q^63 and q^0, q^64, q^128 …
  private let lowPowers: UnsafeMutablePointer<Double>
  private var highPowers: UnsafeMutablePointer<Double>
  private var highCapacity: Int

  init() {
    capacity = 64
    highCapacity = 64
    units = .allocate(capacity: capacity)
    amounts = .allocate(capacity: capacity)
    lowPowers = .allocate(capacity: 64)
    highPowers = .allocate(capacity: highCapacity)
  }

  deinit {
    units.deallocate()
    amounts.deallocate()
    lowPowers.deallocate()
    highPowers.deallocate()
  }

  /// Takes a series whose sign changes once: it lies split already.
  mutating func splitAtChange(of series: borrowing FlowSeries) {
    reserve(series)
    let sign = series.high[0] < 0
    firstSign = sign ? -1 : 1
    firstCount = 0
    for index in 0..<series.count {
      let amount = series.high[index]
      units[index] = series.units[index]
      amounts[index] = abs(amount)
      if (amount < 0) == sign { firstCount += 1 }
    }
  }

  /// Takes any series and sorts it by sign.
  mutating func split(_ series: borrowing FlowSeries) {
    reserve(series)
    firstSign = -1
    firstCount = 0
    for index in 0..<series.count where series.high[index] < 0 {
      units[firstCount] = series.units[index]
      amounts[firstCount] = -series.high[index]
      firstCount += 1
    }
    var next = firstCount
    for index in 0..<series.count where series.high[index] > 0 {
      units[next] = series.units[index]
      amounts[next] = series.high[index]
      next += 1
    }
  }

  private mutating func reserve(_ series: borrowing FlowSeries) {
    count = series.count
    earliest = series.units[0]
    latest = series.units[count - 1]
    if count > capacity {
      capacity = count * 2
      units.deallocate()
      amounts.deallocate()
      units = .allocate(capacity: capacity)
      amounts = .allocate(capacity: capacity)
    }
    let needed = Int(latest - earliest) / 64 + 1
    if needed > highCapacity {
      highCapacity = needed * 2
      highPowers.deallocate()
      highPowers = .allocate(capacity: highCapacity)
    }
  }

  /// h, its first two derivatives by x, and a bound on the error of h.
  struct Balance {
    var value: Double
    var slope: Double
    var curvature: Double
    var error: Double
  }

  /// Above so many flows a table of powers is cheaper than an exponential for each.
  private static let tableThreshold = 12

  /// h at x, with its derivatives.
  mutating func balance(at rate: Double) -> Balance {
    let decay = abs(rate)
    let base = rate >= 0 ? earliest : latest
    let direction: Int32 = rate >= 0 ? 1 : -1
    let first: Moments
    let second: Moments
    let span = Int(latest - earliest)
    var error = decay * Double(span)
    if rate == 0 {
      first = Moments(units, amounts, firstCount, base, direction) { _ in 1 }
      second = Moments(
        units + firstCount, amounts + firstCount, count - firstCount, base, direction) { _ in 1 }
    } else if count < Self.tableThreshold || span > 64 * count {
      first = Moments(units, amounts, firstCount, base, direction) { exp(-decay * Double($0)) }
      second = Moments(
        units + firstCount, amounts + firstCount, count - firstCount, base, direction
      ) { exp(-decay * Double($0)) }
      error += 4
    } else {
      fillPowers(decay, span: span)
      let (lows, highs) = (lowPowers, highPowers)
      first = Moments(units, amounts, firstCount, base, direction) {
        lows[Int($0 & 63)] * highs[Int($0 >> 6)]
      }
      second = Moments(
        units + firstCount, amounts + firstCount, count - firstCount, base, direction
      ) { lows[Int($0 & 63)] * highs[Int($0 >> 6)] }
      error += 92
    }
    let ratio = second.sum / first.sum
    let value = InternalRateKernel.logarithm(ratio)
    let firstMean = first.first / first.sum
    let secondMean = second.first / second.sum
    let firstSpread = first.second / first.sum - firstMean * firstMean
    let secondSpread = second.second / second.sum - secondMean * secondMean
    let sign = -firstSign
    // Net, product and summation of either sum; then the ratio and its logarithm.
    let bound = (2 * (error + 3) + Double(count) / 2 + 6 + 2 * abs(value)) * ulp
    return Balance(
      value: sign * value, slope: sign * Double(direction) * (firstMean - secondMean),
      curvature: sign * (secondSpread - firstSpread), error: bound)
  }

  /// Powers of q = e^(−decay), each within 44u + its exponent's rounding.
  ///
  /// Anchors from their own exponentials (their arguments are exact: powers of two), and at most
  /// seven multiplications from an anchor to a neighbour.
  private mutating func fillPowers(_ decay: Double, span: Int) {
    Self.fill(lowPowers, count: 64, step: decay)
    Self.fill(highPowers, count: span / 64 + 1, step: decay * 64)
  }

  private static func fill(
    _ table: UnsafeMutablePointer<Double>, count: Int, step: Double
  ) {
    let one = exp(-step)
    let two = one * one
    let three = two * one
    let four = two * two
    let eight = exp(-8 * step)
    var anchor = 1.0
    var start = 0
    while start + 8 <= count {
      if start & 63 == 0, start > 0 { anchor = exp(-step * Double(start)) }
      let middle = anchor * four
      table[start] = anchor
      table[start + 1] = anchor * one
      table[start + 2] = anchor * two
      table[start + 3] = anchor * three
      table[start + 4] = middle
      table[start + 5] = middle * one
      table[start + 6] = middle * two
      table[start + 7] = middle * three
      anchor *= eight
      start += 8
    }
    if start & 63 == 0, start > 0, start < count { anchor = exp(-step * Double(start)) }
    while start < count {
      table[start] = anchor
      anchor *= one
      start += 1
    }
  }
}

extension FlowSums {
  /// The zero of h, by Halley's iteration inside a bracket that every evaluation narrows.
  ///
  /// - Parameters:
  ///   - bracket: Growths in a unit between which the root lies; nil if it is unique.
  ///   - leftSign: The sign of h below the root.
  mutating func root(
    startingAt bracket: (low: Double, high: Double)?, leftSign: Int, unitsPerYear: Double
  ) -> ApproximateRoot {
    var low = bracket?.low ?? -Double.infinity
    var high = bracket?.high ?? Double.infinity
    var rate = bracket.map { $0.low + ($0.high - $0.low) / 2 } ?? 0
    var previous = Double.infinity
    var reach = 0.1 / unitsPerYear
    let span = Double(latest - earliest)
    for _ in 0..<200 {
      let here = balance(at: rate)
      let isBelow = here.value.isNaN ? false : (here.value > 0) == (leftSign > 0)
      let step = InternalRateKernel.halley(here)
      let next = rate + step
      // Small steps are tested before the bracket: at the root itself the step is 0 and lands on
      // an end of the bracket, which must not count as leaving it.
      let remainder = InternalRateKernel.halleyRemainder(here, step: step, span: span)
      if remainder * unitsPerYear <= 1e-15 || abs(step) <= 2 * ulp * abs(rate) {
        // h's own error, over the slope; twice, since the slope is that of a neighbour.
        var error = 2 * here.error / abs(here.slope) + 2 * remainder + 3 * ulp * abs(next)
        error = min(error, max(high - low, 0) + abs(step))
        return ApproximateRoot(growth: next * unitsPerYear, error: error * unitsPerYear)
      }
      if isBelow { low = rate } else { high = rate }
      if high - low < .infinity, high - low <= 4 * ulp * max(abs(low), abs(high)) {
        return ApproximateRoot(
          growth: (low + (high - low) / 2) * unitsPerYear, error: (high - low) * unitsPerYear)
      }
      let stalled = abs(here.value) > previous / 2
      previous = abs(here.value)
      if next > low, next < high, !stalled {
        rate = next
      } else if low.isInfinite || high.isInfinite {
        rate += isBelow ? reach : -reach
        reach *= 2
        previous = .infinity
      } else {
        rate = low + (high - low) / 2
        previous = .infinity
      }
    }
    return ApproximateRoot(
      growth: (low + (high - low) / 2) * unitsPerYear, error: (high - low) * unitsPerYear)
  }
}

/// Sums of amount × weight × distance^k over flows of one sign, k = 0, 1, 2.
private struct Moments {
  var sum: Double
  var first: Double
  var second: Double

  /// - Parameter weight: The present value of 1 at a distance from the base.
  @inline(__always) init(
    _ units: UnsafeMutablePointer<Int32>, _ amounts: UnsafeMutablePointer<Double>, _ count: Int,
    _ base: Int32, _ direction: Int32, weight: (Int32) -> Double
  ) {
    var (sumA, firstA, secondA) = (0.0, 0.0, 0.0)
    var (sumB, firstB, secondB) = (0.0, 0.0, 0.0)
    var index = 0
    while index + 1 < count {
      let distanceA = (units[index] - base) * direction
      let distanceB = (units[index + 1] - base) * direction
      let valueA = amounts[index] * weight(distanceA)
      let valueB = amounts[index + 1] * weight(distanceB)
      let timeA = Double(distanceA)
      let timeB = Double(distanceB)
      sumA += valueA
      sumB += valueB
      firstA += valueA * timeA
      firstB += valueB * timeB
      secondA += valueA * timeA * timeA
      secondB += valueB * timeB * timeB
      index += 2
    }
    if index < count {
      let distance = (units[index] - base) * direction
      let value = amounts[index] * weight(distance)
      let time = Double(distance)
      sumA += value
      firstA += value * time
      secondA += value * time * time
    }
    sum = sumA + sumB
    first = firstA + firstB
    second = secondA + secondB
  }
}

/// The arithmetic of a step.
enum InternalRateKernel {
  @inline(__always) static func logarithm(_ value: Double) -> Double { log(value) }

  @inline(__always) static func exponential(_ value: Double) -> Double { exp(value) }

  /// The step of Halley's iteration, which converges cubically; NaN where h is not finite.
  @inline(__always) static func halley(_ here: FlowSums.Balance) -> Double {
    let newton = here.value / here.slope
    let correction = 1 - newton * here.curvature / (2 * here.slope)
    // A correction beyond a factor of two says that the parabola is no guide here.
    return correction > 0.5 && correction < 2 ? -newton / correction : -newton
  }

  /// A bound on the distance from the root after a small step.
  ///
  /// The error constant of Halley's iteration is (h″/2h′)² − h‴/6h′, and |h‴| is at most twice
  /// span³ / (6√3), the largest third central moment on an interval. The factor 2 covers the
  /// change of the derivatives along the step, which `span · |step| ≤ 0.01` keeps to a few
  /// per cent.
  @inline(__always) static func halleyRemainder(
    _ here: FlowSums.Balance, step: Double, span: Double
  ) -> Double {
    guard span * abs(step) <= 0.01 else { return .infinity }
    let bend = here.curvature / (2 * here.slope)
    let constant = bend * bend + 0.0325 * span * span * span / abs(here.slope)
    return 2 * constant * abs(step) * abs(step) * abs(step)
  }
}
