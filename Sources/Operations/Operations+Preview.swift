internal import Accounting
internal import Close
internal import Postgres
internal import Storage
internal import Synchronization

extension Operations {
  /// What a replay would write; nothing is written.
  ///
  /// - Throws: `DateInFuture`, `UnknownPortfolios`,
  ///   `SchemaError`, `PostgresError`.
  package func preview(
    _ request: ReplayRequest
  ) async throws -> ReplayPreviewResult {
    let (connect, range) = (connect, request.range)
    let settings = request.settings(of: caller)
    try await perform(onlyReads: true) { connection in
      try await askClock(connection, settings.isStrict).requireReached(range.through)
    }
    let recompute = Recompute(replay: range, settings: settings) { try await connect(true) }
    let found = Mutex(Found())
    try await recompute.run { segment in found.withLock { $0.add(segment) } }
    return found.withLock { $0.result }
  }

  /// What was found so far, gathered from the workers.
  ///
  /// Of dates that would stay as they are only the count is kept.
  private struct Found {
    private var changed: [(portfolio: PortfolioName, date: RecomputedDate)] = []
    private var new: [(portfolio: PortfolioName, date: RecomputedDate)] = []
    private var unchanged = 0
    private var failures: [SlotFailure] = []

    mutating func add(_ segment: RecomputedSegment) {
      if let failure = segment.failure { failures.append(failure) }
      for date in segment.dates {
        if date.stored == nil {
          new.append((segment.portfolio.name, date))
        } else if date.differences.isEmpty {
          unchanged += 1
        } else {
          changed.append((segment.portfolio.name, date))
        }
      }
    }

    /// By portfolio and date.
    var result: ReplayPreviewResult {
      ReplayPreviewResult(
        changed: changed.sorted { ($0.portfolio, $0.date.date) < ($1.portfolio, $1.date.date) }
          .map { name, date in
            ReplayPreviewResult.Changed(
              portfolio: name.description, date: date.date,
              values: date.differences.map { ValueChange($0) })
          },
        new: new.sorted { ($0.portfolio, $0.date.date) < ($1.portfolio, $1.date.date) }
          .map { name, date in
            ReplayPreviewResult.New(
              portfolio: name.description, date: date.date,
              closingEquity: date.close.snapshot.closingEquity)
          },
        unchanged: unchanged,
        failures: failures.sorted { ($0.portfolio, $0.date) < ($1.portfolio, $1.date) }
          .map { SlotFailureResult($0) })
    }
  }
}
