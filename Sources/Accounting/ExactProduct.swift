/// A product of fixed-point numbers kept exact until it is rounded once.
///
/// Quantity × close × multiplier × rate has up to 48 decimal places; a market value is rounded to
/// four of them in one place, here, half to even. The magnitude is held in six 64-bit limbs.
struct ExactProduct {
  /// Least significant limb first.
  private var limbs: InlineArray<6, UInt64> = InlineArray(repeating: 0)
  private var isNegative = false
  private var scale = 0
  private var overflowed = false

  init(_ factor: some FixedPoint) {
    limbs[0] = 1
    multiply(by: factor)
  }

  /// Multiplies by one more factor; exact.
  mutating func multiply<F: FixedPoint>(by factor: F) {
    scale += F.scale
    isNegative = isNegative != (factor.units < 0)
    let magnitude = factor.units.magnitude
    let low = UInt64(truncatingIfNeeded: magnitude)
    let high = UInt64(truncatingIfNeeded: magnitude >> 64)
    let shifted = high == 0 ? InlineArray<6, UInt64>(repeating: 0) : scaled(by: high)
    limbs = scaled(by: low)
    guard high != 0 else { return }
    overflowed = overflowed || shifted[5] != 0
    var carry: UInt64 = 0
    for index in 1..<6 {
      let (partial, carried) = limbs[index].addingReportingOverflow(shifted[index - 1])
      let (sum, carriedAgain) = partial.addingReportingOverflow(carry)
      limbs[index] = sum
      carry = (carried ? 1 : 0) + (carriedAgain ? 1 : 0)
    }
    overflowed = overflowed || carry != 0
  }

  private mutating func scaled(by factor: UInt64) -> InlineArray<6, UInt64> {
    var result = limbs
    var carry: UInt64 = 0
    for index in 0..<6 {
      let (high, low) = limbs[index].multipliedFullWidth(by: factor)
      let (sum, carried) = low.addingReportingOverflow(carry)
      result[index] = sum
      carry = high &+ (carried ? 1 : 0)
    }
    overflowed = overflowed || carry != 0
    return result
  }

  /// The product rounded half to even to the scale of `Result`.
  func rounded<Result: FixedPoint>(
    to _: Result.Type = Result.self
  ) throws(ArithmeticError) -> Result {
    guard !overflowed else { throw .overflow }
    precondition(scale >= Result.scale, "a product never has fewer decimals than its factors")
    var quotient = limbs
    // The highest limb in use: a market value rarely has more than two.
    var top = 5
    while top > 0, quotient[top] == 0 { top -= 1 }
    var remaining = scale - Result.scale
    var dropped: UInt64 = 0
    var half: UInt64 = 0
    var sticky = false
    while remaining > 0 {
      let step = min(remaining, 18)
      let divisor = UInt64(powerOfTen(step))
      sticky = sticky || dropped != 0
      dropped = Self.divide(&quotient, through: top, by: divisor)
      if top > 0, quotient[top] == 0 { top -= 1 }
      half = divisor / 2
      remaining -= step
    }
    guard top < 2 else { throw .overflow }
    var magnitude = UInt128(quotient[0]) | (UInt128(quotient[1]) << 64)
    guard magnitude < UInt128(Result.derivedLimit) else { throw .overflow }
    let isTie = dropped == half && !sticky
    if half > 0, isTie ? magnitude & 1 == 1 : dropped >= half { magnitude += 1 }
    guard magnitude < UInt128(Result.derivedLimit) else { throw .overflow }
    return Result(units: isNegative ? -Int128(magnitude) : Int128(magnitude))
  }

  /// Divides in place and returns the remainder.
  private static func divide(
    _ limbs: inout InlineArray<6, UInt64>, through top: Int, by divisor: UInt64
  ) -> UInt64 {
    var remainder: UInt64 = 0
    for index in stride(from: top, through: 0, by: -1) {
      let (quotient, rest) = divisor.dividingFullWidth((remainder, limbs[index]))
      limbs[index] = quotient
      remainder = rest
    }
    return remainder
  }
}

