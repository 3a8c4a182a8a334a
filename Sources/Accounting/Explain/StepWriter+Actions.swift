/// Corporate actions, and the two sides of those that pass lots.
extension StepWriter {
  mutating func write(_ action: CorporateAction) throws {
    let exDate = action.exDate
    switch action.effect {
    case .split(let ratio): try multiply(by: ratio, keeping: .zero, action)
    case .stockDividend(let ratio):
      try multiply(by: ratio.onTop, keeping: before.position.quantity, action)
    case .dividend(let payment):
      let quantity = before.position.quantity
      let paid = try before.worth(of: payment, for: quantity, on: exDate, in: window)
      try addPayment("dividend", payment, quantity, paid, on: exDate)
    case .returnOfCapital(let payment):
      let quantity = before.position.quantity
      let paid = try before.worth(of: payment, for: quantity, on: exDate, in: window)
      try addPayment("returned", payment, quantity, paid, on: exDate)
      let own = try inOwnCurrency("returned", paid, payment.currency, on: exDate)
      try addRealized(own, before.position.cost - after.position.cost, on: exDate)
    case .rename, .spinOff, .rights, .merger: break
    }
  }

  private mutating func multiply(
    by ratio: Ratio, keeping kept: Quantity, _ action: CorporateAction
  ) throws {
    let whole = try ratio.units(for: before.position.quantity)
    addQuantity("quantity", before.position.quantity, ratio, whole)
    try addFraction(of: whole - kept, action, cost: before.position.cost)
  }

  /// Cash for each unit, as a calculation.
  private mutating func addPayment(
    _ name: String, _ payment: CorporateAction.Payment, _ quantity: Quantity, _ paid: Worth,
    on exDate: Day
  ) throws {
    let currency = payment.currency ?? instrument.currency
    let local = Expression.of(quantity) * .of(payment.perUnit)
    add(Formula(name, local, paid.local))
    guard currency != base else { return }
    let rate = try window.rate(of: currency, on: exDate)
    add(Formula("\(name) in \(base)", local * .of(rate), paid.base))
  }

  private mutating func inOwnCurrency(
    _ name: String, _ paid: Worth, _ currency: Currency?, on exDate: Day
  ) throws -> Worth {
    guard let currency, currency != instrument.currency else { return paid }
    let own = try before.inOwnCurrency(paid.local, from: currency, on: exDate, in: window)
    let cross = try window.market.rate(
      from: currency, to: instrument.currency, on: exDate
    ).rate
    add(Formula("\(name) in \(instrument.currency)", .of(paid.local) * .of(cross), own))
    return Worth(local: own, base: paid.base)
  }

  /// What a part of the cost was sold for.
  private mutating func addRealized(_ proceeds: Worth, _ relieved: Worth, on exDate: Day) throws {
    let rate = try window.rate(of: instrument.currency, on: exDate)
    let realized = try convert(proceeds.local - relieved.local, at: rate)
    gain("realized", proceeds, relieved, at: rate, realized)
    guard isForeign else { return }
    addCurrency(
      "realized currency",
      [("value", proceeds.base), ("cost", -relieved.base), ("realized", -realized)])
  }

  private mutating func addQuantity(
    _ name: String, _ old: Quantity, _ ratio: Ratio, _ new: Quantity
  ) {
    let product = Expression.of(old) * .of(ratio.new)
    add(.twelve(name, ratio.old == .one ? product : product / .of(ratio.old), new))
  }

