import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Import

/// The plan of a statement of the import, as a session has it.
enum ImportPlans {
  /// The plan by which equal rows are found, made while nothing is stored.
  static func equalRows(on db: isolated Connection) throws -> [String] {
    try ChunkStore<ActivityRows>.prepare(isDryRun: false, on: db)
    return try db.transaction { db in
      try db.execute(
        sql: """
          set local enable_seqscan = off; set local enable_hashjoin = off;
          set local enable_mergejoin = off; prepare one as \(ActivityRows.findEqual.sql)
          """)
      return try db.rows(.once("explain", "explain (costs off) execute one (1, '')")) {
        try $0.nextString()
      }
    }
  }
}

/// Files at random, and what must come of them: of rows that say the same there are as many as in
/// the file that has the most of them, in whatever order the files come, how often, in chunks of
/// whatever size, and wherever they are stopped and gone on with.
@Suite("Of equal rows the books have as many as the file with the most of them")
struct EqualRowLawsTests {
  /// What a row says, and what of it may differ between equal ones.
  private struct Row: Hashable {
    var portfolio: String
    var day: Int
    /// An amount, or units of the stock at a price.
    var amount: Int
    var isTrade: Bool
    var account: String
  }

  private struct File {
    var text: String
    var counts: [Row: Int]
  }

  private static func file(_ random: inout SeededGenerator) -> File {
    let hasIDs = random.chance(oneIn: 3)
    var lines = [
      (hasIDs ? "id," : "") + "portfolio,date,type,symbol,quantity,price,amount,fee,account"
    ]
    var counts: [Row: Int] = [:]
    for _ in 0..<random.below(14) {
      if random.chance(oneIn: 8) {
        // A refused row counts for nothing, whatever it says.
        lines.append((hasIDs ? "x," : "") + "OMEGA,2020-02-03,deposit,,,,1,,")
        continue
      }
      let row = Row(
        portfolio: random.pick(["ALPHA", "GAMMA"]), day: 3 + random.below(2),
        amount: 1 + random.below(2), isTrade: random.chance(oneIn: 2),
        account: random.pick(["", "", "two"]))
      counts[row, default: 0] += 1
      let zeros = random.pick(["", ".0", ".00"])
      let said =
        row.isTrade
        ? "buy,ACME,\(row.amount)\(zeros),7,,\(random.pick(["", "1", "2"]))"
        : "deposit,,,,\(row.amount)\(zeros),"
      let id = "\(row)".filter { $0.isLetter || $0.isNumber } + "-\(counts[row] ?? 0)"
      lines.append(
        (hasIDs ? id + "," : "") + "\(row.portfolio),2020-02-0\(row.day),\(said),\(row.account)")
    }
    return File(text: lines.joined(separator: "\n") + "\n", counts: counts)
  }

  /// Imports a file, stopping after some chunks and going on, as long as anything is left.
  private static func take(
    _ file: File, _ books: Books, _ random: inout SeededGenerator
  ) async throws {
    let scratch = ScratchFile(file.text)
    let size = 1 + random.below(5)
    let request = ImportRequest(kind: .activities, source: .file(scratch.path), batchSize: size)
    guard random.chance(oneIn: 2) else {
      _ = try await books.run(request)
      return
    }
    let left = Mutex(1 + random.below(3))
    let control = ImportControl(shouldStop: {
      left.withLock { count in
        count -= 1
        return count < 0
      }
    })
    let connection = try await books.connect()
    let report = try await runImport(request, on: connection, control: control)
    await connection.close()
    if report.outcome == .interrupted, let job = report.jobID {
      _ = try await ResumeTests.resume(books, job)
    }
  }

  private static func stored(_ books: Books) async throws -> [String] {
    try await books.texts(
      """
      select p.code, a.activity_type, a.activity_date, a.account,
        trim_scale(coalesce(a.quantity, a.amount)), count(*), count(distinct a.external_id)
      from closebell.holding_activity_log a join closebell.portfolios p on p.id = a.portfolio_id
      group by 1, 2, 3, 4, 5
      """
    ).sorted()
  }

  @Test("files in any order, any number of times, cut anywhere", arguments: 1...24)
  func law(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let books = try await Books.small()
    let files = (0..<3).map { _ in Self.file(&random) }
    var most: [Row: Int] = [:]
    for file in files { most.merge(file.counts, uniquingKeysWith: max) }
    let expected = most.map { row, count in
      "(\(row.portfolio),\(row.isTrade ? "buy" : "deposit"),2020-02-0\(row.day),\(row.account),"
        + "\(row.amount),\(count),\(count))"
    }.sorted()
    for file in files { try await Self.take(file, books, &random) }
    #expect(try await Self.stored(books) == expected)
    // A fee may still change which of the equal rows has it; the rows do not.
    for file in files.shuffled(using: &random) { try await Self.take(file, books, &random) }
    #expect(try await Self.stored(books) == expected)
    #expect(try await books.texts("select * from closebell.import_matches").isEmpty)
  }

  @Test(
    "whichever call to the server is cut, an overlapping file adds what is new, once",
    arguments: [FaultPlan.Fault.cutBeforeSend, .cutAfterSend])
  func cut(_ fault: FaultPlan.Fault) async throws {
    let header = "portfolio,date,type,amount\n"
    let row = "ALPHA,2020-02-03,deposit,1\n"
    let other = "ALPHA,2020-02-03,deposit,2\n"
    let first = header + row + row + row
    let second = ScratchFile(header + row + other + row + row + row + other)
    let counting = FaultPlan()
    try await Self.run(second, after: first, counting)
    var tried = 0
    for call in stride(from: 3, through: counting.calls, by: 5) {
      tried += 1
      let books = try await Self.run(second, after: first, FaultPlan(failing: call, by: fault))
      #expect(
        try await books.texts(
          """
          select trim_scale(amount), count(*) from closebell.holding_activity_log
          group by 1 order by 1
          """) == ["(1,4)", "(2,2)"], "call \(call)")
    }
    #expect(tried > 5)
  }

  /// Imports two files one after the other, the second under a plan, and goes on where it stops.
  @discardableResult
  private static func run(
    _ second: ScratchFile, after first: String, _ plan: FaultPlan
  ) async throws -> Books {
    let books = try await Books.small()
    try await books.mustImport(.activities, first)
    var configuration = books.configuration
    configuration.faultPlan = plan
    let faulty = configuration
    let request = ImportRequest(kind: .activities, source: .file(second.path), batchSize: 2)
    do {
      let connection = try await Connection.connect(faulty)
      let control = ImportControl(reconnect: { try await Connection.connect(faulty) })
      _ = try await runImport(request, on: connection, control: control)
      await connection.close()
    } catch {
      let stopped = try await books.texts(
        "select max(id) from closebell.import_jobs where status <> 'completed'")
      if let job = stopped.first.flatMap({ Int64($0.dropFirst().dropLast()) }) {
        _ = try await ResumeTests.resume(books, job)
      } else {
        _ = try await books.run(request)
      }
    }
    return books
  }
}
