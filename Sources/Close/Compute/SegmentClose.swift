internal import Accounting
internal import Postgres
internal import Storage

/// Load → compute of a chunk of segments, without a write: what a night, a replay and a
/// recomputation have in common.
struct SegmentClose {
  let calendars: Calendars
  let policies: ClosePolicies
  let isStrict: Bool

  /// Meant to run inside one repeatable-read transaction.
  ///
  /// - Parameter first: The date from which `market` holds every close.
  /// - Throws: `MarketTooShort` where the segments need one from before it.
  func compute(
    _ segments: [ChainSegment], market: LoadedMarket, closesFrom first: Day,
    _ stages: inout StageSeconds,
    _ clock: inout StageClock, on db: isolated some CloseStore
  ) throws -> [ComputedSegment] {
    let inputs = try db.inputs(of: segments, market: market)
    try requireCloses(for: segments, inputs, from: first)
    let computation = SegmentComputation(
      inputs: inputs, calendars: calendars, policies: policies, isStrict: isStrict)
    stages.load += clock.lap()
    var computed = try close(segments, computation, &stages, &clock, on: db)
    try SegmentReturns(inputs: inputs).solve(&computed, on: db)
    stages.compute += clock.lap()
    return computed
  }

  /// A book is opened, closed and let go before the next one is, so that a chunk keeps only what
  /// came out; those that wait for the history of lots are few.
  private func close(
    _ segments: [ChainSegment], _ computation: SegmentComputation, _ stages: inout StageSeconds,
    _ clock: inout StageClock, on db: isolated some CloseStore
  ) throws -> [ComputedSegment] {
    var computed: [ComputedSegment] = []
    computed.reserveCapacity(segments.count)
    var waiting: [(index: Int, opened: SegmentComputation.Opened)] = []
    for segment in segments {
      var opened = try computation.open(segment)
      if opened.needingLots.isEmpty {
        try computation.close(&opened, lots: [:])
      } else {
        waiting.append((computed.count, opened))
      }
      computed.append(opened.computed)
    }
    stages.compute += clock.lap()
    guard !waiting.isEmpty else { return computed }
    let lots = try lotHistory(of: waiting.map(\.opened), computation.inputs, on: db)
    stages.load += clock.lap()
    for (index, opened) in waiting {
      var opened = opened
      try computation.close(&opened, lots: lots)
      computed[index] = opened.computed
    }
    return computed
  }

  private func requireCloses(
    for segments: [ChainSegment], _ inputs: ChunkInputs, from first: Day
  ) throws {
    let needed = segments.lazy.compactMap { segment in
      inputs.books[segment.portfolio.id]?.firstCloseNeeded(after: segment.openedFrom)
    }.min()
    if let needed, needed < first { throw MarketTooShort(needed: needed) }
  }

  /// The history behind lots that a trade is going to relieve: one statement for all of them.
  private func lotHistory(
    of opened: [SegmentComputation.Opened], _ inputs: ChunkInputs, on db: isolated some CloseStore
  ) throws -> [ID<Holding>: [Activity]] {
    var asked: [(holding: ID<Holding>, through: Day)] = []
    for one in opened {
      guard let through = one.computed.segment.openedFrom else { continue }
      let kin = Set(one.needingLots.flatMap { one.lineage(of: $0, inputs) })
      asked += kin.sorted().map { ($0, through) }
    }
    var result: [ID<Holding>: [Activity]] = [:]
    for row in try db.history(of: asked) {
      guard let holding = row.activity.holding else { continue }
      result[holding, default: []].append(try row.withReferenceClose(in: inputs.market))
    }
    return result
  }
}
