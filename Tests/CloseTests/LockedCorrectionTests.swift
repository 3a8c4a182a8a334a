import Accounting
import Close
import Import
import Postgres
import Problems
import Storage
import TestSupport
import Testing

/// A locked date stays as it was reported when its inputs are corrected, and so does what opens
/// from it.
@Suite struct LockedCorrectionTests {
  /// May locked, its last close corrected since, and June closed from it as it stands.
  private static func books() async throws -> DemoBooks {
    let books = try await LockBooks.locked(through: "2017-06-01")
    try await books.importing(.prices, "date,symbol,close\n2017-05-31,ACME,103\n")
    #expect(try await books.close("2017-06-02").exitCode == 0)
    #expect(try await books.number("daily_pnl", "2017-06-01") == "60.0000")
    return books
  }

  private static let june = Day("2017-06-01") ?? .earliest
  private static let locked = Day("2017-05-31") ?? .earliest

  @Test("what opened from it is right: only the locked date is named, as stale")
  func verified() async throws {
    let books = try await Self.books()
    let report = try await books.verify()
    #expect(report.findings.map(\.dates) == [[.stale: [Self.locked]]])
    #expect(report.findings.allSatisfy { $0.failure == nil })
    #expect(report.chain.allSatisfy { $0.count == 0 })
    #expect(report.counts.slots == 4)
    #expect(try await books.verify(RecomputeScope(from: Self.june)).isClean)
  }

  @Test("a repair leaves what opened from it alone")
  func repaired() async throws {
    let books = try await Self.books()
    let repair = EquityRepair(settings: DemoBooks.settings()) { try await books.connect() }
    #expect(try await repair.plan(EquityScope(from: Self.june)).isEmpty)
    let all = try await repair.plan(EquityScope())
    #expect(all.damage.map { $0.wrong.map(\.date) } == [[Self.locked]])
  }

  @Test("damage behind it is found, and told from what is locked", arguments: [false, true])
  func damaged(inFingerprint: Bool) async throws {
    let books = try await Self.books()
    let damage =
      inFingerprint ? "fingerprint = substring(sha256('other') for 16)" : "return_index = 2"
    try await books.execute(
      "update closebell.portfolio_snapshots set \(damage) where snapshot_date = '2017-06-01'")
    let report = try await books.verify()
    #expect(report.findings.map(\.dates) == [[.stale: [Self.locked], .corrupt: [Self.june]]])
  }

  @Test("a locked date that was damaged is what everything behind it is judged without")
  func damagedLock() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    try await books.execute(
      """
      update closebell.portfolio_snapshots set return_index = 2
      where snapshot_date = '2017-05-31'
      """)
    let report = try await books.verify()
    #expect(report.findings.map(\.dates) == [[.corrupt: [Self.locked]]])
  }

  @Test("the same where the next month was locked too, and where one is open again and not closed")
  func whateverTheLocks() async throws {
    let books = try await Self.books()
    try await books.importing(
      .calendars,
      (5...30).filter { ![3, 4, 10, 11, 17, 18, 24, 25].contains($0) }.reduce(
        "calendar,date,open\n"
      ) { $0 + "weekdays,2017-06-\($1 < 10 ? "0" : "")\($1),no\n" })
    #expect(try await books.lock("2017-06").changed)
    #expect(try await books.verify().findings.map(\.dates) == [[.stale: [Self.locked]]])
    for month in ["2017-06", "2017-05"] { try await books.unlock(month) }
    #expect(try await books.verify().findings.map(\.dates) == [[.stale: [Self.locked]]])
    #expect(try await books.verify(RecomputeScope(from: Self.june)).isClean)
  }

  @Test("each of two corrections lets what was closed after it begin anew")
  func twice() async throws {
    let books = try await Self.books()
    try await books.importing(.prices, "date,symbol,close\n2017-06-01,ACME,107\n")
    let settings = DemoBooks.settings()
    #expect(try await books.replay("2017-06-02", "2017-06-02", settings).exitCode == 0)
    #expect(
      try await books.verify().findings.map(\.dates) == [[.stale: [Self.locked, Self.june]]])
    try await books.execute(
      "update closebell.portfolio_snapshots set return_index = 2 where snapshot_date = '2017-06-02'"
    )
    let last = Day("2017-06-02") ?? .earliest
    #expect(
      try await books.verify().findings.map(\.dates)
        == [[.stale: [Self.locked, Self.june], .corrupt: [last]]])
  }

  @Test("what no longer follows from a locked month is refused, with the ways out")
  func lots() async throws {
    let books = try await LockBooks.open()
    try await books.execute("update closebell.portfolios set lot_relief = 'fifo'")
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    try await books.lock("2017-05")
    try await books.execute(
      "update closebell.holding_activity_log set price = 98 where external_id = 'A2'")
    try await books.importing(
      .activities,
      "id,portfolio,date,type,symbol,quantity,price\nS1,LATE,2017-06-01,sell,ACME,5,105\n")
    let report = try await books.close("2017-06-01")
    let failure = try #require(report.failures.first)
    #expect(failure.problem.code.name == "lots_differ")
    #expect(failure.error.hasPrefix("position of ACME on 2017-05-31: stored 20 at cost "))
    #expect(
      failure.error.hasSuffix(
        """

        hint: closed dates stand on inputs that were corrected since; where they are locked: \
        closebell unlock --month 2017-05 --portfolio LATE --reason …, or replay them with \
        --override-lock REASON
        """))
    #expect(
      failure.problem.remedy?.actions == [
        .unlock(month: "2017-05", portfolio: "LATE"), .option(.overrideLock),
      ])
  }

  @Test("once the month is open nothing is left of it")
  func unlocked() async throws {
    let books = try await Self.books()
    try await books.unlock("2017-05")
    #expect(try await books.close("2017-06-02").exitCode == 0)
    #expect(try await books.verify().isClean)
  }
}
