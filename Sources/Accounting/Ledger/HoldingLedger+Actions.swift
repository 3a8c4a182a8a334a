/// Corporate actions that one holding books by itself.
extension HoldingLedger {
  mutating func apply(
    _ action: CorporateAction, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    if position.quantity.isZero, !isValued || isFlat { return }
    let exDate = action.exDate
    switch action.effect {
    case .split(let ratio):
      guard ratio.isPositive else {
        throw .invalidSplit(symbol: instrument.symbol, exDate: exDate, ratio: ratio.new)
      }
      try multiply(by: ratio, on: exDate, in: window)
      try payFraction(of: position.quantity, action, in: window, totals: &totals)
    case .stockDividend(let ratio):
      try requireUnits(on: exDate)
      let before = position.quantity
      try multiply(by: ratio.onTop, on: exDate, in: window)
      try payFraction(of: position.quantity - before, action, in: window, totals: &totals)
    case .dividend(let payment):
      if isValued { return }
      let paid = try dividend(
        payment, on: position.quantity, exDate: exDate, in: window, totals: &totals)
      attribution.income += paid.base
      note(paid.base, on: exDate, totals: &totals)
    case .returnOfCapital(let payment):
      guard window.portfolio.dividendMode == .automatic else { return }
      try requireUnits(on: exDate)
      try returnCapital(payment, on: exDate, in: window, totals: &totals)
    case .rename: return
    case .spinOff, .rights, .merger:
      preconditionFailure("what passes lots is booked by its legs")
    }
  }

  /// What only units that are owned can have happen to them.
  func requireUnits(on exDate: Day) throws(CloseError) {
    if isFuture || isValued {
      throw .notReorganised(symbol: instrument.symbol, exDate: exDate, .noUnits)
    }
  }

