internal import Accounting
internal import Postgres

// The statements behind Loading. Ranges and keys arrive as parallel arrays; the server joins them.

extension Loading {
  static let openingRows = Statement(
    "load-openings",
    """
    select s.portfolio_id, s.snapshot_date, s.revision, s.closing_equity, s.cash, s.return_index,
      s.index_since, s.cumulative_pnl, s.fingerprint, coalesce(s.receivable_count, 0::smallint)
    from \(LoadSpans.rows(
      of: "portfolio_snapshots", on: "snapshot_date", as: "s", where: "r.is_complete"))
    """)

  private static let holdingColumns = """
    v.portfolio_id, v.valuation_date, v.portfolio_fund_id, \(instrument(of: "v")),
    v.price_date, v.quantity, v.price, v.valuation, v.cost_basis, v.daily_pnl, v.unrealized_pnl,
    v.local_valuation, v.local_cost
    """

  /// Rows from before version 11 do not say it themselves.
  private static func instrument(of row: String) -> String {
    """
    coalesce(\(row).instrument_id, (select f.instrument_id from closebell.portfolio_funds f
      where f.portfolio_id = \(row).portfolio_id and f.id = \(row).portfolio_fund_id))
    """
  }

  /// A row of a holding that is not there belongs to nothing; verify and repair find it.
  private static func isHeld(_ row: String) -> String { "\(instrument(of: row)) is not null" }

  private static let holdings = """
    \(LoadSpans.rows(of: "portfolio_fund_valuations", on: "valuation_date", as: "v"))
    where \(isHeld("v"))
    """

  static let holdingRows = Statement(
    "load-holdings",
    """
    select \(holdingColumns)
    from \(holdings)
    """)

  static let holdingRowsOfSlots = Statement(
    "load-holdings-of-slots",
    """
    select \(holdingColumns), coalesce(v.realized_pnl, 0), coalesce(v.income, 0),
      coalesce(v.fees, 0), coalesce(v.taxes, 0)
    from \(holdings)
    """)

  static let cashRowsOfSlots = Statement(
    "load-cash-balances-of-slots",
    """
    select b.portfolio_id, b.balance_date, b.currency, b.balance, b.base_value
    from \(LoadSpans.rows(of: "portfolio_cash_balances", on: "balance_date", as: "b"))
    """)

  static let cashRows = Statement(
    "load-cash-balances",
    """
    select b.portfolio_id, b.currency, b.balance, b.base_value
    from unnest($1::bigint[], $2::date[]) as o (portfolio_id, opened_from)
    join closebell.portfolio_cash_balances b
      on b.balance_date = o.opened_from and b.portfolio_id = o.portfolio_id
    order by b.portfolio_id, b.currency
    """)

  /// The date on which an activity enters the books, as it is indexed.
  private static let booking = booking("a")
  private static func booking(_ activity: String) -> String {
    "coalesce(\(activity).booked_on, \(activity).activity_date)"
  }

  /// Some need the close of their own date (a transfer in kind without an amount, an expiry without
  /// a price), which may lie before every date that is closed.
  ///
  /// Joins are look-ups that remember, so that few activities do not cost a walk through all
  /// holdings.
  private static let activityColumns = """
    a.portfolio_id, f.instrument_id, a.id, a.activity_date, a.activity_type,
    a.portfolio_fund_id, a.quantity, a.price, a.amount, a.fee, a.currency, a.acquired,
    a.booked_on, r.price_date, r.close, a.pay_date
    """
  private static let activityJoins = """
    left join lateral (
      select h.instrument_id from closebell.portfolio_funds h
      where h.portfolio_id = a.portfolio_id and h.id = a.portfolio_fund_id offset 0) f on true
    left join lateral (
      select p.price_date, p.close from closebell.prices p
      where (a.amount is null
            and a.activity_type in (\(ActivityType.words { $0.referenceClose == .withoutAmount }))
          or a.price is null
            and a.activity_type in (\(ActivityType.words { $0.referenceClose == .withoutPrice })))
        and p.instrument_id = f.instrument_id and p.price_date <= a.activity_date
      order by p.price_date desc limit 1) r on true
    """

  /// Not sorted: the index gives nearly the order, and the sort of a first close's histories would
  /// not fit in the server's memory.
  static let activityRows = Statement(
    "load-activities",
    """
    select \(activityColumns)
    from unnest($1::bigint[], $2::date[], $3::date[]) as o (portfolio_id, opened_from, through)
    cross join lateral (
      select b.* from closebell.holding_activity_log b
      where b.portfolio_id = o.portfolio_id and \(booking("b")) > o.opened_from
        and \(booking("b")) <= o.through and b.status = 'active' offset 0) a
    \(activityJoins)
    """)

