import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// Activities that arrive after their month was locked; the world is worked out in `LockBooks`.
@Suite struct LateBookingTests {
  /// 06-01, opened from 10 059, with everything late booked.
  ///
  /// cash 8 019 + 1 000 − 490 − 2 + 8 − 3 = 8 532; ACME 25 × 105 = 2 625; equity 11 157.
  /// Flow 1 000. Prior period: five shares from 98 to the opening's 102 are 20, less the fee of 2;
  /// the dividend 8, the fee −3: 23. The date's market: 25 × (105 − 102) = 75.
  /// P&L 98 = 11 157 − 10 059 − 1 000.
  private func expectLateBooked(_ books: DemoBooks) async throws {
    #expect(try await books.number("opening_equity", "2017-06-01") == "10059.0000")
    #expect(try await books.number("inflow", "2017-06-01") == "1000.0000")
    #expect(try await books.number("outflow", "2017-06-01") == "0.0000")
    #expect(try await books.number("prior_period_adjustment", "2017-06-01") == "23.0000")
    #expect(try await books.number("unrealized_change", "2017-06-01") == "75.0000")
    #expect(try await books.number("income", "2017-06-01") == "0.0000")
    #expect(try await books.number("fees", "2017-06-01") == "0.0000")
    #expect(try await books.number("daily_pnl", "2017-06-01") == "98.0000")
    #expect(try await books.number("cash", "2017-06-01") == "8532.0000")
    #expect(try await books.number("closing_equity", "2017-06-01") == "11157.0000")
  }

