public import Accounting
public import Postgres

extension Coverage {
  /// A slot that is not as it should be, by name.
  public struct Flaw: Hashable, Sendable {
    /// The portfolio.
    public var portfolio: PortfolioName
    /// The date.
    public var date: Day
    /// missing, claimed, failed or stale.
    public var state: String
  }

  /// The slots of a range that stand but are claimed, failed or stale, and not locked; ascending
  /// by date, then code.
  public static func flaws(
    from first: Day, through last: Day, of scope: PortfolioSelection, limit: Int,
    on db: isolated Connection
  ) throws -> [Flaw] {
    try db.rows(flawed, first.postgres, last.postgres, scope.ids, Int64(limit), as: decodeFlaw)
  }

  /// The portfolios that ought to have a slot on some dates of their calendars, and have none.
  public static func missing(
    on dates: [(calendar: String, date: Day)], of scope: PortfolioSelection, limit: Int,
    on db: isolated Connection
  ) throws -> [Flaw] {
    try db.rows(
      absent, dates.map(\.calendar), dates.map(\.date.postgres), scope.ids, Int64(limit),
      as: decodeFlaw)
  }

  private static func decodeFlaw(_ row: inout RowReader) throws -> Flaw {
    Flaw(
      portfolio: try row.nextPortfolioName(), date: try row.nextDay(),
      state: try row.nextString())
  }

  private static let flawed = Statement(
    "coverage-flaws",
    """
    select \(PortfolioName.columns(of: "p", on: "$2::date")), s.snapshot_date,
      case when s.is_complete then 'stale' else s.state::text end
    from closebell.portfolio_snapshots s join closebell.portfolios p on p.id = s.portfolio_id
    where s.snapshot_date between $1::date and $2::date
      and \(PortfolioSelection.contains("s.portfolio_id", "$3::bigint[]"))
      and (not s.is_complete and not \(isBeyond("s", "p")) or \(Staleness.isStale("s")))
      and not \(PeriodLocks.isLocked("s.snapshot_date", of: "s.portfolio_id"))
    order by s.snapshot_date, p.code, p.id limit $4::bigint
    """)
  private static let absent = Statement(
    "coverage-missing",
    """
    select
      \(PortfolioName.columns(of: "p", on: "(select max(l) from unnest($2::date[]) as l)")),
      d.day, 'missing'
    from unnest($1::text[], $2::date[]) as d (calendar, day)
    join closebell.portfolios p on p.calendar = d.calendar
      and (p.retired_on is null or p.retired_on >= d.day)
    where \(PortfolioSelection.contains("p.id", "$3::bigint[]"))
      and exists (select from closebell.portfolio_snapshots f
        where f.portfolio_id = p.id and f.opened_from_date is null and f.is_complete
          and f.snapshot_date <= d.day)
      and not exists (select from closebell.portfolio_snapshots s
        where s.snapshot_date = d.day and s.portfolio_id = p.id)
      and not \(PeriodLocks.isLocked("d.day", of: "p.id"))
    order by d.day, p.code, p.id limit $4::bigint
    """)
}
