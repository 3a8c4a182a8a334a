public import Accounting
public import Postgres

/// Until when the books are locked: what was reported is not closed again.
///
/// A lock is one date a portfolio, since every date opens from the one before: a month that stays
/// while an earlier one changes would no longer follow from it. Whoever changes a lock holds all
/// locks exclusively; whoever claims, writes or imports holds them shared, from before the
/// statement that looks at them. So a lock that was committed is seen, and one that is not
/// committed yet waits for what was begun before it.
public enum PeriodLocks {
  /// Who changes a lock, and why.
  public struct Author: Sendable {
    /// A person, as an auditor finds them.
    public var name: String
    /// Why.
    public var reason: String

    /// Who and why.
    public init(name: String, reason: String) {
      self.name = name
      self.reason = reason
    }
  }

  /// A lock that stands.
  public struct HeldLock: Sendable {
    /// The portfolio's code, `CODE#ID` for a retired one; nil: every portfolio not named.
    public var code: String?
    /// The last locked date.
    public var through: Day
    /// The last lock or unlock that concerned it: who and why.
    public var author: Author
    /// When that was, UTC.
    public var at: String
  }

  /// What an unlock gave back to its own date.
  public struct Returned: Sendable {
    /// How many activities were booked late and count on their own date again.
    public var activities: Int
  }

  // MARK: - Holding them still

  /// Keeps every lock as it is until the end of the transaction; looked at from the next
  /// statement on.
  ///
  /// - Throws: `LockHeld`.
  public static func hold(on db: isolated Connection) throws {
    try AdvisoryLock.periodLocks.holdInTransaction(.shared, on: db)
  }

  /// Waits until nobody is changing a lock, outside of any transaction.
  ///
  /// - Throws: `LockHeld` where that takes longer than `lock_timeout`.
  static func wait(on db: isolated Connection) throws {
    try AdvisoryLock.periodLocks.hold(.shared, on: db)
    try AdvisoryLock.periodLocks.release(.shared, on: db)
  }

  /// Waits for everyone who holds the locks, and keeps them from looking until the end of the
  /// transaction.
  ///
  /// - Throws: `LockHeld`.
  public static func own(on db: isolated Connection) throws {
    try AdvisoryLock.periodLocks.holdInTransaction(.exclusive, on: db)
  }

  // MARK: - Changing them

  /// Locks through a date; a later lock stays.
  ///
  /// Needs `own`.
  /// - Returns: Whether anything is locked now that was not.
  public static func lock(
    from first: Day, through last: Day, _ scope: PortfolioSelection, by author: Author,
    on db: isolated Connection
  ) throws -> Bool {
    let changed: Int
    switch scope {
    case .all:
      changed = try db.execute(raiseAll, last.postgres)
      _ = try db.execute(forgetEqual)
    case .only: changed = try db.execute(raiseSome, last.postgres, scope.ids)
    }
    guard changed > 0 else { return false }
    try record("lock", from: first, through: last, scope, by: author, on: db)
    return true
  }

  /// Opens a date and all after it.
  ///
  /// Needs `own`. What was booked late because its own date was locked counts on that date again,
  /// and the closed dates from there on are stale.
  ///
  /// - Returns: Nil where nothing of it was locked.
  public static func unlock(
    from first: Day, through last: Day, _ scope: PortfolioSelection, by author: Author,
    on db: isolated Connection
  ) throws -> Returned? {
    let before = (first - 1).postgres
    let changed =
      switch scope {
      case .all: try db.execute(lowerAll, before)
      case .only: try db.execute(lowerSome, before, scope.ids)
      }
    guard changed > 0 else { return nil }
    try record("unlock", from: first, through: last, scope, by: author, on: db)
    var returned = Returned(activities: 0)
    let changes = try db.rows(returnActivities, scope.ids) { row in
      let from = try row.nextDay()
      let change = InputChange(.portfolios(try row.next()), from: from)
      returned.activities += Int(try row.nextInt64())
      return change
    }
    for change in changes { try change.record(on: db) }
    return returned
  }

  /// Records that a run closes locked dates of a range again.
  public static func recordOverride(
    from first: Day, through last: Day, by author: Author, run: Int64,
    on db: isolated Connection
  ) throws {
    try record("override", from: first, through: last, .all, by: author, run: run, on: db)
  }

  private static func record(
    _ action: String, from first: Day, through last: Day, _ scope: PortfolioSelection,
    by author: Author,
    run: Int64? = nil, on db: isolated Connection
  ) throws {
    _ = try db.execute(
      insertHistory, action, first.postgres, last.postgres, scope.ids, author.reason, author.name,
      run)
  }

  /// Deletes the placeholders of a range that nobody works on.
  ///
  /// They hold no number, and would stand in the way of the first open date. Needs `own`.
  public static func discardPlaceholders(
    from first: Day, through last: Day, _ scope: PortfolioSelection, on db: isolated Connection
  ) throws -> Int {
    try db.execute(deletePlaceholders, first.postgres, last.postgres, scope.ids)
  }

  // MARK: - Asking

  /// Which of some slots are locked.
  public static func locked(
    among slots: [Slot], on db: isolated Connection
  ) throws -> Set<Slot> {
    guard !slots.isEmpty else { return [] }
    return Set(
      try db.rows(
        lockedSlots, slots.map(\.portfolio.rawValue), slots.map(\.date.postgres),
        as: { try $0.nextSlot() }))
  }

  /// The portfolios of which a range from `first` on touches locked dates, and their last locked
  /// date; ascending by name.
  ///
  /// - Parameter selection: Only these.
  public static func reaching(
    into first: Day, activeOn last: Day, of selection: PortfolioSelection,
    on db: isolated Connection
  ) throws -> [(name: PortfolioName, through: Day)] {
    try db.rows(touched, first.postgres, last.postgres, selection.ids) {
      (try $0.nextPortfolioName(), try $0.nextDay())
    }
  }

  /// The locks that stand: that of all portfolios first, then those that differ from it.
  public static func standing(
    limit: Int, on db: isolated Connection
  ) throws -> [HeldLock] {
    try db.rows(standingRows, Int64(limit)) {
      HeldLock(
        code: try $0.nextStringOrNil(), through: try $0.nextDay(),
        author: Author(name: try $0.nextString(), reason: try $0.nextString()),
        at: try $0.nextString())
    }
  }

  /// The first date of a scope that is not locked; nil where some portfolio has no lock at all.
  public static func firstOpen(of scope: PortfolioSelection, on db: isolated Connection) throws
    -> Day?
  {
    try db.row(lowest, scope.ids) { try $0.nextDayOrNil() }.flatMap { $0.map { $0 + 1 } }
  }

  /// Whether a run that lives has slots, or may claim some, on or before a date.
  public static func isBusy(through last: Day, on db: isolated Connection) throws -> Bool {
    try db.row(liveLease, last.postgres) { try $0.nextBool() } ?? false
  }
}
