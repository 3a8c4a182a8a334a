public import Accounting
public import Postgres

/// The history of what was started, by whom, and how it ended.
public enum Runs {
  /// How a run ended.
  public enum Ending: String, Sendable {
    case done, failed, interrupted
  }

  /// Records the beginning of a run, before its work, so that a crash leaves it visible.
  ///
  /// - Parameter policy: The policy that it was given for every date; nil: none.
  public static func begin(
    kind: String, from: Day?, through: Day?, host: String, version: String, arguments: String,
    policy: ClosePolicy? = nil, on db: isolated Connection
  ) throws -> Int64 {
    guard
      let id = try db.row(
        insert, kind, from?.postgres, through?.postgres, host, version, arguments,
        policy?.carriedDaysAllowed,
        as: { try $0.nextInt64() })
    else { throw StorageError.noRow("run") }
    return id
  }

  /// Records how a run ended, and ends its lease, if it has one, in the same statement: while a run
  /// is said to be running, its lease says whether it is.
  ///
  /// - Parameter counts: A JSON object.
  public static func end(
    _ run: Int64, _ ending: Ending, exitCode: Int32, counts: String, lease: Lease? = nil,
    on db: isolated Connection
  ) throws {
    _ = try db.execute(
      finish, run, ending.rawValue, exitCode, counts, lease?.claim, lease?.token)
  }

  /// Ends the record of runs whose leases are gone: their processes died without a word.
  public static func endDead(on db: isolated Connection) throws {
    _ = try db.execute(finishDead)
  }

  /// Stops new claims, everywhere.
  public static func pause(reason: String?, on db: isolated Connection) throws {
    _ = try db.execute(insertPause, reason)
  }

  /// Allows new claims again.
  ///
  /// - Returns: False where they were not stopped.
  public static func resume(on db: isolated Connection) throws -> Bool {
    try db.execute(deletePause) > 0
  }

  /// Whether new claims are stopped.
  public static func isPaused(on db: isolated Connection) throws -> Bool {
    try db.row(readPause) { try $0.nextBool() } ?? false
  }

  /// Removes input changes that every slot they could concern has seen.
  ///
  /// While any run holds a lease nothing is removed: it may have read its market before the
  /// change and not yet have claimed the slot that must learn of it.
  public static func forgetSeenChanges(
    exceptLeaseOf claim: Int64?, on db: isolated Connection
  ) throws {
    guard let first = try Staleness.firstChange(on: db) else { return }
    _ = try db.execute(deleteSeenChanges, claim ?? 0, first.postgres)
  }

  /// What is recorded of runs whose leases were gone before they said how they ended.
  static let exitCodeOfLost = -1
  private static let leasedKinds = "('run', 'replay', 'repair equity')"

  private static func hasLiveLease(_ run: String) -> String {
    """
    exists (select from closebell.worker_lease r_lease
        where r_lease.run_id = \(run).id and \(Leases.isAlive("r_lease.claim_id")))
    """
  }

  /// SQL that is true for a row of `batch_runs`, said to be running, whose owner lives: by its
  /// lease, or, of a repair without one, by the lock that only one repair holds.
  static func isAlive(_ run: String) -> String {
    """
    case when \(run).kind in \(leasedKinds) then \(hasLiveLease(run))
      else \(AdvisoryLock.repairs.isHeld) end
    """
  }

  private static let insert = Statement.once(
    "run-begin",
    """
    insert into closebell.batch_runs
      (kind, from_date, to_date, host, version, arguments, carried_days_allowed)
    values ($1::text, $2::date, $3::date, $4::text, $5::text, $6::text, $7::smallint) returning id
    """)
  private static let finish = Statement.once(
    "run-end",
    """
    with ended as (
      delete from closebell.worker_lease where claim_id = $5::bigint and token = $6::bigint)
    update closebell.batch_runs
    set status = $2::text, exit_code = $3::integer, counts = $4::text::jsonb,
      finished_at = pg_catalog.clock_timestamp()
    where id = $1::bigint
    """)
  private static let finishDead = Statement.once(
    "run-end-dead",
    """
    update closebell.batch_runs r
    set status = 'failed', exit_code = \(exitCodeOfLost),
      finished_at = pg_catalog.clock_timestamp()
    where r.status = 'running' and r.kind in \(leasedKinds) and not \(hasLiveLease("r"))
      and r.started_at < pg_catalog.clock_timestamp() - interval '1 minute'
    """)
  private static let insertPause = Statement(
    "pause",
    """
    insert into closebell.pause (reason) values ($1::text)
    on conflict (only_one) do update set reason = excluded.reason
    """)
  private static let deletePause = Statement("resume", "delete from closebell.pause")
  private static let readPause = Statement.once(
    "is-paused", "select exists (select from closebell.pause)")
  private static let deleteSeenChanges = Statement.once(
    "forget-seen-changes",
    """
    delete from closebell.input_changes c
    where c.from_date >= $2::date and (c.epoch < closebell.current_epoch()
        or c.changed_by < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()))
      and not exists (select from closebell.worker_lease l where l.claim_id <> $1::bigint)
      and not exists (select from closebell.portfolio_snapshots s
        where s.snapshot_date >= $2::date and s.snapshot_date >= c.from_date
          and (s.inputs_seen is null
            or not \(Staleness.isSeen("c", by: "s"))))
    """)
}
