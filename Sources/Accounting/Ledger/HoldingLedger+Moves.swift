/// One change of a quantity at a value: a trade, an expiry or a transfer in kind.
struct Move {
  /// Signed: positive arrives.
  var quantity: Quantity
  /// What is paid or delivered for it; signed like the quantity.
  var paid: Worth
  /// What a lot that it opens has cost; signed like the quantity.
  var cost: Worth
  /// When the lot was first bought.
  var acquired: Day
  /// The worth from which, or up to which, its price gain is this window's P&L.
  var mark: Mark
}

/// Where the gain of units that arrive or leave is cut off.
enum Mark {
  /// Nowhere: they are measured from and to the price of the trade.
  case none
  /// At a worth, whose unrealized part is no P&L of this window: the flow value of a transfer in
  /// kind, or the value at the opening for a late activity.
  case worth(Worth, rate: Rate)
  /// At their cost: there was no close at the opening.
  case cost(rate: Rate)

  func share(_ part: Quantity, of whole: Quantity) throws(ArithmeticError) -> Mark {
    guard case .worth(let worth, let rate) = self else { return self }
    return .worth(try worth.share(part, of: whole), rate: rate)
  }

  static prefix func - (mark: Mark) -> Mark {
    guard case .worth(let worth, let rate) = mark else { return mark }
    return .worth(-worth, rate: rate)
  }
}

extension HoldingLedger {
  /// Closes what the move closes of the position, and opens the rest on the other side.
  ///
  /// A move that crosses zero is split by quantity; the opening part takes what the closing part
  /// leaves of the whole, so that the two sum to it exactly.
  ///
  /// - Parameter rate: Of the trade.
  mutating func apply(
    _ move: Move, at rate: Rate, on day: Day, in window: Window
  ) throws(CloseError) {
    let closing = closingPart(of: move.quantity)
    let relief = window.relief
    try requireLots(toClose: closing, by: relief, on: day)
    do throws(ArithmeticError) {
      let paid = try move.paid.share(closing, of: move.quantity)
      let cost = try move.cost.share(closing, of: move.quantity)
      let mark = try move.mark.share(closing, of: move.quantity)
      if !closing.isZero {
        let relieved = try position.relieve(-closing, by: relief)
        try bookClosed(proceeds: -paid, relieved: relieved, mark: -mark, rate: rate)
      }
      let opening = move.quantity - closing
      guard !opening.isZero else { return }
      try requireRoom(for: opening)
      let openingCost = move.cost - cost
      position.open(
        Lot(
          quantity: opening, localCost: openingCost.local, costBasis: openingCost.base,
          acquired: move.acquired), by: relief)
      try bookOpened(
        paid: move.paid - paid, cost: openingCost,
        mark: move.mark.rest(after: mark))
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: day, error)
    }
  }

  /// The part of a change that closes what is held; signed like the change.
  func closingPart(of change: Quantity) -> Quantity {
    let held = position.quantity
    if held.isZero || (held.units < 0) == (change.units < 0) { return .zero }
    return change.magnitude <= held.magnitude ? change : -held
  }

  /// Units that a split made many can come late, any number of times.
  func requireRoom(for opening: Quantity) throws(ArithmeticError) {
    let quantity = position.quantity + opening
    guard quantity.units.magnitude < Quantity.derivedLimit.magnitude else { throw .overflow }
  }

  func requireLots(
    toClose part: Quantity, by relief: LotRelief, on day: Day
  ) throws(CloseError) {
    if part.isZero || position.areLotsKnown || relief == .average || isFuture { return }
    if part.magnitude == position.quantity.magnitude { return }
    throw .lotsUnknown(symbol: instrument.symbol, date: day)
  }

  /// Books the P&L of lots that were closed.
  mutating func bookClosed(
    proceeds: Worth, relieved: Worth, mark: Mark, rate: Rate
  ) throws(ArithmeticError) {
    let total = proceeds.base - relieved.base
    switch mark {
    case .none:
      let realized = try convert(proceeds.local - relieved.local, at: rate)
      attribution.realized += realized
      attribution.fx += total - realized
    case .worth(let worth, let rate):
      try leave(worth, relieved: relieved, rate: rate)
      attribution.priorPeriod += proceeds.base - worth.base
    case .cost(let rate):
      let atCost = Worth(
        local: relieved.local, base: try convert(relieved.local, at: rate))
      try leave(atCost, relieved: relieved, rate: rate)
      attribution.priorPeriod += proceeds.base - atCost.base
    }
  }

  /// Takes the unrealized gain of what left out of the change of level (of what arrived: negated).
  mutating func leave(
    _ worth: Worth, relieved: Worth, rate: Rate
  ) throws(ArithmeticError) {
    let unrealized = try convert(worth.local - relieved.local, at: rate)
    attribution.unrealizedChange += unrealized
    attribution.fx += worth.base - relieved.base - unrealized
  }

  /// Takes the unrealized gain of what arrived out of the change of level.
  mutating func bookOpened(
    paid: Worth, cost: Worth, mark: Mark
  ) throws(ArithmeticError) {
    let worth: Worth
    switch mark {
    case .none: return
    case .worth(let known, let rate):
      worth = known
      try leave(-known, relieved: -cost, rate: rate)
    case .cost(let rate):
      worth = Worth(local: cost.local, base: try convert(cost.local, at: rate))
      try leave(-worth, relieved: -cost, rate: rate)
    }
    attribution.priorPeriod += worth.base - paid.base
  }

  /// A future's change: the closing part is settled in cash, the opening part starts at its price.
  mutating func applyFuture(
    _ move: Move, _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    let closing = closingPart(of: move.quantity)
    do throws(ArithmeticError) {
      let paid = try move.paid.share(closing, of: move.quantity)
      let mark = try move.mark.share(closing, of: move.quantity)
      if !closing.isZero {
        let relieved = try position.relieve(-closing, by: .average)
        try receiveVariation(-paid.local - relieved.local, entry, at: entry.rate, totals: &totals)
      }
      let opening = move.quantity - closing
      guard !opening.isZero else { return }
      try requireRoom(for: opening)
      var start = move.paid.local - paid.local
      if case .worth(let worth, let rate) = move.mark.rest(after: mark) {
        try receiveVariation(worth.local - start, entry, at: rate, totals: &totals)
        start = worth.local
      }
      let lot = Lot(
        quantity: opening, localCost: start, costBasis: .zero, acquired: move.acquired)
      position.open(lot, by: .average)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: entry.day, error)
    }
  }

  private mutating func receiveVariation(
    _ gain: Money, _ entry: Entry, at rate: Rate, totals: inout WindowTotals
  ) throws(ArithmeticError) {
    let worth = Worth(local: gain, base: try convert(gain, at: rate))
    try totals.receive(worth, in: instrument.currency, lateRate: entry.lateCashRate)
    if entry.isLate {
      attribution.priorPeriod += worth.base
    } else {
      attribution.realized += worth.base
    }
  }
}

extension Mark {
  /// What is left of the mark when a share of it is taken away.
  func rest(after part: Mark) -> Mark {
    guard case .worth(let whole, let rate) = self, case .worth(let taken, _) = part else {
      return self
    }
    return .worth(whole - taken, rate: rate)
  }
}
