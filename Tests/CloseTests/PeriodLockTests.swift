import Accounting
import Close
import Import
import Postgres
import Problems
import Storage
import TestSupport
import Testing

/// What a lock keeps from being closed, and who is told.
@Suite struct PeriodLockTests {
  /// Raises ACME's close of May's last date, as an import would.
  private func correctMay(_ books: DemoBooks) async throws {
    try await books.importing(.prices, "date,symbol,close\n2017-05-31,ACME,103\n")
  }

  private func coverage(_ books: DemoBooks) async throws -> CoverageReport {
    try await books.perform { db in
      try db.readBooks { try $0.coverage(from: Day("2017-05-30"), through: nil) }
    }
  }

  @Test("a run never closes a locked date again: its stale opening is accepted as it stands")
  func nightKeepsOut() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    let may = try await books.may()
    try await correctMay(books)
    #expect(try await books.firstStale() == Day("2017-06-01"))
    let report = try await books.close("2017-06-02")
    #expect(report.exitCode == 0, "\(report.failures)")
    #expect(try await books.may() == may)
    #expect(try await books.number("opening_equity", "2017-06-01") == "10059.0000")
    #expect(try await books.number("closing_equity", "2017-06-02") == "10099.0000")
    #expect(try await books.firstStale() == nil)
    let status = try await coverage(books)
    #expect(status.isHealthy)
    #expect(status.dates.map(\.states.locked) == [1, 1, 0, 0])
    #expect(status.dates.map(\.states.lockedStale) == [0, 1, 0, 0])
    #expect(status.dates.map(\.states.stale) == [0, 0, 0, 0])
    #expect(status.locks.map(\.through) == [Day("2017-05-31")])
    #expect(status.locks.first?.author.reason == "reported")
  }

  @Test("an unlocked month is closed again with what changed meanwhile")
  func unlockedIsClosedAgain() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    try await correctMay(books)
    _ = try await books.close("2017-06-01")
    _ = try await books.unlock("2017-05")
    #expect(try await books.firstStale() == Day("2017-05-31"))
    _ = try await books.close("2017-06-01")
    #expect(try await books.number("closing_equity", "2017-05-31") == "10079.0000")
    #expect(try await books.number("opening_equity", "2017-06-01") == "10079.0000")
  }

  @Test("a replay that touches a locked date is refused as a whole, and begins nothing")
  func replayIsRefused() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    try await correctMay(books)
    let runs = try await books.integer("select count(*) from closebell.batch_runs")
    let error = await #expect(throws: LockedRange.self) {
      try await books.replay("2017-05-31", "2017-06-01")
    }
    #expect(error?.description.contains("LATE through 2017-05-31") == true)
    #expect(error?.description.contains("replay from 2017-06-01 on") == true)
    #expect(error?.description.contains("unlock --month 2017-05 --portfolio LATE") == true)
    #expect(try await books.integer("select count(*) from closebell.batch_runs") == runs)
    let open = try await books.replay("2017-06-01", "2017-06-01")
    #expect(open.exitCode == 0)
  }

  @Test("an overridden lock is recorded with the run, the reason and the old values")
  func override() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    try await correctMay(books)
    let settings = DemoBooks.settings {
      $0.overrideLock = PeriodLocks.Author(name: "ann@desk", reason: "vendor restated")
    }
    let report = try await books.replay("2017-05-31", "2017-06-01", settings)
    #expect(report.counts.completed == 2)
    #expect(try await books.number("closing_equity", "2017-05-31") == "10079.0000")
    #expect(
      try await books.texts(
        "select distinct reason from closebell.snapshot_history")
        == ["\"replay, lock overridden: vendor restated\""])
    #expect(
      try await books.texts(
        """
        select h.from_date, h.through_date, h.done_by, r.kind
        from closebell.period_lock_history h join closebell.batch_runs r on r.id = h.run_id
        where h.action = 'override'
        """) == ["2017-05-31,2017-06-01,ann@desk,replay"])
    #expect(try await coverage(books).dates.map(\.states.locked) == [1, 1, 0])
  }

  @Test("a month with a stale date is not locked, not even by force")
  func staleRefuses() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    try await correctMay(books)
    for force in [false, true] {
      let error = await #expect(throws: LockRefused.self) {
        try await books.lock("2017-05", force: force)
      }
      #expect(error?.description.contains("2017-05-31: 1 stale") == true)
      #expect(error?.description.contains("hint: stale dates are closed again by") == true)
    }
    _ = try await books.replay("2017-05-31", "2017-05-31")
    #expect(try await books.lock("2017-05").changed)
  }

  @Test("a month with missing or failed dates is locked by force, and they stay out for good")
  func forcedOverMissing() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-30")
    let missing = await #expect(throws: LockRefused.self) { try await books.lock("2017-05") }
    #expect(missing?.description.contains("portfolio LATE, 2017-05-31: missing") == true)
    try await books.execute(
      """
      insert into closebell.portfolio_snapshots (portfolio_id, snapshot_date, opened_from_date,
        state, error, claim_id, claimed_at)
      select id, '2017-05-31', '2017-05-30', 'failed', 'no rate', 0, now()
      from closebell.portfolios
      """)
    let error = await #expect(throws: LockRefused.self) { try await books.lock("2017-05") }
    #expect(error?.description.contains("portfolio LATE, 2017-05-31: failed") == true)
    #expect(error?.description.contains("2017-05-31: 1 failed") == true)
    let outcome = try await books.lock("2017-05", force: true)
    #expect(outcome.discarded == 1)
    let asked = try await books.close("2017-05-31")
    #expect(asked.exitCode == 1)
    #expect(asked.failures.map(\.error).first?.hasPrefix("2017-05 is locked") == true)
    let report = try await books.close("2017-06-01")
    #expect(report.exitCode == 0, "\(report.failures)")
    #expect(try await books.number("opened_from_date", "2017-06-01") == "2017-05-30")
    #expect(try await books.number("closing_equity", "2017-06-01") == "10119.0000")
    #expect(try await coverage(books).isHealthy)
  }

  @Test("a month is not locked while a run that lives is at work there")
  func busy() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    let owner = try await books.connect()
    let (run, lease) = try await owner.perform { db in
      let run = try Runs.begin(
        kind: "replay", from: nil, through: nil, host: "test", version: "test", arguments: "",
        on: db)
      let lease = try db.transaction { db in
        try Leases.open(run: run, host: "test", pid: 1, seconds: 600, on: db)
      }
      let day = Day("2017-05-31") ?? .earliest
      try Leases.cover(from: day, through: day, lease, on: db)
      return (run, lease)
    }
    await #expect(throws: LockBusy.self) { try await books.lock("2017-05", force: true) }
    try await owner.perform { db in
      try Runs.end(run, .done, exitCode: 0, counts: "{}", lease: lease, on: db)
    }
    await owner.close()
    #expect(try await books.lock("2017-05").changed)
  }

  @Test("a lock of all covers later portfolios; one may be opened alone, and opens what follows")
  func scopes() async throws {
    let books = try await LockBooks.locked(through: "2017-06-01")
    try await books.importing(
      .portfolios, "code,name,base_currency,inception_date\nNEW,New,USD,2017-04-03\n")
    let error = await #expect(throws: LockedRange.self) {
      try await books.replay("2017-05-31", "2017-05-31")
    }
    #expect(error?.portfolios.map(\.name.code) == ["LATE", "NEW"])
    #expect(try await books.unlock("2017-05", ["NEW"]).changed)
    let settings = DemoBooks.settings { $0.codes = ["NEW"] }
    #expect(try await books.replay("2017-05-31", "2017-05-31", settings).counts.completed == 1)
    #expect(try await books.unlock("2017-05", ["NEW"]).changed == false)
    // A lock reaches back: April is locked as it was.
    await #expect(throws: LockedRange.self) {
      try await books.replay("2017-04-28", "2017-04-28", settings)
    }
    #expect(try await books.unlock("2017-04").changed)
    #expect(
      try await books.texts(
        "select locked_through from closebell.period_locks order by portfolio_id")
        == ["2017-03-31", "2017-03-31"])
    #expect(
      try await books.texts("select action from closebell.period_lock_history order by id")
        == ["lock", "unlock", "unlock"])
  }

  @Test("locking twice, or an earlier month, changes and records nothing")
  func idempotent() async throws {
    let books = try await LockBooks.locked()
    #expect(try await books.lock("2017-05").changed == false)
    #expect(try await books.lock("2017-04").changed == false)
    #expect(try await books.unlock("2017-06").changed == false)
    #expect(try await books.integer("select count(*) from closebell.period_lock_history") == 1)
    await #expect(throws: UnknownPortfolios.self) { try await books.lock("2017-05", ["NOBODY"]) }
  }
}
