public import Accounting
public import Postgres

/// The rows that a slot has.
public struct SlotRows: OptionSet, Sendable {
  /// A bit a table.
  public let rawValue: UInt8

  /// Some of the rows.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The snapshot's own row.
  public static let snapshot = SlotRows(rawValue: 1)
  /// A row a holding.
  public static let holdings = SlotRows(rawValue: 2)
  /// A row a currency, and what is not paid yet.
  public static let cashBalances = SlotRows(rawValue: 4)
  /// The money-weighted return of each holding.
  public static let holdingIRRs = SlotRows(rawValue: 8)
  /// The portfolio's money-weighted return.
  public static let portfolioIRR = SlotRows(rawValue: 16)
  /// Everything.
  public static let all: SlotRows = [
    .snapshot, .holdings, .cashBalances, .holdingIRRs, .portfolioIRR,
  ]
}

/// Everything that a computed slot writes.
public struct SlotResult: Sendable {
  /// What was a complete slot before, if it is closed again.
  public struct Replaced: Sendable {
    /// The revision that was there when it was claimed.
    public var revision: Int32
    /// Rows that say already what was computed, and are left alone.
    public var standing: SlotRows

    /// A slot at a revision.
    public init(revision: Int32, standing: SlotRows = []) {
      self.revision = revision
      self.standing = standing
    }
  }

  /// The slot.
  public var slot: Slot
  /// Nil for a slot that was never closed.
  public var replaced: Replaced?
  /// The revision of the snapshot that it opened from; nil for the first.
  public var openedFromRevision: Int32?
  /// Whether the opening is closed in this very transaction, so that its stored revision is not
  /// yet the one above.
  public var opensInSameSegment: Bool
  /// The numbers.
  public var snapshot: Snapshot
  /// The holdings, ascending.
  public var holdings: [HoldingSnapshot]
  /// What each of them holds.
  public var instruments: [ID<Holding>: Instrument]
  /// Balances of a portfolio that keeps cash per currency.
  public var cashBalances: [CashBalance]
  /// What is paid later, ascending by date and currency.
  public var receivables: [Receivable]
  /// One a row of `holdings`, in the same order.
  public var holdingIRRs: [IRRResult]
  /// The portfolio's money-weighted return.
  public var portfolioIRR: IRRResult
  /// The convention of both.
  public var convention: IRRConvention
  /// The digest of its inputs.
  public var fingerprint: Fingerprint?
  /// The policy that it was closed under.
  public var policy: ClosePolicy

  /// Whether rows of a kind have to be written.
  func writes(_ rows: SlotRows) -> Bool { replaced?.standing.contains(rows) != true }

  /// What a computed slot writes.
  public init(
    slot: Slot, replaced: Replaced? = nil, openedFromRevision: Int32?, opensInSameSegment: Bool,
    snapshot: Snapshot, holdings: [HoldingSnapshot], instruments: [ID<Holding>: Instrument],
    cashBalances: [CashBalance], receivables: [Receivable] = [], holdingIRRs: [IRRResult],
    portfolioIRR: IRRResult,
    convention: IRRConvention, fingerprint: Fingerprint?, policy: ClosePolicy = ClosePolicy()
  ) {
    precondition(holdings.count == holdingIRRs.count, "a return for every holding")
    self.slot = slot
    self.replaced = replaced
    self.openedFromRevision = openedFromRevision
    self.opensInSameSegment = opensInSameSegment
    self.snapshot = snapshot
    self.holdings = holdings
    self.instruments = instruments
    self.cashBalances = cashBalances
    self.receivables = receivables
    self.holdingIRRs = holdingIRRs
    self.portfolioIRR = portfolioIRR
    self.convention = convention
    self.fingerprint = fingerprint
    self.policy = policy
  }
}

/// A complete slot that was computed again and came out as it stands, with what it stands on.
public struct ConfirmedSlot: Sendable {
  /// The slot.
  public var slot: Slot
  /// The revision of the snapshot that it opened from; nil for the first.
  public var openedFromRevision: Int32?
  /// The digest of its inputs.
  public var fingerprint: Fingerprint?
  /// The policy that it was closed under.
  public var policy: ClosePolicy

  /// A slot that is right as it stands.
  public init(
    slot: Slot, openedFromRevision: Int32?, fingerprint: Fingerprint?, policy: ClosePolicy
  ) {
    self.slot = slot
    self.openedFromRevision = openedFromRevision
    self.fingerprint = fingerprint
    self.policy = policy
  }
}

/// A chunk of computed slots, and who writes them.
public struct PopulateChunk: Sendable {
  /// The slots, ascending by date, then portfolio.
  public var results: [SlotResult]
  /// The moments to keep for the next night; of the portfolios in `results` only.
  public var moments: [StoredMoments]
  /// Portfolios whose kept moments may stand on flows that were different then; they are
  /// forgotten before `moments` are kept.
  public var outdatedMoments: [ID<Portfolio>] = []
  /// What must be held to write.
  public var lease: Lease
  /// The run.
  public var run: Int64
  /// The `pg_snapshot` that the inputs were read in.
  public var inputsSeen: String
  /// Why values are replaced, for their history.
  public var reason: String
  /// Whether locked slots are written too.
  public var overLocks = false
  /// Whether everything that is replaced goes to the archive of repairs as well.
  public var archives = false

