internal import Postgres

// A row that retires means the portfolio already retired on its date, so that a file that retires
// one can be imported twice; else the active one of its code. Any other row means the active one,
// unless a row of the chunk retires it; else it is new.
//
// A stored row is looked up by its id: kept from becoming a join, which the planner, who knows
// nothing of a staging table, may begin with all portfolios.

extension PortfolioRows {
  private static let storedRow =
    "select o.* from closebell.portfolios o where o.id = s.id offset 0"

  /// On what closes rest.
  private static func terms(_ row: String) -> String {
    [
      "base_currency", "inception_date", "calendar", "lot_relief", "cash", "dividends",
      "irr_convention", "flow_timing",
    ].map { "\(row).\($0)" }.joined(separator: ", ")
  }

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
    where s.retired_on is null and s.code not in (
      select r.code from pg_temp.import_portfolios r join closebell.portfolios p on p.id = r.id
      where r.retired_on is not null and p.retired_on is null)
    """)

  static let keepLast = Statement(
    "import-portfolios-keep-last",
    """
    delete from pg_temp.import_portfolios s
    where s.id is not null and s.row_number not in (
      select max(r.row_number) from pg_temp.import_portfolios r
      where r.id is not null group by r.id)
    """)

  static let findLateInceptions = Statement(
    "import-portfolios-late-inceptions",
    """
    select s.row_number, 'inception_date',
      'the portfolio has activities before ' || s.inception_date
    from pg_temp.import_portfolios s cross join lateral (\(storedRow)) p
    where p.inception_date < s.inception_date and exists (
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
      from pg_temp.import_portfolios s cross join lateral (\(storedRow)) p) changed
    where field is not null and exists (
      select from closebell.portfolio_snapshots c
      where c.portfolio_id = changed.id and c.is_complete)
    """)

  /// The other half of the statement still sees a written row as it was.
  static let update = Statement(
    "import-portfolios-update",
    """
    with written as (
      insert into closebell.portfolios as p (id, code, name, base_currency, inception_date,
        calendar, lot_relief, cash, dividends, irr_convention, flow_timing, retired_on)
      select s.id, s.code, s.name, s.base_currency, s.inception_date,
        coalesce(s.calendar, old.calendar), coalesce(s.lot_relief, old.lot_relief),
        coalesce(s.cash, old.cash), coalesce(s.dividends, old.dividends),
        coalesce(s.irr_convention, old.irr_convention),
        coalesce(s.flow_timing, old.flow_timing), coalesce(s.retired_on, old.retired_on)
      from pg_temp.import_portfolios s cross join lateral (\(storedRow)) old
      where s.name <> old.name or s.base_currency <> old.base_currency
        or s.inception_date <> old.inception_date or s.calendar <> old.calendar
        or s.lot_relief <> old.lot_relief or s.cash <> old.cash or s.dividends <> old.dividends
        or s.irr_convention <> old.irr_convention or s.flow_timing <> old.flow_timing
        or coalesce(s.retired_on, old.retired_on) is distinct from old.retired_on
      on conflict on constraint portfolios_key do update set name = excluded.name,
        base_currency = excluded.base_currency, inception_date = excluded.inception_date,
        calendar = excluded.calendar, lot_relief = excluded.lot_relief, cash = excluded.cash,
        dividends = excluded.dividends, irr_convention = excluded.irr_convention,
        flow_timing = excluded.flow_timing, retired_on = excluded.retired_on
      returning p.id, p.inception_date, (\(terms("p"))) as terms
    ), changed as (
      select w.id, least(old.inception_date, w.inception_date) as from_date
      from written w cross join lateral (
        select o.* from closebell.portfolios o where o.id = w.id offset 0) old
      where w.terms <> (\(terms("old")))
    )
    select 0::bigint, (select count(*) from written), min(from_date), array_agg(id) from changed
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
