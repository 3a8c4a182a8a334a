import TestSupport
import Testing

@testable import Accounting

/// The mechanism by which lots pass between holdings.
@Suite("Lots that pass from one holding to another")
struct ReorganisationTests {
  /// A share bought twice, and another that nobody held.
  private static func world(
    relief: LotRelief = .fifo, _ first: String = "USD", base: String = "USD"
  ) -> BookWorld {
    var world = BookWorld(base: base, relief: relief)
    world.hold("OLD", first)
    world.hold("NEW", first)
    world.rate("EUR", "USD", "2024-01-01", "1.1")
    world.rate("EUR", "USD", "2024-01-10", "1.2")
    world.log("2024-01-02", .deposit, amount: "100000", in: base)
    world.log("2024-01-03", .buy, "OLD", "10", at: "7")
    world.log("2024-01-05", .buy, "OLD", "5", at: "9")
    for (date, price) in [("2024-01-05", "9"), ("2024-01-10", "12"), ("2024-01-12", "13")] {
      world.price("OLD", date, price)
      world.price("NEW", date, price)
    }
    return world
  }

  private static func merger(ratio: String = "1:1", into symbol: Int64 = 2)
    -> CorporateAction.Effect
  {
    .merger(
      CorporateAction.Merger(
        shares: CorporateAction.Shares(into: ID(symbol), ratio: .of(ratio))))
  }

  private static func book(_ world: BookWorld) -> PortfolioBook {
    PortfolioBook(portfolio: world.portfolio, instruments: world.instruments, opening: nil)
  }

  private func close(
    _ book: inout PortfolioBook, _ world: BookWorld, _ date: String
  ) throws -> BookClose {
    try book.close(
      on: .iso(date), activities: world.activities, statements: world.statements,
      market: world.market, businessDays: { BookWorld.weekdays(after: $0, through: $1) })
  }

  @Test("they keep what they cost and when they were bought; units follow the ratio")
  func carried() throws {
    var world = Self.world("EUR", base: "USD")
    world.act("OLD", "2024-01-10", Self.merger(ratio: "2:1"))
    var book = Self.book(world)
    let before = try close(&book, world, "2024-01-05")
    let after = try close(&book, world, "2024-01-10")
    let lots = book.ledgers[1].position.lots
    #expect(book.ledgers[0].position == Position())
    #expect(lots.map(\.quantity) == [.of("20"), .of("10")])
    #expect(lots.map(\.localCost) == [.of("70"), .of("45")])
    #expect(lots.map(\.costBasis) == [.of("77"), .of("49.5")])
    #expect(lots.map(\.acquired) == [.iso("2024-01-03"), .iso("2024-01-05")])
    #expect(after.row(2).costBasis == before.row(1).costBasis)
    #expect(after.row(1).quantity.isZero && after.row(1).costBasis.isZero)
  }

