extension HoldingLedger {
  /// Applies one activity of the holding.
  mutating func apply(
    _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    if isValued {
      try applyValued(entry, totals: &totals)
    } else {
      try applyQuoted(entry, in: window, totals: &totals)
    }
  }

  private mutating func applyQuoted(
    _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    let traits = entry.activity.type.traits
    if traits.isPaidByActions, window.portfolio.dividendMode == .automatic {
      throw .notAllowed(reference(entry), .dividendsAreAutomatic)
    }
    if let refusal = traits.refusal(isValued: false) {
      throw .notAllowed(reference(entry), refusal)
    }
    switch traits.kind {
    case .trade: try trade(entry, in: window, totals: &totals)
    case .expiry: try expire(entry, in: window, totals: &totals)
    case .transfer: try transfer(entry, in: window, totals: &totals)
    case .income, .fee, .tax: try income(entry, totals: &totals)
    case .contribution, .exchange, .fundSwitch:
      preconditionFailure("what is not of a quoted holding was refused")
    }
  }

  func reference(_ entry: Entry) -> ActivityReference {
    ActivityReference(entry.activity, symbol: instrument.symbol)
  }

  private mutating func trade(
    _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    let quantity = try signedQuantity(entry)
    guard let price = entry.activity.price else { throw .lacks(reference(entry), "price") }
    let paid = try worth(quantity, at: price, entry)
    let late = try lateQuantity(quantity, entry, in: window, totals: &totals)
    let moved = closing(late, on: entry.day, in: window)
    let mark = try openingMark(moved, entry, in: window)
    let move = Move(
      quantity: moved, paid: paid, cost: paid, acquired: entry.activity.date, mark: mark)
    if isFuture {
      try applyFuture(move, entry, in: window, totals: &totals)
      try pay(.zero, entry, totals: &totals)
    } else {
      try apply(move, at: entry.rate, on: entry.day, in: window)
      try pay(paid, entry, totals: &totals)
    }
  }

  /// Closes a position without cash: an option at zero, a future at its final settlement.
  private mutating func expire(
    _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    let held = position.quantity
    let asked = entry.activity.quantity ?? held.magnitude
    guard !held.isZero, asked > .zero, asked <= held.magnitude else {
      throw .nothingToExpire(reference(entry), held: held)
    }
    let quantity = held < .zero ? asked : -asked
    var move = Move(
      quantity: quantity, paid: .zero, cost: .zero, acquired: entry.activity.date,
      mark: try openingMark(quantity, entry, in: window))
    if isFuture {
      move.paid = try finalSettlement(quantity, entry, in: window)
      try applyFuture(move, entry, in: window, totals: &totals)
    } else {
      try apply(move, at: entry.rate, on: entry.day, in: window)
    }
    try pay(.zero, entry, totals: &totals)
  }

  func finalSettlement(
    _ quantity: Quantity, _ entry: Entry, in window: Window
  ) throws(CloseError) -> Worth {
    let known = entry.activity.price ?? entry.activity.referenceClose
    let close = try lastClose(entry, in: window)
    if let price = known ?? close { return try worth(quantity, at: price, entry) }
    do throws(ArithmeticError) {
      return try -position.cost.share(-quantity, of: position.quantity)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: entry.day, error)
    }
  }

  private mutating func transfer(
    _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    let activity = entry.activity
    let quantity = try signedQuantity(entry)
    let paid = try flowValue(quantity, entry, in: window)
    var cost = paid
    if let price = activity.price { cost = try worth(quantity, at: price, entry) }
    let moved = try lateQuantity(quantity, entry, in: window, totals: &totals)
    let mark =
      entry.isLate
      ? try openingMark(moved, entry, in: window) : Mark.worth(paid, rate: entry.rate)
    let move = Move(
      quantity: moved, paid: paid, cost: cost, acquired: activity.acquired ?? activity.date,
      mark: mark)
    if isFuture {
      // It arrives at the settlement of its flow value, and is worth nothing by itself.
      try applyFuture(move, entry, in: window, totals: &totals)
    } else {
      try apply(move, at: entry.rate, on: entry.day, in: window)
      totals.externalFlow(paid.base, on: entry.day)
      note(-paid.base, on: entry.day, totals: &totals)
    }
    try pay(.zero, entry, totals: &totals)
  }

  func flowValue(
    _ quantity: Quantity, _ entry: Entry, in window: Window
  ) throws(CloseError) -> Worth {
    if entry.activity.amount != nil {
      let worth = try amount(entry)
      return quantity < .zero ? -worth : worth
    }
    let close = try lastClose(entry, in: window)
    guard let price = entry.activity.referenceClose ?? close else {
      throw .noFlowValue(reference(entry))
    }
    return try worth(quantity, at: price, entry)
  }

  private func lastClose(_ entry: Entry, in window: Window) throws(CloseError) -> Price? {
    do throws(ArithmeticError) {
      return try window.market.close(of: instrument.id, on: entry.activity.date)?.price
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: entry.activity.date, error)
    }
  }

  private mutating func income(
    _ entry: Entry, totals: inout WindowTotals
  ) throws(CloseError) {
    let received = try attribution.bookIncome(entry, amount(entry), totals: &totals)
    note(received, on: entry.day, totals: &totals)
  }
}

