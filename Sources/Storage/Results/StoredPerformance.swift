public import Accounting
public import Postgres

/// Reads of what returns of periods are made from.
///
/// All of one portfolio's closes are asked for by its chain, whose index holds them together
/// however many portfolios there are.
public enum StoredPerformance {
  /// A portfolio's complete closes up to a date, ascending; without their management fees.
  public static func steps(
    of portfolio: ID<Portfolio>, through last: Day, on db: isolated Connection
  ) throws -> [PerformanceStep] {
    try db.rows(stepRows, portfolio.rawValue, last.postgres) { row in
      var step = PerformanceStep(
        date: try row.nextDay(), openedFrom: try row.nextDayOrNil(),
        openingEquity: try row.nextFixed(), closingEquity: try row.nextFixed(),
        inflow: try row.nextFixed(), outflow: try row.nextFixed(),
        dailyReturn: try row.nextDoubleOrNil(), indexSince: try row.nextDay())
      step.isStale = try row.nextBool()
      return step
    }
  }

  private static let stepRows = Statement(
    "performance-steps",
    """
    select s.snapshot_date, s.opened_from_date, s.opening_equity, s.closing_equity, s.inflow,
      s.outflow, s.daily_return, s.index_since, \(Staleness.isStale("s"))
    from closebell.portfolio_snapshots s
    where s.portfolio_id = $1::bigint and s.is_complete and s.snapshot_date <= $2::date
    order by s.opened_from_date nulls first
    """)
}
