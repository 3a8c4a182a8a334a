import Postgres
import Storage
import TestSupport
import Testing

/// The schema, forth and back.
@Suite struct MigratorTests {
  private func connect(_ conninfo: String) async throws -> Connection {
    try await Connection.connect(
      Configuration(conninfo: conninfo, applicationName: "closebell-tests"))
  }

  private func fresh() async throws -> Connection {
    try await connect(TestCluster.shared.freshDatabase())
  }

  @Test("every step forth, every step back, and forth again; a second time nothing is left to do")
  func forthAndBack() async throws {
    let connection = try await fresh()
    let (first, second, back, again) = try await connection.perform { db in
      (
        try Migrator.migrate(on: db).count, try Migrator.migrate(on: db).count,
        try Migrator.migrate(to: 0, on: db).map(\.version), try Migrator.migrate(on: db).count
      )
    }
    #expect(first == Migration.latestVersion)
    #expect(second == 0)
    #expect(back == Array((1...Migration.latestVersion).reversed()))
    #expect(again == first)
    await connection.close()
  }

  @Test("a step back names what it would lose, and takes nothing")
  func refusesToLose() async throws {
    let connection = try await fresh()
    try await connection.perform { db in
      try Migrator.migrate(on: db)
      try db.execute(
        sql: """
          insert into closebell.portfolios (code, name, base_currency, inception_date)
          values ('A', 'A', 'USD', '2020-01-01')
          """)
    }
    let error = await #expect(throws: PostgresError.self) {
      try await connection.perform { db in _ = try Migrator.migrate(to: 0, on: db) }
    }
    #expect(error?.message.contains("would lose reference data") == true)
    let count = try await connection.perform { db in
      try db.row(Statement("count", "select count(*) from closebell.portfolios")) {
        try $0.nextInt64()
      }
    }
    #expect(count == 1)
    await connection.close()
  }

  @Test("an edited file is refused")
  func edited() async throws {
    let connection = try await fresh()
    try await connection.perform { db in
      try Migrator.migrate(on: db)
      try db.execute(
        sql: "update closebell.schema_migrations set checksum = 'x' where version = 2")
    }
    let error = await #expect(throws: SchemaError.self) {
      try await connection.perform { db in _ = try Migrator.migrate(on: db) }
    }
    #expect(error.map { "\($0)" }?.contains("migration 2 (activities)") == true)
    await connection.close()
  }

  @Test("duplicate slots in the way are listed")
  func duplicates() async throws {
    let connection = try await fresh()
    try await connection.perform { db in
      try db.execute(
        sql: """
          create schema closebell;
          create table closebell.portfolio_snapshots (portfolio_id bigint, snapshot_date date);
          insert into closebell.portfolio_snapshots
          values (7, '2020-01-02'), (7, '2020-01-02'), (8, '2020-01-02')
          """)
    }
    let error = await #expect(throws: SchemaError.self) {
      try await connection.perform { db in _ = try Migrator.migrate(on: db) }
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("portfolio_id 7, 2020-01-02: 2 rows"))
    #expect(!text.contains("portfolio_id 8"))
    await connection.close()
  }

  @Test("two programs that migrate at once take turns")
  func atOnce() async throws {
    let conninfo = try await TestCluster.shared.freshDatabase()
    let taken = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let connection = try await connect(conninfo)
          let count = try await connection.perform { db in try Migrator.migrate(on: db).count }
          await connection.close()
          return count
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(taken == Migration.latestVersion)
  }

  @Test("the schema of another version is refused, older or newer")
  func versions() async throws {
    let connection = try await fresh()
    let none = await #expect(throws: SchemaError.self) {
      try await connection.perform { db in try Migrator.requireCurrentSchema(on: db) }
    }
    #expect(none.map { "\($0)" }?.contains("closebell migrate") == true)
    try await connection.perform { db in
      try Migrator.migrate(on: db)
      try Migrator.requireCurrentSchema(on: db)
      try db.execute(sql: "insert into closebell.schema_migrations values (99, 'later', 'x')")
    }
    let newer = await #expect(throws: SchemaError.self) {
      try await connection.perform { db in try Migrator.requireCurrentSchema(on: db) }
    }
    #expect(newer.map { "\($0)" }?.contains("newer") == true)
    await connection.close()
  }

  @Test("ids drawn by many sessions at once are all different")
  func reservedIDs() async throws {
    let conninfo = try await TestCluster.shared.freshDatabase()
    let owner = try await connect(conninfo)
    try await owner.perform { db in _ = try Migrator.migrate(on: db) }
    let draw = Statement(
      "draw",
      """
      select pg_catalog.nextval('closebell.portfolio_fund_irr_values_id_seq')
      from pg_catalog.generate_series(1, $1::bigint)
      """)
    let blocks = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for _ in 0..<8 {
        group.addTask {
          let connection = try await connect(conninfo)
          var blocks: [Int64] = []
          for _ in 0..<20 {
            blocks += try await connection.perform { db in
              try db.rows(draw, Int64(5), as: { try $0.nextInt64() })
            }
          }
          await connection.close()
          return blocks
        }
      }
      return try await group.reduce([], +)
    }
    #expect(blocks.count == 800)
    let sorted = blocks.sorted()
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $1 - $0 >= 500 })
    await owner.close()
  }
}
