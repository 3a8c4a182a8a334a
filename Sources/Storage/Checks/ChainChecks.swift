public import Accounting
public import Postgres

/// A row that contradicts another one.
public struct ChainFault: Hashable, Sendable {
  /// Which check found it.
  public var check: String
  /// The portfolio's name, or its key where there is none.
  public var portfolio: String
  /// The date.
  public var date: Day
  /// What is wrong, in words.
  public var detail: String
}

/// Checks of the stored rows against each other; nothing is recomputed.
///
/// The chain of openings, the identities, rows without a snapshot or too many, ids.
///
/// Tables are passed once, side by side in the order of their keys or through a hash, and not
/// joined row by row: a planner that has not heard of the dates takes each for one row, and would
/// as soon look through a whole date for every row. So each table names the range of dates itself.
/// Only the closed date before the range is looked up, once a portfolio.
public enum ChainChecks {
  /// What one check found.
  public struct Outcome: Sendable {
    /// Its name.
    public var check: String
    /// How many rows are at fault.
    public var count: Int
    /// The first of them by date.
    public var faults: [ChainFault]
  }

  /// Runs every check over a range of dates; one set-based statement each.
  ///
  /// To be called in a repeatable-read transaction, so that a run that commits meanwhile is seen
  /// wholly or not at all; it settles how the rest of that transaction is planned.
  /// - Parameters:
  ///   - selection: Only these portfolios; those that exist no more are among all.
  ///   - limit: Most faults kept of each check; they are all counted.
  public static func run(
    from first: Day, through last: Day, of selection: PortfolioSelection, limit: Int,
    on db: isolated Connection
  ) throws -> [Outcome] {
    try db.execute(sql: "set local enable_nestloop = off")
    return try checks.flatMap { check in
      var outcomes = check.names.map { Outcome(check: $0, count: 0, faults: []) }
      let statement = Statement("chain-\(check.names[0])", Self.framed(check.sql))
      let rows = try db.rows(
        statement, first.postgres, last.postgres, selection.ids, Int64(limit)
      ) {
        (
          fault: ChainFault(
            check: try $0.nextString(), portfolio: try $0.nextString(), date: try $0.nextDay(),
            detail: try $0.nextString()), count: Int(try $0.nextInt64())
        )
      }
      for row in rows {
        guard let index = check.names.firstIndex(of: row.fault.check) else { continue }
        outcomes[index].count = row.count
        outcomes[index].faults.append(row.fault)
      }
      return outcomes
    }
  }

  /// A check's SQL gives its name, portfolio_id, a date and words for every row at fault; codes are
  /// looked up for these alone, which `offset 0` sees to.
  private static func framed(_ sql: String) -> String {
    """
    select g.name, coalesce(g.known_as, '#' || g.portfolio_id), g.day, g.detail, g.total
    from (
      select f.*, \(PortfolioName.text(of: "p")) as known_as,
        count(*) over (partition by f.name) as total,
        row_number() over (partition by f.name order by f.day, f.portfolio_id) as place
      from (select c.* from (\(sql)) c (name, portfolio_id, day, detail)
        where c.day between $1::date and $2::date offset 0) f
      left join closebell.portfolios p on p.id = f.portfolio_id
      where \(PortfolioSelection.contains("f.portfolio_id", "$3::bigint[]"))) g
    where g.place <= $4::bigint order by g.name, g.place
    """
  }

  /// Checks that are made in one go, and SQL that finds every row at fault by one of them.
  private struct Check {
    var names: [String]
    var sql: String

    init(_ name: String, _ sql: String) {
      names = [name]
      self.sql = "select '\(name)', r.* from (\(sql)) r"
    }

    init(_ names: [String], together sql: String) {
      self.names = names
      self.sql = sql
    }
  }

  private static let checks = [chain] + identities + rows + identifiers

  // MARK: - The chain

  private static func linkColumns(of row: String) -> String {
    """
    \(row).portfolio_id, \(row).snapshot_date, \(row).opened_from_date, \(row).opening_equity,
    \(row).closing_equity, \(row).revision, \(row).opened_from_revision, \(row).inputs_seen,
    \(row).inputs_epoch
    """
  }

  /// The closed date before the range, along the chain's own key; see `Planning.openingsBefore`.
  private static let dateBefore = """
    select b.* from (
      (select \(linkColumns(of: "r")) from closebell.portfolio_snapshots r
       where r.portfolio_id = p.id and r.opened_from_date < $1::date
         and r.snapshot_date < $1::date and r.is_complete
       order by r.opened_from_date desc nulls last limit 1)
      union all
      (select \(linkColumns(of: "r")) from closebell.portfolio_snapshots r
       where r.portfolio_id = p.id and r.opened_from_date is null
         and r.snapshot_date < $1::date and r.is_complete)) b
    order by b.snapshot_date desc limit 1
    """