  @Test("they are no flow of the portfolio, and an equal and opposite one of the two holdings")
  func flows() throws {
    var world = Self.world()
    world.act("OLD", "2024-01-10", Self.merger())
    var book = Self.book(world)
    _ = try close(&book, world, "2024-01-05")
    let close = try close(&book, world, "2024-01-10")
    #expect(close.snapshot.netExternalFlow.isZero)
    #expect(
      close.flows == [
        FlowEvent(holding: ID(1), day: .iso("2024-01-10"), amount: .of("180")),
        FlowEvent(holding: ID(2), day: .iso("2024-01-10"), amount: .of("-180")),
      ])
    // 15 units from 9 to 12: made by the old holding, and none of it by the new one.
    #expect(close.row(1).dailyPnL == .of("45") && close.row(2).dailyPnL.isZero)
    #expect(close.row(2).unrealized == .of("65"))
  }

  @Test("a part of the cost passes lot by lot, and none is lost")
  func shared() throws {
    var world = Self.world()
    world.log("2024-01-08", .buy, "OLD", "0.333333333333", at: "9.77")
    world.act(
      "OLD", "2024-01-10",
      .spinOff(world.shares("0.333333333333:1", of: "NEW"), costShare: .of("0.271828")))
    var book = Self.book(world)
    let before = try close(&book, world, "2024-01-08")
    _ = try close(&book, world, "2024-01-10")
    let (old, new) = (book.ledgers[0].position, book.ledgers[1].position)
    #expect(old.quantity == before.row(1).quantity)
    #expect(old.cost.local + new.cost.local == before.row(1).localCost)
    #expect(new.cost.local == .of("32.1455"))
    for position in [old, new] {
      #expect(position.lots.reduce(.zero) { $0 + $1.localCost } == position.cost.local)
      #expect(position.lots.reduce(.zero) { $0 + $1.quantity } == position.quantity)
      #expect(position.lots.map(\.acquired) == old.lots.map(\.acquired))
    }
  }

  @Test("they pass after the date's splits and before its trades, from one to the next")
  func order() throws {
    var world = Self.world()
    world.hold("LAST")
    world.price("LAST", "2024-01-10", "4")
    world.split("OLD", "2024-01-10", "3")
    // In the units of the last: 15 × 3 × 2 × 0.5 = 45, of which the trade leaves 44.
    world.log("2024-01-10", .sell, "LAST", "1", at: "4")
    world.act("NEW", "2024-01-10", Self.merger(ratio: "1:2", into: 3))
    world.act("OLD", "2024-01-10", Self.merger(ratio: "2:1"))
    var book = Self.book(world)
    let close = try close(&book, world, "2024-01-10")
    #expect(close.row(3).quantity == .of("44"))
    #expect(book.ledgers[2].position.lots.map(\.quantity) == [.of("29"), .of("15")])
    #expect(book.ledgers[0].isFlat && book.ledgers[1].isFlat)
  }

  @Test("opened again from what is stored, they are rebuilt from both histories")
  func reopened() throws {
    var world = Self.world()
    world.log("2024-01-04", .buy, "NEW", "2", at: "8")
    world.log("2024-01-12", .sell, "NEW", "11", at: "13")
    world.act("OLD", "2024-01-10", Self.merger())
    var book = Self.book(world)
    let tenth = try close(&book, world, "2024-01-10")
    let expected = try close(&book, world, "2024-01-12")
    var again = PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments,
      opening: BookOpening(after: tenth))
    #expect(again.lineage(of: ID(2), market: world.market) == [ID(2), ID(1)])
    #expect(again.holdingsNeedingLots(for: world.activities, market: world.market) == [ID(2)])
    try again.restoreLots(of: ID(2), from: world.activities, market: world.market)
    #expect(again.ledgers[1].position.lots.map(\.quantity) == [.of("10"), .of("2"), .of("5")])
    #expect(try close(&again, world, "2024-01-12") == expected)
  }

  @Test("one close over a gap ends where every date ends")
  func gap() throws {
    var world = Self.world()
    world.log("2024-01-08", .sell, "OLD", "3", at: "10")
    world.log("2024-01-11", .buy, "NEW", "4", at: "12.5")
    world.act("OLD", "2024-01-10", Self.merger(ratio: "3:2"))
    var nightly = Self.book(world)
    for date in ["2024-01-05", "2024-01-08", "2024-01-10", "2024-01-11"] {
      _ = try close(&nightly, world, date)
    }
    let last = try close(&nightly, world, "2024-01-12")
    var once = Self.book(world)
    let whole = try close(&once, world, "2024-01-12")
    #expect(whole.snapshot.closingEquity == last.snapshot.closingEquity)
    #expect(whole.snapshot.cumulativePnL == last.snapshot.cumulativePnL)
    #expect(once.ledgers.map(\.position) == nightly.ledgers.map(\.position))
  }

  @Test("an explanation makes the same close, and each of its lines can be redone")
  func explained() throws {
    var world = Self.world("EUR", base: "USD")
    world.log("2024-01-10", .sell, "NEW", "12", at: "12.1")
    world.act("OLD", "2024-01-10", Self.merger(ratio: "2:1"))
    var book = Self.book(world)
    _ = try close(&book, world, "2024-01-05")
    let explanation = try book.explain(
      on: .iso("2024-01-10"), activities: world.activities, statements: [], market: world.market,
      businessDays: { BookWorld.weekdays(after: $0, through: $1) })
    #expect(try explanation.close == close(&book, world, "2024-01-10"))
    for formula in explanation.formulas {
      let objection = Calculator.objection(
        to: formula.expression.text, result: formula.result, rounding: formula.rounding.rawValue)
      #expect(objection == nil, "\(formula.name): \(formula.expression.text)")
    }
    let new = explanation.holdings.first { $0.holding == ID(2) }
    #expect(new?.steps.last?.relieved.map(\.lot.acquired) == [.iso("2024-01-03")])
    #expect(new?.closingLots?.map(\.quantity) == [.of("8"), .of("10")])
  }
}

