import Accounting
import TestSupport
import Testing

/// Exact decimals against schoolbook arithmetic on decimal digits.
@Suite("Exact decimals") struct ExactDecimalsTests {
  /// A whole number as decimal digits, least significant first: slow, and obviously right.
  private struct Digits {
    var digits: [Int]

    init(_ value: UInt128) { digits = "\(value)".reversed().compactMap(\.wholeNumberValue) }

    static func * (left: Digits, right: Digits) -> Digits {
      var product = Digits(0)
      product.digits = Array(repeating: 0, count: left.digits.count + right.digits.count)
      for (low, first) in left.digits.enumerated() {
        for (high, second) in right.digits.enumerated() {
          product.digits[low + high] += first * second
        }
      }
      product.carry()
      return product
    }

    private mutating func carry() {
      var carry = 0
      for index in digits.indices {
        let sum = digits[index] + carry
        digits[index] = sum % 10
        carry = sum / 10
      }
      while carry > 0 {
        digits.append(carry % 10)
        carry /= 10
      }
    }

    /// The number without its last digits, half to even; nil from 10^28 on.
    func rounded(dropping count: Int) -> Int128? {
      let dropped = digits.prefix(count)
      var kept = Digits(0)
      kept.digits = digits.count > count ? Array(digits[count...]) : [0]
      let first = dropped.count == count ? dropped.last ?? 0 : 0
      let hasRest = dropped.dropLast().contains { $0 > 0 }
      if first > 5 || (first == 5 && (hasRest || kept.digits[0] % 2 == 1)) {
        kept.digits[0] += 1
        kept.carry()
      }
      while kept.digits.count > 1, kept.digits.last == 0 { kept.digits.removeLast() }
      guard kept.digits.count <= 28 else { return nil }
      return kept.digits.reversed().reduce(Int128(0)) { $0 * 10 + Int128($1) }
    }
  }

  private func expected(_ factors: [Int128], dropping count: Int) -> Money? {
    let product = factors.dropFirst().reduce(Digits(factors[0].magnitude)) {
      $0 * Digits($1.magnitude)
    }
    let isNegative = factors.count(where: { $0 < 0 }) % 2 == 1
    return product.rounded(dropping: count).map { Money(units: isNegative ? -$0 : $0) }
  }

  /// Numbers of every size, many of them short: those make ties.
  private func units(_ random: inout SeededGenerator, upTo exponent: Int) -> Int128 {
    let size = Int.random(in: 1...exponent, using: &random)
    var value = Int128.random(in: 0..<powerOfTen(size), using: &random)
    let zeros = Int.random(in: 0...size, using: &random)
    value = value / powerOfTen(zeros) * powerOfTen(zeros)
    if Bool.random(using: &random), size > 1 { value += 5 * powerOfTen(size - 2) }
    return Bool.random(using: &random) ? value : -value
  }

  @Test("products of every width are the schoolbook's, rounded once, half to even")
  func products() {
    var random = SeededGenerator(seed: 31)
    for round in 0..<1_500 {
      let widest = round % 2 == 0 ? 18 : 30
      let quantity = Quantity(units: units(&random, upTo: widest))
      let price = Price(units: units(&random, upTo: widest))
      let multiplier =
        round % 3 == 0 ? Rate.one : Rate(units: units(&random, upTo: 15))
      let rate = round % 5 < 3 ? Rate.one : Rate(units: units(&random, upTo: 14))
      let all = [quantity.units, price.units, multiplier.units, rate.units]
      let local = try? localValue(quantity, at: price, multiplier: multiplier)
      #expect(local == expected(Array(all.prefix(3)), dropping: 32), "\(all)")
      let base = try? baseValue(quantity, at: price, multiplier: multiplier, rate: rate)
      #expect(base == expected(all, dropping: 44), "\(all)")
      let money = Money(units: units(&random, upTo: round % 2 == 0 ? 18 : 27))
      #expect(
        (try? convert(money, at: rate)) == expected([money.units, rate.units], dropping: 12),
        "\(money) \(rate)")
    }
  }

  @Test("a tie goes to the even neighbour, and what is beside it does not")
  func ties() throws {
    func value(_ quantity: String, _ price: String) throws -> String {
      try localValue(try Quantity(quantity), at: try Price(price), multiplier: .one).description
    }
    #expect(try value("0.5", "0.0001") == "0.0000")
    #expect(try value("1.5", "0.0001") == "0.0002")
    #expect(try value("2.5", "0.0001") == "0.0002")
    #expect(try value("-2.5", "0.0001") == "-0.0002")
    #expect(try value("-3.5", "0.0001") == "-0.0004")
    #expect(try value("2.500000000001", "0.0001") == "0.0003")
    #expect(try value("2.499999999999", "0.0001") == "0.0002")
    #expect(try value("-0.4", "0.0001") == "0.0000")
  }

  @Test("a product of 10^24 or more is an overflow, whichever way it is formed")
  func overflow() throws {
    let most = try Quantity("999999999999999999.999999999999")
    #expect(throws: ArithmeticError.overflow) {
      try localValue(most, at: try Price("1000001"), multiplier: .one)
    }
    #expect(throws: ArithmeticError.overflow) {
      try baseValue(
        most, at: try Price("999999999999"), multiplier: try Rate("999999999"),
        rate: try Rate("999999999"))
    }
    #expect(throws: ArithmeticError.overflow) {
      try convert(try Money("900000000000000000"), at: try Rate("9000000"))
    }
    #expect(throws: ArithmeticError.overflow) {
      try localValue(
        try Quantity("18000000"), at: try Price("18000000"), multiplier: try Rate("18000000"))
        + localValue(
          try Quantity("18446744"), at: try Price("18446744"), multiplier: try Rate("4000000000"))
    }
  }

  @Test("text of every decimal comes back as it was")
  func roundTrips() throws {
    var random = SeededGenerator(seed: 32)
    for _ in 0..<3_000 {
      let price = Price(units: units(&random, upTo: 29))
      #expect(try Price(price.description) == price)
      #expect(try Price(price.text(minimumDecimals: 0)) == price)
      let money = Money(units: units(&random, upTo: 21))
      #expect(try Money(money.description) == money)
      #expect(try Money(money.text(minimumDecimals: 2)) == money)
    }
  }

  @Test(
    "text that is no plain decimal is refused for its reason",
    arguments: [
      ("", DecimalError.malformed), ("-", .malformed), (".", .malformed), ("1e5", .malformed),
      ("1,000", .malformed), (" 1", .malformed), ("1.2.3", .malformed), ("+-1", .malformed),
      ("٣", .malformed), ("0.00001", .tooManyDecimals(limit: 4)),
      ("1000000000000000000", .outOfRange), ("-1000000000000000000.0000", .outOfRange),
    ])
  func refusals(text: String, reason: DecimalError) {
    #expect(throws: reason) { try Money(text) }
  }

  @Test("signs, leading zeros, a bare point and surplus zeros are plain decimals")
  func plainForms() throws {
    #expect(try Money("+1.5") == Money("1.5000"))
    #expect(try Money("007") == Money("7"))
    #expect(try Money("5.") == Money("5"))
    #expect(try Money(".5") == Money("0.5"))
    #expect(try Money("-0") == .zero)
    #expect(try Money("1.20000000000000000000000000000000000000000") == Money("1.2"))
    #expect(try Money("999999999999999999.9999").description == "999999999999999999.9999")
    #expect(try Money("12.3400").text(minimumDecimals: 2) == "12.34")
    #expect(try Money("12").text(minimumDecimals: 0) == "12")
  }
}
