import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// What is stale is known in a database that a dump was restored into.
@Suite struct EpochTests {
  /// A dump of `books`, restored into a cluster whose transaction numbers are far lower.
  private func restored(_ books: DemoBooks, into cluster: TestCluster) async throws -> DemoBooks {
    let url = try await cluster.freshDatabase()
    let dump = try await CommandRun.run(
      try await cluster.program("pg_dump"), ["-d", books.conninfo])
    try #require(dump.exitCode == 0, "\(dump.standardError)")
    let restore = try await CommandRun.run(
      try await cluster.program("psql"),
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url], input: dump.standardOutput)
    try #require(restore.exitCode == 0, "\(restore.standardError)")
    return DemoBooks(conninfo: url)
  }

  @Test("after a dump and restore nothing fresh is called stale and nothing stale fresh")
  func dumpAndRestore() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-22")
    // Transaction numbers of a cluster that has lived long.
    try await books.execute(
      """
      update closebell.portfolio_snapshots set inputs_seen = '900000000:900000000:';
      insert into closebell.input_changes (from_date, portfolio_ids, changed_by)
      select '2017-06-28', array[id], '900000005' from closebell.portfolios where code = 'HERON'
      """)
    let cluster = TestCluster()
    let moved = try await restored(books, into: cluster)
    #expect(try await moved.staleCodes() == ["HERON"], "what was stale still is, and nothing else")

    try await moved.importing(LateDataTests.lateFiles[0])
    #expect(try await moved.staleCodes() == ["COLA", "HERON"], "what is imported here is seen")
    let found = try await moved.verify()
    #expect(found.findings.map(\.portfolio.code) == ["COLA"])
    #expect(found.findings.first?.first?.cause == .stale)

    _ = try await moved.close("2017-06-30")
    #expect(try await moved.staleCodes() == [])
    #expect(try await moved.verify().isClean)
    #expect(try await moved.integer("select epoch from closebell.incarnation") == 1)
    try await moved.importing(
      LateDataTests.Late(
        kind: .prices, text: "date,symbol,close\n2017-06-30,AMZN,1000.01\n", from: "2017-06-30"))
    #expect(try await !moved.staleCodes().isEmpty)
    try await cluster.discard()
  }

  /// How a dump comes into the copy.
  enum Way: CaseIterable {
    /// In place of the copy's database.
    case newDatabase
    /// In place of the copy's schema.
    case newTables
    /// Row by row, into the copy's tables.
    case rowsAlone
  }

  @Test(
    "a newer dump restored into an older copy of the same server is another database",
    arguments: Way.allCases)
  func olderCopy(way: Way) async throws {
    let cluster = TestCluster()
    let newer = DemoBooks(conninfo: try await cluster.freshDatabase())
    try await newer.perform { db in _ = try Migrator.migrate(on: db) }
    try await newer.importFiles(SmallWorld.files)
    _ = try await newer.close("2017-06-28", DemoBooks.settings { $0.codes = ["ASH", "BIRCH"] })
    let copy = try await cluster.copy()
    let name = newer.conninfo.firstIndex(of: "?").map { newer.conninfo[..<$0] } ?? ""
    let database = String(name.split(separator: "/").last ?? "")
    let older = DemoBooks(conninfo: copy.url(database: database))

    try await newer.useTransactions(500)
    _ = try await newer.close("2017-06-29")
    try await newer.dump(into: older, way, postgres: copy.url(database: "postgres"), from: cluster)
    try await cluster.discard()
    #expect(try await older.staleCodes() == [])

    try await older.importFiles(SmallWorld.corrections)
    #expect(try await !older.staleCodes().isEmpty, "a price and a deposit were not seen yet")
    #expect(try await older.close("2017-06-30").exitCode == 0)
    #expect(try await older.staleCodes() == [])
    #expect(try await older.verify().isClean)
    #expect(
      try await older.tables()
        == (try await DemoBooks.smallReference(corrections: SmallWorld.corrections)))
    try await copy.discard()
  }

  @Test("an epoch begins once, and only in another database")
  func once() async throws {
    let books = try await DemoBooks.fresh()
    // A copy of another database by the server is one of its own already.
    _ = try await books.perform { db in try DatabaseEpoch.begin(on: db) }
    let before = try await books.integer("select epoch from closebell.incarnation")
    #expect(try await books.perform { db in try DatabaseEpoch.begin(on: db).new } == nil)
    try await books.execute("update closebell.incarnation set system_identifier = 1")
    let epochs = try await withThrowingTaskGroup(of: Int?.self) { group in
      for _ in 0..<4 {
        group.addTask { try await books.perform { db in try DatabaseEpoch.begin(on: db).new } }
      }
      return try await group.reduce(into: [Int]()) { all, one in
        if let one { all.append(one) }
      }
    }
    #expect(epochs.map(Int64.init) == [before + 1])
  }

  /// Migration 6 brought epochs, and its way back is the one that is meant.
  private static let beforeEpochs = 5

  @Test("the way back is closed where an epoch was left behind")
  func wayBack() async throws {
    let books = try await DemoBooks.empty()
    try await books.perform { db in _ = try Migrator.migrate(to: Self.beforeEpochs, on: db) }
    try await books.perform { db in _ = try Migrator.migrate(on: db) }
    try await books.execute("update closebell.incarnation set epoch = 1")
    await #expect(throws: (any Error).self) {
      try await books.perform { db in _ = try Migrator.migrate(to: Self.beforeEpochs, on: db) }
    }
  }
}

extension DemoBooks {
  /// Counts on, as other databases of the server make it do.
  fileprivate func useTransactions(_ count: Int) async throws {
    try await execute(
      """
      do $$ begin
        for i in 1..\(count) loop perform pg_catalog.pg_current_xact_id(); commit; end loop;
      end $$
      """)
  }

  fileprivate func dump(
    into other: DemoBooks, _ way: EpochTests.Way, postgres: String, from cluster: TestCluster
  ) async throws {
    let database = try await perform { db in
      try db.row(Statement.once("ask", "select current_database()::text")) { try $0.nextString() }
    }
    switch way {
    case .newDatabase:
      let server = DemoBooks(conninfo: postgres)
      try await server.execute("drop database \(database ?? "")")
      try await server.execute("create database \(database ?? "") template template0")
    case .newTables: try await other.execute("drop schema closebell cascade")
    case .rowsAlone:
      try await other.execute(
        """
        do $$ begin execute (
          select 'truncate ' || string_agg(format('closebell.%I', tablename), ',')
          from pg_tables where schemaname = 'closebell'); end $$
        """)
    }
    let rowsAlone = way == .rowsAlone ? ["--data-only", "--disable-triggers"] : []
    let dump = try await CommandRun.run(
      try await cluster.program("pg_dump"), ["-d", conninfo, "-n", "closebell"] + rowsAlone)
    try #require(dump.exitCode == 0, "\(dump.standardError)")
    let restore = try await CommandRun.run(
      try await cluster.program("psql"),
      ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", other.conninfo], input: dump.standardOutput)
    try #require(restore.exitCode == 0, "\(restore.standardError)")
  }

  fileprivate func staleCodes() async throws -> [String] {
    try await perform { db in
      let stale = try Planning.stale(through: .latest, on: db)
      return try Planning.portfolios(
        after: 0, limit: 1_000, activeOn: .latest, on: db
      ).filter { stale[$0.portfolio.id] != nil }.map(\.portfolio.code).sorted()
    }
  }
}
