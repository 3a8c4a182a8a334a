internal import Accounting
internal import Postgres
internal import Storage

/// PostgreSQL as the store: every call is Storage's.
extension Connection: CloseStore {
  func portfolios(
    after: Int64, limit: Int, activeOn date: Day, of selection: PortfolioSelection,
    retired: RetiredPortfolios
  ) throws -> [PlannedPortfolio] {
    try Planning.portfolios(
      after: after, limit: limit, activeOn: date, of: selection, retired: retired, on: self)
  }

  func retired(among portfolios: [ID<Portfolio>], before date: Day) throws -> [ID<Portfolio>] {
    try Planning.retired(among: portfolios, before: date, on: self)
  }

  func activityCounts(of portfolios: [ID<Portfolio>]) throws -> [ID<Portfolio>: Int] {
    try Planning.activityCounts(of: portfolios, on: self)
  }

  func completeSlots(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day
  ) throws -> [Slot] {
    try Planning.completeSlots(of: portfolios, from: first, through: last, on: self)
  }

  func openingsBefore(
    _ first: Day, of portfolios: [ID<Portfolio>]
  ) throws -> [ID<Portfolio>: Day] {
    try Planning.openingsBefore(first, of: portfolios, on: self)
  }

  func stale(
    through: Day, includingLocked: Bool, of selection: PortfolioSelection
  ) throws -> [ID<Portfolio>: Day] {
    try Planning.stale(
      through: through, includingLocked: includingLocked, of: selection, on: self)
  }

  func renew(_ lease: Lease, seconds: Double) throws -> Bool {
    try Leases.renew(lease, seconds: seconds, on: self)
  }

  func cover(from first: Day, through last: Day, _ lease: Lease) throws {
    try Leases.cover(from: first, through: last, lease, on: self)
  }

  func require(_ lease: Lease) throws { try Leases.require(lease, on: self) }

  func claim(
    _ claims: [SlotClaim], as lease: Lease, run: Int64, overLocks: Bool
  ) throws -> Set<Slot> {
    try Slots.claim(claims, as: lease, run: run, overLocks: overLocks, on: self)
  }

  func holders(of slots: [Slot]) throws -> [SlotHolder] {
    try Slots.holders(of: slots, on: self)
  }

  func unfinished(of portfolios: [ID<Portfolio>], through: Day) throws -> [SlotHolder] {
    try Slots.unfinished(of: portfolios, through: through, on: self)
  }

  func takeOver(
    _ holders: [SlotHolder], links: [Slot: SlotClaim.Link], as lease: Lease, run: Int64,
    overLocks: Bool
  ) throws -> (ours: Set<Slot>, relinquish: Set<Slot>) {
    try Slots.takeOver(
      holders, links: links, as: lease, run: run, overLocks: overLocks, on: self)
  }

  func discard(_ holders: [SlotHolder]) throws { try Slots.discard(holders, on: self) }

  func claimComplete(
    _ slots: [Slot], as lease: Lease, run: Int64, overLocks: Bool
  ) throws -> [Slot: ClaimedClose] {
    try Slots.claimComplete(slots, as: lease, run: run, overLocks: overLocks, on: self)
  }

  func locked(among slots: [Slot]) throws -> Set<Slot> {
    try PeriodLocks.locked(among: slots, on: self)
  }

  func fail(
    _ failures: [(slot: Slot, error: String, sqlState: String?)], as claim: Int64
  ) throws { try Slots.fail(failures, as: claim, on: self) }

  func release(_ slots: [Slot], as claim: Int64) throws {
    try Slots.release(slots, as: claim, on: self)
  }

  func relinquish(as claim: Int64) throws { try Slots.relinquish(as: claim, on: self) }

  func market(from first: Day, through last: Day) throws -> LoadedMarket {
    try MarketLoading.market(from: first, through: last, on: self)
  }

  func unchanged(since seen: String) throws -> String? {
    try MarketLoading.unchanged(since: seen, on: self)
  }

  func reading<R>(_ body: (isolated Connection) throws -> R) throws -> R {
    // What is computed within takes its time, and holds up nobody.
    try transaction(isolation: .repeatableRead, readOnly: true, idleTimeout: "5min", body)
  }

  func inputs(of segments: [ChainSegment], market: LoadedMarket) throws -> ChunkInputs {
    try ChunkInputs.load(segments, market: market, on: self)
  }

  func history(of holdings: [(holding: ID<Holding>, through: Day)]) throws -> [StoredActivity] {
    try Loading.history(of: holdings, on: self)
  }

