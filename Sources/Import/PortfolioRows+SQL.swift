internal import Postgres

// A row that retires means the portfolio already retired on its date, so that a file that retires
// one can be imported twice; else the active one of its code. Any other row means the active one,
// unless a row of the chunk retires it; else it is new.

extension PortfolioRows {
  static let matchRetired = Statement(
    "import-portfolios-match-retired",
    """
    update pg_temp.import_portfolios s set id = coalesce(
      (select max(p.id) from closebell.portfolios p
       where p.code = s.code and p.retired_on = s.retired_on),
      (select p.id from closebell.portfolios p where p.code = s.code and p.retired_on is null))
    where s.retired_on is not null
    """)

  static let match = Statement(
    "import-portfolios-match",
    """
    update pg_temp.import_portfolios s set id =
      (select p.id from closebell.portfolios p where p.code = s.code and p.retired_on is null)
    where s.retired_on is null and not exists (
      select from pg_temp.import_portfolios r join closebell.portfolios p on p.id = r.id
      where r.code = s.code and r.retired_on is not null and p.retired_on is null)
    """)

  static let keepLast = Statement(
    "import-portfolios-keep-last",
    """
    delete from pg_temp.import_portfolios s using pg_temp.import_portfolios later
    where later.id = s.id and later.row_number > s.row_number
    """)

  static let findLateInceptions = Statement(
    "import-portfolios-late-inceptions",
    """
    select s.row_number, 'inception_date',
      'the portfolio has activities before ' || s.inception_date
    from pg_temp.import_portfolios s
    join closebell.portfolios p on p.id = s.id and p.inception_date < s.inception_date
    where exists (
      select from closebell.holding_activity_log a
      where a.portfolio_id = s.id and a.activity_date < s.inception_date)
    """)

  /// Terms on which closed dates rest.
  static let findRestated = Statement(
    "import-portfolios-restated",
    """
    select row_number, field, 'cannot change after the first close without --restate'
    from (
      select s.row_number, s.id,
        case when s.base_currency <> p.base_currency then 'base_currency'
          when s.lot_relief <> p.lot_relief then 'lot_relief'
          when s.cash <> p.cash then 'cash'
          when s.dividends <> p.dividends then 'dividends'
          when s.irr_convention <> p.irr_convention then 'irr_convention'
          when s.flow_timing <> p.flow_timing then 'flow_timing' end as field
      from pg_temp.import_portfolios s join closebell.portfolios p on p.id = s.id) changed
    where field is not null and exists (
      select from closebell.portfolio_snapshots c
      where c.portfolio_id = changed.id and c.is_complete)
    """)

  static let update = Statement(
    "import-portfolios-update",
    """
    with written as (
      update closebell.portfolios p set name = s.name, base_currency = s.base_currency,
        inception_date = s.inception_date, calendar = coalesce(s.calendar, old.calendar),
        lot_relief = coalesce(s.lot_relief, old.lot_relief), cash = coalesce(s.cash, old.cash),
        dividends = coalesce(s.dividends, old.dividends),
        irr_convention = coalesce(s.irr_convention, old.irr_convention),
        flow_timing = coalesce(s.flow_timing, old.flow_timing),
        retired_on = coalesce(s.retired_on, old.retired_on)
      from pg_temp.import_portfolios s join closebell.portfolios old on old.id = s.id
      where p.id = s.id and (
        s.name <> old.name or s.base_currency <> old.base_currency
        or s.inception_date <> old.inception_date or s.calendar <> old.calendar
        or s.lot_relief <> old.lot_relief or s.cash <> old.cash or s.dividends <> old.dividends
        or s.irr_convention <> old.irr_convention or s.flow_timing <> old.flow_timing
        or coalesce(s.retired_on, old.retired_on) is distinct from old.retired_on)
      returning p.id, least(old.inception_date, p.inception_date) as from_date,
        (p.base_currency, p.inception_date, p.calendar, p.lot_relief, p.cash, p.dividends,
          p.irr_convention, p.flow_timing)
        <> (old.base_currency, old.inception_date, old.calendar, old.lot_relief, old.cash,
          old.dividends, old.irr_convention, old.flow_timing) as is_other
    ), marked as (
      insert into closebell.input_changes (from_date, portfolio_ids)
      select min(from_date), array_agg(id) from written where is_other having count(*) > 0
    ), forgotten as (
      delete from closebell.portfolio_irr_moments m using written
      where m.portfolio_id = written.id and written.is_other
    )
    select 0::bigint, count(*) from written
    """)

  static let insert = Statement(
    "import-portfolios-insert",
    """
    insert into closebell.portfolios (code, name, base_currency, inception_date, calendar,
      lot_relief, cash, dividends, irr_convention, flow_timing, retired_on)
    select code, name, base_currency, inception_date, coalesce(calendar, 'weekdays'),
      coalesce(lot_relief, 'fifo'), coalesce(cash, 'base'), coalesce(dividends, 'recorded'),
      coalesce(irr_convention, 'xirr_act365'), coalesce(flow_timing, 'inflows_at_start'),
      retired_on
    from pg_temp.import_portfolios where id is null order by row_number
    """)
}
