/// A holding's part of a closed date: what one row of `portfolio_fund_valuations` says, and
/// everything that the next date needs to go on from here.
///
/// Money is in the portfolio's base currency unless the name says local.
public struct HoldingSnapshot: Hashable, Sendable {
  /// The holding.
  public var holding: ID<Holding>
  /// Signed units; zero for a valued holding.
  public var quantity: Quantity
  /// The close that valued it (post-split where carried over one); nil for a valued holding, an
  /// exited one, or where no close was ever known.
  public var price: Price?
  /// The date of that close, or of the last statement of a valued holding.
  public var priceDate: Day?
  /// Market value in the instrument's currency.
  ///
  /// For a valued holding its carried value, for a future the notional of its last settlement.
  public var localValue: Money
  /// Market value; 0 for a future.
  public var marketValue: Money
  /// Cost of the open lots in the instrument's currency, without fees; negative for a short.
  public var localCost: Money
  /// Cost of the open lots at the rates of their trades, without fees; negative for a short.
  public var costBasis: Money
  /// Level: (local value − local cost) × rate.
  public var unrealized: Money
  /// Level: market value − cost basis − `unrealized`: the currency's part.
  public var unrealizedFX: Money
  /// The date's P&L; equals the sum of its attribution below.
  public var dailyPnL: Money
  /// The date's attribution of the P&L.
  public var attribution: Attribution
  /// What the close knew about the value.
  public var quality: PriceQuality

  /// A row of these numbers.
  public init(
    holding: ID<Holding>, quantity: Quantity, price: Price?, priceDate: Day?, localValue: Money,
    marketValue: Money, localCost: Money, costBasis: Money, unrealized: Money, unrealizedFX: Money,
    dailyPnL: Money, attribution: Attribution, quality: PriceQuality
  ) {
    self.holding = holding
    self.quantity = quantity
    self.price = price
    self.priceDate = priceDate
    self.localValue = localValue
    self.marketValue = marketValue
    self.localCost = localCost
    self.costBasis = costBasis
    self.unrealized = unrealized
    self.unrealizedFX = unrealizedFX
    self.dailyPnL = dailyPnL
    self.attribution = attribution
    self.quality = quality
  }
}

/// The parts of a daily P&L; they sum to it without rest.
///
/// `dailyPnL = realized + unrealizedChange + income − fees − taxes + fx + priorPeriod`.
public struct Attribution: Hashable, Sendable {
  /// Price gains of lots closed on the date, at the trade's rate.
  public var realized = Money.zero
  /// Change of the unrealized level that is P&L: what arrives or leaves in kind is not.
  public var unrealizedChange = Money.zero
  /// Dividends and interest, gross; interest paid is negative.
  public var income = Money.zero
  /// Costs, positive when paid.
  public var fees = Money.zero
  /// Taxes, positive when paid.
  public var taxes = Money.zero
  /// Realized and unrealized currency effects, those on cash included.
  public var fx = Money.zero
  /// Effects of late activities dated in a locked period.
  public var priorPeriod = Money.zero

  /// No P&L.
  public init() {}

  /// The daily P&L that the parts make.
  public var total: Money {
    realized + unrealizedChange + income - fees - taxes + fx + priorPeriod
  }
}

/// What a close knew about a holding's value.
public enum PriceQuality: Hashable, Sendable {
  /// A close or statement of the date itself, or nothing to value.
  case priced
  /// A close of an earlier date, so many business days old.
  case carried(businessDays: Int)
  /// No close ever: valued at cost.
  case missing
}

/// A currency's cash balance of a portfolio with `per_currency` cash.
public struct CashBalance: Hashable, Sendable {
  /// The currency.
  public var currency: Currency
  /// The balance in that currency; negative is borrowed.
  public var balance: Money
  /// The balance at the date's rate, in base currency.
  public var baseValue: Money

  /// A balance and its value in base currency.
  public init(currency: Currency, balance: Money, baseValue: Money) {
    self.currency = currency
    self.balance = balance
    self.baseValue = baseValue
  }
}

