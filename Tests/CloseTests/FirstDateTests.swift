import Accounting
import Import
import TestSupport
import Testing

@testable import Close

@Suite struct FirstDateTests {
  @Test("what was paid in on the first of all dates counts, however a date is closed")
  func firstOfAll() async throws {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date,calendar
      OLD,Old,USD,\(Day.earliest),every_day

      """)
    try await books.importText(
      .activities,
      """
      id,portfolio,date,type,amount
      1,OLD,\(Day.earliest),deposit,100
      2,OLD,\(Day.earliest + 1),deposit,50
      3,OLD,\(Day.earliest + 2),interest,10

      """)
    let dates = (0...3).map { (Day.earliest + $0).description }
    for date in dates { #expect(try await books.close(date).exitCode == 0) }
    let before = try await books.tables()
    let verified = try await books.verify { _ in }
    let isClean = verified.isClean
    #expect(isClean)
    let report = try await books.replay(dates[0], dates[3])
    #expect(report.counts.completed == 0 && report.counts.unchanged == 4)
    #expect(try await books.tables() == before)
  }
}
