/// A pocket calculator for what `explain` prints: exact rational arithmetic of its own, which
/// shares nothing with the books'.
public struct Calculator {
  /// What is the matter with a calculation; nil if it is right.
  ///
  /// - Parameters:
  ///   - formula: Numbers, `+ - * / ( )`, blanks between them.
  ///   - result: What it is said to make, as plain decimal text.
  ///   - rounding: `exact`, `money`, `twelve` or `binary`, as the explanation calls them.
  public static func objection(
    to formula: String, result: String, rounding: String
  ) -> String? {
    var parser = Parser(formula)
    guard let value = parser.sum(), parser.isAtEnd else { return "\(formula) does not parse" }
    let claim = "\(formula) = \(result) (\(rounding))"
    guard !value.denominator.isZero else { return "\(claim) divides by zero" }
    switch rounding {
    case "exact": return value.isEqual(to: result) ? nil : claim
    case "money": return value.isRounded(to: result, decimals: 4) ? nil : claim
    case "twelve": return value.isRounded(to: result, decimals: 12) ? nil : claim
    case "binary":
      // A quotient is one of exact sums, so its few roundings are parts of itself, however much
      // its terms cancel. A sum of binary numbers has the roundings of its terms.
      var gross = Parser(formula, isGross: true)
      let size = formula.contains("/") ? value : gross.sum() ?? value
      return value.isEqual(to: result, within: size) ? nil : claim
    default: return "\(claim): unknown rounding"
    }
  }
}

/// A quotient of two whole numbers, not reduced; the denominator is positive.
private struct Rational {
  var numerator: WholeNumber
  var denominator = WholeNumber(1)

  init(numerator: WholeNumber, denominator: WholeNumber) {
    self.numerator = numerator
    self.denominator = denominator
    guard denominator.isNegative else { return }
    self.numerator.isNegative.toggle()
    self.denominator.isNegative = false
  }

  /// A decimal, perhaps with a sign and an exponent.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "e", maxSplits: 1)
    guard let mantissa = parts.first, var exponent = parts.count > 1 ? Int(parts[1]) : 0 else {
      return nil
    }
    var digits = ""
    for character in mantissa.drop(while: { $0 == "-" || $0 == "+" }) where character != "." {
      guard character.isNumber else { return nil }
      digits.append(character)
    }
    guard !digits.isEmpty else { return nil }
    if let point = mantissa.firstIndex(of: ".") {
      exponent -= mantissa.distance(from: point, to: mantissa.endIndex) - 1
    }
    numerator = WholeNumber(digits: digits)
    numerator.isNegative = mantissa.first == "-"
    if exponent > 0 { numerator = numerator * .power(ofTen: exponent) }
    if exponent < 0 { denominator = .power(ofTen: -exponent) }
  }

  static func + (left: Rational, right: Rational) -> Rational {
    Rational(
      numerator: left.numerator * right.denominator + right.numerator * left.denominator,
      denominator: left.denominator * right.denominator)
  }

  static func * (left: Rational, right: Rational) -> Rational {
    Rational(
      numerator: left.numerator * right.numerator,
      denominator: left.denominator * right.denominator)
  }

  static func / (left: Rational, right: Rational) -> Rational {
    Rational(
      numerator: left.numerator * right.denominator,
      denominator: left.denominator * right.numerator)
  }

  var negated: Rational {
    var copy = self
    copy.numerator.isNegative.toggle()
    return copy
  }

  func isEqual(to text: String) -> Bool {
    guard let other = Rational(text) else { return false }
    return (self + other.negated).numerator.isZero
  }

  /// Whether a decimal is this number but for a part in 10^15 of a size.
  func isEqual(to text: String, within size: Rational) -> Bool {
    guard let other = Rational(text) else { return false }
    let difference = self + other.negated
    let parts = difference.numerator * size.denominator * .power(ofTen: 15)
    return parts.magnitude.compared(to: (size.numerator * difference.denominator).magnitude) <= 0
  }

  /// Whether a decimal is this number rounded half to even to so many places.
  func isRounded(to text: String, decimals: Int) -> Bool {
    guard let other = Rational(text) else { return false }
    let scale = Rational(numerator: .power(ofTen: decimals), denominator: WholeNumber(1))
    let units = other * scale
    // In whole units, or the text has more decimals than it may have.
    guard let whole = units.numerator.dividedByPowerOfTen(units.denominator) else { return false }
    let difference = self * scale + units.negated
    let twice = (difference.numerator + difference.numerator).magnitude
    switch twice.compared(to: difference.denominator) {
    case -1: return true
    case 0: return whole.isEven
    default: return false
    }
  }
}

/// A whole number of any size: sign and magnitude, least significant limb first.
private struct WholeNumber {
  var limbs: [UInt32]
  var isNegative = false

  init(_ value: UInt32) { limbs = value == 0 ? [] : [value] }

  init(limbs: [UInt32], isNegative: Bool) {
    self.limbs = limbs
    while self.limbs.last == 0 { self.limbs.removeLast() }
    self.isNegative = isNegative && !self.limbs.isEmpty
  }

  init(digits: String) {
    self.init(0)
    for digit in digits.utf8 {
      var carry = UInt64(digit - UInt8(ascii: "0"))
      for index in limbs.indices {
        let product = UInt64(limbs[index]) * 10 + carry
        limbs[index] = UInt32(truncatingIfNeeded: product)
        carry = product >> 32
      }
      if carry > 0 { limbs.append(UInt32(carry)) }
    }
  }

