/// An amount of one currency, exact to four decimal places; stored as `numeric(28,4)`.
///
/// The currency is known from where the amount stands (a portfolio's base, an instrument's own).
/// Signs: what the portfolio receives or owns is positive.
public struct Money: FixedPoint {
  /// Ten-thousandths of the currency's unit.
  public var units: Int128

  /// An amount of so many ten-thousandths.
  @inlinable public init(units: Int128) { self.units = units }

  /// Four decimal places.
  @inlinable public static var scale: Int { 4 }
}

/// A signed number of units of an instrument, exact to twelve decimal places; negative is short.
public struct Quantity: FixedPoint {
  /// Trillionths of one unit of the instrument.
  public var units: Int128

  /// A quantity of so many trillionths.
  @inlinable public init(units: Int128) { self.units = units }

  /// Twelve decimal places.
  @inlinable public static var scale: Int { 12 }
}

/// A price per unit in the instrument's currency, before its multiplier; twelve decimal places.
public struct Price: FixedPoint {
  /// Trillionths of the currency's unit.
  public var units: Int128

  /// A price of so many trillionths.
  @inlinable public init(units: Int128) { self.units = units }

  /// Twelve decimal places.
  @inlinable public static var scale: Int { 12 }
}

/// A pure factor to twelve decimal places: an exchange rate, a contract multiplier, a split ratio.
public struct Rate: FixedPoint {
  /// Trillionths.
  public var units: Int128

  /// A factor of so many trillionths.
  @inlinable public init(units: Int128) { self.units = units }

  /// Twelve decimal places.
  @inlinable public static var scale: Int { 12 }

  /// The factor that changes nothing.
  @inlinable public static var one: Rate { Rate(units: 1_000_000_000_000) }
}
