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
    let close = SweepClose(
      calendars: context.calendars, policy: context.settings.policy,
      isStrict: context.settings.isStrict)
    let computed = try db.transaction(isolation: .repeatableRead, readOnly: true) { db in
      try close.compute(sweeps, market: market, &outcome.stages, &clock, on: db)
    }
    try ChunkPopulate(context: context, inputsSeen: market.seen, revisions: claimed.revisions)
      .populate(computed, &outcome, on: db)
    outcome.stages.populate += clock.lap()
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
