/// An activity with what the market says about it: what one step of the books needs.
struct Entry {
  let activity: Activity
  /// From the activity's currency to base, on its own date.
  let rate: Rate
  /// The same at the opening, for a late activity.
  let openingRate: Rate
  /// For a late activity in a currency that has a balance of its own: the opening's rate.
  let lateCashRate: Rate?

  var isLate: Bool { activity.isLate }
  /// The date on which it enters the books.
  var day: Day { activity.bookingDate }

  /// When the cash comes, where that is later; what is late itself is booked whole.
  var payDate: Day? {
    guard let payDate = activity.payDate, payDate > activity.date, !isLate else { return nil }
    return payDate
  }

  /// An amount in the activity's currency with its value in base, rounded once.
  func worth(_ amount: Money) throws(ArithmeticError) -> Worth {
    Worth(local: amount, base: try convert(amount, at: rate))
  }
}

/// The terms under which the entries of a window are applied.
struct Window {
  let portfolio: Portfolio
  /// Which lots a closing trade relieves.
  let relief: LotRelief
  let market: Market
  /// The last close; nil before the first, and where a whole history is run again.
  let after: Day?
  /// The last date.
  let through: Day
  /// What passes lots between holdings, in the order in which it is applied.
  var reorganisations: [Reorganisation] = []

  init(portfolio: Portfolio, relief: LotRelief, market: Market, after: Day?, through: Day) {
    self.portfolio = portfolio
    self.relief = relief
    self.market = market
    self.after = after
    self.through = through
    let all = market.table.reorganisations
    if all.isEmpty { return }
    let end = all.count(while: { $0.action.exDate <= through })
    let start = after.map { after in all.count(while: { $0.action.exDate <= after }) } ?? 0
    if start < end {
      reorganisations = all[start..<end].filter { $0.action.concerns(portfolio.id) }
    }
  }

  /// Whether a booking date lies in the window.
  func contains(_ day: Day) -> Bool { day <= through && after.map { day > $0 } ?? true }

  /// Looks up an activity's rates.
  func entry(_ activity: Activity) throws(CloseError) -> Entry {
    let base = portfolio.baseCurrency
    let rate = try market.rate(from: activity.currency, to: base, on: activity.date).rate
    guard activity.isLate, let after else {
      return Entry(activity: activity, rate: rate, openingRate: rate, lateCashRate: nil)
    }
    let opening = try market.rate(from: activity.currency, to: base, on: after).rate
    let hasBalance = portfolio.cashMode == .perCurrency
    return Entry(
      activity: activity, rate: rate, openingRate: opening,
      lateCashRate: hasBalance ? opening : nil)
  }

  /// Whether an instrument may have actions in the window; a fast no for nearly all.
  func hasActions(of instrument: ID<Instrument>) -> Bool {
    guard let last = market.table.ofInstruments[instrument]?.last else { return false }
    return after.map { last.exDate > $0 } ?? true
  }

  /// An instrument's actions of the window that its own holding books, in the order of booking.
  func actions(of instrument: ID<Instrument>) -> [CorporateAction] {
    guard let all = market.table.ofInstruments[instrument] else { return [] }
    let end = all.count(while: { $0.exDate <= through })
    let start = after.map { after in all.count(while: { $0.exDate <= after }) } ?? 0
    if start >= end { return [] }
    // The sort is stable; two dividends of a date keep their order.
    return all[start..<end].filter { !$0.effect.isReorganisation && $0.concerns(portfolio.id) }
      .sorted { $0.order < $1.order }
  }

  /// The rate from a currency to base on a date.
  func rate(of currency: Currency, on date: Day) throws(CloseError) -> Rate {
    try market.rate(from: currency, to: portfolio.baseCurrency, on: date).rate
  }
}
