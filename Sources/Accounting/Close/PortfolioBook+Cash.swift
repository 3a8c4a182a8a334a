extension PortfolioBook {
  /// Applies an activity that concerns no holding.
  func applyToCash(
    _ entry: Entry, totals: inout WindowTotals
  ) throws(CloseError) {
    let activity = entry.activity
    let reference = ActivityReference(activity)
    let traits = activity.type.traits
    if let refusal = traits.refusal(isValued: nil) { throw .notAllowed(reference, refusal) }
    if traits.kind == .exchange, portfolio.cashMode != .perCurrency {
      throw .notAllowed(reference, .needsCurrencyCash)
    }
    let amount = try entry.amount(reference)
    switch traits.kind {
    case .contribution:
      let flow = traits.cash == .into ? amount : -amount
      try receive(flow, entry, totals: &totals)
      totals.externalFlow(flow.base, on: entry.day)
    case .exchange:
      let leg = traits.cash == .into ? amount : -amount
      try receive(leg, entry, totals: &totals)
      // The two legs sum to what the exchange gained or lost against the date's rates.
      totals.attribution.book(fx: leg.base, isLate: entry.isLate)
    case .income, .fee, .tax:
      try totals.bookCash(entry, amount)
    case .trade, .expiry, .transfer, .fundSwitch:
      preconditionFailure("what needs a holding was refused")
    }
  }

  /// Receives cash, and pays the activity's own fee.
  private func receive(
    _ amount: Worth, _ entry: Entry, totals: inout WindowTotals
  ) throws(CloseError) {
    let activity = entry.activity
    do throws(ArithmeticError) {
      let fee = try entry.worth(activity.fee)
      try totals.receive(
        amount, in: activity.currency, lateRate: entry.lateCashRate)
      try totals.receive(-fee, in: activity.currency, lateRate: entry.lateCashRate)
      totals.attribution.book(fees: fee.base, isLate: entry.isLate)
    } catch {
      throw .arithmetic(
        subject: ActivityReference(activity).name, date: entry.day, error)
    }
  }

  /// The legs of a date and currency must net to zero: they are flows between funds.
  ///
  /// Each leg is rounded by itself on the way to base currency; what that leaves is the
  /// currency's effect on the portfolio.
  func settleSwitches(_ totals: inout WindowTotals) throws(CloseError) {
    var legs = totals.switches[...]
    legs.sort { ($0.date, $0.currency) < ($1.date, $1.currency) }
    while let first = legs.first {
      let group = legs.prefix { $0.date == first.date && $0.currency == first.currency }
      let sum = group.reduce(Worth.zero) { $0 + $1.amount }
      guard sum.local.isZero else {
        throw .switchesDoNotNet(
          date: first.date, currency: first.currency,
          into: CloseError.SwitchSide(of: group.filter { $0.amount.local > .zero }),
          outOf: CloseError.SwitchSide(of: group.filter { $0.amount.local < .zero }))
      }
      totals.attribution.fx += sum.base
      legs = legs.dropFirst(group.count)
    }
  }
}

extension CloseError.SwitchSide {
  fileprivate init(of legs: [SwitchLeg]) {
    symbols = legs.map(\.symbol)
    amount = legs.reduce(Money.zero) { $0 + $1.amount.local }.magnitude
  }
}

extension WindowTotals {
  /// Books income or a cost of no holding.
  fileprivate mutating func bookCash(
    _ entry: Entry, _ amount: Worth
  ) throws(CloseError) {
    var booked = Attribution()
    _ = try booked.bookIncome(entry, amount, totals: &self)
    attribution += booked
  }
}
