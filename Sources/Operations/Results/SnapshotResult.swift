package import Accounting
internal import Close
internal import Storage

/// A closed date of one portfolio: what `show` shows.
///
/// Amounts are in its base currency.
package struct SnapshotResult: Codable, Sendable {
  /// `CODE`, or `CODE#ID` of one that was retired.
  package var portfolio: String
  package var date: Day
  /// Always `complete`.
  package var state: String
  /// Whether too many prices were carried or missing for the policy of the close.
  package var isDegraded: Bool
  /// Whether inputs changed since.
  package var isStale: Bool
  package var openingEquity: Money
  /// The close that it opens from; nil for the first.
  package var openedFrom: Day?
  package var netExternalFlow: Money
  package var dailyPnL: Money
  package var realizedPnL: Money
  package var unrealizedChange: Money
  package var unrealizedPnL: Money
  package var income: Money
  /// Positive where they cost.
  package var fees: Money
  /// Positive where they cost.
  package var taxes: Money
  package var fxPnL: Money
  package var priorPeriodAdjustment: Money
  package var closingEquity: Money
  package var cash: Money
  package var longValue: Money
  package var shortValue: Money
  /// Earned and not paid yet; negative is owed.
  package var receivables: Money
  package var grossExposure: Money
  package var netExposure: Money
  /// A fraction; nil where there was no equity to earn it on.
  package var dailyReturn: Double?
  package var cumulativeReturn: Double?
  package var indexSince: Day
  package var cumulativePnL: Money
  package var returns: ReturnsResult
  package var irr: IRRFigure
  package var quality: QualityResult
  /// Ascending by symbol.
  package var holdings: [HoldingResult]
  var runID: Int64?
  package var revision: Int32

  /// The currency of the amounts; nil in a result that was read from JSON, which does not tell it.
  package var baseCurrency: Currency?
  /// The time-weighted index, 1 at `indexSince`; nil in a result that was read from JSON.
  package var index: Double?

  private enum CodingKeys: String, CodingKey {
    case portfolio, date, state
    case isDegraded = "degraded"
    case isStale = "stale"
    case openingEquity = "opening_equity"
    case openedFrom = "opened_from"
    case netExternalFlow = "net_external_flow"
    case dailyPnL = "daily_pnl"
    case realizedPnL = "realized_pnl"
    case unrealizedChange = "unrealized_change"
    case unrealizedPnL = "unrealized_pnl"
    case income, fees, taxes
    case fxPnL = "fx_pnl"
    case priorPeriodAdjustment = "prior_period_adjustment"
    case closingEquity = "closing_equity"
    case cash
    case longValue = "long_value"
    case shortValue = "short_value"
    case receivables
    case grossExposure = "gross_exposure"
    case netExposure = "net_exposure"
    case dailyReturn = "daily_return"
    case cumulativeReturn = "cumulative_return"
    case indexSince = "index_since"
    case cumulativePnL = "cumulative_pnl"
    case returns, irr, quality, holdings
    case runID = "run_id"
    case revision
  }
}

extension SnapshotResult {
  init(_ shown: ShownSnapshot) {
    let (stored, snapshot) = (shown.stored, shown.stored.snapshot)
    let attribution = snapshot.attribution
    self.init(
      portfolio: shown.portfolio.name.description, date: snapshot.date, state: "complete",
      isDegraded: snapshot.isDegraded, isStale: stored.isStale,
      openingEquity: snapshot.openingEquity, openedFrom: snapshot.openedFrom,
      netExternalFlow: snapshot.netExternalFlow, dailyPnL: snapshot.dailyPnL,
      realizedPnL: attribution.realized, unrealizedChange: attribution.unrealizedChange,
      unrealizedPnL: snapshot.unrealizedPnL, income: attribution.income, fees: attribution.fees,
      taxes: attribution.taxes, fxPnL: attribution.fx,
      priorPeriodAdjustment: attribution.priorPeriod, closingEquity: snapshot.closingEquity,
      cash: snapshot.cash, longValue: snapshot.longValue, shortValue: snapshot.shortValue,
      receivables: snapshot.receivables, grossExposure: snapshot.grossExposure,
      netExposure: snapshot.netExposure,
      dailyReturn: snapshot.dailyReturn, cumulativeReturn: shown.cumulativeReturn,
      indexSince: snapshot.indexSince, cumulativePnL: snapshot.cumulativePnL,
      returns: ReturnsResult(periods: shown.returns.map { ($0.period, ReturnFigures($0.value)) }),
      irr: IRRFigure(shown.result, shown.convention),
      quality: QualityResult(snapshot, allowed: stored.keptPolicy),
      holdings: shown.holdings.map { HoldingResult($0, shown.convention) }, runID: stored.run,
      revision: stored.revision, baseCurrency: shown.portfolio.baseCurrency,
      index: snapshot.index)
  }
}

/// What a close's prices were worth.
package struct QualityResult: Codable, Sendable {
  package var priced: Int
  package var carried: Int
  package var missing: Int
  package var maxCarriedDays: Int
  /// Of the policy that the date was closed under; nil where none was kept.
  package var carriedDaysAllowed: Int?

  private enum CodingKeys: String, CodingKey {
    case priced, carried, missing
    case maxCarriedDays = "max_carried_days"
    case carriedDaysAllowed = "carried_days_allowed"
  }

  init(_ snapshot: Snapshot, allowed policy: ClosePolicy?) {
    priced = snapshot.pricedCount
    carried = snapshot.carriedCount
    missing = snapshot.missingCount
    maxCarriedDays = snapshot.maxCarriedDays
    carriedDaysAllowed = policy?.maxCarriedBusinessDays
  }
}

/// A money-weighted return.
package struct IRRFigure: Codable, Sendable {
  /// The annual rate as a fraction; nil without one.
  package var value: Double?
  package var logGrowth: Double?
  /// How the search ended; nil where none was stored.
  package var status: String?
  package var convention: String?

  private enum CodingKeys: String, CodingKey {
    case value
    case logGrowth = "log_growth"
    case status, convention
  }

  init(_ result: IRRResult?, _ convention: IRRConvention?) {
    value = result?.rate
    logGrowth = result?.logGrowth
    status = result?.status.rawValue
    self.convention = convention?.rawValue
  }
}

/// A holding on a closed date.
package struct HoldingResult: Codable, Sendable {
  package var symbol: String
  package var quantity: Quantity
  package var price: Price?
  package var priceDate: Day?
  package var marketValue: Money
  package var costBasis: Money
  package var dailyPnL: Money
  package var irr: IRRFigure

  /// Whether it is valued as a whole and has no units; false in a result that was read from JSON.
  package var isValued = false

  private enum CodingKeys: String, CodingKey {
    case symbol, quantity, price
    case priceDate = "price_date"
    case marketValue = "market_value"
    case costBasis = "cost_basis"
    case dailyPnL = "daily_pnl"
    case irr
  }

  init(_ holding: ShownSnapshot.HoldingRow, _ convention: IRRConvention?) {
    symbol = holding.instrument.symbol
    quantity = holding.row.quantity
    price = holding.row.price
    priceDate = holding.row.priceDate
    marketValue = holding.row.marketValue
    costBasis = holding.row.costBasis
    dailyPnL = holding.row.dailyPnL
    irr = IRRFigure(holding.result, convention)
    isValued = holding.instrument.pricing == .valued
  }
}
