/// A database identity that cannot be confused with the identity of another kind of thing.
public struct ID<Owner>: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The `bigint` key.
  public var rawValue: Int64

  /// The identity with this key.
  @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }

  /// The identity with this key.
  @inlinable public init(_ rawValue: Int64) { self.rawValue = rawValue }

  /// Orders by key.
  @inlinable public static func < (left: Self, right: Self) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The key in decimal.
  public var description: String { String(rawValue) }
}

/// A currency by its ISO 4217 code: three capital letters.
public struct Currency: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The three ASCII letters, the first in the highest byte in use.
  public let packed: UInt32

  /// The currency of the code, or nil unless it is three capital ASCII letters.
  public init?(_ code: some StringProtocol) { self.init(utf8: code.utf8) }

  /// The currency of the code, or nil unless it is three capital ASCII letters.
  public init?(utf8 code: some Sequence<UInt8>) {
    var packed: UInt32 = 0
    var count = 0
    for byte in code {
      guard byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z"), count < 3 else { return nil }
      packed = packed << 8 | UInt32(byte)
      count += 1
    }
    guard count == 3 else { return nil }
    self.packed = packed
  }

  /// The three letters.
  public var description: String {
    String(
      decoding: [
        UInt8(truncatingIfNeeded: packed >> 16), UInt8(truncatingIfNeeded: packed >> 8),
        UInt8(truncatingIfNeeded: packed),
      ], as: UTF8.self)
  }

  /// Orders alphabetically by code.
  @inlinable public static func < (left: Currency, right: Currency) -> Bool {
    left.packed < right.packed
  }
}
