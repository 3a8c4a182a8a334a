import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

/// The promise in the product's name: whatever runs overlap or are repeated, each slot is closed
/// once, and the result tables are the same.
@Suite struct ExactlyOnceTests {
  private func undisturbed() async throws -> [String] {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    _ = try await books.close("2017-06-30")
    return try await books.tables()
  }

  @Test("four runs in a row leave the tables as the first one did")
  func fourInARow() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    let first = try await books.close("2017-06-30")
    #expect(first.counts.completed > 20)
    #expect(first.exitCode == 0)
    let tables = try await books.tables()
    for _ in 0..<3 {
      let again = try await books.close("2017-06-30")
      #expect(again.counts.planned == 0)
      #expect(again.counts.completed == 0)
      #expect(again.exitCode == 0)
    }
    #expect(try await books.tables() == tables)
    #expect(tables == (try await undisturbed()))
  }

  @Test("four runs at once close each slot once")
  func fourAtOnce() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    let reports = try await withThrowingTaskGroup(of: RunReport.self) { group in
      for _ in 0..<4 {
        group.addTask { try await books.close("2017-06-30", DemoBooks.settings(chunk: 3)) }
      }
      var reports: [RunReport] = []
      for try await report in group { reports.append(report) }
      return reports
    }
    let slots = try await books.integer(
      "select count(*) from closebell.portfolio_snapshots where snapshot_date = '2017-06-30'")
    #expect(reports.reduce(0) { $0 + $1.counts.completed } == Int(slots))
    #expect(reports.allSatisfy { $0.exitCode == 0 || $0.exitCode == 75 })
    #expect(try await books.tables() == (try await undisturbed()))
  }

  @Test(
    "any number of workers and any chunk size give the same tables",
    arguments: [1, 4, 16], [1, 2, 7, 500])
  func anyShape(workers: Int, chunk: Int) async throws {
    let books = try await DemoBooks.fresh()
    let settings = DemoBooks.settings(workers: workers, chunk: chunk)
    _ = try await books.close("2017-06-29", settings)
    _ = try await books.close("2017-06-30", settings)
    #expect(try await books.tables() == (try await undisturbed()))
  }

  @Test("placeholders of a dead owner are taken over, and the tables come out the same")
  func takesOver() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    try await books.leaveBehind("2017-06-30", leaseSeconds: 600)
    let report = try await books.close("2017-06-30")
    #expect(report.reclaimed > 20)
    #expect(report.counts.takenOver == report.reclaimed)
    #expect(try await books.tables() == (try await undisturbed()))
  }

  @Test("a date that was begun and not finished is closed before the next one")
  func finishesWhatWasBegun() async throws {
    let books = try await DemoBooks.fresh()
    try await books.leaveBehind("2017-06-29", leaseSeconds: 600, isFirst: true)
    let refused = try await books.close(
      "2017-06-30",
      DemoBooks.settings {
        $0.catchesUp = false
        $0.waitSeconds = 0
      })
    #expect(refused.exitCode == 1)
    #expect(refused.failures.allSatisfy { $0.error.contains("2017-06-29") })
    let report = try await books.close("2017-06-30", DemoBooks.settings { $0.waitSeconds = 0 })
    #expect(report.exitCode == 0, "\(report.failures)")
    #expect(try await books.tables() == (try await undisturbed()))
  }

  @Test("cleanup never touches a live owner's placeholders or a complete slot")
  func cleanupSparesTheLiving() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    let before = try await books.tables()
    let owner = try await books.connect()
    let claimed = try await owner.perform { db in
      try OtherOwner.claim("2017-06-30", leaseSeconds: 600, on: db)
    }
    #expect(claimed > 20)
    let taken = try await books.cleanUp()
    #expect(taken == 0)
    let report = try await books.close("2017-06-30", DemoBooks.settings { $0.waitSeconds = 0 })
    // Only the portfolio that begins on this date was nobody's.
    #expect(report.counts.completed == 1)
    #expect(report.counts.busy == claimed)
    #expect(report.exitCode == 75)
    await owner.close()
    try await books.waitForNobody()
    let after = try await books.close("2017-06-30")
    #expect(after.counts.completed == claimed)
    #expect(before.count < (try await books.tables()).count)
  }

  @Test("placeholders whose lease is on record no more are taken back by a cleanup")
  func cleanupWithoutLease() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    let complete = try await books.tables()
    let left = try await books.leaveBehind("2017-06-30", leaseSeconds: 600)
    try await books.loseLeases()
    let young = try await books.perform { db in
      try DeadOwners.reclaimUnleased(olderThanSeconds: 600, on: db).count
    }
    #expect(young == 0, "claimed less than so long ago")
    #expect(try await books.cleanUp() == left.slots.count)
    #expect(
      try await books.integer(
        """
        select count(*) from closebell.portfolio_snapshots
        where state = 'failed' and error = 'lease lost' and snapshot_date = '2017-06-30'
        """) == left.slots.count)
    #expect(try await books.cleanUp() == 0)
    #expect(Set(complete).isSubset(of: try await books.tables()))
    #expect(try await books.close("2017-06-30").counts.takenOver == left.slots.count)
    #expect(try await books.tables() == (try await undisturbed()))
  }

  @Test("an owner that was stalled past its lease writes nothing once it was taken over")
  func stalledOwnerIsFenced() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    let slots = try await books.leaveBehind("2017-06-30", leaseSeconds: 600)
    _ = try await books.close("2017-06-30")
    let tables = try await books.tables()
    // The stalled owner wakes up and tries to fail, release and fill its old slots.
    try await books.perform { db in
      try Slots.fail(
        slots.slots.map { ($0, "woke up", nil) }, as: slots.claim, on: db)
      #expect(try Slots.release(slots.slots, as: slots.claim, on: db) == 0)
    }
    #expect(try await books.tables() == tables)
  }

  @Test("the database refuses a second slot that opens from the same close")
  func chainCannotFork() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    _ = try await books.close("2017-06-30")
    let sql = """
      insert into closebell.portfolio_snapshots
        (portfolio_id, snapshot_date, opened_from_date, claim_id, claimed_at)
      select portfolio_id, '2017-07-03', opened_from_date, 0, now()
      from closebell.portfolio_snapshots where snapshot_date = '2017-06-30' limit 1
      """
    let error = await #expect(throws: PostgresError.self) { try await books.execute(sql) }
    #expect(error?.sqlState == "23505")
    #expect(error?.constraint == "portfolio_snapshots_unforked_chain")
  }

  @Test("a number that breaks an identity is refused by the database")
  func identitiesAreChecked() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-30")
    for change in [
      "closing_equity = closing_equity + 0.0001", "cash = cash + 0.0001",
      "daily_pnl = daily_pnl + 0.0001", "income = null", "is_complete = false",
      "inflow = inflow + 1",
    ] {
      let error = await #expect(throws: PostgresError.self, "\(change)") {
        try await books.execute("update closebell.portfolio_snapshots set \(change)")
      }
      #expect(error?.sqlState == "23514", "\(change)")
    }
  }

  @Test("while claims are paused nothing is begun, and the exit code says try later")
  func paused() async throws {
    let books = try await DemoBooks.fresh()
    try await books.perform { db in try Runs.pause(reason: "test", on: db) }
    let report = try await books.close("2017-06-29")
    #expect(report.paused)
    #expect(report.exitCode == 75)
    #expect(try await books.tables().isEmpty)
    _ = try await books.perform { db in try Runs.resume(on: db) }
    #expect(try await books.close("2017-06-29").counts.completed > 20)
  }
}

