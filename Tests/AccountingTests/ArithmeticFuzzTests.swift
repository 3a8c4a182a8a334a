import FoundationEssentials
import TestSupport
import Testing

@testable import Accounting

/// The fast ways of the arithmetic against the slow ones, and text against what it stands for.
///
/// `CLOSEBELL_TEST_FUZZ` asks for more executions than the usual, in millions.
@Suite("Fuzzed arithmetic, decimals and dates")
struct ArithmeticFuzzTests {
  private static let millions: Int? =
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_FUZZ"].flatMap { Int($0) }

  private static func executions(_ usual: Int) -> Int { millions.map { $0 * 1_000_000 } ?? usual }

  /// Where a fast way ends or a rounding turns.
  private static let edges: [Int128] = {
    var edges: [Int128] = [0, 1, 2, 5, 15, 25]
    for power in [4, 8, 11, 12, 16, 18, 19, 20, 24, 30] {
      edges += [-1, 0, 1].map { powerOfTen(power) + $0 } + [5 * powerOfTen(power - 1)]
    }
    for bits: Int128 in [31, 32, 52, 53, 62, 63, 64, 65] {
      edges += [-1, 0, 1].map { (1 << bits) + $0 }
    }
    return edges
  }()

  private func operand(_ random: inout SeededGenerator) -> Int128 {
    var value: Int128
    switch random.below(8) {
    case 0: value = Self.edges[random.below(Self.edges.count)]
    case 1: value = Int128(random.next()) * Int128(1 + random.below(1_000_000))
    case 2: value = Int128(random.next() >> UInt64(random.below(64)))
    case 3: value = Int128(random.below(1_000)) * 1_000_000_000_000
    default: value = Int128(random.below(10_000_000)) * powerOfTen(random.below(12))
    }
    if random.chance(oneIn: 4) { value += 5 * powerOfTen(random.below(12)) }
    return random.chance(oneIn: 2) ? value : -value
  }

  private func slow(_ factors: some FixedPoint, _ price: Price, _ rates: [Rate]) -> Money? {
    var product = ExactProduct(factors)
    product.multiply(by: price)
    for rate in rates { product.multiply(by: rate) }
    return try? product.rounded()
  }

  @Test("A product by the fast way is the product of six limbs, to the last digit")
  func products() {
    var random = SeededGenerator(seed: 41)
    for _ in 0..<Self.executions(1_000_000) {
      let quantity = Quantity(units: operand(&random))
      let price = Price(units: operand(&random))
      let multiplier = random.chance(oneIn: 4) ? Rate(units: operand(&random)) : .one
      let rate = random.chance(oneIn: 4) ? .one : Rate(units: operand(&random))
      let fast = try? localAndBaseValue(quantity, at: price, multiplier: multiplier, rate: rate)
      let local = slow(quantity, price, [multiplier])
      let base = slow(quantity, price, [multiplier, rate])
      let expected = local.flatMap { local in base.map { Worth(local: local, base: $0) } }
      if fast != expected {
        Issue.record("\(quantity) × \(price) × \(multiplier) × \(rate): \(fast as Any)")
      }
      let alone = try? baseValue(quantity, at: price, multiplier: multiplier, rate: rate)
      if alone != base { Issue.record("base of \(quantity) × \(price) × \(multiplier) × \(rate)") }
    }
  }

  @Test("A conversion by the fast way is the product of six limbs, to the last digit")
  func conversions() {
    var random = SeededGenerator(seed: 42)
    for _ in 0..<Self.executions(1_000_000) {
      let amount = Money(units: operand(&random))
      let rate = Rate(units: operand(&random))
      var product = ExactProduct(amount)
      product.multiply(by: rate)
      // What changes nothing is not looked at: it may be as large as it is.
      let expected: Money? = rate == .one ? amount : try? product.rounded()
      if (try? convert(amount, at: rate)) != expected { Issue.record("\(amount) × \(rate)") }
    }
  }

  @Test("A share, a ratio and its inverse overflow by an error, and never trap")
  func ratios() {
    var random = SeededGenerator(seed: 43)
    for _ in 0..<Self.executions(300_000) {
      let value = Quantity(units: operand(&random))
      let ratio = Rate(units: operand(&random))
      let whole = Quantity(units: operand(&random))
      if let scaled = try? value.scaled(by: ratio), ratio > .one, value > .zero {
        if scaled < value { Issue.record("\(value) × \(ratio) = \(scaled)") }
      }
      if let share = try? value.share(whole, of: value), whole != value, !value.isZero {
        if (share.units - whole.units).magnitude > 1 { Issue.record("\(whole) of \(value)") }
      }
      if ratio.isZero, (try? value.divided(by: ratio)) != nil { Issue.record("\(value) ÷ 0") }
    }
  }

  @Test("A decimal's text reads as the decimal, and other text is refused or reads as itself")
  func decimals() {
    var random = SeededGenerator(seed: 44)
    let alphabet = Array("0123456789012345678901234567890000...-+ e,".utf8)
    var bytes: [UInt8] = []
    for _ in 0..<Self.executions(300_000) {
      let price = Price(units: operand(&random))
      if price.units.magnitude < Price.entryLimit.magnitude {
        if (try? Price(price.description)) != price { Issue.record("\(price)") }
      } else if (try? Price(price.description)) != nil {
        Issue.record("\(price) entered")
      }
      bytes.removeAll(keepingCapacity: true)
      for _ in 0..<random.below(40) { bytes.append(alphabet[random.below(alphabet.count)]) }
      guard let read = try? Money(decimal: bytes) else { continue }
      let again = try? Money(read.text(minimumDecimals: 0))
      if again != read || read.units.magnitude >= Money.entryLimit.magnitude {
        Issue.record("\(String(decoding: bytes, as: UTF8.self)) read as \(read)")
      }
    }
  }

  @Test("A date's text reads as the date, and other text is refused or is its own")
  func dates() {
    var random = SeededGenerator(seed: 45)
    let span = Day.latest - Day.earliest + 1
    let alphabet = Array("0123456789-".utf8)
    for _ in 0..<Self.executions(300_000) {
      let day = Day.earliest + random.below(span)
      var text = Array(day.description.utf8)
      if Day(iso: text) != day { Issue.record("\(day)") }
      let (year, month, number) = day.parts
      if Day(year: year, month: month, day: number) != day { Issue.record("\(day)") }
      for _ in 0..<(1 + random.below(2)) {
        text[random.below(text.count)] = alphabet[random.below(alphabet.count)]
      }
      if random.chance(oneIn: 8) { text.removeLast(random.below(text.count)) }
      guard let read = Day(iso: text) else { continue }
      if Array(read.description.utf8) != text { Issue.record("\(read)") }
    }
  }
}