  static func power(ofTen exponent: Int) -> WholeNumber {
    WholeNumber(digits: "1" + String(repeating: "0", count: exponent))
  }

  var isZero: Bool { limbs.isEmpty }
  var isEven: Bool { (limbs.first ?? 0) & 1 == 0 }
  var magnitude: WholeNumber { WholeNumber(limbs: limbs, isNegative: false) }

  /// The order of two numbers that are not negative: -1, 0 or 1.
  func compared(to other: WholeNumber) -> Int {
    guard limbs.count == other.limbs.count else { return limbs.count < other.limbs.count ? -1 : 1 }
    for (left, right) in zip(limbs.reversed(), other.limbs.reversed()) where left != right {
      return left < right ? -1 : 1
    }
    return 0
  }

  static func + (left: WholeNumber, right: WholeNumber) -> WholeNumber {
    guard left.isNegative != right.isNegative else {
      return sum(left.limbs, right.limbs, isNegative: left.isNegative)
    }
    let isLeftLarger = left.magnitude.compared(to: right.magnitude) >= 0
    let (larger, smaller) = isLeftLarger ? (left, right) : (right, left)
    var limbs = larger.limbs
    var borrow: Int64 = 0
    for index in limbs.indices {
      var difference = Int64(limbs[index]) - borrow
      if index < smaller.limbs.count { difference -= Int64(smaller.limbs[index]) }
      borrow = difference < 0 ? 1 : 0
      limbs[index] = UInt32(truncatingIfNeeded: difference)
    }
    return WholeNumber(limbs: limbs, isNegative: larger.isNegative)
  }

  private static func sum(_ left: [UInt32], _ right: [UInt32], isNegative: Bool) -> WholeNumber {
    var limbs: [UInt32] = []
    var carry: UInt64 = 0
    for index in 0..<max(left.count, right.count) {
      var total = carry
      if index < left.count { total += UInt64(left[index]) }
      if index < right.count { total += UInt64(right[index]) }
      limbs.append(UInt32(truncatingIfNeeded: total))
      carry = total >> 32
    }
    return WholeNumber(limbs: limbs + [UInt32(carry)], isNegative: isNegative)
  }

  static func * (left: WholeNumber, right: WholeNumber) -> WholeNumber {
    var limbs = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
    for (shift, factor) in left.limbs.enumerated() {
      var carry: UInt64 = 0
      for (index, limb) in right.limbs.enumerated() {
        let total = UInt64(factor) * UInt64(limb) + UInt64(limbs[shift + index]) + carry
        limbs[shift + index] = UInt32(truncatingIfNeeded: total)
        carry = total >> 32
      }
      limbs[shift + right.limbs.count] = UInt32(carry)
    }
    return WholeNumber(limbs: limbs, isNegative: left.isNegative != right.isNegative)
  }

  /// The quotient by a power of ten, if nothing is left over.
  func dividedByPowerOfTen(_ power: WholeNumber) -> WholeNumber? {
    var (value, divisor) = (self, power)
    while divisor.compared(to: WholeNumber(1)) > 0 {
      let (quotient, rest) = value.dividedByTen
      guard rest == 0 else { return nil }
      value = quotient
      divisor = divisor.dividedByTen.quotient
    }
    return value
  }

  private var dividedByTen: (quotient: WholeNumber, rest: UInt64) {
    var quotient = limbs
    var rest: UInt64 = 0
    for index in quotient.indices.reversed() {
      let part = rest << 32 | UInt64(quotient[index])
      quotient[index] = UInt32(part / 10)
      rest = part % 10
    }
    return (WholeNumber(limbs: quotient, isNegative: isNegative), rest)
  }
}

/// Reads sums of products, from the left.
private struct Parser {
  private var tokens: [String]
  private var position = 0
  /// Whether all numbers and terms count with their magnitudes: what rounding errors are part of.
  private let isGross: Bool

  init(_ text: String, isGross: Bool = false) {
    self.isGross = isGross
    tokens = text.replacing("(", with: "( ").replacing(")", with: " )")
      .split(separator: " ").map(String.init)
  }

  var isAtEnd: Bool { position == tokens.count }

  private mutating func take(_ signs: String...) -> String? {
    guard position < tokens.count, signs.contains(tokens[position]) else { return nil }
    position += 1
    return tokens[position - 1]
  }

  mutating func sum() -> Rational? {
    guard var value = product() else { return nil }
    while let sign = take("+", "-") {
      guard let next = product() else { return nil }
      value = value + (sign == "+" || isGross ? next : next.negated)
    }
    return value
  }

  private mutating func product() -> Rational? {
    guard var value = factor() else { return nil }
    while let sign = take("*", "/") {
      guard let next = factor() else { return nil }
      value = sign == "*" ? value * next : value / next
    }
    return value
  }

  private mutating func factor() -> Rational? {
    if take("(") != nil {
      let value = sum()
      return take(")") == nil ? nil : value
    }
    guard position < tokens.count else { return nil }
    position += 1
    let number = Rational(tokens[position - 1])
    return isGross && number?.numerator.isNegative == true ? number?.negated : number
  }
}
