import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

/// Two that work on the same slots, one of them held up at a named step.
@Suite struct InterleavingTests {
  private let nobodyWaits = DemoBooks.settings(workers: 1) { $0.waitSeconds = 0 }

  @Test(
    "a worker stalled on D1 keeps D2 from being closed while it lives, and writes nothing after",
    arguments: ["populate-stage", "populate-fill"])
  func stalledOnD1(step: String) async throws {
    let expected = try await DemoBooks.smallReference()
    let books = try await DemoBooks.small()
    let stalled = books.begin(.night("2017-06-29"), heldAt: .named(step))
    #expect(try await stalled.standsStill())
    let early = try await books.close("2017-06-30", nobodyWaits)
    #expect(early.exitCode == 75)
    #expect(
      try await books.integer(
        """
        select count(*) from closebell.portfolio_snapshots
        where snapshot_date >= '2017-06-29' and is_complete
        """) == 0)
    try await books.expireLeases()
    let next = try await books.close("2017-06-30", nobodyWaits)
    #expect(next.exitCode == 0, "\(next.failures)")
    #expect(next.counts.takenOver > 0)
    let whole = try await books.wholeTables()
    let late = try await stalled.goOn()
    #expect(late.counts.completed == 0)
    #expect(late.counts.fenced == late.counts.claimed)
    #expect(late.exitCode == 75)
    #expect(try await books.wholeTables() == whole, "not a byte was written late")
    let fresh = try await books.close("2017-06-30")
    #expect(fresh.exitCode == 0)
    #expect(try await books.tables() == expected)
    #expect(try await books.leftovers() == [])
  }

  @Test("a lease that ends in mid-chunk costs its owner the one late write")
  func leaseEndsInMidChunk() async throws {
    let expected = try await DemoBooks.smallReference(["2017-06-29"])
    let books = try await DemoBooks.small()
    let settings = DemoBooks.settings(workers: 1) { $0.codes = ["ASH"] }
    let owner = books.begin(.night("2017-06-29"), settings, heldAt: .named("populate-fill"))
    #expect(try await owner.standsStill())
    try await books.expireLeases()
    #expect(try await books.close("2017-06-29", nobodyWaits).exitCode == 0)
    let late = try await owner.goOn()
    #expect(late.counts.fenced == 1)
    #expect(late.counts.completed == 0)
    #expect(try await books.tables() == expected)
    #expect(try await books.leftovers() == [])
  }

  @Test("a chunk that meets somebody else's lock for too long is busy, and costs no run")
  func lockedRow() async throws {
    let books = try await DemoBooks.small()
    #expect(try await books.close("2017-06-29").exitCode == 0)
    let conninfo = books.conninfo
    let other = try await books.connect()
    try await other.perform { db in
      try db.execute(sql: "begin; select from closebell.portfolio_irr_moments for update")
    }
    let report = try await CloseRun(.night("2017-06-30"), settings: nobodyWaits) {
      try await Connection.connect(
        Configuration(
          conninfo: conninfo, applicationName: "closebell-tests", lockTimeoutMilliseconds: 200))
    }.run()
    await other.close()
    #expect(report.exitCode == 75)
    #expect(report.counts.busy == 3)
    #expect(report.failures.isEmpty)
    #expect(try await books.leftovers() == [])
    #expect(try await books.close("2017-06-30").exitCode == 0)
    let expected = try await DemoBooks.smallReference(["2017-06-29", "2017-06-30"])
    #expect(try await books.tables() == expected)
  }

  @Test("an owner who wakes up before anybody took over goes on as if nothing had been")
  func wakesInTime() async throws {
    let books = try await DemoBooks.small()
    let owner = books.begin(.night("2017-06-29"), heldAt: .named("populate-fill"))
    #expect(try await owner.standsStill())
    try await books.expireLeases()
    let taken = try await books.cleanUp()
    #expect(taken == 3)
    let report = try await owner.goOn()
    #expect(report.counts.completed == 3)
    #expect(try await books.tables() == (try await DemoBooks.smallReference(["2017-06-29"])))
    #expect(try await books.leftovers() == [])
  }

  @Test("a cleanup that found placeholders without a lease leaves them to who took them over since")
  func cleanupBesideTakeover() async throws {
    let books = try await DemoBooks.small()
    let lost = books.begin(.night("2017-06-29"), heldAt: .named("load-openings"))
    #expect(try await lost.standsStill())
    try await books.loseLeases()
    let gate = Gate(before: .named("slots-take-back-unleased"))
    async let taken = books.perform(heldAt: gate) { db in
      try DeadOwners.reclaimUnleased(on: db).count
    }
    #expect(try await gate.reached())
    let next = books.begin(.night("2017-06-29"), heldAt: .named("populate-stage"))
    #expect(try await next.standsStill())
    gate.open()
    #expect(try await taken == 0)
    #expect(try await books.cleanUp() == 0)
    #expect(try await next.goOn().counts.takenOver == 3)
    #expect(try await books.tables() == (try await DemoBooks.smallReference(["2017-06-29"])))
    await #expect(throws: LeaseGone.self) { try await lost.goOn() }
    #expect(try await books.leftovers() == [])
  }

  @Test(
    "a worker that meets a newer schema stops, and writes nothing",
    arguments: ["slots-claim", "load-openings", "market-closes"])
  func migratedUnderIt(step: String) async throws {
    let books = try await DemoBooks.small()
    let before = try await books.tables()
    let run = books.begin(.night("2017-06-29"), heldAt: .named(step))
    #expect(try await run.standsStill())
    try await books.execute(
      """
      insert into closebell.schema_migrations (version, name, checksum)
      values (\(Migration.latestVersion + 1), 'later', '')
      """)
    await #expect(throws: SchemaError.self) { try await run.goOn() }
    #expect(try await books.tables() == before)
    try await books.execute(
      "delete from closebell.schema_migrations where version > \(Migration.latestVersion)")
    #expect(try await books.close("2017-06-29").exitCode == 0)
    #expect(try await books.tables() == (try await DemoBooks.smallReference(["2017-06-29"])))
  }

  @Test("a lease says of every date that it covers it, of one that was begun before too")
  func leaseCoversJoinedDates() async throws {
    let books = try await DemoBooks.small()
    let dead = books.begin(.night("2017-06-29"), heldAt: .named("load-openings"))
    #expect(try await dead.standsStill())
    try await books.expireLeases()
    let cedar = DemoBooks.settings(workers: 1) { $0.codes = ["CEDAR"] }
    // A first close is of the asked date alone; the one that was begun before comes first.
    let owner = books.begin(.night("2017-06-30"), cedar, heldAt: .named("load-openings"))
    #expect(try await owner.standsStill())
    try await books.expireLeases()
    let taken = try await books.perform { db in
      try DeadOwners.cleanUp(on: db).map(\.slot.date.description)
    }
    #expect(taken.sorted() == ["2017-06-29", "2017-06-30"])
    _ = try? await owner.goOn()
    _ = try? await dead.goOn()
    #expect(try await books.close("2017-06-30", nobodyWaits).exitCode == 0)
    #expect(try await books.tables() == (try await DemoBooks.smallReference()))
    #expect(try await books.leftovers() == [])
  }

  @Test("a cleanup that waits for a row of a takeover finds it taken, though it began before")
  func cleanupWaitsForTakeover() async throws {
    let books = try await DemoBooks.small()
    let lost = books.begin(.night("2017-06-29"), heldAt: .named("load-openings"))
    #expect(try await lost.standsStill())
    try await books.loseLeases()
    let other = try await books.connect()
    try await other.perform { db in
      try db.execute(sql: "begin; select from closebell.portfolio_snapshots for update")
    }
    async let taken = books.perform { db in try DeadOwners.reclaimUnleased(on: db).count }
    try await books.waitForLock()
    // Only now is there a lease, which the waiting statement cannot see.
    try await other.perform { db in
      try db.execute(
        sql: """
          insert into closebell.worker_lease (claim_id, run_id, host, pid, lease_until, token,
            backend_pid, backend_start, epoch)
          values (1000, 1, 'other', 1, clock_timestamp() + interval '1 hour', 1, 1, now(), 0);
          update closebell.portfolio_snapshots set claim_id = 1000 where state = 'claimed';
          commit
          """)
    }
    #expect(try await taken == 0)
    await other.close()
    #expect(
      try await books.integer(
        """
        select count(*) from closebell.portfolio_snapshots
        where claim_id = 1000 and state = 'claimed'
        """) == 3)
    _ = try? await lost.goOn()
  }

  @Test(
    "a replay of D0 while D1 is computed makes D1 lose its opening; the next run closes it anew",
    arguments: ["populate-stage", "populate-fill"])
  func replayUnderLoad(step: String) async throws {
    let prices = [SmallWorld.corrections[0]]
    let expected = try await DemoBooks.smallReference(corrections: prices)
    let books = try await DemoBooks.small()
    _ = try await books.close("2017-06-29")
    let night = books.begin(.night("2017-06-30"), heldAt: .named(step))
    #expect(try await night.standsStill())
    try await books.importFiles(prices)
    let replay = try await books.replay("2017-06-29", "2017-06-29", nobodyWaits)
    #expect(replay.counts.completed == 2)
    let report = try await night.goOn()
    #expect(report.counts.fenced == 2, "ASH and BIRCH hold what was corrected")
    #expect(report.counts.completed == 1)
    #expect(report.exitCode == 75)
    let next = try await books.close("2017-06-30", nobodyWaits)
    #expect(next.exitCode == 0, "\(next.failures)")
    #expect(try await books.tables() == expected)
    #expect(try await books.stale().isEmpty)
    #expect(try await books.leftovers() == [])
  }

  @Test(
    "an import that commits while a chunk is computed makes its slots stale, wherever it commits",
    arguments: ["plan-portfolios", "slots-claim", "load-openings", "populate-stage", "run-end"])
  func importUnderLoad(step: String) async throws {
    let expected = try await DemoBooks.smallReference(
      ["2017-06-30"], corrections: SmallWorld.corrections)
    let books = try await DemoBooks.small()
    let night = books.begin(.night("2017-06-30"), heldAt: .named(step))
    #expect(try await night.standsStill())
    try await books.importFiles(SmallWorld.corrections)
    #expect(try await night.goOn().exitCode == 0)
    let next = try await books.close("2017-06-30", nobodyWaits)
    #expect(next.exitCode == 0, "\(next.failures)")
    #expect(try await books.tables() == expected)
    #expect(try await books.stale().isEmpty)
  }

  @Test(
    "a backfill before the first slot, held up while the next date is closed, or the other way",
    arguments: [true, false])
  func backfillBeforeTheFirst(backfillIsHeld: Bool) async throws {
    let cedar = DemoBooks.settings(workers: 1) {
      $0.codes = ["CEDAR"]
      $0.waitSeconds = 0
    }
    let reference = try await DemoBooks.small()
    for date in ["2017-06-28", "2017-06-29", "2017-06-30"] {
      _ = try await reference.close(date, cedar)
    }
    let books = try await DemoBooks.small()
    _ = try await books.close("2017-06-29", cedar)
    let backfill = CloseRun.Purpose.replay("2017-06-28", "2017-06-28")
    let held = books.begin(
      backfillIsHeld ? backfill : .night("2017-06-30"), cedar, heldAt: .named("populate-fill"))
    #expect(try await held.standsStill())
    if backfillIsHeld {
      #expect(try await books.close("2017-06-30", cedar).exitCode == 0)
    } else {
      #expect(try await books.replay("2017-06-28", "2017-06-28", cedar).exitCode == 0)
    }
    _ = try await held.goOn()
    for _ in 0..<2 { _ = try await books.close("2017-06-30", cedar) }
    #expect(try await books.stale().isEmpty)
    #expect(try await books.tables() == (try await reference.tables()))
    #expect(try await books.leftovers() == [])
  }

  @Test("a run that comes while an owner stands still with its rows locked is busy, and not broken")
  func rowsLocked() async throws {
    let books = try await DemoBooks.small()
    let owner = books.begin(.night("2017-06-30"), heldAt: .named("populate-holdings"))
    #expect(try await owner.standsStill())
    let other = try await books.close("2017-06-30", nobodyWaits)
    #expect(other.exitCode == 75)
    #expect(try await owner.goOn().counts.completed == 5)
    #expect(try await books.close("2017-06-30").exitCode == 0)
    #expect(try await books.tables() == (try await DemoBooks.smallReference(["2017-06-30"])))
    #expect(try await books.leftovers() == [])
  }
}
