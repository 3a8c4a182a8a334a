import Glibc

// Series whose sign changes more than once.
//
// Most of them are what Soper (1959) called pure investments: at the root x the running balance
// B_k = Σ_(i≤k) a_i e^(−x t_i) has one sign until it ends at 0. Then the root is the only one,
// since by partial summation Σ a_i e^(−(x+y) t_i) = Σ_(k<n) B_k (e^(−y t_k) − e^(−y t_(k+1))),
// which has the sign of B for every y > 0 and the other for every y < 0.
//
// For the rest all roots are isolated. The search ends where Laguerre's rule (1883) says that
// nothing lies beyond: there are at most as many roots above x as sign changes in the running
// balances at x, and at most as many below as in the balances run backwards from the end.
// (Descartes' rule is the case x = −∞, Norstrøm's condition the case of one change at x = 0.)
// In between, intervals are halved until the sum of present values, or its slope, is further from
// zero in the middle than it can move to either end: no root, or exactly one if the signs differ.

/// What bounds the roots beyond one growth.
private struct Variation {
  /// At most so many roots lie above.
  var above: Int
  /// At most so many roots lie below.
  var below: Int
  /// The sign of the sum of present values; 0 if rounding hides it.
  var sign: Int
}

/// An interval of growth a unit that may hold roots, with the signs at its ends.
private struct Candidate {
  var low: Double
  var high: Double
  var lowSign: Int
  var highSign: Int

  var width: Double { high - low }
}

extension InternalRateSolver {
  /// The root nearest zero growth of a series with several sign changes, and their count.
  mutating func solveIrregular(unitsPerYear: Double) -> (growth: Double, roots: Int)? {
    sums.split(series)
    if let growth = pureInvestment(unitsPerYear: unitsPerYear) { return (growth, 1) }
    var found: [Double] = []
    for candidate in isolated() {
      if candidate.width == 0 {
        found.append(GrowthGrid.nearest(candidate.low * unitsPerYear))
        continue
      }
      let root = sums.root(
        startingAt: (candidate.low, candidate.high), leftSign: candidate.lowSign,
        unitsPerYear: unitsPerYear)
      found.append(
        rounded(root, leftSign: candidate.lowSign, unitsPerYear: unitsPerYear))
    }
    // Nearest zero growth; of a pair ±g, the gain.
    let nearest = found.min { (abs($0), -$0) < (abs($1), -$1) }
    return nearest.map { ($0, found.count) }
  }

  /// The only root, if a search finds one at which the balance keeps its sign until the end.
  private mutating func pureInvestment(unitsPerYear: Double) -> Double? {
    let leftSign = series.high[0] < 0 ? 1 : -1
    let root = sums.root(startingAt: nil, leftSign: leftSign, unitsPerYear: unitsPerYear)
    guard root.error < 1e-9 * max(1, abs(root.growth)) else { return nil }
    let growth = root.growth / unitsPerYear
    var (balance, gross) = (series.high[0], abs(series.high[0]))
    for index in 1..<series.count {
      guard abs(balance) > gross * Self.balanceNoise(index), (balance < 0) == (leftSign > 0)
      else { return nil }
      let factor = exp(growth * Double(series.units[index] - series.units[index - 1]))
      guard factor < 1e200, factor > 1e-200 else { return nil }
      balance = balance * factor + series.high[index]
      gross = gross * factor + abs(series.high[index])
    }
    // The search was for a root: make sure that it is one.
    guard abs(balance) <= gross * 1e-9 else { return nil }
    return rounded(root, leftSign: leftSign, unitsPerYear: unitsPerYear)
  }

  /// How much of the gross flows a running balance may owe to rounding.
  private static func balanceNoise(_ index: Int) -> Double { Double(4 * index + 16) * ulp }

  /// So many intervals are examined before the search settles for what the signs tell.
  private static let intervalLimit = 20_000

  /// Intervals with exactly one root each; one of no width is a root of even order.
  private func isolated() -> [Candidate] {
    let span = Double(series.span)
    var pending = searchRange()
    var isolated: [Candidate] = []
    var looked = 0
    while let candidate = pending.popLast() {
      let differ = candidate.lowSign * candidate.highSign
      looked += 1
      if looked > Self.intervalLimit {
        // No published case comes near. The signs at the ends still find every odd root.
        if differ < 0 { isolated.append(candidate) }
        continue
      }
      let motion = motion(over: candidate)
      if motion.keepsSign { continue }
      if motion.isMonotone, differ != 0 {
        if differ < 0 { isolated.append(candidate) }
        continue
      }
      if candidate.width * span < 1e-6 || candidate.width < 1e-12 * abs(candidate.low) {
        isolated += close(candidate)
        continue
      }
      let split = candidate.low + 0.487_1 * candidate.width
      let sign = variation(at: split).sign
      pending.append(
        Candidate(
          low: candidate.low, high: split, lowSign: candidate.lowSign, highSign: sign))
      pending.append(
        Candidate(
          low: split, high: candidate.high, lowSign: sign, highSign: candidate.highSign))
    }
    return isolated
  }

  /// Two intervals outside which no root lies.
  private func searchRange() -> [Candidate] {
    let span = Double(series.span)
    // Not 0: that is where the roots of round numbers lie.
    let middle = 0.001_234_567 / span
    let atMiddle = variation(at: middle)
    var (low, high) = (middle, middle)
    var (atLow, atHigh) = (atMiddle, atMiddle)
    var reach = 1 / span
    while atHigh.above > 0, reach < 1e6 {
      high = middle + reach
      atHigh = variation(at: high)
      reach *= 2
    }
    reach = 1 / span
    while atLow.below > 0, reach < 1e6 {
      low = middle - reach
      atLow = variation(at: low)
      reach *= 2
    }
    return [
      Candidate(low: middle, high: high, lowSign: atMiddle.sign, highSign: atHigh.sign),
      Candidate(low: low, high: middle, lowSign: atLow.sign, highSign: atMiddle.sign),
    ].filter { $0.width > 0 }
  }

