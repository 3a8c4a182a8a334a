public import Accounting
public import Postgres

/// A portfolio as a plan sees it: its terms and the close that it would go on from.
public struct PlannedPortfolio: Sendable {
  /// The terms.
  public var portfolio: Portfolio
  /// Its latest complete snapshot; nil before the first.
  public var lastComplete: Day?
  /// The last date on which its books are locked; nil where none is.
  public var lockedThrough: Day?
}

/// Which retired portfolios a plan looks at beside those that are active.
public enum RetiredPortfolios: Sendable {
  /// Every one.
  case all
  /// Those whose last date is this one or later, those whose last close is not on their last date,
  /// and these.
  case since(Day, and: [ID<Portfolio>] = [])

  var first: Day {
    switch self {
    case .all: .earliest
    case .since(let first, _): first
    }
  }

  var others: [Int64] {
    switch self {
    case .all: []
    case .since(_, let portfolios): portfolios.map(\.rawValue)
    }
  }
}

/// What is due is asked range by range of portfolio ids, so that a plan's memory is a chunk's.
public enum Planning {
  /// The next portfolios in order of id that began by `date`, the last of the dates at hand.
  ///
  /// - Parameters:
  ///   - after: The range begins after this id.
  ///   - selection: Only these; those that were named are given whether retired or not.
  ///   - retired: Which of those that are not active on `date` are among all; else those with a
  ///     date left to be closed.
  public static func portfolios(
    after: Int64, limit: Int, activeOn date: Day, of selection: PortfolioSelection = .all,
    retired: RetiredPortfolios? = nil, on db: isolated Connection
  ) throws -> [PlannedPortfolio] {
    guard case .only(let named) = selection else {
      let retired = retired ?? .since(date)
      return try eachOnce {
        try db.rows(
          next, after, Int64(limit), date.postgres, retired.first.postgres, retired.others,
          as: Self.decode)
      }
    }
    var left = named.drop { $0.rawValue <= after }
    while !left.isEmpty {
      let range = left.prefix(limit)
      left = left.dropFirst(limit)
      let found = try eachOnce {
        try db.rows(nextNamed, range.map(\.rawValue), date.postgres, as: Self.decode)
      }
      if !found.isEmpty { return found }
    }
    return []
  }

  /// Two of one number would have one book; the later pages begin behind it.
  private static func eachOnce(
    _ read: () throws -> [PlannedPortfolio]
  ) throws -> [PlannedPortfolio] {
    try Slot.lookingUp(read).eachOnce(by: \.portfolio.id, of: "portfolios") { "id \($0)" }
  }

  /// The portfolios whose complete slots were computed without an input change that concerns
  /// them, and the first such date of each.
  ///
  /// - Parameters:
  ///   - through: Later dates are not looked at.
  ///   - includingLocked: Whether locked dates count, which stay as they were reported.
  ///   - selection: Only these portfolios.
  public static func stale(
    through: Day, includingLocked: Bool = false, of selection: PortfolioSelection = .all,
    on db: isolated Connection
  ) throws -> [ID<Portfolio>: Day] {
    // The date as a value, so that the planner reads the dates from there on and no others.
    guard let first = try Staleness.firstChange(on: db) else { return [:] }
    let pairs: [(ID<Portfolio>, Day)] = try db.rows(
      staleFrom, through.postgres, includingLocked, first.postgres, selection.ids
    ) {
      (try $0.nextID(), try $0.nextDay())
    }
    return try Dictionary(rows: pairs, of: "portfolio_snapshots")
  }

  /// Which of some portfolios were retired before a date.
  public static func retired(
    among portfolios: [ID<Portfolio>], before date: Day, on db: isolated Connection
  ) throws -> [ID<Portfolio>] {
    guard !portfolios.isEmpty else { return [] }
    return try db.rows(retiredAmong, portfolios.map(\.rawValue), date.postgres) {
      try $0.nextID()
    }
  }

  /// The complete slots of some portfolios within a range of dates, ascending by portfolio, date.
  public static func completeSlots(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day,
    on db: isolated Connection
  ) throws -> [Slot] {
    let spans = LoadSpans(neighbouring: portfolios)
    let slots = try db.rows(
      complete, spans.firsts, spans.lasts, first.postgres, last.postgres
    ) { try $0.nextSlot() }
    let asked = Set(portfolios)
    return try slots.filter { asked.contains($0.portfolio) }
      .eachOnce(by: \.self, of: "portfolio_snapshots", name: \.rowName)
  }

  /// How many complete slots each of some portfolios, and perhaps others between them, has within
  /// a range of dates; none where it has none.
  public static func completeCounts(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day,
    on db: isolated Connection
  ) throws -> [ID<Portfolio>: Int] {
    let spans = LoadSpans(neighbouring: portfolios)
    let pairs: [(ID<Portfolio>, Int)] = try db.rows(
      completeCount, spans.firsts, spans.lasts, first.postgres, last.postgres
    ) { (try $0.nextID(), Int(try $0.nextInt64())) }
    return try Dictionary(rows: pairs, of: "portfolio_snapshots")
  }

