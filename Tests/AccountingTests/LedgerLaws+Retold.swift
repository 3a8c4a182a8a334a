import TestSupport

@testable import Accounting

// Laws that tell the same portfolio a second time, in another way.

extension LawTrial {
  mutating func checkReopening() throws {
    verdict.tally(.reopening)
    var opening: BookOpening?
    for expected in closes {
      let date = expected.snapshot.date
      var book = ledger.newBook(opening)
      try ledger.restoreLots(&book, before: date)
      let close = try ledger.close(&book, on: date)
      expect(.reopening, close == expected, "on \(date)")
      opening = BookOpening(
        after: close, statementDates: ledger.world.statementDates(through: date))
    }
  }

  mutating func checkHistory() throws {
    verdict.tally(.history)
    guard let last = ledger.closingDates.last else { return }
    let world = ledger.world
    let flows = closes.flatMap(\.flows)
    for (holding, instrument) in world.instruments {
      let whole = try PortfolioBook.flows(
        of: holding, portfolio: world.portfolio, instrument: instrument,
        history: world.activities.filter { $0.holding == holding }, market: world.market,
        through: last)
      let told = flows.filter { $0.holding == holding }
      expect(.history, whole.inOrder() == told.inOrder(), "holding \(holding)")
    }
    let whole = try PortfolioBook.portfolioFlows(
      portfolio: world.portfolio, instruments: world.instruments, history: world.activities,
      market: world.market, through: last)
    let told = flows.filter { $0.holding == nil }
    expect(.history, whole.inOrder() == told.inOrder(), "portfolio")
  }

  /// Rows arrive in another order, with keys that keep the order within a holding and turn that
  /// between holdings around.
  mutating func checkOrder() throws {
    verdict.tally(.order)
    var random = SeededGenerator(seed: ~seed)
    let other = ledger.retold { world in
      for index in world.activities.indices {
        world.activities[index].id +=
          (20 - (world.activities[index].holding?.rawValue ?? 0)) * 1_000
      }
      world.activities.shuffle(using: &random)
      world.statements.shuffle(using: &random)
    }
    var book = other.newBook()
    for expected in closes {
      let close = try other.close(&book, on: expected.snapshot.date)
      expect(.order, close == expected, "on \(expected.snapshot.date)")
    }
  }

  mutating func checkGap() throws {
    // Abroad, a future's gain is converted when it is settled: every date differs from once.
    guard let last = closes.last, !ledger.settlesAbroad else { return }
    verdict.tally(.gap)
    var book = ledger.newBook()
    let once = try ledger.close(&book, on: last.snapshot.date)
    let (told, every) = (once.snapshot, last.snapshot)
    expect(.gap, told.closingEquity == every.closingEquity && told.cash == every.cash, "equity")
    expect(.gap, told.cumulativePnL == every.cumulativePnL, "P&L")
    expect(.gap, told.unrealizedPnL == every.unrealizedPnL, "unrealized")
    expect(.gap, once.cashBalances == last.cashBalances, "balances")
    var parts = Attribution()
    for close in closes { parts += close.snapshot.attribution }
    // What is late is cut off at the opening, and a future abroad realizes at each date's rate.
    if !ledger.hasLate, !ledger.has(.euroFuture) {
      expect(.gap, told.attribution == parts, "\(told.attribution), \(parts)")
    }
    for row in once.holdings {
      guard let other = last.holdings.first(where: { $0.holding == row.holding }) else { continue }
      expect(
        .gap, row.levels == other.levels && row.priceDate == other.priceDate,
        "holding \(row.holding)")
    }
  }

  /// One share is split two for one on a date; what trades from then on is twice as many at half
  /// the price.
  mutating func checkSplit() throws {
    guard ledger.areSplitsExact, let last = closes.last,
      let share = ledger.world.instruments.keys.min(), ledger.isShare(share)
    else { return }
    verdict.tally(.split)
    let exDate = last.snapshot.date - Int(seed % 4)
    let other = ledger.retold { $0.double(share, from: exDate) }
    var book = other.newBook()
    for expected in closes {
      var close = try other.close(&book, on: expected.snapshot.date)
      if expected.snapshot.date >= exDate { close.halve(share) }
      expect(.split, close == expected, "split on \(exDate), on \(expected.snapshot.date)")
    }
  }

  /// The base currency is worth a hundred of a new one, in which the books are kept instead.
  mutating func checkUnit() throws {
    verdict.tally(.unit)
    let unit = Currency.iso("XTS")
    let other = ledger.retold { $0.countIn(unit, times: 100) }
    var book = other.newBook()
    for expected in closes {
      let close = try other.close(&book, on: expected.snapshot.date)
      // A rounding of half a unit each, a hundredfold: of each row and of each activity so far.
      let roundings = 8 * (expected.holdings.count + 4) + 8 * ledger.world.activities.count
      for (new, old) in zip(close.snapshot.amounts, expected.snapshot.amounts) {
        let rest = (new.units - 100 * old.units).magnitude
        expect(
          .unit, rest <= UInt128(50 * roundings) + ledger.rateError(of: expected),
          "\(new) against \(old), on \(expected.snapshot.date)")
      }
    }
  }

