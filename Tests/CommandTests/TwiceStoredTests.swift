import Glibc
import Postgres
import TestSupport
import Testing

/// Books whose keys were dropped by hand, and in which rows stand twice since.
@Suite struct TwiceStoredTests {
  /// The demo, closed on two dates.
  private static func books() async throws -> OperatorBooks {
    OperatorBooks(
      url: try await TestCluster.shared.freshDatabase(template: "twice_stored") { url in
        let books = OperatorBooks(url: url)
        try await books.expectDone("migrate")
        for kind in [
          "instruments", "portfolios", "calendars", "prices", "fx-rates", "corporate-actions",
          "activities", "valuations",
        ] {
          try await books.expectDone("import", kind, Fixtures.path("demo/\(kind).csv"))
        }
        try await books.expectDone("run", "--date", "2017-06-29")
        try await books.expectDone("run", "--date", "2017-06-30")
      })
  }

  /// What operators call by day and by night.
  private static let commands = [
    ["status"], ["show", "HARBOUR", "--date", "2017-06-30"],
    ["explain", "HARBOUR", "--date", "2017-06-30"],
    ["verify"], ["export", "snapshots"], ["export", "holdings"],
    ["replay", "--from", "2017-06-29", "--to", "2017-06-30", "--dry-run"],
    ["repair", "equity", "--dry-run"], ["imports", "list"], ["migrate", "--status"],
    ["lock", "--month", "2017-05", "--reason", "r", "--force"],
    ["unlock", "--month", "2017-05", "--reason", "r"],
    ["import", "activities", Fixtures.path("demo/activities.csv")],
    ["replay", "--from", "2017-06-29", "--to", "2017-06-30"], ["run", "--date", "2017-07-03"],
    ["cleanup"], ["sequences", "check"],
  ]

  static let tables = [
    "portfolios", "instruments", "prices", "fx_rates", "corporate_actions", "calendar_overrides",
    "portfolio_funds", "holding_activity_log", "statement_valuations", "portfolio_snapshots",
    "portfolio_fund_valuations", "portfolio_cash_balances", "portfolio_receivables",
    "portfolio_fund_irr_values",
    "portfolio_irr_values", "portfolio_irr_moments", "worker_lease", "batch_runs",
    "input_changes", "incarnation", "period_locks", "period_lock_history", "import_jobs",
  ]

  @Test("no row that stands twice ends a command by a signal, whichever it is", arguments: tables)
  func twice(_ table: String) async throws {
    let books = try await Self.books()
    try await books.execute(
      """
      do $$ declare c record; begin
        for c in select conname from pg_constraint
          where conrelid = 'closebell.\(table)'::regclass and contype in ('p', 'u', 'c')
        loop execute format('alter table closebell.\(table) drop constraint %I cascade', c.conname);
        end loop;
        for c in select indexrelid::regclass as name from pg_index
          where indrelid = 'closebell.\(table)'::regclass and indisunique
        loop execute format('drop index %s', c.name); end loop;
      end $$;
      insert into closebell.\(table) overriding system value select * from closebell.\(table)
      """)
    for command in Self.commands {
      let ended = try await books.run(command, timeLimit: .seconds(120))
      #expect(ended.exitCode < 128, "\(command): \(ended.exitCode) \(ended.standardError)")
      #expect(ended.exitCode != 64, "\(command): \(ended.standardError)")
      if ended.standardError.contains("SQLSTATE 21000") {
        #expect(ended.standardError.contains("hint: a row stands twice"), "\(command)")
      }
    }
  }
}
