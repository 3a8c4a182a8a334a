public import Accounting
public import Postgres

/// One (portfolio, business date).
public struct Slot: Hashable, Sendable {
  /// The portfolio.
  public var portfolio: ID<Portfolio>
  /// The business date.
  public var date: Day

  /// The slot of a portfolio and a date.
  public init(portfolio: ID<Portfolio>, date: Day) {
    self.portfolio = portfolio
    self.date = date
  }
}

/// A slot about to be claimed, and the close that it will open from.
public struct SlotClaim: Hashable, Sendable {
  /// How the slot hangs on the chain while it is a placeholder.
  public enum Link: Hashable, Sendable {
    /// It opens from the snapshot of this date; nil: it is the portfolio's first.
    case opensFrom(Day?)
    /// It will be hung in between existing slots when it is populated.
    case later
  }

  /// The slot.
  public var slot: Slot
  /// Where it hangs.
  public var link: Link

  /// A claim of a slot.
  public init(_ slot: Slot, link: Link) {
    self.slot = slot
    self.link = link
  }
}

/// What stands in a slot that could not be claimed afresh.
public struct SlotHolder: Sendable {
  /// What the owner of a slot is doing.
  public enum State: Sendable {
    /// Closed; nothing to do.
    case complete
    /// An owner who lives works on it.
    case busy
    /// Its owner is gone, or it failed: it may be taken over.
    case free
  }

  /// The slot.
  public var slot: Slot
  /// The claim id that stands in it.
  public var claim: Int64
  /// What that claim's owner is doing.
  public var state: State
  /// Whether it was tried and could not be closed; told of unfinished slots only.
  public var hasFailed = false
}

/// Claims: placeholder rows that say who closes a slot.
///
/// The unique keys are the only authority. A claim holds the period locks while it is made, so that
/// a locked slot is never claimed, unless the lock is overridden.
public enum Slots {
  /// Inserts placeholders, in key order, in a transaction of their own.
  ///
  /// - Returns: The slots that are now ours. A slot that already stands, whose opening is already
  ///   taken by another slot, or that is locked is left out; all are while claims are paused, where
  ///   our lease is not recorded any more, and where somebody holds one of the rows locked.
  public static func claim(
    _ claims: [SlotClaim], as lease: Lease, run: Int64, overLocks: Bool = false,
    on db: isolated Connection
  ) throws -> Set<Slot> {
    let columns = ClaimColumns(claims)
    return Set(
      try unlessHeld(on: db) { db in
        try db.rows(
          insert, columns.portfolios, columns.dates, columns.openings, lease.claim, run, overLocks,
          lease.token, as: { try $0.nextSlot() })
      } ?? [])
  }

  /// Runs a claim that waits for no row for longer than a second.
  ///
  /// An owner may stand still in the middle of writing: then the slots are busy, unless its lease
  /// is over, which ends its session. The period locks stay as they are meanwhile.
  ///
  /// Nor does it wait for the disk. A crash of the server that undoes it ends every session that
  /// saw it, ours first; the numbers' own commit waits, and takes everything before it along.
  ///
  /// - Returns: Nil where somebody held a row that the statement needed.
  /// - Throws: `LockHeld` where somebody keeps the period locks to themselves.
  static func unlessHeld<R>(
    on db: isolated Connection, _ body: @Sendable (isolated Connection) throws -> R
  ) throws -> R? {
    var isLastTry = false
    while true {
      do {
        return try db.transaction(lockTimeout: "1s", survivesCrash: false) { db in
          try PeriodLocks.hold(on: db)
          return try body(db)
        }
      } catch is LockHeld {
        // A lock is being changed, which is nobody's slot: one waits as long as for any other.
        try PeriodLocks.wait(on: db)
      } catch let error as PostgresError where error.waitedTooLongForLock {
        guard !isLastTry, try Leases.endOverdueSessions(on: db) > 0 else { return nil }
        isLastTry = true
      }
    }
  }