  /// How many rows of the activity log each of some portfolios has.
  public static func activityCounts(
    of portfolios: [ID<Portfolio>], on db: isolated Connection
  ) throws -> [ID<Portfolio>: Int] {
    let pairs: [(ID<Portfolio>, Int)] = try db.rows(activityCount, portfolios.map(\.rawValue)) {
      (try $0.nextID(), Int(try $0.nextInt64()))
    }
    return try Dictionary(rows: pairs, of: "holding_activity_log")
  }

  /// Per portfolio its last complete date before `first`, for those that have one.
  public static func openingsBefore(
    _ first: Day, of portfolios: [ID<Portfolio>], on db: isolated Connection
  ) throws -> [ID<Portfolio>: Day] {
    let pairs: [(ID<Portfolio>, Day)] = try Slot.lookingUp {
      try db.rows(openings, portfolios.map(\.rawValue), first.postgres) {
        (try $0.nextID(), try $0.nextDay())
      }
    }
    return try Dictionary(rows: pairs, of: "portfolio_snapshots")
  }

  private static func decode(_ row: inout RowReader) throws -> PlannedPortfolio {
    let portfolio = Portfolio(
      id: try row.nextID(), code: try row.nextString(), baseCurrency: try row.nextCurrency(),
      inception: try row.nextDay(), calendar: try row.nextString(),
      lotRelief: try row.nextWord(), cashMode: try row.nextWord(),
      dividendMode: try row.nextWord(), irrConvention: try row.nextWord(),
      flowTiming: try row.nextWord(), retiredOn: try row.nextDayOrNil())
    return PlannedPortfolio(
      portfolio: portfolio, lastComplete: try row.nextDayOrNil(),
      lockedThrough: try row.nextDayOrNil())
  }

  /// The last complete date of a portfolio `p`, which most have on one of the last two dates of
  /// all.
  ///
  /// Those are looked for first: their rows lie together, while the chain of each portfolio ends on
  /// a page of its own. A run of one portfolio keeps the planner to the key by date, as it does for
  /// `LoadSpans`: where it believes in few dates, it would walk through all that a portfolio has.
  private static let lastComplete = """
    coalesce(
      \(completeOn("(select l.day from latest l)")),
      \(completeOn("(select l.before from latest l)")),
      (select s.snapshot_date from closebell.portfolio_snapshots s
       where s.portfolio_id = p.id and s.is_complete
       order by s.opened_from_date desc nulls last limit 1))
    """
  private static func completeOn(_ date: String) -> String {
    """
    (select s.snapshot_date from closebell.portfolio_snapshots s
       where s.snapshot_date = \(date) and s.portfolio_id between p.id and p.id
         and s.is_complete)
    """
  }

  /// What a plan needs to know of portfolios `p`.
  ///
  /// - Parameter date: The last of the dates at hand.
  private static func planned(on date: String) -> String {
    """
    with latest (day, before) as materialized (
      select d.day, (select max(s.snapshot_date) from closebell.portfolio_snapshots s
        where s.snapshot_date < d.day)
      from (select max(s.snapshot_date) as day from closebell.portfolio_snapshots s) d)
    select p.id, p.code, p.base_currency, p.inception_date, p.calendar, p.lot_relief, p.cash,
      p.dividends, p.irr_convention, p.flow_timing,
      \(PortfolioName.retiredOn(of: "p", on: date)), closed.through,
      \(PeriodLocks.lockedThrough(of: "p.id"))
    """
  }
  /// The last close of each `p`, looked for once.
  private static let beside =
    "cross join lateral (select \(lastComplete) as through offset 0) closed"
  static let next = Statement(
    "plan-portfolios",
    """
    \(planned(on: "$3::date"))
    from closebell.portfolios p \(beside)
    where p.id > $1::bigint and p.inception_date <= $3::date
      and (p.retired_on is null or p.retired_on >= $4::date
        or p.id in (select unnest($5::bigint[])) or closed.through <> p.retired_on)
    order by p.id limit $2::bigint
    """)
  static let nextNamed = Statement(
    "plan-portfolios-named",
    """
    \(planned(on: "$2::date"))
    from unnest($1::bigint[]) as n (id)
    cross join lateral (select r.* from closebell.portfolios r
      where r.id = n.id and r.inception_date <= $2::date offset 0) p
    \(beside)
    order by p.id
    """)
  /// A change that locked slots have not seen stays for ever: where everybody is locked through
  /// some date, nothing before it is read.
  private static let staleFrom = Statement.once(
    "plan-stale",
    """
    select s.portfolio_id, min(s.snapshot_date)
    from (\(closedDays("$3::date", "$1::date"))) d
    cross join lateral (
      select r.portfolio_id, r.snapshot_date, r.inputs_epoch, r.inputs_seen
      from closebell.portfolio_snapshots r where r.snapshot_date = d.day and r.is_complete
      offset 0) s
    where \(PortfolioSelection.contains("s.portfolio_id", "$4::bigint[]"))
      and ($2::boolean or s.snapshot_date > coalesce(
        (select min(l.locked_through) from closebell.period_locks l
         having bool_or(l.portfolio_id = 0)), '-infinity'))
      and ($2::boolean
        or not \(PeriodLocks.isLocked("s.snapshot_date", of: "s.portfolio_id")))
      and \(Staleness.isStale("s"))
    group by s.portfolio_id
    """)
  private static let retiredAmong = Statement(
    "plan-retired",
    """
    select p.id from closebell.portfolios p
    where p.retired_on < $2::date and p.id in (select unnest($1::bigint[])) order by p.id
    """)
  /// SQL of the dates of a range on which a slot stands, read from one to the next: of a table of
  /// years nothing but the range is read, whatever the planner thinks of it.
  private static func closedDays(_ first: String, _ last: String) -> String {
    """
    with recursive closed (day) as (
      select min(r.snapshot_date) from closebell.portfolio_snapshots r
      where r.snapshot_date between \(first) and \(last)
      union all
      select (select min(r.snapshot_date) from closebell.portfolio_snapshots r
        where r.snapshot_date > closed.day and r.snapshot_date <= \(last))
      from closed where closed.day is not null)
    select day from closed where day is not null
    """
  }

