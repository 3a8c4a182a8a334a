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
    let planned = try Planning.portfolios(
      after: 0, limit: 1, activeOn: .latest, codes: [code], on: db)
    guard let planned = planned.first else { throw UnknownPortfolios(codes: [code]) }
    let portfolio = planned.portfolio
    let slot = Slot(portfolio: portfolio.id, date: date)
    let instruments = try MarketLoading.instruments(on: db)
    guard
      var close = try shown(portfolio, instruments, from: date, through: date, on: db).first
    else {
      if let state = try StoredSnapshots.state(of: slot, on: db) {
        return .open(state: state.state, error: state.error)
      }
      return .missing(lastComplete: planned.lastComplete)
    }
    close.holdings.sort { $0.instrument.symbol < $1.instrument.symbol }
    return .closed(close)
  }

  /// Every closed date of a range, portfolio by portfolio, handed on one portfolio at a time.
  ///
  /// - Throws: `UnknownPortfolios`, and whatever `visit` throws.
  public static func forEach(
    codes: [String], from first: Day, through last: Day, on db: isolated Connection,
    _ visit: ([ShownSnapshot]) throws -> Void
  ) throws {
    try Migrator.requireCurrentSchema(on: db)
    let unknown = try Planning.unknownCodes(codes, on: db)
    guard unknown.isEmpty else { throw UnknownPortfolios(codes: unknown) }
    let instruments = try MarketLoading.instruments(on: db)
    var after: Int64 = 0
    while true {
      let page = try Planning.portfolios(
        after: after, limit: 100, activeOn: .latest, codes: codes, includingRetired: true, on: db)
      guard let end = page.last else { return }
      after = end.portfolio.id.rawValue
      for planned in page {
        try visit(
          try shown(planned.portfolio, instruments, from: first, through: last, on: db))
      }
    }
  }

  private static func shown(
    _ portfolio: Portfolio, _ instruments: [ID<Instrument>: Instrument], from first: Day,
    through last: Day, on db: isolated Connection
  ) throws -> [ShownSnapshot] {
    let closes = try StoredCloses.read(of: [portfolio.id], from: first, through: last, on: db)
    return closes.values.sorted { $0.snapshot.slot.date < $1.snapshot.slot.date }.map { close in
      let results = Dictionary(
        close.holdingReturns.compactMap { row in row.holding.map { ($0, row.result) } },
        uniquingKeysWith: { first, _ in first })
      return ShownSnapshot(
        portfolio: portfolio, stored: close.snapshot,
        holdings: close.holdings.compactMap { row in
          instruments[row.instrument].map {
            ShownSnapshot.HoldingRow(instrument: $0, row: row, result: results[row.holding])
          }
        },
        result: close.portfolioReturn?.result, convention: close.portfolioReturn?.convention)
    }
  }
}
