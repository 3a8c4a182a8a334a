internal import Accounting
internal import Postgres
internal import Storage

/// Sweeps that are ours, cut back to what could be claimed.
struct ClaimedSweeps {
  var sweeps: [Sweep] = []
  /// Of slots that are closed again: the revision that our claim was put on.
  var revisions: [Slot: Int32] = [:]
  /// And the policy that they were closed under.
  var policies: [Slot: ClosePolicy] = [:]
}

/// Claims a chunk's slots, each outcome counted, and cuts every sweep off at its first slot that
/// is somebody else's: later dates would open from a close that is not there.
struct ChunkClaim {
  let context: RunContext

  func claim(
    _ sweeps: [Sweep], _ outcome: inout ChunkOutcome, on db: isolated some CloseStore
  ) throws -> ClaimedSweeps {
    var standing = Standing()
    var sweeps = sweeps
    try claimPlaceholders(sweeps, &standing, on: db)
    let longer = try joiningUnfinished(sweeps, standing, &outcome, on: db)
    for index in sweeps.indices { sweeps[index].steps = longer[index] }
    sweeps.removeAll { $0.steps.isEmpty }
    if sweeps.contains(where: { isRefused($0, standing) }) {
      try db.require(context.lease)
      // Earlier dates may have joined.
      try context.cover(sweeps, on: db)
      try claimPlaceholders(sweeps, &standing, on: db)
      // What was taken over just now may have held an opening until then.
      try claimPlaceholders(sweeps, &standing, on: db)
    }
    let again = sweeps.flatMap { sweep in
      sweep.steps.filter { $0.kind == .again }.map { sweep.slot($0) }
    }
    if !again.isEmpty {
      context.noteCompleteClaimed()
      standing.closes = try db.claimComplete(
        again, as: context.lease, run: context.run, overLocks: context.mayOverrideLocks)
      if standing.closes.count < again.count { try db.require(context.lease) }
      standing.ours.formUnion(standing.closes.keys)
    }
    try findLocked(sweeps, &standing, on: db)
    outcome.counts.claimed += standing.ours.count
    outcome.counts.takenOver += standing.takenOver
    var claimed = ClaimedSweeps(
      revisions: standing.closes.mapValues(\.revision),
      policies: standing.closes.mapValues(\.policy))
    var orphans: [Slot] = []
    for sweep in sweeps {
      if let kept = cut(sweep, standing, &outcome, &orphans) { claimed.sweeps.append(kept) }
    }
    if !orphans.isEmpty { try db.release(orphans, as: context.claim) }
    return claimed
  }

  private struct Standing {
    var ours: Set<Slot> = []
    var complete: Set<Slot> = []
    var doneBefore: Set<Slot> = []
    /// Slots that stand, whoever's they are.
    var held: Set<Slot> = []
    /// Slots that were locked after they were planned.
    var locked: Set<Slot> = []
    var takenOver = 0
    /// Of slots that are closed again: what our claim was put on.
    var closes: [Slot: ClaimedClose] = [:]
  }

