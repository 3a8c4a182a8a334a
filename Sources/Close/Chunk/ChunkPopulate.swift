internal import Accounting
internal import Postgres
package import Problems
internal import Storage

/// Writes what a chunk computed, and records what could not be.
struct ChunkPopulate {
  let context: RunContext
  /// The `pg_snapshot` of the inputs.
  let inputsSeen: String
  /// Of slots that are closed again: the revision that our claim was put on.
  let revisions: [Slot: Int32]

  func populate(
    _ computed: [ComputedSegment], _ outcome: inout ChunkOutcome, on db: isolated some CloseStore
  ) throws {
    guard context.mayWrite else { throw LeaseEnded() }
    // A repair writes every date of its segments, and archives what it replaces.
    let isRepair = context.settings.isRepair
    let looked = try UnchangedSlots(
      among: isRepair ? [] : computed, revisions: revisions, on: db)
    let unchanged = looked.slots
    var chunk = PopulateChunk(
      results: [], moments: [], lease: context.lease, run: context.run, inputsSeen: inputsSeen,
      reason: context.reason)
    chunk.overLocks = context.mayOverrideLocks
    chunk.archives = isRepair
    for segment in computed {
      add(segment, looked, to: &chunk)
    }
    chunk.orderResults()
    let lost = try populated(chunk, on: db)
    if !looked.toConfirm.isEmpty {
      try db.confirm(looked.toConfirm, inputsSeen: inputsSeen, as: context.claim)
    }
    count(chunk.results, lost, unchanged, &outcome)
    if !lost.isEmpty { try reportLocked(lost, of: computed, &outcome, on: db) }
    try recordFailures(of: computed, &outcome, on: db)
  }

  /// - Returns: The slots that were lost to others; a run that was taken for dead loses them all.
  private func populated(
    _ chunk: PopulateChunk, on db: isolated some CloseStore
  ) throws -> Set<Slot> {
    do {
      return try db.populate(chunk)
    } catch let gone as LeaseGone {
      context.record { $0.counts.fenced += chunk.results.count }
      throw gone
    }
  }

  private func add(
    _ computed: ComputedSegment, _ looked: UnchangedSlots, to chunk: inout PopulateChunk
  ) {
    var openingRevision = computed.openingRevision
    var opensInSameSegment = false
    for closed in computed.closed {
      guard let result = closed.portfolioIRR else { break }
      let slot = computed.segment.slot(closed.step)
      let revision = revisions[slot]
      if looked.slots.contains(slot) {
        openingRevision = revision
        opensInSameSegment = false
        continue
      }
      chunk.results.append(
        SlotResult(
          slot: slot,
          replaced: revision.map {
            SlotResult.Replaced(revision: $0, standing: looked.standing[slot] ?? [])
          },
          openedFromRevision: openingRevision, opensInSameSegment: opensInSameSegment,
          snapshot: closed.close.snapshot, holdings: closed.close.holdings,
          instruments: computed.instruments, cashBalances: closed.close.cashBalances,
          receivables: closed.close.receivables,
          holdingIRRs: closed.holdingIRRs.map { $0 ?? .incomplete },
          portfolioIRR: result, convention: computed.segment.portfolio.irrConvention,
          fingerprint: closed.fingerprint, policy: closed.policy))
      openingRevision = (revision ?? 0) + 1
      opensInSameSegment = true
    }
    if computed.segment.readsHistory { chunk.outdatedMoments.append(computed.segment.portfolio.id) }
    if let last = computed.closed.last, computed.ledger.isChanged,
      computed.segment.portfolio.irrConvention == .xirrAct365
    {
      chunk.moments.append(
        StoredMoments(
          portfolio: computed.segment.portfolio.id, asOf: last.close.snapshot.date,
          bytes: computed.ledger.packed(keeping: last.close.holdings.map(\.holding))))
    }
  }

  private func count(
    _ results: [SlotResult], _ lost: Set<Slot>, _ unchanged: Set<Slot>,
    _ outcome: inout ChunkOutcome
  ) {
    outcome.counts.completed += results.count - lost.count
    outcome.counts.degraded += results.count {
      $0.snapshot.isDegraded && !lost.contains($0.slot)
    }
    outcome.counts.fenced += lost.count
    outcome.counts.unchanged += unchanged.count
  }

