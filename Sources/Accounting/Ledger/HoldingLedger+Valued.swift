extension HoldingLedger {
  /// Applies an activity of a holding that is valued by statements.
  ///
  /// Money goes straight into and out of the fund, never through the portfolio's cash. What the
  /// fund earns and charges inside is in its statements: such rows are information only, and so
  /// is the fee of a flow.
  mutating func applyValued(_ entry: Entry, totals: inout WindowTotals) throws(CloseError) {
    let traits = entry.activity.type.traits
    if let refusal = traits.refusal(isValued: true) {
      throw .notAllowed(reference(entry), refusal)
    }
    switch traits.kind {
    case .contribution, .transfer:
      let flow = try move(entry, traits.holding)
      totals.externalFlow(flow.base, on: entry.day)
      note(-flow.base, on: entry.day, totals: &totals)
    case .fundSwitch:
      let flow = try move(entry, traits.holding)
      switched(flow, entry, totals: &totals)
    case .income, .fee, .tax: break
    case .trade, .expiry, .exchange:
      preconditionFailure("what is not of a valued holding was refused")
    }
  }

  /// Money into the fund or out of it; what went in.
  private mutating func move(
    _ entry: Entry, _ direction: ActivityTraits.Direction?
  ) throws(CloseError) -> Worth {
    direction == .into ? try invest(entry) : -(try divest(entry))
  }

  private func switched(_ flow: Worth, _ entry: Entry, totals: inout WindowTotals) {
    totals.switches.append(
      SwitchLeg(
        date: entry.activity.date, currency: entry.activity.currency,
        symbol: instrument.symbol, amount: flow))
    note(-flow.base, on: entry.day, totals: &totals)
  }

  private mutating func invest(_ entry: Entry) throws(CloseError) -> Worth {
    try requireOwnCurrency(entry)
    let flow = try amount(entry)
    let isIncluded = isInStatement(entry)
    if !isIncluded { carriedValue += flow.local }
    position.invest(flow)
    do throws(ArithmeticError) {
      let mark = try openingMark(isIncluded ? .zero : flow.local, entry)
      try bookOpened(paid: flow, cost: flow, mark: mark)
    } catch {
      throw .arithmetic(subject: reference(entry).name, date: entry.day, error)
    }
    return flow
  }

  /// Takes money out: the cost goes with the value, and what exceeds the value is P&L.
  private mutating func divest(_ entry: Entry) throws(CloseError) -> Worth {
    try requireOwnCurrency(entry)
    let flow = try amount(entry)
    guard !flow.local.isZero else { return flow }
    let isIncluded = isInStatement(entry)
    let whole = isIncluded ? carriedValue + flow.local : carriedValue
    let isAll = flow.local >= whole
    do throws(ArithmeticError) {
      let relieved = try position.divest(flow.local, of: isAll ? flow.local : whole)
      var left = Money.zero
      if !isIncluded {
        left = isAll ? carriedValue : flow.local
        carriedValue -= left
      }
      let mark = try openingMark(left, entry)
      try bookClosed(proceeds: flow, relieved: relieved, mark: mark, rate: entry.rate)
    } catch {
      throw .arithmetic(subject: reference(entry).name, date: entry.day, error)
    }
    return flow
  }

  /// Whether a late flow lies before a statement, which is the value after it.
  func isInStatement(_ entry: Entry) -> Bool {
    guard entry.isLate, let statement = level.priceDate else { return false }
    return statement >= entry.activity.date
  }

  func openingMark(_ value: Money, _ entry: Entry) throws(ArithmeticError) -> Mark {
    guard entry.isLate else { return .none }
    let base = try convert(value, at: entry.openingRate)
    return .worth(Worth(local: value, base: base), rate: entry.openingRate)
  }
}
