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

/// `quantity × price × multiplier` in the instrument's currency and, × `rate`, in base currency,
/// each rounded once, half to even, from the exact product.
func localAndBaseValue(
  _ quantity: Quantity, at price: Price, multiplier: Rate, rate: Rate
) throws(ArithmeticError) -> Worth {
  if multiplier == .one, let product = NarrowProduct(quantity, price) {
    if rate == .one { return Worth(local: product.money, base: product.money) }
    if let base = product.money(times: rate) { return Worth(local: product.money, base: base) }
  }
  let local = try localValue(quantity, at: price, multiplier: multiplier)
  if rate == .one { return Worth(local: local, base: local) }
  return Worth(
    local: local, base: try baseValue(quantity, at: price, multiplier: multiplier, rate: rate))
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
  if multiplier == .one || rate == .one, let product = NarrowProduct(quantity, price) {
    let factor = multiplier == .one ? rate : multiplier
    if factor == .one { return product.money }
    if let value = product.money(times: factor) { return value }
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
  if let value = narrowConversion(of: amount, at: rate) { return value }
  var product = ExactProduct(amount)
  product.multiply(by: rate)
  return try product.rounded()
}
