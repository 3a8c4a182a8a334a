import Glibc
import Postgres
import Storage
import TestSupport
import Testing

/// Bad weather of the server's making: what an operator reads then, and what the next run finds.
@Suite struct FoulWeatherTests {
  private let night = ["run", "--date", "2017-06-30", "--wait", "0"]

  private func endsRight(_ books: OperatorBooks) async throws {
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(night)
    try await books.waitForNobody()
    let next = try await books.run(night)
    #expect(next.exitCode == 0, "\(next.standardError)")
    #expect(try await books.tables() == (try await quiet.tables()))
    #expect(try await books.leftovers() == [])
  }

  @Test("a lease shorter than a chunk is kept alive while the chunk goes on")
  func shortLease() async throws {
    let books = try await OperatorBooks.small()
    let barrier = try await Barrier(books, after: "portfolio_fund_valuations")
    let run = try await books.run(
      night + ["--workers", "1"], environment: ["CLOSEBELL_LEASE_SECONDS": "8"]
    ) { _ in
      try await barrier.reached()
      let first = try await books.integer(Self.leaseEnds)
      // Its first end has come and gone, and it holds.
      try await books.waitUntil("extract(epoch from clock_timestamp()) > \(first)")
      #expect(try await books.integer(Self.leaseEnds) > first)
      await barrier.open()
    }
    #expect(run.exitCode == 0, "\(run.standardError)")
    try await endsRight(books)
  }

  private static let leaseEnds =
    "select ceil(extract(epoch from lease_until)) from closebell.worker_lease"

  @Test("a run that lost its lease says so with code 2, and does not claim to be done")
  func lostLease() async throws {
    let books = try await OperatorBooks.small()
    let run = try await books.run(
      night,
      environment: ["CLOSEBELL_LEASE_SECONDS": "4", "CLOSEBELL_FAULT": "slots-claim:stop"]
    ) { process in
      try await process.waitUntilAtRest()
      // Its own clock has to say so too, which no statement can set forward.
      try await books.waitForEndOfLeases()
      process.send(SIGCONT)
    }
    #expect(run.exitCode == 2, "\(run.standardError)")
    #expect(run.standardError.contains("lease"), "\(run.standardError)")
    #expect(run.standardError.contains("hint: "), "\(run.standardError)")
    try await endsRight(books)
  }

  @Test("too many connections: tried again for a while, then 69; with room again it goes on")
  func tooManyConnections() async throws {
    let books = try await OperatorBooks.small()
    try await books.makeClerk(limit: 1)
    let clerk = books.asClerk
    let starved = try await clerk.run(night)
    #expect(starved.exitCode == 69, "\(starved.standardError)")
    #expect(starved.standardError.contains("too many connections"), "\(starved.standardError)")
    let relieved = try await clerk.run(night) { _ in
      // Its own session is there, and its workers find no room.
      try await books.waitUntil(
        "exists (select from pg_stat_activity where usename = '\(books.database)_clerk')")
      try await books.limitClerk(9)
    }
    #expect(relieved.exitCode == 0, "\(relieved.standardError)")
    try await endsRight(books)
  }

  @Test("a full disk ends the run with 2 and blames no portfolio", arguments: ["53100", "58030"])
  func fullDisk(state: String) async throws {
    let books = try await OperatorBooks.small()
    try await books.execute(
      """
      create function public.fill_up() returns trigger language plpgsql as
        $$ begin raise 'could not extend file: No space left on device'
          using errcode = '\(state)', hint = 'Check free disk space.'; end $$;
      create trigger fill_up after insert on closebell.portfolio_fund_valuations
        for each statement execute function public.fill_up()
      """)
    let run = try await books.run(night)
    #expect(run.exitCode == 2, "\(run.standardError)")
    #expect(run.standardError.contains("hint: Check free disk space."), "\(run.standardError)")
    #expect(!run.standardError.contains("portfolio"), "\(run.standardError)")
    try await books.execute("drop trigger fill_up on closebell.portfolio_fund_valuations")
    try await endsRight(books)
  }

  @Test("a server that may only be read is refused at once with 69, and says why")
  func readOnly() async throws {
    let books = try await OperatorBooks.small()
    let name = books.database
    try await books.execute("alter database \(name) set default_transaction_read_only = on")
    let run = try await books.run(night)
    #expect(run.exitCode == 69, "\(run.standardError)")
    #expect(run.standardError.contains("read-only"), "\(run.standardError)")
    let psql = try await TestCluster.shared.program("psql")
    let reset = "alter database \(name) reset default_transaction_read_only"
    let mended = try await CommandRun.run(
      psql,
      ["-X", "-d", books.url, "-c", "set default_transaction_read_only = off", "-c", reset])
    #expect(mended.exitCode == 0, "\(mended.standardError)")
    try await endsRight(books)
  }