  /// The claim that fences every write.
  public var claim: Int64 { lease.claim }

  /// A chunk of computed slots.
  public init(
    results: [SlotResult], moments: [StoredMoments], lease: Lease, run: Int64,
    inputsSeen: String, reason: String
  ) {
    self.results = results
    self.moments = moments
    self.lease = lease
    self.run = run
    self.inputsSeen = inputsSeen
    self.reason = reason
  }

  /// Puts the results in their order; a night's stand in it already.
  public mutating func orderResults() {
    func isBefore(_ one: SlotResult, _ other: SlotResult) -> Bool {
      (one.slot.date, one.slot.portfolio) < (other.slot.date, other.slot.portfolio)
    }
    guard results.indices.dropFirst().contains(where: { isBefore(results[$0], results[$0 - 1]) })
    else { return }
    results.sort(by: isBefore)
  }
}

/// Fills claimed slots in: one transaction a chunk, fenced by the claim id.
///
/// A portfolio's slots of a chunk are written all or not at all. The unique chain and the
/// claim id are checked by the statement that writes the numbers; only what it updated gets its
/// per-holding rows.
public enum Populating {
  /// Makes the session's staging table and settles how its statements are planned; needed once a
  /// connection.
  ///
  /// A chunk's keys are looked up, however many they are: joining them otherwise would walk through
  /// all dates of a table. Tables grow within a session, so not even an empty one is scanned; then
  /// one plan is right for all chunks, and is made once.
  ///
  /// - Parameter leaseSeconds: After standing still for so long within a transaction the session is
  ///   ended by the server: nobody believes in its owner any more, and its locks go with it.
  public static func prepare(leaseSeconds: Double, on db: isolated Connection) throws {
    let milliseconds = Int32(min(leaseSeconds * 1_000, Double(Int32.max)))
    try db.execute(
      sql: """
        \(looksUpOnly);
        set idle_in_transaction_session_timeout = \(milliseconds);
        \(createStage)
        """)
  }

  /// Writes a chunk.
  ///
  /// - Returns: The slots that were not ours any more, whose opening had changed, or that were
  ///   locked meanwhile; nothing of them was written, nor of any other slot of their portfolios.
  /// - Throws: As `Leases.require`, and whatever the database says.
  public static func populate(
    _ chunk: PopulateChunk, on db: isolated Connection
  ) throws -> Set<Slot> {
    var chunk = chunk
    var lost: Set<Slot> = []
    while !chunk.results.isEmpty {
      do {
        let attempt = chunk
        try db.transaction { db in try write(attempt, on: db) }
        return lost
      } catch let conflict as WriteConflict {
        let taken = chunk.results.filter { conflict.portfolios.contains($0.slot.portfolio) }
        lost.formUnion(taken.map(\.slot))
        chunk.results.removeAll { conflict.portfolios.contains($0.slot.portfolio) }
        chunk.moments.removeAll { conflict.portfolios.contains($0.portfolio) }
        chunk.outdatedMoments.removeAll { conflict.portfolios.contains($0) }
      }
    }
    return lost
  }

  /// Says that complete slots were looked at again and are right as they stand.
  public static func confirm(
    _ slots: [ConfirmedSlot], inputsSeen: String, as claim: Int64, on db: isolated Connection
  ) throws {
    _ = try db.execute(
      confirmUnchanged, slots.map(\.slot.portfolio.rawValue), slots.map(\.slot.date.postgres),
      inputsSeen, claim, slots.map(\.openedFromRevision),
      slots.map { $0.fingerprint.map { Bytes($0.bytes) } }, slots.map(\.policy.carriedDaysAllowed))
  }

  /// Some portfolios' slots could not all be written; the transaction is rolled back.
  private struct WriteConflict: Error {
    var portfolios: Set<ID<Portfolio>>
  }

  private static func write(_ chunk: PopulateChunk, on db: isolated Connection) throws {
    try refuseLocked(chunk, on: db)
    try Leases.require(chunk.lease, on: db)
    try stage(chunk.results, on: db)
    let replaced = chunk.results.filter { $0.replaced != nil }.map(\.slot)
    if !replaced.isEmpty { try keepHistory(of: replaced, chunk, on: db) }
    if chunk.archives {
      try RepairArchive.keep(
        replaced, adding: chunk.results.filter { $0.replaced == nil }.map(\.slot),
        run: chunk.run, reason: chunk.reason, on: db)
    }
    let updated = try fencedUpdate(chunk, on: db)
    guard updated.count == chunk.results.count else {
      let lost = chunk.results.lazy.map(\.slot).filter { !updated.contains($0) }
      throw WriteConflict(portfolios: Set(lost.map(\.portfolio)))
    }
    let keptIDs = replaced.isEmpty ? KeptIDs() : try clear(chunk.results, on: db)
    try copyHoldings(chunk.results, on: db)
    try copyCashBalances(chunk.results, on: db)
    try copyReceivables(chunk.results, on: db)
    try copyHoldingReturns(chunk.results, keeping: keptIDs, on: db)
    try copyPortfolioReturns(chunk.results, keeping: keptIDs, on: db)
    if !chunk.outdatedMoments.isEmpty {
      try IRRMoments.forget(chunk.outdatedMoments, on: db)
    }
    if !chunk.moments.isEmpty {
      try IRRMoments.keep(chunk.moments, inputsSeen: chunk.inputsSeen, on: db)
    }
    if !replaced.isEmpty { try markLaterSlots(after: chunk.results, on: db) }
  }

