import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// A date that failed, and cannot or need not be closed any more, holds up none after it.
@Suite struct StuckSlotTests {
  /// ASH holds cash; BIRCH a share, and is not closed strictly without its price of the date.
  private func books() async throws -> DemoBooks {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .instruments, "symbol,name,kind,currency\nOAK,Oak,equity,GBP\n")
    try await books.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date,calendar
      ASH,Ash,GBP,2017-01-02,weekdays
      BIRCH,Birch,GBP,2017-01-02,weekdays

      """)
    for date in ["2017-01-03", "2017-06-27"] { try await importPrice(date, into: books) }
    try await books.importText(
      .activities,
      """
      id,portfolio,date,type,symbol,quantity,price,amount,currency
      A1,ASH,2017-01-03,deposit,,,,1000,GBP
      B1,BIRCH,2017-01-03,deposit,,,,1000,GBP
      B2,BIRCH,2017-01-03,buy,OAK,10,10,,GBP

      """)
    return books
  }

  private func importPrice(_ date: String, into books: DemoBooks) async throws {
    try await books.importText(.prices, "date,symbol,close,currency\n\(date),OAK,10,GBP\n")
  }

  private func strict(_ change: (inout RunSettings) -> Void = { _ in }) -> RunSettings {
    DemoBooks.settings {
      $0.waitSeconds = 0
      $0.isStrict = true
      $0.policy = ClosePolicy(maxCarriedBusinessDays: 0)
      change(&$0)
    }
  }

  /// What stands of BIRCH.
  private static let birch = """
    select s.snapshot_date || ':' || s.state from closebell.portfolio_snapshots s
    join closebell.portfolios p on p.id = s.portfolio_id
    where p.code = 'BIRCH' order by s.snapshot_date
    """

  @Test("a failed date that turns out to be a holiday gives way to the date after it")
  func holiday() async throws {
    let books = try await books()
    #expect(try await books.close("2017-06-27", strict()).exitCode == 0)
    #expect(try await books.close("2017-06-28", strict()).counts.failed == 1)
    try await books.importText(.calendars, "calendar,date,open\nweekdays,2017-06-28,false\n")
    try await importPrice("2017-06-29", into: books)
    let next = try await books.close("2017-06-29", strict())
    #expect(next.exitCode == 0, "\(next.failures)")
    #expect(
      try await books.texts(Self.birch) == ["2017-06-27:complete", "2017-06-29:complete"])
    #expect(try await books.verify().isClean)
  }

  @Test("a first date that fails is tried again first, and passed over without catching up")
  func firstDate() async throws {
    let books = try await books()
    #expect(try await books.close("2017-06-28", strict()).counts.failed == 1)
    try await importPrice("2017-06-29", into: books)
    let again = try await books.close("2017-06-29", strict())
    #expect(again.counts.failed == 1 && again.counts.blocked == 1)
    let passed = try await books.close("2017-06-29", strict { $0.catchesUp = false })
    #expect(passed.exitCode == 0, "\(passed.failures)")
    #expect(try await books.texts(Self.birch) == ["2017-06-29:complete"])
    try await importPrice("2017-06-28", into: books)
    #expect(try await books.replay("2017-06-28", "2017-06-28", strict()).exitCode == 0)
    #expect(
      try await books.texts(Self.birch) == ["2017-06-28:complete", "2017-06-29:complete"])
    #expect(try await books.verify().isClean)
  }

  @Test("a failed date over which its month was locked gives way to the first open one")
  func locked() async throws {
    let books = try await books()
    let birch = strict { $0.codes = ["BIRCH"] }
    #expect(try await books.close("2017-06-28", birch).counts.failed == 1)
    let ash = strict { $0.codes = ["ASH"] }
    #expect(try await books.close("2017-07-03", ash).exitCode == 0)
    let (first, last) = (try #require(Day("2017-06-01")), try #require(Day("2017-06-30")))
    _ = try await books.perform { db in
      try PeriodLocking.lock(
        LockRequest(
          first: first, last: last, codes: [],
          author: PeriodLocks.Author(name: "test", reason: "test"), force: true), on: db)
    }
    try await importPrice("2017-07-03", into: books)
    let next = try await books.close("2017-07-03", strict())
    #expect(next.exitCode == 0, "\(next.failures)")
    #expect(try await books.texts(Self.birch) == ["2017-07-03:complete"])
  }

  @Test("a failed date of a portfolio that was retired before it goes with a cleanup")
  func retired() async throws {
    let books = try await books()
    #expect(try await books.close("2017-06-27", strict()).exitCode == 0)
    #expect(try await books.close("2017-06-28", strict()).counts.failed == 1)
    #expect(try await books.perform { db in try DeadOwners.discardRetired(on: db) } == 0)
    try await books.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date,calendar,retired_on
      BIRCH,Birch,GBP,2017-01-02,weekdays,2017-06-27

      """)
    #expect(try await books.perform { db in try DeadOwners.discardRetired(on: db) } == 1)
    #expect(try await books.texts(Self.birch) == ["2017-06-27:complete"])
  }
}
