import Glibc
import TestSupport
import Testing

/// An owner who is stopped in the middle of writing: nobody waits for it longer than its lease, and
/// when it goes on it says so and writes nothing.
@Suite struct StandstillTests {
  private static let night = ["run", "--date", "2017-06-30", "--wait", "0"]
  /// Of owners who are to see by their own clock that it is over, which no statement sets forward:
  /// long enough for a busy machine to bring them where they are stopped.
  private static let lease = "8"

  /// Where a run stops, and whether the server ends its session without anybody's help.
  struct Stop: Sendable, CustomTestStringConvertible {
    var fault: String
    var endsByItself = true

    var testDescription: String { fault }
  }

  static let stops = [
    Stop(fault: "populate-stage:stop"),
    Stop(fault: "populate-fill#2:stop"),
    Stop(fault: "populate-holding-returns:stop"),
    Stop(fault: "commit#5:stop"),
    // While rows of a COPY are due the server knows no limit: who takes the slots over ends it.
    Stop(fault: "populate-stage:stop-in-copy", endsByItself: false),
    Stop(fault: "populate-holdings:stop-in-copy", endsByItself: false),
  ]

  private static let standsInTransaction = """
    exists (select from pg_stat_activity where datname = current_database()
      and application_name like 'closebell/run, claim %' and xact_start is not null)
    """

  @Test(
    "an owner stopped in mid-write is ended with its lease; its slots are closed by the next",
    arguments: stops)
  func stoppedInMidWrite(_ stop: Stop) async throws {
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(Self.night)
    let books = try await OperatorBooks.small()
    let stopped = try await books.run(
      Self.night + ["--workers", "1"],
      environment: ["CLOSEBELL_LEASE_SECONDS": Self.lease, "CLOSEBELL_FAULT": stop.fault]
    ) { process in
      try await process.waitUntilAtRest()
      #expect(process.isStopped)
      if stop.endsByItself { try await books.waitUntil("not \(Self.standsInTransaction)") }
      try await books.waitForEndOfLeases()
      #expect(
        try await books.count("select count(*) where \(Self.standsInTransaction)")
          == (stop.endsByItself ? 0 : 1))
      let next = try await books.run(Self.night)
      #expect(next.exitCode == 0, "\(next.standardError)")
      let whole = try await books.wholeTables()
      process.send(SIGCONT)
      try await books.waitForNobody()
      #expect(try await books.wholeTables() == whole, "not a byte was written late")
    }
    #expect(stopped.exitCode == 2, "\(stopped.standardError)")
    #expect(stopped.standardError.hasPrefix("error: the lease "), "\(stopped.standardError)")
    #expect(stopped.standardError.contains("hint: "), "\(stopped.standardError)")
    #expect(try await books.tables() == (try await quiet.tables()))
    #expect(try await books.leftovers() == [])
  }

  @Test("a run that waits ends the session of an owner whose lease runs out meanwhile")
  func leaseEndsWhileOthersWait() async throws {
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(Self.night)
    let books = try await OperatorBooks.small()
    let stopped = try await books.run(
      Self.night + ["--workers", "1"],
      environment: [
        "CLOSEBELL_LEASE_SECONDS": Self.lease, "CLOSEBELL_FAULT": "populate-holdings:stop-in-copy",
      ]
    ) { process in
      try await process.waitUntilAtRest()
      let next = try await books.run(["run", "--date", "2017-06-30", "--wait", "1h"])
      #expect(next.exitCode == 0, "\(next.standardError)")
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 2, "\(stopped.standardError)")
    #expect(try await books.tables() == (try await quiet.tables()))
    #expect(try await books.leftovers() == [])
  }

  @Test("cleanup ends the session of an owner whose lease is over, and of nobody else")
  func cleanup() async throws {
    let books = try await OperatorBooks.small()
    let stopped = try await books.run(
      Self.night + ["--workers", "1"],
      environment: [
        "CLOSEBELL_FAULT": "populate-holdings:stop-in-copy", "CLOSEBELL_LEASE_SECONDS": "86400",
      ]
    ) { process in
      try await process.waitUntilAtRest()
      try await books.expectDone("cleanup")
      #expect(try await books.count("select count(*) where \(Self.standsInTransaction)") == 1)
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 0, "\(stopped.standardError)")
  }

  @Test("a run whose lease was deleted under it says that it is gone, exits 2 and writes nothing")
  func leaseDeleted() async throws {
    for step in ["slots-claim", "load-openings", "lease-hold"] {
      let books = try await OperatorBooks.small()
      let quiet = try await OperatorBooks.small()
      try await quiet.expectDone(Self.night)
      let before = try await books.wholeTables()
      let run = try await books.run(
        Self.night + ["--workers", "1"],
        environment: ["CLOSEBELL_FAULT": "\(step):stop", "CLOSEBELL_LEASE_SECONDS": "86400"]
      ) { process in
        try await process.waitUntilAtRest()
        try await books.execute("delete from closebell.worker_lease")
        process.send(SIGCONT)
      }
      #expect(run.exitCode == 2, "\(step): \(run.standardError)")
      #expect(run.standardError.hasPrefix("error: the lease "), "\(step): \(run.standardError)")
      #expect(run.standardError.contains("hint: "), "\(step): \(run.standardError)")
      let placeholder = "\"state\": \"claimed\""
      let after = try await books.wholeTables().filter { !$0.contains(placeholder) }
      #expect(after == before, "\(step)")
      let next = try await books.run(Self.night)
      #expect(next.exitCode == 0, "\(step): \(next.standardError)")
      #expect(try await books.tables() == (try await quiet.tables()), "\(step)")
      #expect(try await books.leftovers() == [], "\(step)")
    }
  }

  @Test("an import that stands still lets others of its kind have their turn, and goes on after")
  func imports() async throws {
    @Sendable func deposits(_ name: String) -> String {
      "id,portfolio,date,type,amount\n"
        + (1...30).map { "\(name)-\($0),ASH,2017-06-30,deposit,\($0)\n" }.joined()
    }
    // With the turn taken, the server ends its session after a minute.
    let steps =
      ["stage-import_activities:stop-in-copy"]
      + (Chaos.isThorough ? ["import-job-advance:stop"] : [])
    for step in steps {
      let books = try await OperatorBooks.small()
      let stopped = try await books.run(
        ["import", "activities", "-"], environment: ["CLOSEBELL_FAULT": step],
        input: deposits("FIRST")
      ) { process in
        try await process.waitUntilAtRest()
        let other = try await books.run(["import", "activities", "-"], input: deposits("SECOND"))
        #expect(other.exitCode == 0, "\(step): \(other.standardError)")
        process.send(SIGCONT)
      }
      #expect(stopped.exitCode == 0, "\(step): \(stopped.standardError)")
      #expect(
        try await books.count(
          """
          select count(*) from closebell.holding_activity_log
          where external_id like 'FIRST-%' or external_id like 'SECOND-%'
          """) == 60)
    }
  }
}
