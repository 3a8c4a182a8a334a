internal import Accounting
internal import Postgres
internal import Problems
internal import Storage

/// Segments that are ours, cut back to what could be claimed.
struct ClaimedSegments {
  var segments: [ChainSegment] = []
  /// Of slots that are closed again: the revision that our claim was put on.
  var revisions: [Slot: Int32] = [:]
  /// And the policy that they were closed under.
  var policies: [Slot: ClosePolicy] = [:]
}

/// Claims a chunk's slots, each outcome counted, and cuts every segment off at its first slot that
/// is somebody else's: later dates would open from a close that is not there.
struct ChunkClaim {
  let context: RunContext

  func claim(
    _ segments: [ChainSegment], _ outcome: inout ChunkOutcome, on db: isolated some CloseStore
  ) throws -> ClaimedSegments {
    var found = Findings()
    var segments = segments
    try claimPlaceholders(segments, &found, on: db)
    let longer = try joiningUnfinished(segments, found, &outcome, on: db)
    for index in segments.indices { segments[index].steps = longer[index] }
    segments.removeAll { $0.steps.isEmpty }
    if segments.contains(where: { isRefused($0, found) }) {
      try db.require(context.lease)
      // Earlier dates may have joined.
      try context.cover(segments, on: db)
      try claimPlaceholders(segments, &found, on: db)
      // What was taken over just now may have held an opening until then.
      try claimPlaceholders(segments, &found, on: db)
    }
    let again = segments.flatMap { segment in
      segment.steps.filter { $0.kind == .again }.map { segment.slot($0) }
    }
    if !again.isEmpty {
      context.noteCompleteClaimed()
      found.closes = try db.claimComplete(
        again, as: context.lease, run: context.run, overLocks: context.mayOverrideLocks)
      if found.closes.count < again.count { try db.require(context.lease) }
      found.ours.formUnion(found.closes.keys)
    }
    try findLocked(segments, &found, on: db)
    outcome.counts.claimed += found.ours.count
    outcome.counts.takenOver += found.takenOver
    var claimed = ClaimedSegments(
      revisions: found.closes.mapValues(\.revision),
      policies: found.closes.mapValues(\.policy))
    var orphans: [Slot] = []
    for segment in segments {
      if let kept = cut(segment, found, &outcome, &orphans) { claimed.segments.append(kept) }
    }
    if !orphans.isEmpty { try db.release(orphans, as: context.claim) }
    return claimed
  }

  private struct Findings {
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
    _ segments: [ChainSegment], _ found: inout Findings, on db: isolated some CloseStore
  ) throws {
    var claims: [SlotClaim] = []
    for segment in segments {
      for (index, step) in segment.steps.enumerated() where step.kind != .again {
        let link: SlotClaim.Link =
          step.kind == .next ? .opensFrom(segment.opening(ofStep: index)) : .later
        claims.append(SlotClaim(segment.slot(step), link: link))
      }
    }
    claims.removeAll { found.ours.contains($0.slot) }
    guard !claims.isEmpty else { return }
    found.ours.formUnion(
      try db.claim(
        claims, as: context.lease, run: context.run, overLocks: context.mayOverrideLocks))
    let others = claims.filter { !found.ours.contains($0.slot) }
    guard !others.isEmpty else { return }
    let holders = try db.holders(of: others.map(\.slot))
    found.held.formUnion(holders.map(\.slot))
    let links = try Dictionary(snapshots: others.map { ($0.slot, $0.link) })
    for holder in holders where holder.state == .complete {
      found.complete.insert(holder.slot)
      // Our own commit, whose answer was lost on the way.
      if holder.claim == context.claim { found.doneBefore.insert(holder.slot) }
    }
    for holder in holders where holder.claim == context.claim && holder.state == .busy {
      found.ours.insert(holder.slot)
    }
    let free = holders.filter { $0.state == .free }
    guard !free.isEmpty else { return }
    let taken = try db.takeOver(
      free, links: links, as: context.lease, run: context.run,
      overLocks: context.mayOverrideLocks)
    found.takenOver += taken.ours.count
    found.ours.formUnion(taken.ours)
    found.held.subtract(taken.relinquish)
  }

  /// Whether a slot of a segment is neither ours nor anybody's, and yet was refused: its opening is
  /// taken by another date of the portfolio that was begun and not finished.
  private func isRefused(_ segment: ChainSegment, _ found: Findings) -> Bool {
    segment.steps.contains { step in
      let slot = segment.slot(step)
      return step.kind == .next && !found.ours.contains(slot) && !found.held.contains(slot)
    }
  }

