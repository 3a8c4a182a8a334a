public import Accounting
public import Postgres

/// A row that contradicts another one.
public struct ChainFault: Hashable, Sendable {
  /// Which check found it.
  public var check: String
  /// The portfolio: its code, or its key where there is none.
  public var portfolio: String
  /// The date.
  public var date: Day
  /// What is wrong, in words.
  public var detail: String
}

/// Checks of the stored rows against each other; nothing is recomputed.
///
/// The chain of openings, the identities, rows without a snapshot or too many, ids.
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
  /// Meant to run inside one repeatable-read transaction, so that a run that commits meanwhile is
  /// seen wholly or not at all.
  /// - Parameters:
  ///   - codes: Only these portfolios; empty means all, those that exist no more among them.
  ///   - limit: Most faults kept of each check; they are all counted.
  public static func run(
    from first: Day, through last: Day, codes: [String], limit: Int,
    on db: isolated Connection
  ) throws -> [Outcome] {
    try checks.map { check in
      var outcome = Outcome(check: check.name, count: 0, faults: [])
      let statement = Statement("chain-\(check.name)", Self.framed(check.sql))
      outcome.faults = try db.rows(
        statement, first.postgres, last.postgres, codes, Int64(limit)
      ) { row in
        let fault = ChainFault(
          check: check.name, portfolio: try row.nextString(), date: try row.nextDay(),
          detail: try row.nextString())
        outcome.count = Int(try row.nextInt64())
        return fault
      }
      return outcome
    }
  }

  /// A check's SQL gives portfolio_id, a date and words for every row at fault.
  private static func framed(_ sql: String) -> String {
    """
    select coalesce(p.code, '#' || f.portfolio_id), f.day, f.detail, count(*) over ()
    from (\(sql)) f (portfolio_id, day, detail)
    left join closebell.portfolios p on p.id = f.portfolio_id
    where f.day between $1::date and $2::date
      and (pg_catalog.cardinality($3::text[]) = 0 or p.code = any($3::text[])
        or p.code || '#' || p.id = any($3::text[]))
    order by f.day, f.portfolio_id limit $4::bigint
    """
  }

  private struct Check {
    var name: String
    var sql: String

    init(_ name: String, _ sql: String) {
      self.name = name
      self.sql = sql
    }
  }

  private static let checks = chain + rows + identifiers

  /// Every complete slot beside the complete one before it.
  private static func chained(_ detail: String, where condition: String) -> String {
    """
    select h.portfolio_id, h.snapshot_date, \(detail)
    from (
      select s.*, lag(s.snapshot_date) over w as previous_date,
        lag(s.closing_equity) over w as previous_equity, lag(s.revision) over w as previous_revision
      from closebell.portfolio_snapshots s where s.is_complete
      window w as (partition by s.portfolio_id order by s.snapshot_date)) h
    where \(condition)
    """
  }

  private static let chain = [
    Check(
      "opened-from",
      chained(
        """
        'opened from ' || coalesce(h.opened_from_date::text, 'nothing')
          || ', the closed date before is ' || coalesce(h.previous_date::text, 'none')
        """, where: "h.opened_from_date is distinct from h.previous_date")),
    Check(
      "opening-equity",
      chained(
        """
        'opening equity ' || h.opening_equity || ', closing equity before '
          || coalesce(h.previous_equity, 0)
        """, where: "h.opening_equity is distinct from coalesce(h.previous_equity, 0)")),
    Check(
      "opened-from-revision",
      chained(
        """
        'opened from revision ' || coalesce(h.opened_from_revision::text, 'none')
          || ', which is now ' || coalesce(h.previous_revision::text, 'none')
        """,
        where: """
          h.opened_from_revision is distinct from h.previous_revision
            and not \(Staleness.isStale("h"))
          """)),
    Check(
      "identities",
      """
      select s.portfolio_id, s.snapshot_date, 'its numbers do not add up'
      from closebell.portfolio_snapshots s
      where s.is_complete and (s.closing_equity = s.opening_equity + s.daily_pnl
          + s.net_external_flow and s.closing_equity = s.long_value + s.short_value + s.cash
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

  private static func orphans(_ table: String, _ date: String, _ what: String) -> String {
    """
    select r.portfolio_id, r.\(date), \(what) || ' without a complete snapshot'
    from closebell.\(table) r
    where not exists (select from closebell.portfolio_snapshots s
      where s.snapshot_date = r.\(date) and s.portfolio_id = r.portfolio_id and s.is_complete)
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
        where r.date = s.snapshot_date and r.portfolio_id = s.portfolio_id)
      """),
    Check(
      "missing-holding-irr",
      """
      select v.portfolio_id, v.valuation_date, 'no IRR of holding #' || v.portfolio_fund_id
      from closebell.portfolio_fund_valuations v
      where not exists (select from closebell.portfolio_fund_irr_values r
        where r.date = v.valuation_date and r.portfolio_id = v.portfolio_id
          and r.fund_id = v.portfolio_fund_id)
      """),
  ]

  private static func duplicates(_ table: String) -> String {
    """
    select r.portfolio_id, r.date, 'id ' || r.id || ' stands ' || r.count || ' times'
    from (select t.*, count(*) over (partition by t.id) from closebell.\(table) t) r
    where r.count > 1
    """
  }

  private static func otherConvention(_ table: String) -> String {
    """
    select r.portfolio_id, r.date, 'a row of ' || r.convention || ', the portfolio has '
      || p.irr_convention
    from closebell.\(table) r
    join closebell.portfolios p on p.id = r.portfolio_id
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
