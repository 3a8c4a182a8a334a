import Accounting
import Postgres
import Storage
import TestSupport
import Testing

/// What is read by day for runs of portfolios is what each of them has in its range.
@Suite struct DayReadingTests {
  /// The demo's books, with activities that were booked late, and some that were cancelled.
  private static func books() async throws -> DemoBooks {
    let books = try await DemoBooks.fresh()
    try await books.execute(
      """
      update closebell.holding_activity_log set booked_on = activity_date + 2 where id % 7 = 0;
      update closebell.holding_activity_log set status = 'cancelled' where id % 11 = 0
      """)
    return books
  }

  /// Every third portfolio is not asked for, and rows of it may come; every fifth is asked from its
  /// first activity on, and every seventh up to a later date.
  private static func ranges(
    _ ids: [ID<Portfolio>], days: Int, through date: Day
  ) -> [LoadRange] {
    ids.enumerated().filter { $0.offset % 3 != 2 }.map { position, id in
      LoadRange(
        portfolio: id, openedFrom: position % 5 == days ? nil : date - days,
        through: position % 7 == 6 ? date + 1 : date)
    }
  }

  private static func expected(
    _ query: Postgres.Statement, _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> [String] {
    try ranges.flatMap { range in
      try db.rows(
        query, range.portfolio.rawValue,
        PostgresDate(days: (range.openedFrom ?? .earliest - 1).number),
        PostgresDate(days: range.through.number)
      ) { try $0.nextString() }
    }
  }

  @Test("ranges with gaps, of different lengths, have what plain queries say, in order")
  func asPlainQueries() async throws {
    let books = try await Self.books()
    let found = try await books.perform { db in
      let ids = try db.rows(Self.portfolios) { ID<Portfolio>(try $0.nextInt64()) }
      let dates = try db.rows(Self.dates) { Day(number: try $0.nextDate()) }
      var found = (activities: 0, statements: 0)
      for days in 1...4 {
        for (index, date) in dates.enumerated() where index % 29 == days {
          let ranges = Self.ranges(ids, days: days, through: date)
          let asked = Set(ranges.map(\.portfolio))
          let activities = try Loading.activities(ranges, on: db)
            .filter { asked.contains($0.portfolio) }
            .map { "\($0.portfolio.rawValue) \($0.activity.id)" }
          let statements = try Loading.statements(ranges, on: db)
            .filter { asked.contains($0.portfolio) }
            .map { "\($0.portfolio.rawValue) \($0.date) \($0.holding.rawValue)" }
          #expect(activities == (try Self.expected(Self.activities, ranges, on: db)), "\(date)")
          #expect(statements == (try Self.expected(Self.statements, ranges, on: db)), "\(date)")
          found.activities += activities.count
          found.statements += statements.count
        }
      }
      return found
    }
    #expect(found.activities > 0)
    #expect(found.statements > 0)
  }

  // MARK: - SQL

  private static let portfolios = Statement(
    "ids", "select id from closebell.portfolios order by id")
  private static let dates = Statement(
    "dates",
    """
    select activity_date from closebell.holding_activity_log
    union select valuation_date from closebell.statement_valuations order by 1
    """)
  private static let activities = Statement(
    "activities",
    """
    select portfolio_id || ' ' || id from closebell.holding_activity_log
    where portfolio_id = $1::bigint and status = 'active'
      and coalesce(booked_on, activity_date) > $2::date
      and coalesce(booked_on, activity_date) <= $3::date
    order by coalesce(booked_on, activity_date), activity_date, id
    """)
  private static let statements = Statement(
    "statements",
    """
    select portfolio_id || ' ' || valuation_date || ' ' || portfolio_fund_id
    from closebell.statement_valuations
    where portfolio_id = $1::bigint and valuation_date > $2::date and valuation_date <= $3::date
    order by valuation_date, portfolio_fund_id
    """)
}
