import Glibc

/// Present values of payments and receipts, and the search for the growth at which they are equal.
///
/// With P and N the present values of the receipts and of the payments, the search is for the zero
/// of h(x) = ln P − ln N, x being the growth in a unit of time. For an orderly series h is nearly
/// a straight line; for two flows it is one.
struct FlowSums: ~Copyable {
  /// First all flows of one sign, then all of the other: borrowed from the series, or its copy.
  private var units: UnsafeMutablePointer<Int32>
  private var amounts: UnsafeMutablePointer<Double>
  private var ownUnits: UnsafeMutablePointer<Int32>
  private var ownAmounts: UnsafeMutablePointer<Double>
  private var capacity: Int
  private var count = 0
  private var firstCount = 0
  private var earliest: Int32 = 0
  private var latest: Int32 = 0
  private var firstSign = -1.0

  /// The powers q^0 … q^63, and q^0, q^64, q^128 and so on.
  private let lowPowers: UnsafeMutablePointer<Double>
  private var highPowers: UnsafeMutablePointer<Double>
  private var highCapacity: Int

  init() {
    capacity = 64
    highCapacity = 64
    ownUnits = .allocate(capacity: capacity)
    ownAmounts = .allocate(capacity: capacity)
    units = ownUnits
    amounts = ownAmounts
    lowPowers = .allocate(capacity: 64)
    highPowers = .allocate(capacity: highCapacity)
  }

  deinit {
    ownUnits.deallocate()
    ownAmounts.deallocate()
    lowPowers.deallocate()
    highPowers.deallocate()
  }

  /// Takes a series whose sign changes once: it lies split already.
  ///
  /// The series must stay as it is while these sums are used.
  mutating func splitAtChange(of series: borrowing FlowSeries) {
    reserve(series)
    units = series.units
    amounts = series.high
    firstCount = series.firstChange
    firstSign = series.high[0] < 0 ? -1 : 1
  }