  @Test("another version's schema under way is refused by 78, and the run that had begun ends")
  func twoVersions() async throws {
    let books = try await OperatorBooks.small()
    let newer = "insert into closebell.schema_migrations values (9999, 'newer', '')"
    let begun = try await books.run(
      night + ["--workers", "1"], environment: ["CLOSEBELL_FAULT": "populate-stage:stop"]
    ) { process in
      try await process.waitUntilAtRest()
      try await books.execute(newer)
      let other = try await books.run(night)
      #expect(other.exitCode == 78, "\(other.standardError)")
      #expect(other.standardError.contains("hint: "), "\(other.standardError)")
      process.send(SIGCONT)
    }
    #expect(begun.exitCode == 0, "\(begun.standardError)")
    try await books.execute("delete from closebell.schema_migrations where version = 9999")
    try await endsRight(books)
  }

  @Test(
    "a server that is restarted under any stage costs a run at most, never a number",
    arguments: [
      "plan-portfolios", "slots-claim", "load-openings", "populate-fill", "populate-holdings",
      "run-end",
    ])
  func serverRestart(stage: String) async throws {
    let cluster = TestCluster()
    let books = OperatorBooks(url: try await cluster.freshDatabase())
    try await books.prepareSmallWorld()
    let run = try await books.run(
      night + ["--workers", "1"], environment: ["CLOSEBELL_FAULT": "\(stage):stop"]
    ) { process in
      try await process.waitUntilAtRest()
      try await cluster.stop()
      try await cluster.start()
      process.send(SIGCONT)
    }
    #expect([0, 2, 69].contains(run.exitCode), "\(run.standardError)")
    try await endsRight(books)
    try await cluster.discard()
  }

  @Test("a second Ctrl-C ends a run at once, and what was open is rolled back")
  func interruptedTwice() async throws {
    let books = try await OperatorBooks.small()
    let barrier = try await Barrier(books, after: "portfolio_fund_valuations")
    let run = try await books.run(night + ["--workers", "1"]) { process in
      try await barrier.reached()
      // Two that come before the first was heard are one. Nothing else lets it go on.
      try await waitUntil("the run ends") {
        process.send(SIGINT)
        return !process.isAtWork
      }
    }
    #expect(run.exitCode == 130, "\(run.standardError)")
    #expect(try await books.count(Self.closedThatNight) == 0)
    await barrier.open()
    try await books.waitForNobody()
    try await barrier.remove()
    try await endsRight(books)
  }

  private static let closedThatNight = """
    select count(*) from closebell.portfolio_snapshots
    where is_complete and snapshot_date > '2017-06-28'
    """

  @Test("leases are the server's time alone: no client's clock is sent to it")
  func serverTime() async throws {
    let books = try await OperatorBooks.small()
    let off = try await books.perform { db in
      let run = try Runs.begin(
        kind: "run", from: nil, through: nil, host: "test", version: "test", arguments: "", on: db)
      _ = try db.transaction { db in
        try Leases.open(run: run, host: "test", pid: 1, seconds: 600, on: db)
      }
      return try db.row(Self.leaseIsOff) { try $0.nextInt64() }
    }
    #expect(off == 0)
  }

  private static let leaseIsOff = Statement(
    "lease-is-off",
    """
    select count(*) from closebell.worker_lease
    where lease_until - clock_timestamp() not between interval '590 s' and interval '600 s'
    """)
}

extension OperatorBooks {
  /// A role that may read and write the books and has few connections.
  func makeClerk(limit: Int) async throws {
    try await execute(
      """
      create role \(database)_clerk login connection limit \(limit);
      grant usage on schema closebell to \(database)_clerk;
      grant all on all tables in schema closebell to \(database)_clerk;
      grant all on all sequences in schema closebell to \(database)_clerk;
      grant temporary on database \(database) to \(database)_clerk
      """)
  }

  func limitClerk(_ limit: Int) async throws {
    try await execute("alter role \(database)_clerk connection limit \(limit)")
  }

  var asClerk: OperatorBooks {
    OperatorBooks(url: url.replacing("user=closebell", with: "user=\(database)_clerk"))
  }
}
