import Glibc
import Postgres
import TestSupport
import Testing

/// Processes that are killed, cut off, stalled past their lease and robbed of their server, until
/// every night is closed: then the tables are those that an undisturbed program writes.
@Suite(.serialized) struct ChaosTests {
  private static let portfolios = Chaos.isThorough ? 100 : 24
  private static let chunk = Chaos.isThorough ? "5" : "2"
  /// Nights with a sleeper: an owner of every slot, stopped with its write in hand, who wakes when
  /// all is closed.
  ///
  /// It stands where neither the server nor anybody else ends its session.
  private static let sleeperNights = Chaos.isThorough ? 6 : 1
  private static let crashNights = Chaos.isThorough ? 3 : 1
  private static let nights = Array(
    [
      "2017-06-15", "2017-06-16", "2017-06-19", "2017-06-20", "2017-06-21", "2017-06-22",
      "2017-06-23", "2017-06-26", "2017-06-27",
    ].prefix(sleeperNights + crashNights))

  @Test("a storm over many processes changes not one number", .timeLimit(.minutes(40)))
  func storm() async throws {
    let cluster = TestCluster()
    let books = OperatorBooks(url: try await cluster.freshDatabase())
    try await books.prepareForest(Self.portfolios, nights: Self.nights)
    let storm = Storm(cluster, url: books.url, stream: 1)
    for (index, night) in Self.nights.enumerated() {
      let slots = Self.portfolios * (index + 1)
      if index < Self.sleeperNights {
        try await closeUnderASleeper(night, slots, books, storm)
      } else {
        try await closeWithACrash(night, slots, books, storm)
      }
    }
    try await books.expectDone("run", "--date", Self.nights.last ?? "", "--wait", "10s")
    try await compare(books, storm)
    try await cluster.discard()
  }

  private func closeUnderASleeper(
    _ night: String, _ slots: Int, _ books: OperatorBooks, _ storm: Storm
  ) async throws {
    let sleeper = try await books.run(
      ["run", "--date", night, "--workers", "1"],
      environment: [
        "CLOSEBELL_FAULT": "populate-stage:stop-in-copy", "CLOSEBELL_LEASE_SECONDS": "1",
        "CLOSEBELL_CHUNK": "1000",
      ], timeLimit: .seconds(600)
    ) { process in
      try await process.waitUntilAtRest()
      try await rage(night, slots, books, storm)
      process.send(SIGCONT)
    }
    #expect([2, 69, 75].contains(sleeper.exitCode), "\(sleeper.standardError)")
  }

  private func closeWithACrash(
    _ night: String, _ slots: Int, _ books: OperatorBooks, _ storm: Storm
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await rage(night, slots, books, storm) }
      group.addTask {
        try await Task.sleep(for: .milliseconds(700))
        try await storm.crash()
      }
      try await group.waitForAll()
    }
  }

  /// Processes come and go until the night is closed.
  private func rage(
    _ night: String, _ slots: Int, _ books: OperatorBooks, _ storm: Storm
  ) async throws {
    let isClosed = Milestone()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await storm.rage(
          width: 5,
          { whileRunning in
            let run = try await books.run(
              ["run", "--date", night, "--wait", "2s"],
              environment: ["CLOSEBELL_LEASE_SECONDS": "1", "CLOSEBELL_CHUNK": Self.chunk],
              whileRunning: whileRunning)
            #expect([0, 2, 69, 75, 137].contains(run.exitCode), "\(run.standardError)")
            return run
          }, until: { _ in isClosed.count > 0 })
      }
      group.addTask {
        while (try? await books.completeSlots()) ?? 0 < slots {
          try await Task.sleep(for: .milliseconds(50))
        }
        isClosed.pass()
      }
      try await group.waitForAll()
    }
  }

  private func compare(_ books: OperatorBooks, _ storm: Storm) async throws {
    let quiet = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    try await quiet.prepareForest(Self.portfolios, nights: Self.nights, isSlow: false)
    for night in Self.nights { try await quiet.expectDone("run", "--date", night) }
    let tables = try await books.tables()
    #expect(tables.count > 3 * Self.portfolios * Self.nights.count)
    #expect(tables == (try await quiet.tables()))
    let leftovers = try await books.perform { db in try ResultTables.leftovers(on: db) }
    #expect(leftovers == [])
    let fenced = try await books.count(
      "select coalesce(sum((counts ->> 'fenced')::bigint), 0) from closebell.batch_runs")
    let counts = storm.soFar
    #expect(fenced >= (Chaos.isThorough ? 500 : Self.portfolios))
    #expect(counts.kills >= (Chaos.isThorough ? 50 : 3))
    #expect(counts.terminations >= (Chaos.isThorough ? 50 : 3))
    #expect(counts.crashes == Self.crashNights)
    #expect(counts.stalls > 0)
    Chaos.report(
      "storm: \(counts.processes) processes, \(counts.kills) killed, \(counts.terminations) "
        + "connections ended, \(counts.stalls) stalls, \(counts.crashes) crashes, "
        + "\(fenced) late writes refused, \(Self.portfolios * Self.nights.count) slots right")
  }
}

extension OperatorBooks {
  /// Books of many small portfolios.
  ///
  /// - Parameter isSlow: Whether each statement that writes snapshots takes its time, so that what
  ///   falls on a process falls on work.
  func prepareForest(_ portfolios: Int, nights: [String], isSlow: Bool = true) async throws {
    try await expectDone("migrate")
    let symbols = ["OAK", "ELM", "IVY", "FIR", "ASH"]
    var files = [
      (kind: "instruments", csv: "symbol,name,kind,currency\n"),
      (kind: "portfolios", csv: "code,name,base_currency,inception_date\n"),
      (kind: "prices", csv: "date,symbol,close\n"),
      (
        kind: "activities",
        csv: "id,portfolio,date,type,symbol,quantity,price,amount\n"
      ),
    ]
    for (index, symbol) in symbols.enumerated() {
      files[0].csv += "\(symbol),\(symbol),equity,USD\n"
      for (day, night) in (["2017-06-14"] + nights).enumerated() {
        files[2].csv +=
          "\(night),\(symbol),\(20 + 7 * index).\(10 + (day * 37 + index * 13) % 90)\n"
      }
    }
    for number in 1...portfolios {
      let symbol = symbols[number % symbols.count]
      files[1].csv += "P\(number),P\(number),USD,2017-06-14\n"
      files[3].csv += "\(number)-1,P\(number),2017-06-14,deposit,,,,\(10_000 + number)\n"
      files[3].csv += "\(number)-2,P\(number),2017-06-14,buy,\(symbol),\(10 + number),21.5,\n"
      files[3].csv += "\(number)-3,P\(number),2017-06-16,sell,\(symbol),\(number % 9 + 1),22.25,\n"
    }
    try await importFiles(files)
    if isSlow { try await execute(Self.slowly) }
  }

  private static let slowly = """
    create function public.take_time() returns trigger language plpgsql as
      $$ begin perform pg_catalog.pg_sleep(0.02); return null; end $$;
    create trigger take_time after insert or update on closebell.portfolio_snapshots
      for each statement execute function public.take_time()
    """

  func completeSlots() async throws -> Int {
    Int(try await count("select count(*) from closebell.portfolio_snapshots where is_complete"))
  }

  func count(_ sql: String) async throws -> Int64 {
    try await perform { db in
      try db.row(Statement("count", "select (\(sql))::bigint")) { try $0.nextInt64() } ?? 0
    }
  }
}
