/// What an instrument is; decides defaults and how its trades settle.
public enum InstrumentKind: String, CaseIterable, Sendable {
  case equity, etf, fund, bond, option, future, crypto
}

/// How an instrument gets its value.
public enum Pricing: String, CaseIterable, Sendable {
  /// quantity × close × multiplier.
  case quoted
  /// By statements of the holding's value; there is no quantity.
  case valued
}

/// A thing that portfolios hold.
public struct Instrument: Sendable {
  /// The database key.
  public let id: ID<Instrument>
  /// The symbol, unique among instruments in use.
  public let symbol: String
  /// What it is.
  public let kind: InstrumentKind
  /// The currency of its closes, trades and statements.
  public let currency: Currency
  /// Units of value in one unit of quantity at a price of 1: 100 for most listed options,
  /// 0.01 for bonds quoted in per cent of par.
  public let multiplier: Rate
  /// How it gets its value.
  public let pricing: Pricing

  /// An instrument of these terms.
  public init(
    id: ID<Instrument>, symbol: String, kind: InstrumentKind, currency: Currency,
    multiplier: Rate = .one, pricing: Pricing = .quoted
  ) {
    self.id = id
    self.symbol = symbol
    self.kind = kind
    self.currency = currency
    self.multiplier = multiplier
    self.pricing = pricing
  }
}
