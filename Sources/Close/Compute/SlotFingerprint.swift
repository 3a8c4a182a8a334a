internal import Accounting

/// What one close was computed from, as a digest: natural keys and values, never an id, a time or
/// a run.
///
/// The opening's fingerprint is part of it, so that a change of any earlier input shows in every
/// later date. Holdings, activities and market facts are each digested alone and added up: their
/// order in the database, which is one of ids, does not count. Only the order of one holding's
/// activities does.
///
/// The policy is no part of it. The row keeps that in plain sight, and the next date does not
/// depend on it: in the chain, another policy on one date would make all later ones look as if
/// their inputs had changed.
struct SlotFingerprint {
  let portfolio: Portfolio
  let instruments: [ID<Holding>: Instrument]
  let market: Market
  private var rates: [(currency: Currency, date: Day, rate: DatedRate?)] = []

  /// To be raised when the same inputs give other numbers than before.
  static let calculationVersion = 2

  init(
    portfolio: Portfolio, instruments: [ID<Holding>: Instrument], market: Market
  ) {
    self.portfolio = portfolio
    self.instruments = instruments
    self.market = market
  }

  /// The fingerprint of a close.
  ///
  /// - Parameters:
  ///   - opening: That of the snapshot it opened from; nil for the first of all.
  ///   - owed: What was not paid yet at the opening.
  mutating func fingerprint(
    of close: BookClose, after opening: Fingerprint?, owed: [Receivable],
    _ activities: [Activity], _ statements: [FundStatement]
  ) -> Fingerprint {
    rates.removeAll(keepingCapacity: true)
    var hasher = header(of: close.snapshot, after: opening)
    var sum = Fingerprint(low: 0, high: 0)
    for row in close.holdings { sum = sum + holding(row, close.snapshot) }
    var ordinals: [ID<Holding>?: Int] = [:]
    for activity in activities {
      let ordinal = ordinals[activity.holding, default: 0]
      ordinals[activity.holding] = ordinal + 1
      sum = sum + self.activity(activity, ordinal, close.snapshot)
    }
    for statement in statements { sum = sum + self.statement(statement) }
    for balance in close.cashBalances { sum = sum + rate(of: balance, close.snapshot.date) }
    for receivable in owed where receivable.payDate <= close.snapshot.date {
      sum = sum + rate(of: receivable, receivable.payDate)
    }
    for receivable in close.receivables { sum = sum + rate(of: receivable, close.snapshot.date) }
    hasher.write(sum)
    return hasher.finish()
  }

  private func header(of snapshot: Snapshot, after opening: Fingerprint?) -> FingerprintHasher {
    var hasher = FingerprintHasher()
    hasher.write(Self.calculationVersion)
    hasher.write(opening ?? Fingerprint(low: 0, high: 0))
    hasher.write(snapshot.date)
    hasher.write(snapshot.openedFrom)
    hasher.write(UInt64(portfolio.baseCurrency.packed))
    hasher.write(portfolio.inception)
    hasher.write(portfolio.calendar)
    hasher.write(portfolio.lotRelief.rawValue)
    hasher.write(portfolio.cashMode.rawValue)
    hasher.write(portfolio.dividendMode.rawValue)
    hasher.write(portfolio.irrConvention.rawValue)
    hasher.write(portfolio.flowTiming.rawValue)
    // The usual policy, as it was when the policy was not kept beside the fingerprint.
    hasher.write(5)
    hasher.write(100)
    hasher.write(0.0.bitPattern)
    return hasher
  }

  /// Each kind of fact begins with a number of its own.
  private enum Kind: Int {
    case holding = 1
    case activity, statement, action, balance, receivable
  }

  private func hasher(_ kind: Kind, _ instrument: Instrument?) -> FingerprintHasher {
    var hasher = FingerprintHasher()
    hasher.write(kind.rawValue)
    hasher.write(instrument?.symbol ?? "")
    return hasher
  }

  private func hasher(_ kind: Kind, _ holding: ID<Holding>?) -> FingerprintHasher {
    hasher(kind, holding.flatMap { instruments[$0] })
  }

  /// What a holding was valued with, and the instrument's terms.
  private mutating func holding(_ row: HoldingSnapshot, _ snapshot: Snapshot) -> Fingerprint {
    let instrument = instruments[row.holding]
    var hasher = hasher(.holding, instrument)
    hasher.write(row.price)
    hasher.write(row.priceDate)
    switch row.quality {
    case .priced: hasher.write(0)
    case .carried(let days): hasher.write(days)
    case .missing: hasher.write(-1)
    }
    guard let instrument else { return hasher.finish() }
    hasher.write(instrument.kind.rawValue)
    hasher.write(instrument.pricing.rawValue)
    hasher.write(instrument.multiplier)
    write(rateOf: instrument.currency, on: snapshot.date, to: &hasher)
    return hasher.finish() + actions(of: instrument, snapshot)
  }

  /// Splits, and dividends where they count, between the opening and the close.
  private mutating func actions(of instrument: Instrument, _ snapshot: Snapshot) -> Fingerprint {
    var sum = Fingerprint(low: 0, high: 0)
    guard let actions = market.actions[instrument.id] else { return sum }
    for action in actions where action.exDate <= snapshot.date {
      if let opened = snapshot.openedFrom, action.exDate <= opened { continue }
      var hasher = FingerprintHasher()
      hasher.write(Kind.action.rawValue)
      hasher.write(instrument.symbol)
      hasher.write(action.exDate)
      guard write(action, of: instrument, through: snapshot.date, to: &hasher) else { continue }
      write(rateOf: instrument.currency, on: action.exDate, to: &hasher)
      sum = sum + hasher.finish()
    }
    return sum
  }

