import Import
import Postgres
import TestSupport
import Testing

@Suite("Rows are merged into what is stored")
struct ImportRulesTests {
  private static let header = "id,portfolio,date,type,symbol,quantity,price,amount\n"

  private static func deposits(_ numbers: some Sequence<Int>) -> String {
    header
      + numbers.map { "D-\($0),ALPHA,2020-02-03,deposit,,,,\($0)\n" }.joined()
  }

  @Test("imported twice, nothing changes and nothing is marked")
  func twice() async throws {
    let books = try await Books.small()
    let text = Self.deposits(1...25)
    let first = try await books.importing(.activities, text, batchSize: 10)
    #expect(first.inserted == 25)
    let before = try await books.inputs()
    let second = try await books.importing(.activities, text, batchSize: 7)
    #expect(second.unchanged == 25)
    #expect(second.inserted + second.updated + second.refused == 0)
    #expect(try await books.inputs() == before)
  }

  @Test(
    "a bad row costs itself, wherever in the chunk it stands",
    arguments: [1, 2, 9, 10, 11, 20, 21, 30])
  func badRowAnywhere(_ bad: Int) async throws {
    let books = try await Books.small()
    let good = "D-\(bad),ALPHA,2020-02-03,deposit,,,,\(bad)"
    let text = Self.deposits(1...30).replacing(good, with: good.replacing("ALPHA", with: "OMEGA"))
    let report = try await books.importing(.activities, text, batchSize: 10)
    #expect(report.refusedRows.map(\.row) == [bad])
    #expect(report.refusedRows.first?.line == bad + 1)
    #expect(report.refusedRows.first?.text == good.replacing("ALPHA", with: "OMEGA"))
    #expect(report.inserted == 29)
    let stored = try await books.texts(
      "select count(*), sum(amount::bigint) from closebell.holding_activity_log")
    #expect(stored == ["(29,\(465 - bad))"])
  }

