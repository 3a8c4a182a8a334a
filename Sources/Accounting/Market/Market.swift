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
  /// Per instrument its corporate actions, ascending by ex-date; all of them but those that were
  /// taken back.
  public var actions: [ID<Instrument>: [CorporateAction]] {
    get { table.ofInstruments }
    set { table = ActionTable(newValue) }
  }
  /// Published rates: per (base, quote) pair ascending by date, 1 base = rate quote; all of them.
  public var rates: [CurrencyPair: [DatedRate]]
  private(set) var table: ActionTable

  /// A market of these series, each ascending by date.
  public init(
    closes: [ID<Instrument>: [ClosingPrice]] = [:],
    actions: [ID<Instrument>: [CorporateAction]] = [:],
    rates: [CurrencyPair: [DatedRate]] = [:]
  ) {
    self.closes = closes
    table = ActionTable(actions)
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
