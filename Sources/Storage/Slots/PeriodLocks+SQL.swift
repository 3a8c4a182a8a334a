internal import Accounting
internal import Postgres

// The statements behind PeriodLocks, and what other statements say of locks.

extension PeriodLocks {
  /// SQL for the last locked date of a portfolio; null where nothing is locked.
  public static func lockedThrough(of portfolio: String) -> String {
    """
    coalesce(
      (select l.locked_through from closebell.period_locks l where l.portfolio_id = \(portfolio)),
      (select l.locked_through from closebell.period_locks l where l.portfolio_id = 0))
    """
  }

  /// SQL that is true for a locked date of a portfolio, false for any other.
  public static func isLocked(_ date: String, of portfolio: String) -> String {
    "coalesce(\(date) <= \(lockedThrough(of: portfolio)), false)"
  }

  static let raiseAll = Statement(
    "locks-raise-all",
    """
    with common as (
      insert into closebell.period_locks as l (portfolio_id, locked_through) values (0, $1::date)
      on conflict (portfolio_id) do update set locked_through = excluded.locked_through
        where l.locked_through < excluded.locked_through
      returning 1
    ), own as (
      update closebell.period_locks l set locked_through = $1::date
      where l.portfolio_id <> 0 and l.locked_through < $1::date returning 1
    )
    select 1 from common union all select 1 from own
    """)
  /// A row that says what row 0 says is none.
  static let forgetEqual = Statement(
    "locks-forget-equal",
    """
    delete from closebell.period_locks l using closebell.period_locks everybody
    where everybody.portfolio_id = 0 and l.portfolio_id <> 0
      and l.locked_through = everybody.locked_through
    """)
  static let raiseSome = Statement(
    "locks-raise-some",
    """
    insert into closebell.period_locks (portfolio_id, locked_through)
    select p, $1::date from unnest($2::bigint[]) as p
    where not \(isLocked("$1::date", of: "p"))
    on conflict (portfolio_id) do update set locked_through = excluded.locked_through
    """)
  static let lowerAll = Statement(
    "locks-lower-all",
    """
    update closebell.period_locks set locked_through = $1::date
    where locked_through > $1::date
    """)
  static let lowerSome = Statement(
    "locks-lower-some",
    """
    insert into closebell.period_locks (portfolio_id, locked_through)
    select p, $1::date from unnest($2::bigint[]) as p
    where \(isLocked("$1::date + 1", of: "p"))
    on conflict (portfolio_id) do update set locked_through = excluded.locked_through
    """)
  static let returnActivities = Statement(
    "locks-return-activities",
    """
    with returned as (
      update closebell.holding_activity_log a set booked_on = null
      where a.booked_on is not null
        and \(PortfolioSelection.contains("a.portfolio_id", "$1::bigint[]"))
        and not \(isLocked("a.activity_date", of: "a.portfolio_id"))
      returning a.portfolio_id, a.activity_date
    ), from_dates as (
      select portfolio_id, min(activity_date) as from_date, count(*) as activities
      from returned group by 1
    )
    select from_date, array_agg(portfolio_id), sum(activities)::bigint
    from from_dates group by 1 order by 1
    """)
  static let insertHistory = Statement(
    "locks-history",
    """
    insert into closebell.period_lock_history
      (action, from_date, through_date, portfolio_ids, reason, done_by, run_id)
    values ($1::text, $2::date, $3::date, $4::bigint[], $5::text, $6::text, $7::bigint)
    """)
  static let deletePlaceholders = Statement(
    "locks-discard-placeholders",
    """
    delete from closebell.portfolio_snapshots s
    where s.snapshot_date between $1::date and $2::date and not s.is_complete
      and \(PortfolioSelection.contains("s.portfolio_id", "$3::bigint[]"))
      and (s.state = 'failed' or not \(Leases.isAlive("s.claim_id")))
    """)

  static let lockedSlots = Statement(
    "locks-among-slots",
    """
    select c.portfolio_id, c.snapshot_date
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, snapshot_date)
    where \(isLocked("c.snapshot_date", of: "c.portfolio_id"))
    """)
  static let touched = Statement(
    "locks-touched",
    """
    select \(PortfolioName.columns(of: "p", on: "$2::date")), p.locked_through from (
      select p.*, \(lockedThrough(of: "p.id")) as locked_through from closebell.portfolios p) p
    where p.locked_through >= greatest($1::date, p.inception_date)
      and \(PortfolioSelection.contains("p.id", "$3::bigint[]"))
      and ($3::bigint[] is not null or p.retired_on is null or p.retired_on >= $1::date)
    order by p.code, p.id
    """)
  static let standingRows = Statement(
    "locks-standing",
    """
    select case when l.portfolio_id <> 0 then \(PortfolioName.text(of: "p")) end,
      l.locked_through, coalesce(h.done_by, ''), coalesce(h.reason, ''),
      coalesce(\(MomentText.sql("h.done_at")), '')
    from closebell.period_locks l
    left join closebell.portfolios p on p.id = l.portfolio_id
    left join lateral (
      select * from closebell.period_lock_history h
      where h.action <> 'override'
        and (h.portfolio_ids is null or l.portfolio_id = any(h.portfolio_ids))
      order by h.id desc limit 1) h on true
    order by l.portfolio_id <> 0, p.code, p.id limit $1::bigint
    """)
  static let lowest = Statement(
    "locks-lowest",
    """
    select case when $1::bigint[] is null then
        (select min(l.locked_through) from closebell.period_locks l
         having bool_or(l.portfolio_id = 0))
      else
        (select case when count(t) = count(*) then min(t) end
         from (select \(lockedThrough(of: "p")) as t from unnest($1::bigint[]) as p) q)
      end
    """)
  static let liveLease = Statement(
    "locks-live-lease",
    """
    select exists (select from closebell.worker_lease w
      where w.first_date <= $1::date and \(Leases.isAlive("w.claim_id")))
    """)
}
