package import Accounting
internal import Storage

/// One number of a closed date that is not what its inputs make it.
package struct ValueDifference: Hashable, Sendable {
  /// Where the number stands.
  package enum Place: Hashable, Sendable, CustomStringConvertible {
    /// The snapshot's own row.
    case snapshot
    /// A holding's row.
    case holding(symbol: String)
    /// The cash balance of a currency.
    case cash(Currency)
    /// The portfolio's money-weighted return.
    case portfolioIRR
    /// A holding's money-weighted return.
    case holdingIRR(symbol: String)

    /// As an operator reads it.
    package var description: String {
      switch self {
      case .snapshot: "snapshot"
      case .holding(let symbol): "holding \(symbol)"
      case .cash(let currency): "cash \(currency)"
      case .portfolioIRR: "IRR"
      case .holdingIRR(let symbol): "IRR of \(symbol)"
      }
    }
  }

  /// The row.
  package var place: Place
  /// The column; `row` where a whole row is missing or one too many.
  package var column: String
  /// What stands there; nil for null and for a missing row.
  package var stored: String?
  /// What the inputs make it; nil for null and for a row that ought not to be there.
  package var recomputed: String?
}

/// Finds where a stored close and a computed one differ.
///
/// Numbers are compared to the last digit, money-weighted returns within 1e-10.
struct SlotComparison {
  let instruments: [ID<Holding>: Instrument]
  private(set) var differences: [ValueDifference] = []

  init(instruments: [ID<Holding>: Instrument]) { self.instruments = instruments }

  /// How far two rates or growths may be apart: far below what anybody quotes, far above what
  /// another machine's mathematics library could differ by.
  static let returnTolerance = 1e-10

  mutating func compare(
    _ stored: StoredCloses.StoredClose, _ computed: ComputedSegment.Closed,
    _ convention: IRRConvention
  ) {
    compare(stored.snapshot, computed.close.snapshot)
    compareHoldings(stored.holdings, computed.close.holdings)
    compareCash(stored.cashBalances, computed.close.cashBalances)
    compareReceivables(stored.receivables, computed.close.receivables)
    compareReturns(
      stored.portfolioIRRs, [nil], [computed.portfolioIRR], convention)
    compareReturns(
      stored.holdingIRRs, computed.close.holdings.map(\.holding), computed.holdingIRRs,
      convention)
  }

  private mutating func note(
    _ place: ValueDifference.Place, _ column: String, _ stored: (some CustomStringConvertible)?,
    _ computed: (some CustomStringConvertible)?
  ) {
    differences.append(
      ValueDifference(
        place: place, column: column, stored: stored.map { "\($0)" },
        recomputed: computed.map { "\($0)" }))
  }

  private mutating func check<Value: Equatable & CustomStringConvertible>(
    _ place: ValueDifference.Place, _ column: String, _ stored: Value?, _ computed: Value?
  ) {
    if stored != computed { note(place, column, stored, computed) }
  }

  private mutating func missing(_ place: ValueDifference.Place) {
    note(place, "row", nil as String?, "a row")
  }

  private mutating func surplus(_ place: ValueDifference.Place) {
    note(place, "row", "a row", nil as String?)
  }

  // MARK: - Snapshot

  private mutating func compare(_ row: StoredSnapshot, _ computed: Snapshot) {
    let stored = row.snapshot
    guard stored != computed || row.netExternalFlow != computed.netExternalFlow else { return }
    func check<V: Equatable & CustomStringConvertible>(
      _ column: String, _ value: (Snapshot) -> V?
    ) { self.check(.snapshot, column, value(stored), value(computed)) }
    check("opened_from_date", \.openedFrom)
    check("opening_equity", \.openingEquity)
    check("inflow", \.inflow)
    check("outflow", \.outflow)
    self.check(
      .snapshot, "net_external_flow", row.netExternalFlow, computed.netExternalFlow)
    check("daily_pnl", \.dailyPnL)
    check("realized_pnl", \.attribution.realized)
    check("unrealized_change", \.attribution.unrealizedChange)
    check("unrealized_pnl", \.unrealizedPnL)
    check("income", \.attribution.income)
    check("fees", \.attribution.fees)
    check("taxes", \.attribution.taxes)
    check("fx_pnl", \.attribution.fx)
    check("prior_period_adjustment", \.attribution.priorPeriod)
    check("closing_equity", \.closingEquity)
    check("cash", \.cash)
    check("long_value", \.longValue)
    check("short_value", \.shortValue)
    check("gross_exposure", \.grossExposure)
    check("net_exposure", \.netExposure)
    check("receivables", \.receivables)
    check("daily_return", \.dailyReturn)
    check("return_index", \.index)
    check("index_since", \.indexSince)
    check("cumulative_pnl", \.cumulativePnL)
    check("priced_count", \.pricedCount)
    check("carried_count", \.carriedCount)
    check("missing_count", \.missingCount)
    check("max_carried_days", \.maxCarriedDays)
    check("is_degraded", \.isDegraded)
  }

  // MARK: - Holdings and cash

  private func symbol(_ holding: ID<Holding>?) -> String {
    holding.map { instruments[$0]?.symbol ?? "#\($0)" } ?? ""
  }