  @Test("a row that only the database refuses is found, and costs itself", arguments: [1, 6, 13])
  func bisection(_ bad: Int) async throws {
    let books = try await Books.small()
    try await books.perform { db in
      try db.execute(
        sql: """
          alter table closebell.holding_activity_log
          add constraint unlucky check (external_id <> 'D-\(bad)')
          """)
    }
    let report = try await books.importing(.activities, Self.deposits(1...13))
    #expect(report.refusedRows.map(\.row) == [bad])
    #expect(report.refusedRows.first?.message.contains("unlucky") == true)
    #expect(report.inserted == 12)
    #expect(report.processed == 13)
    let job = try #require(report.jobID)
    #expect(
      try await books.texts(
        """
        select status, processed_count, inserted_count, refused_count
        from closebell.import_jobs where id = \(job)
        """) == ["(completed,13,12,1)"])
  }

  @Test("abort keeps the rows before the bad one and none after it")
  func abort() async throws {
    let books = try await Books.small()
    let text = Self.deposits(1...30).replacing("D-14,ALPHA", with: "D-14,OMEGA")
    let report = try await books.importing(
      .activities, text, onError: .abort, batchSize: 10)
    #expect(report.outcome == .aborted)
    #expect(report.inserted == 13)
    #expect(report.refusedRows.map(\.row) == [14])
    // A refusal that only the stored rows can tell ends it the same way.
    let foreign = Self.deposits(31...40).replacing("D-35", with: "D-2")
      .replacing("D-2,ALPHA", with: "D-2,BETA")
    let second = try await books.importing(.activities, foreign, onError: .abort)
    #expect(second.refusedRows.map(\.row) == [5])
    #expect(second.inserted == 4)
    #expect(
      try await books.texts("select status from closebell.import_jobs order by id desc limit 2")
        == ["(failed)", "(failed)"])
  }

  @Test("a dry run counts the same and leaves nothing")
  func dryRun() async throws {
    let books = try await Books.small()
    let before = try await books.inputs()
    let report = try await books.importing(
      .activities, Self.deposits([1, 2, 3, 2]) + "X,OMEGA,2020-02-03,deposit,,,,1\n",
      dryRun: true, batchSize: 2)
    #expect(report.jobID == nil)
    #expect([report.inserted, report.updated, report.unchanged] == [3, 0, 1])
    #expect(report.refused == 1)
    #expect(try await books.inputs() == before)
    let jobs = "select 1 from closebell.import_jobs where kind = 'activities'"
    #expect(try await books.texts(jobs).isEmpty)
  }

  @Test("of equal keys in one chunk the last row wins, and the count is reported")
  func duplicates() async throws {
    let books = try await Books.small()
    let text = """
      date,symbol,close
      2020-01-02,ACME,1
      2020-01-03,ACME,5
      2020-01-02,ACME,2
      2020-01-02,ACME,3
      """
    let report = try await books.importing(.prices, text)
    #expect([report.processed, report.inserted, report.replaced] == [4, 2, 2])
    #expect(
      report.warnings.map(\.message) == [
        "2 rows repeat the key of a later row, which counts instead"
      ])
    #expect(
      try await books.texts("select trim_scale(close) from closebell.prices order by price_date")
        == ["(3)", "(5)"])
  }

  @Test("a column that the file leaves out keeps what is stored; an empty cell empties it")
  func absentColumns() async throws {
    let books = try await Books.small()
    try await books.mustImport(
      .activities,
      """
      id,portfolio,date,type,amount,fee,note
      A,ALPHA,2020-02-03,deposit,10,1.5,first
      """)
    let report = try await books.importing(
      .activities, "id,portfolio,date,type,amount\nA,ALPHA,2020-02-03,deposit,12\n")
    #expect(report.updated == 1)
    let stored = "select amount, fee, note from closebell.holding_activity_log"
    #expect(try await books.texts(stored) == ["(12.0000,1.5000,first)"])
    try await books.mustImport(
      .activities, "id,portfolio,date,type,amount,note\nA,ALPHA,2020-02-03,deposit,12,\n")
    #expect(try await books.texts(stored) == ["(12.0000,1.5000,)"])
    try await books.mustImport(
      .activities, "id,portfolio,date,type,status\nA,ALPHA,2020-02-03,deposit,cancelled\n")
    #expect(
      try await books.texts("select amount, status from closebell.holding_activity_log")
        == ["(12.0000,cancelled)"])
    // Instruments: neither an absent nor an empty multiplier touches the stored one.
    try await books.mustImport(.instruments, "symbol,name,kind,currency\nCALL,New,option,USD\n")
    #expect(
      try await books.texts(
        "select name, trim_scale(multiplier) from closebell.instruments where symbol = 'CALL'")
        == ["(New,100)"])
  }

  @Test("rows without an id: equal ones are distinct, the file is known again, and grown")
  func withoutIDs() async throws {
    let books = try await Books.small()
    let text = """
      portfolio,date,type,amount
      ALPHA,2020-02-03,deposit,10
      ALPHA,2020-02-03,deposit,10
      """
    let first = try await books.importing(.activities, text)
    #expect(first.inserted == 2)
    let second = try await books.importing(.activities, text)
    #expect(second.unchanged == 2)
    #expect(second.warnings.map(\.message).contains { $0.contains("imported before") })
    let other = try await books.importing(.activities, text + "\nALPHA,2020-02-04,deposit,1\n")
    #expect([other.inserted, other.unchanged] == [1, 2])
  }

  @Test("rows without an id from a pipe, which cannot be read twice, have the same names")
  func withoutIDsFromAPipe() async throws {
    let books = try await Books.small()
    let text =
      "portfolio,date,type,amount\n"
      + String(
        repeating: "ALPHA,2020-02-03,deposit,10\n", count: 500)
    #expect(try await books.importing(.activities, text).inserted == 500)
    let report = try await books.importingThroughPipe(Array(text.utf8), batchSize: 100)
    #expect(report.unchanged == 500)
  }

  @Test("the rows of one date keep the order of the file")
  func order() async throws {
    let books = try await Books.small()
    try await books.importing(.activities, Self.deposits((1...40).reversed()), batchSize: 9)
    let ids = try await books.texts(
      "select external_id from closebell.holding_activity_log order by id")
    #expect(ids == (1...40).reversed().map { "(D-\($0))" })
  }

  @Test("a holding is created once, and a refused row creates none")
  func holdings() async throws {
    let books = try await Books.small()
    let row = "ALPHA,2020-02-03,buy,ACME,1,10,\n"
    let foreign = "1,BETA,2020-02-03,buy,BANK,1,10,\n"
    try await books.importing(.activities, Self.header + "1,\(row)2,\(row)")
    let report = try await books.importing(
      .activities, Self.header + "3,\(row)" + foreign + "4,\(row)", batchSize: 2)
    #expect(report.refusedRows.map(\.message) == ["'1' belongs to portfolio ALPHA"])
    #expect(
      try await books.texts(
        """
        select p.code, i.symbol, f.id from closebell.portfolio_funds f
        join closebell.portfolios p on p.id = f.portfolio_id
        join closebell.instruments i on i.id = f.instrument_id
        """) == ["(ALPHA,ACME,1)"])
  }

  @Test("a portfolio that somebody adds meanwhile is found")
  func refresh() async throws {
    let books = try await Books.small()
    let text = Self.deposits(1...400).replacing("D-400,ALPHA", with: "D-400,DELTA")
    let gate = Books.secondChunk
    async let report = books.importing(.activities, text, batchSize: 1, heldAt: gate)
    #expect(try await gate.reached())
    try await books.mustImport(
      .portfolios, "code,name,base_currency,inception_date\nDELTA,Delta,USD,2020-01-01\n")
    gate.open()
    #expect(try await report.inserted == 400)
  }

  @Test("an import that is cancelled keeps its chunks and stops")
  func cancel() async throws {
    let books = try await Books.small()
    let gate = Books.secondChunk
    async let report = books.importing(
      .activities, Self.deposits(1...400), batchSize: 1, heldAt: gate)
    #expect(try await gate.reached())
    let job = try #require(
      try await books.perform { db in
        try db.row(Statement.once("test", "select max(id) from closebell.import_jobs")) {
          try $0.nextInt64()
        }
      })
    #expect(try await books.perform { db in try ImportJobs.cancel(job, on: db) })
    #expect(try await !books.perform { db in try ImportJobs.cancel(job, on: db) })
    gate.open()
    let ended = try await report
    #expect(ended.outcome == .cancelled)
    #expect((1..<400).contains(ended.inserted))
    #expect(
      try await books.texts(
        """
        select status, inserted_count, (select count(*) from closebell.holding_activity_log)
        from closebell.import_jobs where id = \(job)
        """) == ["(cancelled,\(ended.inserted),\(ended.inserted))"])
  }

  @Test("the limit of rows keeps the rows up to it")
  func maxRows() async throws {
    let books = try await Books.small()
    var request = ImportRequest(
      kind: .activities, source: .bytes(Array(Self.deposits(1...12).utf8)), batchSize: 5)
    request.maxRows = 12
    #expect(try await books.run(request).processed == 12)
    request.maxRows = 7
    request.source = .bytes(Array(Self.deposits(101...112).utf8))
    let tooLong = request
    await #expect(throws: ImportError.tooManyRows(source: "memory", limit: 7)) {
      try await books.run(tooLong)
    }
    #expect(
      try await books.texts("select count(*) from closebell.holding_activity_log") == ["(19)"])
  }
}
