/// A number held as the unevaluated sum of two doubles: about 31 decimal digits.
///
/// It serves the few decisions that a double cannot make: on which side of a rounding boundary a
/// root lies. The operations are the classical error-free transformations (Dekker 1971; Knuth,
/// TAOCP vol. 2, 4.2.2); `addingProduct` is exact by IEEE 754, with or without the instruction.
struct DoubleDouble {
  var high: Double
  var low: Double

  init(_ high: Double, _ low: Double = 0) {
    self.high = high
    self.low = low
  }

  /// The exact sum of two doubles.
  @inline(__always) static func sum(_ left: Double, _ right: Double) -> DoubleDouble {
    let total = left + right
    let rightPart = total - left
    return DoubleDouble(total, (left - (total - rightPart)) + (right - rightPart))
  }

  /// The exact product of two doubles.
  @inline(__always) static func product(_ left: Double, _ right: Double) -> DoubleDouble {
    let total = left * right
    return DoubleDouble(total, (-total).addingProduct(left, right))
  }

  /// The quotient of two doubles.
  static func quotient(_ left: Double, _ right: Double) -> DoubleDouble {
    let first = left / right
    let second = left.addingProduct(-first, right) / right
    return sum(first, second)
  }

  static func + (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
    let head = sum(left.high, right.high)
    let tail = sum(left.low, right.low)
    let middle = sum(head.high, head.low + tail.high)
    return sum(middle.high, middle.low + tail.low)
  }

  static func * (left: DoubleDouble, right: DoubleDouble) -> DoubleDouble {
    let head = product(left.high, right.high)
    return sum(head.high, head.low + (left.high * right.low + left.low * right.high))
  }

  /// This times a power of two.
  @inline(__always) private func scaled(by power: Double) -> DoubleDouble {
    DoubleDouble(high * power, low * power)
  }

  /// The exponential, to about 1e-29 relative; 0 below −740.
  ///
  /// The power must be at most 700.
  var exponential: DoubleDouble {
    guard high > -740 else { return DoubleDouble(0) }
    let turns = (high * 1.442_695_040_888_963_4).rounded()
    // ln 2 = 0x1.62e42fefa39efp-1 + 0x1.abc9e3b39803fp-56 + …
    let logTwo = DoubleDouble(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56)
    let rest = self + logTwo * DoubleDouble(-turns)
    // The power over 512, so that eight terms of the series suffice, the last four of them in a
    // double; then squared nine times as 1 + m, where (1 + m)² = 1 + (2m + m²) keeps the small
    // part's digits.
    let reduced = rest.scaled(by: 1 / 512)
    let (half, quarter) = (reduced.scaled(by: 0.5), reduced.scaled(by: 0.25))
    let third = reduced * DoubleDouble(0x1.5555555555555p-2, 0x1.5555555555555p-56)
    var tail = 1 + reduced.high / 8
    for divisor in [7.0, 6] { tail = 1 + reduced.high / divisor * tail }
    var series = DoubleDouble.sum(1, reduced.high / 5 * tail)
    for part in [quarter, third, half] { series = DoubleDouble(1) + part * series }
    var grown = reduced * series
    for _ in 0..<9 { grown = grown.scaled(by: 2) + grown * grown }
    let result = DoubleDouble(1) + grown
    let scale = Int(turns)
    return DoubleDouble(result.high.scaled(by: scale), result.low.scaled(by: scale))
  }
}

extension Double {
  /// This times 2^exponent.
  fileprivate func scaled(by exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: self)
  }
}
