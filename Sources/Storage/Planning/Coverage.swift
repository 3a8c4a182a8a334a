public import Accounting
public import Postgres

/// How far the books are closed, date by date.
public enum Coverage {
  /// The slots of one date by state.
  public struct Row: Sendable {
    /// The date.
    public var date: Day
    /// Closed, the degraded ones among them.
    public var complete: Int
    /// Closed with too many carried or missing prices.
    public var degraded: Int
    /// Being closed, or left behind by an owner who is gone; not beyond a portfolio's last date.
    public var claimed: Int
    /// Tried in vain, the reason stands in the slot; not beyond a portfolio's last date, where
    /// nobody is going to close it.
    public var failed: Int
    /// Closed, but an input changed since; without the locked ones.
    public var stale: Int
    /// Closed, and locked: they stay as they were reported.
    public var locked: Int
    /// Locked ones of which an input changed since.
    public var lockedStale: Int
    /// Closed beyond the last dates of portfolios that were retired later, and not locked.
    public var beyond: Int

    /// A date without any slot.
    public static func none(on date: Day) -> Row {
      Row(
        date: date, complete: 0, degraded: 0, claimed: 0, failed: 0, stale: 0, locked: 0,
        lockedStale: 0, beyond: 0)
    }
  }

  /// A slot that could not be closed, and why.
  public struct Failure: Sendable {
    /// The portfolio.
    public var portfolio: PortfolioName
    /// The date.
    public var date: Day
    /// Why.
    public var error: String
  }

  /// A run of the past.
  public struct Run: Sendable {
    /// Its number.
    public var id: Int64
    /// The command.
    public var kind: String
    /// The first and last date that it was for.
    public var dates: (from: Day?, through: Day?)
    /// running, done, failed, interrupted; lost: it never said how it ended, and holds nothing
    /// any more.
    public var status: String
    /// When it began, UTC.
    public var startedAt: String
    /// How long it took; nil while it runs.
    public var seconds: Double?
  }

  /// One row a date in the range on which any slot exists, ascending.
  ///
  /// - Parameter scope: Only these portfolios.
  public static func byDate(
    from first: Day, through last: Day, of scope: PortfolioSelection = .all,
    on db: isolated Connection
  ) throws -> [Row] {
    try db.rows(states, first.postgres, last.postgres, scope.ids) {
      Row(
        date: try $0.nextDay(), complete: Int(try $0.nextInt64()),
        degraded: Int(try $0.nextInt64()), claimed: Int(try $0.nextInt64()),
        failed: Int(try $0.nextInt64()), stale: Int(try $0.nextInt64()),
        locked: Int(try $0.nextInt64()), lockedStale: Int(try $0.nextInt64()),
        beyond: Int(try $0.nextInt64()))
    }
  }

  /// The first and the last date with a complete slot; nil before the first close.
  public static func extent(on db: isolated Connection) throws -> (first: Day, last: Day)? {
    let range = try db.row(firstAndLast) { (try $0.nextDayOrNil(), try $0.nextDayOrNil()) }
    guard let range, let first = range.0, let last = range.1 else { return nil }
    return (first, last)
  }

  /// Per portfolio active at some time in the range: its calendar, and from when to when it is
  /// expected to be closed (its first complete date through its last, or the range's end);
  /// what is locked is not expected any more.
  ///
  /// - Parameter scope: Only these portfolios.
  public static func expectations(
    from first: Day, through last: Day, of scope: PortfolioSelection = .all,
    on db: isolated Connection
  ) throws -> [(calendar: String, from: Day, through: Day, count: Int)] {
    try db.rows(expected, first.postgres, last.postgres, scope.ids) {
      (
        try $0.nextString(), try $0.nextDay(), try $0.nextDay(), Int(try $0.nextInt64())
      )
    }
  }

  /// The slots of the range that failed, at most `limit` of them.
  public static func failures(
    from first: Day, through last: Day, limit: Int, on db: isolated Connection
  ) throws -> [Failure] {
    try db.rows(failed, first.postgres, last.postgres, Int64(limit)) {
      Failure(
        portfolio: try $0.nextPortfolioName(), date: try $0.nextDay(), error: try $0.nextString())
    }
  }

