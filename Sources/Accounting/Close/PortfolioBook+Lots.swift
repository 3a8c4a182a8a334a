extension PortfolioBook {
  /// The holdings whose lots must be known to apply these activities, and are not yet.
  ///
  /// For them load the whole activity history up to the last close and call `restoreLots`. Only
  /// what closes a part of a position needs lots, and average cost never does.
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
    return needed.sorted()
  }

  /// Rebuilds a holding's lots from its activities up to the last close.
  ///
  /// - Parameters:
  ///   - holding: One of the portfolio's.
  ///   - history: Its whole activity history up to the last close; later ones are left aside.
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
    let instrument = ledgers[index].instrument
    let (rebuilt, _) = try Self.rerun(
      history, of: holding, portfolio: portfolio, instrument: instrument,
      relief: portfolio.lotRelief, market: market, through: lastClose)
    let stored = ledgers[index].position
    guard rebuilt.totals == stored.totals else {
      throw .lotsDiffer(
        symbol: instrument.symbol, date: lastClose, stored: stored.totals,
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
      history, of: holding, portfolio: portfolio, instrument: instrument, relief: .average,
      market: market, through: through)
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
    var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    let window = Window(
      portfolio: portfolio, relief: .average, market: market, after: nil, through: through)
    let flows = history.filter(\.type.isExternalFlow)
    return try book.run(flows, [], in: window).flows.filter { $0.holding == nil }
  }

  private static func rerun(
    _ history: [Activity], of holding: ID<Holding>, portfolio: Portfolio, instrument: Instrument,
    relief: LotRelief, market: Market, through: Day
  ) throws(CloseError) -> (Position, WindowTotals) {
    var book = PortfolioBook(
      portfolio: portfolio, instruments: [holding: instrument], opening: nil)
    let window = Window(
      portfolio: portfolio, relief: relief, market: market, after: nil, through: through)
    let totals = try book.run(history.filter { $0.holding == holding }, [], in: window)
    return (book.ledgers[0].position, totals)
  }
}

extension Activity {
  /// Whether it may close a part of a position of this side.
  fileprivate func closesPart(ofShort isShort: Bool) -> Bool {
    switch type {
    case .buy, .transferIn: isShort
    case .sell, .transferOut: !isShort
    case .expire: quantity != nil
    default: false
    }
  }
}
