/// An exact decimal in fixed point: a whole number of units, each `10^-scale`.
///
/// Every number of the books is one of these; binary floating point appears only in returns.
///
/// **Why sums cannot overflow.** A number enters the books only if its magnitude is below
/// `10^18` (`enters(_:)`), and a product is checked against `10^24` when it is formed. An
/// `Int128` of units therefore has room for more than 10^8 additions of the largest entry,
/// so `+` and `-` stay plain; products are the operations that throw.
public protocol FixedPoint: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number of decimal places that a unit stands for.
  static var scale: Int { get }

  /// The number as a count of units of `10^-scale`.
  var units: Int128 { get }

  /// The number that is `units` times `10^-scale`.
  init(units: Int128)
}

/// Why a piece of text is not a number of the books.
public enum DecimalError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text is not a plain decimal such as `-1234.5`.
  case malformed
  /// More decimal places than the type keeps; nothing is rounded on the way in.
  case tooManyDecimals(limit: Int)
  /// The magnitude is 10^18 or more.
  case outOfRange

  /// The reason as an operator reads it.
  public var description: String {
    switch self {
    case .malformed: "not a decimal number"
    case .tooManyDecimals(let limit): "more than \(limit) decimal places"
    case .outOfRange: "out of range: the magnitude must be below 10^18"
    }
  }
}

/// A result of the accounting arithmetic does not fit where the books would keep it.
public enum ArithmeticError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The magnitude of a product reached the limit of its type (10^24 for money).
  case overflow
  /// A division by zero, for example a cross rate through a zero rate.
  case divisionByZero

  /// The reason as an operator reads it.
  public var description: String {
    switch self {
    case .overflow: "the result is too large for the books"
    case .divisionByZero: "division by zero"
    }
  }
}

extension FixedPoint {
  /// Nothing: the additive identity.
  @inlinable public static var zero: Self { Self(units: 0) }

  /// The limit, exclusive, on the magnitude of a number that enters the books: `10^18`.
  @inlinable public static var entryLimit: Int128 { powerOfTen(18 + scale) }

  /// The limit, exclusive, on the magnitude of a number that the books derive: `10^24`.
  @inlinable public static var derivedLimit: Int128 { powerOfTen(24 + scale) }

  /// Whether the number is exactly zero.
  @inlinable public var isZero: Bool { units == 0 }

  /// The distance from zero.
  @inlinable public var magnitude: Self { Self(units: units < 0 ? -units : units) }

  /// The sum.
  @inlinable public static func + (left: Self, right: Self) -> Self {
    Self(units: left.units + right.units)
  }

  /// The difference.
  @inlinable public static func - (left: Self, right: Self) -> Self {
    Self(units: left.units - right.units)
  }

  /// The number with its sign turned.
  @inlinable public static prefix func - (value: Self) -> Self { Self(units: -value.units) }

  /// Adds in place.
  @inlinable public static func += (left: inout Self, right: Self) { left = left + right }

  /// Subtracts in place.
  @inlinable public static func -= (left: inout Self, right: Self) { left = left - right }

  /// Orders by value.
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.units < right.units }

  /// The nearest binary floating-point number; for returns only, never for the books.
  @inlinable public var approximate: Double {
    let small = Int64(truncatingIfNeeded: units)
    // Converting an Int128 calls into the library; nearly all fit half of it.
    let numerator = Int128(truncatingIfNeeded: small) == units ? Double(small) : Double(units)
    return numerator / (Self.scale == 4 ? 1e4 : Double(powerOfTen(Self.scale)))
  }

  /// Reads a plain decimal: an optional sign, digits, at most one point; no exponent, no grouping.
  ///
  /// - Parameter utf8: The bytes of the text, without surrounding space.
  /// - Throws: `DecimalError` naming what is wrong; a digit is never dropped or rounded.
  public init(decimal utf8: some Sequence<UInt8>) throws(DecimalError) {
    var units: Int128 = 0
    var decimals = -1
    var digits = 0
    var negative = false
    var first = true
    for byte in utf8 {
      defer { first = false }
      switch byte {
      case UInt8(ascii: "-") where first: negative = true
      case UInt8(ascii: "+") where first: break
      case UInt8(ascii: ".") where decimals < 0: decimals = 0
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits += 1
        if decimals >= 0 {
          decimals += 1
          if decimals > Self.scale {
            guard byte == UInt8(ascii: "0") else { throw .tooManyDecimals(limit: Self.scale) }
            continue
          }
        }
        units = units * 10 + Int128(byte &- UInt8(ascii: "0"))
        guard units < Self.entryLimit else { throw .outOfRange }
      default: throw .malformed
      }
    }
    guard digits > 0 else { throw .malformed }
    let missing = Self.scale - min(max(decimals, 0), Self.scale)
    units *= powerOfTen(missing)
    guard units < Self.entryLimit else { throw .outOfRange }
    self.init(units: negative ? -units : units)
  }

  /// Reads a plain decimal from text; see `init(decimal:)`.
  public init(_ text: some StringProtocol) throws(DecimalError) {
    try self.init(decimal: text.utf8)
  }

  /// All `scale` decimal places, for example `-1234.5000`.
  public var description: String { text(minimumDecimals: Self.scale) }

  /// Decimal text with trailing zeros dropped down to `minimumDecimals` places.
  public func text(minimumDecimals: Int) -> String {
    let (whole, fraction) = units.magnitude.quotientAndRemainder(
      dividingBy: UInt128(powerOfTen(Self.scale)))
    var digits = String(fraction)
    digits = String(repeating: "0", count: Self.scale - digits.utf8.count) + digits
    while digits.utf8.count > minimumDecimals, digits.utf8.last == UInt8(ascii: "0") {
      digits.removeLast()
    }
    let sign = units < 0 ? "-" : ""
    return digits.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(digits)"
  }
}

/// `10^exponent`, for exponents from 0 to 38.
@inlinable public func powerOfTen(_ exponent: Int) -> Int128 {
  precondition(exponent >= 0 && exponent <= 38, "10^\(exponent) is not an Int128")
  return powersOfTen[exponent]
}

@usableFromInline let powersOfTen: InlineArray<39, Int128> = {
  var power: Int128 = 1
  var powers = InlineArray<39, Int128>(repeating: 1)
  for exponent in 1..<39 {
    power *= 10
    powers[exponent] = power
  }
  return powers
}()
