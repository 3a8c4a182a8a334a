package import Accounting
package import Postgres
package import Storage
internal import Synchronization

/// Which closed dates are recomputed, and from what.
package struct RecomputeScope: Sendable {
  /// Where the first recomputed date takes its opening from.
  package enum Opening: Sendable {
    /// From the activity log: every closed date from the first on is computed, those before the
    /// range without being compared.
    case derived
    /// From the stored snapshot before the range, which is trusted, and so are the flows before it
    /// as the last night kept them; what differs then is computed again from all flows.
    case stored
  }

  /// The first date that is compared; nil: each portfolio's first.
  package var from: Day?
  /// The last date; nil: each portfolio's last.
  package var through: Day?
  /// Where the opening comes from.
  package var opening = Opening.derived

  /// The date before which everything is trusted; nil where it is derived.
  var trustedOpening: Day? { opening == .stored ? from : nil }

  /// The closed dates from `from` through `through`.
  package init(from: Day? = nil, through: Day? = nil, opening: Opening = .derived) {
    self.from = from
    self.through = through
    self.opening = opening
  }
}

/// A closed date beside what its inputs make it today.
package struct RecomputedDate: Sendable {
  /// The date.
  package var date: Day
  /// What stands in `portfolio_snapshots`; nil for a date that is not closed.
  package var stored: StoredSnapshot?
  /// What the inputs make it.
  package var close: BookClose
  /// The portfolio's money-weighted return.
  package var portfolioIRR: IRRResult?
  /// The holdings', in the order of `close.holdings`.
  package var holdingIRRs: [IRRResult?]
  /// Every number that is not the same; empty where all are, and where nothing is stored.
  package var differences: [ValueDifference]
  /// The digest of its inputs as they are today; nil where the chain has none.
  package var fingerprint: Fingerprint?
  /// The policy that it is judged by.
  package var policy: ClosePolicy
  /// Whether a later date's fingerprint proves that the inputs are what they were.
  var inputsAreProven = false
}

/// Dates of one portfolio, recomputed.
package struct RecomputedSegment: Sendable {
  /// The portfolio.
  package var portfolio: Portfolio
  /// Ascending.
  package var dates: [RecomputedDate]
  /// The date that could not be recomputed, and why; those after it were not tried.
  package var failure: SlotFailure?
  /// How many dates were not recomputed for that reason.
  package var leftOut = 0
  /// Ascending, the dates that open from what stands before them as it is; all others are derived.
  var reopened: [Day] = []
}