  /// What is below one unit, sold.
  ///
  /// - Parameter cost: Before it was sold, and after all else.
  private mutating func addFraction(
    of received: Quantity, _ action: CorporateAction, cost: Worth
  ) throws {
    let fraction = Quantity(units: received.units % powerOfTen(Quantity.scale))
    guard let price = action.fractionPrice, !fraction.isZero, !before.isFuture else { return }
    let rate = try window.rate(of: instrument.currency, on: action.exDate)
    let value = try localAndBaseValue(
      fraction, at: price, multiplier: instrument.multiplier, rate: rate)
    let local = Expression.of(fraction) * .of(price) * .of(instrument.multiplier)
    add(Formula("fraction in cash", local, value.local))
    if isForeign { add(Formula("fraction in cash in \(base)", local * .of(rate), value.base)) }
    // Where it meets the other side of the position, it opens instead of closing.
    guard (fraction < .zero) == (after.position.quantity < .zero) else { return }
    try addRealized(value, cost - after.position.cost, on: action.exDate)
  }

  // MARK: - Lots that pass

  mutating func write(_ leg: LotLeg) throws {
    switch leg.side {
    case .delivers(let delivery): try write(delivery, leg)
    case .receives(let receipt): try write(receipt, leg)
    }
  }

  private mutating func write(_ delivery: LotLeg.Delivery, _ leg: LotLeg) throws {
    let exDate = leg.action.exDate
    switch leg.action.effect {
    case .spinOff(_, let share), .rights(_, let share):
      addShare("cost that goes along", before.position.cost, share, delivery.passing)
    default: break
    }
    if let cash = delivery.cash {
      try addPayment("cash for it", cash.payment, before.position.quantity, cash.paid, on: exDate)
      _ = try inOwnCurrency("cash for it", cash.paid, cash.payment.currency, on: exDate)
    }
    if delivery.relieved != .zero || delivery.proceeds != .zero {
      addRelieved(delivery)
      try addRealized(delivery.proceeds, delivery.relieved, on: exDate)
    }
    if delivery.passing != delivery.worth {
      try addLeft("unrealized that left", delivery.worth, delivery.passing, leg.rate)
    }
  }

  /// How the cost was shared between what goes along and what was paid for.
  private mutating func addRelieved(_ delivery: LotLeg.Delivery) {
    let all = before.position.cost
    guard delivery.relieved != all else { return }
    add(.sum("cost relieved", [all.local, -delivery.passing.local], delivery.relieved.local))
    guard isForeign else { return }
    add(
      .sum(
        "cost relieved in \(base)", [all.base, -delivery.passing.base], delivery.relieved.base))
  }

  private mutating func addShare(_ name: String, _ cost: Worth, _ share: Rate, _ part: Worth) {
    add(Formula(name, .of(cost.local) * .of(share), part.local))
    if isForeign { add(Formula("\(name) in \(base)", .of(cost.base) * .of(share), part.base)) }
  }

  private mutating func write(_ receipt: LotLeg.Receipt, _ leg: LotLeg) throws {
    guard let shares = leg.action.effect.shares else { return }
    let arriving = receipt.arriving
    addQuantity("quantity that comes", receipt.old, shares.ratio, arriving.quantity)
    if let close = try window.market.close(of: instrument.id, on: leg.action.exDate) {
      let local =
        Expression.of(arriving.quantity) * .of(close.price) * .of(instrument.multiplier)
      add(Formula("value moved", local, receipt.worth.local))
      if isForeign {
        add(Formula("value moved in \(base)", local * .of(leg.rate), receipt.worth.base))
      }
    }
    if arriving.cost != receipt.worth {
      try addLeft("unrealized that arrived", -receipt.worth, -arriving.cost, leg.rate)
    }
    try addFraction(
      of: arriving.quantity, leg.action, cost: before.position.cost + arriving.cost)
  }

  private mutating func addLeft(
    _ name: String, _ worth: Worth, _ cost: Worth, _ rate: Rate
  ) throws {
    let unrealized = try convert(worth.local - cost.local, at: rate)
    gain(name, worth, cost, at: rate, unrealized)
    guard isForeign else { return }
    addCurrency(
      "\(name), currency",
      [("value", worth.base), ("cost", -cost.base), ("unrealized", -unrealized)])
  }
}
