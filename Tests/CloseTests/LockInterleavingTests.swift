import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// A lock against everything that may be on its way, forced step by step by two connections.
@Suite struct LockInterleavingTests {
  private static let through = (first: Day("2017-05-01"), last: Day("2017-05-31"))

  /// The inside of the lock command, on a connection that decides itself when to commit.
  private static func lockMay(on db: isolated Connection) throws {
    guard let first = through.first, let last = through.last else { return }
    _ = try PeriodLocks.lock(
      from: first, through: last, .all, by: .init(name: "ann@desk", reason: "reported"), on: db)
  }

  private func slot(_ date: String) -> Slot {
    Slot(portfolio: ID<Portfolio>(1), date: Day(date) ?? .earliest)
  }

  /// Begins to lock May, and commits when somebody waits for it.
  private func whileLocking<R: Sendable>(
    _ books: DemoBooks, _ other: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    let locker = try await books.connect()
    try await locker.perform { db in
      try db.execute(sql: "begin")
      try PeriodLocks.own(on: db)
    }
    let waiting = Task { try await other() }
    try await books.waitForLock()
    try await locker.perform { db in
      try Self.lockMay(on: db)
      try db.execute(sql: "commit")
    }
    await locker.close()
    return try await waiting.value
  }

  @Test("a lock that commits between a replay's plan and its claim is honoured by the claim")
  func beforeTheClaim() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    let may = try await books.tables()
    let slots = [slot("2017-05-31")]
    let claimed = try await whileLocking(books) {
      try await books.perform { db in
        let lease = try db.transaction { db in
          try Leases.open(run: 1, host: "test", pid: 1, seconds: 600, on: db)
        }
        return try Slots.claimComplete(slots, as: lease, run: 1, on: db).count
      }
    }
    #expect(claimed == 0)
    let placeholder = try await books.perform { [slot = slot("2017-05-29")] db in
      let claim = try db.transaction { db in
        try Leases.open(run: 1, host: "test", pid: 1, seconds: 600, on: db)
      }
      let refused = try Slots.claim([SlotClaim(slot, link: .later)], as: claim, run: 1, on: db)
      let overriding = try Slots.claim(
        [SlotClaim(slot, link: .later)], as: claim, run: 1, overLocks: true, on: db)
      #expect(overriding == [slot])
      try Slots.release([slot], as: claim.claim, on: db)
      return refused
    }
    #expect(placeholder.isEmpty)
    #expect(try await books.tables() == may)
  }

  @Test("a replay that planned before the lock was there reports its dates as locked")
  func replayIsTold() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    try await books.importing(.prices, "date,symbol,close\n2017-05-31,ACME,103\n")
    let may = try await books.may()
    // A replay has begun, and waits with its claim; after a second it asks again.
    let report = try await whileLocking(books) {
      try await books.replay(
        "2017-05-31", "2017-05-31", DemoBooks.settings { $0.waitSeconds = 60 })
    }
    #expect(report.counts.locked == 1)
    #expect(report.counts.busy == 0)
    #expect(report.exitCode == 1)
    #expect(report.failures.map(\.error).first?.hasPrefix("2017-05 is locked") == true)
    #expect(try await books.may() == may)
  }

  @Test("a worker that claimed before the lock, and outlived its lease, writes nothing after it")
  func beforeThePopulate() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    let slot = slot("2017-05-31")
    let owner = try await books.connect()
    let (result, lease) = try await owner.perform { db in
      let run = try Runs.begin(
        kind: "replay", from: slot.date, through: slot.date, host: "test", version: "test",
        arguments: "", on: db)
      let lease = try db.transaction { db in
        try Leases.open(run: run, host: "test", pid: 1, seconds: 600, on: db)
      }
      let revision = try Slots.claimComplete([slot], as: lease, run: run, on: db)[slot]?.revision
      let stored = try StoredSnapshots.read([slot], on: db)
      return (
        SlotResult(
          slot: slot, replaced: revision.map { .init(revision: $0) }, openedFromRevision: 1,
          opensInSameSegment: false, snapshot: stored[0].snapshot, holdings: [],
          instruments: [:], cashBalances: [], holdingIRRs: [], portfolioIRR: .incomplete,
          convention: .xirrAct365, fingerprint: nil), lease
      )
    }
    try await books.expireLeases()
    _ = try await books.lock("2017-05")
    let may = try await books.tables()
    var chunk = PopulateChunk(
      results: [result], moments: [], lease: lease, run: 1,
      inputsSeen: try await books.texts("select pg_snapshot_xmin(pg_current_snapshot())")
        .map { "\($0):\($0):" }.joined(),
      reason: "replay")
    let late = chunk
    let lost = try await books.perform { db in
      try Populating.prepare(leaseSeconds: 120, on: db)
      return try Populating.populate(late, on: db)
    }
    #expect(lost == [slot])
    #expect(try await books.tables() == may)
    // The claim itself is good: with the lock overridden the same write goes through.
    chunk.overLocks = true
    let overriding = chunk
    let written = try await books.perform { db in
      try Populating.prepare(leaseSeconds: 120, on: db)
      return try Populating.populate(overriding, on: db)
    }
    #expect(written.isEmpty)
    #expect(try await books.tables() != may)
    await owner.close()
  }

  @Test("an import that meets a lock on its way books late what the lock covers")
  func importAfterLock() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    let report = try await whileLocking(books) {
      try await books.importing(.activities, LockBooks.lateRows)
    }
    #expect(report.inserted == 4)
    #expect(
      try await books.integer(
        "select count(*) from closebell.holding_activity_log where booked_on = '2017-06-01'") == 4)
    #expect(try await books.firstStale() == nil)
  }

  @Test("a lock that meets an import on its way waits for it, and finds the month stale")
  func lockAfterImport() async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    let importer = try await books.connect()
    try await importer.perform { db in
      try db.execute(sql: "begin")
      try PeriodLocks.hold(on: db)
      try db.execute(
        sql: """
          insert into closebell.holding_activity_log
            (portfolio_id, activity_type, activity_date, amount, currency, external_id)
          values (1, 'deposit', '2017-05-30', 1000, 'USD', 'L1');
          insert into closebell.input_changes (from_date, portfolio_ids)
          values ('2017-05-30', '{1}')
          """)
    }
    let locking = Task { try await books.lock("2017-05") }
    try await books.waitForLock()
    try await importer.perform { db in try db.execute(sql: "commit") }
    await importer.close()
    await #expect(throws: LockRefused.self) { _ = try await locking.value }
    #expect(try await books.integer("select count(*) from closebell.period_locks") == 0)
  }

  @Test("a late deposit that commits while the night writes is booked by the next one")
  func lateDepositInTheNight() async throws {
    let books = try await LockBooks.locked()
    // The night has loaded, and waits with its first COPY.
    let blocker = try await books.connect()
    try await blocker.perform { db in
      try db.execute(
        sql: "begin; lock table closebell.portfolio_fund_valuations in share mode")
    }
    let night = Task { try await books.close("2017-06-01") }
    try await books.waitForLock()
    try await books.importing(.activities, LockBooks.lateRows)
    try await blocker.perform { db in try db.execute(sql: "rollback") }
    await blocker.close()
    #expect(try await night.value.exitCode == 0)
    // 8 019 + 20 × 105: nothing late is in it yet, and everybody knows.
    #expect(try await books.number("closing_equity", "2017-06-01") == "10119.0000")
    #expect(try await books.firstStale() == Day("2017-06-01"))
    #expect(try await books.close("2017-06-02").counts.completed == 2)
    #expect(try await books.number("closing_equity", "2017-06-01") == "11157.0000")
    #expect(try await books.number("prior_period_adjustment", "2017-06-01") == "23.0000")
    #expect(try await books.number("closing_equity", "2017-06-02") == "11132.0000")
  }
}
