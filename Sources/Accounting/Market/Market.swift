/// A close and the date it was made.
public struct ClosingPrice: Hashable, Sendable {
  /// The date of the close.
  public var date: Day
  /// The unadjusted close in the instrument's currency.
  public var price: Price

  /// A close of a date.
  @inlinable public init(date: Day, price: Price) {
    self.date = date
    self.price = price
  }
}

/// What a company did to its shares on an ex-date.
public struct CorporateAction: Hashable, Sendable {
  /// Its kind and value.
  public enum Effect: Hashable, Sendable {
    /// New units for one old unit.
    case split(ratio: Rate)
    /// Cash per unit, in the instrument's currency.
    case dividend(perUnit: Price)
  }

  /// The first date that trades without the right.
  public var exDate: Day
  /// What happens to a holder.
  public var effect: Effect

  /// An action of an ex-date.
  public init(exDate: Day, effect: Effect) {
    self.exDate = exDate
    self.effect = effect
  }
}

/// Closes, exchange rates and corporate actions over a window of dates.
///
/// As they were read in one database snapshot. A value: sharing it between workers costs nothing.
///
/// Calls precondition that each series ascends by date, closes and rates with one entry a date, as
/// the keys of their tables have it. It is not checked, since a night looks up millions of them:
/// out of order, a look-up finds another entry of the series, and nothing traps. Of two entries of
/// a date the last counts.
public struct Market: Sendable {
  /// Per instrument its closes, ascending by date: every one in the window, and the last before it.
  public var closes: [ID<Instrument>: [ClosingPrice]]
  /// Per instrument its corporate actions, ascending by ex-date; all of them.
  public var actions: [ID<Instrument>: [CorporateAction]]
  /// Published rates: per (base, quote) pair ascending by date, 1 base = rate quote; all of them.
  public var rates: [CurrencyPair: [DatedRate]]

  /// A market of these series, each ascending by date.
  public init(
    closes: [ID<Instrument>: [ClosingPrice]] = [:],
    actions: [ID<Instrument>: [CorporateAction]] = [:],
    rates: [CurrencyPair: [DatedRate]] = [:]
  ) {
    self.closes = closes
    self.actions = actions
    self.rates = rates
  }
}

/// 1 `base` is worth some number of `quote`.
public struct CurrencyPair: Hashable, Sendable {
  /// The currency of which there is one.
  public var base: Currency
  /// The currency counted.
  public var quote: Currency

  /// The pair base/quote.
  public init(base: Currency, quote: Currency) {
    self.base = base
    self.quote = quote
  }
}

/// A published rate and its date.
public struct DatedRate: Hashable, Sendable {
  /// The date of publication.
  public var date: Day
  /// 1 base = rate quote.
  public var rate: Rate

  /// A rate of a date.
  @inlinable public init(date: Day, rate: Rate) {
    self.date = date
    self.rate = rate
  }
}