  /// Tells what was lost to a lock from what was lost to another owner.
  private func reportLocked(
    _ lost: Set<Slot>, of computed: [ComputedSegment], _ outcome: inout ChunkOutcome,
    on db: isolated some CloseStore
  ) throws {
    guard !context.mayOverrideLocks else { return }
    let locked = try db.locked(among: Array(lost))
    for segment in computed.map(\.segment) {
      let slots = segment.steps.filter { lost.contains(segment.slot($0)) }
      guard let first = slots.first(where: { locked.contains(segment.slot($0)) }) else { continue }
      outcome.counts.fenced -= slots.count
      outcome.counts.locked += slots.count
      outcome.failures.append(.locked(segment.portfolio, first.date))
    }
  }

  /// The first date of a segment that could not be closed keeps the reason; the ones behind it are
  /// given back, blocked.
  private func recordFailures(
    of computed: [ComputedSegment], _ outcome: inout ChunkOutcome, on db: isolated some CloseStore
  ) throws {
    var failed: [(slot: Slot, error: String, sqlState: String?)] = []
    var blocked: [Slot] = []
    for segment in computed {
      guard let problem = segment.problem else { continue }
      let left = segment.segment.steps.dropFirst(segment.closed.count)
      guard let first = left.first else { continue }
      failed.append((segment.segment.slot(first), "\(problem)", nil))
      outcome.failures.append(
        SlotFailure(portfolio: segment.segment.portfolio.name, date: first.date, problem: problem))
      blocked += left.dropFirst().map { segment.segment.slot($0) }
    }
    outcome.counts.failed += failed.count
    outcome.counts.blocked += blocked.count
    outcome.blockBusy(behind: Set(failed.map(\.slot.portfolio)))
    if !failed.isEmpty { try db.fail(failed, as: context.claim) }
    if !blocked.isEmpty { try db.release(blocked, as: context.claim) }
  }
}

/// The lease may end before a write would: nothing is written any more.
package struct LeaseEnded: Problem {
  /// The reason and the way out.
  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("lease_ended", .failed),
      "the lease could not be renewed in time; nothing more was written",
      remedy: """
        the slots are taken over by the next run; a longer lease: \(.setting(.leaseSeconds))
        """)
  }
}

/// What of slots that were closed again came out as it stands.
struct UnchangedSlots {
  /// Slots that need not be written.
  private(set) var slots: Set<Slot> = []
  /// Those whose row must still say that it was looked at: it was stale, or stands on other inputs,
  /// another policy or another revision than it says.
  private(set) var toConfirm: [ConfirmedSlot] = []
  /// Of slots that have to be written, the rows that may stay.
  private(set) var standing: [Slot: SlotRows] = [:]

  /// - Parameter revisions: The revision that each slot stands at.
  init(
    among computed: [ComputedSegment], revisions: [Slot: Int32], on db: isolated some CloseStore
  ) throws {
    let again = computed.filter { $0.segment.steps.contains { $0.kind == .again } }
    guard !again.isEmpty else { return }
    let stored = try db.storedCloses(
      of: again.flatMap { segment in
        segment.closed.lazy.filter { $0.step.kind == .again }.map { segment.segment.slot($0.step) }
      })
    for segment in again { add(segment, stored, revisions) }
    toConfirm.sort { ($0.slot.date, $0.slot.portfolio) < ($1.slot.date, $1.slot.portfolio) }
  }

  /// A date after one that changed is written even if its own numbers are the same: it must say
  /// which revision it opened from.
  private mutating func add(
    _ segment: ComputedSegment, _ stored: [Slot: StoredCloses.StoredClose],
    _ revisions: [Slot: Int32]
  ) {
    var openingRevision = segment.openingRevision
    var opensAsItStands = true
    for closed in segment.closed {
      let slot = segment.segment.slot(closed.step)
      guard closed.step.kind == .again, let before = stored[slot] else {
        opensAsItStands = false
        continue
      }
      let same = before.rows(
        sameAs: closed, convention: segment.segment.portfolio.irrConvention,
        instruments: segment.instruments)
      guard opensAsItStands, same == .all else {
        opensAsItStands = false
        standing[slot] = same
        continue
      }
      slots.insert(slot)
      let row = before.snapshot
      if row.isStale || row.fingerprint != closed.fingerprint
        || row.openedFromRevision != openingRevision || row.keptPolicy != closed.policy
      {
        toConfirm.append(
          ConfirmedSlot(
            slot: slot, openedFromRevision: openingRevision, fingerprint: closed.fingerprint,
            policy: closed.policy))
      }
      openingRevision = revisions[slot]
    }
  }
}