  /// From one closed date to the next, and along the key of each: what is read are the rows of the
  /// range, whether it has one date or all of them.
  private static let completeInRange = """
    from (\(closedDays("$3::date", "$4::date"))) d
    cross join unnest($1::bigint[], $2::bigint[]) as o (first_id, last_id)
    cross join lateral (
      select r.portfolio_id, r.snapshot_date from closebell.portfolio_snapshots r
      where r.snapshot_date = d.day and r.portfolio_id between o.first_id and o.last_id
        and r.is_complete
      offset 0) s
    """
  private static let complete = Statement(
    "plan-complete-slots",
    """
    select s.portfolio_id, s.snapshot_date
    \(completeInRange)
    order by s.portfolio_id, s.snapshot_date
    """)
  private static let completeCount = Statement(
    "plan-complete-counts",
    """
    select s.portfolio_id, count(*)
    \(completeInRange)
    group by s.portfolio_id
    """)
  private static let activityCount = Statement(
    "plan-activity-counts",
    """
    select o.portfolio_id, (select count(*) from closebell.holding_activity_log a
      where a.portfolio_id = o.portfolio_id)
    from unnest($1::bigint[]) as o (portfolio_id)
    """)
  /// Along the chain's own key, which leads from any date straight to the slot before it.
  private static let openings = Statement(
    "plan-openings-before",
    """
    select o.id, o.snapshot_date from (
      select p.id, coalesce(
        (select s.snapshot_date from closebell.portfolio_snapshots s
         where s.portfolio_id = p.id and s.opened_from_date < $2::date
           and s.snapshot_date < $2::date and s.is_complete
         order by s.opened_from_date desc nulls last limit 1),
        (select s.snapshot_date from closebell.portfolio_snapshots s
         where s.portfolio_id = p.id and s.opened_from_date is null
           and s.snapshot_date < $2::date and s.is_complete)) as snapshot_date
      from unnest($1::bigint[]) as p (id)) o
    where o.snapshot_date is not null
    """)
}

/// When a complete slot no longer follows from its inputs.
enum Staleness {
  /// The first date that any recorded change concerns; nil where none is recorded.
  static func firstChange(on db: isolated Connection) throws -> Day? {
    try db.row(firstDate) { try $0.nextDayOrNil() } ?? nil
  }

  private static let firstDate = Statement.once(
    "changes-first", "select min(c.from_date) from closebell.input_changes c")

  /// SQL that is true where a row of `input_changes` could be seen when the inputs of a row of
  /// `portfolio_snapshots` were read.
  ///
  /// Transaction numbers are compared within an epoch only: each database that a dump was restored
  /// into counts anew.
  static func isSeen(_ change: String, by slot: String) -> String {
    """
    case when \(change).epoch = \(slot).inputs_epoch
      then pg_catalog.pg_visible_in_snapshot(\(change).changed_by, \(slot).inputs_seen)
      else \(change).epoch < \(slot).inputs_epoch end
    """
  }

  /// SQL that is true for a row of `portfolio_snapshots` that some input change concerns and
  /// whose inputs were read before that change could be seen.
  static func isStale(_ slot: String) -> String {
    "exists (select from closebell.input_changes c where \(concerns(slot)))"
  }

  /// SQL that is true for a change `c` that makes the slot stale.
  static func concerns(_ slot: String) -> String {
    """
    (c.from_date <= \(slot).snapshot_date
        and not \(isSeen("c", by: slot))
        and \(InputChange.concerns("\(slot).portfolio_id")))
    """
  }
}