  mutating func checkPlain() throws {
    // A holding at cost has no value that can be told without its lots, and an outflow that
    // empties a fund depends on what was known when: those are left to the other laws.
    if ledger.hasMissingPrice || ledger.hasLateFundFlow || ledger.settlesAbroad { return }
    guard let close = closes.last else { return }
    verdict.tally(.plain)
    let equity = try PlainLedger(world: ledger.world, date: close.snapshot.date).equity()
    let difference = abs(close.snapshot.closingEquity.approximate - equity)
    expect(.plain, difference < 0.01, "\(close.snapshot.closingEquity), not \(equity)")
  }
}

// MARK: - Telling again

extension BookWorld {
  /// Splits a share two for one, and states what follows in the new units.
  fileprivate mutating func double(_ share: ID<Holding>, from exDate: Day) {
    for index in activities.indices
    where activities[index].holding == share && activities[index].date >= exDate {
      if let old = activities[index].quantity { activities[index].quantity = old + old }
      if let old = activities[index].price { activities[index].price = old.half }
    }
    let id = ID<Instrument>(share.rawValue)
    market.closes[id] = market.closes[id]?.map { close in
      close.date >= exDate ? ClosingPrice(date: close.date, price: close.price.half) : close
    }
    var actions = market.actions[id] ?? []
    for index in actions.indices where actions[index].exDate >= exDate {
      if case .dividend(let payment) = actions[index].effect {
        actions[index].effect = .dividend(perUnit: payment.perUnit.half)
      }
    }
    let place = actions.firstIndex { $0.exDate >= exDate } ?? actions.count
    actions.insert(CorporateAction(exDate: exDate, effect: .split(ratio: .of("2"))), at: place)
    market.actions[id] = actions
  }

  /// Keeps the books in another currency, of which the old base is worth so many.
  fileprivate mutating func countIn(_ unit: Currency, times factor: Int) {
    portfolio = Portfolio(
      id: portfolio.id, code: portfolio.code, baseCurrency: unit, inception: portfolio.inception,
      calendar: portfolio.calendar, lotRelief: portfolio.lotRelief, cashMode: portfolio.cashMode,
      dividendMode: portfolio.dividendMode, irrConvention: portfolio.irrConvention)
    let dollars = market.rates[RandomLedger.euroInDollars] ?? []
    market.rates[CurrencyPair(base: RandomLedger.euro, quote: unit)] = dollars.map {
      DatedRate(date: $0.date, rate: Rate(units: $0.rate.units * Int128(factor)))
    }
  }
}

extension Price {
  fileprivate var half: Price { Price(units: units / 2) }
}

extension BookClose {
  /// Counts a holding in the units of before a split.
  fileprivate mutating func halve(_ share: ID<Holding>) {
    for index in holdings.indices where holdings[index].holding == share {
      holdings[index].quantity = Quantity(units: holdings[index].quantity.units / 2)
      if let price = holdings[index].price { holdings[index].price = price + price }
    }
  }
}

extension HoldingSnapshot {
  /// What does not depend on when the books were last closed.
  fileprivate var levels: [Int128] {
    [
      quantity.units, localValue.units, marketValue.units, localCost.units, costBasis.units,
      unrealized.units, unrealizedFX.units,
    ]
  }
}

extension Snapshot {
  /// What is counted in the base currency.
  fileprivate var amounts: [Money] {
    [
      openingEquity, inflow, outflow, dailyPnL, unrealizedPnL, closingEquity, cash, longValue,
      shortValue, grossExposure, netExposure, cumulativePnL, attribution.realized,
      attribution.income, attribution.fees, attribution.taxes, attribution.fx,
      attribution.unrealizedChange, attribution.priorPeriod,
    ]
  }
}

extension [FlowEvent] {
  /// In an order that does not depend on the closes.
  fileprivate func inOrder() -> [FlowEvent] {
    sorted {
      ($0.holding?.rawValue ?? 0, $0.day, $0.amount)
        < ($1.holding?.rawValue ?? 0, $1.day, $1.amount)
    }
  }
}

extension RandomLedger {
  func newBook(_ opening: BookOpening? = nil) -> PortfolioBook {
    PortfolioBook(portfolio: world.portfolio, instruments: world.instruments, opening: opening)
  }

  func close(_ book: inout PortfolioBook, on date: Day) throws(CloseError) -> BookClose {
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

  var hasFuture: Bool { has(.dollarFuture) || has(.euroFuture) }

  fileprivate func isShare(_ holding: ID<Holding>) -> Bool {
    world.instruments[holding]?.kind == .equity
  }

  /// What the twelfth decimal of a crossed rate can make in units: the pound's, on both sides.
  fileprivate func rateError(of close: BookClose) -> UInt128 {
    guard world.activities.contains(where: { $0.currency == Self.pound }) || has(.poundShare)
    else { return 0 }
    return close.snapshot.grossExposure.magnitude.units.magnitude / 1_000_000_000 + 100
  }
}
