import FoundationEssentials
import Glibc
import Postgres
import TestSupport
import Testing

/// Imports as an operator runs them: killed, stopped, queued, mended.
@Suite("Imports that are killed, stopped, queued and mended")
struct ImportJobTests {
  /// The schema, an instrument and two portfolios.
  static func books() async throws -> OperatorBooks {
    OperatorBooks(
      url: try await TestCluster.shared.freshDatabase(template: "import_jobs") { url in
        let books = OperatorBooks(url: url)
        try await books.expectDone("migrate")
        let instruments = ScratchFile("symbol,name,kind,currency\nACME,Acme,equity,USD\n")
        try await books.expectDone("import", "instruments", instruments.path)
        let portfolios = ScratchFile(
          "code,name,base_currency,inception_date\nALPHA,A,USD,2020-01-01\nBETA,B,USD,2020-01-01\n")
        try await books.expectDone("import", "portfolios", portfolios.path)
      })
  }

  /// Purchases, of which the first, the last and those at the edges of chunks of 20 are bad.
  static func activities(_ count: Int, from first: Int = 1) -> String {
    var text = "id,portfolio,date,type,symbol,quantity,price\n"
    for number in first..<first + count {
      let isBad = number == first || number == first + count - 1 || number % 20 < 2
      text += "T-\(number),\(number.isMultiple(of: 3) ? "BETA" : "ALPHA"),2020-02-0"
      text += "\(1 + number % 9),buy,\(isBad ? "NONE" : "ACME"),\(number),1.5\n"
    }
    return text
  }

  static func state(_ books: OperatorBooks) async throws -> [String] {
    try await books.perform { db in
      var all: [String] = []
      for query in [
        """
        select p.code, a.activity_date, a.quantity, a.price, a.external_id
        from closebell.holding_activity_log a
        join closebell.portfolios p on p.id = a.portfolio_id order by a.id
        """,
        "select portfolio_id, instrument_id from closebell.portfolio_funds order by 1, 2",
        """
        select r.row_number, r.line_number, r.field, r.message, r.row_text
        from closebell.import_results r order by 1
        """,
        """
        select j.status, j.processed_count, j.inserted_count, j.updated_count, j.unchanged_count,
          j.refused_count, j.replaced_count, j.row_number, j.byte_offset, j.digest, j.error
        from closebell.import_jobs j where j.kind = 'activities'
        """,
      ] {
        all += try db.rows(Statement.once("test", "select q::text from (\(query)) q")) {
          try $0.nextString()
        }
      }
      return all
    }
  }

  static func lastJob(_ books: OperatorBooks) async throws -> String? {
    let job = try await books.perform { db in
      try db.row(
        Statement.once(
          "test", "select max(id) from closebell.import_jobs where kind = 'activities'"),
        as: { try $0.nextInt64OrNil() }) ?? nil
    }
    return job.map(String.init)
  }

  /// Resumes once the server has noticed that the process is dead.
  static func resume(_ books: OperatorBooks, _ job: String) async throws -> CommandRun {
    try await books.waitForNobody()
    return try await books.run("imports", "resume", job)
  }

  private static let kills =
    ProcessInfo.processInfo.environment["CLOSEBELL_CHAOS"] == nil ? 12 : 120

  @Test("killed at any point and resumed, an import leaves what an undisturbed one leaves")
  func killed() async throws {
    let file = ScratchFile(Self.activities(200))
    let calm = try await Self.books()
    let whole = try await calm.run("import", "activities", file.path, "--batch-size", "20")
    #expect(whole.exitCode == 65)
    let expected = try await Self.state(calm)
    var random = SystemRandomNumberGenerator()
    var (kills, resumed) = (0, 0)
    while kills < Self.kills {
      let books = try await Self.books()
      let call = Int.random(in: 3...140, using: &random)
      let fault = Bool.random(using: &random) ? "kill" : "kill-after-send"
      let killed = try await books.run(
        ["import", "activities", file.path, "--batch-size", "20"],
        environment: ["CLOSEBELL_FAULT": "\(call):\(fault)"])
      guard killed.exitCode == 137 else { continue }
      kills += 1
      if let job = try await Self.lastJob(books) {
        let next = try await Self.resume(books, job)
        #expect([0, 65].contains(next.exitCode), "\(call):\(fault) \(next.standardError)")
        resumed += next.standardError.contains("nothing to resume") ? 0 : 1
      } else {
        _ = try await books.run("import", "activities", file.path, "--batch-size", "20")
      }
      #expect(try await Self.state(books) == expected, "\(call):\(fault)")
    }
    #expect(resumed >= kills / 2, "most kills must hit the middle to prove anything")
  }

