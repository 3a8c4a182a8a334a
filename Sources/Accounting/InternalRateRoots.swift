import Glibc

// Series whose sign changes more than once.
//
// The running balance of a series at growth x, B_k = B_(k−1) e^(x Δt) + a_k, carries more than the
// flows themselves. Laguerre (1883): the number of roots above x is at most the number of sign
// changes V(x) in B_0 … B_n, and differs from it by an even number; the same holds below x for
// balances run backwards from the end, W(x). V falls and W rises with x (the change from one x to
// another is a totally positive transform), so an interval (a, b) holds at most
// min(V(a) − V(b), W(b) − W(a)) roots. Bisection with these two counts isolates every root.
// Descartes' rule is V(−∞), Norstrøm's condition is V(0) = 1, and Soper's pure investment, the
// common case, is a root at which no balance before the last turns positive: then
// Σ a_i e^(−t_i(x+y)) = Σ B'_k (e^(−y t_k) − e^(−y t_(k+1))) has the sign of −y, so no other root.

/// The counts of sign changes at one growth.
private struct Variation {
  /// A bound on the number of roots above.
  var above: Int
  /// A bound on the number of roots below.
  var below: Int
  /// The sign of the sum of present values; 0 if rounding hides it.
  var sign: Int
}

/// An interval of growth a unit that may hold roots, with the counts at its ends.
private struct Candidate {
  var low: Double
  var high: Double
  var atLow: Variation
  var atHigh: Variation

  /// A bound on the number of roots inside.
  var bound: Int { min(atLow.above - atHigh.above, atHigh.below - atLow.below) }
}

extension InternalRateSolver {
  /// The root nearest zero growth of a series with several sign changes, and their count.
  mutating func solveIrregular(unitsPerYear: Double) -> (growth: Double, roots: Int)? {
    sums.split(series)
    if let growth = pureInvestment(unitsPerYear: unitsPerYear) { return (growth, 1) }
    var found: [Double] = []
    for candidate in isolated() {
      var sign = candidate.atLow.sign
      if candidate.low == candidate.high {
        let tangent = candidate.low * unitsPerYear
        found.append(GrowthGrid.nearest(tangent))
        continue
      }
      if sign == 0 { sign = series.sign(atGrowth: candidate.low, over: 1) }
      let root = sums.root(
        startingAt: (candidate.low, candidate.high), leftSign: sign, unitsPerYear: unitsPerYear)
      found.append(rounded(root, leftSign: sign, unitsPerYear: unitsPerYear))
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

  /// Intervals with exactly one root each; one whose ends are equal is a root of even order.
  private func isolated() -> [Candidate] {
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
    var pending = [
      Candidate(low: middle, high: high, atLow: atMiddle, atHigh: atHigh),
      Candidate(low: low, high: middle, atLow: atLow, atHigh: atMiddle),
    ]
    var isolated: [Candidate] = []
    while let candidate = pending.popLast() {
      guard candidate.bound > 0 else { continue }
      let (lowSign, highSign) = (candidate.atLow.sign, candidate.atHigh.sign)
      if candidate.bound == 1, lowSign * highSign < 0 {
        isolated.append(candidate)
        continue
      }
      if lowSign * highSign > 0, isEmpty(candidate) { continue }
      let width = candidate.high - candidate.low
      if width * span < 1e-6 || width < 1e-12 * abs(candidate.low) {
        isolated += close(candidate)
        continue
      }
      let split = candidate.low + 0.487_1 * width
      let atSplit = variation(at: split)
      pending.append(
        Candidate(low: candidate.low, high: split, atLow: candidate.atLow, atHigh: atSplit))
      pending.append(
        Candidate(low: split, high: candidate.high, atLow: atSplit, atHigh: candidate.atHigh))
    }
    return isolated
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

  /// Whether the sum of present values is too far from zero, in the middle, to get there.
  private func isEmpty(_ candidate: Candidate) -> Bool {
    let half = (candidate.high - candidate.low) / 2
    let middle = candidate.low + half
    let base = middle >= 0 ? series.units[0] : series.units[series.count - 1]
    var (gross, weighted) = (0.0, 0.0)
    for index in 0..<series.count {
      let time = Double(series.units[index] - base)
      let value = abs(series.high[index]) * exp(-middle * time)
      gross += value
      weighted += value * time
    }
    // Seen from the mean date, the sum changes least.
    let centre = weighted / gross
    var (total, change) = (0.0, 0.0)
    for index in 0..<series.count {
      let time = Double(series.units[index] - base)
      let value = series.high[index] * exp(-middle * time)
      total += value
      change += abs(value) * expm1(half * abs(time - centre))
    }
    return abs(total) > change + gross * Self.balanceNoise(series.count)
  }

  /// Two roots a hair apart, one of even order, one, or none: the sign at the extremum tells.
  private func close(_ candidate: Candidate) -> [Candidate] {
    let (low, high) = (candidate.low, candidate.high)
    let lowSign = series.sign(atGrowth: low, over: 1)
    let highSign = series.sign(atGrowth: high, over: 1)
    var settled = candidate
    settled.atLow.sign = lowSign
    settled.atHigh.sign = highSign
    if lowSign * highSign < 0 { return [settled] }
    let extremum = extremum(from: low, to: high)
    guard extremum > low, extremum < high else { return [] }
    let (sign, isZero) = series.tangency(atRate: extremum)
    if isZero {
      settled.low = extremum
      settled.high = extremum
      return [settled]
    }
    guard sign * lowSign < 0 else { return [] }
    let between = Variation(above: 0, below: 0, sign: sign)
    return [
      Candidate(low: low, high: extremum, atLow: settled.atLow, atHigh: between),
      Candidate(low: extremum, high: high, atLow: between, atHigh: settled.atHigh),
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

extension FlowSeries {
  /// The sign of the sum of present values, and whether it is zero to 25 digits.
  fileprivate func tangency(atRate rate: Double) -> (sign: Int, isZero: Bool) {
    let base = rate >= 0 ? units[0] : units[count - 1]
    var (total, gross) = (DoubleDouble(0), 0.0)
    for index in 0..<count {
      let distance = DoubleDouble(-Double(units[index] - base))
      let weight = (DoubleDouble(rate) * distance).exponential
      total = total + DoubleDouble(high[index], low[index]) * weight
      gross += abs(high[index]) * weight.high
    }
    return (total.high < 0 ? -1 : 1, abs(total.high) <= gross * 1e-25)
  }
}
