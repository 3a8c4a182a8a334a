internal import Accounting
internal import Postgres
internal import Storage

/// Closes one chunk of sweeps: claim → load → compute → populate, a statement or a COPY each.
///
/// Every step can be taken again: a claim that is already ours counts as claimed, a slot that is
/// complete under our claim counts as done. So a chunk is retried as a whole, or split in two,
/// wherever it was interrupted.
struct ChunkClose {
  let context: RunContext

  func run(_ sweeps: [Sweep], on db: isolated Connection) throws -> ChunkOutcome {
    // A placeholder under a lease that has ended would belong to nobody.
    guard context.mayWrite else { throw LeaseEnded() }
    var outcome = ChunkOutcome()
    var clock = StageClock()
    try context.cover(
      from: sweeps.map(\.steps[0].date).min() ?? .earliest,
      through: sweeps.map(\.through).max() ?? .latest, on: db)
    let claimed = try ChunkClaim(context: context).claim(sweeps, &outcome, on: db)
    outcome.stages.claim += clock.lap()
    guard !claimed.sweeps.isEmpty else { return outcome }
    do {
      try close(claimed, &outcome, &clock, on: db)
    } catch is MarketOutdated {
      context.market.clear()
      try close(claimed, &outcome, &clock, on: db)
    }
    return outcome
  }

  private func close(
    _ claimed: ClaimedSweeps, _ outcome: inout ChunkOutcome, _ clock: inout StageClock,
    on db: isolated Connection
  ) throws {
    let sweeps = claimed.sweeps
    let market = try context.market.market(
      from: sweeps.map(\.steps[0].date).min() ?? .earliest,
      through: sweeps.map(\.through).max() ?? .latest, on: db)
    var computed: [ComputedSweep] = []
    try db.transaction(isolation: .repeatableRead, readOnly: true) { db in
      let inputs = try ChunkInputs.load(sweeps, market: market, on: db)
      let computation = SweepComputation(
        inputs: inputs, calendars: context.calendars, policy: context.settings.policy,
        isStrict: context.settings.isStrict)
      let opened = try sweeps.map { try computation.open($0) }
      let lots = try lotHistory(of: opened, inputs, on: db)
      outcome.stages.load += clock.lap()
      computed = try opened.map { try computation.close($0, lots: lots) }
      try SweepReturns(inputs: inputs, policy: context.settings.policy)
        .solve(&computed, on: db)
      outcome.stages.compute += clock.lap()
    }
    try ChunkPopulate(context: context, inputsSeen: market.seen, revisions: claimed.revisions)
      .populate(computed, &outcome, on: db)
    outcome.stages.populate += clock.lap()
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

/// Time by stage.
struct StageClock {
  private var last = ContinuousClock.now

  /// Seconds since the last call.
  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (now - last) / .seconds(1)
  }
}
