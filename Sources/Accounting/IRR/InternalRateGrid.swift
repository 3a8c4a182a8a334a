/// The grid on which a stored growth lies, and the rounding of a true root to it.
///
/// Up to |g| = 8 the grid is every multiple of 1e-11; from there its step doubles with each
/// doubling of |g|, so that it stays near 1e-12 relative. The grids are nested: where two meet, at
/// 8·2^j, the meeting point lies on both.
///
/// **Why rounding makes the stored number pure.** A computed root is the true root plus an error
/// that depends on the path: where the search started, whether it used moments or all flows. The
/// grid value nearest to the *true* root depends on nothing but the flows. So a path may answer
/// only when it can prove which grid value that is: with a proven error bound δ, if g − δ and
/// g + δ round to one value, the true root between them rounds to it as well. If they do not, the
/// full path looks at the boundary between the two grid values itself and asks, in double-double
/// arithmetic, on which side of it the root lies: one sign. (Ziv's strategy for correctly rounded
/// functions.) A path from moments gives up instead. A tie cannot happen: e^(−g/365) of a root is
/// algebraic, so g is 0 or transcendental (Lindemann), and a boundary is rational and not 0.
public enum GrowthGrid {
  /// The number of grid steps in a unit of growth for |g| ≤ 8.
  static let stepsPerUnit = 1e11

  /// How many grid steps a unit of growth has around `growth`: 1e11, or that over a power of two.
  @inline(__always) static func density(around growth: Double) -> Double {
    let magnitude = abs(growth)
    guard magnitude > 8, magnitude < .infinity else { return stepsPerUnit }
    // The exponent of g/8 rounded up: 8·2^(j−1) < |g| ≤ 8·2^j.
    let scaled = magnitude / 8
    let exponent = Int(scaled.exponent) + (scaled.significand == 1 ? 0 : 1)
    return Double(sign: .plus, exponent: -exponent, significand: stepsPerUnit)
  }

  /// The nearest whole number, half to even; magnitudes below 2^51.
  @inline(__always) private static func whole(_ value: Double) -> Double {
    // Beyond 2^52 a double has no room for a fraction. Without SSE4.1, `rounded` is a call.
    value + 0x1.8p52 - 0x1.8p52
  }

  /// The grid value nearest to `growth`, as far as a double can tell: to a part in 10^15.
  @inline(__always) static func nearest(_ growth: Double) -> Double {
    let density = density(around: growth)
    // + 0: one zero, since −0 and +0 are different bytes.
    return whole(growth * density) / density + 0
  }

  /// The grid value of a true root within `error` of `growth`; nil if two values are possible.
  @inline(__always) static func certain(_ growth: Double, error: Double) -> Double? {
    // The sums and products below are off by 1u each: 4u of the growth covers them.
    let margin = error + 4.5e-16 * abs(growth)
    let density = density(around: growth)
    // If both ends round to one value, so does what lies between: the value need not wait for the
    // error to be known, only the permission to return it.
    let low = whole((growth - margin) * density)
    guard low == whole((growth + margin) * density) else { return nil }
    return whole(growth * density) / density + 0
  }

  /// The grid value of a true root within `error` of `growth`, where `certain` cannot tell.
  ///
  /// - Parameter isAbove: Whether the root lies above the exact quotient of two doubles.
  static func decided(
    _ growth: Double, error: Double, isAbove: (_ numerator: Double, _ denominator: Double) -> Bool
  ) -> Double {
    guard error < .infinity else { return nearest(growth) }
    let margin = error + 4.5e-16 * abs(growth)
    let density = density(around: growth)
    var low = ((growth - margin) * density).rounded(.down)
    var high = ((growth + margin) * density).rounded(.up)
    while low < high {
      let middle = ((low + high) / 2).rounded(.down)
      if isAbove(2 * middle + 1, 2 * density) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low / density + 0
  }
}
