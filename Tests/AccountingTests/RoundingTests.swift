import TestSupport
import Testing

@testable import Accounting

@Suite("Shares and ratios, rounded half to even in one place")
struct RoundingTests {
  @Test(
    "A tie goes to the even neighbour, on both sides of zero",
    arguments: [(5, 2), (7, 4), (-5, -2), (-7, -4), (3, 2), (1, 0), (-1, 0), (6, 3)])
  func ties(value: Int, half: Int) throws {
    #expect(try rounded(Int128(value), times: 1, over: 2) == Int128(half))
    #expect(try rounded(Int128(value), times: -1, over: -2) == Int128(half))
    #expect(try rounded(Int128(-value), times: 1, over: -2) == Int128(half))
  }

  @Test("More than half goes up and less goes down, by magnitude")
  func ordinary() throws {
    #expect(try rounded(5, times: 1, over: 3) == 2)
    #expect(try rounded(4, times: 1, over: 3) == 1)
    #expect(try rounded(-5, times: 1, over: 3) == -2)
    #expect(try rounded(-4, times: 1, over: 3) == -1)
  }

  @Test("A product wider than 128 bits divides exactly")
  func wide() throws {
    let big = powerOfTen(30) + 7
    #expect(try rounded(big, times: big, over: big) == big)
    #expect(
      try rounded(powerOfTen(36), times: powerOfTen(20), over: powerOfTen(22)) == powerOfTen(34))
    // 3·10^37 × 5 ÷ (2·10^37) = 7.5, and with one more it is above the tie.
    #expect(try rounded(3 * powerOfTen(37), times: 15, over: 6 * powerOfTen(37)) == 8)
    #expect(try rounded(powerOfTen(37) + 1, times: 25, over: powerOfTen(38)) == 3)
    #expect(try rounded(powerOfTen(37), times: 25, over: powerOfTen(38)) == 2)
  }

  @Test("What does not fit and a division by zero are errors")
  func errors() {
    #expect(throws: ArithmeticError.overflow) {
      try rounded(powerOfTen(38), times: powerOfTen(38), over: 3)
    }
    #expect(throws: ArithmeticError.overflow) {
      try rounded(powerOfTen(38), times: 4, over: 2)
    }
    #expect(throws: ArithmeticError.divisionByZero) { try rounded(1, times: 1, over: 0) }
    #expect(throws: ArithmeticError.overflow) {
      try Quantity(units: powerOfTen(35)).scaled(by: Rate(units: powerOfTen(14)))
    }
  }

  @Test("Shares of a lot taken one by one never lose a ten-thousandth")
  func shares() throws {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2_000 {
      var position = Position()
      let units = 1 + random.below(1_000)
      let cost = Worth(
        local: Money(units: Int128(random.below(10_000_000))),
        base: Money(units: Int128(random.below(10_000_000))))
      position.open(
        Lot(
          quantity: Quantity(units: Int128(units)), localCost: cost.local, costBasis: cost.base,
          acquired: Day(number: 0)), by: .fifo)
      var relieved = Worth.zero
      while !position.quantity.isZero {
        let part = 1 + random.below(Int(position.quantity.units))
        relieved = try relieved + position.relieve(Quantity(units: Int128(part)), by: .fifo)
        #expect(relieved + position.cost == cost)
      }
      #expect(position.lots.isEmpty && relieved == cost)
    }
  }
}
