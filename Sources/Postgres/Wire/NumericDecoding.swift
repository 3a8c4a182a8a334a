/// Reads the wire format of `numeric`; see `BinaryBuffer+Numeric.swift` for its rules.
enum NumericDecoding {
  /// The fixed part of the format.
  struct Head {
    var count: Int
    var weight: Int
    var isNegative: Bool
    var scale: Int
  }

  static func head(of bytes: UnsafeRawBufferPointer) throws(CodecError) -> Head {
    guard bytes.count >= 8 else { throw .wrongLength(expected: 8, actual: bytes.count) }
    let count = Int(digit(bytes, 0))
    let sign = digit(bytes, 4)
    switch sign {
    case 0, 0x4000: break
    case 0xC000: throw .notANumber
    case 0xD000, 0xF000: throw .infinite
    default: throw .malformed("a numeric with an unknown sign")
    }
    guard bytes.count == 8 + 2 * count else {
      throw .wrongLength(expected: 8 + 2 * count, actual: bytes.count)
    }
    return Head(
      count: count, weight: Int(Int16(bitPattern: digit(bytes, 2))), isNegative: sign != 0,
      scale: Int(digit(bytes, 6)))
  }

  /// The 16-bit number at the offset.
  @inline(__always)
  private static func digit(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt16 {
    UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  /// The number as a count of units of `10^-scale`; exact, or an error.
  static func units(
    _ bytes: UnsafeRawBufferPointer, scale: Int
  ) throws(CodecError) -> Int128 {
    let head = try head(of: bytes)
    guard head.count > 0 else { return 0 }
    guard head.count <= 4 else { return try wideUnits(bytes, head, scale: scale) }
    var value: UInt64 = 0
    for index in 0..<head.count {
      value = value * 10_000 + UInt64(digit(bytes, 8 + 2 * index))
    }
    var exponent = 4 * (head.weight - head.count + 1) + scale
    if exponent < 0 {
      guard exponent > -4 else { return try wideUnits(bytes, head, scale: scale) }
      let divisor: UInt64 = exponent == -1 ? 10 : exponent == -2 ? 100 : 1000
      guard value % divisor == 0 else { throw .tooManyDecimals(limit: scale) }
      value /= divisor
    }
    while exponent > 0 {
      let step: UInt64 = exponent >= 4 ? 10_000 : exponent == 3 ? 1000 : exponent == 2 ? 100 : 10
      let (product, overflow) = value.multipliedReportingOverflow(by: step)
      if overflow { return try wideUnits(bytes, head, scale: scale) }
      value = product
      exponent -= 4
    }
    return head.isNegative ? -Int128(value) : Int128(value)
  }

  /// The same without the limits of 64 bits.
  ///
  /// Trailing zero digits go first, and the last digit sheds its zeros before it is added, so
  /// that nothing overflows on the way to a result that fits.
  private static func wideUnits(
    _ bytes: UnsafeRawBufferPointer, _ head: Head, scale: Int
  ) throws(CodecError) -> Int128 {
    var count = head.count
    while count > 0, digit(bytes, 8 + 2 * (count - 1)) == 0 { count -= 1 }
    guard count > 0 else { return 0 }
    var value: UInt128 = 0
    for index in 0..<(count - 1) {
      value = try shifted(value, by: 10_000, adding: digit(bytes, 8 + 2 * index))
    }
    let last = digit(bytes, 8 + 2 * (count - 1))
    var exponent = 4 * (head.weight - count + 1) + scale
    if exponent < 0 {
      guard exponent > -4 else { throw .tooManyDecimals(limit: scale) }
      let divisor: UInt16 = exponent == -1 ? 10 : exponent == -2 ? 100 : 1000
      guard last % divisor == 0 else { throw .tooManyDecimals(limit: scale) }
      value = try shifted(value, by: UInt128(10_000 / divisor), adding: last / divisor)
    } else {
      value = try shifted(value, by: 10_000, adding: last)
    }
    while exponent > 0, value > 0 {
      value = try shifted(value, by: 10, adding: 0)
      exponent -= 1
    }
    if head.isNegative {
      guard value <= Int128.min.magnitude else { throw .outOfRange }
      return value == Int128.min.magnitude ? Int128.min : -Int128(value)
    }
    guard let result = Int128(exactly: value) else { throw .outOfRange }
    return result
  }

  private static func shifted(
    _ value: UInt128, by factor: UInt128, adding digit: UInt16
  ) throws(CodecError) -> UInt128 {
    let (product, tooLarge) = value.multipliedReportingOverflow(by: factor)
    let (sum, stillTooLarge) = product.addingReportingOverflow(UInt128(digit))
    guard !tooLarge, !stillTooLarge else { throw .outOfRange }
    return sum
  }
}
