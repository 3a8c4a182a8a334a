import Postgres
import TestSupport
import Testing

/// A policy that takes rows away from the role of a run: nothing is closed with what is left.
@Suite struct RowSecurityTests {
  private static let night = ["run", "--date", "2017-06-30", "--workers", "1", "--wait", "0"]

  /// Tables that a night without history, repairs, imports and pay dates has no business with: a
  /// date's own row says whether anything is paid later.
  private static let notOfANight: Set<String> = [
    "adopted_snapshots", "adopted_tables", "import_matches", "import_overlaps", "import_results",
    "period_lock_history", "portfolio_receivables", "repair_archive", "repair_runs",
    "snapshot_history", "unnamed_portfolios",
  ]

  @Test("a policy on any table that a night reads or writes ends it with 78 and the table's name")
  func everyTable() async throws {
    let quiet = try await OperatorBooks.small()
    try await quiet.expectDone(Self.night)
    let books = try await OperatorBooks.small()
    try await books.makeClerk(limit: 10)
    let before = try await books.tables()
    for table in try await books.tableNames() where !Self.notOfANight.contains(table) {
      try await books.hideRows(of: table)
      let refused = try await books.asClerk.run(Self.night)
      #expect(refused.exitCode == 78, "\(table): \(refused.standardError)")
      #expect(refused.standardError.contains("\"\(table)\""), "\(refused.standardError)")
      #expect(refused.standardError.contains("hint: the books are right with all rows only"))
      try await books.execute("alter table closebell.\(table) disable row level security")
      #expect(try await books.tables() == before, "\(table)")
    }
    for table in Self.notOfANight { try await books.hideRows(of: table) }
    let done = try await books.asClerk.run(Self.night)
    #expect(done.exitCode == 0, "\(done.standardError)")
    #expect(try await books.tables() == (try await quiet.tables()))
  }

  @Test("nor is anything shown, verified or imported of what a policy leaves")
  func otherCommands() async throws {
    let books = try await OperatorBooks.small()
    try await books.makeClerk(limit: 10)
    for (table, command) in [
      ("portfolio_snapshots", ["verify"]), ("portfolio_snapshots", ["status"]),
      ("portfolio_fund_valuations", ["show", "ASH", "--date", "2017-06-28"]),
      ("holding_activity_log", ["explain", "ASH", "--date", "2017-06-28"]),
      ("instruments", ["import", "prices", "-"]), ("import_jobs", ["imports"]),
    ] {
      try await books.hideRows(of: table)
      let refused = try await books.asClerk.run(
        command, input: "date,symbol,close\n2017-06-30,OAK,31.5\n")
      #expect(refused.exitCode == 78, "\(command): \(refused.standardError)")
      #expect(refused.standardError.contains("\"\(table)\""), "\(refused.standardError)")
      #expect(refused.standardOutput.isEmpty, "\(command): \(refused.standardOutput)")
      try await books.execute("alter table closebell.\(table) disable row level security")
    }
  }
}

extension OperatorBooks {
  func tableNames() async throws -> [String] {
    try await perform { db in
      try db.rows(
        Statement(
          "table-names",
          "select tablename::text from pg_tables where schemaname = 'closebell' order by 1")
      ) { try $0.nextString() }
    }
  }

  fileprivate func hideRows(of table: String) async throws {
    try await execute(
      """
      drop policy if exists some_rows on closebell.\(table);
      create policy some_rows on closebell.\(table) using (false);
      alter table closebell.\(table) enable row level security
      """)
  }
}