/// Somebody else who claims a night's slots and then does not go on.
enum OtherOwner {
  /// Claims every portfolio's slot of a date; the connection's end is the owner's death.
  static func claim(
    _ date: String, leaseSeconds: Double, on db: isolated Connection
  ) throws -> Int {
    try claimed(date, leaseSeconds: leaseSeconds, on: db).slots.count
  }

  /// - Parameter isFirst: Whether portfolios are meant that were never closed, or all the others.
  static func claimed(
    _ date: String, leaseSeconds: Double, isFirst: Bool = false, on db: isolated Connection
  ) throws -> (claim: Int64, slots: [Slot]) {
    let day = try #require(Day(date))
    let run = try Runs.begin(
      kind: "run", from: day, through: day, host: "other", version: "test", arguments: "", on: db)
    let lease = try db.transaction { db in
      try Leases.open(run: run, host: "other", pid: 1, seconds: leaseSeconds, on: db)
    }
    try Leases.cover(from: day, through: day, lease, on: db)
    let portfolios = try Planning.portfolios(
      after: 0, limit: 1_000, activeOn: day, on: db)
    let claims = portfolios.filter { isFirst == ($0.lastComplete == nil) }.map {
      SlotClaim(Slot(portfolio: $0.portfolio.id, date: day), link: .opensFrom($0.lastComplete))
    }
    let slots = try Slots.claim(claims, as: lease, run: run, on: db)
    return (lease.claim, slots.sorted { $0.portfolio < $1.portfolio })
  }
}

extension DemoBooks {
  /// Placeholders of an owner who died without a word.
  @discardableResult
  func leaveBehind(
    _ date: String, leaseSeconds: Double, isFirst: Bool = false
  ) async throws -> (claim: Int64, slots: [Slot]) {
    let left = try await perform { db in
      try OtherOwner.claimed(date, leaseSeconds: leaseSeconds, isFirst: isFirst, on: db)
    }
    try await waitForNobody()
    return left
  }
}
