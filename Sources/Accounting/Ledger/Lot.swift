/// What was opened by one entry and is still held: a part of a position with its own cost.
struct Lot: Hashable, Sendable {
  /// Signed units, never zero; negative is short.
  var quantity: Quantity
  /// Cost in the instrument's currency, without fees; signed like the quantity.
  var localCost: Money
  /// Cost in base currency at the rate of its trade, without fees.
  var costBasis: Money
  /// When it was first bought; the order of relief.
  var acquired: Day
}

/// An amount in the instrument's currency, and the same in the portfolio's.
struct Worth: Hashable, Sendable {
  var local: Money
  var base: Money

  static var zero: Worth { Worth(local: .zero, base: .zero) }
  static func + (left: Worth, right: Worth) -> Worth {
    Worth(local: left.local + right.local, base: left.base + right.base)
  }
  static func - (left: Worth, right: Worth) -> Worth {
    Worth(local: left.local - right.local, base: left.base - right.base)
  }
  static prefix func - (worth: Worth) -> Worth { Worth(local: -worth.local, base: -worth.base) }

  /// Both amounts pro rata, each rounded half to even.
  func share<Measure: FixedPoint>(
    _ part: Measure, of whole: Measure
  ) throws(ArithmeticError) -> Worth {
    Worth(local: try local.share(part, of: whole), base: try base.share(part, of: whole))
  }
}
