/// Works out what a reorganisation does to the two holdings that take part in it.
struct ReorganisationTerms {
  let event: Reorganisation
  /// The ledger that delivers, as it stands on the ex-date.
  let source: HoldingLedger
  /// The ledger that receives; nil where only cash comes.
  let target: HoldingLedger?
  let window: Window

  /// What the holdings of both sides book; nobody receives where only cash comes.
  typealias Legs = (out: LotLeg, in: LotLeg?)

  private var exDate: Day { event.action.exDate }
  private var held: Position { source.position }

  /// Nil where nothing happens: nothing is held, or less than the smallest fraction would come.
  func legs() throws(CloseError) -> Legs? {
    if source.isFlat || (held.quantity.isZero && !source.isValued) { return nil }
    try source.requireUnits(on: exDate)
    try target?.requireUnits(on: exDate)
    if event.isInCycle || event.source == event.target { throw refused(.cycle) }
    switch event.action.effect {
    case .spinOff(let shares, let costShare), .rights(let shares, let costShare):
      return try spinOff(shares, costShare)
    case .merger(let merger): return try self.merger(merger)
    case .split, .stockDividend, .dividend, .returnOfCapital, .rename: return nil
    }
  }

  private func refused(_ reason: CloseError.ReorganisationRefusal) -> CloseError {
    .notReorganised(symbol: source.instrument.symbol, exDate: exDate, reason)
  }

  /// The units stay, a part of what they cost goes along.
  private func spinOff(
    _ shares: CorporateAction.Shares, _ costShare: Rate
  ) throws(CloseError) -> Legs? {
    let (passing, left) = try sharing(held, costShare, of: Rate.one)
    guard let arriving = try inTarget(passing, shares) else { return nil }
    let worth = try worth(of: arriving)
    return try legs(
      arriving, worth: worth,
      LotLeg.Delivery(
        left: left, worth: try inSource(worth), passing: passing.cost))
  }

  private func merger(_ merger: CorporateAction.Merger) throws(CloseError) -> Legs? {
    var delivery = LotLeg.Delivery(relieved: held.cost)
    if let payment = merger.cash {
      let paid = try source.worth(of: payment, for: held.quantity, on: exDate, in: window)
      delivery.cash = LotLeg.Cash(payment: payment, paid: paid)
      delivery.proceeds = Worth(
        local: try source.inOwnCurrency(
          paid.local, from: payment.currency, on: exDate, in: window), base: paid.base)
    }
    let cash = delivery.proceeds
    // Where nothing but cash comes, or less than the smallest fraction, all is sold for it.
    guard let shares = merger.shares, var arriving = try inTarget(held, shares) else {
      return try legs(nil, worth: .zero, delivery)
    }
    let isPriced = try closingPrice() != nil
    switch merger.cost {
    case .realized:
      if merger.cash != nil, !isPriced { throw refused(.noClose(symbol: targetSymbol)) }
      let worth = try worth(of: arriving)
      arriving = Position()
      arriving.open(
        Lot(
          quantity: try units(shares), localCost: worth.local, costBasis: worth.base,
          acquired: exDate), by: window.relief)
      delivery.worth = try inSource(worth)
      delivery.passing = delivery.worth
      delivery.proceeds = delivery.worth + cash
      return try legs(arriving, worth: worth, delivery)
    case .carried(let share):
      var passing = held
      if let share {
        passing = try sharing(held, share, of: Rate.one).share
      } else if merger.cash != nil {
        guard isPriced else { throw refused(.noClose(symbol: targetSymbol)) }
        let received = cash.base + (try worth(of: arriving)).base
        if !received.isZero { passing = try sharing(held, cash.base, of: received).rest }
      }
      guard let arriving = try inTarget(passing, shares) else { return nil }
      let worth = try worth(of: arriving)
      delivery.worth = try inSource(worth)
      delivery.passing = passing.cost
      delivery.relieved = held.cost - passing.cost
      return try legs(arriving, worth: worth, delivery)
    }
  }

  private func legs(
    _ arriving: Position?, worth: Worth, _ delivery: LotLeg.Delivery
  ) throws(CloseError) -> Legs {
    let out = LotLeg(
      holding: source.holding, action: event.action, side: .delivers(delivery),
      rate: try window.rate(of: source.instrument.currency, on: exDate))
    guard let target, let arriving else { return (out, nil) }
    let receipt = LotLeg.Receipt(old: held.quantity, arriving: arriving, worth: worth)
    return (
      out,
      LotLeg(
        holding: target.holding, action: event.action, side: .receives(receipt),
        rate: try window.rate(of: target.instrument.currency, on: exDate))
    )
  }
}

// MARK: - Units, cost and value of the other instrument

extension ReorganisationTerms {
  private var targetSymbol: String { target?.instrument.symbol ?? "" }

  private func units(_ shares: CorporateAction.Shares) throws(CloseError) -> Quantity {
    try checked { () throws(ArithmeticError) in try shares.ratio.units(for: held.quantity) }
  }

  /// Lots in units and currency of the new instrument; nil where none is left.
  private func inTarget(
    _ lots: Position, _ shares: CorporateAction.Shares
  ) throws(CloseError) -> Position? {
    guard let target else {
      throw refused(.noHolding(instrument: shares.into))
    }
    guard shares.ratio.isPositive else { throw refused(.ratio(shares.ratio)) }
    if try units(shares).isZero { return nil }
    var arriving = lots
    let (from, into) = (source.instrument.currency, target.instrument.currency)
    let cross = try window.market.rate(from: from, to: into, on: exDate).rate
    return try checked { () throws(ArithmeticError) in
      try arriving.split(by: shares.ratio)
      if from != into { try arriving.convertLocalCost(at: cross) }
      return arriving
    }
  }

  private func sharing<Measure: FixedPoint>(
    _ lots: Position, _ part: Measure, of whole: Measure
  ) throws(CloseError) -> (share: Position, rest: Position) {
    if !lots.areLotsKnown, window.relief != .average {
      throw .lotsUnknown(symbol: source.instrument.symbol, date: exDate)
    }
    return try checked { () throws(ArithmeticError) in
      try lots.sharingCost(part, of: whole)
    }
  }

  private func closingPrice() throws(CloseError) -> Price? {
    guard let target else { return nil }
    return try checked { () throws(ArithmeticError) in
      try window.market.close(of: target.instrument.id, on: exDate)?.price
    }
  }

  /// The value moved: at the last close on or before the ex-date, or the cost where there never
  /// was one; before fractions.
  private func worth(of arriving: Position) throws(CloseError) -> Worth {
    guard let target else { return .zero }
    let rate = try window.rate(of: target.instrument.currency, on: exDate)
    let price = try closingPrice()
    return try checked { () throws(ArithmeticError) in
      guard let price else {
        let local = arriving.cost.local
        return Worth(local: local, base: try convert(local, at: rate))
      }
      return try localAndBaseValue(
        arriving.quantity, at: price, multiplier: target.instrument.multiplier, rate: rate)
    }
  }

  /// The value moved in the currency of the old instrument.
  private func inSource(_ worth: Worth) throws(CloseError) -> Worth {
    Worth(
      local: try source.inOwnCurrency(
        worth.local, from: target?.instrument.currency, on: exDate, in: window),
      base: worth.base)
  }

  private func checked<Result>(
    _ work: () throws(ArithmeticError) -> Result
  ) throws(CloseError) -> Result {
    do throws(ArithmeticError) {
      return try work()
    } catch {
      throw .arithmetic(subject: source.instrument.symbol, date: exDate, error)
    }
  }
}
