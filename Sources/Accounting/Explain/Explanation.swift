/// Every input and every step behind the numbers of one closed date.
///
/// Made by the book itself: see `PortfolioBook.explain`.
public struct Explanation: Sendable {
  /// What the book opened from; nil for the first close.
  public var opening: BookOpening?
  /// Every rate of exchange that was used, ascending by currency and date.
  public var rates: [ExplainedRate] = []
  /// The activities of no holding, in the order of booking.
  public var cashSteps: [ExplainedStep] = []
  /// The holdings that are open or had something happen, ascending by symbol.
  public var holdings: [ExplainedHolding] = []
  /// What switches between funds left in base currency, and other effects of no holding.
  public var ownAttribution = Attribution()
  /// Cash, balance by balance where the portfolio keeps them.
  public var cash: [Formula] = []
  /// From holdings to equity, from attribution to daily P&L, from opening to closing.
  public var sums: [Formula] = []
  /// Daily return, index, cumulative P&L.
  public var returns: [Formula] = []
  /// Why there is no daily return; nil where there is one.
  public var noReturn: String?
  /// What the close made.
  public var close: BookClose

  init(opening: BookOpening?, close: BookClose) {
    self.opening = opening
    self.close = close
  }

  /// Every calculation, in the order of the explanation.
  public var formulas: [Formula] {
    rates.compactMap(\.formula) + cashSteps.flatMap(\.formulas)
      + holdings.flatMap { $0.steps.flatMap(\.formulas) + $0.closing } + cash + sums + returns
  }
}

/// A rate of exchange that a close used, and how it was formed.
public struct ExplainedRate: Hashable, Sendable {
  /// The currency of which there is one.
  public var from: Currency
  /// The portfolio's base currency.
  public var to: Currency
  /// The date for which it was asked.
  public var date: Day
  /// 1 `from` = rate `to`, and the date of its older publication.
  public var rate: DatedRate
  /// Published, turned or crossed.
  public var quotation: RateQuotation
  /// How it was made; nil where it was published as it is.
  public var formula: Formula?
}

/// A lot: a part of a position with its own cost.
public struct ExplainedLot: Hashable, Sendable {
  /// Signed units.
  public var quantity: Quantity
  /// Cost in the instrument's currency.
  public var localCost: Money
  /// Cost in base currency.
  public var costBasis: Money
  /// When it was first bought.
  public var acquired: Day
}

/// A lot that an activity closed, or a part of it.
public struct RelievedLot: Hashable, Sendable {
  /// The lot before.
  public var lot: ExplainedLot
  /// How many of its units were closed; signed like the lot.
  public var quantity: Quantity
  /// The cost that went with them, in the instrument's currency.
  public var localCost: Money
  /// The cost that went with them, in base currency.
  public var costBasis: Money
}

/// One thing that happened, and all that it changed.
public struct ExplainedStep: Sendable {
  /// What happened.
  public enum Event: Sendable {
    /// A row of the activity log.
    case activity(Activity)
    /// A corporate action; of one that passes lots, the holding's side.
    case action(CorporateAction)
    /// A statement of a valued holding.
    case statement(FundStatement)
  }

  /// An effect on a balance.
  public struct CashEffect: Hashable, Sendable {
    /// The currency.
    public var currency: Currency
    /// In that currency.
    public var amount: Money
    /// In base currency.
    public var base: Money
  }

  /// What happened.
  public var event: Event
  /// The calculations, in order.
  public var formulas: [Formula] = []
  /// Which lots were closed, in the order of relief.
  public var relieved: [RelievedLot] = []
  /// The lot that was opened.
  public var opened: ExplainedLot?
  /// What it did to cash.
  public var cash: [CashEffect] = []
  /// External flow in.
  public var inflow = Money.zero
  /// External flow out, positive.
  public var outflow = Money.zero
  /// What it booked as P&L; before the change of the level at the close.
  public var attribution = Attribution()
  /// P&L that it booked for the portfolio itself, of no holding.
  public var ownAttribution = Attribution()
  /// What it noted as flows of money-weighted returns.
  public var flows: [FlowEvent] = []
  /// Units held afterwards; zero for no holding and for a valued one.
  public var quantity = Quantity.zero
  /// Cost afterwards, in the instrument's currency.
  public var localCost = Money.zero
  /// Cost afterwards, in base currency.
  public var costBasis = Money.zero
  /// What it left to be paid on a later date.
  public var receivables: [Receivable] = []
  /// Dividends in base currency that a late activity's units missed.
  var dividendsMissed = Money.zero
  /// A valued holding's value afterwards, in the instrument's currency.
  public var carriedValue: Money?

  init(_ event: Event) { self.event = event }
}

/// A holding between two closes.
public struct ExplainedHolding: Sendable {
  /// The holding.
  public var holding: ID<Holding>
  /// What is held.
  public var instrument: Instrument
  /// Its row at the opening; nil where nothing was held.
  public var opening: HoldingSnapshot?
  /// Its lots at the opening, in the order of acquisition; nil where they were not rebuilt.
  public var openingLots: [ExplainedLot]?
  /// What happened, in order.
  public var steps: [ExplainedStep] = []
  /// Its lots at the close; nil where they were not rebuilt.
  public var closingLots: [ExplainedLot]?
  /// The close that values it as it was published; nil without one and for a valued holding.
  public var published: ClosingPrice?
  /// From value and cost to levels, from levels to daily P&L.
  public var closing: [Formula] = []
  /// Its row at the close.
  public var row: HoldingSnapshot
}
