import Accounting
import Testing

@Suite("What a close refuses, by name")
struct CloseErrorTests {
  private func refusal(_ prepare: (inout BookWorld) -> Void) -> String? {
    var world = BookWorld(inception: "2024-01-01")
    world.hold("ACME", "EUR")
    world.hold("FUND", kind: .fund, pricing: .valued)
    world.rate("EUR", "USD", "2023-01-01", "1.1")
    prepare(&world)
    let error = #expect(throws: CloseError.self) { try world.close("2024-01-05") }
    return error?.description
  }

  @Test("A purchase without a quantity or a price")
  func missingFields() {
    #expect(
      refusal { $0.log("2024-01-02", .buy, "ACME", at: "1") }
        == "buy of ACME on 2024-01-02 (activity 1): no quantity")
    #expect(
      refusal { $0.log("2024-01-02", .sell, "ACME", "1") }
        == "sell of ACME on 2024-01-02 (activity 1): no price")
    #expect(
      refusal { $0.log("2024-01-02", .deposit) } == "deposit on 2024-01-02 (activity 1): no amount")
    #expect(
      refusal { $0.log("2024-01-02", .buy, "ACME", "-1", at: "1") }
        == "buy of ACME on 2024-01-02 (activity 1): quantity may not be negative")
  }

  @Test("An activity before the inception")
  func beforeInception() {
    #expect(
      refusal { $0.log("2023-12-31", .buy, "ACME", "1", at: "1") }
        == "buy of ACME on 2023-12-31 (activity 1): before the portfolio's inception on 2024-01-01"
    )
  }

  @Test("A trade in another currency than the instrument's")
  func currency() {
    #expect(
      refusal { $0.log("2024-01-02", .buy, "ACME", "1", at: "1", in: "USD") }
        == "buy of ACME on 2024-01-02 (activity 1): in USD, but the instrument is in EUR")
  }

  @Test("A trade without a symbol, an unknown holding, a statement of a quoted holding")
  func wrongPlace() {
    #expect(
      refusal { $0.log("2024-01-02", .buy, nil, "1", at: "1") }
        == "buy on 2024-01-02 (activity 1): needs a symbol")
    #expect(
      refusal {
        $0.statements.append(FundStatement(holding: ID(9), date: .iso("2024-01-02"), value: .zero))
      } == "a row of 2024-01-02 names holding 9, which is not the portfolio's")
    #expect(
      refusal { $0.statement("ACME", "2024-01-02", "5") }
        == "statement of ACME on 2024-01-02: the instrument is valued by closes")
  }

  @Test("A split whose ratio is not positive")
  func invalidSplit() {
    #expect(
      refusal {
        $0.log("2024-01-02", .buy, "ACME", "1", at: "1")
        $0.split("ACME", "2024-01-03", "0")
      } == "split of ACME on 2024-01-03: ratio 0 is not positive")
  }

  @Test("A result that does not fit")
  func overflow() {
    #expect(
      refusal { $0.log("2024-01-02", .buy, "ACME", "100000000000000000", at: "10000000000000000") }
        == "buy of ACME on 2024-01-02: the result is too large for the books")
  }

  @Test("A currency that never had a rate")
  func noRate() {
    #expect(
      refusal { $0.log("2024-01-02", .deposit, amount: "1", in: "CHF") }
        == "no exchange rate from CHF to USD on or before 2024-01-02")
  }

  @Test("A date that is not after the last close, or is before the inception")
  func outOfOrder() throws {
    var world = BookWorld(inception: "2024-01-02")
    var early = world
    let before = #expect(throws: CloseError.self) { try early.close("2024-01-01") }
    #expect(before?.description == "2024-01-01 cannot be closed: it is before the inception")
    _ = try world.close("2024-01-03")
    let again = #expect(throws: CloseError.self) { try world.close("2024-01-03") }
    #expect(again?.description == "2024-01-03 cannot be closed after 2024-01-03")
  }

  @Test("An opening whose rows do not make its equity, as an all-zero placeholder's do not")
  func corruptOpening() throws {
    var world = BookWorld.holdingACME()
    let close = try world.close("2024-01-01")
    var opening = BookOpening(after: close)
    opening.closingEquity = .zero
    var book = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: opening)
    let error = #expect(throws: CloseError.self) {
      try book.close(
        on: .iso("2024-01-02"), activities: [], statements: [], market: world.market,
        businessDays: { _, _ in 1 })
    }
    #expect(
      error?.description
        == "the snapshot of 2024-01-01 says equity 0.0000, but its rows make 1000.0000")
  }

  @Test("An opening with a row of an unknown holding, or balances that do not make its cash")
  func wrongOpening() throws {
    var world = BookWorld(cash: .perCurrency)
    world.hold("ACME")
    world.log("2024-01-01", .deposit, amount: "100")
    world.log("2024-01-01", .buy, "ACME", "1", at: "10")
    let close = try world.close("2024-01-01")
    func refusal(_ change: (inout BookOpening) -> Void) -> String? {
      var opening = BookOpening(after: close)
      change(&opening)
      var book = PortfolioBook(
        portfolio: world.portfolio, instruments: world.instruments, opening: opening)
      let error = #expect(throws: CloseError.self) {
        try book.close(
          on: .iso("2024-01-02"), activities: [], statements: [], market: world.market,
          businessDays: { _, _ in 1 })
      }
      return error?.description
    }
    #expect(
      refusal { $0.holdings[0].holding = ID(77) }
        == "a row of 2024-01-01 names holding 77, which is not the portfolio's")
    #expect(
      refusal { $0.cashBalances[0].baseValue = .of("80") }
        == "the snapshot of 2024-01-01 says equity 90.0000, but its rows make 80.0000")
  }

  @Test("Lots of an unknown holding; before the first close there are none to restore")
  func restoringNothing() throws {
    var world = BookWorld.holdingACME()
    var book = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: nil)
    try book.restoreLots(of: ID(77), from: world.activities, market: world.market)
    book = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments,
      opening: BookOpening(after: try world.close("2024-01-01")))
    let error = #expect(throws: CloseError.self) {
      try book.restoreLots(of: ID(77), from: world.activities, market: world.market)
    }
    #expect(
      error?.description == "a row of 2024-01-01 names holding 77, which is not the portfolio's")
  }

  @Test("A part of a position without its lots, and lots that are not the stored position's")
  func lots() throws {
    var world = BookWorld.holdingACME()
    let opening = BookOpening(after: try world.close("2024-01-01"))
    world.log("2024-01-02", .sell, "ACME", "4", at: "101")
    var book = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: opening)
    #expect(book.holdingsNeedingLots(for: world.activities) == [world.holding("ACME")])
    var history = world.activities
    history[1].quantity = .of("9")
    let differs = #expect(throws: CloseError.self) {
      try book.restoreLots(of: world.holding("ACME"), from: history, market: world.market)
    }
    #expect(
      differs?.description == "position of ACME on 2024-01-01: "
        + "stored 10 at cost 1000.00, 1000.00 in base currency, "
        + "but the activity log makes 9 at cost 900.00, 900.00 in base currency")
    let unknown = #expect(throws: CloseError.self) {
      try book.close(
        on: .iso("2024-01-02"), activities: world.activities, statements: [],
        market: world.market, businessDays: { _, _ in 1 })
    }
    #expect(
      unknown?.description == "lots of ACME are needed on 2024-01-02 and were not restored")
  }

  @Test("Average cost, a purchase, an expiry of all and a flat holding need no lots")
  func lotsNotNeeded() throws {
    for relief in LotRelief.allCases {
      var world = BookWorld(relief: relief)
      world.hold("ACME")
      world.hold("FLAT")
      world.log("2024-01-01", .buy, "ACME", "10", at: "1")
      let opening = BookOpening(after: try world.close("2024-01-01"))
      let book = PortfolioBook(
        portfolio: world.portfolio, instruments: world.instruments, opening: opening)
      world.log("2024-01-02", .buy, "ACME", "4", at: "1")
      world.log("2024-01-02", .sell, "FLAT", "4", at: "1")
      world.log("2024-01-02", .expire, "ACME")
      #expect(book.holdingsNeedingLots(for: world.activities).isEmpty)
      world.log("2024-01-02", .sell, "ACME", "4", at: "1")
      #expect(
        book.holdingsNeedingLots(for: world.activities).count == (relief == .average ? 0 : 1))
    }
  }
}
