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

  @Test("an epoch begins once, and only on another server")
  func once() async throws {
    let books = try await DemoBooks.fresh()
    let first = try await books.perform { db in try Incarnation.begin(on: db) }
    #expect(first == nil)
    try await books.execute("update closebell.incarnation set system_identifier = 1")
    let epochs = try await withThrowingTaskGroup(of: Int?.self) { group in
      for _ in 0..<4 {
        group.addTask { try await books.perform { db in try Incarnation.begin(on: db) } }
      }
      return try await group.reduce(into: [Int]()) { all, one in
        if let one { all.append(one) }
      }
    }
    #expect(epochs == [1])
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
  fileprivate func staleCodes() async throws -> [String] {
    try await perform { db in
      let stale = try Planning.stale(through: .latest, on: db)
      return try Planning.portfolios(
        after: 0, limit: 1_000, activeOn: .latest, on: db
      ).filter { stale[$0.portfolio.id] != nil }.map(\.portfolio.code).sorted()
    }
  }
}
