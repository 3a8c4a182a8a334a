internal import Glibc
public import Postgres

/// Moves sequences forward until every column lies behind them; never back.
///
/// Sessions that draw at the same time are the danger: who reads `last_value`, thinks, and then
/// calls `setval` puts the sequence back behind whatever was drawn in between, and those values are
/// given out twice. So there are two ways, and neither has that gap:
/// - It is *set*, while nobody can draw: `nextval` and `setval` hold a ROW EXCLUSIVE lock on the
///   sequence until their transaction ends, and ALTER SEQUENCE takes SHARE ROW EXCLUSIVE, which
///   conflicts. Between it and the commit `last_value` stands still, so what is read after it is
///   true when `setval` is called. It takes effect as a whole or not at all, steps over all taken
///   values at once, and makes other sessions forget values that they drew ahead (CACHE).
/// - Where that lock is not to be had, or the role may not alter, it is *drawn*: `nextval`, as
///   often as needed. It only ever adds to the sequence as it stands, in whatever order sessions
///   draw. But it goes through the taken values, and others may be given one of them meanwhile.
///
/// What this cannot know: a value that was inserted by hand and is not committed yet, and values
/// below the largest one that a session drew ahead, where it is drawn. Both end with the
/// transaction or session; `check` afterwards tells.
public enum SequenceRepair {
  /// What came of it.
  public enum Outcome: Sendable {
    /// It was ahead already.
    case nothingToDo
    /// It was, or in a dry run would be, moved: what it would have given, what it gives next.
    case moved(from: Int128, to: Int128)
    /// It is behind and stays so, and why.
    case refused(String)
  }

  /// Farthest way that is drawn at once: about 60 ms.
  static let longestDraw: Int128 = 100_000
  /// Farthest way that is drawn by a role that may not alter the sequence: some seconds.
  static let longestForStranger: Int128 = 10_000_000

  /// Repairs one sequence; a second time there is nothing to do.
  ///
  /// - Parameters:
  ///   - taken: A value that is in use, whatever the columns show; nil where none is known.
  ///   - isDry: Whether only to say what would be done.
  /// - Returns: What came of it, and what was seen last.
  /// - Throws: `PostgresError` where the connection fails. A lock that was not given within the
  ///   session's `lock_timeout`, and a right that is missing, are outcomes.
  public static func repair(
    _ sequence: CataloguedSequence, taken: Int64? = nil, isDry: Bool = false,
    on db: isolated Connection
  ) throws -> (Outcome, SequenceHealth) {
    var health = try SequenceReader.look(at: sequence, taken: taken, on: db)
    guard let before = health.next, health.gap > 0 else {
      let reason = health.state == .exhausted ? whyNot(health) : unread(health)
      return (reason.map { .refused($0) } ?? .nothingToDo, health)
    }
    // Rows with values by hand may come in while it moves; the sequence is looked at again.
    for _ in 0..<5 where health.gap > 0 {
      guard let target = health.repaired else { return (.refused(whyNot(health)), health) }
      if isDry { return (.moved(from: before, to: target), health) }
      do {
        try move(health, to: target, on: db)
      } catch let error as PostgresError where !error.connectionIsLost && error.kind == .server {
        return (.refused(reason(error)), health)
      }
      health = try SequenceReader.look(at: sequence, taken: taken, on: db)
    }
    guard let after = health.next, health.gap == 0 else {
      return (.refused("values are inserted by hand faster than it can be moved"), health)
    }
    return (.moved(from: before, to: after), health)
  }

  private static func move(
    _ health: SequenceHealth, to target: Int128, on db: isolated Connection
  ) throws {
    let sequence = health.sequence
    if sequence.isOurs {
      do {
        return try jump(sequence, to: target, on: db)
      } catch let error as PostgresError
        where error.waitedTooLongForLock && health.draws <= longestDraw
      {
        // Somebody who drew does not end: better through taken values than not at all.
      }
    }
    guard health.draws <= longestForStranger else {
      throw PostgresError(
        .server, "it is too far behind to be drawn forward",
        sqlState: SQLState.insufficientPrivilege)
    }
    var left = Int64(health.draws)
    while left > 0 {
      let count = min(left, Int64(longestDraw))
      _ = try db.row(draw, sequence.oid, count) { try $0.nextInt64() }
      left -= count
    }
  }

