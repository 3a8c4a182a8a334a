extension PortfolioBook {
  /// The holdings whose lots must be known to apply these activities, and are not yet.
  ///
  /// For them load the whole activity history up to the last close and call `restoreLots`. Only
  /// what closes a part of a position needs lots, and what passes them to another holding; average
  /// cost never does.
  /// - Returns: Ascending by holding, each once.
  /// - Parameters:
  ///   - activities: Those of the dates to close, and perhaps earlier ones.
  ///   - market: The corporate actions of these dates.
  ///   - date: The last of these dates; nil where there is no end.
  public func holdingsNeedingLots(
    for activities: [Activity], market: Market = Market(), through date: Day? = nil
  ) -> [ID<Holding>] {
    guard portfolio.lotRelief != .average else { return [] }
    var needed: Set<ID<Holding>> = []
    for activity in activities {
      guard lastClose.map({ activity.bookingDate > $0 }) ?? true,
        let holding = activity.holding, let index = index(of: holding)
      else { continue }
      let ledger = ledgers[index]
      guard !ledger.isFuture, !ledger.position.areLotsKnown,
        activity.closesPart(ofShort: ledger.position.quantity < .zero)
      else { continue }
      needed.insert(holding)
    }
    for instrument in instrumentsNeedingLots(market.table, through: date) {
      guard let ledger = ledgers.first(where: { $0.instrument.id == instrument }),
        !ledger.isFuture, !ledger.isValued, !ledger.position.areLotsKnown
      else { continue }
      needed.insert(ledger.holding)
    }
    return needed.sorted()
  }

  /// What corporate actions after the last close relieve or pass on, and what they pass it to.
  private func instrumentsNeedingLots(
    _ actions: ActionTable, through date: Day?
  ) -> Set<ID<Instrument>> {
    if actions.relieving.isEmpty && actions.reorganisations.isEmpty { return [] }
    func counts(_ action: CorporateAction) -> Bool {
      (lastClose.map { action.exDate > $0 } ?? true) && (date.map { action.exDate <= $0 } ?? true)
        && action.concerns(portfolio.id)
    }
    var found: Set<ID<Instrument>> = []
    for relief in actions.relieving where counts(relief.action) { found.insert(relief.instrument) }
    for event in actions.reorganisations where counts(event.action) {
      found.insert(event.source)
      if let target = event.target { found.insert(target) }
    }
    return found
  }

  /// The holdings whose histories make a holding's lots and flows: its own first, then those from
  /// which lots passed to it up to a date, the last close where none is given.
  public func lineage(
    of holding: ID<Holding>, market: Market, through date: Day? = nil
  ) -> [ID<Holding>] {
    Self.lineage(
      of: holding, portfolio: portfolio,
      instruments: ledgers.map { ($0.holding, $0.instrument.id) }, market: market,
      through: date ?? lastClose)
  }

  /// The same of a portfolio whose book is not at hand.
  ///
  /// - Parameter instruments: Of the whole portfolio.
  public static func lineage(
    of holding: ID<Holding>, portfolio: Portfolio, instruments: [ID<Holding>: Instrument],
    market: Market, through date: Day
  ) -> [ID<Holding>] {
    lineage(
      of: holding, portfolio: portfolio, instruments: instruments.map { ($0.key, $0.value.id) },
      market: market, through: date)
  }

  private static func lineage(
    of holding: ID<Holding>, portfolio: Portfolio,
    instruments: @autoclosure () -> [(ID<Holding>, ID<Instrument>)], market: Market, through: Day?
  ) -> [ID<Holding>] {
    let events = market.table.reorganisations
    guard !events.isEmpty, let through else { return [holding] }
    let pairs = instruments()
    let holdings = Dictionary(pairs.map { ($0.1, $0.0) }, uniquingKeysWith: { first, _ in first })
    guard let own = pairs.first(where: { $0.0 == holding })?.1 else { return [holding] }
    var kin: Set<ID<Instrument>> = [own]
    var found = [holding]
    for event in events.reversed() where event.action.exDate <= through {
      guard event.action.concerns(portfolio.id), let target = event.target, kin.contains(target),
        let source = holdings[event.source], kin.insert(event.source).inserted
      else { continue }
      found.append(source)
    }
    return found
  }

  /// Rebuilds a holding's lots from its activities up to the last close.
  ///
  /// - Parameters:
  ///   - holding: One of the portfolio's.
  ///   - history: The whole activity history of its lineage up to the last close; later ones are
  ///     left aside.
  ///   - market: The rates of all its dates, and the instrument's corporate actions.
  /// - Throws: What a close would have thrown; `CloseError.lotsDiffer` where the history does not
  ///   make the stored quantity and costs.
  public mutating func restoreLots(
    of holding: ID<Holding>, from history: [Activity], market: Market
  ) throws(CloseError) {
    guard let lastClose else { return }
    guard let index = index(of: holding) else {
      throw .unknownHolding(holding, date: lastClose)
    }
    let kin = lineage(of: holding, market: market)
    // What lots passed on to takes part as well, though it has no history here.
    let passes = !market.table.reorganisations.isEmpty
    var instruments: [ID<Holding>: Instrument] = [:]
    for ledger in ledgers where passes || ledger.holding == holding {
      instruments[ledger.holding] = ledger.instrument
    }
    let (book, _) = try Self.rerun(
      history.filter { $0.holding.map(kin.contains) ?? false }, portfolio: portfolio,
      instruments: instruments, relief: portfolio.lotRelief, market: market, through: lastClose)
    let rebuilt = book.index(of: holding).map { book.ledgers[$0].position } ?? Position()
    let stored = ledgers[index].position
    guard rebuilt.totals == stored.totals else {
      throw .lotsDiffer(
        symbol: ledgers[index].instrument.symbol, date: lastClose, stored: stored.totals,
        rebuilt: rebuilt.totals)
    }
    ledgers[index].position.restoreLots(of: rebuilt)
  }

  /// The money-weighted flows of one holding over its history, in base currency as the investor
  /// sees them; the same events that the closes gave.
  ///
  /// Buys with their fee, sales net of theirs, income, fees and taxes of the holding, transfers,
  /// switches, what passed to or from another holding. A future has none: nothing is invested in
  /// it. Where lots passed, `flows(of:portfolio:instruments:history:market:through:)` tells them.
  public static func flows(
    of holding: ID<Holding>, portfolio: Portfolio, instrument: Instrument, history: [Activity],
    market: Market, through: Day
  ) throws(CloseError) -> [FlowEvent] {
    try flows(
      of: holding, portfolio: portfolio, instruments: [holding: instrument], history: history,
      market: market, through: through)
  }

  /// The same for a holding to or from which lots may have passed.
  ///
  /// - Parameters:
  ///   - instruments: Of the whole portfolio.
  ///   - history: At least of the holding's lineage.
  public static func flows(
    of holding: ID<Holding>, portfolio: Portfolio, instruments: [ID<Holding>: Instrument],
    history: [Activity], market: Market, through: Day
  ) throws(CloseError) -> [FlowEvent] {
    let kin = lineage(
      of: holding, portfolio: portfolio, instruments: instruments, market: market,
      through: through)
    let events = market.table.reorganisations
    let own = instruments[holding]?.id
    // Without lots that pass, flows do not depend on which are relieved; totals suffice.
    let passes = events.contains { $0.source == own || $0.target == own }
    let (_, totals) = try rerun(
      history.filter { $0.holding.map(kin.contains) ?? false }, portfolio: portfolio,
      instruments: passes ? instruments : instruments.filter { $0.key == holding },
      relief: passes ? portfolio.lotRelief : .average, market: market, through: through)
    return totals.flows.filter { $0.holding == holding }
  }

  /// The portfolio's external flows over its history, in base currency as the investor sees them;
  /// the same events that the closes gave.
  ///
  /// What passes between holdings is none of them, and is left aside.
  ///
  /// - Parameter history: At least every activity that is an external flow.
  public static func portfolioFlows(
    portfolio: Portfolio, instruments: [ID<Holding>: Instrument], history: [Activity],
    market: Market, through: Day
  ) throws(CloseError) -> [FlowEvent] {
    let (_, totals) = try rerun(
      history.filter(\.type.traits.isExternalFlow), portfolio: portfolio,
      instruments: instruments, relief: .average, market: market, through: through,
      passesLots: false)
    return totals.flows.filter { $0.holding == nil }
  }

  /// Runs a new book through a history as through one window.
  private static func rerun(
    _ history: [Activity], portfolio: Portfolio, instruments: [ID<Holding>: Instrument],
    relief: LotRelief, market: Market, through: Day, passesLots: Bool = true
  ) throws(CloseError) -> (PortfolioBook, WindowTotals) {
    var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    var window = Window(
      portfolio: portfolio, relief: relief, market: market, after: nil, through: through)
    if !passesLots { window.reorganisations = [] }
    let totals = try book.apply(history, [], in: window)
    return (book, totals)
  }
}

extension Activity {
  /// Whether it may close a part of a position of this side.
  fileprivate func closesPart(ofShort isShort: Bool) -> Bool {
    let traits = type.traits
    if traits.kind == .expiry { return quantity != nil }
    return traits.quantity != .forbidden && traits.holding == (isShort ? .into : .outOf)
  }
}
