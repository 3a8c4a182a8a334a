import Testing

@testable import Accounting

@Suite("What is told of a money-weighted return")
struct ExplainedReturnTests {
  private static let flows = [
    FlowEvent(holding: nil, day: .iso("2024-07-10"), amount: .of("-500")),
    FlowEvent(holding: nil, day: .iso("2023-01-15"), amount: .of("-1000")),
    FlowEvent(holding: nil, day: .iso("2024-02-29"), amount: .of("120")),
  ]

  private func told(
    _ flows: [FlowEvent], worth closing: Money, _ convention: IRRConvention
  ) -> ExplainedIRR {
    let date = Day.iso("2025-03-31")
    let result = InternalRate.solve(
      flows.map { DatedFlow(day: $0.day, amount: $0.amount.approximate) },
      closingValue: closing.approximate, on: date, convention: convention)
    return ExplainedIRR(
      flows: flows, closingValue: closing, date: date, result: result, convention: convention)
  }

  @Test("The flows, in the order of dates, balance at the rate, by days and by months")
  func balanced() throws {
    for convention in IRRConvention.allCases {
      let told = told(Self.flows, worth: .of("1612.34"), convention)
      #expect(told.flows.map(\.amount) == [.of("-1000"), .of("120"), .of("-500")])
      #expect(told.result.status == .solved)
      let value = try #require(told.presentValue)
      #expect(abs(value.net) <= 1e-10 * value.gross)
      #expect(value.gross > 2_000)
      // Another rate does not balance them.
      var other = told
      other.result = IRRResult(
        stored: .solved, logGrowth: (told.result.logGrowth ?? 0) + 0.01, rate: nil, roots: 1)
      #expect(abs(try #require(other.presentValue).net) > 1e-3 * value.gross)
    }
  }

  @Test("Where there is no rate, or nothing was paid, there is nothing to balance")
  func unbalanced() {
    let received = told([Self.flows[2]], worth: .of("5"), .xirrAct365)
    #expect(received.result.status == .noSignChange && received.presentValue == nil)
    #expect(told([], worth: .of("5"), .xirrAct365).presentValue == nil)
  }

  @Test("A result read from its row is the one that was stored, but for the period's length")
  func stored() {
    let solved = told(Self.flows, worth: .of("1612.34"), .xirrAct365).result
    let read = IRRResult(
      stored: solved.status, logGrowth: solved.logGrowth, rate: solved.rate, roots: solved.roots)
    #expect(read.rate == solved.rate && read.logGrowth == solved.logGrowth)
    #expect(read.periodReturn == nil && solved.periodReturn != nil)
  }

  @Test("An opening from rows says which holdings lack their lots; under average cost none does")
  func withoutLots() throws {
    for relief in LotRelief.allCases {
      var world = BookWorld(relief: relief)
      world.hold("ACME")
      world.hold("SOLD")
      world.hold("FUND", kind: .fund, pricing: .valued)
      world.hold("ES", kind: .future)
      for symbol in ["ACME", "ES", "SOLD"] { world.log("2024-01-01", .buy, symbol, "3", at: "5") }
      world.log("2024-01-01", .sell, "SOLD", "3", at: "5")
      world.log("2024-01-01", .investment, "FUND", amount: "9")
      let opening = BookOpening(after: try world.close("2024-01-01"))
      var book = PortfolioBook(
        portfolio: world.portfolio, instruments: world.instruments, opening: opening)
      let acme = world.holding("ACME")
      #expect(book.holdingsWithoutLots == (relief == .average ? [] : [acme]))
      try book.restoreLots(of: acme, from: world.activities, market: world.market)
      #expect(book.holdingsWithoutLots.isEmpty)
    }
  }
}