  /// A worker that outlived its lease may come here after its month was locked.
  private static func refuseLocked(
    _ chunk: PopulateChunk, on db: isolated Connection
  ) throws {
    guard !chunk.overLocks else { return }
    try PeriodLocks.hold(on: db)
    let locked = try PeriodLocks.locked(among: chunk.results.map(\.slot), on: db)
    guard locked.isEmpty else { throw WriteConflict(portfolios: Set(locked.map(\.portfolio))) }
  }

  /// One statement; where a slot was hung in between two others, one a date and the latest first:
  /// it can only take its opening after the later one has let go of it.
  private static func fencedUpdate(
    _ chunk: PopulateChunk, on db: isolated Connection
  ) throws -> Set<Slot> {
    var updated: Set<Slot> = []
    let isHungIn =
      chunk.results.contains { $0.replaced == nil } && chunk.results.contains { $0.replaced != nil }
    let dates: [Day?] = isHungIn ? Set(chunk.results.map(\.slot.date)).sorted(by: >) : [nil]
    for date in dates {
      let slots = try db.rows(
        fill, chunk.claim, chunk.run, chunk.inputsSeen, date?.postgres, as: { try $0.nextSlot() })
      updated.formUnion(slots)
    }
    return updated
  }

  private static func keepHistory(
    of slots: [Slot], _ chunk: PopulateChunk, on db: isolated Connection
  ) throws {
    _ = try db.execute(
      history, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres), chunk.run,
      chunk.reason, chunk.claim)
  }

  /// Slots after a replaced one opened from what it said before.
  ///
  /// They are stale from the date after the segment's last on, and this says so in the same
  /// transaction; those of the segment itself opened from the new values.
  private static func markLaterSlots(
    after results: [SlotResult], on db: isolated Connection
  ) throws {
    let changed = Set(results.lazy.filter { $0.replaced != nil }.map(\.slot.portfolio))
    var last: [ID<Portfolio>: Day] = [:]
    for result in results where changed.contains(result.slot.portfolio) {
      last[result.slot.portfolio] = max(last[result.slot.portfolio] ?? .earliest, result.slot.date)
    }
    for (date, portfolios) in Dictionary(grouping: last, by: \.value) {
      try InputChange.markReplaced(portfolios.map(\.key), from: date + 1, on: db)
    }
  }

  /// The ids of IRR rows about to be written again; a replay keeps them.
  struct KeptIDs {
    var ofHoldings: [HoldingKey: Int64] = [:]
    var ofPortfolios: [Slot: Int64] = [:]

    func id(of holding: ID<Holding>, in slot: Slot) -> Int64? {
      ofHoldings.isEmpty ? nil : ofHoldings[HoldingKey(slot: slot, holding: holding)]
    }
  }

  struct HoldingKey: Hashable {
    var slot: Slot
    var holding: ID<Holding>
  }

  /// Deletes what is written anew.
  private static func clear(_ results: [SlotResult], on db: isolated Connection) throws -> KeptIDs {
    func slots(_ rows: SlotRows) -> ([Int64], [PostgresDate])? {
      let slots = results.lazy.filter { $0.replaced != nil && $0.writes(rows) }.map(\.slot)
      guard !slots.isEmpty else { return nil }
      return (slots.map(\.portfolio.rawValue), slots.map(\.date.postgres))
    }
    var kept = KeptIDs()
    if let (portfolios, dates) = slots(.holdingIRRs) {
      for (key, id) in try db.rows(
        deleteHoldingReturns, portfolios, dates,
        as: { row in
          (HoldingKey(slot: try row.nextSlot(), holding: try row.nextID()), try row.nextInt64())
        })
      { kept.ofHoldings[key] = id }
    }
    if let (portfolios, dates) = slots(.portfolioIRR) {
      for (slot, id) in try db.rows(
        deletePortfolioReturns, portfolios, dates,
        as: { (try $0.nextSlot(), try $0.nextInt64()) })
      { kept.ofPortfolios[slot] = id }
    }
    if let (portfolios, dates) = slots(.holdings) {
      _ = try db.execute(deleteHoldings, portfolios, dates)
    }
    if let (portfolios, dates) = slots(.cashBalances) {
      _ = try db.execute(deleteCashBalances, portfolios, dates)
    }
    return kept
  }
}