/// A complete (portfolio, date): the numbers of one row of `portfolio_snapshots`.
///
/// Identities, to the last digit:
/// `closingEquity = openingEquity + dailyPnL + netExternalFlow`,
/// `closingEquity = longValue + shortValue + cash + receivables`, `dailyPnL = attribution.total`.
public struct Snapshot: Hashable, Sendable {
  /// The date that was closed.
  public var date: Day
  /// The date whose snapshot this one opened from; nil for the first.
  public var openedFrom: Day?
  /// Closing equity of `openedFrom`; zero for the first snapshot.
  public var openingEquity: Money
  /// External flows in, gross, since the opening.
  public var inflow: Money
  /// External flows out, gross and positive, since the opening.
  public var outflow: Money
  /// Profit and loss since the opening.
  public var dailyPnL: Money
  /// Its parts.
  public var attribution: Attribution
  /// Level of unrealized P&L over all holdings, without currency effects.
  public var unrealizedPnL: Money
  /// Equity at the date's close.
  public var closingEquity: Money
  /// Cash in base currency; negative is margin.
  public var cash: Money
  /// Market value of long holdings.
  public var longValue: Money
  /// Market value of short holdings; zero or negative.
  public var shortValue: Money
  /// Σ |exposure|; a future counts with its notional.
  public var grossExposure: Money
  /// Σ exposure; a future counts with its notional.
  public var netExposure: Money
  /// Return over the days since the opening, as a fraction; nil where the base is not positive.
  public var dailyReturn: Double?
  /// Linked growth of 1 since `indexSince`; stays as it is over a date without a return.
  public var index: Double
  /// The close that the index counts from; returns across it are not known.
  ///
  /// The index was 1 there, or, where a date had no return and a new chain started, what it was
  /// at the break.
  public var indexSince: Day
  /// Σ daily P&L of every date so far.
  public var cumulativePnL: Money
  /// Holdings valued by a close of the date, by an older one, by none.
  public var pricedCount: Int
  /// Holdings valued by an older close.
  public var carriedCount: Int
  /// Holdings that never had a close.
  public var missingCount: Int
  /// The oldest close in use, in business days; 0 when none is carried.
  public var maxCarriedDays: Int
  /// Too many carried or missing prices by the portfolio's policy.
  public var isDegraded: Bool
  /// What was earned and is not paid yet, in base currency; negative is owed.
  public var receivables: Money

  /// A snapshot of these numbers.
  public init(
    date: Day, openedFrom: Day?, openingEquity: Money, inflow: Money, outflow: Money,
    dailyPnL: Money, attribution: Attribution, unrealizedPnL: Money, closingEquity: Money,
    cash: Money, longValue: Money, shortValue: Money, grossExposure: Money, netExposure: Money,
    dailyReturn: Double?, index: Double, indexSince: Day, cumulativePnL: Money, pricedCount: Int,
    carriedCount: Int, missingCount: Int, maxCarriedDays: Int, isDegraded: Bool,
    receivables: Money = .zero
  ) {
    self.date = date
    self.openedFrom = openedFrom
    self.openingEquity = openingEquity
    self.inflow = inflow
    self.outflow = outflow
    self.dailyPnL = dailyPnL
    self.attribution = attribution
    self.unrealizedPnL = unrealizedPnL
    self.closingEquity = closingEquity
    self.cash = cash
    self.longValue = longValue
    self.shortValue = shortValue
    self.grossExposure = grossExposure
    self.netExposure = netExposure
    self.dailyReturn = dailyReturn
    self.index = index
    self.indexSince = indexSince
    self.cumulativePnL = cumulativePnL
    self.pricedCount = pricedCount
    self.carriedCount = carriedCount
    self.missingCount = missingCount
    self.maxCarriedDays = maxCarriedDays
    self.isDegraded = isDegraded
    self.receivables = receivables
  }

  /// `inflow − outflow`.
  public var netExternalFlow: Money { inflow - outflow }
}