/// Computes closed dates again as a replay would, and writes nothing: no claim, no row, not even
/// a sequence's value.
///
/// Each chunk is one repeatable-read transaction that is read only. The market is read once and
/// shared, and the portfolios' terms are read when the chunks are cut; what differs is read again
/// with market and terms of one snapshot before it is reported, so that what commits meanwhile
/// raises no false alarm.
package final class Recompute: Sendable {
  private let work: RecomputeWork
  private let settings: RunSettings
  private let connect: @Sendable () async throws -> Connection
  private let cursor = Mutex(ChunkCursor<PlannedPortfolio>())
  private let state = Mutex(State())

  private struct State {
    var counts = RecomputeCounts()
    var isStopping = false
  }
  /// Nil until the first worker has looked up what the codes mean.
  private let selection = Mutex<PortfolioSelection?>(nil)

  /// A recomputation of closed dates that has not begun.
  ///
  /// - Parameters:
  ///   - settings: Workers, chunk, codes and policy count.
  ///   - connect: Opens a connection; one a worker.
  package convenience init(
    _ scope: RecomputeScope, settings: RunSettings,
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.init(.closed(scope), settings: settings, connect: connect)
  }

  /// What a replay of a range would make of it, that has not begun: closed dates, and dates that
  /// would be closed for the first time.
  package convenience init(
    replay range: ReplayRange, settings: RunSettings,
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.init(.replay(range), settings: settings, connect: connect)
  }

  init(
    _ work: RecomputeWork, settings: RunSettings,
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.work = work
    self.settings = settings
    self.connect = connect
  }

  /// Begins no further chunk.
  package func stop() { state.withLock { $0.isStopping = true } }

  /// Whether no further chunk is begun.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// What was done so far.
  package var progress: RecomputeCounts { state.withLock { $0.counts } }

  /// Recomputes, and hands on one portfolio after the other.
  ///
  /// - Parameter visit: Called from several workers at once; a portfolio comes once, with all
  ///   its dates.
  /// - Throws: `PostgresError`, `SchemaError`, `UnknownPortfolios`, and whatever `visit` throws.
  @discardableResult
  package func run(
    _ visit: @escaping @Sendable (RecomputedSegment) throws -> Void
  ) async throws -> RecomputeCounts {
    let market = SharedMarket()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<settings.workers {
        group.addTask { try await self.worker(market, visit) }
      }
      // The first error ends the others at once: without it there is no report to make.
      while try await group.next() != nil {}
    }
    return progress
  }

  // MARK: - Workers

  private func worker(
    _ market: SharedMarket, _ visit: @escaping @Sendable (RecomputedSegment) throws -> Void
  ) async throws {
    let connection: Connection
    do {
      connection = try await connect()
    } catch {
      stop()
      throw error
    }
    do {
      let chunk = RecomputeChunk(work: work, settings: settings, market: market)
      let wasMore = { @Sendable [self] (db: isolated Connection) in
        try recomputeNext(chunk, visit, on: db)
      }
      try await connection.perform { [self] db in
        try Migrator.requireCurrentSchema(on: db)
        _ = try selected(on: db)
        try RecomputingSession.prepare(on: db)
      }
      while try await connection.perform(wasMore) {}
      await connection.close()
    } catch {
      stop()
      await connection.close()
      throw error
    }
  }

  private func selected(on db: isolated Connection) throws -> PortfolioSelection {
    try selection.withLock { selection in
      if let selection { return selection }
      let found = try db.selection(
        of: settings.codes, on: work.lastDate, includingRetired: work.includesRetired)
      selection = found
      return found
    }
  }

  /// - Returns: False where no chunk is left.
  private func recomputeNext(
    _ chunk: RecomputeChunk, _ visit: @Sendable (RecomputedSegment) throws -> Void,
    on db: isolated Connection
  ) throws -> Bool {
    guard let portfolios = try nextPortfolios(chunk, on: db), !isStopping
    else { return false }
    for segment in try chunk.recompute(portfolios, on: db) {
      state.withLock { $0.counts.add(segment) }
      try visit(segment)
    }
    return true
  }

  /// One worker cuts a range of portfolios into chunks while the others wait, so that all of them
  /// share it.
  private func nextPortfolios(
    _ chunk: RecomputeChunk, on db: isolated Connection
  ) throws -> [PlannedPortfolio]? {
    try cursor.withLock { cursor in
      try cursor.next { after in
        let range = try Planning.portfolios(
          after: after, limit: settings.chunk, activeOn: work.lastDate, of: selected(on: db),
          retired: work.retired, on: db)
        return (try chunk.bounded(range, on: db), range.last?.portfolio.id.rawValue)
      }
    }
  }
}

/// How much was recomputed.
package struct RecomputeCounts: Sendable {
  /// Portfolios with at least one date in the range.
  package var portfolios = 0
  /// Dates that were compared.
  package var slots = 0
  /// Those of them with a number that is not the same.
  package var differing = 0
  /// Dates that could not be recomputed, and those behind them.
  package var leftOut = 0

  mutating func add(_ segment: RecomputedSegment) {
    portfolios += 1
    slots += segment.dates.count
    differing += segment.dates.count { !$0.differences.isEmpty }
    leftOut += segment.leftOut
  }
}
