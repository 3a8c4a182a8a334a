import Postgres
import Storage
import TestSupport
import Testing

/// The way back: all of it, or nothing.
@Suite struct WayBackTests {
  private struct Books: TestBooks { let conninfo: String }

  /// What may not be lost, and the version before which there is no place for it.
  struct Obstacle: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let version: Int
    let sql: String
  }

  private static let portfolio = """
    insert into closebell.portfolios (id, code, name, base_currency, inception_date)
    values (1, 'A', 'A', 'USD', '2020-01-01');
    """
  private static let activity = """
    insert into closebell.holding_activity_log
      (portfolio_id, activity_type, activity_date, amount, currency, external_id)
    values (1, 'deposit', '2020-01-02', 5, 'USD', 'x');
    """
  private static let instruments = """
    insert into closebell.instruments (id, symbol, name, kind, currency)
    values (1, 'A', 'A', 'equity', 'USD'), (2, 'B', 'B', 'equity', 'USD');
    """
  /// Complete for all that a way back asks; its numbers do not matter here.
  private static let snapshot = """
    alter table closebell.portfolio_snapshots
      drop constraint portfolio_snapshots_complete_has_every_number;
    insert into closebell.portfolio_snapshots
      (portfolio_id, snapshot_date, is_complete, state, claim_id, claimed_at, fingerprint)
    values (1, '2020-01-02', true, 'complete', 7, '2020-01-02',
      '\\x00112233445566778899aabbccddeeff');
    """
  /// What every step on the way would take along without asking.
  private static let bycatch = """
    insert into closebell.import_jobs (id, kind, source, options, status, header_row)
    values (3, 'prices', '/prices.csv', '{batch-size=7}', 'failed', '\\x61');
    insert into closebell.import_results
      (job_id, row_number, line_number, message, row_text, row_bytes)
    values (3, 1, 2, 'a NUL byte', 'a', '\\x6100');
    insert into closebell.worker_lease (claim_id, run_id, host, pid, lease_until, token,
      backend_pid, backend_start, system_identifier, timeline, epoch)
    values (9, 9, 'h', 1, '2020-01-01', 4711, 1, '2020-01-01',
      1, 1, 0);
    insert into closebell.input_changes (from_date, currencies, is_replacement, changed_by)
    values ('2020-01-01', '{USD}', true, '5');
    """

  static let obstacles = [
    Obstacle(testDescription: "reference data", version: 1, sql: portfolio),
    Obstacle(testDescription: "an activity", version: 2, sql: portfolio + activity),
    Obstacle(testDescription: "a close", version: 3, sql: snapshot),
    Obstacle(
      testDescription: "a replaced close", version: 4,
      sql: """
        insert into closebell.snapshot_history
          (portfolio_id, snapshot_date, revision, replaced_by_run, reason, numbers)
        values (1, '2020-01-02', 0, 1, 'r', '{}')
        """),
    Obstacle(
      testDescription: "an epoch", version: 6, sql: "update closebell.incarnation set epoch = 1"),
    Obstacle(
      testDescription: "a lock of the past", version: 7,
      sql: """
        insert into closebell.period_lock_history (action, through_date, reason, done_by)
        values ('unlock', '2020-01-31', 'r', 'me')
        """),
    Obstacle(
      testDescription: "a late activity", version: 7,
      sql: portfolio + activity
        + "update closebell.holding_activity_log set booked_on = '2020-02-01'"),
    Obstacle(
      testDescription: "a flow timing", version: 8,
      sql: portfolio + "update closebell.portfolios set flow_timing = 'all_at_end'"),
    Obstacle(
      testDescription: "an archived row", version: 9,
      sql: """
        insert into closebell.repair_archive
          (run_id, table_name, portfolio, slot_date, action, reason, row_data)
        values (1, 't', 'A', '2020-01-02', 'removed', 'r', '{}')
        """),
    Obstacle(
      testDescription: "a queued import", version: 17,
      sql: """
        insert into closebell.import_jobs (kind, source, status) values ('prices', '/p', 'queued')
        """),
    Obstacle(
      testDescription: "another policy", version: 14,
      sql: snapshot + "update closebell.portfolio_snapshots set carried_days_allowed = 3"),
    Obstacle(
      testDescription: "a spin-off", version: 20,
      sql: instruments + """
        insert into closebell.corporate_actions
          (instrument_id, ex_date, type, new_instrument_id, ratio_new, ratio_old, cost_share)
        values (1, '2020-01-02', 'spin_off', 2, 1, 1, 0.1)
        """),
    Obstacle(
      testDescription: "an action that was taken back", version: 20,
      sql: instruments + """
        insert into closebell.corporate_actions (instrument_id, ex_date, type, value, status)
        values (1, '2020-01-02', 'split', 2, 'cancelled')
        """),
    Obstacle(
      testDescription: "what is paid later", version: 20,
      sql: portfolio + activity
        + "update closebell.holding_activity_log set pay_date = '2020-02-01'"),
    Obstacle(
      testDescription: "a receivable", version: 20,
      sql: """
        insert into closebell.portfolio_receivables
          (balance_date, portfolio_id, pay_date, currency, amount, base_value)
        values ('2020-01-02', 1, '2020-02-01', 'USD', 1, 1)
        """),
    Obstacle(
      testDescription: "somebody's view of refused bytes", version: 10,
      sql: "create view public.bytes as select row_bytes from closebell.import_results"),
    Obstacle(
      testDescription: "somebody's view of closes", version: 6,
      sql: "create view public.prints as select fingerprint from closebell.portfolio_snapshots"),
    Obstacle(
      testDescription: "somebody's key to portfolios", version: 1,
      sql: "create table public.mine (portfolio_id bigint references closebell.portfolios)"),
  ]

  private static func books() async throws -> Books {
    Books(
      conninfo: try await TestCluster.shared.freshDatabase(template: "way_back") {
        let books = Books(conninfo: $0)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        try await books.execute(bycatch)
      })
  }

  /// The schema and all rows, without the word that each dump draws for itself.
  private static func dump(_ books: Books) async throws -> [Substring] {
    let said = try await CommandRun.run(
      try await TestCluster.shared.program("pg_dump"), ["-d", books.conninfo])
    #expect(said.exitCode == 0, "\(said.standardError)")
    return said.standardOutput.split(separator: "\n").filter {
      !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict")
    }
  }

  @Test(
    "a way back that is refused changes nothing, to whatever version it was to lead",
    arguments: obstacles)
  func refused(_ obstacle: Obstacle) async throws {
    let books = try await Self.books()
    try await books.execute(obstacle.sql)
    let before = try await Self.dump(books)
    let connection = try await books.connect()
    for version in 0..<obstacle.version {
      await #expect(throws: PostgresError.self, "to \(version)") {
        try await connection.perform { db in _ = try Migrator.migrate(to: version, on: db) }
      }
      let after = try await Self.dump(books)
      #expect(after == before, "to \(version)")
    }
    let steps = try await connection.perform { db in
      try Migrator.migrate(to: obstacle.version, on: db).count
    }
    #expect(steps == Migration.latestVersion - obstacle.version)
    await connection.close()
  }

  @Test("what is written while a way back looks at its steps is not taken along")
  func written() async throws {
    let books = try await Self.books()
    try await books.execute(Self.portfolio + "delete from closebell.import_jobs")
    let writer = try await books.connect()
    try await writer.perform { db in
      try db.execute(sql: "begin")
      try db.execute(sql: Self.activity)
    }
    let back = Task { try await books.perform { db in _ = try Migrator.migrate(to: 1, on: db) } }
    try await books.waitForLock()
    try await writer.perform { db in try db.execute(sql: "commit") }
    await writer.close()
    await #expect(throws: PostgresError.self) { try await back.value }
    #expect(try await books.integer("select count(*) from closebell.holding_activity_log") == 1)
    #expect(
      try await books.integer("select max(version) from closebell.schema_migrations")
        == Int64(Migration.latestVersion))
  }
}
