import Glibc
import Postgres
import TestSupport
import Testing

/// Bad weather: processes that die, are stopped, and run over one another.
@Suite struct WeatherTests {
  @Test("kill -9 in the middle, followed at once by a run, ends in the same tables")
  func killed() async throws {
    let expected = try await OperatorBooks.undisturbed()
    for slots in [1, 2, 5, 9, 14, 20] {
      let books = try await OperatorBooks.demo()
      let killed = try await books.runStopping(after: slots) { $0.send(SIGKILL) }
      #expect(killed.exitCode == 137)
      #expect(try await books.tables().count < expected.count)
      let next = try await books.run("run", "--date", "2017-06-30")
      #expect(next.exitCode == 0, "\(next.standardError)")
      #expect(try await books.tables() == expected, "killed after \(slots) slots")
    }
  }

  @Test("sixteen processes on one date close each slot once, with exit codes 0 or 75")
  func sixteenProcesses() async throws {
    let expected = try await OperatorBooks.undisturbed()
    let books = try await OperatorBooks.demo()
    let codes = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<16 {
        group.addTask {
          try await books.run(
            ["run", "--date", "2017-06-30", "--quiet"], environment: ["CLOSEBELL_CHUNK": "4"]
          ).exitCode
        }
      }
      var codes: [Int] = []
      for try await code in group { codes.append(code) }
      return codes
    }
    #expect(codes.allSatisfy { $0 == 0 || $0 == 75 }, "\(codes)")
    #expect(try await books.tables() == expected)
  }

  @Test("an interrupted run releases its claims and leaves with 130", arguments: [SIGINT, SIGTERM])
  func interrupted(signal: Int32) async throws {
    let expected = try await OperatorBooks.undisturbed()
    for slots in [1, 4, 8] {
      let books = try await OperatorBooks.demo()
      let stopped = try await books.runStopping(after: slots) { $0.send(signal) }
      #expect(stopped.exitCode == 130, "\(stopped.standardError)")
      #expect(stopped.standardOutput.contains("\"outcome\":\"interrupted\""))
      let claimed = try await books.perform { db in
        try db.row(Self.placeholders) { try $0.nextInt64() }
      }
      #expect(claimed == 0)
      let next = try await books.run("run", "--date", "2017-06-30")
      #expect(next.exitCode == 0, "\(next.standardError)")
      #expect(try await books.tables() == expected)
    }
  }

  private static let placeholders = Statement(
    "placeholders",
    "select count(*) from closebell.portfolio_snapshots where not is_complete")

  /// In every phase: begin, plan, claim, load, populate, end.
  ///
  /// Before it loads, a run has committed a claim and not waited for the disk: the crash may undo
  /// it.
  @Test(
    "a server that crashes under a run costs nothing: the next run ends in the same tables",
    arguments: [
      "at work", "run-begin:stop", "plan-portfolios:stop", "slots-claim:stop",
      "load-openings:stop", "populate-fill:stop", "run-end:stop",
    ])
  func serverCrash(when moment: String) async throws {
    let cluster = TestCluster()
    let books = OperatorBooks(url: try await cluster.freshDatabase())
    try await books.prepareSmall()
    let expected = try await books.tables()
    try await books.execute("delete from closebell.portfolio_snapshots")
    for table in [
      "portfolio_fund_valuations", "portfolio_fund_irr_values", "portfolio_irr_values",
      "portfolio_cash_balances", "portfolio_receivables", "portfolio_irr_moments",
    ] {
      try await books.execute("delete from closebell.\(table)")
    }
    // The test cluster does not sync what it commits; what follows is about the run's commits.
    try await books.execute("checkpoint")
    let isStopped = moment.hasSuffix(":stop")
    let crashed = try await books.run(
      ["run", "--date", "2017-06-30", "--workers", "1"],
      environment: ["CLOSEBELL_CHUNK": "1", "CLOSEBELL_FAULT": isStopped ? moment : ""]
    ) { process in
      if isStopped {
        try await process.waitUntilAtRest()
      } else {
        try await waitUntil("two slots are closed") { try await books.closedSlots() >= 2 }
      }
      try await cluster.crash()
      if isStopped { process.send(SIGCONT) }
    }
    try await cluster.start()
    #expect([0, 2, 69].contains(crashed.exitCode), "\(crashed.standardError)")
    let next = try await books.run("run", "--date", "2017-06-30")
    #expect(next.exitCode == 0, "\(next.standardError)")
    #expect(try await books.tables() == expected)
    try await cluster.discard()
  }
}

extension OperatorBooks {
  /// A run of the night of 2017-06-30 to which something happens once so many of its slots are
  /// complete: it stands still for that, and goes on.
  func runStopping(
    after slots: Int, _ happen: @escaping @Sendable (CommandRun.Running) -> Void
  ) async throws -> CommandRun {
    try await run(
      ["run", "--date", "2017-06-30", "--workers", "1", "--json"],
      environment: ["CLOSEBELL_CHUNK": "1", "CLOSEBELL_FAULT": "populate-stage#\(slots + 1):stop"]
    ) { process in
      try await process.waitUntilAtRest()
      #expect(try await closedSlots() == slots)
      happen(process)
      process.send(SIGCONT)
    }
  }

  /// How many slots of the night of 2017-06-30 are complete.
  func closedSlots() async throws -> Int {
    Int(
      try await integer(
        """
        select count(*) from closebell.portfolio_snapshots
        where snapshot_date = '2017-06-30' and is_complete
        """))
  }

  /// The demo, and one date closed.
  func prepareSmall() async throws {
    try await expectDone("migrate")
    for kind in [
      "instruments", "portfolios", "calendars", "prices", "fx-rates", "corporate-actions",
      "activities", "valuations",
    ] {
      try await expectDone("import", kind, Fixtures.path("demo/\(kind).csv"))
    }
    try await expectDone("run", "--date", "2017-06-30")
  }
}
