/// The wire format of `numeric`: four 16-bit numbers (how many digits, the weight of the first,
/// the sign, the decimals to show), then the digits in base 10 000, most significant first.
///
/// A count of units of `10^-scale` has its decimal point between two such digits only if the
/// scale is a multiple of four; otherwise the lowest digit is the remainder of a smaller power
/// of ten, padded with zeros. Nothing is multiplied, hence nothing overflows.
extension BinaryBuffer {
  /// Appends the number `units` times `10^-scale` in the format of `numeric`, without a length.
  ///
  /// - Parameter scale: 0 to 16 383; it is also the number of decimals the server shows.
  @inlinable public mutating func append(numericUnits units: Int128, scale: Int) {
    if let small = Int64(exactly: units) {
      append(numericUnits: small, scale: scale)
    } else {
      appendWide(numericUnits: units, scale: scale)
    }
  }

  /// Appends the number `units` times `10^-scale` in the format of `numeric`, without a length.
  @inlinable public mutating func append(numericUnits units: Int64, scale: Int) {
    precondition(scale >= 0 && scale < 16_384, "a numeric has 0 to 16 383 decimals")
    let magnitude = units.magnitude
    let (whole, low) = BinaryBuffer.splitLowest(magnitude, decimals: scale & 3)
    let lowCount = scale & 3 == 0 ? 0 : 1
    let groups = BinaryBuffer.groupCount(whole)
    let count = magnitude == 0 ? 0 : groups + lowCount
    reserve(8 + 2 * 6)
    let start = base + filled
    let weight = count == 0 ? 0 : count - 1 - (scale + 3) >> 2
    BinaryBuffer.storeHead(
      start, count: count, weight: weight, negative: units < 0, scale: scale)
    filled += 8 + 2 * count
    guard count > 0 else { return }
    var place = start + 8 + 2 * count
    if lowCount == 1 {
      place -= 2
      place.storeBytes(of: UInt16(truncatingIfNeeded: low).bigEndian, as: UInt16.self)
    }
    var rest = whole
    for _ in 0..<groups {
      let quotient = rest / 10_000
      place -= 2
      place.storeBytes(
        of: UInt16(truncatingIfNeeded: rest - quotient * 10_000).bigEndian, as: UInt16.self)
      rest = quotient
    }
  }

  /// The same for numbers beyond 64 bits: up to 39 decimal digits.
  @usableFromInline mutating func appendWide(numericUnits units: Int128, scale: Int) {
    precondition(scale >= 0 && scale < 16_384, "a numeric has 0 to 16 383 decimals")
    let room = 11
    reserve(8 + 2 * room)
    let start = base + filled
    let end = start + 8 + 2 * room
    var place = end
    var rest = units.magnitude
    if scale & 3 != 0 {
      let divisor: UInt128 = [1, 10, 100, 1000][scale & 3]
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: divisor)
      place -= 2
      let digit = UInt16(remainder) * [1, 1000, 100, 10][scale & 3]
      place.storeBytes(of: digit.bigEndian, as: UInt16.self)
      rest = quotient
    }
    while rest > 0 {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10_000)
      place -= 2
      place.storeBytes(of: UInt16(remainder).bigEndian, as: UInt16.self)
      rest = quotient
    }
    let count = (end - place) / 2
    BinaryBuffer.storeHead(
      start, count: count, weight: count - 1 - (scale + 3) >> 2, negative: units < 0,
      scale: scale)
    (start + 8).copyMemory(from: place, byteCount: 2 * count)
    filled += 8 + 2 * count
  }

  @inlinable static func storeHead(
    _ start: UnsafeMutableRawPointer, count: Int, weight: Int, negative: Bool, scale: Int
  ) {
    let head =
      UInt64(UInt16(truncatingIfNeeded: count)) << 48
      | UInt64(UInt16(truncatingIfNeeded: weight)) << 32
      | (negative ? 0x4000_0000 : 0) | UInt64(UInt16(truncatingIfNeeded: scale))
    start.storeBytes(of: head.bigEndian, as: UInt64.self)
  }

  /// Cuts off the `decimals` lowest decimal digits and pads them to a digit of base 10 000.
  @inlinable static func splitLowest(
    _ value: UInt64, decimals: Int
  ) -> (whole: UInt64, low: UInt64) {
    switch decimals {
    case 1: (value / 10, value % 10 * 1000)
    case 2: (value / 100, value % 100 * 100)
    case 3: (value / 1000, value % 1000 * 10)
    default: (value, 0)
    }
  }

  /// The number of digits of base 10 000.
  @inlinable static func groupCount(_ value: UInt64) -> Int {
    if value < 100_000_000 { return value < 10_000 ? (value == 0 ? 0 : 1) : 2 }
    if value < 10_000_000_000_000_000 { return value < 1_000_000_000_000 ? 3 : 4 }
    return 5
  }
}
