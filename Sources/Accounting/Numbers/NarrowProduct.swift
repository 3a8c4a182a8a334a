/// A product of a quantity and a price whose units fit 64 bits each, as nearly all do.
///
/// `ExactProduct` in the common case and in registers: it is as exact, and takes over where a
/// factor is wider. It is kept as whole ten-thousandths and what is dropped of them.
struct NarrowProduct {
  /// Ten-thousandths, towards zero.
  private let whole: UInt128
  /// What is left, in units of the product: below 10^20.
  private let rest: UInt128
  private let isNegative: Bool

  /// The product; nil if a factor is too wide.
  @inline(__always)
  init?(_ quantity: Quantity, _ price: Price) {
    guard let first = quantity.units.narrowMagnitude, let second = price.units.narrowMagnitude
    else { return nil }
    let (high, low) = first.multipliedFullWidth(by: second)
    let product = UInt128(truncatingIfNeeded: high) << 64 | UInt128(truncatingIfNeeded: low)
    (whole, rest) = PowerOfTen.twentieth.divide(product)
    isNegative = (quantity.units < 0) != (price.units < 0)
  }

  /// The product rounded half to even.
  var money: Money {
    @inline(__always) get {
      Money(rounding: whole, isUp: PowerOfTen.twentieth.roundsUp(whole, rest), isNegative)
    }
  }

  /// The product × `factor`, rounded once, half to even; nil if the factor is too wide.
  @inline(__always)
  func money(times factor: Rate) -> Money? {
    // Below 10^18, since the rest of both parts has to stay below 2^128:
    // whole × factor = head × 10^12 + tail, and tail × 10^20 + rest × factor < 10^32 + 10^38.
    guard let size = factor.units.narrowMagnitude, size < 1_000_000_000_000_000_000 else {
      return nil
    }
    let scale = UInt128(truncatingIfNeeded: size)
    let sign = isNegative != (factor.units < 0)
    let (head, tail) = PowerOfTen.twelfth.divide(whole &* scale)
    if rest == 0 {
      return Money(rounding: head, isUp: PowerOfTen.twelfth.roundsUp(head, tail), sign)
    }
    let lesser = tail &* PowerOfTen.twentieth.value &+ rest &* scale
    let (carry, last) = PowerOfTen.thirtySecond.divide(lesser)
    let sum = head &+ carry
    return Money(rounding: sum, isUp: PowerOfTen.thirtySecond.roundsUp(sum, last), sign)
  }
}

/// `amount × rate` rounded once, half to even; nil if either is wider than 64 bits.
@inline(__always)
func narrowConversion(of amount: Money, at rate: Rate) -> Money? {
  guard let first = amount.units.narrowMagnitude, let second = rate.units.narrowMagnitude else {
    return nil
  }
  let (high, low) = first.multipliedFullWidth(by: second)
  let product = UInt128(truncatingIfNeeded: high) << 64 | UInt128(truncatingIfNeeded: low)
  let (whole, rest) = PowerOfTen.twelfth.divide(product)
  return Money(
    rounding: whole, isUp: PowerOfTen.twelfth.roundsUp(whole, rest),
    (amount.units < 0) != (rate.units < 0))
}

/// A power of ten to divide by, with its reciprocal.
///
/// Division by multiplication (Granlund and Montgomery, "Division by Invariant Integers using
/// Multiplication", 1994): with `2^shift < value < 2^(shift + 1)` the quotient by
/// `⌊2^(128 + shift) / value⌋` is the quotient or one less, which the remainder tells.
private struct PowerOfTen {
  let value: UInt128
  let reciprocalHigh: UInt64
  let reciprocalLow: UInt64
  let shift: Int

  /// 10^12.
  static var twelfth: PowerOfTen {
    @inline(__always) get {
      PowerOfTen(
        value: 1_000_000_000_000, reciprocalHigh: 0x8cbc_cc09_6f50_88cb,
        reciprocalLow: 0xf93f_87b7_442e_45d3, shift: 39)
    }
  }

  /// 10^20.
  static var twentieth: PowerOfTen {
    @inline(__always) get {
      PowerOfTen(
        value: 100_000_000_000_000_000_000, reciprocalHigh: 0xbce5_0864_9211_1aea,
        reciprocalLow: 0x88f4_bb1c_a6bc_f584, shift: 66)
    }
  }

  /// 10^32.
  static var thirtySecond: PowerOfTen {
    @inline(__always) get {
      PowerOfTen(
        value: 100_000_000_000_000_000_000_000_000_000_000,
        reciprocalHigh: 0xcfb1_1ead_4539_94ba, reciprocalLow: 0x67de_18ed_a581_4af2, shift: 106)
    }
  }

  @inline(__always)
  func divide(_ dividend: UInt128) -> (quotient: UInt128, remainder: UInt128) {
    var quotient = upperHalf(of: dividend) >> UInt128(truncatingIfNeeded: shift)
    var remainder = dividend &- quotient &* value
    if remainder >= value {
      remainder = remainder &- value
      quotient = quotient &+ 1
    }
    return (quotient, remainder)
  }

  /// Whether a quotient is rounded away from zero: above the half, or at it and odd.
  @inline(__always)
  func roundsUp(_ quotient: UInt128, _ remainder: UInt128) -> Bool {
    let twice = remainder &+ remainder
    return twice > value || (twice == value && quotient & 1 == 1)
  }

  /// The upper 128 bits of the product with the reciprocal.
  @inline(__always)
  private func upperHalf(of dividend: UInt128) -> UInt128 {
    let low = UInt64(truncatingIfNeeded: dividend)
    let high = UInt64(truncatingIfNeeded: dividend >> 64)
    func product(_ left: UInt64, _ right: UInt64) -> UInt128 {
      let (upper, lower) = left.multipliedFullWidth(by: right)
      return UInt128(truncatingIfNeeded: upper) << 64 | UInt128(truncatingIfNeeded: lower)
    }
    let lowest = product(low, reciprocalLow) >> 64
    let first = product(low, reciprocalHigh) &+ lowest
    let second = product(high, reciprocalLow) &+ (first & 0xffff_ffff_ffff_ffff)
    return product(high, reciprocalHigh) &+ (first >> 64) &+ (second >> 64)
  }
}

extension Int128 {
  /// The magnitude, if it fits 64 bits.
  fileprivate var narrowMagnitude: UInt64? {
    @inline(__always) get {
      let size = magnitude
      return size >> 64 == 0 ? UInt64(truncatingIfNeeded: size) : nil
    }
  }
}

extension Money {
  @inline(__always)
  fileprivate init(rounding whole: UInt128, isUp: Bool, _ isNegative: Bool) {
    let units = Int128(truncatingIfNeeded: isUp ? whole &+ 1 : whole)
    self.init(units: isNegative ? -units : units)
  }
}
