/// Lots that are closed and opened, and the gains that this books.
extension StepWriter {
  /// P&L that a move booked in parts, one part each of what it closed and what it opened.
  private struct Gains {
    var unrealized: [Money] = []
    var fx: [Money] = []
    var prior: [SumsWriter.Term] = []
  }

  /// A change of a quoted position.
  mutating func apply(_ move: Move, _ entry: Entry) throws {
    let closing = before.closingPart(of: move.quantity)
    let opening = move.quantity - closing
    let paid = try move.paid.share(closing, of: move.quantity)
    let mark = try move.mark.share(closing, of: move.quantity)
    var gains = Gains()
    if !closing.isZero {
      if !opening.isZero { crossing(move, closing, paid) }
      let relieved = relieve(-closing)
      try closed(-paid, relieved, -mark, entry, &gains)
    }
    if !opening.isZero {
      let cost = move.cost - (try move.cost.share(closing, of: move.quantity))
      step.opened = ExplainedLot(
        quantity: opening, localCost: cost.local, costBasis: cost.base, acquired: move.acquired)
      let rest = move.mark.rest(after: mark)
      try opened(cost, move.paid - paid, rest, &gains)
    }
    try finish(gains, entry)
  }

  /// A future's change is settled in cash.
  mutating func future(_ move: Move, _ entry: Entry) throws {
    let closing = before.closingPart(of: move.quantity)
    let opening = move.quantity - closing
    let paid = try move.paid.share(closing, of: move.quantity)
    let mark = try move.mark.share(closing, of: move.quantity)
    if !closing.isZero {
      if !opening.isZero { crossing(move, closing, paid) }
      let relieved = relieve(-closing)
      try settled(
        [("value", -paid.local), ("settled before", -relieved.local)], "gain settled",
        at: entry.rate)
    }
    guard !opening.isZero else { return }
    let start = move.paid.local - paid.local
    if case .worth(let worth, let rate) = move.mark.rest(after: mark) {
      try settled(
        [("worth at the opening", worth.local), ("value", -start)], "gain up to the opening",
        at: rate)
    }
    step.opened = ExplainedLot(
      quantity: opening, localCost: after.position.cost.local, costBasis: .zero,
      acquired: move.acquired)
  }

  private mutating func settled(_ terms: [SumsWriter.Term], _ name: String, at rate: Rate) throws {
    let gain = terms.reduce(Money.zero) { $0 + $1.amount }
    add(.labelled(name, terms, gain))
    if isForeign {
      add(Formula("\(name) in \(base)", .of(gain) * .of(rate), try convert(gain, at: rate)))
    }
  }

  /// The part of a trade's value with which the old side closes.
  private mutating func crossing(_ move: Move, _ closing: Quantity, _ paid: Worth) {
    func part(_ value: Money) -> Expression {
      .of(value.magnitude) * .of(closing.magnitude) / .of(move.quantity.magnitude)
    }
    add(Formula("of it closing", part(move.paid.local), paid.local.magnitude))
    guard isForeign else { return }
    add(Formula("of it closing in \(base)", part(move.paid.base), paid.base.magnitude))
  }

  // MARK: - Relief

  /// The cost of what is closed, lot by lot where they are known.
  private mutating func relieve(_ part: Quantity) -> Worth {
    let held = before.position
    let isAll = part == held.quantity
    let relieved = isAll ? held.cost : held.cost - after.position.cost
    guard held.areLotsKnown, window.relief != .average, !before.isFuture else {
      if !isAll { addShare("cost relieved", held.cost, part, of: held.quantity, relieved) }
      return relieved
    }
    var rest = part
    let isOldestFirst = window.relief == .fifo
    for place in held.lots.indices {
      if rest.isZero { break }
      let end = held.lots.startIndex + held.lots.endIndex - 1
      let lot = held.lots[isOldestFirst ? place : end - place]
      let taken = rest.magnitude < lot.quantity.magnitude ? rest : lot.quantity
      var cost = Worth(local: lot.localCost, base: lot.costBasis)
      if taken != lot.quantity,
        let left = isOldestFirst ? after.position.lots.first : after.position.lots.last
      {
        let whole = cost
        cost = cost - Worth(local: left.localCost, base: left.costBasis)
        addShare("relieved of \(lot.acquired)", whole, taken, of: lot.quantity, cost)
      }
      step.relieved.append(
        RelievedLot(
          lot: ExplainedLot(lot), quantity: taken, localCost: cost.local, costBasis: cost.base))
      rest -= taken
    }
    guard step.relieved.count > 1 else { return relieved }
    add(.sum("cost relieved", step.relieved.map(\.localCost), relieved.local))
    if isForeign {
      add(.sum("cost relieved in \(base)", step.relieved.map(\.costBasis), relieved.base))
    }
    return relieved
  }

