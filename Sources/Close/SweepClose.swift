internal import Accounting
internal import Postgres
internal import Storage

/// Load → compute of a chunk of sweeps, without a write: what a night, a replay and a
/// recomputation have in common.
struct SweepClose {
  let calendars: Calendars
  let policy: ClosePolicy
  let isStrict: Bool

  /// Meant to run inside one repeatable-read transaction.
  func compute(
    _ sweeps: [Sweep], market: LoadedMarket, _ stages: inout StageSeconds,
    _ clock: inout StageClock, on db: isolated Connection
  ) throws -> [ComputedSweep] {
    let inputs = try ChunkInputs.load(sweeps, market: market, on: db)
    let computation = SweepComputation(
      inputs: inputs, calendars: calendars, policy: policy, isStrict: isStrict)
    let opened = try sweeps.map { try computation.open($0) }
    let lots = try lotHistory(of: opened, inputs, on: db)
    stages.load += clock.lap()
    var computed = try opened.map { try computation.close($0, lots: lots) }
    try SweepReturns(inputs: inputs, policy: policy).solve(&computed, on: db)
    stages.compute += clock.lap()
    return computed
  }

  /// The history behind lots that a trade is going to relieve: one statement for all of them.
  private func lotHistory(
    of opened: [SweepComputation.Opened], _ inputs: ChunkInputs, on db: isolated Connection
  ) throws -> [ID<Holding>: [Activity]] {
    var asked: [(holding: ID<Holding>, through: Day)] = []
    for one in opened {
      guard let through = one.sweep.openedFrom else { continue }
      asked += one.needingLots.map { ($0, through) }
    }
    guard !asked.isEmpty else { return [:] }
    var result: [ID<Holding>: [Activity]] = [:]
    for row in try Loading.history(of: asked, on: db) {
      guard let holding = row.activity.holding else { continue }
      result[holding, default: []].append(try row.withReferenceClose(in: inputs.market))
    }
    return result
  }
}
