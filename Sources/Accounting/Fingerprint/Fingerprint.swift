/// A digest of everything that a close was computed from: equal inputs give equal fingerprints,
/// on every machine and in every version of the program.
///
/// It tells an input that changed from a number that was changed; it is no defence against
/// somebody who forges inputs.
@frozen
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  /// The first eight bytes, the lowest first.
  public var low: UInt64
  /// The last eight bytes, the lowest first.
  public var high: UInt64

  /// The digest of these two halves.
  @inlinable public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The digest of sixteen bytes, or nil for another number of them.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    low = bytes[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    high = bytes[8...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Sixteen bytes.
  public var bytes: [UInt8] {
    [low, high].flatMap { half in
      stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: half >> UInt64($0)) }
    }
  }

  /// Sixteen bytes as hexadecimal digits.
  public var description: String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count < 2 ? "0" + digits : digits
    }.joined()
  }

  /// The digest of a set: the same in whichever order its members are added.
  @inlinable public static func + (left: Fingerprint, right: Fingerprint) -> Fingerprint {
    Fingerprint(low: left.low &+ right.low, high: left.high &+ right.high)
  }
}

/// Makes fingerprints: SipHash-2-4 with 128 bits of result and a fixed key, over whole words.
///
/// J.-P. Aumasson, D. J. Bernstein: *SipHash: a fast short-input PRF* (2012). Values are written as
/// words so that no two sequences of values give the same ones: each has a fixed width or says how
/// long it is.
@frozen
public struct FingerprintHasher: Sendable {
  @usableFromInline var v0: UInt64 = 0x736f_6d65_7073_6575 ^ key.0
  @usableFromInline var v1: UInt64 = 0x646f_7261_6e64_6f6d ^ key.1 ^ 0xee
  @usableFromInline var v2: UInt64 = 0x6c79_6765_6e65_7261 ^ key.0
  @usableFromInline var v3: UInt64 = 0x7465_6462_7974_6573 ^ key.1
  @usableFromInline var words: UInt64 = 0

  /// The key of the published test vectors.
  @inlinable static var key: (UInt64, UInt64) { (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908) }

  /// Nothing written yet.
  @inlinable public init() {}

  @inlinable mutating func round() {
    v0 &+= v1
    v1 = v1 << 13 | v1 >> 51
    v1 ^= v0
    v0 = v0 << 32 | v0 >> 32
    v2 &+= v3
    v3 = v3 << 16 | v3 >> 48
    v3 ^= v2
    v0 &+= v3
    v3 = v3 << 21 | v3 >> 43
    v3 ^= v0
    v2 &+= v1
    v1 = v1 << 17 | v1 >> 47
    v1 ^= v2
    v2 = v2 << 32 | v2 >> 32
  }

  @inlinable mutating func absorb(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  /// Writes a word.
  @inlinable public mutating func write(_ word: UInt64) {
    words &+= 1
    absorb(word)
  }

  /// Writes a whole number.
  @inlinable public mutating func write(_ number: Int) { write(UInt64(bitPattern: Int64(number))) }

  /// Writes a date, or that there is none.
  @inlinable public mutating func write(_ day: Day?) {
    write(day.map { UInt64(bitPattern: Int64($0.number)) } ?? 1 << 62)
  }

  /// Writes an exact number.
  @inlinable public mutating func write(_ number: some FixedPoint) {
    write(UInt64(truncatingIfNeeded: number.units))
    write(UInt64(truncatingIfNeeded: number.units >> 64))
  }

  /// Writes an exact number, or that there is none.
  @inlinable public mutating func write(_ number: (some FixedPoint)?) {
    write(number == nil ? 0 : 1)
    if let number { write(number) }
  }

  /// Writes a text: its length in bytes, then its UTF-8.
  @inlinable public mutating func write(_ text: String) {
    write(text.utf8.count)
    var word: UInt64 = 0
    var filled: UInt64 = 0
    for byte in text.utf8 {
      word |= UInt64(byte) << filled
      filled += 8
      if filled == 64 {
        write(word)
        word = 0
        filled = 0
      }
    }
    if filled > 0 { write(word) }
  }

  /// Writes another fingerprint.
  @inlinable public mutating func write(_ fingerprint: Fingerprint) {
    write(fingerprint.low)
    write(fingerprint.high)
  }

  /// The fingerprint of what was written.
  @inlinable public consuming func finish() -> Fingerprint {
    absorb((words &* 8) << 56)
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    let low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    return Fingerprint(low: low, high: v0 ^ v1 ^ v2 ^ v3)
  }
}