/// A product of up to three factors whose units fit 64 bits each, as nearly all do.
///
/// Three limbs in registers, and divisions by 64 bits: a third of the time of `ExactProduct`, which
/// takes over where a factor is wider.
private struct NarrowProduct {
  private var high: UInt64 = 0
  private var middle: UInt64
  private var low: UInt64
  private var isNegative: Bool

  init?(_ left: Int128, _ right: Int128) {
    guard let first = UInt64(exactly: left.magnitude),
      let second = UInt64(exactly: right.magnitude)
    else { return nil }
    (middle, low) = first.multipliedFullWidth(by: second)
    isNegative = (left < 0) != (right < 0)
  }

  /// Multiplies by a third factor, once at most; false if it is too wide.
  mutating func multiply(by factor: Int128) -> Bool {
    guard let size = UInt64(exactly: factor.magnitude) else { return false }
    let (carry, lowest) = low.multipliedFullWidth(by: size)
    let (top, rest) = middle.multipliedFullWidth(by: size)
    let (sum, overflow) = rest.addingReportingOverflow(carry)
    (high, middle, low) = (top &+ (overflow ? 1 : 0), sum, lowest)
    isNegative = isNegative != (factor < 0)
    return true
  }

  /// The product without its last `digits` decimals, half to even, if it fits `Result`.
  ///
  /// - Parameter digits: Even, and at most 36.
  func rounded<Result: FixedPoint>(dropping digits: Int) throws(ArithmeticError) -> Result {
    // In two halves, since the whole divisor is wider than 64 bits.
    let divisor = UInt64(truncatingIfNeeded: powerOfTen(digits / 2))
    var parts = self
    let lesser = parts.divide(by: divisor)
    let greater = parts.divide(by: divisor)
    guard parts.high == 0 else { throw .overflow }
    var magnitude = UInt128(parts.middle) << 64 | UInt128(parts.low)
    let half = divisor / 2
    if greater > half || (greater == half && (lesser > 0 || magnitude & 1 == 1)) {
      magnitude += 1
    }
    guard magnitude < UInt128(Result.derivedLimit) else { throw .overflow }
    return Result(units: isNegative ? -Int128(magnitude) : Int128(magnitude))
  }

  /// Divides in place and returns the remainder.
  private mutating func divide(by divisor: UInt64) -> UInt64 {
    var rest: UInt64 = 0
    if high > 0 { (high, rest) = high.quotientAndRemainder(dividingBy: divisor) }
    if middle > 0 || rest > 0 { (middle, rest) = divisor.dividingFullWidth((rest, middle)) }
    (low, rest) = divisor.dividingFullWidth((rest, low))
    return rest
  }
}

/// `quantity × price × multiplier` in the instrument's currency, rounded once, half to even.
public func localValue(
  _ quantity: Quantity, at price: Price, multiplier: Rate
) throws(ArithmeticError) -> Money {
  try baseValue(quantity, at: price, multiplier: multiplier, rate: .one)
}

/// `quantity × price × multiplier × rate` in base currency, rounded once, half to even.
public func baseValue(
  _ quantity: Quantity, at price: Price, multiplier: Rate, rate: Rate
) throws(ArithmeticError) -> Money {
  if multiplier == .one || rate == .one,
    var product = NarrowProduct(quantity.units, price.units)
  {
    let digits = Quantity.scale + Price.scale - Money.scale
    let factor = multiplier == .one ? rate : multiplier
    if factor == .one { return try product.rounded(dropping: digits) }
    if product.multiply(by: factor.units) {
      return try product.rounded(dropping: digits + Rate.scale)
    }
  }
  var product = ExactProduct(quantity)
  product.multiply(by: price)
  if multiplier != .one { product.multiply(by: multiplier) }
  if rate != .one { product.multiply(by: rate) }
  return try product.rounded()
}

/// `amount × rate`, rounded half to even to four decimal places.
public func convert(_ amount: Money, at rate: Rate) throws(ArithmeticError) -> Money {
  if rate == .one { return amount }
  if let product = NarrowProduct(amount.units, rate.units) {
    return try product.rounded(dropping: Rate.scale)
  }
  var product = ExactProduct(amount)
  product.multiply(by: rate)
  return try product.rounded()
}
