/// Writes out one step of a holding: what the ledger did, between two of its states.
struct StepWriter {
  let window: Window
  let before: HoldingLedger
  let after: HoldingLedger
  var step: ExplainedStep

  init(
    _ event: ExplainedStep.Event, from before: HoldingWalk.State, to after: HoldingWalk.State,
    _ window: Window
  ) {
    self.window = window
    self.before = before.ledger
    self.after = after.ledger
    step = ExplainedStep(event)
    step.take(before.totals, after.totals)
    step.attribution = after.ledger.attribution.since(before.ledger.attribution)
    step.quantity = after.ledger.position.quantity
    step.localCost = after.ledger.position.cost.local
    step.costBasis = after.ledger.position.cost.base
    step.carriedValue = after.ledger.isValued ? after.ledger.carriedValue : nil
  }

  var instrument: Instrument { before.instrument }
  var base: Currency { window.portfolio.baseCurrency }
  var isForeign: Bool { instrument.currency != base }

  mutating func add(_ formula: Formula) { step.formulas.append(formula) }

  mutating func write(_ activity: Activity) throws {
    let entry = try window.entry(activity)
    if before.isValued {
      try writeValued(entry)
      return
    }
    switch activity.type.traits.kind {
    case .trade: try trade(entry)
    case .expiry: try expire(entry)
    case .transfer: try transfer(entry)
    case .contribution, .income, .fee, .tax, .exchange, .fundSwitch:
      try step.income(entry, base: base)
    }
  }

  // MARK: - Trades and transfers

  private mutating func trade(_ entry: Entry) throws {
    guard let quantity = entry.activity.quantity, let price = entry.activity.price else { return }
    let signed = entry.activity.type.traits.holding == .into ? quantity : -quantity
    let paid = try value("value", signed, at: price, entry)
    let late = try lateQuantity(signed, entry)
    let moved = before.closing(late, on: entry.day, in: window)
    let move = Move(
      quantity: moved, paid: paid, cost: paid, acquired: entry.activity.date,
      mark: try mark(moved, entry))
    try before.isFuture ? future(move, entry) : apply(move, entry)
    try step.paid(before.isFuture ? .zero : -paid, entry, base: base)
  }

  private mutating func expire(_ entry: Entry) throws {
    let held = before.position.quantity
    let asked = entry.activity.quantity ?? held.magnitude
    let quantity = held < .zero ? asked : -asked
    var move = Move(
      quantity: quantity, paid: .zero, cost: .zero, acquired: entry.activity.date,
      mark: try mark(quantity, entry))
    if before.isFuture {
      move.paid = try before.finalSettlement(quantity, entry, in: window)
      try future(move, entry)
    } else {
      try apply(move, entry)
    }
    try step.paid(.zero, entry, base: base)
  }

  private mutating func transfer(_ entry: Entry) throws {
    guard let quantity = entry.activity.quantity else { return }
    let signed = entry.activity.type.traits.holding == .into ? quantity : -quantity
    let paid = try before.flowValue(signed, entry, in: window)
    if entry.activity.amount == nil {
      let close = try window.market.close(of: instrument.id, on: entry.activity.date)
      if let price = entry.activity.referenceClose ?? close?.price {
        _ = try value("flow", signed, at: price, entry)
      }
    } else if isForeign {
      add(
        Formula(
          "flow in \(base)", .of(paid.local.magnitude) * .of(entry.rate), paid.base.magnitude))
    }
    var cost = paid
    let moved = try lateQuantity(signed, entry)
    // The price says what a lot that it opens has cost.
    if let price = entry.activity.price, before.closingPart(of: moved) != moved {
      cost = try value("cost", signed, at: price, entry)
    }
    var move = Move(
      quantity: moved, paid: paid, cost: cost,
      acquired: entry.activity.acquired ?? entry.activity.date,
      mark: entry.isLate ? try mark(moved, entry) : .worth(paid, rate: entry.rate))
    if before.isFuture {
      if !entry.isLate { move.mark = .none }
      try future(move, entry)
    } else {
      try apply(move, entry)
    }
    try step.paid(.zero, entry, base: base)
  }

  /// The worth of units at a price, from the ledger, and how it comes about.
  private mutating func value(
    _ name: String, _ quantity: Quantity, at price: Price, _ entry: Entry
  ) throws -> Worth {
    let worth = try before.worth(quantity, at: price, entry)
    let local = Expression.of(quantity.magnitude) * .of(price) * .of(instrument.multiplier)
    add(Formula(name, local, worth.local.magnitude))
    if isForeign {
      add(Formula("\(name) in \(base)", local * .of(entry.rate), worth.base.magnitude))
    }
    return worth
  }

  // MARK: - Late activities

  /// A late activity's units at its booking date, and the dividends that they missed.
  private mutating func lateQuantity(_ quantity: Quantity, _ entry: Entry) throws -> Quantity {
    guard entry.isLate else { return quantity }
    var scratch = before
    var totals = WindowTotals()
    let missed = Window(
      portfolio: window.portfolio, relief: window.relief, market: window.market,
      after: entry.activity.date, through: entry.day - 1)
    var units = quantity
    for action in missed.actions(of: instrument.id) {
      if let ratio = action.effect.unitRatio {
        let scaled = try ratio.units(for: units)
        let product = Expression.of(units) * .of(ratio.new)
        add(
          .twelve(
            "quantity after the \(action.effect.word)",
            ratio.old == .one ? product : product / .of(ratio.old), scaled))
        units = scaled
      }
      guard case .dividend(let payment) = action.effect else { continue }
      let paid = try scratch.dividend(
        payment, on: units, exDate: action.exDate, in: missed, totals: &totals)
      guard !paid.base.isZero else { continue }
      let currency = payment.currency ?? instrument.currency
      let rate = try window.rate(of: currency, on: action.exDate)
      let local = Expression.of(units) * .of(payment.perUnit)
      add(Formula("dividend missed", currency == base ? local : local * .of(rate), paid.base))
      step.dividendsMissed += paid.base
    }
    return try scratch.lateQuantity(quantity, entry, in: window, totals: &totals)
  }

