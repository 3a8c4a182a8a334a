import Accounting
import Postgres
import Storage
import TestSupport
import Testing

/// What is read by day for many portfolios is what each of them reads for itself.
@Suite struct DayReadingTests {
  private struct Read: Equatable {
    var activities: [String]
    var statements: [String]

    static func + (one: Read, other: Read) -> Read {
      Read(
        activities: one.activities + other.activities,
        statements: one.statements + other.statements)
    }
  }

  private static func read(
    _ ranges: [LoadRange], on db: isolated Connection
  ) throws -> Read {
    let asked = Set(ranges.map(\.portfolio))
    return Read(
      activities: try Loading.activities(ranges, on: db)
        .filter { asked.contains($0.portfolio) }.map { "\($0)" },
      statements: try Loading.statements(ranges, on: db)
        .filter { asked.contains($0.portfolio) }.map { "\($0)" })
  }

  @Test("portfolios together and one by one have the same activities and statements, in order")
  func togetherOrAlone() async throws {
    let books = try await DemoBooks.fresh()
    try await books.execute(
      """
      update closebell.holding_activity_log set booked_on = activity_date + 2
      where id % 7 = 0;
      update closebell.holding_activity_log set status = 'cancelled' where id % 11 = 0
      """)
    let found = try await books.perform { db in
      let ids = try db.rows(Self.portfolios) { ID<Portfolio>(try $0.nextInt64()) }
      let dates = try db.rows(Self.dates) { Day(number: try $0.nextDate()) }
      var found = 0
      for (index, date) in dates.enumerated() where index.isMultiple(of: 7) {
        // One portfolio alone is read by day for one day only.
        let days = [1, 2, 3, ids.count][index / 7 % 4]
        let ranges = ids.map { LoadRange(portfolio: $0, openedFrom: date - days, through: date) }
        let together = try Self.read(ranges, on: db)
        var alone = Read(activities: [], statements: [])
        for range in ranges { alone = alone + (try Self.read([range], on: db)) }
        #expect(together == alone, "\(days) days up to \(date)")
        found += together.activities.count
      }
      return found
    }
    #expect(found > 0)
  }

  private static let portfolios = Statement(
    "ids", "select id from closebell.portfolios order by id")
  private static let dates = Statement(
    "dates",
    """
    select activity_date from closebell.holding_activity_log
    union select valuation_date from closebell.statement_valuations order by 1
    """)
}
