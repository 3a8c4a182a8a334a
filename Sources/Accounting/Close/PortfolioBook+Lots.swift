extension PortfolioBook {
  /// The holdings whose lots must be known to apply these activities, and are not yet.
  ///
  /// For them load the whole activity history up to the last close and call `restoreLots`. Only
  /// what closes a part of a position needs lots, and what passes them to another holding; average
  /// cost never does.
  /// - Returns: Ascending by holding, each once.
  public func holdingsNeedingLots(for activities: [Activity]) -> [ID<Holding>] {
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
    if reorganisations.isEmpty { return needed.sorted() }
    for event in reorganisations where lastClose.map({ event.exDate > $0 }) ?? true {
      needed.formUnion(
        [event.source, event.target].filter { holding in
          index(of: holding).map { !ledgers[$0].position.areLotsKnown } ?? false
        })
    }
    return Set(needed.flatMap(lineage)).sorted()
  }

  /// The holdings whose histories make a holding's lots: its own first, then those from which lots
  /// passed to it, up to the last close.
  public func lineage(of holding: ID<Holding>) -> [ID<Holding>] {
    var found = [holding]
    if reorganisations.isEmpty { return found }
    for event in reorganisations.sorted(by: { $0.exDate < $1.exDate }).reversed()
    where lastClose.map({ event.exDate <= $0 }) ?? false && found.contains(event.target)
      && !found.contains(event.source)
    {
      found.append(event.source)
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
    let kin = lineage(of: holding)
    let passed = reorganisations.filter { kin.contains($0.source) }
    var instruments: [ID<Holding>: Instrument] = [:]
    for member in kin + passed.map(\.target) {
      instruments[member] = self.index(of: member).map { ledgers[$0].instrument }
    }
    let (book, _) = try Self.rerun(
      history.filter { $0.holding.map(kin.contains) ?? false }, portfolio: portfolio,
      instruments: instruments, relief: portfolio.lotRelief, market: market, through: lastClose,
      among: passed)
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
  /// switches. A future has none: nothing is invested in it.
  public static func flows(
    of holding: ID<Holding>, portfolio: Portfolio, instrument: Instrument, history: [Activity],
    market: Market, through: Day
  ) throws(CloseError) -> [FlowEvent] {
    // Flows do not depend on which lots are relieved; totals suffice.
    let (_, totals) = try rerun(
      history.filter { $0.holding == holding }, portfolio: portfolio,
      instruments: [holding: instrument], relief: .average, market: market, through: through)
    return totals.flows.filter { $0.holding == holding }
  }

  /// The portfolio's external flows over its history, in base currency as the investor sees them;
  /// the same events that the closes gave.
  ///
  /// - Parameter history: At least every activity that is an external flow.
  public static func portfolioFlows(
    portfolio: Portfolio, instruments: [ID<Holding>: Instrument], history: [Activity],
    market: Market, through: Day
  ) throws(CloseError) -> [FlowEvent] {
    let (_, totals) = try rerun(
      history.filter(\.type.traits.isExternalFlow), portfolio: portfolio,
      instruments: instruments, relief: .average, market: market, through: through)
    return totals.flows.filter { $0.holding == nil }
  }

  /// Runs a new book through a history as through one window.
  private static func rerun(
    _ history: [Activity], portfolio: Portfolio, instruments: [ID<Holding>: Instrument],
    relief: LotRelief, market: Market, through: Day, among reorganisations: [Reorganisation] = []
  ) throws(CloseError) -> (PortfolioBook, WindowTotals) {
    var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    let window = Window(
      portfolio: portfolio, relief: relief, market: market, after: nil, through: through,
      among: reorganisations)
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