// MARK: - Parts of an activity

extension HoldingLedger {
  /// Pays for a trade and its fee, and notes both as one flow of the holding.
  private mutating func pay(
    _ paid: Worth, _ entry: Entry, totals: inout WindowTotals
  ) throws(CloseError) {
    do throws(ArithmeticError) {
      let activity = entry.activity
      let fee = try entry.worth(activity.fee)
      try totals.receive(-paid, in: activity.currency, lateRate: entry.lateCashRate)
      try totals.receive(-fee, in: activity.currency, lateRate: entry.lateCashRate)
      attribution.book(fees: fee.base, isLate: entry.isLate)
      note(-paid.base - fee.base, on: entry.day, totals: &totals)
    } catch {
      throw .arithmetic(subject: reference(entry).name, date: entry.day, error)
    }
  }

  private func signedQuantity(_ entry: Entry) throws(CloseError) -> Quantity {
    guard let quantity = entry.activity.quantity, !quantity.isZero else {
      throw .lacks(reference(entry), "quantity")
    }
    guard quantity > .zero else { throw .wrongSign(reference(entry), "quantity") }
    guard entry.activity.price ?? .zero >= .zero else {
      throw .wrongSign(reference(entry), "price")
    }
    try requireOwnCurrency(entry)
    return entry.activity.type.traits.holding == .into ? quantity : -quantity
  }

  func requireOwnCurrency(_ entry: Entry) throws(CloseError) {
    guard entry.activity.currency == instrument.currency else {
      throw .wrongCurrency(
        reference(entry), expected: instrument.currency, found: entry.activity.currency)
    }
  }

  /// The activity's amount and its value in base currency.
  func amount(_ entry: Entry) throws(CloseError) -> Worth {
    try entry.amount(reference(entry))
  }

  func worth(
    _ quantity: Quantity, at price: Price, _ entry: Entry
  ) throws(CloseError) -> Worth {
    do throws(ArithmeticError) {
      return try localAndBaseValue(
        quantity, at: price, multiplier: instrument.multiplier, rate: entry.rate)
    } catch {
      throw .arithmetic(subject: reference(entry).name, date: entry.day, error)
    }
  }

  /// A late activity's quantity in the units of its booking date; its missed dividends are paid.
  mutating func lateQuantity(
    _ quantity: Quantity, _ entry: Entry, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) -> Quantity {
    guard entry.isLate else { return quantity }
    var quantity = quantity
    let missed = Window(
      portfolio: window.portfolio, relief: window.relief, market: window.market,
      after: entry.activity.date, through: entry.day - 1)
    try requireNoReorganisation(missed, entry)
    for action in missed.actions(of: instrument.id) {
      switch action.effect {
      case .split(let ratio): quantity = try units(quantity, ratio, action, entry)
      case .stockDividend(let ratio): quantity = try units(quantity, ratio.onTop, action, entry)
      case .dividend(let payment):
        // Its ex-date is reported: it is booked whole, whenever it is paid.
        let now = CorporateAction.Payment(perUnit: payment.perUnit, currency: payment.currency)
        let paid = try dividend(
          now, on: quantity, exDate: action.exDate, in: missed, totals: &totals)
        attribution.priorPeriod += paid.base
        note(paid.base, on: entry.day, totals: &totals)
      case .returnOfCapital, .spinOff, .rights, .merger, .rename: break
      }
    }
    return quantity
  }

