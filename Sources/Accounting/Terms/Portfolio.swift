/// Which lots a closing trade relieves.
public enum LotRelief: String, CaseIterable, Sendable {
  case fifo, lifo, average
}

/// How cash is kept.
public enum CashMode: String, CaseIterable, Sendable {
  /// One balance: each effect is converted into base currency at its date's rate.
  case base
  /// A balance per currency, revalued at every close.
  case perCurrency = "per_currency"
}

/// Which source of cash dividends counts.
public enum DividendMode: String, CaseIterable, Sendable {
  /// Only `dividend` activities.
  case recorded
  /// Only corporate actions, for whoever holds on the ex-date.
  case automatic
}

/// How a money-weighted return is annualised; stored with every value.
public enum IRRConvention: String, CaseIterable, Sendable {
  /// Σ aᵢ (1+r)^(−dᵢ/365) = 0 over dated flows.
  case xirrAct365 = "xirr_act365"
  /// Flows netted per calendar month; the monthly rate × 12.
  case monthlyNominal = "monthly_nominal"
}

/// A portfolio's terms: what it is called, counts in, and which rules it chose.
public struct Portfolio: Sendable {
  /// The database key.
  public let id: ID<Portfolio>
  /// The code, unique among active portfolios.
  public let code: String
  /// The currency of its books.
  public let baseCurrency: Currency
  /// The first date; no activity lies before it.
  public let inception: Day
  /// Its business dates.
  public let calendar: String
  /// Which lots a closing trade relieves.
  public let lotRelief: LotRelief
  /// How cash is kept.
  public let cashMode: CashMode
  /// Which source of cash dividends counts.
  public let dividendMode: DividendMode
  /// How money-weighted returns are annualised.
  public let irrConvention: IRRConvention
  /// When in a day external flows count for its return.
  public let flowTiming: ReturnMeasures.FlowTiming
  /// The last date on which it is closed, where it was retired before the dates at hand end; nil
  /// while it is active on them.
  public let retiredOn: Day?

  /// A portfolio of these terms.
  public init(
    id: ID<Portfolio>, code: String, baseCurrency: Currency, inception: Day,
    calendar: String = "weekdays", lotRelief: LotRelief = .fifo, cashMode: CashMode = .base,
    dividendMode: DividendMode = .recorded, irrConvention: IRRConvention = .xirrAct365,
    flowTiming: ReturnMeasures.FlowTiming = .inflowsAtStart, retiredOn: Day? = nil
  ) {
    self.id = id
    self.code = code
    self.baseCurrency = baseCurrency
    self.inception = inception
    self.calendar = calendar
    self.lotRelief = lotRelief
    self.cashMode = cashMode
    self.dividendMode = dividendMode
    self.irrConvention = irrConvention
    self.flowTiming = flowTiming
    self.retiredOn = retiredOn
  }

  /// What it is called in reports, and found by.
  public var name: PortfolioName { PortfolioName(code: code, id: id, retiredOn: retiredOn) }
}

/// A portfolio's holding of one instrument: the row of `portfolio_funds`.
public enum Holding {}
