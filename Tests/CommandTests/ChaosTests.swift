import Glibc
import Postgres
import TestSupport
import Testing

/// Processes that are killed, cut off, stalled past their lease and robbed of their server, until
/// every night is closed: then the tables are those that an undisturbed program writes.
///
/// Those that close are not alone: others correct what was closed before, lock and unlock it, and
/// read; they are killed, cut off and stalled as well.
@Suite(.serialized) struct ChaosTests {
  private static let portfolios = Chaos.isThorough ? 100 : 24
  private static let chunk = Chaos.isThorough ? "5" : "2"
  /// Nights with a sleeper: an owner of every slot, stopped with its write in hand, who wakes when
  /// all is closed.
  ///
  /// It stands where neither the server nor anybody else ends its session.
  private static let sleeperNights = Chaos.isThorough ? 6 : 1
  private static let crashNights = Chaos.isThorough ? 3 : 1
  private static let forest = Forest(
    portfolios: portfolios,
    nights: Array(
      [
        "2017-06-01", "2017-06-02", "2017-06-05", "2017-06-06", "2017-06-07", "2017-06-08",
        "2017-06-09", "2017-06-12", "2017-06-13",
      ].prefix(sleeperNights + crashNights)))
  /// What bystanders do to its end while a night is closed.
  private static let (imports, locks, readings) = Chaos.isThorough ? (20, 20, 40) : (4, 4, 8)

  @Test("a storm over many processes changes not one number", .timeLimit(.minutes(40)))
  func storm() async throws {
    let cluster = TestCluster()
    let books = OperatorBooks(url: try await cluster.freshDatabase())
    let forest = Self.forest
    try await books.plant(forest, .first)
    try await books.slowDown()
    let storm = Storm(cluster, url: books.url, stream: 1)
    let bystanders = Bystanders(books, forest, stream: 10)
    for (index, night) in forest.nights.enumerated() {
      let slots = Self.portfolios * (Forest.quietDates.count + index + 1)
      let weather = Weather(
        night: night, slots: slots, hasSleeper: index < Self.sleeperNights, storm: storm,
        bystanders: bystanders)
      if weather.hasSleeper {
        try await closeUnderASleeper(weather, books)
      } else {
        // What was reported is corrected while it is locked, whoever unlocks it.
        try await books.waitForNobody()
        try await books.expectDone("unlock", "--month", "2017-05", "--reason", "not yet")
        try await runUntilQuiet(books, through: forest.nights[index - 1])
        try await books.expectDone("lock", "--month", "2017-05", "--reason", "reported")
        try await closeWithACrash(weather, books)
      }
    }
    try await books.waitForNobody()
    try await books.expectDone("unlock", "--month", "2017-05", "--reason", "the storm is over")
    try await books.importFiles(forest.files(.final))
    try await runUntilQuiet(books, through: forest.nights.last ?? "")
    try await expectHealthy(books)
    try await compare(books)
    expectViolence(
      storm.soFar, bystanders.soFar,
      fenced: try await books.count(
        "select coalesce(sum((counts ->> 'fenced')::bigint), 0) from closebell.batch_runs"))
    try await cluster.discard()
  }

  /// A night, and what falls on those who close it.
  private struct Weather {
    var night: String
    /// How many are complete once it is closed.
    var slots: Int
    var hasSleeper: Bool
    var storm: Storm
    var bystanders: Bystanders
  }

  private func closeUnderASleeper(_ weather: Weather, _ books: OperatorBooks) async throws {
    let sleeper = try await books.run(
      ["run", "--date", weather.night, "--workers", "1"],
      environment: [
        "CLOSEBELL_FAULT": "populate-stage:stop-in-copy", "CLOSEBELL_LEASE_SECONDS": "1",
        "CLOSEBELL_CHUNK": "1000",
      ], timeLimit: .seconds(600)
    ) { process in
      try await process.waitUntilAtRest()
      try await rage(weather, books)
      process.send(SIGCONT)
    }
    #expect([2, 69, 75].contains(sleeper.exitCode), "\(sleeper.standardError)")
  }

