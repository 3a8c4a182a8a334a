import Glibc

/// The arithmetic of a step.
enum InternalRateKernel {
  /// The natural logarithm, within 2u of itself.
  @inline(__always) static func logarithm(_ value: Double) -> Double {
    // Where a search ends, the ratio is nearly 1: the difference is exact, and of its series the
    // first term left out is below 2^−62 of the sum.
    let distance = value - 1
    guard abs(distance) < 0x1p-10 else { return log(value) }
    let square = distance * distance
    return distance
      * ((1 - distance * (1 / 2))
        + square * ((1 / 3 - distance * (1 / 4)) + square * (1 / 5 - distance * (1 / 6))))
  }

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
      let cube = a * (5 * square - 5 * b) + c
      step =
        newton * ((1 - newton * a) + newton * newton * ((2 * square - b) - newton * cube))
      // The first term left out is below 1e-15 of the step; from the start, of the size of what
      // the polynomial leaves out itself, and another pass follows anyway.
      if bend < (here.isStart ? 0.05 : 1e-5), isSane(step, newton) { return step }
      visits = 1
    }
    for _ in 0..<visits {
      let value =
        here.value + step * (here.slope + step * (two + step * (three + step * four)))
      let slope = here.slope + step * (2 * two + step * (3 * three + step * 4 * four))
      step -= value / slope
    }
    return isSane(step, newton) ? step : newton
  }

  /// Whether a step went the way of Newton's, and not too far.
  @inline(__always) private static func isSane(_ step: Double, _ newton: Double) -> Bool {
    abs(step) < 2 * abs(newton) && step * newton >= 0
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