  private mutating func addShare(
    _ name: String, _ whole: Worth, _ part: Quantity, of quantity: Quantity, _ share: Worth
  ) {
    func expression(_ cost: Money) -> Expression {
      .of(cost) * .of(part.magnitude) / .of(quantity.magnitude)
    }
    add(Formula(name, expression(whole.local), share.local))
    if isForeign { add(Formula("\(name) in \(base)", expression(whole.base), share.base)) }
  }

  // MARK: - Gains

  /// What closing booked, with the units' gain measured up to the trade or up to a mark.
  private mutating func closed(
    _ proceeds: Worth, _ relieved: Worth, _ mark: Mark, _ entry: Entry, _ gains: inout Gains
  ) throws {
    switch mark {
    case .none:
      gain("realized", proceeds, relieved, at: entry.rate, step.attribution.realized)
      guard isForeign else { return }
      addCurrency(
        "realized currency",
        [
          ("value", proceeds.base), ("cost", -relieved.base),
          ("realized", -step.attribution.realized),
        ])
    case .worth(let worth, let rate):
      try left("unrealized that left", worth, relieved, rate, &gains)
      gains.prior += [("paid", proceeds.base), ("worth at the opening", -worth.base)]
    case .cost(let rate):
      let worth = try atCost(relieved.local, rate)
      try left("unrealized that left", worth, relieved, rate, &gains)
      gains.prior += [("paid", proceeds.base), ("worth at the opening", -worth.base)]
    }
  }

  /// What opening booked: the gain of units that came with one is not made here.
  private mutating func opened(
    _ cost: Worth, _ paid: Worth, _ mark: Mark, _ gains: inout Gains
  ) throws {
    switch mark {
    case .none: return
    case .worth(let worth, let rate):
      try left("unrealized that arrived", -worth, -cost, rate, &gains)
      gains.prior += [("worth at the opening", worth.base), ("paid", -paid.base)]
    case .cost(let rate):
      let worth = try atCost(cost.local, rate)
      try left("unrealized that arrived", -worth, -cost, rate, &gains)
      gains.prior += [("worth at the opening", worth.base), ("paid", -paid.base)]
    }
  }

  private mutating func atCost(_ cost: Money, _ rate: Rate) throws -> Worth {
    let worth = Worth(local: cost, base: try convert(cost, at: rate))
    if isForeign { add(Formula("cost in \(base)", .of(cost) * .of(rate), worth.base)) }
    return worth
  }

  mutating func gain(
    _ name: String, _ value: Worth, _ cost: Worth, at rate: Rate, _ result: Money
  ) {
    let difference = Expression.sum([value.local, -cost.local])
    guard isForeign else {
      add(.labelled(name, [("value", value.local), ("cost", -cost.local)], result))
      return
    }
    add(Formula(name, difference * .of(rate), result))
  }

  private mutating func left(
    _ name: String, _ worth: Worth, _ cost: Worth, _ rate: Rate, _ gains: inout Gains
  ) throws {
    let unrealized = try convert(worth.local - cost.local, at: rate)
    gain(name, worth, cost, at: rate, unrealized)
    gains.unrealized.append(unrealized)
    guard isForeign else { return }
    gains.fx.append(
      addCurrency(
        "\(name), currency",
        [("value", worth.base), ("cost", -cost.base), ("unrealized", -unrealized)]))
  }

  /// What is left for the currency of amounts in base currency.
  @discardableResult
  mutating func addCurrency(_ name: String, _ terms: [SumsWriter.Term]) -> Money {
    let rest = terms.reduce(Money.zero) { $0 + $1.amount }
    add(.labelled(name, terms, rest))
    return rest
  }

  /// Sums what came in two parts, and what a late activity books of an earlier period.
  private mutating func finish(_ gains: Gains, _ entry: Entry) throws {
    if gains.unrealized.count > 1 {
      add(.sum("unrealized moved", gains.unrealized, step.attribution.unrealizedChange))
    }
    if gains.fx.count > 1 {
      add(.sum("currency moved", gains.fx, step.attribution.fx))
    }
    guard entry.isLate else { return }
    let fee = try entry.worth(entry.activity.fee).base
    let terms = gains.prior + [("fee", -fee), ("dividends missed", step.dividendsMissed)]
    add(.labelled("prior period", terms, step.attribution.priorPeriod))
  }
}
