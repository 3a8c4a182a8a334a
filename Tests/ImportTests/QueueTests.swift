import Accounting
import Postgres
import TestSupport
import Testing

@testable import Import

@Suite("Imports wait in the background until somebody takes them")
struct QueueTests {
  private enum Never: Error { case taken }

  private static func file(_ first: Int, _ count: Int = 40) -> ScratchFile {
    ScratchFile(
      "id,portfolio,date,type,amount\n"
        + (first..<first + count).map { "D-\($0),ALPHA,2020-02-03,deposit,\($0)\n" }.joined())
  }

  private static func queue(_ books: Books, _ file: ScratchFile) async throws -> Int64 {
    let request = ImportRequest(kind: .activities, source: .file(file.path), batchSize: 10)
    return try await books.perform { db in try ImportQueue.add(request, on: db) }
  }

  private static func work(_ books: Books) async throws -> [Int64] {
    let connection = try await books.connect()
    var jobs: [Int64] = []
    while let (job, result) = try await runQueuedImport(on: connection, control: ImportControl()) {
      _ = try result.get()
      jobs.append(job)
    }
    await connection.close()
    return jobs
  }

  @Test(
    "first come, first served; a file is looked at when it is queued, and read when it is taken")
  func order() async throws {
    let books = try await Books.small()
    let files = [Self.file(1), Self.file(101), Self.file(201)]
    var queued: [Int64] = []
    for file in files { queued.append(try await Self.queue(books, file)) }
    #expect(try await books.texts("select 1 from closebell.holding_activity_log").isEmpty)
    #expect(try await Self.work(books) == queued)
    #expect(
      try await books.texts("select count(*) from closebell.holding_activity_log") == ["(120)"])
    #expect(try await Self.work(books).isEmpty)
  }

  @Test("a bad header, a file that is not there and standard input are refused at once")
  func refused() async throws {
    let books = try await Books.small()
    let bad = ScratchFile("a,b\n1,2\n")
    for source in [ImportSource.file(bad.path), .file("/nowhere/x.csv"), .standardInput] {
      let request = ImportRequest(kind: .activities, source: source)
      await #expect(throws: ImportError.self) {
        try await books.perform { db in _ = try ImportQueue.add(request, on: db) }
      }
    }
    #expect(try await Self.work(books).isEmpty)
  }

  @Test("six processes and twelve queued imports: each is done once")
  func manyWorkers() async throws {
    let books = try await Books.small()
    var files: [ScratchFile] = []
    for number in 0..<12 {
      files.append(Self.file(number * 100))
      _ = try await Self.queue(books, files[number])
    }
    let done = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for _ in 0..<6 { group.addTask { try await Self.work(books) } }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(done.count == 12)
    #expect(Set(done).count == 12)
    #expect(
      try await books.texts(
        """
        select count(*), sum(inserted_count), bool_and(status = 'completed')
        from closebell.import_jobs where kind = 'activities'
        """) == ["(12,480,t)"])
  }

  @Test("what a process had taken when it died is taken again; nothing is lost or done twice")
  func died() async throws {
    let books = try await Books.small()
    let file = Self.file(1)
    let job = try await Self.queue(books, file)
    let dying = try await books.connect()
    let claimed = try await dying.perform { db in
      try ImportQueue.claimNext(ImportControl(), on: db)
    }
    guard case .claimed(let taken, _) = claimed else { throw Never.taken }
    #expect(taken.claim.job == job)
    #expect(try await Self.work(books).isEmpty, "its process lives")
    await dying.close()
    try await books.waitForNobody()
    #expect(try await Self.work(books) == [job])
    #expect(
      try await books.texts(
        "select status, inserted_count from closebell.import_jobs where id = \(job)")
        == ["(completed,40)"])
  }

  @Test("a queued import that is cancelled is not taken, and can be resumed")
  func cancelled() async throws {
    let books = try await Books.small()
    let file = Self.file(1)
    let job = try await Self.queue(books, file)
    #expect(try await books.perform { db in try ImportJobs.cancel(job, on: db) })
    #expect(try await Self.work(books).isEmpty)
    #expect(try await ResumeTests.resume(books, job).inserted == 40)
  }

  @Test("an import is taken up with all that it was asked to do")
  func words() throws {
    var request = ImportRequest(
      kind: .activities, source: .file("/a b"), onError: .abort, batchSize: 77,
      columnMap: ["Trade = Date": "date", "Kind": "type"], restate: true, maxRows: 9)
    request.delimiter = UInt8(ascii: "\t")
    request.decimalComma = true
    request.dateFormat = DateFormat("DD.MM.YYYY")
    request.constants = ["portfolio": "A=B"]
    request.format = .ghostfolio
    let job = ClaimedImport(
      claim: ImportClaim(job: 1, id: 2, leaseSeconds: 3), kind: .activities, source: "/a b",
      words: request.words, checkpoint: Checkpoint(), counts: JobDelta())
    let again = try ImportRequest(job)
    #expect(again.words == request.words)
    #expect(again.columnMap == request.columnMap)
    #expect(again.constants == request.constants)
    #expect(again.dateFormat == request.dateFormat)
    #expect(again.format == .ghostfolio)
    var unknown = job
    unknown.words = ["colour=red"]
    let later = unknown
    #expect(throws: (any Error).self) { try ImportRequest(later) }
  }
}