  @Test(
    "Ctrl-C stops after the open chunk with 130; the rest is resumed", arguments: [SIGINT, SIGTERM])
  func interrupted(signal: Int32) async throws {
    let books = try await Self.books()
    let file = ScratchFile(Self.activities(600))
    let stopped = try await books.run(
      ["import", "activities", file.path, "--batch-size", "1"], environment: Self.stopAtWork
    ) { process in
      try await process.waitUntilAtRest()
      process.send(signal)
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 130, "\(stopped.standardError)")
    #expect(stopped.standardError.contains("hint: closebell imports resume"))
    let job = try #require(try await Self.lastJob(books))
    let shown = try await books.run("imports", "show", job)
    #expect(shown.standardOutput.contains("cancelled"))
    #expect(shown.standardOutput.contains("hint: closebell imports resume \(job)"))
    let next = try await Self.resume(books, job)
    #expect(next.exitCode == 65)
    #expect(next.standardOutput.contains("600 rows: 540 new, 60 refused"))
  }

  /// Stands still in its sixth chunk, with nothing locked.
  static let stopAtWork = ["CLOSEBELL_FAULT": "stage-import_activities#6:stop"]

  @Test("cancelled from another process, it stops at its next chunk with 1, and can be resumed")
  func cancelled() async throws {
    let books = try await Self.books()
    let file = ScratchFile(Self.activities(600))
    let stopped = try await books.run(
      ["import", "activities", file.path, "--batch-size", "1"], environment: Self.stopAtWork
    ) { process in
      try await process.waitUntilAtRest()
      let job = try await Self.lastJob(books) ?? ""
      let cancel = try await books.run("imports", "cancel", job)
      #expect(cancel.exitCode == 0)
      #expect(cancel.standardOutput.contains("is cancelled"))
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 1, "\(stopped.standardError)")
    let job = try #require(try await Self.lastJob(books))
    #expect(
      try await books.run("imports", "cancel", job).standardOutput.contains("nothing to cancel"))
    #expect(try await Self.resume(books, job).exitCode == 65)
  }

  @Test("refused, mended, finished: the rejects file is imported as it stands")
  func rejects() async throws {
    let books = try await Self.books()
    let text = """
      Id,Portfolio,Day,Type,Amount,Note\r
      1,ALPHA,2020-02-03,deposit,10,"two\r
      lines, ""quoted"" end"\r
      2,OMEGA,2020-02-03,deposit,20,"x\r
      y"\r
      3,ALPHA,2020-02-33,deposit,30,\r
      4,ALPHA,2020-02-03,deposit,40,caf\u{E9}\r

      """
    let file = ScratchFile(text)
    let rejects = ScratchFile("")
    let first = try await books.run(
      "import", "activities", file.path, "--map", "Day=date", "--rejects", rejects.path)
    #expect(first.exitCode == 65)
    #expect(first.standardOutput.contains("4 rows: 2 new, 2 refused"))
    let refused = """
      Id,Portfolio,Day,Type,Amount,Note
      2,OMEGA,2020-02-03,deposit,20,"x\r
      y"
      3,ALPHA,2020-02-33,deposit,30,

      """
    #expect(rejects.text == refused)
    let job = try #require(try await Self.lastJob(books))
    #expect(try await books.run("imports", "rejects", job).standardOutput == refused)
    rejects.replace(
      with: Array(refused.replacing("OMEGA", with: "BETA").replacing("02-33", with: "02-23").utf8))
    let second = try await books.run(
      "import", "activities", rejects.path, "--map", "Day=date", "--rejects", rejects.path)
    #expect(second.exitCode == 0, "\(second.standardError)")
    #expect(rejects.text == nil, "nothing is refused any more")
    let third = try await books.run("import", "activities", file.path, "--map", "Day=date")
    #expect(third.standardOutput.contains("0 new, 2 unchanged, 2 refused"))
  }

  @Test("ten imports at once: every row once, whatever they share")
  func tenAtOnce() async throws {
    let books = try await Self.books()
    // Neighbours share half of their rows.
    let files = (0..<10).map { ScratchFile(Self.activities(200, from: 1 + 100 * $0)) }
    let codes = try await withThrowingTaskGroup(of: Int.self) { group in
      for file in files {
        group.addTask {
          try await books.run("import", "activities", file.path, "--batch-size", "20").exitCode
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(codes.allSatisfy { $0 == 65 }, "\(codes)")
    let counts = try await books.perform { db in
      try db.row(
        Statement.once(
          "test",
          """
          select concat_ws(' ', count(*), count(distinct external_id),
            (select sum(inserted_count) from closebell.import_jobs where kind = 'activities'),
            (select count(*) from closebell.portfolio_funds))
          from closebell.holding_activity_log
          """)
      ) { try $0.nextString() }
    }
    // 1 100 numbers, without those that are bad in every file that has them.
    #expect(counts == "990 990 990 2")
  }

  @Test("queued by hand or by size, worked at in the order of the queue, and only once")
  func background() async throws {
    let books = try await Self.books()
    let (small, large) = (ScratchFile(Self.activities(5)), ScratchFile(Self.activities(300)))
    let environment = ["CLOSEBELL_IMPORT_BACKGROUND_THRESHOLD": "1K"]
    let now = try await books.run(["import", "activities", small.path], environment: environment)
    #expect(now.standardOutput.contains("5 rows"))
    let later = try await books.run(["import", "activities", large.path], environment: environment)
    #expect(later.exitCode == 0)
    #expect(later.standardOutput.contains("is queued as import"))
    let byHand = try await books.run("import", "activities", small.path, "--background")
    #expect(byHand.exitCode == 0)
    #expect(try await books.run("imports", "list").standardOutput.contains("queued"))
    let worked = try await books.run("imports", "work")
    #expect(worked.exitCode == 65, "\(worked.standardError)")
    #expect(
      worked.standardOutput.split(separator: "\n").map { $0.prefix(21) } == [
        "activities: 300 rows:", "activities: 5 rows: 0",
      ])
    #expect(try await books.run("imports", "work").standardOutput == "nothing is queued\n")
  }

  @Test("a background import whose worker is killed is taken by the next")
  func killedWorker() async throws {
    let books = try await Self.books()
    let file = ScratchFile(Self.activities(200))
    try await books.expectDone(
      "import", "activities", file.path, "--background", "--batch-size", "20")
    let killed = try await books.run(
      ["imports", "work"], environment: ["CLOSEBELL_FAULT": "60:kill"])
    #expect(killed.exitCode == 137)
    try await books.waitForNobody()
    let next = try await books.run("imports", "work")
    #expect(next.exitCode == 65, "\(next.standardError)")
    #expect(next.standardOutput.contains("200 rows: 180 new, 20 refused"))
    #expect(next.standardOutput.contains("resumed after row"))
  }

  @Test("a dry run says which rows would change what, old → new")
  func dryRun() async throws {
    let books = try await Self.books()
    let first = ScratchFile("date,symbol,close\n2020-01-02,ACME,10\n2020-01-03,ACME,11\n")
    try await books.expectDone("import", "prices", first.path)
    let second = ScratchFile(
      "date,symbol,close\n2020-01-02,ACME,10.50\n2020-01-03,ACME,11.0\n2020-01-06,ACME,12\n")
    let before = try await Self.prices(books)
    let result = try await books.run("import", "prices", second.path, "--dry-run")
    #expect(result.exitCode == 0)
    #expect(
      result.standardOutput.contains("dry run: prices: 3 rows: 1 new, 1 changed, 1 unchanged"))
    #expect(result.standardOutput.contains("  row 1 (line 2): close 10 → 10.5\n"))
    #expect(try await Self.prices(books) == before)
  }

  private static func prices(_ books: OperatorBooks) async throws -> [String] {
    try await books.perform { db in
      try db.rows(
        Statement.once("test", "select p::text from (select xmin, * from closebell.prices) p")
      ) {
        try $0.nextString()
      }
    }
  }

  @Test("another process reads a file from standard input; the order of options does not matter")
  func standardInput() async throws {
    let books = try await Self.books()
    let result = try await books.run(
      ["import", "activities", "-", "--set", "type=deposit", "--delimiter", "tab"],
      input: "id\tportfolio\tdate\tamount\n1\tALPHA\t2020-02-03\t5\n")
    #expect(result.exitCode == 0, "\(result.standardError)")
    #expect(result.standardOutput.contains("1 rows: 1 new"))
  }
}