  private mutating func multiply(
    by ratio: Ratio, on exDate: Day, in window: Window
  ) throws(CloseError) {
    if isValued { return }
    let rate = try window.rate(of: instrument.currency, on: exDate)
    do throws(ArithmeticError) {
      guard try ratio.units(for: position.quantity).isZero else {
        try position.split(by: ratio)
        return
      }
      // Less than the smallest fraction is left: it is gone, without proceeds, and told so.
      isTouched = true
      let relieved = try position.relieve(position.quantity, by: window.relief)
      // A future was settled at its last close, and its cost is no money that was paid.
      if isFuture { return }
      try bookClosed(proceeds: .zero, relieved: relieved, mark: .none, rate: rate)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
  }

  /// Pays what was received below one unit in cash, as a sale of it would; a short pays it.
  ///
  /// - Parameter received: Of the position as a whole; lots are relieved as by any trade.
  mutating func payFraction(
    of received: Quantity, _ action: CorporateAction, in window: Window,
    totals: inout WindowTotals
  ) throws(CloseError) {
    guard let price = action.fractionPrice, !isFuture else { return }
    let fraction = Quantity(units: received.units % powerOfTen(Quantity.scale))
    if fraction.isZero { return }
    let exDate = action.exDate
    let rate = try window.rate(of: instrument.currency, on: exDate)
    let paid: Worth
    do throws(ArithmeticError) {
      paid = try localAndBaseValue(
        -fraction, at: price, multiplier: instrument.multiplier, rate: rate)
      try totals.receive(-paid, in: instrument.currency)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
    isTouched = true
    let move = Move(
      quantity: -fraction, paid: paid, cost: paid, acquired: exDate, mark: .none)
    try apply(move, at: rate, on: exDate, in: window)
    note(-paid.base, on: exDate, totals: &totals)
  }

  /// Pays a cash dividend on a quantity; nothing where only recorded dividends count.
  func dividend(
    _ payment: CorporateAction.Payment, on quantity: Quantity, exDate: Day, in window: Window,
    totals: inout WindowTotals
  ) throws(CloseError) -> Worth {
    guard window.portfolio.dividendMode == .automatic, !isFuture else { return .zero }
    let paid = try worth(of: payment, for: quantity, on: exDate, in: window)
    try receive(paid, of: payment, on: exDate, totals: &totals)
    return paid
  }

  /// Cash for a number of units, in the currency of the payment and in base at the ex-date's rate.
  func worth(
    of payment: CorporateAction.Payment, for quantity: Quantity, on exDate: Day, in window: Window
  ) throws(CloseError) -> Worth {
    let rate = try window.rate(of: payment.currency ?? instrument.currency, on: exDate)
    do throws(ArithmeticError) {
      return try localAndBaseValue(
        quantity, at: payment.perUnit, multiplier: .one, rate: rate)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
  }

  /// Receives it on the ex-date, or as a receivable until it is paid; shorts pay.
  func receive(
    _ paid: Worth, of payment: CorporateAction.Payment, on exDate: Day,
    totals: inout WindowTotals
  ) throws(CloseError) {
    let currency = payment.currency ?? instrument.currency
    if let payDate = payment.payDate, payDate > exDate {
      totals.owe(paid, in: currency, until: payDate)
      return
    }
    do throws(ArithmeticError) {
      try totals.receive(paid, in: currency)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
  }

  // MARK: - Return of capital

  /// Cash that gives back what the lots have cost: only what is above it is gain.
  private mutating func returnCapital(
    _ payment: CorporateAction.Payment, on exDate: Day, in window: Window,
    totals: inout WindowTotals
  ) throws(CloseError) {
    let paid = try worth(of: payment, for: position.quantity, on: exDate, in: window)
    try receive(paid, of: payment, on: exDate, totals: &totals)
    let local = try inOwnCurrency(
      paid.local, from: payment.currency, on: exDate, in: window)
    try returnCapital(
      Worth(local: local, base: paid.base),
      rate: try window.rate(of: instrument.currency, on: exDate), on: exDate, in: window)
    note(paid.base, on: exDate, totals: &totals)
  }

  /// Relieves each lot of what it is paid, at most of what it has cost.
  ///
  /// - Parameter proceeds: In the instrument's currency, for the whole position.
  mutating func returnCapital(
    _ proceeds: Worth, rate: Rate, on day: Day, in window: Window
  ) throws(CloseError) {
    if !position.areLotsKnown, window.relief != .average {
      throw .lotsUnknown(symbol: instrument.symbol, date: day)
    }
    isTouched = true
    do throws(ArithmeticError) {
      let relieved = try position.relieveCost(proceeds.local)
      try bookClosed(proceeds: proceeds, relieved: relieved, mark: .none, rate: rate)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: day, error)
    }
  }

  /// An amount in the instrument's currency, at the cross rate of a date.
  func inOwnCurrency(
    _ amount: Money, from currency: Currency?, on date: Day, in window: Window
  ) throws(CloseError) -> Money {
    guard let currency, currency != instrument.currency else { return amount }
    let rate = try window.market.rate(from: currency, to: instrument.currency, on: date).rate
    do throws(ArithmeticError) {
      return try convert(amount, at: rate)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: date, error)
    }
  }
}

// MARK: - What splits left

extension HoldingLedger {
  /// A trade's quantity, or what is held where it would leave no more than ratios have rounded.
  ///
  /// Of 100 units one for three and three for one, the books have a trillionth less than the bank.
  /// A decimal for one unit is taken at its word: it says what is left.
  @inline(__always)
  func closing(_ quantity: Quantity, on day: Day, in window: Window) -> Quantity {
    let left = position.quantity + quantity
    // On nearly every trade this is all.
    if left.isZero || left.magnitude.units > Self.mostRounded { return quantity }
    return closing(quantity, leaving: left, on: day, in: window)
  }

  private func closing(
    _ quantity: Quantity, leaving left: Quantity, on day: Day, in window: Window
  ) -> Quantity {
    let held = position.quantity
    if held.isZero { return quantity }
    guard (held.units < 0) != (quantity.units < 0),
      let actions = window.market.actions[instrument.id]
    else { return quantity }
    // In trillionths of the last decimal.
    var limit: Int128 = 0
    for action in actions where action.exDate <= day && action.concerns(window.portfolio.id) {
      guard let ratio = action.effect.unitRatio, ratio.isPositive,
        let scaled = try? rounded(limit, times: ratio.new.units, over: ratio.old.units)
      else { continue }
      limit = scaled + (ratio.old == .one ? 0 : Self.halfDecimal)
    }
    return left.magnitude.units * powerOfTen(12) <= limit ? -held : quantity
  }

  private static var halfDecimal: Int128 { powerOfTen(12) / 2 }

  /// A millionth of a unit, in units of the last decimal.
  private static var mostRounded: Int128 { 1_000_000 }
}
