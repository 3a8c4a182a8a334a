internal import Accounting
public import Postgres

/// Puts in order what owners left who died without a word.
///
/// A live owner's placeholder and a complete slot are never touched.
public enum DeadOwners {
  /// A placeholder that was taken back, and the claim that it was taken from.
  public typealias Reclaimed = (slot: Slot, from: Int64)

  /// Turns their placeholders into failed slots that say so, forgets their leases, and ends the
  /// record of their runs: what every run begins with.
  ///
  /// - Parameter olderThanSeconds: How long ago an owner's lease must have ended.
  /// - Returns: Each slot taken back.
  @discardableResult
  public static func cleanUp(
    olderThanSeconds: Double = 0, on db: isolated Connection
  ) throws -> [Reclaimed] {
    let taken = try reclaimExpired(olderThanSeconds: olderThanSeconds, on: db)
    try Leases.forgetDead(on: db)
    try Runs.endDead(on: db)
    return taken
  }

  /// Turns the placeholders of owners whose lease has ended into failed slots that say so.
  static func reclaimExpired(
    olderThanSeconds: Double = 0, on db: isolated Connection
  ) throws -> [Reclaimed] {
    // Nearly always nobody is gone; then the slots, all dates of them, are not looked at.
    guard try db.row(isAnyExpired, olderThanSeconds, as: { try $0.nextBool() }) == true else {
      return []
    }
    return try Slots.unlessHeld(on: db) { db in
      try db.rows(expire, olderThanSeconds) { (try $0.nextSlot(), try $0.nextInt64()) }
    } ?? []
  }

  /// Turns placeholders whose lease is not recorded any more into failed slots that say so: it was
  /// deleted by hand, or by others who took a live owner for dead just when it claimed.
  ///
  /// No lease says on which dates they are, so every slot is looked at; a run does without, since
  /// it takes over those that it comes upon. They are found first and taken by compare-and-set on
  /// their claim. A lease commits before its first placeholder, and never comes back: a placeholder
  /// that is seen without one belongs to nobody for good. One that somebody takes over in between
  /// has another claim then, whose lease the same statement might not see yet.
  ///
  /// - Parameter olderThanSeconds: How long ago they must have been claimed.
  public static func reclaimUnleased(
    olderThanSeconds: Double = 0, on db: isolated Connection
  ) throws -> [Reclaimed] {
    let found = try db.rows(findUnleased, olderThanSeconds) {
      (slot: try $0.nextSlot(), from: try $0.nextInt64())
    }
    guard !found.isEmpty else { return [] }
    return try Slots.unlessHeld(on: db) { db in
      try db.rows(
        takeUnleased, found.map(\.slot.portfolio.rawValue), found.map(\.slot.date.postgres),
        found.map(\.from)
      ) { (try $0.nextSlot(), try $0.nextInt64()) }
    } ?? []
  }

  /// Deletes failed slots beyond the last dates of retired portfolios: nobody is going to close
  /// them any more.
  ///
  /// - Returns: How many.
  public static func discardRetired(on db: isolated Connection) throws -> Int {
    try db.execute(deleteRetired)
  }

  // MARK: - SQL

  /// SQL that is true for a failed slot whose owner was gone, which says nothing against it.
  static func wasReclaimed(_ slot: String) -> String {
    "\(slot).error in ('lease expired', 'lease lost')"
  }

  private static let hasEnded = """
    (not \(Leases.isAlive("w.claim_id"))
      and ($1::float8 <= 0
        or w.lease_until < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second'))
    """
  private static let isAnyExpired = Statement.once(
    "slots-is-any-expired",
    "select exists (select from closebell.worker_lease w where \(hasEnded))")
  private static let expire = Statement.once(
    "slots-expire",
    """
    update closebell.portfolio_snapshots s
    set state = 'failed', error = 'lease expired'
    from closebell.worker_lease w
    where s.snapshot_date between w.first_date and w.last_date
      and s.claim_id = w.claim_id and s.state = 'claimed' and \(hasEnded)
    returning s.portfolio_id, s.snapshot_date, s.claim_id
    """)
  private static let deleteRetired = Statement.once(
    "slots-discard-retired",
    """
    delete from closebell.portfolio_snapshots s using closebell.portfolios p
    where p.id = s.portfolio_id and p.retired_on < s.snapshot_date and s.state = 'failed'
    """)
  private static let hasLease =
    "exists (select from closebell.worker_lease l where l.claim_id = s.claim_id)"
  private static let findUnleased = Statement.once(
    "slots-find-unleased",
    """
    select s.portfolio_id, s.snapshot_date, s.claim_id
    from closebell.portfolio_snapshots s
    where s.state = 'claimed' and not \(hasLease)
      and ($1::float8 <= 0
        or s.claimed_at < pg_catalog.clock_timestamp() - $1::float8 * interval '1 second')
    order by s.snapshot_date, s.portfolio_id
    """)
  private static let takeUnleased = Statement.once(
    "slots-take-back-unleased",
    """
    update closebell.portfolio_snapshots s
    set state = 'failed', error = 'lease lost'
    from unnest($1::bigint[], $2::date[], $3::bigint[])
      as c (portfolio_id, snapshot_date, claim_id)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and s.claim_id = c.claim_id and s.state = 'claimed' and not \(hasLease)
    returning s.portfolio_id, s.snapshot_date, s.claim_id
    """)
}