  /// Asks for the lock again and again, at first briefly each time.
  ///
  /// Whoever wants to draw queues up behind somebody who waits for this lock. Patience doubles up
  /// to two seconds, or transactions that last longer would keep the lock from being had for ever.
  private static func jump(
    _ sequence: CataloguedSequence, to target: Int128, on db: isolated Connection
  ) throws {
    let limit = try db.row(lockTimeout) { try $0.nextInt64() } ?? 0
    let deadline = ContinuousClock.now + .milliseconds(limit)
    var patience: Int64 = 100
    while true {
      do {
        return try db.transaction { db in
          _ = try db.row(waitBriefly, patience) { try $0.nextString() }
          // As it is; what counts is the lock.
          try db.execute(sql: "alter sequence \(sequence.name) cache \(sequence.cache)")
          let health = try SequenceReader.look(at: sequence.alone, on: db)
          guard let next = health.next, next.isBefore(target, sequence) else { return }
          // Where a step leads from beyond what the server counts, no value is the one before.
          guard let last = Int64(exactly: target - Int128(sequence.increment)) else {
            throw PostgresError(
              .server, "it has no value before \(target)", sqlState: SQLState.sequenceLimitExceeded)
          }
          _ = try db.row(set, sequence.oid, last) { try $0.nextInt64() }
        }
      } catch let error as PostgresError where error.waitedTooLongForLock {
        if limit > 0, ContinuousClock.now >= deadline { throw error }
        usleep(UInt32.random(in: 20_000...60_000))
        patience = min(patience * 2, 2_000)
      }
    }
  }

  /// Why nothing could be said of it, where that is so.
  private static func unread(_ health: SequenceHealth) -> String? {
    guard health.state == .unchecked else { return nil }
    let reasons = zip(health.sequence.users, health.readings).compactMap { user, reading in
      if case .none(let why) = reading.coverage { "\(user.table): \(why)" } else { nil as String? }
    }
    return reasons.isEmpty ? "it could not be read" : reasons.joined(separator: "; ")
  }

  private static func whyNot(_ health: SequenceHealth) -> String {
    if health.state == .exhausted { return "its range is used up: widen it or the column" }
    let extreme = health.farthest.flatMap { health.readings[$0].extreme } ?? 0
    if health.state == .beyondRange {
      return "it never comes to \(extreme): widen it, alter sequence … maxvalue …"
    }
    return "after \(extreme) its range has nothing left: widen it or the column, or free that value"
  }

  private static func reason(_ error: PostgresError) -> String {
    switch error.sqlState {
    case SQLState.lockNotAvailable: "sessions that drew from it did not end within lock_timeout"
    case SQLState.insufficientPrivilege: "\(error.message); run as its owner"
    default: error.message
    }
  }

  private static let draw = Statement.once(
    "sequence-draw",
    """
    select max(pg_catalog.nextval($1::bigint::oid::regclass))
    from pg_catalog.generate_series(1, $2::bigint)
    """)
  private static let set = Statement.once(
    "sequence-set", "select pg_catalog.setval($1::bigint::oid::regclass, $2::bigint, true)")
  private static let lockTimeout = Statement.once(
    "sequence-lock-timeout",
    "select s.setting::bigint from pg_catalog.pg_settings s where s.name = 'lock_timeout'")
  private static let waitBriefly = Statement.once(
    "sequence-wait-briefly",
    """
    select pg_catalog.set_config('lock_timeout',
      least(nullif(s.setting::bigint, 0), $1::bigint)::text, true)
    from pg_catalog.pg_settings s where s.name = 'lock_timeout'
    """)
}

extension CataloguedSequence {
  /// Without its columns: what has to be read where only the sequence counts.
  var alone: CataloguedSequence {
    var copy = self
    copy.users = []
    return copy
  }
}

extension Int128 {
  /// Whether a sequence gives this value earlier than the other.
  func isBefore(_ other: Int128, _ sequence: CataloguedSequence) -> Bool {
    sequence.increment < 0 ? self > other : self < other
  }
}
