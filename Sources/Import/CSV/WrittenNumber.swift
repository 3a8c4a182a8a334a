internal import Accounting

/// A number as it is written, before it is known how many of its places are kept.
///
/// Exact: the number is `digits` × 10^`exponent`, and nothing else is made of it but what a type of
/// the books holds without rounding, or rounds because it was asked to.
struct WrittenNumber {
  /// The marks between and around digits.
  struct Style {
    /// What stands before the decimal places.
    var point = UInt8(ascii: ".")
    /// What stands between groups of three digits; nil for nothing.
    var group: UInt8?
    /// Whether people wrote it: `$1,234.56`, `(123.45)`, `1'234.56`, `12.50-`, `1 234,56 €`.
    var isByHand = false
  }

  private(set) var isNegative = false
  /// Each from 0 to 9, none of them a zero in front.
  private(set) var digits: [UInt8] = []
  /// The power of ten that the digits are multiplied by.
  private(set) var exponent = 0

  /// A larger power of ten is out of range, unless zero stands before it.
  private static let largestExponent = 9_999

  /// Reads a number.
  ///
  /// - Throws: `DecimalError.malformed` where it is written in another way.
  init(_ cell: UnsafeBufferPointer<UInt8>, _ style: Style) throws(DecimalError) {
    var text = cell[...]
    if style.isByHand { isNegative = try Self.takeMarks(&text) }
    if let sign = text.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      guard !isNegative else { throw .malformed }
      isNegative = sign == UInt8(ascii: "-")
      text = text.dropFirst()
    }
    digits.reserveCapacity(text.count)
    try takeMantissa(&text, style)
    if let mark = text.popFirst() {
      guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { throw .malformed }
      let power = try Self.exponent(text)
      guard digits.isEmpty || power.magnitude <= Self.largestExponent else { throw .outOfRange }
      exponent += power
    }
    trim()
  }

  /// The zeros behind are the exponent's, so that a long row of them is no digit too many.
  private mutating func trim() {
    while digits.last == 0 {
      digits.removeLast()
      exponent += 1
    }
    if digits.isEmpty { (exponent, isNegative) = (0, false) }
  }

  /// Takes digits with their groups and places; leaves what follows.
  private mutating func takeMantissa(
    _ text: inout Slice<UnsafeBufferPointer<UInt8>>, _ style: Style
  ) throws(DecimalError) {
    var (count, sinceGroup, hasPoint) = (0, 0, false)
    var group: [UInt8]?
    func isWholeGroup() -> Bool { group == nil || sinceGroup == 3 }
    while let byte = text.first {
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        (count, sinceGroup) = (count + 1, sinceGroup + 1)
        if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte &- 48) }
        if hasPoint { exponent -= 1 }
        text = text.dropFirst()
      } else if byte == style.point, !hasPoint {
        guard isWholeGroup() else { throw .malformed }
        hasPoint = true
        text = text.dropFirst()
      } else if let mark = Self.groupMark(text, style) {
        // Nobody groups behind a zero: `0,125` has places, in the other notation.
        guard !hasPoint, group == nil ? (1...3).contains(sinceGroup) : sinceGroup == 3,
          group == nil || group == mark, digits.count == count
        else { throw .malformed }
        (group, sinceGroup) = (mark, 0)
        text = text.dropFirst(mark.count)
      } else {
        break
      }
    }
    guard count > 0, hasPoint || isWholeGroup() else { throw .malformed }
  }

  /// `E-05`, `e3`, without its letter; at most one beyond what is read.
  private static func exponent(
    _ text: Slice<UnsafeBufferPointer<UInt8>>
  ) throws(DecimalError) -> Int {
    var (text, exponent) = (text, 0)
    let sign = text.first
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { text = text.dropFirst() }
    guard !text.isEmpty else { throw .malformed }
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw .malformed }
      exponent = min(exponent * 10 + Int(byte &- 48), largestExponent + 1)
    }
    return sign == UInt8(ascii: "-") ? -exponent : exponent
  }

  // MARK: what people write around a number

  private static let groups: [[UInt8]] = ["'", "’", " ", "\u{A0}", "\u{202F}"].map {
    Array($0.utf8)
  }
  private static let spaces: [[UInt8]] = [" ", "\t", "\u{A0}", "\u{202F}"].map { Array($0.utf8) }
  private static let minus: [[UInt8]] = ["-", "\u{2212}"].map { Array($0.utf8) }
  private static let currencies: [[UInt8]] = ["US$", "$", "€", "£", "¥", "₹"].map { Array($0.utf8) }

  private static func groupMark(
    _ text: Slice<UnsafeBufferPointer<UInt8>>, _ style: Style
  ) -> [UInt8]? {
    if let group = style.group, text.first == group { return [group] }
    guard style.isByHand else { return nil }
    return groups.first { text.starts(with: $0) }
  }

  /// Takes a currency sign, a minus or brackets off both ends; each may stand there once.
  ///
  /// - Returns: Whether the number is below zero.
  private static func takeMarks(
    _ text: inout Slice<UnsafeBufferPointer<UInt8>>
  ) throws(DecimalError) -> Bool {
    var (isNegative, hasCurrency) = (false, false)
    func takeFirst(_ marks: [[UInt8]]) -> Bool {
      guard let mark = marks.first(where: { text.starts(with: $0) }) else { return false }
      text = text.dropFirst(mark.count)
      return true
    }
    func takeLast(_ marks: [[UInt8]]) -> Bool {
      guard let mark = marks.first(where: { text.suffix($0.count).elementsEqual($0) }) else {
        return false
      }
      text = text.dropLast(mark.count)
      return true
    }
    while true {
      if takeFirst(spaces) || takeLast(spaces) { continue }
      if !hasCurrency, takeFirst(currencies) || takeLast(currencies) {
        hasCurrency = true
        continue
      }
      if !isNegative, takeFirst(minus) || takeLast(minus) {
        isNegative = true
        continue
      }
      guard !isNegative, text.first == UInt8(ascii: "("), text.last == UInt8(ascii: ")"),
        text.count > 2
      else { return isNegative }
      isNegative = true
      text = text.dropFirst().dropLast()
    }
  }
}

