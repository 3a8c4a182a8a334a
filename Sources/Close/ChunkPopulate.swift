internal import Accounting
internal import Postgres
internal import Storage

/// Writes what a chunk computed, and records what could not be.
struct ChunkPopulate {
  let context: RunContext
  /// The `pg_snapshot` of the inputs.
  let inputsSeen: String
  /// Of slots that are closed again: the revision that our claim was put on.
  let revisions: [Slot: Int32]

  func populate(
    _ computed: [ComputedSweep], _ outcome: inout ChunkOutcome, on db: isolated Connection
  ) throws {
    guard context.mayWrite else { throw LeaseEnded() }
    let unchanged = try UnchangedSlots(context: context).among(computed, on: db)
    var chunk = PopulateChunk(
      results: [], moments: [], claim: context.claim, run: context.run, inputsSeen: inputsSeen,
      reason: context.reason)
    for sweep in computed {
      add(sweep, unless: unchanged, to: &chunk)
    }
    chunk.results.sort {
      ($0.slot.date, $0.slot.portfolio) < ($1.slot.date, $1.slot.portfolio)
    }
    let lost = try Populating.populate(chunk, on: db)
    try confirm(computed, unchanged, on: db)
    count(chunk.results, lost, unchanged, &outcome)
    try recordFailures(of: computed, &outcome, on: db)
  }

  private func add(
    _ computed: ComputedSweep, unless unchanged: Set<Slot>, to chunk: inout PopulateChunk
  ) {
    var openingRevision = computed.openingRevision
    var opensInSameSweep = false
    for closed in computed.closed {
      guard let result = closed.portfolioReturn else { break }
      let slot = computed.sweep.slot(closed.step)
      let revision = revisions[slot]
      if unchanged.contains(slot) {
        openingRevision = revision
        opensInSameSweep = false
        continue
      }
      chunk.results.append(
        SlotResult(
          slot: slot, replaced: revision.map { SlotResult.Replaced(revision: $0) },
          openedFromRevision: openingRevision, opensInSameSweep: opensInSameSweep,
          snapshot: closed.close.snapshot, holdings: closed.close.holdings,
          cashBalances: closed.close.cashBalances,
          holdingReturns: closed.holdingReturns.map { $0 ?? .incomplete },
          portfolioReturn: result, convention: computed.sweep.portfolio.irrConvention))
      openingRevision = (revision ?? 0) + 1
      opensInSameSweep = true
    }
    if computed.sweep.readsHistory { chunk.outdatedMoments.append(computed.sweep.portfolio.id) }
    if let last = computed.closed.last, computed.ledger.isChanged,
      computed.sweep.portfolio.irrConvention == .xirrAct365
    {
      chunk.moments.append(
        StoredMoments(
          portfolio: computed.sweep.portfolio.id, asOf: last.close.snapshot.date,
          bytes: computed.ledger.packed(keeping: last.close.holdings.map(\.holding))))
    }
  }

  private func confirm(
    _ computed: [ComputedSweep], _ unchanged: Set<Slot>, on db: isolated Connection
  ) throws {
    guard !unchanged.isEmpty else { return }
    let slots = unchanged.sorted { ($0.date, $0.portfolio) < ($1.date, $1.portfolio) }
    try Populating.confirm(slots, inputsSeen: inputsSeen, as: context.claim, on: db)
  }

  private func count(
    _ results: [SlotResult], _ lost: Set<Slot>, _ unchanged: Set<Slot>,
    _ outcome: inout ChunkOutcome
  ) {
    let written = results.filter { !lost.contains($0.slot) }
    outcome.counts.completed += written.count
    outcome.counts.degraded += written.count { $0.snapshot.isDegraded }
    outcome.counts.fenced += lost.count
    outcome.counts.unchanged += unchanged.count
  }

  /// The first date of a sweep that could not be closed keeps the reason; the ones behind it are
  /// given back, blocked.
  private func recordFailures(
    of computed: [ComputedSweep], _ outcome: inout ChunkOutcome, on db: isolated Connection
  ) throws {
    var failed: [(slot: Slot, error: String, sqlState: String?)] = []
    var blocked: [Slot] = []
    for sweep in computed {
      guard let error = sweep.error else { continue }
      let left = sweep.sweep.steps.dropFirst(sweep.closed.count)
      guard let first = left.first else { continue }
      failed.append((sweep.sweep.slot(first), error, nil))
      outcome.failures.append(
        SlotFailure(portfolio: sweep.sweep.portfolio.code, date: first.date, error: error))
      blocked += left.dropFirst().map { sweep.sweep.slot($0) }
    }
    outcome.counts.failed += failed.count
    outcome.counts.blocked += blocked.count
    if !failed.isEmpty { try Slots.fail(failed, as: context.claim, on: db) }
    if !blocked.isEmpty { try Slots.release(blocked, as: context.claim, on: db) }
  }
}

/// The lease may end before a write would: nothing is written any more.
public struct LeaseEnded: Error, CustomStringConvertible {
  /// The reason and the way out.
  public var description: String {
    """
    the lease could not be renewed in time; nothing more was written
    hint: the slots are taken over by the next run; a longer lease: CLOSEBELL_LEASE_SECONDS
    """
  }
}

/// Which slots that were closed again came out as they stand.
struct UnchangedSlots {
  let context: RunContext

  func among(_ computed: [ComputedSweep], on db: isolated Connection) throws -> Set<Slot> {
    let again = computed.filter { $0.sweep.steps.contains { $0.kind == .again } }
    guard let first = again.map(\.sweep.steps[0].date).min(),
      let last = again.map(\.sweep.through).max()
    else { return [] }
    let stored = try StoredCloses.read(
      of: again.map(\.sweep.portfolio.id), from: first, through: last, on: db)
    var result: Set<Slot> = []
    for sweep in again {
      // A date after one that changed is written even if its own numbers are the same: it must
      // say which revision it opened from.
      for closed in sweep.closed {
        let slot = sweep.sweep.slot(closed.step)
        guard closed.step.kind == .again, let before = stored[slot],
          before.isSame(as: closed, convention: sweep.sweep.portfolio.irrConvention)
        else { break }
        result.insert(slot)
      }
    }
    return result
  }
}
