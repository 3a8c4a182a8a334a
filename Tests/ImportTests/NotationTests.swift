import Accounting
import Postgres
import TestSupport
import Testing

@testable import Import

@Suite("Numbers, dates and words are read as machines and people write them, and never guessed at")
struct NotationTests {
  private static func reading<R>(
    _ text: String, _ body: (UnsafeBufferPointer<UInt8>) throws -> R
  ) rethrows -> R {
    try Array(text.utf8).withUnsafeBufferPointer(body)
  }

  private static func price(_ text: String, _ notation: Notation = Notation()) -> String? {
    reading(text) { cell in
      let price: Price? = try? notation.number(cell)
      return price?.text(minimumDecimals: 0)
    }
  }

  @Test(
    "an exponent is an exact decimal",
    arguments: [
      ("1E-05", "0.00001"), ("1.5e3", "1500"), ("-2.5E+2", "-250"), ("0e999999999999", "0"),
      ("1e-12", "0.000000000001"), ("1000000000000e-12", "1"), ("1e17", "100000000000000000"),
      ("5e0", "5"), ("1e-13", nil), ("1e18", nil), ("1e99999999999999999999", nil), ("e5", nil),
      ("1e", nil), ("1e+", nil), ("1e5.0", nil), ("1 e5", nil), ("1e5e5", nil), ("0x1p3", nil),
      ("inf", nil), ("nan", nil), ("1,5", nil), ("--1", nil), ("", nil), (".", nil), ("-", nil),
      (".5e1", "5"), ("00012.500", "12.5"), ("1_000", nil),
    ])
  func exponents(_ text: String, _ plain: String?) {
    #expect(Self.price(text) == plain)
  }

  @Test(
    "rounding is half to even at the place that is kept, and not before",
    arguments: [
      ("0.1000000000000000055511151231257827", "0.1"), ("17.838030000000001", "17.83803"),
      ("0.0000000000005", "0"), ("0.0000000000015", "0.000000000002"),
      ("0.0000000000025", "0.000000000002"), ("0.00000000000250001", "0.000000000003"),
      ("-0.0000000000015", "-0.000000000002"), ("9e-13", "0.000000000001"), ("4e-14", "0"),
      ("5e-13", "0"), ("999999999999999999.9999999999996", nil), ("1e-400", "0"),
      ("0.9999999999995", "1"),
    ])
  func rounding(_ text: String, _ plain: String?) {
    #expect(Self.price(text, Notation(rounds: true)) == plain)
    #expect(Self.price(text) == nil)
  }

  @Test("a number that is rounded is counted, one that fits is not")
  func counted() {
    let notation = Notation(rounds: true)
    for text in ["1.5", "1e-12", "0.30000000000000004", "2.0000000000000000000"] {
      _ = Self.price(text, notation)
    }
    #expect(notation.takeRemarks() == Remarks(rounded: 1))
    #expect(notation.takeRemarks() == Remarks())
  }

  @Test(
    "numbers by hand: groups, currency signs, brackets and a minus on either side",
    arguments: [
      ("1,051.25", "1051.25"), ("$1,234.56", "1234.56"), ("(123.45)", "-123.45"),
      ("($1,234.56)", "-1234.56"), ("-$12", "-12"), ("$-12", "-12"), ("12.50-", "-12.5"),
      ("1'234.56", "1234.56"), ("1 234.56", "1234.56"), ("1\u{A0}234.5 €", "1234.5"),
      ("£ 5", "5"), ("US$5", "5"), ("\u{2212}5", "-5"), ("1,234,567", "1234567"), ("12", "12"),
      ("1,051.5e1", "10515"), ("12,34", nil), ("1,23,456", nil), ("1,2345", nil), (",123", nil),
      ("1,", nil), ("1,234'567", nil), ("-(5)", nil), ("(5", nil), ("()", nil), ("$", nil),
      ("$$5", nil), ("--5", nil), ("-+5", nil), ("5%", nil), ("1,234,", nil), ("1.234,5", nil),
    ])
  func byHand(_ text: String, _ plain: String?) {
    #expect(Self.price(text, Notation(groups: true, byHand: true)) == plain)
  }

  @Test(
    "with decimal commas, points group three digits, or the number is refused",
    arguments: [
      ("1.234,56", "1234.56"), ("1.234.567", "1234567"), ("-1.234,5", "-1234.5"), ("0,5", "0.5"),
      ("1234,5", "1234.5"), ("12", "12"), ("1,5E-02", "0.015"), ("1.23", nil), ("1.2345", nil),
      ("1234.567", nil), ("1,2,3", nil), ("1,234.5", nil), (".123", nil), ("1.", nil),
      ("1..234", nil), ("1 234,5", nil), ("12,5 €", nil),
    ])
  func commas(_ text: String, _ plain: String?) {
    #expect(Self.price(text, Notation(decimalComma: true)) == plain)
  }

  @Test("what is written by hand with decimal commas is read where both are asked for")
  func commasByHand() {
    let notation = Notation(decimalComma: true, byHand: true)
    #expect(Self.price("1 234,56 €", notation) == "1234.56")
    #expect(Self.price("(1.234,56)", notation) == "-1234.56")
  }

