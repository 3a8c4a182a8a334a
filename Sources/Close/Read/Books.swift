package import Accounting
package import Postgres
package import Storage

/// A closed date of one portfolio, with names instead of keys: what `show` shows.
package struct ShownSnapshot: Sendable {
  /// One holding's row.
  package struct HoldingRow: Sendable {
    /// The instrument.
    package var instrument: Instrument
    /// The numbers.
    package var row: StoredHolding
    /// Its money-weighted return, if one was stored.
    package var result: IRRResult?
  }

  /// The portfolio.
  package var portfolio: Portfolio
  /// The snapshot.
  package var stored: StoredSnapshot
  /// The holdings, ascending by symbol.
  package var holdings: [HoldingRow]
  /// The portfolio's money-weighted return.
  package var result: IRRResult?
  /// How it is annualised.
  package var convention: IRRConvention?
  /// Its returns over the periods that end with the date, in the order of the periods; empty
  /// where only the date itself was asked for.
  package var returns: [(period: ReturnPeriod, value: PeriodReturn)] = []
  /// Its linked return since `index_since`; nil where none is known, and where only the date itself
  /// was asked for.
  package var cumulativeReturn: Double?
}

/// What stands where a closed date was looked for.
package enum Shown: Sendable {
  /// The closed date.
  case closed(ShownSnapshot)
  /// A slot that is not closed: its state and, if it failed, why.
  case open(state: String, error: String?)
  /// Nothing: the last complete date, if there is one.
  case missing(lastComplete: Day?)
}

extension BooksReader {
  /// A portfolio's closed date.
  ///
  /// - Throws: `SchemaError`; `UnknownPortfolios` for a code without a portfolio.
  package func show(_ code: String, on date: Day) throws -> Shown {
    let planned = try portfolio(code)
    let slot = Slot(portfolio: planned.portfolio.id, date: date)
    guard let close = try closes([slot])[slot] else {
      if let state = try read({ db in try StoredSnapshots.state(of: slot, on: db) }) {
        return .open(state: state.state, error: state.error)
      }
      return .missing(lastComplete: planned.lastComplete)
    }
    var shown = try shown(planned.portfolio, close)
    shown.holdings.sort { $0.instrument.symbol < $1.instrument.symbol }
    let history = try performance(of: planned.portfolio, through: date)
    shown.returns = ReturnPeriod.allCases.compactMap { period in
      history.over(period).map { (period, $0) }
    }
    shown.cumulativeReturn = history.cumulativeReturn
    return .closed(shown)
  }

  /// The portfolio that a code, or `CODE#ID`, means today.
  ///
  /// - Throws: `SchemaError`, `UnknownPortfolios`.
  func portfolio(_ code: String) throws -> PlannedPortfolio {
    let found = try read { db in
      try Migrator.requireCurrentSchema(on: db)
      let selection = try db.selection(of: [code], on: .latest)
      return try Planning.portfolios(
        after: 0, limit: 1, activeOn: .latest, of: selection, on: db)
    }
    guard let planned = found.first else { throw UnknownPortfolios(codes: [code]) }
    return planned
  }

  /// A close with names instead of keys.
  func shown(
    _ portfolio: Portfolio, _ close: StoredCloses.StoredClose
  ) throws -> ShownSnapshot {
    ShownSnapshot(portfolio, close, try read { db in try MarketLoading.instruments(on: db) })
  }

  /// The closed dates of some portfolios, portfolio by portfolio, each ascending.
  ///
  /// - Parameter instruments: Known from before; read again where a holding is of none of them.
  fileprivate func shown(
    _ portfolios: [Portfolio], from first: Day, through last: Day,
    naming instruments: inout [ID<Instrument>: Instrument]
  ) throws -> [ShownSnapshot] {
    let closes = try closes(of: portfolios.map(\.id), from: first, through: last)
    let isKnown = closes.values.allSatisfy { close in
      close.holdings.allSatisfy { instruments[$0.instrument] != nil }
    }
    if !isKnown { instruments = try read { db in try MarketLoading.instruments(on: db) } }
    let byPortfolio = Dictionary(grouping: closes.values) { $0.snapshot.slot.portfolio }
    return portfolios.flatMap { portfolio in
      (byPortfolio[portfolio.id] ?? [])
        .sorted { $0.snapshot.slot.date < $1.snapshot.slot.date }
        .map { ShownSnapshot(portfolio, $0, instruments) }
    }
  }
}

extension Connection {
  /// Every closed date of a range, portfolio by portfolio, handed on some portfolios at a time:
  /// those are of one moment, and the next ones of a later one.
  ///
  /// No transaction is open while `visit` is at work, however long it takes.
  ///
  /// - Throws: `SchemaError`, `UnknownPortfolios`, and whatever `visit` throws.
  package func forEachClosed(
    codes: [String], from first: Day, through last: Day,
    _ visit: ([ShownSnapshot]) throws -> Void
  ) throws {
    try Migrator.requireCurrentSchema(on: self)
    let selection = try selection(of: codes, on: .latest, includingRetired: true)
    var instruments = try MarketLoading.instruments(on: self)
    var after: Int64 = 0
    while true {
      let page = try Planning.portfolios(
        after: after, limit: Self.portfoliosAtOnce, activeOn: .latest, of: selection,
        retired: .all, on: self
      ).map(\.portfolio)
      guard let end = page.last else { return }
      after = end.id.rawValue
      let counts = try Planning.completeCounts(
        of: page.map(\.id), from: first, through: last, on: self)
      for portfolios in page.cut(at: Self.slotsAtOnce, size: { counts[$0.id] ?? 0 }) {
        try visit(
          try readBooks { books in
            try books.shown(portfolios, from: first, through: last, naming: &instruments)
          })
      }
    }
  }

  /// Many portfolios are read at once, as far as their dates fit into memory.
  private static let portfoliosAtOnce = 500
  private static let slotsAtOnce = 1_000
}

extension ShownSnapshot {
  fileprivate init(
    _ portfolio: Portfolio, _ close: StoredCloses.StoredClose,
    _ instruments: [ID<Instrument>: Instrument]
  ) {
    let results = Dictionary(
      close.holdingIRRs.compactMap { row in row.holding.map { ($0, row.result) } },
      uniquingKeysWith: { first, _ in first })
    self.init(
      portfolio: portfolio, stored: close.snapshot,
      holdings: close.holdings.compactMap { row in
        instruments[row.instrument].map {
          HoldingRow(instrument: $0, row: row, result: results[row.holding])
        }
      },
      result: close.portfolioIRR?.result, convention: close.portfolioIRR?.convention)
  }
}
