internal import Accounting
internal import Postgres
internal import Storage

/// Sweeps that are ours, cut back to what could be claimed.
struct ClaimedSweeps {
  var sweeps: [Sweep] = []
  /// Of slots that are closed again: the revision that our claim was put on.
  var revisions: [Slot: Int32] = [:]
}

/// Claims a chunk's slots, each outcome counted, and cuts every sweep off at its first slot that
/// is somebody else's: later dates would open from a close that is not there.
struct ChunkClaim {
  let context: RunContext

  func claim(
    _ sweeps: [Sweep], _ outcome: inout ChunkOutcome, on db: isolated Connection
  ) throws -> ClaimedSweeps {
    var standing = Standing()
    var sweeps = sweeps
    try claimPlaceholders(sweeps, &standing, on: db)
    let longer = try joiningUnfinished(sweeps, standing, &outcome, on: db)
    if longer != sweeps.map(\.steps) {
      for index in sweeps.indices { sweeps[index].steps = longer[index] }
      try claimPlaceholders(sweeps.filter { !$0.steps.isEmpty }, &standing, on: db)
      sweeps.removeAll { $0.steps.isEmpty }
    }
    let again = sweeps.flatMap { sweep in
      sweep.steps.filter { $0.kind == .again }.map { sweep.slot($0) }
    }
    if !again.isEmpty {
      standing.revisions = try Slots.claimComplete(
        again, as: context.claim, run: context.run, on: db)
      standing.ours.formUnion(standing.revisions.keys)
    }
    outcome.counts.claimed += standing.ours.count
    outcome.counts.takenOver += standing.takenOver
    var claimed = ClaimedSweeps(revisions: standing.revisions)
    var orphans: [Slot] = []
    for sweep in sweeps {
      if let kept = cut(sweep, standing, &outcome, &orphans) { claimed.sweeps.append(kept) }
    }
    if !orphans.isEmpty { try Slots.release(orphans, as: context.claim, on: db) }
    return claimed
  }

  private struct Standing {
    var ours: Set<Slot> = []
    var complete: Set<Slot> = []
    var doneBefore: Set<Slot> = []
    /// Slots that stand, whoever's they are.
    var held: Set<Slot> = []
    var takenOver = 0
    var revisions: [Slot: Int32] = [:]
  }

  private func claimPlaceholders(
    _ sweeps: [Sweep], _ standing: inout Standing, on db: isolated Connection
  ) throws {
    var claims: [SlotClaim] = []
    for sweep in sweeps {
      for (index, step) in sweep.steps.enumerated() where step.kind != .again {
        let link: SlotClaim.Link =
          step.kind == .next ? .opensFrom(sweep.opening(ofStep: index)) : .later
        claims.append(SlotClaim(sweep.slot(step), link: link))
      }
    }
    claims.removeAll { standing.ours.contains($0.slot) }
    guard !claims.isEmpty else { return }
    standing.ours.formUnion(
      try Slots.claim(claims, as: context.claim, run: context.run, on: db))
    let others = claims.filter { !standing.ours.contains($0.slot) }
    guard !others.isEmpty else { return }
    let holders = try Slots.holders(of: others.map(\.slot), on: db)
    standing.held = Set(holders.map(\.slot))
    let links = Dictionary(uniqueKeysWithValues: others.map { ($0.slot, $0.link) })
    for holder in holders where holder.standing == .complete {
      standing.complete.insert(holder.slot)
      // Our own commit, whose answer was lost on the way.
      if holder.claim == context.claim { standing.doneBefore.insert(holder.slot) }
    }
    for holder in holders where holder.claim == context.claim && holder.standing == .busy {
      standing.ours.insert(holder.slot)
    }
    let free = holders.filter { $0.standing == .free }
    guard !free.isEmpty else { return }
    let taken = try Slots.takeOver(
      free, links: links, as: context.claim, run: context.run, on: db)
    standing.takenOver += taken.count
    standing.ours.formUnion(taken)
  }

  /// A slot that is neither ours nor anybody's, and yet was refused: its opening is taken by an
  /// earlier date of the portfolio that was begun and not finished.
  ///
  /// That date comes first.
  ///
  /// - Returns: The steps of every sweep; none where the earlier date blocks it.
  private func joiningUnfinished(
    _ sweeps: [Sweep], _ standing: Standing, _ outcome: inout ChunkOutcome,
    on db: isolated Connection
  ) throws -> [[Sweep.Step]] {
    let refused = sweeps.filter { sweep in
      sweep.steps.contains { step in
        let slot = sweep.slot(step)
        return step.kind == .next && !standing.ours.contains(slot) && !standing.held.contains(slot)
      }
    }
    guard !refused.isEmpty else { return sweeps.map(\.steps) }
    let unfinished = Dictionary(
      grouping: try Slots.unfinished(
        of: refused.map(\.portfolio.id), through: refused.map(\.through).max() ?? .latest, on: db),
      by: \.slot.portfolio)
    return sweeps.map { sweep in
      let earlier = (unfinished[sweep.portfolio.id] ?? []).filter { holder in
        holder.slot.date < sweep.through && !sweep.steps.contains { $0.date == holder.slot.date }
          && sweep.openedFrom.map { holder.slot.date > $0 } ?? true
      }
      guard let first = earlier.first?.slot.date, !earlier.contains(where: { $0.standing == .busy })
      else { return sweep.steps }
      guard context.settings.catchesUp else {
        outcome.counts.blocked += sweep.steps.count
        outcome.failures.append(
          SlotFailure(
            portfolio: sweep.portfolio.code, date: sweep.steps[0].date,
            error: """
              \(first) was begun and is not finished
              hint: run without --no-catch-up: it is closed first
              """))
        return []
      }
      let steps = sweep.steps + earlier.map { Sweep.Step($0.slot.date, .next) }
      return steps.sorted { $0.date < $1.date }
    }
  }

  /// What is left of a sweep, or nil where nothing is.
  private func cut(
    _ sweep: Sweep, _ standing: Standing, _ outcome: inout ChunkOutcome, _ orphans: inout [Slot]
  ) -> Sweep? {
    var steps = sweep.steps[...]
    var openedFrom = sweep.openedFrom
    // Somebody closed its first dates meanwhile: go on from there.
    while let first = steps.first, standing.complete.contains(sweep.slot(first)) {
      if standing.doneBefore.contains(sweep.slot(first)) {
        outcome.counts.completed += 1
      } else {
        outcome.counts.skipped += 1
      }
      openedFrom = first.date
      steps.removeFirst()
    }
    let kept = steps.prefix { standing.ours.contains(sweep.slot($0)) }
    let rest = steps.dropFirst(kept.count)
    if !rest.isEmpty {
      outcome.counts.busy += rest.count
      outcome.busy.append(sweep)
      orphans += rest.map { sweep.slot($0) }.filter { standing.ours.contains($0) }
    }
    guard !kept.isEmpty else { return nil }
    return Sweep(portfolio: sweep.portfolio, openedFrom: openedFrom, steps: Array(kept))
  }
}
