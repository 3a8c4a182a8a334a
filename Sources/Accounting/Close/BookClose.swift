/// All that one close produces.
public struct BookClose: Hashable, Sendable {
  /// The portfolio's numbers.
  public var snapshot: Snapshot
  /// One row a holding that is open or had something happen since the opening, ascending by
  /// holding; one that was exited appears with zeros, and then no more.
  public var holdings: [HoldingSnapshot]
  /// One balance a currency, ascending by currency, where the portfolio keeps them; none is zero.
  public var cashBalances: [CashBalance]
  /// What was put in and taken out since the opening: in the order of holding and booking, the
  /// portfolio's own (without a holding) among them.
  public var flows: [FlowEvent]
  /// What is paid on later dates, ascending by pay date and currency; none is zero.
  public var receivables: [Receivable] = []
}

/// A flow of a money-weighted return, in base currency, as the investor sees it.
public struct FlowEvent: Hashable, Sendable {
  /// The holding that it is a flow of; nil for an external flow of the portfolio.
  public var holding: ID<Holding>?
  /// The date on which it was booked.
  public var day: Day
  /// Money put in is negative, money taken out is positive; never zero.
  public var amount: Money

  /// A flow of a holding, or of the portfolio.
  public init(holding: ID<Holding>?, day: Day, amount: Money) {
    self.holding = holding
    self.day = day
    self.amount = amount
  }
}

/// When a close is called degraded, and which values a rate of return may stand on.
///
/// It is an input of a close, and kept with it; the fingerprint leaves it out.
public struct ClosePolicy: Hashable, Sendable {
  /// The oldest close or exchange rate, in business days, that still counts as usual.
  public var maxCarriedBusinessDays = 5
  /// The oldest statement of a valued holding, in calendar days, with which an IRR is still told.
  public var maxStatementAgeDays = 100
  /// The share of the gross market value (0…1) that may be older than that or missing a price
  /// without the snapshot being degraded.
  public var maxDegradedShare = 0.0

  /// The usual policy: closes up to five business days, statements up to 100 days, nothing else.
  public init() {}

  /// The usual policy, but for the age of closes.
  public init(maxCarriedBusinessDays days: Int) { maxCarriedBusinessDays = days }

  /// What can be asked for, in business days.
  public static let carriedBusinessDays = 0...Int(Int16.max)

  /// A policy that a snapshot fits of which it is not known under which it was closed.
  ///
  /// The usual one, unless it says otherwise itself: where it is not degraded every close was young
  /// enough, and any policy that allows the oldest gives the same numbers; where it is, and no
  /// price was missing, the oldest was too old.
  ///
  /// - Parameters:
  ///   - oldest: The age of its oldest close or rate, in business days.
  ///   - missing: How many prices were missing.
  public init(fitting isDegraded: Bool, oldest: Int, missing: Int) {
    self.init()
    if !isDegraded {
      maxCarriedBusinessDays = max(maxCarriedBusinessDays, oldest)
    } else if missing == 0, oldest > 0 {
      maxCarriedBusinessDays = min(maxCarriedBusinessDays, oldest - 1)
    }
  }
}

/// What was true at the last close: all that the next one needs to go on from there.
public struct BookOpening: Hashable, Sendable {
  /// The date of the last close.
  public var date: Day
  /// Its closing equity.
  public var closingEquity: Money
  /// Its cash in base currency.
  public var cash: Money
  /// Its index.
  public var index: Double
  /// The close that its index counts from.
  public var indexSince: Day
  /// Σ daily P&L up to it.
  public var cumulativePnL: Money
  /// Its rows of holdings; those that are flat (no quantity, value or cost) may be left out.
  public var holdings: [HoldingSnapshot]
  /// Its balances, for a portfolio with a balance a currency.
  public var cashBalances: [CashBalance]
  /// What is paid on later dates.
  public var receivables: [Receivable]
  /// The date of the last statement up to it, of valued holdings that are flat and have no row.
  ///
  /// It tells which late flows are in a value already, and how old that is should one be opened
  /// again; what concerns none of them may be left out.
  public var statementDates: [ID<Holding>: Day]

  /// What was true at the last close.
  public init(
    date: Day, closingEquity: Money, cash: Money, index: Double, indexSince: Day,
    cumulativePnL: Money, holdings: [HoldingSnapshot], cashBalances: [CashBalance] = [],
    statementDates: [ID<Holding>: Day] = [:], receivables: [Receivable] = []
  ) {
    self.date = date
    self.closingEquity = closingEquity
    self.cash = cash
    self.index = index
    self.indexSince = indexSince
    self.cumulativePnL = cumulativePnL
    self.holdings = holdings
    self.cashBalances = cashBalances
    self.statementDates = statementDates
    self.receivables = receivables
  }

  /// What a close, and the statements up to it, leave for the next one.
  public init(after close: BookClose, statementDates: [ID<Holding>: Day] = [:]) {
    self.init(
      date: close.snapshot.date, closingEquity: close.snapshot.closingEquity,
      cash: close.snapshot.cash, index: close.snapshot.index,
      indexSince: close.snapshot.indexSince, cumulativePnL: close.snapshot.cumulativePnL,
      holdings: close.holdings, cashBalances: close.cashBalances, statementDates: statementDates,
      receivables: close.receivables)
  }
}
