internal import Accounting
internal import Postgres
internal import Storage

extension RecomputeChunk {
  /// Lets dates begin anew from what stands before them, where that stayed as it is although its
  /// inputs changed since: locked, or not closed again yet.
  ///
  /// A date that is not stale was closed after that change, and opened from what stood there. It is
  /// right by that, and so are those behind it: derived from the log they would all be wrong, and
  /// nothing could put them right. Where no input is known to have changed it is the stored date
  /// that is wrong, and so is what was built on it.
  ///
  /// - Parameter stored: Of every portfolio that has a stale date, all from that date on.
  /// - Returns: The dates that begin anew, ascending, by their segment's place.
  func reopen(
    _ computed: inout [ComputedSegment], _ stored: [Slot: StoredCloses.StoredClose],
    _ market: SharedMarket,
    on db: isolated Connection
  ) throws -> [Int: [Day]] {
    var firstDates: [Int: [Day]] = [:]
    var searched = Dictionary(uniqueKeysWithValues: computed.indices.map { ($0, 0) })
    while true {
      let found = searched.keys.sorted().compactMap { index in
        opening(in: computed[index], after: searched[index] ?? 0, stored).map { (index, $0) }
      }
      guard !found.isEmpty else { return firstDates }
      let segments = found.map { index, last in
        let segment = computed[index].segment
        return ChainSegment(
          portfolio: segment.portfolio, openedFrom: segment.steps[last].date,
          steps: Array(segment.steps[(last + 1)...]))
      }
      searched = [:]
      for ((index, last), anew) in zip(found, try compute(segments, market, on: db)) {
        computed[index].closed.removeSubrange((last + 1)...)
        computed[index].closed += anew.closed
        computed[index].problem = anew.problem
        firstDates[index, default: []].append(anew.segment.steps[0].date)
        searched[index] = last + 1
      }
    }
  }

  /// The place of the next date that is stale and not what its inputs make it, before one that was
  /// closed since.
  private func opening(
    in computed: ComputedSegment, after start: Int, _ stored: [Slot: StoredCloses.StoredClose]
  ) -> Int? {
    let (segment, closed) = (computed.segment, computed.closed)
    return (start..<max(start, closed.count)).first { index in
      guard index + 1 < segment.steps.count,
        let before = stored[segment.slot(segment.steps[index])], before.snapshot.isStale,
        let next = stored[segment.slot(segment.steps[index + 1])], !next.snapshot.isStale
      else { return false }
      return !differences(before, closed[index], computed).isEmpty
    }
  }
}