  /// Old units in new ones, for a late activity.
  private func units(
    _ quantity: Quantity, _ ratio: Ratio, _ action: CorporateAction, _ entry: Entry
  ) throws(CloseError) -> Quantity {
    do throws(ArithmeticError) {
      return try ratio.units(for: quantity)
    } catch {
      throw .arithmetic(subject: reference(entry).name, date: action.exDate, error)
    }
  }

  /// A late activity cannot be made up for where lots passed or were relieved since its date:
  /// the locked dates have to be opened for it.
  private func requireNoReorganisation(_ missed: Window, _ entry: Entry) throws(CloseError) {
    let passed = missed.reorganisations.first { $0.source == instrument.id }?.action
    let isAutomatic = missed.portfolio.dividendMode == .automatic
    let relieved = missed.actions(of: instrument.id).first { action in
      if case .returnOfCapital = action.effect { return isAutomatic }
      return action.fractionPrice != nil
    }
    guard let action = passed ?? relieved else { return }
    throw .notReorganised(
      symbol: instrument.symbol, exDate: action.exDate, .missedBy(reference(entry)))
  }

  /// What a late activity's units were worth at the opening.
  func openingMark(
    _ quantity: Quantity, _ entry: Entry, in window: Window
  ) throws(CloseError) -> Mark {
    guard entry.isLate else { return .none }
    guard let opening = window.after else { return .cost(rate: entry.openingRate) }
    do throws(ArithmeticError) {
      let close = try window.market.close(
        of: instrument.id, on: opening, inUnitsOf: entry.day - 1)
      guard let price = close?.price else { return .cost(rate: entry.openingRate) }
      let rate = entry.openingRate
      let worth = try localAndBaseValue(
        quantity, at: price, multiplier: instrument.multiplier, rate: rate)
      return .worth(worth, rate: rate)
    } catch {
      throw .arithmetic(subject: reference(entry).name, date: entry.day, error)
    }
  }
}

extension Entry {
  /// The amount and its value in base currency, where the type's sign allows it.
  func amount(_ reference: ActivityReference) throws(CloseError) -> Worth {
    guard let amount = activity.amount else { throw .lacks(reference, "amount") }
    guard amount >= .zero || activity.type.traits.isSigned else {
      throw .wrongSign(reference, "amount")
    }
    do throws(ArithmeticError) {
      return try worth(amount)
    } catch {
      throw .arithmetic(subject: reference.name, date: day, error)
    }
  }
}

extension Attribution {
  /// Books a dividend, interest, a fee or a tax, of a holding or of none.
  ///
  /// - Returns: What was received in base currency, net of the activity's own fee.
  mutating func bookIncome(
    _ entry: Entry, _ amount: Worth, totals: inout WindowTotals
  ) throws(CloseError) -> Money {
    let activity = entry.activity
    do throws(ArithmeticError) {
      let fee = try entry.worth(activity.fee)
      let traits = activity.type.traits
      let received = traits.cash == .into ? amount : -amount
      if let payDate = entry.payDate {
        totals.owe(received, in: activity.currency, until: payDate)
      } else {
        try totals.receive(received, in: activity.currency, lateRate: entry.lateCashRate)
      }
      try totals.receive(-fee, in: activity.currency, lateRate: entry.lateCashRate)
      switch traits.kind {
      case .fee: book(fees: amount.base, isLate: entry.isLate)
      case .tax: book(taxes: amount.base, isLate: entry.isLate)
      default: book(income: amount.base, isLate: entry.isLate)
      }
      book(fees: fee.base, isLate: entry.isLate)
      return received.base - fee.base
    } catch {
      throw .arithmetic(
        subject: ActivityReference(activity).name, date: entry.day, error)
    }
  }
}