  /// Says what stands in slots that could not be claimed; a slot without a row is left out.
  public static func holders(
    of slots: [Slot], on db: isolated Connection
  ) throws -> [SlotHolder] {
    try db.rows(look, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres)) {
      let slot = try $0.nextSlot()
      let claim = try $0.nextInt64()
      let isComplete = try $0.nextBool()
      let mayBeTaken = try $0.nextBool()
      return SlotHolder(
        slot: slot, claim: claim,
        state: isComplete ? .complete : mayBeTaken ? .free : .busy)
    }
  }

  /// Says what stands in the slots of some portfolios that are not complete, ascending by
  /// portfolio, then date.
  ///
  /// - Parameter through: Later slots are not looked at.
  public static func unfinished(
    of portfolios: [ID<Portfolio>], through: Day, on db: isolated Connection
  ) throws -> [SlotHolder] {
    try db.rows(lookUnfinished, portfolios.map(\.rawValue), through.postgres) {
      let slot = try $0.nextSlot()
      let claim = try $0.nextInt64()
      let isFree = try $0.nextBool()
      return SlotHolder(
        slot: slot, claim: claim, state: isFree ? .free : .busy, hasFailed: try $0.nextBool())
    }
  }

  /// Takes failed slots, and slots of owners who are gone, over by compare-and-set on the old
  /// owner; a live lease, a complete slot or a locked one is never touched.
  ///
  /// - Returns: The slots that are ours now, and those that were let go, and deleted, because
  ///   another slot of the portfolio has taken their opening: that one comes first.
  public static func takeOver(
    _ holders: [SlotHolder], links: [Slot: SlotClaim.Link], as lease: Lease, run: Int64,
    overLocks: Bool = false, on db: isolated Connection
  ) throws -> (ours: Set<Slot>, relinquish: Set<Slot>) {
    let ordered = holders.sorted {
      ($0.slot.date, $0.slot.portfolio) < ($1.slot.date, $1.slot.portfolio)
    }
    let apart = ClaimColumns(ordered.map { SlotClaim($0.slot, link: .later) })
    let taken = Set(
      try unlessHeld(on: db) { db in
        try db.rows(
          compareAndSet, apart.portfolios, apart.dates, apart.openings, ordered.map(\.claim),
          lease.claim, run, overLocks, lease.token, as: { try $0.nextSlot() })
      } ?? [])
    // Only now are they hung up: one may open from where another of them hung before.
    let hung = ClaimColumns(
      ordered.filter { taken.contains($0.slot) }.map {
        SlotClaim($0.slot, link: links[$0.slot] ?? .later)
      })
    let placed = Set(
      try db.rows(
        hangUp, hung.portfolios, hung.dates, hung.openings, lease.claim, as: { try $0.nextSlot() }))
    let left = taken.subtracting(placed)
    if !left.isEmpty { try release(Array(left), as: lease.claim, on: db) }
    return (placed, left)
  }

  /// Deletes failed slots, and slots of owners who are gone, that hold an opening which another
  /// date needs; they are due again after it.
  public static func discard(_ holders: [SlotHolder], on db: isolated Connection) throws {
    _ = try db.execute(
      discardFree, holders.map(\.slot.portfolio.rawValue), holders.map(\.slot.date.postgres),
      holders.map(\.claim))
  }

  /// Puts our claim on complete slots that are to be closed again; their values stay readable.
  ///
  /// - Returns: The slots that are ours now and what they stand at, those that were ours before
  ///   among them. A slot under another live owner's claim is left out, and so is a locked one.
  public static func claimComplete(
    _ slots: [Slot], as lease: Lease, run: Int64, overLocks: Bool = false,
    on db: isolated Connection
  ) throws -> [Slot: ClaimedClose] {
    let pairs = try unlessHeld(on: db) { db in
      try db.rows(
        claimForReplay, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres), lease.claim,
        overLocks, lease.token
      ) {
        (
          try $0.nextSlot(),
          ClaimedClose(revision: try $0.nextInt32(), policy: try $0.nextPolicy())
        )
      }
    }
    return try Dictionary(snapshots: pairs ?? [])
  }

  /// Records why slots of ours could not be closed; they stay claimable.
  public static func fail(
    _ failures: [(slot: Slot, error: String, sqlState: String?)], as claim: Int64,
    on db: isolated Connection
  ) throws {
    _ = try db.execute(
      markFailed, failures.map(\.slot.portfolio.rawValue), failures.map(\.slot.date.postgres),
      failures.map(\.error), failures.map { $0.sqlState ?? "" }, claim)
  }

  /// Deletes our own placeholders that nothing was written to: on a stop, or where a slot before
  /// them was lost.
  ///
  /// - Parameter slots: Nil: every one that this claim still holds.
  @discardableResult
  public static func release(
    _ slots: [Slot]? = nil, as claim: Int64, on db: isolated Connection
  ) throws -> Int {
    guard let slots else { return try db.execute(releaseAll, claim) }
    return try db.execute(
      releaseSome, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres), claim)
  }

  /// Takes our claim off complete slots that we closed again and are done with, so that others
  /// need not wait until the whole run has ended.
  ///
  /// They keep the claim's number with the sign turned, which no lease ever has.
  public static func relinquish(as claim: Int64, on db: isolated Connection) throws {
    _ = try db.execute(relinquishComplete, claim)
  }

  // MARK: - SQL

  /// A placeholder that is hung up later points far beyond any date, at a place of its own, so
  /// that it is in nobody's way in the chain's unique key.
  private static let farAway = 1_000_000

  private struct ClaimColumns {
    var portfolios: [Int64] = []
    var dates: [PostgresDate] = []
    var openings: [PostgresDate?] = []

    init(_ claims: [SlotClaim]) {
      for claim in claims {
        portfolios.append(claim.slot.portfolio.rawValue)
        dates.append(claim.slot.date.postgres)
        switch claim.link {
        case .opensFrom(let day): openings.append(day?.postgres)
        case .later: openings.append((claim.slot.date + Slots.farAway).postgres)
        }
      }
    }
  }

  /// SQL that is true for a row under a claim, of which the planner must not guess how many there
  /// are: statistics have not heard of the claim, and for one row it would rather walk through the
  /// table than look up every key.
  static func isClaimed(_ row: String, by claim: String) -> String {
    "coalesce(\(row).claim_id = \(claim), false)"
  }

  private static let insert = Statement(
    "slots-claim",
    """
    insert into closebell.portfolio_snapshots
      (portfolio_id, snapshot_date, opened_from_date, claim_id, claimed_at, run_id)
    select c.portfolio_id, c.snapshot_date, c.opened_from_date, $4::bigint,
      pg_catalog.clock_timestamp(), $5::bigint
    from unnest($1::bigint[], $2::date[], $3::date[])
      as c (portfolio_id, snapshot_date, opened_from_date)
    where not exists (select from closebell.pause)
      and \(Leases.isHeld("$4::bigint", "$7::bigint"))
      and ($6::boolean or not \(PeriodLocks.isLocked("c.snapshot_date", of: "c.portfolio_id")))
    order by c.snapshot_date, c.portfolio_id
    on conflict do nothing
    returning portfolio_id, snapshot_date
    """)
  private static let look = Statement(
    "slots-look",
    """
    select s.portfolio_id, s.snapshot_date, s.claim_id, s.is_complete,
      s.state = 'failed' or not \(Leases.isAlive("s.claim_id"))
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, snapshot_date)
    join closebell.portfolio_snapshots s
      on s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
    """)
  private static let lookUnfinished = Statement(
    "slots-look-unfinished",
    """
    select s.portfolio_id, s.snapshot_date, s.claim_id,
      s.state = 'failed' or not \(Leases.isAlive("s.claim_id")),
      s.state = 'failed' and not \(DeadOwners.wasReclaimed("s"))
    from closebell.portfolio_snapshots s
    where s.portfolio_id = any($1::bigint[]) and not s.is_complete
      and s.snapshot_date <= $2::date
    order by s.portfolio_id, s.snapshot_date
    """)
  private static let compareAndSet = Statement(
    "slots-take-over",
    """
    update closebell.portfolio_snapshots s
    set claim_id = $5::bigint, run_id = $6::bigint, claimed_at = pg_catalog.clock_timestamp(),
      state = 'claimed', error = null, error_sqlstate = null, attempts = s.attempts + 1,
      opened_from_date = c.opened_from_date
    from unnest($1::bigint[], $2::date[], $3::date[], $4::bigint[])
      as c (portfolio_id, snapshot_date, opened_from_date, claim_id)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and s.claim_id = c.claim_id and s.claim_id < $5::bigint and not s.is_complete
      and (s.state = 'failed' or not \(Leases.isAlive("s.claim_id")))
      and not exists (select from closebell.pause) and \(Leases.isHeld("$5::bigint", "$8::bigint"))
      and ($7::boolean or not \(PeriodLocks.isLocked("s.snapshot_date", of: "s.portfolio_id")))
    returning s.portfolio_id, s.snapshot_date
    """)
  private static let hangUp = Statement(
    "slots-hang-up",
    """
    update closebell.portfolio_snapshots s set opened_from_date = c.opened_from_date
    from unnest($1::bigint[], $2::date[], $3::date[])
      as c (portfolio_id, snapshot_date, opened_from_date)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and \(isClaimed("s", by: "$4::bigint")) and not s.is_complete
      and not exists (select from closebell.portfolio_snapshots o
        where o.portfolio_id = s.portfolio_id and o.snapshot_date <> s.snapshot_date
          and (o.opened_from_date = c.opened_from_date
            or o.opened_from_date is null and c.opened_from_date is null))
    returning s.portfolio_id, s.snapshot_date
    """)
  private static let discardFree = Statement(
    "slots-discard",
    """
    delete from closebell.portfolio_snapshots s
    using unnest($1::bigint[], $2::date[], $3::bigint[])
      as c (portfolio_id, snapshot_date, claim_id)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and s.claim_id = c.claim_id and not s.is_complete
      and (s.state = 'failed' or not \(Leases.isAlive("s.claim_id")))
    """)
  private static let claimForReplay = Statement(
    "slots-claim-complete",
    """
    update closebell.portfolio_snapshots s
    set claim_id = $3::bigint
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, snapshot_date)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and s.is_complete
      and (s.claim_id = $3::bigint or not \(Leases.isAlive("s.claim_id")))
      and not exists (select from closebell.pause) and \(Leases.isHeld("$3::bigint", "$5::bigint"))
      and ($4::boolean or not \(PeriodLocks.isLocked("s.snapshot_date", of: "s.portfolio_id")))
    returning s.portfolio_id, s.snapshot_date, s.revision, \(StoredPolicy.columns(of: "s"))
    """)
  private static let markFailed = Statement(
    "slots-fail",
    """
    update closebell.portfolio_snapshots s
    set state = 'failed', error = f.error, error_sqlstate = nullif(f.sqlstate, '')
    from unnest($1::bigint[], $2::date[], $3::text[], $4::text[])
      as f (portfolio_id, snapshot_date, error, sqlstate)
    where s.snapshot_date = f.snapshot_date and s.portfolio_id = f.portfolio_id
      and \(isClaimed("s", by: "$5::bigint")) and not s.is_complete
    """)
  private static let releaseAll = Statement.once(
    "slots-release-all",
    """
    delete from closebell.portfolio_snapshots s
    using closebell.worker_lease l
    where l.claim_id = $1::bigint and s.claim_id = l.claim_id
      and s.snapshot_date between l.first_date and l.last_date and s.state = 'claimed'
    """)
  private static let relinquishComplete = Statement(
    "slots-relinquish",
    """
    update closebell.portfolio_snapshots s set claim_id = - s.claim_id
    from closebell.worker_lease l
    where l.claim_id = $1::bigint and s.claim_id = l.claim_id
      and s.snapshot_date between l.first_date and l.last_date and s.is_complete
    """)
  private static let releaseSome = Statement(
    "slots-release",
    """
    delete from closebell.portfolio_snapshots s
    using unnest($1::bigint[], $2::date[]) as c (portfolio_id, snapshot_date)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and \(isClaimed("s", by: "$3::bigint")) and s.state = 'claimed' and not s.is_complete
    """)
}