  /// Counts the sign changes of the balances run forwards and backwards.
  private func variation(at rate: Double) -> Variation {
    let count = series.count
    var counter = SignCounter()
    var sign = 0
    for index in 0..<count {
      let gap = index == 0 ? 0 : Double(series.units[index] - series.units[index - 1])
      counter.grow(by: exp(rate * gap), add: series.high[index])
      sign = counter.note(noise: Self.balanceNoise(index))
    }
    let above = counter.changes
    counter = SignCounter()
    for index in stride(from: count - 1, through: 0, by: -1) {
      let gap = index == count - 1 ? 0 : Double(series.units[index + 1] - series.units[index])
      counter.grow(by: exp(-rate * gap), add: series.high[index])
      _ = counter.note(noise: Self.balanceNoise(count - index))
    }
    return Variation(above: above, below: counter.changes, sign: sign)
  }

  /// Whether the sum of present values, and whether its slope, is further from zero in the middle
  /// of an interval than it can move to either end.
  private func motion(over candidate: Candidate) -> (keepsSign: Bool, isMonotone: Bool) {
    let half = candidate.width / 2
    let middle = candidate.low + half
    let base = middle >= 0 ? series.units[0] : series.units[series.count - 1]
    var (gross, weighted) = (0.0, 0.0)
    for index in 0..<series.count {
      let time = Double(series.units[index] - base)
      let value = abs(series.high[index]) * exp(-middle * time)
      gross += value
      weighted += value * time
    }
    // Seen from the mean date, the sum changes least. The factor e^(x·centre) moves no root.
    let centre = weighted / gross
    var (total, change, slope, slopeChange, slopeGross) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for index in 0..<series.count {
      let time = Double(series.units[index] - base)
      let value = series.high[index] * exp(-middle * time)
      let distance = time - centre
      let reach = half * abs(distance)
      // Far away as one exponential: a product would be 0 × ∞.
      let moved =
        reach < 1
        ? abs(value) * expm1(reach) : abs(series.high[index]) * exp(reach - middle * time)
      total += value
      change += moved
      slope -= value * distance
      slopeGross += abs(value * distance)
      slopeChange += moved * abs(distance)
    }
    let noise = Self.balanceNoise(series.count)
    return (
      abs(total) > change + gross * noise, abs(slope) > slopeChange + slopeGross * noise
    )
  }

  /// Two roots a hair apart, one of even order, one, or none: the sign at the extremum tells.
  private func close(_ candidate: Candidate) -> [Candidate] {
    var settled = candidate
    settled.lowSign = series.sign(atGrowth: candidate.low, over: 1)
    settled.highSign = series.sign(atGrowth: candidate.high, over: 1)
    if settled.lowSign * settled.highSign < 0 { return [settled] }
    let extremum = extremum(from: candidate.low, to: candidate.high)
    guard extremum > candidate.low, extremum < candidate.high else { return [] }
    let (total, gross) = series.presentValue(at: DoubleDouble(extremum))
    let sign = total.high < 0 ? -1 : 1
    // Zero to 25 digits: the sum touches zero without crossing it.
    if abs(total.high) <= gross * 1e-25 {
      settled.low = extremum
      settled.high = extremum
      return [settled]
    }
    guard sign * settled.lowSign < 0 else { return [] }
    return [
      Candidate(low: settled.low, high: extremum, lowSign: settled.lowSign, highSign: sign),
      Candidate(low: extremum, high: settled.high, lowSign: sign, highSign: settled.highSign),
    ]
  }

  /// Where ln P − ln N is level, by bisection of its slope.
  private func extremum(from low: Double, to high: Double) -> Double {
    var (low, high) = (low, high)
    let rising = slope(at: low) > 0
    guard (slope(at: high) > 0) != rising else { return low }
    for _ in 0..<60 {
      let middle = low + (high - low) / 2
      if (slope(at: middle) > 0) == rising { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
  }

  /// The slope of ln P − ln N: the mean time of the payments less that of the receipts.
  private func slope(at rate: Double) -> Double {
    let base = rate >= 0 ? series.units[0] : series.units[series.count - 1]
    var (paid, paidTime, received, receivedTime) = (0.0, 0.0, 0.0, 0.0)
    for index in 0..<series.count {
      let time = Double(series.units[index] - base)
      let value = series.high[index] * exp(-rate * time)
      if value < 0 {
        paid -= value
        paidTime -= value * time
      } else {
        received += value
        receivedTime += value * time
      }
    }
    return paidTime / paid - receivedTime / received
  }
}

/// A running balance and how often its sign has changed.
private struct SignCounter {
  var changes = 0
  private var balance = 0.0
  private var gross = 0.0
  private var last = 0

  mutating func grow(by factor: Double, add amount: Double) {
    // Beyond 1e250 the sign is settled for every amount that can follow.
    let factor = min(factor, 1e250)
    balance = max(-1e250, min(1e250, balance * factor)) + amount
    gross = min(1e250, gross * factor) + abs(amount)
  }

  /// Counts a change, unless rounding may have made it; returns the sign, 0 if uncertain.
  mutating func note(noise: Double) -> Int {
    guard abs(balance) > gross * noise else { return 0 }
    let sign = balance < 0 ? -1 : 1
    if last != 0, sign != last { changes += 1 }
    last = sign
    return sign
  }
}
