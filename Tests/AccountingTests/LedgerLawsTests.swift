import FoundationEssentials
import Testing

@testable import Accounting

@Suite("Laws of the ledger, over seeded random portfolios")
struct LedgerLawsTests {
  /// How many portfolios; `CLOSEBELL_TEST_LEDGERS` asks for more.
  static let count: Int =
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_LEDGERS"].flatMap { Int($0) } ?? 2_000

  /// A few tasks, each over every so-manyth seed.
  static let strides = 0..<4
  static func seeds(_ start: Int) -> StrideTo<Int> {
    stride(from: start, to: count, by: strides.count)
  }

  @Test(
    "Identities hold to the last digit, lots make the position, and P&L is what came out",
    arguments: strides)
  func identities(start: Int) throws {
    for seed in Self.seeds(start) {
      let ledger = RandomLedger(seed: UInt64(seed))
      var book = ledger.newBook()
      var life = Life()
      for date in ledger.closingDates {
        let close = try ledger.close(&book, on: date)
        check(close, seed)
        checkLots(of: book, seed)
        life.add(close)
      }
      check(life, ledger, seed)
    }
  }

  private func check(_ close: BookClose, _ seed: Int) {
    let snapshot = close.snapshot
    var rest = snapshot.attribution
    var value = Money.zero
    for row in close.holdings {
      value += row.marketValue
      #expect(row.dailyPnL == row.attribution.total, "seed \(seed)")
      #expect(row.marketValue == row.costBasis + row.unrealized + row.unrealizedFX, "\(seed)")
      rest.realized -= row.attribution.realized
      rest.unrealizedChange -= row.attribution.unrealizedChange
    }
    #expect(
      snapshot.closingEquity
        == snapshot.openingEquity + snapshot.dailyPnL + snapshot.netExternalFlow, "seed \(seed)")
    #expect(
      snapshot.closingEquity == snapshot.longValue + snapshot.shortValue + snapshot.cash,
      "seed \(seed)")
    #expect(snapshot.longValue + snapshot.shortValue == value, "seed \(seed)")
    #expect(snapshot.dailyPnL == snapshot.attribution.total, "seed \(seed)")
    // Prices move holdings only: what belongs to no holding is never price gain.
    #expect(rest.realized.isZero && rest.unrealizedChange.isZero, "seed \(seed)")
    if !close.cashBalances.isEmpty {
      let cash = close.cashBalances.reduce(Money.zero) { $0 + $1.baseValue }
      #expect(cash == snapshot.cash, "seed \(seed)")
    }
  }

  private func checkLots(of book: PortfolioBook, _ seed: Int) {
    guard book.portfolio.lotRelief != .average else { return }
    for ledger in book.ledgers where !ledger.isValued && !ledger.isFuture {
      let position = ledger.position
      #expect(position.areLotsKnown, "seed \(seed)")
      var sum = PositionTotals(quantity: .zero, localCost: .zero, costBasis: .zero)
      for lot in position.lots {
        #expect((lot.quantity < .zero) == (position.quantity < .zero), "seed \(seed)")
        sum.quantity += lot.quantity
        sum.localCost += lot.localCost
        sum.costBasis += lot.costBasis
      }
      #expect(sum == position.totals, "seed \(seed)")
    }
  }

  private func check(_ life: Life, _ ledger: RandomLedger, _ seed: Int) {
    let sumOfFlows = life.flows.reduce(into: [:]) { sums, flow in
      sums[flow.holding, default: Money.zero] += flow.amount
    }
    for (holding, profit) in life.profits where !ledger.isFuture(holding) {
      let cameOut = life.values[holding, default: .zero] + sumOfFlows[holding, default: .zero]
      #expect(profit == cameOut, "seed \(seed), holding \(holding)")
    }
    #expect(
      life.profit == life.equity + sumOfFlows[nil, default: .zero], "seed \(seed): portfolio")
    #expect(life.profit == life.cumulative, "seed \(seed)")
  }

  @Test("A sweep gives what reopening from the stored rows every day gives", arguments: strides)
  func sweepIsReopening(start: Int) throws {
    for seed in Self.seeds(start) {
      let ledger = RandomLedger(seed: UInt64(seed))
      var sweep = ledger.newBook()
      var opening: BookOpening?
      for date in ledger.closingDates {
        let expected = try ledger.close(&sweep, on: date)
        var book = ledger.newBook(opening)
        try ledger.restoreLots(&book, before: date)
        let close = try ledger.close(&book, on: date)
        #expect(close == expected, "seed \(seed) on \(date)")
        opening = BookOpening(after: close)
      }
    }
  }

  @Test("The flows of a whole history are those of the closes", arguments: strides)
  func flowsOfHistory(start: Int) throws {
    for seed in Self.seeds(start) {
      let ledger = RandomLedger(seed: UInt64(seed))
      guard let last = ledger.closingDates.last else { continue }
      var book = ledger.newBook()
      var flows: [FlowEvent] = []
      for date in ledger.closingDates { flows += try ledger.close(&book, on: date).flows }
      for (holding, instrument) in ledger.world.instruments {
        let whole = try PortfolioBook.flows(
          of: holding, portfolio: ledger.world.portfolio, instrument: instrument,
          history: ledger.world.activities.filter { $0.holding == holding },
          market: ledger.world.market, through: last)
        #expect(whole.sorted() == flows.filter { $0.holding == holding }.sorted(), "seed \(seed)")
      }
      let whole = try PortfolioBook.portfolioFlows(
        portfolio: ledger.world.portfolio, instruments: ledger.world.instruments,
        history: ledger.world.activities.filter(\.type.isExternalFlow),
        market: ledger.world.market, through: last)
      #expect(whole.sorted() == flows.filter { $0.holding == nil }.sorted(), "seed \(seed)")
    }
  }

  @Test("The equity is that of a plain second telling in floating point", arguments: strides)
  func plainTelling(start: Int) throws {
    for seed in Self.seeds(start) {
      let ledger = RandomLedger(seed: UInt64(seed))
      // A holding at cost has no value that can be told without its lots, and an outflow that
      // empties a fund depends on what was known when: those are left to the other laws.
      if ledger.hasMissingPrice || ledger.hasLateFundFlow { continue }
      var book = ledger.newBook()
      for date in ledger.closingDates {
        let close = try ledger.close(&book, on: date)
        let equity = try PlainLedger(world: ledger.world, date: date).equity()
        let difference = abs(close.snapshot.closingEquity.approximate - equity)
        #expect(difference < 0.01, "seed \(seed) on \(date): \(equity)")
      }
    }
  }

  @Test("The order of unrelated holdings does not matter", arguments: strides)
  func orderOfHoldings(start: Int) throws {
    for seed in Self.seeds(start) {
      let ledger = RandomLedger(seed: UInt64(seed))
      var other = ledger
      // Keys that keep the order within a holding and turn that between holdings around.
      for index in other.world.activities.indices {
        let holding = other.world.activities[index].holding?.rawValue ?? 0
        other.world.activities[index].id += (20 - holding) * 10_000
      }
      other.world.activities.reverse()
      other.world.statements.reverse()
      var book = ledger.newBook()
      var otherBook = other.newBook()
      for date in ledger.closingDates {
        let close = try ledger.close(&book, on: date)
        #expect(try other.close(&otherBook, on: date) == close, "seed \(seed) on \(date)")
      }
    }
  }
}