  private func claimPlaceholders(
    _ sweeps: [Sweep], _ standing: inout Standing, on db: isolated some CloseStore
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
      try db.claim(
        claims, as: context.lease, run: context.run, overLocks: context.mayOverrideLocks))
    let others = claims.filter { !standing.ours.contains($0.slot) }
    guard !others.isEmpty else { return }
    let holders = try db.holders(of: others.map(\.slot))
    standing.held.formUnion(holders.map(\.slot))
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
    let taken = try db.takeOver(
      free, links: links, as: context.lease, run: context.run,
      overLocks: context.mayOverrideLocks)
    standing.takenOver += taken.ours.count
    standing.ours.formUnion(taken.ours)
    standing.held.subtract(taken.letGo)
  }

  /// Whether a slot of a sweep is neither ours nor anybody's, and yet was refused: its opening is
  /// taken by another date of the portfolio that was begun and not finished.
  private func isRefused(_ sweep: Sweep, _ standing: Standing) -> Bool {
    sweep.steps.contains { step in
      let slot = sweep.slot(step)
      return step.kind == .next && !standing.ours.contains(slot) && !standing.held.contains(slot)
    }
  }

  /// Makes room for refused sweeps: an earlier date that was begun comes first; one that cannot be
  /// closed any more, and a later one that nobody works on, give their place up.
  ///
  /// - Returns: The steps of every sweep; none where an earlier date blocks it.
  private func joiningUnfinished(
    _ sweeps: [Sweep], _ standing: Standing, _ outcome: inout ChunkOutcome,
    on db: isolated some CloseStore
  ) throws -> [[Sweep.Step]] {
    let refused = Set(sweeps.filter { isRefused($0, standing) }.map(\.portfolio.id))
    guard !refused.isEmpty else { return sweeps.map(\.steps) }
    let unfinished = Dictionary(
      grouping: try db.unfinished(of: refused.sorted(), through: .latest),
      by: \.slot.portfolio)
    var givenUp: [SlotHolder] = []
    let locked = try locked(among: unfinished.values.joined().map(\.slot), on: db)
    let steps = try sweeps.map { sweep in
      let others = (unfinished[sweep.portfolio.id] ?? []).filter { holder in
        holder.standing == .free && !sweep.steps.contains { $0.date == holder.slot.date }
      }
      givenUp += others.filter { $0.slot.date > sweep.through }
      let earlier = others.filter { holder in
        let date = holder.slot.date
        return date < sweep.through && sweep.openedFrom.map { date > $0 } ?? true
      }
      let open = try earlier.filter { try mayBeClosed($0, sweep.portfolio, locked) }
      givenUp += earlier.filter { one in !open.contains { $0.slot == one.slot } }
      return joined(sweep, open.map(\.slot.date), &outcome)
    }
    if !givenUp.isEmpty { try db.discard(givenUp) }
    return steps
  }

  /// Whether a date that was begun is still to be closed: it is no holiday, not locked by now and
  /// not beyond the portfolio's last date, nor was it tried in vain and is passed over on purpose.
  private func mayBeClosed(
    _ holder: SlotHolder, _ portfolio: Portfolio, _ locked: Set<Slot>
  ) throws -> Bool {
    let date = holder.slot.date
    return try date >= portfolio.inception && date <= portfolio.retiredOn ?? .latest
      && !locked.contains(holder.slot)
      && (context.settings.catchesUp || !holder.hasFailed)
      && context.calendars.named(portfolio.calendar).isBusinessDay(date)
  }

  private func locked(
    among slots: [Slot], on db: isolated some CloseStore
  ) throws -> Set<Slot> {
    guard !context.mayOverrideLocks, !slots.isEmpty else { return [] }
    return try db.locked(among: slots)
  }

  private func joined(
    _ sweep: Sweep, _ earlier: [Day], _ outcome: inout ChunkOutcome
  ) -> [Sweep.Step] {
    guard let first = earlier.first else { return sweep.steps }
    guard context.settings.catchesUp else {
      outcome.counts.blocked += sweep.steps.count
      outcome.failures.append(
        SlotFailure(
          portfolio: sweep.portfolio.name, date: sweep.steps[0].date,
          error: """
            \(first) was begun and is not finished
            hint: run without --no-catch-up: it is closed first
            """))
      return []
    }
    return (sweep.steps + earlier.map { Sweep.Step($0, .next) }).sorted { $0.date < $1.date }
  }

  private func findLocked(
    _ sweeps: [Sweep], _ standing: inout Standing, on db: isolated some CloseStore
  ) throws {
    let refused = sweeps.flatMap { sweep in
      sweep.steps.map { sweep.slot($0) }.filter {
        !standing.ours.contains($0) && !standing.complete.contains($0)
      }
    }
    standing.locked = try locked(among: refused, on: db)
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
    var kept = steps.prefix { standing.ours.contains(sweep.slot($0)) }
    // A filled hole needs the slot behind it in the same sweep: it opens from the filled one.
    while kept.count < steps.count, kept.last?.kind == .backfill { kept = kept.dropLast() }
    let rest = steps.dropFirst(kept.count)
    if let first = rest.first, standing.locked.contains(sweep.slot(first)) {
      outcome.counts.locked += rest.count
      outcome.failures.append(.locked(sweep.portfolio, first.date))
      orphans += rest.map { sweep.slot($0) }.filter { standing.ours.contains($0) }
    } else if !rest.isEmpty {
      outcome.counts.busy += rest.count
      outcome.busy.append(
        Sweep(
          portfolio: sweep.portfolio, openedFrom: kept.last?.date ?? openedFrom,
          steps: Array(rest)))
      orphans += rest.map { sweep.slot($0) }.filter { standing.ours.contains($0) }
    }
    guard !kept.isEmpty else { return nil }
    var claimed = sweep
    claimed.openedFrom = openedFrom
    claimed.steps = Array(kept)
    return claimed
  }
}
