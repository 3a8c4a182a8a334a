/// A date of the server: days since 2000-01-01, which is day 0.
///
/// The smallest and the largest number stand for `-infinity` and `infinity`.
public struct PostgresDate: PostgresValue, PostgresArrayElement, Hashable, Comparable {
  /// Days since 2000-01-01; negative before.
  public var days: Int32

  /// The date `days` after 2000-01-01.
  public init(days: Int32) { self.days = days }

  /// Whether it is an actual date, neither `infinity` nor `-infinity`.
  public var isFinite: Bool { days != .min && days != .max }

  /// `YYYY-MM-DD` in the calendar of today; `infinity` and `-infinity`.
  var text: String {
    guard isFinite else { return days < 0 ? "-infinity" : "infinity" }
    // Years that begin in March, and eras of 400 of them, counted from 0000-03-01.
    let number = Int(days) + 730_425
    let era = (number >= 0 ? number : number - 146_096) / 146_097
    let day = number - era * 146_097
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return padded(year + era * 400 + (month < 10 ? 0 : 1), 4) + "-"
      + padded(month < 10 ? month + 3 : month - 9, 2) + "-"
      + padded(dayOfYear - (153 * month + 2) / 5 + 1, 2)
  }

  /// The server's `date`.
  public static var oid: UInt32 { 1082 }
  /// The server's `date[]`.
  public static var arrayOID: UInt32 { 1182 }
  /// Four bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(days) }
  /// Four bytes.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> PostgresDate {
    PostgresDate(days: try bytes.integer())
  }
  /// The earlier one is less.
  public static func < (left: Self, right: Self) -> Bool { left.days < right.days }
}

/// An instant of the server (`timestamptz`): microseconds since 2000-01-01 00:00 UTC.
///
/// A `timestamp` without time zone can be read as one too; the session's zone is UTC.
/// The smallest and the largest number stand for `-infinity` and `infinity`.
public struct Timestamp: PostgresValue, PostgresArrayElement, Hashable, Comparable {
  /// Microseconds since 2000-01-01 00:00 UTC; negative before.
  public var microseconds: Int64

  /// The instant `microseconds` after 2000-01-01 00:00 UTC.
  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Whether it is an actual instant, neither `infinity` nor `-infinity`.
  public var isFinite: Bool { microseconds != .min && microseconds != .max }

  /// The server's `timestamptz`.
  public static var oid: UInt32 { 1184 }
  /// The server's `timestamptz[]`.
  public static var arrayOID: UInt32 { 1185 }
  /// Eight bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(microseconds) }
  /// Eight bytes.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Timestamp {
    Timestamp(microseconds: try bytes.integer())
  }
  /// `timestamptz` and `timestamp`.
  public static func reads(_ columnOID: UInt32) -> Bool { columnOID == 1184 || columnOID == 1114 }
  /// The earlier one is less.
  public static func < (left: Self, right: Self) -> Bool {
    left.microseconds < right.microseconds
  }
}

/// Sixteen bytes that name something.
public struct UUID: PostgresValue, PostgresArrayElement, Hashable, CustomStringConvertible {
  /// The bytes as one number, the first of them most significant.
  public var value: UInt128

  /// The identifier with these bytes, the first of them most significant.
  public init(_ value: UInt128) { self.value = value }

  /// A random identifier (version 4).
  public static func random(
    using generator: inout some RandomNumberGenerator
  ) -> UUID {
    var value = UInt128.random(in: .min ... .max, using: &generator)
    value = value & ~(UInt128(0xF) << 76) | UInt128(0x4) << 76
    value = value & ~(UInt128(0x3) << 62) | UInt128(0x2) << 62
    return UUID(value)
  }

  /// A random identifier (version 4).
  public static func random() -> UUID {
    var generator = SystemRandomNumberGenerator()
    return random(using: &generator)
  }

  /// The identifier in the usual form of 32 hexadecimal digits, with or without dashes.
  public init?(_ text: String) {
    var value: UInt128 = 0
    var digits = 0
    for character in text where character != "-" {
      guard character.isASCII, let digit = character.hexDigitValue else { return nil }
      guard digits < 32 else { return nil }
      value = value << 4 | UInt128(digit)
      digits += 1
    }
    guard digits == 32 else { return nil }
    self.value = value
  }

  /// The form `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
  public var description: String {
    var text = ""
    for index in 0..<32 {
      if [8, 12, 16, 20].contains(index) { text += "-" }
      text += String(Int(truncatingIfNeeded: value >> (124 - 4 * index)) & 0xF, radix: 16)
    }
    return text
  }

  /// The server's `uuid`.
  public static var oid: UInt32 { 2950 }
  /// The server's `uuid[]`.
  public static var arrayOID: UInt32 { 2951 }
  /// Sixteen bytes.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(value) }
  /// Sixteen bytes.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> UUID {
    UUID(try bytes.integer())
  }
}

/// An exact decimal: `coefficient` times `10^-scale`.
///
/// Two spellings of one number (`1.0` and `1.00`) are different values; compare `normalized`
/// ones where only the number counts.
public struct Numeric: PostgresValue, PostgresArrayElement, Hashable, CustomStringConvertible {
  /// The number without its decimal point.
  public var coefficient: Int128
  /// The number of decimals: 0 to 16 383.
  public var scale: Int

  /// The number `coefficient` times `10^-scale`.
  public init(coefficient: Int128, scale: Int) {
    precondition(scale >= 0 && scale < 16_384, "a numeric has 0 to 16 383 decimals")
    self.coefficient = coefficient
    self.scale = scale
  }

  /// The same number without trailing zeros behind the decimal point.
  public var normalized: Numeric {
    var result = self
    while result.scale > 0, result.coefficient % 10 == 0 {
      result.coefficient /= 10
      result.scale -= 1
    }
    return result
  }

  /// The plain decimal, as the server prints it.
  public var description: String {
    var digits = String(coefficient.magnitude)
    if digits.count <= scale {
      digits = String(repeating: "0", count: scale - digits.count + 1) + digits
    }
    let whole = digits.dropLast(scale)
    let fraction = digits.suffix(scale)
    return (coefficient < 0 ? "-" : "") + whole + (scale > 0 ? "." + fraction : "")
  }

  /// The server's `numeric`.
  public static var oid: UInt32 { 1700 }
  /// The server's `numeric[]`.
  public static var arrayOID: UInt32 { 1231 }
  /// Digits of base 10 000.
  public func encode(into buffer: inout BinaryBuffer) {
    buffer.append(numericUnits: coefficient, scale: scale)
  }
  /// Digits of base 10 000; `NaN`, infinities and more than 128 bits are refused.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Numeric {
    let scale = try NumericDecoding.head(of: bytes).scale
    return Numeric(coefficient: try NumericDecoding.units(bytes, scale: scale), scale: scale)
  }
}

/// Bytes as one value, for arrays of them: `[Bytes]` is the server's `bytea[]`.
///
/// Alone, `[UInt8]` serves as well.
public struct Bytes: PostgresValue, PostgresArrayElement, Hashable {
  /// The bytes.
  public var bytes: [UInt8]

  /// The bytes as one value.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The server's `bytea`.
  public static var oid: UInt32 { 17 }
  /// The server's `bytea[]`.
  public static var arrayOID: UInt32 { 1001 }
  /// The bytes as they are.
  public func encode(into buffer: inout BinaryBuffer) { buffer.append(bytes) }
  /// The bytes as they are.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws -> Bytes {
    Bytes(Array(bytes))
  }
}
