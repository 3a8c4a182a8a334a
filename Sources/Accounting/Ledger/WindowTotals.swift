/// What the entries of one window do outside their holdings: cash, external flows, and the P&L
/// of no holding.
struct WindowTotals: Sendable {
  /// An effect on one currency's balance, summed.
  struct CashChange: Sendable {
    let currency: Currency
    /// When it is paid, where that is on a later date than it was earned.
    var payDate: Day?
    var local = Money.zero
    /// The same at the rates of the entries, in base currency.
    var base = Money.zero
  }

  private(set) var cash: [CashChange] = []
  private(set) var inflow = Money.zero
  private(set) var outflow = Money.zero
  var attribution = Attribution()
  private(set) var flows: [FlowEvent] = []
  /// Legs of fund switches, to be netted.
  var switches: [SwitchLeg] = []
  /// Both sides of every reorganisation, in the order of booking.
  var legs: [LotLeg] = []

  /// Cash in base currency that came in since the opening.
  var baseCash: Money { cash.reduce(.zero) { $1.payDate == nil ? $0 + $1.base : $0 } }

  /// What was earned or taken and is paid on a later date.
  var receivables: [Receivable] {
    cash.compactMap { change in
      change.payDate.map {
        Receivable(
          payDate: $0, currency: change.currency, amount: change.local, baseValue: change.base)
      }
    }
  }

  /// Receives cash (negative: pays it), worth its base amount at the entry's rate.
  ///
  /// - Parameter lateRate: For a balance that should have been there at the opening, the rate
  ///   there: it moves with its currency only since then.
  mutating func receive(
    _ paid: Worth, in currency: Currency, lateRate: Rate? = nil
  ) throws(ArithmeticError) {
    if paid == .zero { return }
    var amount = paid
    if let lateRate {
      amount.base = try convert(paid.local, at: lateRate)
      attribution.priorPeriod += amount.base - paid.base
    }
    add(amount, in: currency)
  }

  /// Notes what is to be received on a later date (negative: to be paid), worth its base amount
  /// today.
  mutating func owe(_ amount: Worth, in currency: Currency, until payDate: Day) {
    add(amount, in: currency, until: payDate)
  }

  private mutating func add(_ amount: Worth, in currency: Currency, until payDate: Day? = nil) {
    let index: Int
    if let found = cash.firstIndex(where: { $0.currency == currency && $0.payDate == payDate }) {
      index = found
    } else {
      index = cash.endIndex
      cash.append(CashChange(currency: currency, payDate: payDate))
    }
    cash[index].local += amount.local
    cash[index].base += amount.base
  }

  /// Adds what others did, behind what is here.
  static func += (left: inout WindowTotals, right: WindowTotals) {
    for change in right.cash {
      left.add(
        Worth(local: change.local, base: change.base), in: change.currency,
        until: change.payDate)
    }
    left.inflow += right.inflow
    left.outflow += right.outflow
    left.attribution += right.attribution
    left.flows += right.flows
    left.switches += right.switches
    left.legs += right.legs
  }

  /// Counts an external flow: positive comes into the portfolio.
  mutating func externalFlow(_ base: Money, on day: Day) {
    if base > .zero { inflow += base } else { outflow -= base }
    flow(-base, of: nil, on: day)
  }

  /// Notes a flow as the investor sees it.
  mutating func flow(_ amount: Money, of holding: ID<Holding>?, on day: Day) {
    if amount.isZero { return }
    flows.append(FlowEvent(holding: holding, day: day, amount: amount))
  }
}

/// One side of a switch between funds of the portfolio.
struct SwitchLeg: Sendable {
  let date: Day
  let currency: Currency
  let symbol: String
  /// Signed: into the fund is positive.
  let amount: Worth
}

extension Attribution {
  /// Adds part by part.
  static func += (left: inout Attribution, right: Attribution) {
    left.realized += right.realized
    left.unrealizedChange += right.unrealizedChange
    left.income += right.income
    left.fees += right.fees
    left.taxes += right.taxes
    left.fx += right.fx
    left.priorPeriod += right.priorPeriod
  }

  /// Books income, costs, taxes and exchanges; a late entry's as corrections of an earlier period.
  mutating func book(
    income: Money = .zero, fees: Money = .zero, taxes: Money = .zero,
    fx: Money = .zero, isLate: Bool
  ) {
    guard !isLate else {
      priorPeriod += income - fees - taxes + fx
      return
    }
    self.income += income
    self.fees += fees
    self.taxes += taxes
    self.fx += fx
  }
}