  @Test(
    "a plain decimal is the same number with every notation that takes it",
    arguments: ["0", "12", "-7", "123456789.123456789012", "+3.5", "0.000000000001"])
  func same(_ text: String) throws {
    let plain = try Price(text)
    for notation in [Notation(), Notation(groups: true), Notation(byHand: true, rounds: true)] {
      #expect(Self.reading(text) { try? notation.number($0) } == plain)
    }
  }

  @Test("whatever bytes stand in a cell, they are a number of the notation or none, and never two")
  func anything() {
    let letters = Array("0011259.,-+eE() $'x".utf8) + [0xE2, 0x80, 0x99]
    let notations = [
      Notation(), Notation(rounds: true), Notation(groups: true),
      Notation(groups: true, byHand: true, rounds: true), Notation(decimalComma: true),
      Notation(decimalComma: true, byHand: true, rounds: true),
    ]
    var random = SeededGenerator(seed: 20_240_305)
    var read = 0
    for _ in 0..<30_000 {
      let count = Int.random(in: 0...12, using: &random)
      let cell = (0..<count).map { _ in letters.randomElement(using: &random) ?? 0 }
      cell.withUnsafeBufferPointer { cell in
        let numbers = notations.map { try? $0.number(cell, as: Quantity.self) }
        let plain = try? Quantity(decimal: cell)
        if let plain { #expect(numbers[0] == plain && numbers[1] == plain) }
        // What an option adds is only what was refused without it.
        if let exact = numbers[0] {
          #expect(numbers[1] == exact && numbers[2] == exact && numbers[3] == exact)
        }
        if let grouped = numbers[2] { #expect(numbers[3] == grouped) }
        if let commas = numbers[4] { #expect(numbers[5] == commas) }
        read += numbers.count { $0 != nil }
      }
    }
    #expect(read > 5_000)
  }

  private static func day(_ text: String, _ notation: Notation = Notation()) -> String? {
    reading(text) { notation.day($0)?.description }
  }

  @Test(
    "a time behind a date is looked at and does not count",
    arguments: [
      ("2024-03-05", 0), ("2024-03-05T00:00", 0), ("2024-03-05 00:00:00", 0),
      ("2024-03-05T09:30", 1), ("2024-03-05T23:59:59.999Z", 1), ("2024-03-05 16:00:00-05:00", 1),
      ("2024-03-05;101530", 1), ("2024-03-05, 16:20:00", 1), ("2024-03-05, 4:05 PM", 1),
      ("2024-03-05 09:30:00 EST", 1), ("2024-03-05T09:30+0100", 1), ("2024-03-05 9:30am", 1),
      ("2024-03-05T09:30:00+01:00[Europe/Berlin]", 1), ("2024-03-05T00:00:00Z", 1),
      ("2024-03-05T10:00 America/New_York", 1),
    ])
  func times(_ text: String, _ count: Int) {
    let notation = Notation()
    #expect(Self.day(text, notation) == "2024-03-05")
    #expect(notation.takeRemarks().timed == count)
  }

  @Test(
    "what is no time is not passed over",
    arguments: [
      "2024-03-05T", "2024-03-05 ", "2024-03-051", "2024-03-05T25:00", "2024-03-05T10:60",
      "2024-03-05 to 2024-03-06", "2024-03-05 1", "2024-03-05T13:00 PM", "2024-03-05/06",
      "2024-03-05T10:00 as of 2024-03-04", "2024-02-30T10:00", "2024-03-05T10:00:00.",
    ])
  func noTimes(_ text: String) { #expect(Self.day(text) == nil) }

  @Test("dates of another order may have a time, too")
  func timesOfOtherOrders() {
    let american = Notation(dateFormat: DateFormat("MM/DD/YYYY"))
    #expect(Self.day("03/04/2024 16:00", american) == "2024-03-04")
    #expect(Self.day("2024-03-04", american) == nil)
    let plain = Notation(dateFormat: DateFormat("YYYYMMDD"))
    #expect(Self.day("20240304;101530", plain) == "2024-03-04")
  }

  @Test("a cell says of the notation what it can only be written in")
  func evidence() {
    func evidence(_ text: String, _ notation: Notation) -> Notation.Evidence {
      Self.reading(text) { notation.evidence($0) }
    }
    let commas = Notation(decimalComma: true)
    let points = Notation(groups: true, byHand: true)
    #expect(evidence("312.45", commas) == .point)
    #expect(evidence("1,234.56", commas) == .point)
    #expect(evidence("312.450", commas) == .none)
    #expect(evidence("1.23,4", commas) == .none)
    #expect(evidence("n/a", commas) == .none)
    #expect(evidence("12,34", points) == .comma)
    #expect(evidence("1.234,56", points) == .comma)
    #expect(evidence("1,234", points) == .none)
    #expect(evidence("1,234", Notation()) == .groups)
    #expect(evidence("12,34", Notation()) == .comma)
  }
}