// MARK: - Over random portfolios

extension ReorganisationTests {
  @Test("one for one at an equal price changes no number of the portfolio", arguments: 0..<4)
  func equal(start: Int) throws {
    var tried = 0
    for seed in stride(from: start, to: LedgerLawsTests.count / 16, by: 4) {
      let ledger = RandomLedger(seed: UInt64(seed))
      guard !ledger.hasLate, let (retold, source, exDate) = ledger.merged(seed) else { continue }
      tried += 1
      var (book, other) = (ledger.newBook(), retold.newBook())
      for date in ledger.closingDates {
        let (one, two) = (try ledger.close(&book, on: date), try retold.close(&other, on: date))
        #expect(one.snapshot == two.snapshot, "seed \(seed), \(date)")
        #expect(one.cashBalances == two.cashBalances, "seed \(seed), \(date)")
        let place = book.index(of: source).map { book.ledgers[$0].position }
        let old = other.index(of: source).map { other.ledgers[$0].position }
        let new = other.index(of: ID(100)).map { other.ledgers[$0].position }
        #expect(place == (date < exDate ? old : new), "seed \(seed), \(date)")
      }
    }
    #expect(tried > LedgerLawsTests.count / 16 / 12)
  }
}

extension ReorganisationTests {
  @Test("a rename changes nothing but names", arguments: 0..<4)
  func renamed(start: Int) throws {
    for seed in stride(from: start, to: LedgerLawsTests.count / 64, by: 4) {
      let ledger = RandomLedger(seed: UInt64(seed))
      let retold = ledger.renamed()
      var (book, other) = (ledger.newBook(), retold.newBook())
      for date in ledger.closingDates {
        let (one, two) = (try ledger.close(&book, on: date), try retold.close(&other, on: date))
        #expect(one == two, "seed \(seed), \(date)")
      }
      #expect(other.ledgers.allSatisfy { $0.instrument.symbol.hasSuffix("'") })
    }
  }
}

extension RandomLedger {
  /// The same portfolio, but that everything is called something else from some date on.
  fileprivate func renamed() -> RandomLedger {
    retold { world in
      for (holding, old) in world.instruments {
        world.instruments[holding] = Instrument(
          id: old.id, symbol: "\(old.symbol)'", kind: old.kind, currency: old.currency,
          multiplier: old.multiplier, pricing: old.pricing)
        guard let exDate = closingDates.first else { continue }
        world.market.actions[old.id, default: []].append(
          CorporateAction(exDate: exDate, effect: .rename))
        world.market.actions[old.id]?.sort { $0.exDate < $1.exDate }
      }
    }
  }

  /// The same portfolio, but that one share becomes another of the same closes on some date.
  fileprivate func merged(_ seed: Int) -> (RandomLedger, source: ID<Holding>, exDate: Day)? {
    guard let last = closingDates.last,
      let share = world.instruments.keys.sorted().first(where: { isMergeable($0) }),
      let old = world.instruments[share]
    else { return nil }
    let exDate = last - seed % 4
    let retold = retold { world in
      world.instruments[ID(100)] = Instrument(
        id: ID(100), symbol: "\(old.symbol)'", kind: old.kind, currency: old.currency,
        multiplier: old.multiplier)
      world.market.closes[ID(100)] = world.market.closes[old.id]
      // What goes ex on the date still concerns the old one; its splits, the closes of both.
      world.market.actions[ID(100)] = world.market.actions[old.id]
      world.market.actions[old.id, default: []].append(
        CorporateAction(
          exDate: exDate,
          effect: .merger(
            CorporateAction.Merger(
              shares: CorporateAction.Shares(into: ID(100), ratio: .of("1:1"))))))
      world.market.actions[old.id]?.sort { $0.exDate < $1.exDate }
      for index in world.activities.indices
      where world.activities[index].holding == share && world.activities[index].date >= exDate {
        world.activities[index].holding = ID(100)
      }
    }
    return (retold, share, exDate)
  }

  private func isMergeable(_ holding: ID<Holding>) -> Bool {
    guard let instrument = world.instruments[holding] else { return false }
    return instrument.pricing == .quoted && instrument.kind != .future
  }
}
