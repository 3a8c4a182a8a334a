import Import
import Postgres
import TestSupport
import Testing

/// What broke in the systems before this one, each as the rule that guards against it.
@Suite("Pitfalls of imports")
struct ImportPitfallTests {
  private static let header = "id,portfolio,date,type,symbol,quantity,price,amount\n"

  private static func deposits(_ numbers: some Sequence<Int>) -> String {
    header + numbers.map { "D-\($0),ALPHA,2020-02-03,deposit,,,,\($0)\n" }.joined()
  }

  private static func sequences(_ books: Books) async throws -> [String] {
    try await books.texts(
      """
      select sequencename, last_value from pg_catalog.pg_sequences
      where schemaname = 'closebell'
        and sequencename not like 'claim_id%'
        and sequencename not like 'import_%' order by 1
      """)
  }

  @Test("rows that are refused or unchanged draw no id")
  func noIDsBurnt() async throws {
    let books = try await Books.small()
    let text =
      Self.deposits(1...30) + "B,ALPHA,2020-02-03,buy,ACME,1,10,\nC,BETA,2020-02-03,buy,BANK,1,1,\n"
    try await books.mustImport(.activities, text)
    let before = try await Self.sequences(books)
    let bad = (1...20).map { "X-\($0),OMEGA,2020-02-03,deposit,,,,1\n" }.joined()
    let report = try await books.importing(.activities, text + bad, batchSize: 7)
    #expect([report.unchanged, report.refused] == [32, 20])
    let after = try await Self.sequences(books)
    #expect(after == before, "\(Set(after).subtracting(before))")
  }

  @Test("unchanged rows are neither locked nor written", arguments: ImportKind.allCases)
  func untouched(_ kind: ImportKind) async throws {
    let books = try await Books.demo()
    let tables: [ImportKind: String] = [
      .portfolios: "portfolios", .instruments: "instruments", .prices: "prices",
      .fxRates: "fx_rates", .activities: "holding_activity_log",
      .valuations: "statement_valuations", .corporateActions: "corporate_actions",
      .calendars: "calendar_overrides",
    ]
    let table = try #require(tables[kind])
    // A row lock, too, would leave its transaction in xmax.
    let query = "select t.ctid, t.xmin, t.xmax from closebell.\(table) t order by t.ctid"
    let before = try await books.texts(query)
    #expect(!before.isEmpty)
    let report = try await books.run(
      ImportRequest(
        kind: kind, source: .file(Fixtures.path("demo/\(kind.rawValue).csv")), batchSize: 100))
    #expect(report.unchanged == report.processed)
    #expect(try await books.texts(query) == before)
  }

  @Test("counters are what the database kept, even of chunks that were split")
  func counters() async throws {
    let books = try await Books.small()
    try await books.perform { db in
      try db.execute(
        sql: """
          alter table closebell.holding_activity_log
          add constraint unlucky check (external_id not in ('D-3', 'D-4', 'D-17', 'D-40'))
          """)
    }
    try await books.mustImport(.activities, Self.deposits([1, 2, 20]))
    let rows =
      Self.deposits(1...40).replacing("D-20,ALPHA,2020-02-03", with: "D-20,ALPHA,2020-02-04")
      .replacing("D-30,ALPHA", with: "D-30,OMEGA") + "D-39,ALPHA,2020-02-03,deposit,,,,39\n"
    let report = try await books.importing(.activities, rows, batchSize: 100)
    #expect(report.refusedRows.map(\.row) == [3, 4, 17, 30, 40])
    #expect([report.processed, report.inserted, report.updated] == [41, 32, 1])
    #expect([report.unchanged, report.refused, report.replaced] == [2, 5, 1])
    let job = try #require(report.jobID)
    #expect(
      try await books.texts(
        """
        select processed_count, inserted_count, updated_count, unchanged_count, refused_count,
          replaced_count, (select count(*) from closebell.import_results where job_id = \(job)),
          (select count(*) from closebell.holding_activity_log)
        from closebell.import_jobs where id = \(job)
        """) == ["(41,32,1,2,5,1,5,35)"])
  }

  @Test("readers and writers of the same tables do not wait for an import")
  func nobodyWaits() async throws {
    let books = try await Books.small()
    try await books.mustImport(.prices, "date,symbol,close\n2020-01-02,ACME,1\n")
    let reader = try await books.connect()
    try await reader.perform { db in
      try db.execute(sql: "begin isolation level repeatable read; select 1")
      try db.execute(sql: "select count(*) from closebell.holding_activity_log")
    }
    async let report = books.importing(.activities, Self.deposits(1...300), batchSize: 2)
    var rounds = 0
    while try await books.texts(
      "select 1 from closebell.import_jobs where kind = 'activities' and status = 'completed'"
    ).isEmpty {
      rounds += 1
      let number = rounds
      try await books.perform { db in
        try db.execute(
          sql: """
            set lock_timeout = '1s';
            insert into closebell.holding_activity_log (portfolio_id, activity_type, activity_date,
              amount, currency, external_id)
            select id, 'deposit', '2020-03-02', 1, 'USD', 'W-\(number)'
            from closebell.portfolios where code = 'ALPHA';
            update closebell.prices set close = close + 1;
            update closebell.portfolios set name = name || '.' where code = 'BETA'
            """)
      }
    }
    #expect(try await report.inserted == 300)
    #expect(rounds > 0)
    try await reader.perform { db in try db.execute(sql: "rollback") }
    await reader.close()
  }

  @Test("refused rows are kept whole: what is no text as bytes, what is long to its end")
  func exactRows() async throws {
    let books = try await Books.small()
    let long = "L,OMEGA,2020-02-03,deposit,,,," + String(repeating: "9", count: 30_000)
    let file =
      Array(Self.header.utf8) + Array("A,AL\0PHA,2020-02-03,deposit,,,,1\n".utf8)
      + Array("B,ALPHA,2020-02-03,de".utf8) + [0xFF] + Array("posit,,,,1\n\(long)\n".utf8)
    let report = try await books.run(
      ImportRequest(kind: .activities, source: .bytes(file), batchSize: 10))
    #expect(report.refusedRows.map(\.row) == [1, 2, 3])
    #expect(report.refusedRows[2].text.utf8.count == 1_000, "in memory it is cut")
    #expect(
      try await books.texts(
        """
        select row_number, encode(row_bytes, 'escape'), row_text = '\(long)'
        from closebell.import_results order by 1
        """) == [
          #"(1,"A,AL\\000PHA,2020-02-03,deposit,,,,1",f)"#,
          #"(2,"B,ALPHA,2020-02-03,de\\377posit,,,,1",f)"#, "(3,,t)",
        ])
  }

  @Test("a limit of rows is gone on from with a higher one")
  func maxRowsResumed() async throws {
    let books = try await Books.small()
    let file = ScratchFile(Self.deposits(1...12))
    let limited = ImportRequest(
      kind: .activities, source: .file(file.path), batchSize: 5, maxRows: 7)
    await #expect(throws: ImportError.self) { try await books.run(limited) }
    let jobs = try await books.texts(
      "select max(id), max(row_number) from closebell.import_jobs where kind = 'activities'")
    let job = try #require(Int64(jobs[0].dropFirst().prefix { $0 != "," }))
    #expect(jobs[0].hasSuffix(",7)"))
    let connection = try await books.connect()
    let report = try await resumeImport(job, on: connection, control: ImportControl()) {
      $0.maxRows = 12
    }
    await connection.close()
    #expect([report.resumedAfter, report.inserted] == [7, 12])
  }
}