  private func closeWithACrash(_ weather: Weather, _ books: OperatorBooks) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await rage(weather, books) }
      group.addTask {
        try await Task.sleep(for: .milliseconds(700))
        try await weather.storm.crash()
      }
      for try await _ in group {}  // the first error ends the others
    }
  }

  /// Processes come and go until the night is closed and bystanders have done their part.
  private func rage(_ weather: Weather, _ books: OperatorBooks) async throws {
    let isClosed = Milestone()
    let (night, bystanders) = (weather.night, weather.bystanders)
    let closing = Storm.Party(width: 5) { whileRunning in
      let run = try await books.run(
        ["run", "--date", night, "--wait", "2s", "--max-catch-up", "100"],
        environment: ["CLOSEBELL_LEASE_SECONDS": "1", "CLOSEBELL_CHUNK": Self.chunk],
        whileRunning: whileRunning)
      #expect(
        [0, 2, 69, 75, 137].contains(run.exitCode)
          || run.exitCode == 1 && Forest.isOfLockedRate(run.standardError),
        "\(run.standardError)")
      return run
    }
    let others = bystanders.parties(
      imports: Self.imports, locks: Self.locks, readings: Self.readings,
      endsUnlocked: !weather.hasSleeper)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await weather.storm.rage([closing] + others) {
          isClosed.count > 0 && bystanders.areDone
        }
      }
      group.addTask {
        while (try? await books.completeSlots()) ?? 0 < weather.slots {
          try await Task.sleep(for: .milliseconds(50))
        }
        isClosed.pass()
      }
      for try await _ in group {}  // the first error ends the others
    }
  }

  // MARK: - After the storm

  /// Runs until one run says that all is done.
  private func runUntilQuiet(_ books: OperatorBooks, through last: String) async throws {
    try await books.waitForNobody()
    var run = try await books.run(
      "run", "--date", last, "--wait", "10s", "--max-catch-up", "100")
    for _ in 0..<3 where run.exitCode != 0 {
      run = try await books.run(
        "run", "--date", last, "--wait", "10s", "--max-catch-up", "100")
    }
    #expect(run.exitCode == 0, "\(run.standardError)")
  }

  /// Nothing is missing, failed or stale, nothing is wrong, and a repair finds nothing to do.
  private func expectHealthy(_ books: OperatorBooks) async throws {
    let status = try await books.run("status", "--from", Forest.quietDates[0])
    #expect(status.exitCode == 0, "\(status.standardOutput)")
    let verified = try await books.run("verify")
    #expect(verified.exitCode == 0, "\(verified.standardOutput)")
    let whole = { try await books.perform { db in try ResultTables.wholeRows(on: db) } }
    let before = try await whole()
    let repaired = try await books.run("repair", "equity", "--yes")
    #expect(
      repaired.exitCode == 0 && repaired.standardOutput.contains("nothing to do"),
      "\(repaired.standardOutput) \(repaired.standardError)")
    #expect(try await whole() == before)
    let leftovers = try await books.perform { db in try ResultTables.leftovers(on: db) }
    #expect(leftovers == [])
  }

  private func compare(_ books: OperatorBooks) async throws {
    let forest = Self.forest
    let quiet = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    try await quiet.plant(forest, .final)
    for night in forest.nights { try await quiet.expectDone("run", "--date", night) }
    let (stormy, calm) = (try await books.tables(), try await quiet.tables())
    #expect(stormy.count > 3 * Self.portfolios * forest.nights.count)
    #expect(stormy.count == calm.count)
    let (onlyStormy, onlyCalm) = (
      Set(stormy).subtracting(calm).sorted(), Set(calm).subtracting(stormy).sorted()
    )
    #expect(onlyStormy.prefix(5) == [] && onlyCalm.prefix(5) == [])
  }

  private func expectViolence(
    _ counts: Storm.Counts, _ done: Bystanders.Counts, fenced: Int64
  ) {
    #expect(fenced >= (Chaos.isThorough ? 500 : Self.portfolios))
    #expect(counts.kills >= (Chaos.isThorough ? 50 : 3))
    #expect(counts.terminations >= (Chaos.isThorough ? 50 : 3))
    #expect(counts.crashes == Self.crashNights)
    #expect(counts.stalls > 0)
    let nights = Self.forest.nights.count
    #expect(done.imports >= Self.imports * nights && done.readings >= Self.readings * nights)
    #expect(done.locks >= Self.locks * nights)
    Chaos.report(
      "storm: \(counts.processes) processes, \(counts.kills) killed, \(counts.terminations) "
        + "connections ended, \(counts.stalls) stalls, \(counts.crashes) crashes, "
        + "\(fenced) late writes refused; \(done.imports) imports, \(done.locks) locks, "
        + "\(done.readings) readings; \(Self.portfolios * nights) slots right")
  }
}

extension OperatorBooks {
  func count(_ sql: String) async throws -> Int64 {
    try await perform { db in
      try db.row(Statement("count", "select (\(sql))::bigint")) { try $0.nextInt64() } ?? 0
    }
  }
}