  @Test("late activities are booked on the first open date, and the locked month stays as it was")
  func beforeTheFirstOpenClose() async throws {
    let books = try await LockBooks.locked()
    let may = try await books.may()
    let report = try await books.importing(.activities, LockBooks.lateRows)
    #expect(report.refused == 0)
    #expect(
      report.warnings.map(\.description).first
        == "row 1 (line 2): 2017-05-30 is locked: booked on 2017-06-01")
    #expect(try await books.firstStale() == nil)
    _ = try await books.close("2017-06-01")
    try await expectLateBooked(books)
    #expect(try await books.may() == may)
    #expect(
      try await books.texts(
        "select external_id, activity_date, booked_on from closebell.holding_activity_log "
          + "where booked_on is not null order by 1") == [
          "L1,2017-05-30,2017-06-01", "L2,2017-05-30,2017-06-01", "L3,2017-05-31,2017-06-01",
          "L4,2017-05-31,2017-06-01",
        ])
  }

  @Test("a first open date that was closed becomes stale, and the next run closes it again")
  func afterTheFirstOpenClose() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    let may = try await books.may()
    try await books.importing(.activities, LockBooks.lateRows)
    #expect(try await books.firstStale() == Day("2017-06-01"))
    let report = try await books.close("2017-06-02")
    #expect(report.counts.completed == 2)
    try await expectLateBooked(books)
    #expect(try await books.may() == may)
    // The same slots, however late the import came.
    let early = try await LockBooks.locked()
    try await early.importing(.activities, LockBooks.lateRows)
    try await early.closeEach("2017-06-01", through: "2017-06-02")
    #expect(try await books.tables() == (try await early.tables()))
  }

  @Test("without a lock the same data end in the same equity, by the same total P&L")
  func sameInTheEnd() async throws {
    let late = try await LockBooks.locked()
    try await late.importing(.activities, LockBooks.lateRows)
    try await late.closeEach("2017-06-01", through: "2017-06-02")
    let direct = try await LockBooks.open()
    try await direct.importing(.activities, LockBooks.lateRows)
    try await direct.closeEach("2017-05-30", through: "2017-06-02")
    // 25 × 104 + 8 532.
    for books in [late, direct] {
      #expect(try await books.number("closing_equity", "2017-06-02") == "11132.0000")
      #expect(try await books.number("cash", "2017-06-02") == "8532.0000")
      // 11 132 − 11 000.
      #expect(try await books.number("cumulative_pnl", "2017-06-02") == "132.0000")
    }
    #expect(try await direct.number("prior_period_adjustment", "2017-06-01") == "0.0000")
    let bought = "select sum(cost_basis)::text from closebell.portfolio_fund_valuations "
    let sql = bought + "where valuation_date = '2017-06-02'"
    // 20 × 99 + 5 × 98.
    #expect(try await late.texts(sql) == ["2470.0000"])
    #expect(try await direct.texts(sql) == ["2470.0000"])
  }

  @Test("a late trade after lots were sold is read with its booking date, night and replay alike")
  func lotsOfLateTrades() async throws {
    let books = try await LockBooks.locked()
    try await books.importing(.activities, LockBooks.lateRows)
    _ = try await books.close("2017-06-01")
    try await books.importing(
      .activities,
      """
      id,portfolio,date,type,symbol,quantity,price
      S1,LATE,2017-06-02,sell,ACME,22,104

      """)
    #expect(try await books.close("2017-06-02").exitCode == 0)
    // First in, first out by booking: 20 at 99, then 2 of the late ones at 98; and each was
    // worth 105 the evening before.
    #expect(try await books.number("realized_pnl", "2017-06-02") == "112.0000")
    #expect(try await books.number("daily_pnl", "2017-06-02") == "-25.0000")
    let tables = try await books.tables()
    let again = try await books.replay("2017-06-01", "2017-06-02")
    #expect(again.exitCode == 0, "\(again.failures)")
    #expect(again.counts.completed == 0)
    #expect(try await books.tables() == tables)
  }

  @Test("a gap before the opening's prices does not change what is prior period")
  func overAGap() async throws {
    let books = try await LockBooks.locked()
    try await books.importing(.activities, LockBooks.lateRows)
    let report = try await books.close("2017-06-02", DemoBooks.settings { $0.catchesUp = false })
    #expect(report.exitCode == 0, "\(report.failures)")
    // The opening's close is 102, two dates back: 23 as ever; 25 × (104 − 102) = 50.
    #expect(try await books.number("prior_period_adjustment", "2017-06-02") == "23.0000")
    #expect(try await books.number("unrealized_change", "2017-06-02") == "50.0000")
    #expect(try await books.number("closing_equity", "2017-06-02") == "11132.0000")
  }

  @Test("what was reported is not changed or cancelled, and the message says what to do")
  func refusesChanges() async throws {
    let books = try await LockBooks.locked()
    let header = "id,portfolio,date,type,symbol,quantity,price,amount,fee,note\n"
    let changed = try await books.importing(
      .activities, header + "A2,LATE,2017-05-30,buy,ACME,21,99,,1,\n")
    #expect(
      changed.refusedRows.map(\.message) == [
        "A2 was booked on 2017-05-30, which is locked: import a correcting activity with an id "
          + "of its own, or unlock the month"
      ])
    let cancelled = try await books.importing(
      .activities, "id,portfolio,date,type,status\nA1,LATE,2017-05-29,deposit,cancelled\n")
    #expect(cancelled.refused == 1)
    let moved = try await books.importing(
      .activities, header + "A2,LATE,2017-06-05,buy,ACME,20,99,,1,\n")
    #expect(moved.refused == 1)
    let noted = try await books.importing(
      .activities, header + "A2,LATE,2017-05-30,buy,ACME,20,99,,1,seen\n")
    #expect(noted.updated == 1)
    #expect(noted.warnings.isEmpty)
    #expect(try await books.firstStale() == nil)
  }

  @Test("what was booked late may change until its booking date is locked too")
  func lateRowsMayChange() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    let header = "id,portfolio,date,type,amount\n"
    try await books.importing(.activities, header + "L1,LATE,2017-05-30,deposit,1000\n")
    _ = try await books.close("2017-06-01")
    let changed = try await books.importing(
      .activities, header + "L1,LATE,2017-05-30,deposit,900\n")
    #expect(changed.updated == 1)
    #expect(try await books.firstStale() == Day("2017-06-01"))
    _ = try await books.close("2017-06-02")
    #expect(try await books.number("inflow", "2017-06-01") == "900.0000")
    _ = try await books.lock("2017-06", force: true)
    let same = try await books.importing(.activities, header + "L1,LATE,2017-05-30,deposit,900\n")
    #expect(same.unchanged == 1)
    #expect(!same.warnings.contains { $0.message.contains("locked") })
    let refused = try await books.importing(
      .activities, header + "L1,LATE,2017-05-30,deposit,800\n")
    #expect(refused.refusedRows.first?.message.contains("booked on 2017-06-01") == true)
    // July begins on a Saturday.
    try await books.importing(.activities, header + "L9,LATE,2017-05-30,deposit,5\n")
    #expect(
      try await books.texts(
        "select booked_on from closebell.holding_activity_log where external_id in ('L1', 'L9') "
          + "order by external_id") == ["2017-06-01", "2017-07-03"])
  }

  @Test("what a locked snapshot does not cover keeps its own date")
  func notReportedYet() async throws {
    let books = try await LockBooks.open()
    try await books.lock("2017-05")
    try await books.importing(.activities, LockBooks.lateRows)
    #expect(
      try await books.integer(
        "select count(*) from closebell.holding_activity_log where booked_on is not null") == 0)
    // The first close takes everything since inception, and nothing of it is a correction.
    _ = try await books.close("2017-06-01")
    #expect(try await books.number("closing_equity", "2017-06-01") == "11157.0000")
    #expect(try await books.number("prior_period_adjustment", "2017-06-01") == "0.0000")
  }

  @Test("an unlock gives late activities back to their own dates, and they are closed there")
  func unlockReturns() async throws {
    let books = try await LockBooks.locked()
    try await books.importing(.activities, LockBooks.lateRows)
    _ = try await books.close("2017-06-01")
    let outcome = try await books.unlock("2017-05")
    #expect(outcome.changed)
    #expect(outcome.returned == 4)
    #expect(try await books.firstStale() == Day("2017-05-30"))
    _ = try await books.close("2017-06-02")
    let direct = try await LockBooks.open()
    try await direct.importing(.activities, LockBooks.lateRows)
    try await direct.closeEach("2017-05-30", through: "2017-06-02")
    #expect(try await books.tables() == (try await direct.tables()))
    #expect(try await books.firstStale() == nil)
  }
}