  /// Every complete slot of the range beside the complete one before it.
  ///
  /// A stale one may open from what the one before was until it was replaced: it is going to be
  /// closed again.
  private static let chain = Check(
    ["opened-from", "opening-equity", "opened-from-revision"],
    together: """
      select k.name, h.portfolio_id, h.snapshot_date, k.detail
      from (
        select s.*, lag(s.snapshot_date) over w as previous_date,
          lag(s.closing_equity) over w as previous_equity,
          lag(s.revision) over w as previous_revision
        from (
          select \(linkColumns(of: "s")) from closebell.portfolio_snapshots s
          where s.is_complete and s.snapshot_date between $1::date and $2::date
          union all
          select o.* from closebell.portfolios p cross join lateral (\(dateBefore)) o) s
        window w as (partition by s.portfolio_id order by s.snapshot_date)) h
      cross join lateral (values
        ('opened-from', case when h.opened_from_date is distinct from h.previous_date then
          'opened from ' || coalesce(h.opened_from_date::text, 'nothing')
            || ', the closed date before is ' || coalesce(h.previous_date::text, 'none') end),
        ('opening-equity',
          case when h.opening_equity is distinct from coalesce(h.previous_equity, 0)
            and not (h.opened_from_revision is distinct from h.previous_revision
              and \(Staleness.isStale("h"))) then
          'opening equity ' || h.opening_equity || ', closing equity before '
            || coalesce(h.previous_equity, 0) end),
        ('opened-from-revision',
          case when h.opened_from_revision is distinct from h.previous_revision
            and not \(Staleness.isStale("h")) then
          'opened from revision ' || coalesce(h.opened_from_revision::text, 'none')
            || ', which is now ' || coalesce(h.previous_revision::text, 'none') end)
        ) k (name, detail)
      where h.snapshot_date >= $1::date and k.detail is not null
      """)

  private static let identities = [
    Check(
      "identities",
      """
      select s.portfolio_id, s.snapshot_date, 'its numbers do not add up'
      from closebell.portfolio_snapshots s
      where s.is_complete and (s.closing_equity = s.opening_equity + s.daily_pnl
          + s.net_external_flow and s.closing_equity = s.long_value + s.short_value + s.cash
          + coalesce(s.receivables, 0)
        and s.net_external_flow = s.inflow - s.outflow
        and s.daily_pnl = s.realized_pnl + s.unrealized_change + s.income - s.fees - s.taxes
          + s.fx_pnl + s.prior_period_adjustment) is not true
      """),
    Check(
      "state",
      """
      select s.portfolio_id, s.snapshot_date, 'complete is ' || s.is_complete || ', state is '
        || s.state
      from closebell.portfolio_snapshots s where s.is_complete <> (s.state = 'complete')
      """),
  ]

  private static func inRange(_ date: String) -> String {
    "\(date) between $1::date and $2::date"
  }

  private static func orphans(_ table: String, _ date: String, _ what: String) -> String {
    """
    select r.portfolio_id, r.\(date), \(what) || ' without a complete snapshot'
    from closebell.\(table) r
    where not exists (select from closebell.portfolio_snapshots s
      where s.snapshot_date = r.\(date) and s.portfolio_id = r.portfolio_id
        and s.is_complete and \(inRange("s.snapshot_date")))
    """
  }

  private static let rows = [
    Check(
      "orphaned-holding-rows",
      orphans(
        "portfolio_fund_valuations", "valuation_date", "'a row of holding #' || r.portfolio_fund_id"
      )),
    Check(
      "orphaned-cash-balances",
      orphans("portfolio_cash_balances", "balance_date", "'a balance in ' || r.currency")),
    Check(
      "orphaned-receivables",
      orphans("portfolio_receivables", "balance_date", "'a receivable of ' || r.pay_date")),
    Check(
      "orphaned-holding-irr",
      orphans("portfolio_fund_irr_values", "date", "'an IRR of holding #' || r.fund_id")),
    Check("orphaned-irr", orphans("portfolio_irr_values", "date", "'an IRR'")),
    Check(
      "unknown-holding",
      """
      select v.portfolio_id, v.valuation_date,
        'a row of holding #' || v.portfolio_fund_id || ', which the portfolio does not have'
      from closebell.portfolio_fund_valuations v
      where not exists (select from closebell.portfolio_funds f
        where f.portfolio_id = v.portfolio_id and f.id = v.portfolio_fund_id)
      """),
    Check(
      "missing-irr",
      """
      select s.portfolio_id, s.snapshot_date, 'no IRR of the portfolio'
      from closebell.portfolio_snapshots s
      where s.is_complete and not exists (select from closebell.portfolio_irr_values r
        where r.date = s.snapshot_date and r.portfolio_id = s.portfolio_id
          and \(inRange("r.date")))
      """),
    Check(
      "missing-holding-irr",
      """
      select v.portfolio_id, v.valuation_date, 'no IRR of holding #' || v.portfolio_fund_id
      from closebell.portfolio_fund_valuations v
      where not exists (select from closebell.portfolio_fund_irr_values r
        where r.date = v.valuation_date and r.portfolio_id = v.portfolio_id
          and r.fund_id = v.portfolio_fund_id and \(inRange("r.date")))
      """),
  ]

  /// Among the dates of the range: no key leads to the other dates' ids.
  private static func duplicates(_ table: String) -> String {
    """
    select r.portfolio_id, r.date, 'id ' || r.id || ' stands ' || d.times || ' times'
    from (select t.id, count(*) as times from closebell.\(table) t
      where \(inRange("t.date")) group by t.id having count(*) > 1) d
    join closebell.\(table) r on r.id = d.id and \(inRange("r.date"))
    """
  }

  private static func otherConvention(_ table: String) -> String {
    """
    select r.portfolio_id, r.date, 'a row of ' || r.convention || ', the portfolio has '
      || p.irr_convention
    from closebell.\(table) r join closebell.portfolios p on p.id = r.portfolio_id
    where r.convention <> p.irr_convention
    """
  }

  private static let identifiers = [
    Check("duplicate-irr-id", duplicates("portfolio_irr_values")),
    Check("duplicate-holding-irr-id", duplicates("portfolio_fund_irr_values")),
    Check("irr-convention", otherConvention("portfolio_irr_values")),
    Check("holding-irr-convention", otherConvention("portfolio_fund_irr_values")),
    Check(
      "unknown-portfolio",
      """
      select s.portfolio_id, s.snapshot_date, 'a snapshot of a portfolio that does not exist'
      from closebell.portfolio_snapshots s
      where not exists (select from closebell.portfolios p where p.id = s.portfolio_id)
      """),
  ]
}
