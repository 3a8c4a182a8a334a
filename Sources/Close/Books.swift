public import Accounting
public import Postgres
public import Storage

/// A closed date of one portfolio, with names instead of keys: what `show` shows.
public struct ShownSnapshot: Sendable {
  /// One holding's row.
  public struct HoldingRow: Sendable {
    /// The instrument.
    public var instrument: Instrument
    /// The numbers.
    public var row: StoredHolding
    /// Its money-weighted return, if one was stored.
    public var result: IRRResult?
  }

  /// The portfolio.
  public var portfolio: Portfolio
  /// The snapshot.
  public var stored: StoredSnapshot
  /// The holdings, ascending by symbol.
  public var holdings: [HoldingRow]
  /// The portfolio's money-weighted return.
  public var result: IRRResult?
  /// How it is annualised.
  public var convention: IRRConvention?
  /// Its returns over the periods that end with the date, in the order of the periods; empty
  /// where only the date itself was asked for.
  public var returns: [(period: ReturnPeriod, value: PeriodReturn)] = []
  /// Its linked return since `index_since`; nil where none is known, and where only the date itself
  /// was asked for.
  public var cumulativeReturn: Double?
}

/// What stands where a closed date was looked for.
public enum Shown: Sendable {
  /// The closed date.
  case closed(ShownSnapshot)
  /// A slot that is not closed: its state and, if it failed, why.
  case open(state: String, error: String?)
  /// Nothing: the last complete date, if there is one.
  case missing(lastComplete: Day?)
}

/// Reads of the closed books.
public enum Books {
  /// A portfolio's closed date.
  ///
  /// - Throws: `UnknownPortfolios` for a code without a portfolio.
  public static func show(
    _ code: String, on date: Day, on db: isolated Connection
  ) throws -> Shown {
    try Migrator.requireCurrentSchema(on: db)
    let planned = try planned(code, on: db)
    let portfolio = planned.portfolio
    let slot = Slot(portfolio: portfolio.id, date: date)
    let instruments = try MarketLoading.instruments(on: db)
    guard
      var close = try shown([portfolio], instruments, from: date, through: date, on: db).first
    else {
      if let state = try StoredSnapshots.state(of: slot, on: db) {
        return .open(state: state.state, error: state.error)
      }
      return .missing(lastComplete: planned.lastComplete)
    }
    close.holdings.sort { $0.instrument.symbol < $1.instrument.symbol }
    let history = try performance(of: portfolio, through: date, on: db)
    close.returns = ReturnPeriod.allCases.compactMap { period in
      history.over(period).map { (period, $0) }
    }
    close.cumulativeReturn = history.cumulativeReturn
    return .closed(close)
  }

  /// The portfolio that a code, or `CODE#ID`, means today.
  ///
  /// - Throws: `UnknownPortfolios`.
  static func planned(_ code: String, on db: isolated Connection) throws -> PlannedPortfolio {
    let selection = try db.selection(of: [code], on: .latest)
    guard
      let planned = try Planning.portfolios(
        after: 0, limit: 1, activeOn: .latest, of: selection, on: db
      ).first
    else { throw UnknownPortfolios(codes: [code]) }
    return planned
  }

  /// Every closed date of a range, portfolio by portfolio, handed on some portfolios at a time.
  ///
  /// - Throws: `UnknownPortfolios`, and whatever `visit` throws.
  public static func forEach(
    codes: [String], from first: Day, through last: Day, on db: isolated Connection,
    _ visit: ([ShownSnapshot]) throws -> Void
  ) throws {
    try Migrator.requireCurrentSchema(on: db)
    let selection = try db.selection(of: codes, on: .latest, includingRetired: true)
    let instruments = try MarketLoading.instruments(on: db)
    var after: Int64 = 0
    while true {
      let page = try Planning.portfolios(
        after: after, limit: portfoliosAtOnce, activeOn: .latest, of: selection,
        includingRetired: true, on: db
      ).map(\.portfolio)
      guard let end = page.last else { return }
      after = end.id.rawValue
      let counts = try Planning.completeCounts(
        of: page.map(\.id), from: first, through: last, on: db)
      for portfolios in page.cut(at: slotsAtOnce, size: { counts[$0.id] ?? 0 }) {
        try visit(try shown(portfolios, instruments, from: first, through: last, on: db))
      }
    }
  }

  /// Many portfolios are read at once, as far as their dates fit into memory.
  private static let portfoliosAtOnce = 500
  private static let slotsAtOnce = 1_000

  /// The closed dates of some portfolios, portfolio by portfolio, each ascending.
  static func shown(
    _ portfolios: [Portfolio], _ instruments: [ID<Instrument>: Instrument], from first: Day,
    through last: Day, on db: isolated Connection
  ) throws -> [ShownSnapshot] {
    let closes = try StoredCloses.read(
      of: portfolios.map(\.id), from: first, through: last, on: db)
    let byPortfolio = Dictionary(grouping: closes.values) { $0.snapshot.slot.portfolio }
    return portfolios.flatMap { portfolio in
      (byPortfolio[portfolio.id] ?? [])
        .sorted { $0.snapshot.slot.date < $1.snapshot.slot.date }
        .map { ShownSnapshot(portfolio, $0, instruments) }
    }
  }
}

extension ShownSnapshot {
  fileprivate init(
    _ portfolio: Portfolio, _ close: StoredCloses.Close, _ instruments: [ID<Instrument>: Instrument]
  ) {
    let results = Dictionary(
      close.holdingReturns.compactMap { row in row.holding.map { ($0, row.result) } },
      uniquingKeysWith: { first, _ in first })
    self.init(
      portfolio: portfolio, stored: close.snapshot,
      holdings: close.holdings.compactMap { row in
        instruments[row.instrument].map {
          HoldingRow(instrument: $0, row: row, result: results[row.holding])
        }
      },
      result: close.portfolioReturn?.result, convention: close.portfolioReturn?.convention)
  }
}
