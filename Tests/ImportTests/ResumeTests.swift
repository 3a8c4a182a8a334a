import FoundationEssentials
import Glibc
import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Import

@Suite("An import that stops anywhere is resumed")
struct ResumeTests {
  private static let header = "id,portfolio,date,type,amount\n"

  /// Deposits, of which every seventh is bad.
  private static func deposits(_ numbers: some Sequence<Int>) -> String {
    numbers.map { "D-\($0),\($0 % 7 == 0 ? "OMEGA" : "ALPHA"),2020-02-03,deposit,\($0)\n" }
      .joined()
  }

  /// What an import leaves, without what differs from one run to another.
  static func state(_ books: Books, job: Int64) async throws -> [String] {
    try await books.texts(
      """
      select portfolio_id, external_id, activity_date, amount, booked_on
      from closebell.holding_activity_log order by id
      """)
      + books.texts(
        """
        select row_number, line_number, field, message, row_text from closebell.import_results
        where job_id = \(job) order by 1
        """)
      + books.texts(
        """
        select status, processed_count, inserted_count, updated_count, unchanged_count,
          refused_count, replaced_count, byte_offset, row_number, line_number, prefix_digest,
          digest = prefix_digest
        from closebell.import_jobs where id = \(job)
        """)
  }

  private static func job(_ books: Books) async throws -> Int64? {
    try await books.perform { db in
      try db.row(
        Statement.once(
          "test", "select max(id) from closebell.import_jobs where kind = 'activities'"),
        as: { try $0.nextInt64OrNil() }) ?? nil
    }
  }

  /// Resumes on a connection of its own, once the server has noticed that the owner is gone.
  static func resume(_ books: Books, _ job: Int64) async throws -> ImportReport {
    let connection = try await books.connect()
    let report = Mutex<ImportReport?>(nil)
    try await waitUntil("nobody is at import \(job)") {
      do {
        let resumed = try await resumeImport(job, on: connection, control: ImportControl())
        report.withLock { $0 = resumed }
        return true
      } catch ImportJobError.busy {
        return false
      }
    }
    await connection.close()
    return try #require(report.withLock { $0 })
  }

  private static func request(_ file: ScratchFile, batchSize: Int = 10) -> ImportRequest {
    ImportRequest(kind: .activities, source: .file(file.path), batchSize: batchSize)
  }