  func externalFlows(of portfolios: [ID<Portfolio>], through: Day) throws -> [StoredActivity] {
    try Loading.externalFlows(of: portfolios, through: through, on: self)
  }

  func storedCloses(of slots: [Slot]) throws -> [Slot: StoredCloses.StoredClose] {
    try readBooks { books in try books.closes(slots) }
  }

  func populate(_ chunk: PopulateChunk) throws -> Set<Slot> {
    try Populating.populate(chunk, on: self)
  }

  func confirm(_ slots: [ConfirmedSlot], inputsSeen: String, as claim: Int64) throws {
    try Populating.confirm(slots, inputsSeen: inputsSeen, as: claim, on: self)
  }

  func begin(_ opening: RunOpening) throws -> BegunRun? {
    let settings = opening.settings
    try Migrator.requireCurrentSchema(on: self)
    let selection =
      try opening.repair?.selection ?? selection(of: settings.codes, on: opening.through)
    let locked = try lockedDates(of: opening, selection)
    if let locked, settings.overrideLock == nil { throw locked }
    guard try !Runs.isPaused(on: self) else { return nil }
    try DatabaseEpoch.begin(on: self)
    try OwnSequences.keepAhead(on: self)
    let reclaimed = try DeadOwners.cleanUp(on: self)
    let dates = opening.from.map { $0...max($0, opening.through) }
    let (run, lease) = try transaction { db in
      try db.record(opening, covering: dates, overriding: locked)
    }
    try Leases.nameKeeper(of: lease.claim, on: self)
    return BegunRun(
      run: run, lease: lease, selection: selection, covered: dates, reclaimed: reclaimed.count,
      overrides: try MarketLoading.overrides(on: self))
  }

  /// The run, what its repair removes first, its lease, and the lock that it overrides.
  private func record(
    _ opening: RunOpening, covering dates: ClosedRange<Day>?, overriding locked: LockedRange?
  ) throws -> (run: Int64, lease: Lease) {
    let settings = opening.settings
    let run = try Runs.begin(
      kind: opening.kind, from: opening.from, through: opening.through, host: settings.host,
      version: settings.version, arguments: settings.arguments, policy: settings.policy, on: self)
    try opening.repair?.begin(run, on: self)
    if let locked, let author = settings.overrideLock {
      try PeriodLocks.recordOverride(
        from: locked.from, through: locked.through, by: author, run: run, on: self)
    }
    let lease = try Leases.open(
      run: run, host: settings.host, pid: settings.pid, seconds: settings.leaseSeconds,
      dates: dates, token: opening.token, on: self)
    return (run, lease)
  }

  /// What a replay's or a repair's range touches of locked periods; nil for a night, which plans
  /// none of it.
  private func lockedDates(
    of opening: RunOpening, _ selection: PortfolioSelection
  ) throws -> LockedRange? {
    guard opening.kind != "run", let from = opening.from else { return nil }
    let portfolios = try PeriodLocks.reaching(
      into: from, activeOn: opening.through, of: selection, on: self)
    guard !portfolios.isEmpty else { return nil }
    return LockedRange(from: from, through: opening.through, portfolios: portfolios)
  }

  func end(_ ending: RunEnding) throws -> Day? {
    let claim = ending.lease.claim
    if ending.mayHoldPlaceholders { _ = try Slots.release(as: claim, on: self) }
    // Owners who were still believed alive when this run began.
    try Leases.forgetDead(on: self)
    if ending.ending != .failed {
      try Runs.forgetSeenChanges(exceptLeaseOf: claim, on: self)
    }
    let stale =
      ending.asksForStale ? try Planning.stale(through: .latest, on: self).values.min() : nil
    if ending.concludesRepair { try RepairArchive.end(ending.run, on: self) }
    try Runs.end(
      ending.run, ending.ending, exitCode: ending.exitCode, counts: ending.counts,
      lease: ending.lease, on: self)
    return stale
  }
}

extension Connection {
  /// The portfolios that codes mean on a date; see `NamedPortfolios`.
  ///
  /// - Throws: `UnknownPortfolios` for a code without any portfolio.
  func selection(
    of codes: [String], on date: Day, includingRetired: Bool = false
  ) throws -> PortfolioSelection {
    let named = try NamedPortfolios(
      codes, on: date, includingRetired: includingRetired, on: self)
    guard named.unknown.isEmpty else { throw UnknownPortfolios(codes: named.unknown) }
    return named.selection
  }
}
