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
  /// What the amounts are worth at the growth being looked at.
  private var values: UnsafeMutablePointer<Double>
  private var valueCapacity: Int

  init() {
    capacity = 64
    highCapacity = 64
    valueCapacity = 64
    ownUnits = .allocate(capacity: capacity)
    ownAmounts = .allocate(capacity: capacity)
    units = ownUnits
    amounts = ownAmounts
    lowPowers = .allocate(capacity: 64)
    highPowers = .allocate(capacity: highCapacity)
    values = .allocate(capacity: valueCapacity)
  }

  deinit {
    ownUnits.deallocate()
    ownAmounts.deallocate()
    lowPowers.deallocate()
    highPowers.deallocate()
    values.deallocate()
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
    if count > valueCapacity {
      valueCapacity = count * 2
      values.deallocate()
      values = .allocate(capacity: valueCapacity)
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
    /// Whether x = 0.
    var isStart: Bool
    var error: Double
  }

  /// Above so many flows a table of powers is cheaper than an exponential for each.
  private static let tableThreshold = 18

  /// h at x, with its derivatives.
  private mutating func balance(at rate: Double) -> Balance {
    let axis = Axis(base: rate >= 0 ? earliest : latest, direction: rate >= 0 ? 1 : -1)
    let isStart = rate == 0
    let isSparse = count < Self.tableThreshold || Int(latest - earliest) > 64 * count
    var error = abs(rate) * Double(latest - earliest)
    let first: Moments
    let second: Moments
    let (rest, restCount) = (firstCount, count - firstCount)
    if isStart || isSparse {
      let values = isStart ? amounts : presentValues(at: abs(rate), axis)
      first = Moments(units, values, firstCount, axis, fourth: isStart) { _ in 1 }
      second = Moments(units + rest, values + rest, restCount, axis, fourth: isStart) { _ in 1 }
      error += isStart ? 0 : 4
    } else {
      fillPowers(abs(rate))
      let (lows, highs) = (lowPowers, highPowers)
      let power: (Int32) -> Double = {
        lows[Int(truncatingIfNeeded: $0 & 63)] * highs[Int(truncatingIfNeeded: $0 >> 6)]
      }
      first = Moments(units, amounts, firstCount, axis, weight: power)
      second = Moments(units + rest, amounts + rest, restCount, axis, weight: power)
      error += 92
    }
    let value = InternalRateKernel.logarithm(-second.sum / first.sum)
    let one = first.cumulants()
    let two = second.cumulants()
    let sign = -firstSign
    // Sums this small have lost digits to underflow: only their order can be trusted.
    let odd = min(abs(first.sum), abs(second.sum)) < 1e-285 ? .nan : sign * Double(axis.direction)
    // Net, product and summation of either sum; then the ratio and its logarithm.
    let bound = (2 * (error + 3) + Double(count) / 2 + 6 + 2 * abs(value)) * ulp
    return Balance(
      value: sign * value, slope: odd * (one.mean - two.mean),
      curvature: sign * (two.second - one.second), third: odd * (one.third - two.third),
      fourth: isStart ? sign * (two.fourth - one.fourth) : 0, isStart: isStart,
      error: bound)
  }

  /// Every amount times e^(−decay · distance), each with an exponential of its own.
  @inline(__always) private func presentValues(
    at decay: Double, _ axis: Axis
  ) -> UnsafeMutablePointer<Double> {
    for index in 0..<count {
      values[index] = amounts[index] * exp(-decay * Double(axis.distance(units[index])))
    }
    return values
  }

  /// Powers of q = e^(−decay), each within 44u + its exponent's rounding.
  ///
  /// Anchors from their own exponentials (their arguments are exact: powers of two), and at most
  /// seven multiplications from an anchor to a neighbour.
  private mutating func fillPowers(_ decay: Double) {
    Self.fill(lowPowers, count: 64, step: decay)
    Self.fill(highPowers, count: Int(latest - earliest) / 64 + 1, step: decay * 64)
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
      // Either is as likely: a choice of values, which no branch has to foresee.
      let isBelow = !here.value.isNaN && (here.value > 0) == (leftSign > 0)
      low = isBelow ? rate : low
      high = isBelow ? high : rate
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

/// Where distances are counted from: the end at which no present value exceeds its amount.
private struct Axis {
  var base: Int32
  /// 1 from the first flow on, −1 from the last one back.
  var direction: Int32

  @inline(__always) func distance(_ unit: Int32) -> Int32 {
    // Negates where the direction is −1, without a multiplication. Distances are within the span,
    // which `Int32` holds.
    let mask = direction >> 1
    return ((unit &- base) ^ mask) &- mask
  }
}

/// Sums of value × distance^k over flows of one sign, k = 0 … 4.
private struct Moments {
  private(set) var sum = 0.0
  private var first = 0.0
  private var second = 0.0
  private var third = 0.0
  private var fourth = 0.0

  /// - Parameters:
  ///   - wantsFourth: Whether the fourth power is wanted.
  ///   - weight: The factor of a value at a distance.
  @inline(__always) init(
    _ units: UnsafeMutablePointer<Int32>, _ values: UnsafeMutablePointer<Double>, _ count: Int,
    _ axis: Axis, fourth wantsFourth: Bool = false, weight: (Int32) -> Double
  ) {
    // Two flows at a time, side by side: said here, since the compiler's own choice of what goes
    // side by side costs more than it saves.
    var pairs = PairSums()
    var index = 0
    while index &+ 1 < count {
      let one = axis.distance(units[index])
      let two = axis.distance(units[index &+ 1])
      pairs.add(
        SIMD2(values[index], values[index &+ 1]) * SIMD2(weight(one), weight(two)),
        SIMD2(Double(one), Double(two)), wantsFourth)
      index &+= 2
    }
    if index < count {
      let last = axis.distance(units[index])
      pairs.add(SIMD2(values[index] * weight(last), 0), SIMD2(Double(last), 0), wantsFourth)
    }
    sum = pairs.sum.sum()
    first = pairs.first.sum()
    second = pairs.second.sum()
    third = pairs.third.sum()
    fourth = pairs.fourth.sum()
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

/// The sums of the flows in even places, and of those in odd ones.
private struct PairSums {
  var sum = SIMD2<Double>.zero
  var first = SIMD2<Double>.zero
  var second = SIMD2<Double>.zero
  var third = SIMD2<Double>.zero
  var fourth = SIMD2<Double>.zero

  @inline(__always) mutating func add(
    _ value: SIMD2<Double>, _ time: SIMD2<Double>, _ wantsFourth: Bool
  ) {
    let square = time * time
    let moment = value * time
    sum += value
    first += moment
    second += value * square
    third += moment * square
    if wantsFourth { fourth += value * square * square }
  }
}