  private mutating func compareHoldings(
    _ stored: [StoredHolding], _ computed: [HoldingSnapshot]
  ) {
    var rest = stored[...]
    for row in computed {
      while let first = rest.first, first.holding < row.holding {
        surplus(.holding(symbol: symbol(first.holding)))
        rest.removeFirst()
      }
      guard let first = rest.first, first.holding == row.holding else {
        missing(.holding(symbol: symbol(row.holding)))
        continue
      }
      compare(first, row)
      rest.removeFirst()
    }
    for row in rest { surplus(.holding(symbol: symbol(row.holding))) }
  }

  private mutating func compare(_ stored: StoredHolding, _ row: HoldingSnapshot) {
    let place = ValueDifference.Place.holding(symbol: symbol(row.holding))
    if let instrument = instruments[row.holding] {
      check(place, "instrument_id", "\(stored.instrument)", "\(instrument.id)")
    }
    check(place, "price_date", stored.priceDate, row.priceDate)
    // As `show` and `export` write them; texts without trailing zeros differ where the numbers do.
    check(place, "quantity", stored.quantity.plainText, row.quantity.plainText)
    check(place, "price", stored.price?.plainText, row.price?.plainText)
    check(place, "valuation", stored.marketValue, row.marketValue)
    check(place, "cost_basis", stored.costBasis, row.costBasis)
    check(place, "daily_pnl", stored.dailyPnL, row.dailyPnL)
    check(place, "unrealized_pnl", stored.unrealized, row.unrealized)
    check(place, "local_valuation", stored.localValue, row.localValue)
    check(place, "local_cost", stored.localCost, row.localCost)
    check(place, "realized_pnl", stored.attribution.realized, row.attribution.realized)
    check(place, "income", stored.attribution.income, row.attribution.income)
    check(place, "fees", stored.attribution.fees, row.attribution.fees)
    check(place, "taxes", stored.attribution.taxes, row.attribution.taxes)
  }

  private mutating func compareCash(_ stored: [CashBalance], _ computed: [CashBalance]) {
    guard stored != computed else { return }
    var before: [Currency: CashBalance] = [:]
    for row in stored where before.updateValue(row, forKey: row.currency) != nil {
      surplus(.cash(row.currency))
    }
    let after = Dictionary(uniqueKeysWithValues: computed.map { ($0.currency, $0) })
    for currency in Set(before.keys).union(after.keys).sorted() {
      let place = ValueDifference.Place.cash(currency)
      guard let old = before[currency] else {
        missing(place)
        continue
      }
      guard let new = after[currency] else {
        surplus(place)
        continue
      }
      check(place, "balance", old.balance, new.balance)
      check(place, "base_value", old.baseValue, new.baseValue)
    }
  }

  private mutating func compareReceivables(_ stored: [Receivable], _ computed: [Receivable]) {
    guard stored != computed else { return }
    func text(_ receivable: Receivable?) -> String? {
      receivable.map { "\($0.amount) \($0.currency) on \($0.payDate), \($0.baseValue)" }
    }
    for index in 0..<max(stored.count, computed.count) {
      check(
        .snapshot, "receivable", text(index < stored.count ? stored[index] : nil),
        text(index < computed.count ? computed[index] : nil))
    }
  }

  // MARK: - Money-weighted returns

  /// Rows of another convention than the portfolio's are too many.
  private mutating func compareReturns(
    _ stored: [StoredIRR], _ holdings: [ID<Holding>?], _ computed: [IRRResult?],
    _ convention: IRRConvention
  ) {
    func place(_ holding: ID<Holding>?) -> ValueDifference.Place {
      holding == nil ? .portfolioIRR : .holdingIRR(symbol: symbol(holding))
    }
    var rows: [ID<Holding>?: IRRResult] = [:]
    for row in stored {
      guard row.convention == convention else {
        note(place(row.holding), "convention", row.convention.rawValue, convention.rawValue)
        continue
      }
      if rows.updateValue(row.result, forKey: row.holding) != nil { surplus(place(row.holding)) }
    }
    for (holding, result) in zip(holdings, computed) {
      guard let row = rows.removeValue(forKey: holding) else {
        missing(place(holding))
        continue
      }
      compare(row, result ?? .incomplete, at: place(holding))
    }
    for holding in rows.keys.sorted(by: { ($0?.rawValue ?? 0) < ($1?.rawValue ?? 0) }) {
      surplus(place(holding))
    }
  }

  private mutating func compare(
    _ stored: IRRResult, _ computed: IRRResult, at place: ValueDifference.Place
  ) {
    check(place, "status", stored.status.rawValue, computed.status.rawValue)
    checkClose(place, "irr_result", stored.rate, computed.rate)
    checkClose(place, "log_growth", stored.logGrowth, computed.logGrowth)
    check(place, "roots", stored.roots, computed.roots)
  }

  private mutating func checkClose(
    _ place: ValueDifference.Place, _ column: String, _ stored: Double?, _ computed: Double?
  ) {
    if let stored, let computed, (stored - computed).magnitude <= Self.returnTolerance { return }
    check(place, column, stored, computed)
  }
}

extension FixedPoint {
  fileprivate var plainText: String { text(minimumDecimals: 0) }
}