  @Test("stopped after any chunk and resumed, it leaves what an undisturbed one leaves")
  func interrupted() async throws {
    let file = ScratchFile(Self.header + Self.deposits(1...35))
    let calm = try await Books.small()
    let whole = try await calm.run(Self.request(file))
    let expected = try await Self.state(calm, job: try #require(whole.jobID))
    for chunks in 1...3 {
      let books = try await Books.small()
      let asked = Mutex(0)
      let control = ImportControl(shouldStop: {
        asked.withLock { count in
          count += 1
          return count >= chunks
        }
      })
      let connection = try await books.connect()
      let first = try await runImport(Self.request(file), on: connection, control: control)
      #expect(first.outcome == .interrupted)
      #expect(first.processed == 10 * chunks)
      let job = try #require(first.jobID)
      // The connection is still open, but its claim has ended with the import.
      let second = try await Self.resume(books, job)
      #expect(second.outcome == .completed)
      #expect(second.resumedAfter == 10 * chunks)
      #expect([second.processed, second.inserted, second.refused] == [35, 30, 5])
      #expect(try await Self.state(books, job: job) == expected)
      await connection.close()
    }
  }

  @Test(
    "whichever call to the server is cut, the import goes on by itself, or is resumed",
    arguments: [FaultPlan.Fault.cutBeforeSend, .cutAfterSend, .serverError])
  func cut(_ fault: FaultPlan.Fault) async throws {
    let file = ScratchFile(Self.header + Self.deposits(1...35))
    let calm = try await Books.small()
    let counting = FaultPlan()
    let whole = try await Self.run(calm, Self.request(file), counting)
    let expected = try await Self.state(calm, job: try #require(whole.jobID))
    var goneOn = 0
    let step = ProcessInfo.processInfo.environment["CLOSEBELL_CHAOS"] == nil ? 7 : 1
    var tried = 0
    for call in stride(from: 3, through: counting.calls, by: step) {
      tried += 1
      let books = try await Books.small()
      do {
        _ = try await Self.run(books, Self.request(file), FaultPlan(failing: call, by: fault))
        goneOn += 1
      } catch {
        if let job = try await Self.job(books) {
          do {
            _ = try await Self.resume(books, job)
          } catch ImportJobError.completed {
            // Only the last answer was lost: nothing is left to resume.
          }
        } else {
          _ = try await books.run(Self.request(file))
        }
      }
      let job = try #require(try await Self.job(books))
      #expect(try await Self.state(books, job: job) == expected, "call \(call)")
    }
    #expect(goneOn >= tried / 2, "most calls belong to chunks, which go on")
  }

  @Test(
    "an import whose last answers are lost is done, and says so",
    arguments: [
      "import-job-finish", "import-job-finish#2", "import-job-earlier", "import-job-earlier#2",
    ])
  func lastAnswer(call: String) async throws {
    let file = ScratchFile(Self.header + Self.deposits(1...35))
    let calm = try await Books.small()
    let whole = try await calm.run(Self.request(file))
    let expected = try await Self.state(calm, job: try #require(whole.jobID))
    for fault in ["cut-before-send", "cut-after-send", "server-error"] {
      let books = try await Books.small()
      let plan = try #require(FaultPlan("\(call):\(fault)"))
      let report = try await Self.run(books, Self.request(file), plan)
      #expect(plan.hasFired)
      #expect(report.outcome == .completed, "\(fault)")
      #expect([report.processed, report.inserted, report.refused] == [35, 30, 5], "\(fault)")
      #expect(try await Self.state(books, job: try #require(report.jobID)) == expected, "\(fault)")
    }
  }

  @Test(
    "a connection that is lost while names are looked up again costs nothing",
    arguments: ["cut-before-send", "cut-after-send", "server-error"])
  func lostBetweenChunks(fault: String) async throws {
    let file = ScratchFile(Self.header + Self.deposits(1...60))
    // Unknown names are looked up again after a while, a longer one where looking takes long.
    var pause: UInt32 = 60_000
    var report: ImportReport
    var hasFired: Bool
    repeat {
      let books = try await Books.small()
      let plan = try #require(FaultPlan("import-load-portfolios#2:\(fault)"))
      report = try await Self.run(books, Self.request(file), plan, pauseMicroseconds: pause)
      hasFired = plan.hasFired
      pause *= 4
    } while !hasFired && pause < 5_000_000
    #expect(hasFired)
    #expect(report.outcome == .completed)
    #expect([report.processed, report.inserted, report.refused] == [60, 52, 8])
  }

  private static func run(
    _ books: Books, _ request: ImportRequest, _ plan: FaultPlan, pauseMicroseconds: UInt32 = 0
  ) async throws -> ImportReport {
    var configuration = Configuration(conninfo: books.conninfo, applicationName: "closebell-tests")
    configuration.faultPlan = plan
    let faulty = configuration
    let connection = try await Connection.connect(faulty)
    // The plan fails one call: a second connection under it works.
    let control = ImportControl(
      reconnect: { try await Connection.connect(faulty) },
      shouldStop: {
        usleep(pauseMicroseconds)
        return false
      })
    do {
      let report = try await runImport(request, on: connection, control: control)
      await connection.close()
      return report
    } catch {
      await connection.close()
      throw error
    }
  }

  @Test("a file that changed before the checkpoint is refused; one that grew is finished")
  func changedFile() async throws {
    let books = try await Books.small()
    let file = ScratchFile(Self.header + Self.deposits(1...30))
    let job = try await Self.interruptedJob(books, file)
    let text = Array((file.text ?? "").utf8)
    file.replace(
      with: Array(String(decoding: text, as: UTF8.self).replacing("D-3,", with: "E-3,").utf8))
    let refused = await #expect(throws: ImportError.self) { try await Self.resume(books, job) }
    guard case .changed = refused else {
      Issue.record("\(String(describing: refused))")
      return
    }
    #expect(
      try await books.texts("select error from closebell.import_jobs where id = \(job)")
        .first?.contains("has changed") == true)
    file.replace(with: text + Array(Self.deposits(31...40).utf8))
    let report = try await Self.resume(books, job)
    #expect([report.processed, report.inserted] == [40, 35])
  }

  private static func interruptedJob(
    _ books: Books, _ file: ScratchFile, _ change: (inout ImportRequest) -> Void = { _ in }
  ) async throws -> Int64 {
    let connection = try await books.connect()
    var request = Self.request(file)
    change(&request)
    let report = try await runImport(
      request, on: connection, control: ImportControl(shouldStop: { true }))
    await connection.close()
    return try #require(report.jobID)
  }

  @Test("rows named after their file: one that grew is another file; known by what they say: not")
  func grownWithoutIDs() async throws {
    let rows = (1...30).map { "ALPHA,2020-02-03,deposit,\($0 % 4 + 1)\n" }.joined()
    for isDistinct in [true, false] {
      let books = try await Books.small()
      let file = ScratchFile("portfolio,date,type,amount\n" + rows)
      let job = try await Self.interruptedJob(books, file) { $0.isDistinct = isDistinct }
      let text = file.bytes ?? []
      file.replace(with: text + Array("ALPHA,2020-02-03,deposit,1\n".utf8))
      if isDistinct {
        await #expect(throws: ImportError.self) { try await Self.resume(books, job) }
        file.replace(with: text)
      }
      #expect(try await Self.resume(books, job).inserted == (isDistinct ? 30 : 31))
    }
  }

  @Test("a completed import, an unknown one and one that stopped at a refused row: not resumed")
  func notResumable() async throws {
    let books = try await Books.small()
    let file = ScratchFile(Self.header + Self.deposits(1...30))
    let done = try await books.run(Self.request(file))
    let job = try #require(done.jobID)
    await #expect(throws: ImportJobError.completed(job)) { try await Self.resume(books, job) }
    await #expect(throws: ImportJobError.unknown(999)) { try await Self.resume(books, 999) }
    var request = Self.request(file)
    request.onError = .abort
    let aborted = try #require(try await books.run(request).jobID)
    let error = await #expect(throws: ImportJobError.self) { try await Self.resume(books, aborted) }
    guard case .notResumable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("an import under way is nobody else's; one whose lease ended is, and is fenced off")
  func fenced() async throws {
    let books = try await Books.small()
    let file = ScratchFile(Self.header + Self.deposits(1...400))
    for lease in [86_400.0, 0] {
      let gate = Books.secondChunk
      let first = ImportControl(leaseSeconds: lease)
      let request = Self.request(file, batchSize: 1)
      async let slow = Self.outcome { () async throws -> ImportReport in
        let connection = try await books.connect(heldAt: gate)
        return try await runImport(request, on: connection, control: first)
      }
      #expect(try await gate.reached())
      let job = try #require(try await Self.job(books))
      let connection = try await books.connect()
      let other = await Self.outcome {
        try await resumeImport(job, on: connection, control: ImportControl())
      }
      await connection.close()
      gate.open()
      switch (lease, await slow, other) {
      case (86_400, .success(let report), .failure(let error)):
        #expect(report.processed == 400)
        guard case ImportJobError.busy = error else {
          Issue.record("\(error)")
          return
        }
      case (0, .failure(let error), .success(let report)):
        #expect(error as? ImportJobError == .takenOver(job))
        #expect(report.processed == 400)
      case (_, let slow, let other): Issue.record("\(slow) \(other)")
      }
      #expect(
        try await books.texts(
          """
          select processed_count, refused_count, (select count(*) from closebell.import_results
            where job_id = \(job)) from closebell.import_jobs where id = \(job)
          """) == ["(400,57,57)"])
    }
    #expect(
      try await books.texts("select count(*) from closebell.holding_activity_log") == ["(343)"])
  }

  private static func outcome(
    _ body: @Sendable () async throws -> ImportReport
  ) async -> Result<ImportReport, any Error> {
    do {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }

  @Test("another process reads how far an import is, at what rate, and how long it will take")
  func progress() async throws {
    let books = try await Books.small()
    let file = ScratchFile(Self.header + Self.deposits(1...400))
    let gate = Books.secondChunk
    async let report = books.run(Self.request(file, batchSize: 1), heldAt: gate)
    #expect(try await gate.reached())
    let job = try #require(try await Self.job(books))
    let half = try await books.perform { db in try ImportHistory.one(job, on: db) }
    let seen = try #require(half)
    #expect(seen.status == "processing")
    #expect((0.0..<1).contains(try #require(seen.fraction)))
    #expect(try #require(seen.rowsPerSecond) > 0)
    #expect(try #require(seen.secondsLeft) > 0)
    gate.open()
    _ = try await report
    let done = try await books.perform { db in try ImportHistory.one(job, on: db) }
    #expect(done?.fraction == 1)
    #expect(done?.status == "completed")
    #expect(done?.secondsLeft == nil)
  }

  @Test("an import that takes longer than allowed stops before its next chunk, to be resumed")
  func timeout() async throws {
    let books = try await Books.small()
    let file = ScratchFile(Self.header + Self.deposits(1...30))
    let connection = try await books.connect()
    let first = try await runImport(
      Self.request(file), on: connection, control: ImportControl(timeoutSeconds: 0))
    await connection.close()
    #expect(first.outcome == .timedOut)
    #expect(first.processed == 10)
    #expect(try await Self.resume(books, try #require(first.jobID)).processed == 30)
  }
}