  /// The latest runs, the newest first.
  public static func runs(limit: Int, on db: isolated Connection) throws -> [Run] {
    try db.rows(latestRuns, Int64(limit)) {
      Run(
        id: try $0.nextInt64(), kind: try $0.nextString(),
        dates: (try $0.nextDayOrNil(), try $0.nextDayOrNil()), status: try $0.nextString(),
        startedAt: try $0.nextString(), seconds: try $0.nextDoubleOrNil())
    }
  }

  /// SQL that joins the portfolios that are retired, which are few, to slots.
  static func joiningRetired(_ slot: String, as retired: String) -> String {
    """
    left join closebell.portfolios \(retired)
      on \(retired).id = \(slot).portfolio_id and \(retired).retired_on is not null
    """
  }

  /// SQL that is true for a slot beyond its portfolio's last date.
  static func isBeyond(_ slot: String, _ portfolio: String) -> String {
    "coalesce(\(slot).snapshot_date > \(portfolio).retired_on, false)"
  }

  private static let states = Statement(
    "coverage-by-date",
    """
    select s.snapshot_date, count(*) filter (where s.is_complete),
      count(*) filter (where s.is_degraded),
      count(*) filter (where s.state = 'claimed' and not s.is_beyond),
      count(*) filter (where s.state = 'failed' and not s.is_beyond),
      count(*) filter (where s.is_stale and not s.is_locked),
      count(*) filter (where s.is_complete and s.is_locked),
      count(*) filter (where s.is_stale and s.is_locked),
      count(*) filter (where s.is_complete and s.is_beyond and not s.is_locked)
    from (
      select s.*, \(isBeyond("s", "r")) as is_beyond,
        s.is_complete and \(Staleness.isStale("s")) as is_stale,
        \(PeriodLocks.isLocked("s.snapshot_date", of: "s.portfolio_id")) as is_locked
      from closebell.portfolio_snapshots s
      \(joiningRetired("s", as: "r"))
      where s.snapshot_date between $1::date and $2::date
        and \(PortfolioSelection.contains("s.portfolio_id", "$3::bigint[]"))) s
    group by s.snapshot_date order by s.snapshot_date
    """)
  private static let firstAndLast = Statement(
    "coverage-extent",
    """
    select min(s.snapshot_date), max(s.snapshot_date)
    from closebell.portfolio_snapshots s where s.is_complete
    """)
  private static let expected = Statement(
    "coverage-expected",
    """
    with first_close as (
      select s.portfolio_id, s.snapshot_date
      from closebell.portfolio_snapshots s
      where s.is_complete and s.opened_from_date is null)
    select p.calendar,
      greatest(f.snapshot_date, $1::date, \(PeriodLocks.lockedThrough(of: "p.id")) + 1),
      least(p.retired_on, $2::date), count(*)
    from closebell.portfolios p join first_close f on f.portfolio_id = p.id
    where f.snapshot_date <= $2::date and (p.retired_on is null or p.retired_on >= $1::date)
      and \(PortfolioSelection.contains("p.id", "$3::bigint[]"))
    group by 1, 2, 3
    """)
  private static let failed = Statement(
    "coverage-failures",
    """
    select \(PortfolioName.columns(of: "p", on: "$2::date")), s.snapshot_date, s.error
    from closebell.portfolio_snapshots s join closebell.portfolios p on p.id = s.portfolio_id
    where s.snapshot_date between $1::date and $2::date and s.state = 'failed'
      and not \(isBeyond("s", "p"))
    order by s.snapshot_date, p.code, p.id limit $3::bigint
    """)
  private static let latestRuns = Statement(
    "coverage-runs",
    """
    select r.id, r.kind, r.from_date, r.to_date,
      case when r.exit_code = \(Runs.exitCodeOfLost)
          or r.status = 'running' and not \(Runs.isAlive("r"))
        then 'lost' else r.status end,
      \(MomentText.sql("r.started_at")),
      extract(epoch from r.finished_at - r.started_at)::float8
    from closebell.batch_runs r order by r.id desc limit $1::bigint
    """)
}
