internal import Postgres

// The statements behind Loading. Ranges and keys arrive as parallel arrays; the server joins them.

extension Loading {
  static let openingRows = Statement(
    "load-openings",
    """
    select s.portfolio_id, s.snapshot_date, s.revision, s.closing_equity, s.cash, s.return_index,
      s.index_since, s.cumulative_pnl, s.fingerprint
    from unnest($1::bigint[], $2::date[]) as o (portfolio_id, opened_from)
    join closebell.portfolio_snapshots s
      on s.snapshot_date = o.opened_from and s.portfolio_id = o.portfolio_id and s.is_complete
    order by s.portfolio_id
    """)

  private static let holdingColumns = """
    v.portfolio_id, v.valuation_date, v.portfolio_fund_id, f.instrument_id, v.price_date,
    v.quantity, v.price, v.valuation, v.cost_basis, v.daily_pnl, v.unrealized_pnl,
    v.local_valuation, v.local_cost
    """

  static let holdingRows = Statement(
    "load-holdings",
    """
    select \(holdingColumns)
    from unnest($1::bigint[], $2::date[]) as o (portfolio_id, opened_from)
    join closebell.portfolio_fund_valuations v
      on v.valuation_date = o.opened_from and v.portfolio_id = o.portfolio_id
    join closebell.portfolio_funds f
      on f.portfolio_id = v.portfolio_id and f.id = v.portfolio_fund_id
    order by v.portfolio_id, v.portfolio_fund_id
    """)

  static let holdingRowsOfRange = Statement(
    "load-holdings-of-range",
    """
    select \(holdingColumns)
    from closebell.portfolio_fund_valuations v
    join closebell.portfolio_funds f
      on f.portfolio_id = v.portfolio_id and f.id = v.portfolio_fund_id
    where v.portfolio_id = any($1::bigint[]) and v.valuation_date between $2::date and $3::date
    order by v.portfolio_id, v.valuation_date, v.portfolio_fund_id
    """)

  // A look-up a slot: believing in few rows, the planner would read and sort the whole table for
  // every chunk. `offset 0` keeps it from turning the look-up into a join.
  private static let slots = "unnest($1::bigint[], $2::date[]) as c (portfolio_id, slot_date)"

  static let holdingRowsOfSlots = Statement(
    "load-holdings-of-slots",
    """
    select \(holdingColumns), coalesce(v.realized_pnl, 0), coalesce(v.income, 0),
      coalesce(v.fees, 0), coalesce(v.taxes, 0)
    from \(slots)
    cross join lateral (
      select r.*, h.instrument_id from closebell.portfolio_fund_valuations r
      join closebell.portfolio_funds h
        on h.portfolio_id = r.portfolio_id and h.id = r.portfolio_fund_id
      where r.valuation_date = c.slot_date and r.portfolio_id = c.portfolio_id offset 0) v
    cross join lateral (select v.instrument_id) f
    order by v.valuation_date, v.portfolio_id, v.portfolio_fund_id
    """)

  static let cashRowsOfSlots = Statement(
    "load-cash-balances-of-slots",
    """
    select b.portfolio_id, b.balance_date, b.currency, b.balance, b.base_value
    from \(slots)
    cross join lateral (select r.* from closebell.portfolio_cash_balances r
      where r.balance_date = c.slot_date and r.portfolio_id = c.portfolio_id offset 0) b
    order by b.balance_date, b.portfolio_id, b.currency
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
  private static let booking = "coalesce(a.booked_on, a.activity_date)"

  /// A transfer in kind without an amount and an expiry without a price need the close of their
  /// own date, which may lie before every date that is closed.
  private static let activityColumns = """
    a.portfolio_id, f.instrument_id, a.id, a.activity_date, a.activity_type,
    a.portfolio_fund_id, a.quantity, a.price, a.amount, a.fee, a.currency, a.acquired,
    a.booked_on, r.price_date, r.close
    """
  private static let activityJoins = """
    left join closebell.portfolio_funds f
      on f.portfolio_id = a.portfolio_id and f.id = a.portfolio_fund_id
    left join lateral (
      select p.price_date, p.close from closebell.prices p
      where p.instrument_id = f.instrument_id and p.price_date <= a.activity_date
      order by p.price_date desc limit 1) r
      on a.amount is null and a.activity_type in ('transfer_in', 'transfer_out')
        or a.price is null and a.activity_type = 'expire'
    """

  static let activityRows = Statement(
    "load-activities",
    """
    select \(activityColumns)
    from unnest($1::bigint[], $2::date[], $3::date[]) as o (portfolio_id, opened_from, through)
    join closebell.holding_activity_log a
      on a.portfolio_id = o.portfolio_id and \(booking) > o.opened_from
      and \(booking) <= o.through and a.status = 'active'
    \(activityJoins)
    order by a.portfolio_id, \(booking), a.activity_date, a.id
    """)

  static let historyRows = Statement(
    "load-history",
    """
    select \(activityColumns)
    from unnest($1::bigint[], $2::date[]) as o (portfolio_fund_id, through)
    join closebell.holding_activity_log a
      on a.portfolio_fund_id = o.portfolio_fund_id and a.activity_date <= o.through
      and \(booking) <= o.through and a.status = 'active'
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
      and a.activity_type in ('deposit', 'withdrawal', 'transfer_in', 'transfer_out',
        'investment', 'regular_investment', 'government_uplift', 'product_switch_in',
        'regular_withdrawal', 'product_switch_out')
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
      and a.status = 'active' and a.activity_type = 'fee'
      and i.pricing is distinct from 'valued'
    order by a.portfolio_id, \(booking), a.activity_date, a.id
    """)

  static let statementRows = Statement(
    "load-statements",
    """
    select v.portfolio_id, v.portfolio_fund_id, f.instrument_id, v.valuation_date, v.value
    from unnest($1::bigint[], $2::date[], $3::date[]) as o (portfolio_id, opened_from, through)
    join closebell.statement_valuations v
      on v.portfolio_id = o.portfolio_id and v.valuation_date > o.opened_from
      and v.valuation_date <= o.through
    join closebell.portfolio_funds f
      on f.portfolio_id = v.portfolio_id and f.id = v.portfolio_fund_id
    order by v.portfolio_id, v.valuation_date, v.portfolio_fund_id
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
    select m.portfolio_id, m.as_of, m.moments from closebell.portfolio_irr_moments m
    where m.portfolio_id = any($1::bigint[]) order by m.portfolio_id
    """)
}