  /// What an action says; whether it counts.
  ///
  /// A split for one unit and a dividend in the instrument's currency on the ex-date are what they
  /// were before there was anything else.
  private mutating func write(
    _ action: CorporateAction, of instrument: Instrument, through date: Day,
    to hasher: inout FingerprintHasher
  ) -> Bool {
    guard action.portfolio.map({ $0 == portfolio.id }) ?? true else { return false }
    switch action.effect {
    case .split(let ratio) where ratio.old == .one && action.fractionPrice == nil:
      hasher.write(ratio.new)
      return true
    case .dividend(let payment) where payment.currency == nil && payment.payDate == nil:
      guard portfolio.dividendMode == .automatic else { return false }
      hasher.write(-1)
      hasher.write(payment.perUnit)
      return true
    case .dividend, .returnOfCapital:
      guard portfolio.dividendMode == .automatic else { return false }
    case .rename: return false
    case .split, .stockDividend, .spinOff, .rights, .merger: break
    }
    hasher.write(action.effect.type.rawValue)
    hasher.write(action.fractionPrice)
    switch action.effect {
    case .split(let ratio), .stockDividend(let ratio):
      hasher.write(ratio.new)
      hasher.write(ratio.old)
    case .dividend(let payment), .returnOfCapital(let payment):
      write(payment, of: instrument, on: action.exDate, through: date, to: &hasher)
    case .spinOff(let shares, let share), .rights(let shares, let share):
      write(shares, on: action.exDate, to: &hasher)
      hasher.write(share)
    case .merger(let merger):
      if let shares = merger.shares { write(shares, on: action.exDate, to: &hasher) }
      if let cash = merger.cash {
        write(cash, of: instrument, on: action.exDate, through: date, to: &hasher)
      }
      switch merger.cost {
      case .carried(let share):
        hasher.write(1)
        hasher.write(share)
      case .realized: hasher.write(2)
      }
    case .rename: break
    }
    return true
  }

  private mutating func write(
    _ payment: CorporateAction.Payment, of instrument: Instrument, on exDate: Day,
    through date: Day, to hasher: inout FingerprintHasher
  ) {
    hasher.write(payment.perUnit)
    hasher.write(payment.payDate)
    let currency = payment.currency ?? instrument.currency
    if payment.currency != nil { write(rateOf: currency, on: exDate, to: &hasher) }
    if let payDate = payment.payDate, payDate <= date {
      write(rateOf: currency, on: payDate, to: &hasher)
    }
  }

  /// The other instrument, and the close by which it says what the value moved is.
  private mutating func write(
    _ shares: CorporateAction.Shares, on exDate: Day, to hasher: inout FingerprintHasher
  ) {
    let other = instruments.values.first { $0.id == shares.into }
    hasher.write(other?.symbol ?? "")
    hasher.write(shares.ratio.new)
    hasher.write(shares.ratio.old)
    hasher.write((try? market.close(of: shares.into, on: exDate))?.price)
    if let other { write(rateOf: other.currency, on: exDate, to: &hasher) }
  }

  private mutating func activity(
    _ activity: Activity, _ ordinal: Int, _ snapshot: Snapshot
  ) -> Fingerprint {
    var hasher = hasher(.activity, activity.holding)
    hasher.write(ordinal)
    hasher.write(activity.date)
    hasher.write(activity.bookedOn)
    hasher.write(activity.type.rawValue)
    hasher.write(activity.quantity)
    hasher.write(activity.price)
    hasher.write(activity.amount)
    hasher.write(activity.fee)
    hasher.write(activity.acquired)
    hasher.write(activity.referenceClose)
    // Without one it is what it was before there were any.
    if let payDate = activity.payDate {
      hasher.write(payDate)
      if payDate <= snapshot.date { write(rateOf: activity.currency, on: payDate, to: &hasher) }
    }
    write(rateOf: activity.currency, on: activity.date, to: &hasher)
    if activity.isLate, let openedFrom = snapshot.openedFrom {
      write(rateOf: activity.currency, on: openedFrom, to: &hasher)
    }
    return hasher.finish()
  }

  private func statement(_ statement: FundStatement) -> Fingerprint {
    var hasher = hasher(.statement, statement.holding)
    hasher.write(statement.date)
    hasher.write(statement.value)
    return hasher.finish()
  }

  private mutating func rate(of receivable: Receivable, _ date: Day) -> Fingerprint {
    var hasher = hasher(.receivable, nil as Instrument?)
    hasher.write(receivable.payDate)
    write(rateOf: receivable.currency, on: date, to: &hasher)
    return hasher.finish()
  }

  private mutating func rate(of balance: CashBalance, _ date: Day) -> Fingerprint {
    var hasher = hasher(.balance, nil as Instrument?)
    write(rateOf: balance.currency, on: date, to: &hasher)
    return hasher.finish()
  }

  /// Writes a currency and what a unit of it was worth in base currency on a date.
  private mutating func write(
    rateOf currency: Currency, on date: Day, to hasher: inout FingerprintHasher
  ) {
    hasher.write(UInt64(currency.packed))
    guard currency != portfolio.baseCurrency else { return }
    let known = rates.first { $0.currency == currency && $0.date == date }
    let rate: DatedRate?
    if let known {
      rate = known.rate
    } else {
      rate = try? market.rate(from: currency, to: portfolio.baseCurrency, on: date)
      rates.append((currency, date, rate))
    }
    hasher.write(rate?.date)
    hasher.write(rate?.rate)
  }
}