extension WrittenNumber {
  /// The number in units of `10^-scale`.
  ///
  /// - Parameter rounds: Whether places beyond are rounded, half to even, or refused.
  func units(
    scale: Int, rounds: Bool
  ) throws(DecimalError) -> (units: Int128, isRounded: Bool) {
    let shift = exponent + scale
    guard !digits.isEmpty else { return (0, false) }
    guard digits.count + shift <= 18 + scale else { throw .outOfRange }
    var units: Int128 = 0
    if shift >= 0 {
      for digit in digits { units = units * 10 + Int128(digit) }
      return (isNegative ? -units * powerOfTen(shift) : units * powerOfTen(shift), false)
    }
    // The last digit is none of the trailing zeros: something is lost.
    guard rounds else { throw .tooManyDecimals(limit: scale) }
    let kept = max(digits.count + shift, 0)
    for digit in digits[..<kept] { units = units * 10 + Int128(digit) }
    let next = digits.count + shift < 0 ? 0 : digits[kept]
    let isHalf = next == 5 && kept == digits.count - 1
    if next > 5 || next == 5 && !isHalf || isHalf && units % 2 == 1 { units += 1 }
    guard units < powerOfTen(18 + scale) else { throw .outOfRange }
    return (isNegative ? -units : units, true)
  }

  /// The nearest double; infinite where there is none.
  var approximate: Double {
    guard !digits.isEmpty else { return 0 }
    let text = String(decoding: digits.map { $0 &+ 48 }, as: UTF8.self)
    let magnitude = Double("\(text)e\(exponent)") ?? .infinity
    return isNegative ? -magnitude : magnitude
  }
}
