internal import Accounting
internal import Postgres
internal import Storage

extension RecomputeChunk {
  /// Lets what is open begin where the lock ends, where a locked date stays as it was reported
  /// although its inputs changed since.
  ///
  /// The dates behind it opened from it as it stands, and so they are computed again: derived from
  /// the log they would all be wrong, and nothing could put them right. Where no input is known to
  /// have changed the locked date is wrong, and so is what was built on it.
  ///
  /// - Returns: The first dates that were computed so, by their sweep's place.
  func reopen(
    _ computed: inout [ComputedSweep], _ portfolios: [PlannedPortfolio],
    _ stored: [Slot: StoredCloses.Close], _ market: MarketShelf, on db: isolated Connection
  ) throws -> [Int: Day] {
    let lastLocked = Self.lastLocked(in: computed, portfolios)
    var reopened: [(index: Int, last: Int, sweep: Sweep)] = []
    for (index, last) in lastLocked {
      let (sweep, closed) = (computed[index].sweep, computed[index].closed[last])
      guard let before = stored[sweep.slot(closed.step)], before.snapshot.isStale,
        !differences(before, closed, computed[index]).isEmpty
      else { continue }
      let open = Sweep(
        portfolio: sweep.portfolio, openedFrom: closed.step.date,
        steps: Array(sweep.steps[(last + 1)...]))
      reopened.append((index, last, open))
    }
    var firstDates: [Int: Day] = [:]
    for (one, anew) in zip(reopened, try compute(reopened.map(\.sweep), market, on: db)) {
      computed[one.index].closed.removeSubrange((one.last + 1)...)
      computed[one.index].closed += anew.closed
      computed[one.index].error = anew.error
      firstDates[one.index] = one.sweep.steps[0].date
    }
    return firstDates
  }

  /// Per sweep that has dates behind a lock, where in it the last locked one is.
  static func lastLocked(
    in computed: [ComputedSweep], _ portfolios: [PlannedPortfolio]
  ) -> [(index: Int, last: Int)] {
    let locks = Dictionary(uniqueKeysWithValues: portfolios.map { ($0.portfolio.id, $0) })
    return computed.enumerated().compactMap { index, one in
      guard let through = locks[one.sweep.portfolio.id]?.lockedThrough,
        let last = one.sweep.steps.lastIndex(where: { $0.date <= through }),
        last + 1 < one.sweep.steps.count, last < one.closed.count
      else { return nil }
      return (index, last)
    }
  }
}