  /// Takes any series and sorts it by sign.
  mutating func split(_ series: borrowing FlowSeries) {
    reserve(series)
    if count > capacity {
      capacity = count * 2
      ownUnits.deallocate()
      ownAmounts.deallocate()
      ownUnits = .allocate(capacity: capacity)
      ownAmounts = .allocate(capacity: capacity)
    }
    units = ownUnits
    amounts = ownAmounts
    firstSign = -1
    firstCount = 0
    for index in 0..<series.count where series.high[index] < 0 {
      units[firstCount] = series.units[index]
      amounts[firstCount] = series.high[index]
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
    let needed = Int(latest - earliest) / 64 + 1
    if needed > highCapacity {
      highCapacity = needed * 2
      highPowers.deallocate()
      highPowers = .allocate(capacity: highCapacity)
    }
  }

  /// The value of h, its first three derivatives by x, and a bound on the error of h.
  struct Balance {
    var value: Double
    var slope: Double
    var curvature: Double
    var third: Double
    /// Known only at x = 0, where it costs no exponential.
    var fourth = 0.0
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
    let (rest, restCount) = (firstCount, count - firstCount)
    if rate == 0 {
      first = Moments(units, amounts, firstCount, base, direction, fourth: true) { _ in 1 }
      second = Moments(
        units + rest, amounts + rest, restCount, base, direction, fourth: true
      ) { _ in 1 }
    } else if count < Self.tableThreshold || span > 64 * count {
      first = Moments(units, amounts, firstCount, base, direction) { exp(-decay * Double($0)) }
      second = Moments(units + rest, amounts + rest, restCount, base, direction) {
        exp(-decay * Double($0))
      }
      error += 4
    } else {
      fillPowers(decay, span: span)
      let (lows, highs) = (lowPowers, highPowers)
      first = Moments(units, amounts, firstCount, base, direction) {
        lows[Int(truncatingIfNeeded: $0 & 63)] * highs[Int(truncatingIfNeeded: $0 >> 6)]
      }
      second = Moments(units + rest, amounts + rest, restCount, base, direction) {
        lows[Int(truncatingIfNeeded: $0 & 63)] * highs[Int(truncatingIfNeeded: $0 >> 6)]
      }
      error += 92
    }
    let value = InternalRateKernel.logarithm(-second.sum / first.sum)
    let one = first.cumulants()
    let two = second.cumulants()
    let sign = -firstSign
    // Sums this small have lost digits to underflow: only their order can be trusted.
    let odd = min(abs(first.sum), abs(second.sum)) < 1e-285 ? .nan : sign * Double(direction)
    // Net, product and summation of either sum; then the ratio and its logarithm.
    let bound = (2 * (error + 3) + Double(count) / 2 + 6 + 2 * abs(value)) * ulp
    return Balance(
      value: sign * value, slope: odd * (one.mean - two.mean),
      curvature: sign * (two.second - one.second), third: odd * (one.third - two.third),
      fourth: rate == 0 ? sign * (two.fourth - one.fourth) : 0, error: bound)
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
  /// The zero of h, by steps on its Taylor polynomial inside a bracket that every visit narrows.
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
      let perSlope = 1 / here.slope
      let step = InternalRateKernel.step(here, perSlope: perSlope)
      let next = rate + step
      // Small steps are tested before the bracket: at the root itself the step is 0 and lands on
      // an end of the bracket, which must not count as leaving it.
      let remainder = InternalRateKernel.remainder(
        here, perSlope: perSlope, step: step, span: span)
      if remainder * unitsPerYear <= 1e-15 || abs(step) <= 2 * ulp * abs(rate) {
        // h's own error, over the slope; twice, since the slope is that of a neighbour.
        var error = 2 * here.error * abs(perSlope) + 2 * remainder + 3 * ulp * abs(next)
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

/// Sums of amount × weight × distance^k over flows of one sign, k = 0 … 4.
private struct Moments {
  var sum = 0.0
  private var first = 0.0
  private var second = 0.0
  private var third = 0.0
  private var fourth = 0.0

  /// - Parameters:
  ///   - fourth: Whether the fourth power is wanted.
  ///   - weight: The present value of 1 at a distance from the base.
  @inline(__always) init(
    _ units: UnsafeMutablePointer<Int32>, _ amounts: UnsafeMutablePointer<Double>, _ count: Int,
    _ base: Int32, _ direction: Int32, fourth wantsFourth: Bool = false,
    weight: (Int32) -> Double
  ) {
    var odd = Moments()
    // Negates where the direction is −1, without a multiplication.
    let mask = direction >> 1
    // Wrapping arithmetic: distances are within the span, which `Int32` holds.
    var index = 0
    while index &+ 1 < count {
      let distance = ((units[index] &- base) ^ mask) &- mask
      add(amounts[index] * weight(distance), distance, wantsFourth)
      let next = ((units[index &+ 1] &- base) ^ mask) &- mask
      odd.add(amounts[index &+ 1] * weight(next), next, wantsFourth)
      index &+= 2
    }
    if index < count {
      let distance = ((units[index] &- base) ^ mask) &- mask
      add(amounts[index] * weight(distance), distance, wantsFourth)
    }
    sum += odd.sum
    first += odd.first
    second += odd.second
    third += odd.third
    fourth += odd.fourth
  }

  private init() {}

  @inline(__always) private mutating func add(
    _ value: Double, _ distance: Int32, _ wantsFourth: Bool
  ) {
    let time = Double(distance)
    let square = time * time
    let moment = value * time
    sum += value
    first += moment
    second += value * square
    third += moment * square
    if wantsFourth { fourth += value * square * square }
  }

  /// The mean, variance, third and fourth cumulant of the times, weighted by value.
  @inline(__always) func cumulants() -> (
    mean: Double, second: Double, third: Double, fourth: Double
  ) {
    let inverse = 1 / sum
    let mean = first * inverse
    let two = second * inverse
    let three = third * inverse
    let four = fourth * inverse
    let square = mean * mean
    let variance = two - square
    return (
      mean, variance, three - 3 * mean * two + 2 * mean * square,
      four - 4 * mean * three - 3 * two * two + 12 * two * square - 6 * square * square
    )
  }
}

/// The arithmetic of a step.
enum InternalRateKernel {
  @inline(__always) static func logarithm(_ value: Double) -> Double { log(value) }

  /// The step to the zero of h's Taylor polynomial; NaN where h is not finite.
  ///
  /// Newton's iteration on the polynomial costs no flow a visit. Where the polynomial bends away,
  /// the step is Newton's own.
  @inline(__always) static func step(
    _ here: FlowSums.Balance, perSlope inverse: Double
  ) -> Double {
    let newton = -here.value * inverse
    let (two, three) = (here.curvature * (1 / 2), here.third * (1 / 6))
    let four = here.fourth * (1 / 24)
    let (a, b, c) = (two * inverse, three * inverse, four * inverse)
    let bend = abs(newton * a)
    var step = newton
    var visits = 3
    if bend < 0.15 {
      // The polynomial's inverse series, which needs no division.
      let square = a * a
      step =
        newton
        * (1 - newton * (a - newton * (2 * square - b - newton * (a * (5 * square - 5 * b) + c))))
      // The first term left out is below 1e-15 of the step.
      if bend < 1e-5 { return step }
      visits = 1
    }
    for _ in 0..<visits {
      let value =
        here.value + step * (here.slope + step * (two + step * (three + step * four)))
      let slope = here.slope + step * (2 * two + step * (3 * three + step * 4 * four))
      step -= value / slope
    }
    return abs(step) < 2 * abs(newton) && step * newton >= 0 ? step : newton
  }

  /// A bound on the distance from the root after a small step.
  ///
  /// The step leaves h⁗ s⁴ / 24 of h, and what its polynomial is worth there, over the slope.
  /// |h⁗| is at most twice span⁴ / 8, the largest fourth cumulant on an interval; the factor 2
  /// covers the change of the slope along the step, which `span · |step| ≤ 0.01` keeps to a few
  /// per cent where the bound is of use.
  @inline(__always) static func remainder(
    _ here: FlowSums.Balance, perSlope: Double, step: Double, span: Double
  ) -> Double {
    let reach = span * abs(step)
    guard reach <= 0.01 else { return .infinity }
    // Where the curvature could turn the slope within the step, no bound holds.
    guard abs(here.curvature * step) <= 0.1 * abs(here.slope) else { return .infinity }
    // What the step leaves of the polynomial itself: nearly nothing, unless its search went astray
    // and was small by accident.
    let left =
      here.value + step
      * (here.slope + step * (here.curvature * (1 / 2) + step * here.third * (1 / 6)))
    return ((reach * reach) * (reach * reach) * (1 / 48) + 2 * abs(left)) * abs(perSlope)
  }
}