/// What the closes of a portfolio sum to.
private struct Life {
  var profits: [ID<Holding>: Money] = [:]
  var values: [ID<Holding>: Money] = [:]
  var flows: [FlowEvent] = []
  var profit = Money.zero
  var equity = Money.zero
  var cumulative = Money.zero

  mutating func add(_ close: BookClose) {
    values = [:]
    for row in close.holdings {
      profits[row.holding, default: .zero] += row.dailyPnL
      values[row.holding] = row.marketValue
    }
    flows += close.flows
    profit += close.snapshot.dailyPnL
    equity = close.snapshot.closingEquity
    cumulative = close.snapshot.cumulativePnL
  }
}

extension RandomLedger {
  func newBook(_ opening: BookOpening? = nil) -> PortfolioBook {
    PortfolioBook(
      portfolio: world.portfolio, instruments: world.instruments, opening: opening)
  }

  func close(
    _ book: inout PortfolioBook, on date: Day
  ) throws(CloseError) -> BookClose {
    try book.close(
      on: date, activities: world.activities, statements: world.statements,
      market: world.market, businessDays: { BookWorld.weekdays(after: $0, through: $1) })
  }

  fileprivate func restoreLots(
    _ book: inout PortfolioBook, before date: Day
  ) throws(CloseError) {
    let due = world.activities.filter { $0.bookingDate <= date }
    for holding in book.holdingsNeedingLots(for: due) {
      try book.restoreLots(
        of: holding, from: world.activities.filter { $0.holding == holding },
        market: world.market)
    }
  }

  func isFuture(_ holding: ID<Holding>) -> Bool {
    world.instruments[holding]?.kind == .future
  }
}

extension [FlowEvent] {
  /// In an order that does not depend on the closes.
  fileprivate func sorted() -> [FlowEvent] {
    sorted {
      ($0.holding?.rawValue ?? 0, $0.day, $0.amount)
        < ($1.holding?.rawValue ?? 0, $1.day, $1.amount)
    }
  }
}
