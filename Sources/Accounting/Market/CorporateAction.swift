/// What a company did to its shares on an ex-date.
public struct CorporateAction: Hashable, Sendable {
  /// What happens to a holder of one unit; shorts take the other side of it.
  public enum Effect: Hashable, Sendable {
    /// New units in the place of old ones; what they cost stays.
    case split(Ratio)
    /// New units on top of the old ones; what they cost stays.
    case stockDividend(Ratio)
    /// Cash that is income; only where dividends are automatic.
    case dividend(Payment)
    /// Cash that is a part of what was paid; only where dividends are automatic.
    case returnOfCapital(Payment)
    /// Units of another instrument on top, and a part of the cost with them.
    case spinOff(Shares, costShare: Rate)
    /// The same, for rights to subscribe.
    case rights(Shares, costShare: Rate)
    /// Units of another instrument, or cash, or both, in the place of the old units.
    case merger(Merger)
    /// The instrument is called something else: no number changes.
    case rename
  }

  /// Cash per unit.
  public struct Payment: Hashable, Sendable {
    /// For one unit, before any multiplier.
    public var perUnit: Price
    /// What it is paid in; nil for the instrument's own currency.
    public var currency: Currency?
    /// When it is paid, until when it is a receivable; nil on the ex-date.
    public var payDate: Day?

    /// An amount per unit.
    public init(perUnit: Price, currency: Currency? = nil, payDate: Day? = nil) {
      self.perUnit = perUnit
      self.currency = currency
      self.payDate = payDate
    }
  }

  /// Units of another instrument.
  public struct Shares: Hashable, Sendable {
    /// The other instrument.
    public var into: ID<Instrument>
    /// Its units for old ones.
    public var ratio: Ratio

    /// So many units of an instrument.
    public init(into: ID<Instrument>, ratio: Ratio) {
      self.into = into
      self.ratio = ratio
    }
  }

  /// What a merger gives for the old units; one of the two at least.
  public struct Merger: Hashable, Sendable {
    /// Units of another instrument.
    public var shares: Shares?
    /// Cash for an old unit.
    public var cash: Payment?
    /// What becomes of the cost.
    public var cost: Cost

    /// What becomes of the cost of the old units.
    public enum Cost: Hashable, Sendable {
      /// It goes along with the shares, each lot keeps its date; cash realizes its share of it.
      ///
      /// The part that goes along, 0…1, may be given; else it is what the shares are of the value
      /// received.
      case carried(share: Rate? = nil)
      /// All is sold, and the shares are bought, at the value received.
      case realized
    }

    /// What is received for old units.
    public init(shares: Shares?, cash: Payment? = nil, cost: Cost = .carried()) {
      self.shares = shares
      self.cash = cash
      self.cost = cost
    }
  }

  /// The first date that trades without the right.
  public var exDate: Day
  /// The only portfolio that it concerns, where it was elected; nil for all.
  public var portfolio: ID<Portfolio>?
  /// Price of a unit at which what is received below one unit is paid in cash; nil where fractions
  /// are kept.
  public var fractionPrice: Price?
  /// What happens to a holder.
  public var effect: Effect

  /// An action of an ex-date.
  public init(
    exDate: Day, effect: Effect, fractionPrice: Price? = nil, portfolio: ID<Portfolio>? = nil
  ) {
    self.exDate = exDate
    self.effect = effect
    self.fractionPrice = fractionPrice
    self.portfolio = portfolio
  }
}

extension CorporateAction.Effect {
  /// New units for one old unit.
  public static func split(ratio: Rate) -> Self { .split(Ratio(new: ratio)) }

  /// Cash per unit, in the instrument's currency, on the ex-date.
  public static func dividend(perUnit: Price) -> Self {
    .dividend(CorporateAction.Payment(perUnit: perUnit))
  }

  /// What cash is paid in, where it is not the instrument's currency.
  var currency: Currency? {
    switch self {
    case .dividend(let payment), .returnOfCapital(let payment): payment.currency
    case .merger(let merger): merger.cash?.currency
    case .split, .stockDividend, .spinOff, .rights, .rename: nil
    }
  }

  /// Its type as a file and a sentence have it.
  public var type: CorporateActionType {
    switch self {
    case .split: .split
    case .stockDividend: .stockDividend
    case .dividend: .dividend
    case .returnOfCapital: .returnOfCapital
    case .spinOff: .spinOff
    case .rights: .rights
    case .merger: .merger
    case .rename: .rename
    }
  }

  var word: String { type.words }

  /// What one old unit becomes, where the instrument's own units change.
  var unitRatio: Ratio? {
    switch self {
    case .split(let ratio): ratio
    case .stockDividend(let ratio): ratio.onTop
    case .dividend, .returnOfCapital, .spinOff, .rights, .merger, .rename: nil
    }
  }

  /// Units of another instrument that come by it.
  var shares: CorporateAction.Shares? {
    switch self {
    case .spinOff(let shares, _), .rights(let shares, _): shares
    case .merger(let merger): merger.shares
    case .split, .stockDividend, .dividend, .returnOfCapital, .rename: nil
    }
  }

  /// Whether it takes more than the holding of the instrument itself to book it.
  var isReorganisation: Bool {
    switch self {
    case .spinOff, .rights, .merger: true
    case .split, .stockDividend, .dividend, .returnOfCapital, .rename: false
    }
  }
}

extension CorporateAction {
  var isSplit: Bool {
    if case .split = effect { true } else { false }
  }

  /// Whether it concerns a portfolio.
  func concerns(_ portfolio: ID<Portfolio>) -> Bool {
    self.portfolio.map { $0 == portfolio } ?? true
  }

  /// Whether there is a portfolio that both concern.
  func overlaps(_ other: CorporateAction) -> Bool {
    portfolio == nil || other.portfolio == nil || portfolio == other.portfolio
  }

  /// Whether it relieves lots of a holding, one by one.
  var needsLots: Bool {
    if fractionPrice != nil || effect.isReorganisation { return true }
    if case .returnOfCapital = effect { return true }
    return false
  }

  /// Its place in the order of a date.
  var order: BookingOrder {
    let stage: BookingOrder.Stage =
      switch effect {
      case .rename: .rename
      case .split: .split
      case .dividend: .dividend
      case .returnOfCapital: .returnOfCapital
      case .spinOff: .spinOff
      case .rights: .rights
      case .stockDividend: .stockDividend
      case .merger: .merger
      }
    return BookingOrder(exDate, stage)
  }
}