  /// Makes room for refused segments: an earlier date that was begun comes first; one that cannot
  /// be closed any more, and a later one that nobody works on, give their place up.
  ///
  /// - Returns: The steps of every segment; none where an earlier date blocks it.
  private func joiningUnfinished(
    _ segments: [ChainSegment], _ found: Findings, _ outcome: inout ChunkOutcome,
    on db: isolated some CloseStore
  ) throws -> [[ChainSegment.Step]] {
    let refused = Set(segments.filter { isRefused($0, found) }.map(\.portfolio.id))
    guard !refused.isEmpty else { return segments.map(\.steps) }
    let unfinished = Dictionary(
      grouping: try db.unfinished(of: refused.sorted(), through: .latest),
      by: \.slot.portfolio)
    var givenUp: [SlotHolder] = []
    let locked = try locked(among: unfinished.values.joined().map(\.slot), on: db)
    let steps = try segments.map { segment in
      let others = (unfinished[segment.portfolio.id] ?? []).filter { holder in
        holder.state == .free && !segment.steps.contains { $0.date == holder.slot.date }
      }
      givenUp += others.filter { $0.slot.date > segment.through }
      let earlier = others.filter { holder in
        let date = holder.slot.date
        return date < segment.through && segment.openedFrom.map { date > $0 } ?? true
      }
      let open = try earlier.filter { try mayBeClosed($0, segment.portfolio, locked) }
      givenUp += earlier.filter { one in !open.contains { $0.slot == one.slot } }
      return joined(segment, open.map(\.slot.date), &outcome)
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
    _ segment: ChainSegment, _ earlier: [Day], _ outcome: inout ChunkOutcome
  ) -> [ChainSegment.Step] {
    guard let first = earlier.first else { return segment.steps }
    guard context.settings.catchesUp else {
      outcome.counts.blocked += segment.steps.count
      outcome.failures.append(
        SlotFailure(
          portfolio: segment.portfolio.name, date: segment.steps[0].date,
          problem: StatedProblem(
            ProblemCode("earlier_date_unfinished", .refused),
            "\(first) was begun and is not finished",
            remedy: "run without \(.option(.noCatchUp)): it is closed first")))
      return []
    }
    return (segment.steps + earlier.map { ChainSegment.Step($0, .next) }).sorted {
      $0.date < $1.date
    }
  }

  private func findLocked(
    _ segments: [ChainSegment], _ found: inout Findings, on db: isolated some CloseStore
  ) throws {
    let refused = segments.flatMap { segment in
      segment.steps.map { segment.slot($0) }.filter {
        !found.ours.contains($0) && !found.complete.contains($0)
      }
    }
    found.locked = try locked(among: refused, on: db)
  }

  /// What is left of a segment, or nil where nothing is.
  private func cut(
    _ segment: ChainSegment, _ found: Findings, _ outcome: inout ChunkOutcome,
    _ orphans: inout [Slot]
  ) -> ChainSegment? {
    var steps = segment.steps[...]
    var openedFrom = segment.openedFrom
    // Somebody closed its first dates meanwhile: go on from there.
    while let first = steps.first, found.complete.contains(segment.slot(first)) {
      if found.doneBefore.contains(segment.slot(first)) {
        outcome.counts.completed += 1
      } else {
        outcome.counts.skipped += 1
      }
      openedFrom = first.date
      steps.removeFirst()
    }
    var kept = steps.prefix { found.ours.contains(segment.slot($0)) }
    // A filled hole needs the slot behind it in the same segment: it opens from the filled one.
    while kept.count < steps.count, kept.last?.kind == .backfill { kept = kept.dropLast() }
    let rest = steps.dropFirst(kept.count)
    if let first = rest.first, found.locked.contains(segment.slot(first)) {
      outcome.counts.locked += rest.count
      outcome.failures.append(.locked(segment.portfolio, first.date))
      orphans += rest.map { segment.slot($0) }.filter { found.ours.contains($0) }
    } else if !rest.isEmpty {
      outcome.counts.busy += rest.count
      outcome.busy.append(
        ChainSegment(
          portfolio: segment.portfolio, openedFrom: kept.last?.date ?? openedFrom,
          steps: Array(rest)))
      orphans += rest.map { segment.slot($0) }.filter { found.ours.contains($0) }
    }
    guard !kept.isEmpty else { return nil }
    var claimed = segment
    claimed.openedFrom = openedFrom
    claimed.steps = Array(kept)
    return claimed
  }
}