  /// The worth at the opening from which a late activity's units make this window's P&L.
  private mutating func mark(_ quantity: Quantity, _ entry: Entry) throws -> Mark {
    let mark = try before.openingMark(quantity, entry, in: window)
    guard case .worth(let worth, let rate) = mark, let opening = window.after,
      let close = try window.market.close(
        of: instrument.id, on: opening, inUnitsOf: entry.day - 1)
    else { return mark }
    let local = Expression.of(quantity) * .of(close.price) * .of(instrument.multiplier)
    add(Formula("worth at the opening", local, worth.local))
    if isForeign {
      add(Formula("worth at the opening in \(base)", local * .of(rate), worth.base))
    }
    return mark
  }
}

// MARK: - What holdings and cash have in common

extension ExplainedStep {
  /// Takes over what was done outside the holding between two states.
  mutating func take(_ before: WindowTotals, _ after: WindowTotals) {
    cash = after.cash(since: before)
    inflow = after.inflow - before.inflow
    outflow = after.outflow - before.outflow
    ownAttribution = after.attribution.since(before.attribution)
    flows = Array(after.flows.dropFirst(before.flows.count))
    receivables = after.receivables
  }

  /// A dividend, interest, a fee or a tax, of a holding or of none.
  mutating func income(_ entry: Entry, base: Currency) throws {
    guard let amount = entry.activity.amount else { return }
    let worth = try entry.worth(amount)
    if entry.activity.currency != base {
      formulas.append(
        Formula(
          "\(entry.activity.type.rawValue) in \(base)", .of(amount) * .of(entry.rate), worth.base))
    }
    let received = entry.activity.type.traits.cash == .into ? worth : -worth
    try paid(entry.payDate == nil ? received : .zero, entry, base: base)
    guard entry.isLate else { return }
    let fee = try entry.worth(entry.activity.fee)
    addPrior("received, fee", [received.base, -fee.base], entry)
  }

  /// A deposit, a withdrawal, or a leg of an exchange.
  mutating func transfer(_ entry: Entry, base: Currency) throws {
    guard let amount = entry.activity.amount else { return }
    let type = entry.activity.type
    let traits = type.traits
    let worth = try entry.worth(amount)
    if entry.activity.currency != base {
      formulas.append(
        Formula("\(type.rawValue) in \(base)", .of(amount) * .of(entry.rate), worth.base))
    }
    let received = traits.cash == .into ? worth : -worth
    try paid(received, entry, base: base)
    guard entry.isLate else { return }
    let fee = try entry.worth(entry.activity.fee)
    let own = traits.kind == .exchange ? [received.base] : []
    addPrior("received, fee", own + [-fee.base], entry)
  }

  /// What a late activity books of an earlier period, of a holding or of none.
  private mutating func addPrior(_ rule: String, _ terms: [Money], _ entry: Entry) {
    let booked = terms.reduce(Money.zero, +)
    let result = entry.activity.holding == nil ? ownAttribution : attribution
    if entry.activity.holding != nil || booked == result.priorPeriod {
      formulas.append(.sum("prior period", rule: rule, terms, result.priorPeriod))
    } else {
      let rest = result.priorPeriod - booked
      formulas.append(
        .sum(
          "prior period", rule: "\(rule), what cash moved since", terms + [rest],
          result.priorPeriod))
    }
  }

  /// The fee of an activity, and the cash that it moved in all.
  mutating func paid(_ received: Worth, _ entry: Entry, base: Currency) throws {
    let fee = try entry.worth(entry.activity.fee)
    if entry.activity.currency != base, !fee.local.isZero {
      formulas.append(Formula("fee in \(base)", .of(fee.local) * .of(entry.rate), fee.base))
    }
    guard entry.lateCashRate == nil else {
      try paidLate([received, -fee], entry, base: base)
      return
    }
    let terms = [
      ("value", received.base), ("fee", -fee.base), ("dividends missed", dividendsMissed),
    ]
    guard terms.count(where: { !$0.1.isZero }) > 1 else { return }
    formulas.append(.labelled("cash", terms, cash.reduce(.zero) { $0 + $1.base }))
  }

  /// A late effect on a balance counts at the opening's rate; the rest is of the earlier period.
  private mutating func paidLate(_ parts: [Worth], _ entry: Entry, base: Currency) throws {
    guard entry.activity.currency != base else { return }
    var terms: [Money] = []
    for part in parts where !part.local.isZero {
      let atOpening = try convert(part.local, at: entry.openingRate)
      formulas.append(
        Formula(
          "cash at the opening's rate", .of(part.local) * .of(entry.openingRate), atOpening))
      terms += [atOpening, -part.base]
    }
    guard !terms.isEmpty else { return }
    formulas.append(
      .sum(
        "what cash moved since", rule: "at the opening's rate, less at its own", terms,
        terms.reduce(.zero, +)))
  }
}
