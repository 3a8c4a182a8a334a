import Accounting

/// The equity of a portfolio on a date, told a second time: in floating point, from the whole log
/// at once, without lots, levels, windows or openings.
///
/// It knows what is held and what it is worth, nothing of how it came; late activities count as
/// if they had been there on their own date.
struct PlainLedger {
  let world: BookWorld
  let date: Day

  private var base: Currency { world.portfolio.baseCurrency }

  func equity() throws -> Double {
    let log = world.activities.filter { $0.bookingDate <= date }
      .sorted { ($0.date, $0.id) < ($1.date, $1.id) }
    var equity = 0.0
    for activity in log where activity.holding == nil { equity += try cash(of: activity) }
    for (holding, instrument) in world.instruments {
      let own = log.filter { $0.holding == holding }
      equity +=
        instrument.pricing == .valued
        ? try fund(own, instrument, world.statements.filter { $0.holding == holding })
        : try quoted(own, instrument)
    }
    return equity
  }

  private func rate(_ currency: Currency, on day: Day) throws -> Double {
    try world.market.rate(from: currency, to: base, on: day).rate.approximate
  }

  /// Cash keeps its currency, or is converted on its date.
  private func worth(_ amount: Double, _ currency: Currency, on day: Day) throws -> Double {
    let isKept = world.portfolio.cashMode == .perCurrency
    return amount * (try rate(currency, on: isKept ? date : day))
  }

  private func cash(of activity: Activity) throws -> Double {
    let amount = activity.amount?.approximate ?? 0
    let sign: Double =
      switch activity.type {
      case .withdrawal, .fee, .tax, .exchangeOut: -1
      default: 1
      }
    return try worth(
      sign * amount - activity.fee.approximate, activity.currency, on: activity.date)
  }

  private func quoted(_ log: [Activity], _ instrument: Instrument) throws -> Double {
    let multiplier = instrument.multiplier.approximate
    let isFuture = instrument.kind == .future
    var units = 0.0
    var notional = 0.0
    var cash = 0.0
    var actions = (world.market.actions[instrument.id] ?? []).filter { $0.exDate <= date }
      .sorted { $0.exDate == $1.exDate ? $0.isASplit && !$1.isASplit : $0.exDate < $1.exDate }
    func act(through day: Day) throws {
      while let action = actions.first, action.exDate <= day {
        actions.removeFirst()
        switch action.effect {
        case .split(let ratio): units *= ratio.new.approximate / ratio.old.approximate
        case .dividend(let payment):
          guard world.portfolio.dividendMode == .automatic else { continue }
          cash += try worth(
            units * payment.perUnit.approximate, instrument.currency, on: action.exDate)
        case .stockDividend, .returnOfCapital, .spinOff, .rights, .merger, .rename:
          preconditionFailure("a random ledger has none")
        }
      }
    }
    for activity in log {
      try act(through: activity.date)
      let quantity = activity.quantity?.approximate ?? 0
      let price = activity.price?.approximate ?? 0
      switch activity.type {
      case .buy, .sell:
        let signed = activity.type == .buy ? quantity : -quantity
        units += signed
        notional += signed * price * multiplier
        let paid = isFuture ? 0 : signed * price * multiplier
        cash += try worth(
          -paid - activity.fee.approximate, activity.currency, on: activity.date)
      case .transferIn, .transferOut:
        let signed = activity.type == .transferIn ? quantity : -quantity
        units += signed
        let close = try world.market.close(of: instrument.id, on: activity.date)
        let value =
          activity.amount?.approximate ?? (close?.price.approximate ?? 0) * quantity * multiplier
        notional += activity.type == .transferIn ? value : -value
        cash += try worth(-activity.fee.approximate, activity.currency, on: activity.date)
      case .expire:
        let part = activity.quantity == nil ? units : units < 0 ? -quantity : quantity
        let close = try world.market.close(of: instrument.id, on: activity.date)
        notional -= part * (activity.price ?? close?.price ?? .zero).approximate * multiplier
        units -= part
      default: cash += try self.cash(of: activity)
      }
    }
    try act(through: date)
    let close = try world.market.close(of: instrument.id, on: date)
    let value = units * (close?.price.approximate ?? 0) * multiplier
    // A future's gain is in its currency's balance.
    return cash + (isFuture ? value - notional : value) * (try rate(instrument.currency, on: date))
  }

  private func fund(
    _ log: [Activity], _ instrument: Instrument, _ statements: [FundStatement]
  ) throws -> Double {
    var value = 0.0
    let last = statements.filter { $0.date <= date }.max { $0.date < $1.date }
    if let last { value = last.value.approximate }
    for activity in log where last.map({ activity.date > $0.date }) ?? true {
      let amount = activity.amount?.approximate ?? 0
      switch activity.type {
      case .investment, .regularInvestment, .governmentUplift, .productSwitchIn, .transferIn,
        .fundSwitchIn:
        value += amount
      case .withdrawal, .regularWithdrawal, .productSwitchOut, .transferOut, .fundSwitchOut:
        value = max(0, value - amount)
      default: break
      }
    }
    return value * (try rate(instrument.currency, on: date))
  }
}

extension CorporateAction {
  fileprivate var isASplit: Bool {
    if case .split = effect { true } else { false }
  }
}
