internal import Accounting
internal import Postgres
internal import Storage

/// Load → compute of a chunk of sweeps, without a write: what a night, a replay and a
/// recomputation have in common.
struct SweepClose {
  let calendars: Calendars
  let policies: ClosePolicies
  let isStrict: Bool

  /// Meant to run inside one repeatable-read transaction.
  ///
  /// - Parameter first: The date from which `market` holds every close.
  /// - Throws: `MarketTooShort` where the sweeps need one from before it.
  func compute(
    _ sweeps: [Sweep], market: LoadedMarket, closesFrom first: Day, _ stages: inout StageSeconds,
    _ clock: inout StageClock, on db: isolated some CloseStore
  ) throws -> [ComputedSweep] {
    let inputs = try db.inputs(of: sweeps, market: market)
    try requireCloses(for: sweeps, inputs, from: first)
    let computation = SweepComputation(
      inputs: inputs, calendars: calendars, policies: policies, isStrict: isStrict)
    stages.load += clock.lap()
    var computed = try close(sweeps, computation, &stages, &clock, on: db)
    try SweepReturns(inputs: inputs).solve(&computed, on: db)
    stages.compute += clock.lap()
    return computed
  }

  /// A book is opened, closed and let go before the next one is, so that a chunk keeps only what
  /// came out; those that wait for the history of lots are few.
  private func close(
    _ sweeps: [Sweep], _ computation: SweepComputation, _ stages: inout StageSeconds,
    _ clock: inout StageClock, on db: isolated some CloseStore
  ) throws -> [ComputedSweep] {
    var computed: [ComputedSweep] = []
    computed.reserveCapacity(sweeps.count)
    var waiting: [(index: Int, opened: SweepComputation.Opened)] = []
    for sweep in sweeps {
      var opened = try computation.open(sweep)
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
    for sweeps: [Sweep], _ inputs: ChunkInputs, from first: Day
  ) throws {
    let needed = sweeps.lazy.compactMap { sweep in
      inputs.books[sweep.portfolio.id]?.firstCloseNeeded(after: sweep.openedFrom)
    }.min()
    if let needed, needed < first { throw MarketTooShort(needed: needed) }
  }

  /// The history behind lots that a trade is going to relieve: one statement for all of them.
  private func lotHistory(
    of opened: [SweepComputation.Opened], _ inputs: ChunkInputs, on db: isolated some CloseStore
  ) throws -> [ID<Holding>: [Activity]] {
    var asked: [(holding: ID<Holding>, through: Day)] = []
    for one in opened {
      guard let through = one.computed.sweep.openedFrom else { continue }
      asked += one.needingLots.map { ($0, through) }
    }
    var result: [ID<Holding>: [Activity]] = [:]
    for row in try db.history(of: asked) {
      guard let holding = row.activity.holding else { continue }
      result[holding, default: []].append(try row.withReferenceClose(in: inputs.market))
    }
    return result
  }
}
