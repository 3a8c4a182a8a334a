/// `value × factor ÷ divisor`, rounded once, half to even.
///
/// The product may be wider than 128 bits; the result may not.
func rounded(
  _ value: Int128, times factor: Int128, over divisor: Int128
) throws(ArithmeticError) -> Int128 {
  guard divisor != 0 else { throw .divisionByZero }
  let isNegative = (value < 0) != ((factor < 0) != (divisor < 0))
  let (left, right, denominator) = (value.magnitude, factor.magnitude, divisor.magnitude)
  var quotient: UInt128
  let remainder: UInt128
  let (product, isWide) = left.multipliedReportingOverflow(by: right)
  if isWide {
    let wide = left.multipliedFullWidth(by: right)
    guard wide.high < denominator else { throw .overflow }
    (quotient, remainder) = denominator.dividingFullWidth(wide)
  } else {
    (quotient, remainder) = product.quotientAndRemainder(dividingBy: denominator)
  }
  let rest = denominator - remainder
  if remainder > rest || (remainder == rest && quotient & 1 == 1) { quotient += 1 }
  guard quotient <= UInt128(Int128.max) else { throw .overflow }
  return isNegative ? -Int128(quotient) : Int128(quotient)
}

extension FixedPoint {
  /// The share `part ÷ whole` of the number, rounded half to even; all of it for the whole.
  func share<Measure: FixedPoint>(
    _ part: Measure, of whole: Measure
  ) throws(ArithmeticError) -> Self {
    if part == whole || isZero { return self }
    return Self(units: try rounded(units, times: part.units, over: whole.units))
  }

  /// The number × `ratio`, rounded half to even to its own decimals.
  func scaled(by ratio: Rate) throws(ArithmeticError) -> Self {
    try Self(units: rounded(units, times: ratio.units, over: Rate.one.units)).checked()
  }

  /// The number ÷ `ratio`, rounded half to even to its own decimals.
  func divided(by ratio: Rate) throws(ArithmeticError) -> Self {
    try Self(units: rounded(units, times: Rate.one.units, over: ratio.units)).checked()
  }

  private func checked() throws(ArithmeticError) -> Self {
    guard units.magnitude < Self.derivedLimit.magnitude else { throw .overflow }
    return self
  }
}
