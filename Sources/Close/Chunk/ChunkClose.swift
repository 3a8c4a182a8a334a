internal import Accounting
internal import Postgres
internal import Storage

/// Closes one chunk of segments: claim → load → compute → populate, a statement or a COPY each.
///
/// Every step can be taken again: a claim that is already ours counts as claimed, a slot that is
/// complete under our claim counts as done. So a chunk is retried as a whole, or split in two,
/// wherever it was interrupted.
struct ChunkClose {
  let context: RunContext

  func run(_ segments: [ChainSegment], on db: isolated some CloseStore) throws -> ChunkOutcome {
    // A placeholder under a lease that has ended would belong to nobody.
    guard context.mayWrite else { throw LeaseEnded() }
    var outcome = ChunkOutcome()
    var clock = StageClock()
    try context.cover(segments, on: db)
    let claimed = try ChunkClaim(context: context).claim(segments, &outcome, on: db)
    outcome.stages.claim += clock.lap()
    guard !claimed.segments.isEmpty else { return outcome }
    var first = claimed.segments.map(\.steps[0].date).min() ?? .earliest
    for isLastTry in [false, false, true] {
      do {
        try close(claimed, closesFrom: first, &outcome, &clock, on: db)
        break
      } catch is MarketOutdated where !isLastTry {
        context.market.clear()
      } catch let short as MarketTooShort where !isLastTry {
        first = short.needed
      }
    }
    return outcome
  }

  private func close(
    _ claimed: ClaimedSegments, closesFrom first: Day, _ outcome: inout ChunkOutcome,
    _ clock: inout StageClock, on db: isolated some CloseStore
  ) throws {
    let segments = claimed.segments
    if segments.contains(where: \.goesOn) { try context.market.renew(on: db) }
    let market = try context.market.market(
      from: first, through: segments.map(\.through).max() ?? .latest, on: db)
    let close = SegmentClose(
      calendars: context.calendars,
      policies: ClosePolicies(asked: context.settings.policy, kept: claimed.policies),
      isStrict: context.settings.isStrict)
    let computed = try db.reading { db in
      try close.compute(
        segments, market: market, closesFrom: first, &outcome.stages, &clock, on: db)
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