  /// A day's activities lie together, whoever's they are.
  static let activityRowsOfDays = Statement(
    "load-activities-of-days",
    """
    select \(activityColumns)
    from \(LoadSpans.rowsByDay(
      of: "holding_activity_log", on: booking("r"), as: "a", where: "r.status = 'active'"))
    \(activityJoins)
    """)

  static let historyRows = Statement(
    "load-history",
    """
    select \(activityColumns)
    from unnest($1::bigint[], $2::date[]) as o (portfolio_fund_id, through)
    cross join lateral (
      select b.* from closebell.holding_activity_log b
      where b.portfolio_fund_id = o.portfolio_fund_id and b.activity_date <= o.through
        and \(booking("b")) <= o.through and b.status = 'active' offset 0) a
    \(activityJoins)
    order by a.portfolio_id, a.portfolio_fund_id, \(booking), a.activity_date, a.id
    """)

  static let externalRows = Statement(
    "load-external-flows",
    """
    select \(activityColumns)
    from closebell.holding_activity_log a
    \(activityJoins)
    where a.portfolio_id = any($1::bigint[]) and \(booking) <= $2::date
      and a.status = 'active'
      and a.activity_type in (\(ActivityType.words { $0.isExternalFlow }))
    order by a.portfolio_id, \(booking), a.activity_date, a.id
    """)

  static let feeRows = Statement(
    "load-fees",
    """
    select \(activityColumns)
    from closebell.holding_activity_log a
    \(activityJoins)
    left join closebell.instruments i on i.id = f.instrument_id
    where a.portfolio_id = $1::bigint and \(booking) <= $2::date
      and a.status = 'active' and a.activity_type in (\(ActivityType.words { $0.kind == .fee }))
      and i.pricing is distinct from 'valued'
    order by a.portfolio_id, \(booking), a.activity_date, a.id
    """)

  /// A look-up a holding, and none where a portfolio has no statements at all.
  ///
  /// The index by day does not know the bare columns.
  static let statementRows = Statement(
    "load-statements",
    """
    select v.portfolio_id, v.portfolio_fund_id, f.instrument_id, v.valuation_date, v.value
    from unnest($1::bigint[], $2::date[], $3::date[]) as o (portfolio_id, opened_from, through)
    cross join lateral (
      select h.id, h.instrument_id from closebell.portfolio_funds h
      where h.portfolio_id = o.portfolio_id and exists (
        select from closebell.statement_valuations s where s.portfolio_id = o.portfolio_id)
      offset 0) f
    cross join lateral (
      select r.* from closebell.statement_valuations r
      where r.portfolio_id = o.portfolio_id and r.portfolio_fund_id = f.id
        and r.valuation_date > o.opened_from and r.valuation_date <= o.through
      offset 0) v
    """)

  static let statementRowsOfDays = Statement(
    "load-statements-of-days",
    """
    select v.portfolio_id, v.portfolio_fund_id, f.instrument_id, v.valuation_date, v.value
    from \(LoadSpans.rowsByDay(
      of: "statement_valuations", on: "r.valuation_date + 0", as: "v"))
    cross join lateral (
      select h.instrument_id from closebell.portfolio_funds h
      where h.portfolio_id = v.portfolio_id and h.id = v.portfolio_fund_id offset 0) f
    """)

  static let statementDateRows = Statement(
    "load-statement-dates",
    """
    select o.portfolio_fund_id, v.valuation_date
    from unnest($1::bigint[], $2::bigint[], $3::date[])
      as o (portfolio_id, portfolio_fund_id, through)
    cross join lateral (
      select s.valuation_date from closebell.statement_valuations s
      where s.portfolio_id = o.portfolio_id and s.portfolio_fund_id = o.portfolio_fund_id
        and s.valuation_date <= o.through
      order by s.valuation_date desc limit 1) v
    """)

  static let momentRows = Statement(
    "load-moments",
    """
    select m.portfolio_id, m.as_of, m.moments
    from \(LoadSpans.runs)
    cross join lateral (
      select r.* from closebell.portfolio_irr_moments r
      where r.portfolio_id between o.first_id and o.last_id offset 0) m
    """)
}
