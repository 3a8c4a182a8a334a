import Glibc
import Postgres
import TestSupport
import Testing

/// Closed dates damaged by hand-made SQL, healed with the program's own commands.
@Suite struct RepairEquityTests {
  /// What somebody did to the tables.
  struct Damage: Sendable, CustomTestStringConvertible {
    var name: String
    var sql: String
    var testDescription: String { name }
  }

  private static func of(_ code: String) -> String {
    "portfolio_id = (select id from closebell.portfolios where code = '\(code)')"
  }

  static let damages = [
    Damage(name: "the incident by hand", sql: ""),
    Damage(
      name: "a lost date between others",
      sql: "delete from closebell.portfolio_snapshots where \(of("GULL")) "
        + "and snapshot_date = '2014-03-04'"),
    Damage(
      name: "a lost first date",
      sql: "delete from closebell.portfolio_snapshots where \(of("GULL")) "
        + "and snapshot_date = '2014-03-03'"),
    Damage(
      name: "a lost date with all its rows",
      sql: """
        delete from closebell.portfolio_snapshots where snapshot_date = '2014-03-04';
        delete from closebell.portfolio_fund_valuations where valuation_date = '2014-03-04';
        delete from closebell.portfolio_fund_irr_values where date = '2014-03-04';
        delete from closebell.portfolio_irr_values where date = '2014-03-04'
        """),
    Damage(
      name: "rows of holdings lost",
      sql: "delete from closebell.portfolio_fund_valuations where valuation_date >= '2014-03-04'"),
    Damage(
      name: "a holding's row too many",
      sql: """
        insert into closebell.portfolio_fund_valuations
          (valuation_date, portfolio_id, portfolio_fund_id, quantity, valuation, cost_basis,
           daily_pnl)
        select valuation_date, portfolio_id, 77, 1, 1, 1, 0
        from closebell.portfolio_fund_valuations where valuation_date = '2014-03-04' limit 1;
        insert into closebell.portfolio_cash_balances
        select valuation_date, portfolio_id, 'CHF', 1, 1
        from closebell.portfolio_fund_valuations where valuation_date = '2014-03-04' limit 1
        """),
    Damage(
      name: "an IRR altered, and one lost",
      sql: """
        update closebell.portfolio_irr_values set log_growth = 0.5, roots = 7
        where date = '2014-03-04';
        delete from closebell.portfolio_fund_irr_values where date = '2014-03-05'
        """),
    Damage(
      name: "an index altered",
      sql: "update closebell.portfolio_snapshots set return_index = 2 "
        + "where snapshot_date = '2014-03-03'"),
    Damage(
      name: "a fingerprint altered",
      sql: "update closebell.portfolio_snapshots set fingerprint = '\\xbadbadbadbadbadbadbadbad'"
        + " || substring(fingerprint from 13) where snapshot_date = '2014-03-04'"),
    Damage(
      name: "rows of a portfolio that is not there",
      sql: """
        insert into closebell.portfolio_snapshots
        select (jsonb_populate_record(s, '{"portfolio_id": 99}')).*
        from closebell.portfolio_snapshots s where snapshot_date = '2014-03-04' limit 1;
        insert into closebell.portfolio_irr_values
        select (jsonb_populate_record(s, '{"portfolio_id": 99}')).*
        from closebell.portfolio_irr_values s where date = '2014-03-04' limit 1
        """),
  ]

  @Test("a repair that died is recorded as failed by the next run")
  func diedRepair() async throws {
    let books = try await OperatorBooks.small()
    try await books.expectDone("run", "--date", "2017-06-30")
    try await books.execute(
      """
      update closebell.portfolio_snapshots set return_index = 2
      where snapshot_date = '2017-06-30'
      """)
    let killed = try await books.run(
      ["repair", "equity", "--yes"], environment: ["CLOSEBELL_FAULT": "populate-fill:kill"])
    #expect(killed.exitCode == 137)
    try await books.execute(
      "update closebell.batch_runs set started_at = started_at - interval '2 minutes'")
    try await books.waitForNobody()
    try await books.expectDone("run", "--date", "2017-06-30")
    #expect(
      try await books.count(
        """
        select count(*) from closebell.batch_runs
        where kind = 'repair equity' and status = 'failed' and exit_code = -1
        """) == 1)
    try await books.expectDone("repair", "equity", "--yes")
    try await books.expectDone("verify")
  }

  @Test("what was damaged is healed, undone as it was, and healed again", arguments: damages)
  func heals(damage: Damage) async throws {
    let books = try await OperatorBooks.incident()
    let right = try await books.tables()
    let plan = "/tmp/closebell-plan-\(getpid())-\(damage.name.count)-\(damage.sql.count)"
    defer { unlink(plan) }
    let sql = damage.sql.isEmpty ? try readText(Fixtures.path("incident/corrupt.sql")) : damage.sql
    try await books.execute(sql)
    let wrong = try await books.tables()
    #expect(wrong != right)
    try await books.expectDone("repair", "equity", "--plan", plan)
    #expect(try await books.tables() == wrong)
    try await books.expectDone("repair", "equity", "--apply", plan)
    #expect(try await books.tables() == right)
    let run = try await books.texts("select max(run_id)::text from closebell.repair_runs")[0]
    try await books.expectDone("repair", "undo", run, "--yes")
    #expect(try await books.tables() == wrong)
    try await books.expectDone("repair", "equity", "--apply", plan)
    #expect(try await books.tables() == right)
    let rest = try await books.run("repair", "equity", "--dry-run")
    #expect(rest.standardOutput.contains("nothing to do"), "\(rest.standardOutput)")
    try await books.expectDone("run", "--date", "2014-03-06")
    #expect(
      try await books.texts(
        "select closing_equity::text from closebell.portfolio_snapshots "
          + "where snapshot_date = '2014-03-06' order by portfolio_id")
        == ["-1400000.0000", "1060000.0000", "505000.0000"])
  }

  @Test("books are judged by the policy that they were closed under, unless told otherwise")
  func policy() async throws {
    let books = try await OperatorBooks.small()
    try await books.expectDone("run", "--date", "2017-06-30")
    try await books.expectDone(
      "run", "--date", "2017-07-10", "--no-catch-up", "--max-carried-days", "20")
    try await books.expectDone("verify")
    let own = try await books.run("repair", "equity", "--dry-run")
    #expect(own.standardOutput.contains("nothing to do"), "\(own.standardOutput)")
    let shown = try await books.run("show", "ASH", "--date", "2017-07-10", "--json")
    #expect(shown.standardOutput.contains(#""max_carried_days":6,"carried_days_allowed":20"#))
    let other = try await books.run("repair", "equity", "--max-carried-days", "5", "--dry-run")
    #expect(other.standardOutput.contains("is_degraded"), "\(other.standardOutput)")
    for days in ["-1", "40000", "many"] {
      let refused = try await books.run("verify", "--max-carried-days=\(days)")
      #expect(refused.exitCode == 64, "\(days): \(refused.standardError)")
    }
  }

  @Test("a jump by a deposit or by leverage is no damage: identities decide, not size")
  func jump() async throws {
    let books = try await OperatorBooks.incident()
    let rows = """
      id,portfolio,date,type,symbol,quantity,price,amount
      T9,TERN,2014-03-06,deposit,,,,100000000
      H9,HERON,2014-03-06,buy,REED,1000000,106,
      """
    let late = try await books.run(["import", "activities", "-"], input: rows + "\n")
    #expect(late.exitCode == 0, "\(late.standardError)")
    try await books.expectDone("run", "--date", "2014-03-06")
    try await books.expectDone("verify")
    let plan = try await books.run("repair", "equity", "--dry-run")
    #expect(plan.standardOutput.contains("nothing to do"), "\(plan.standardOutput)")
  }

  @Test("a date that opened from a revision that is not there any more is closed again")
  func torn() async throws {
    let books = try await OperatorBooks.incident()
    try await books.execute(
      "update closebell.portfolio_snapshots set opened_from_revision = 9 "
        + "where snapshot_date = '2014-03-05'")
    let done = try await books.run("repair", "equity", "--yes")
    #expect(done.exitCode == 0, "\(done.standardError)")
    #expect(done.standardOutput.contains("opened from another revision"))
    #expect(
      try await books.texts(
        "select distinct opened_from_revision::text from closebell.portfolio_snapshots "
          + "where snapshot_date = '2014-03-05'") == ["1"])
  }

  @Test("only what was asked for is healed: a portfolio, or damage within a range")
  func scope() async throws {
    let books = try await OperatorBooks.incident()
    try await books.execute(
      "update closebell.portfolio_snapshots set return_index = 2 "
        + "where snapshot_date = '2014-03-05'")
    let before = try await books.run("repair", "equity", "--dry-run", "--to", "2014-03-04")
    #expect(before.standardOutput.contains("nothing to do"))
    try await books.expectDone("repair", "equity", "--yes", "--portfolio", "HERON")
    let wrong = try await books.texts(
      "select p.code from closebell.portfolio_snapshots s join closebell.portfolios p "
        + "on p.id = s.portfolio_id where s.return_index = 2 order by 1")
    #expect(wrong == ["GULL", "TERN"])
    let unknown = try await books.run("repair", "equity", "--yes", "--portfolio", "NOSUCH")
    #expect(unknown.exitCode == 65)
  }

  @Test("a plan is refused where stored rows or inputs changed since; an edited one always")
  func plans() async throws {
    let books = try await OperatorBooks.incident()
    let plan = "/tmp/closebell-plan-\(getpid())-changed"
    defer { unlink(plan) }
    try await books.execute(try readText(Fixtures.path("incident/corrupt.sql")))
    try await books.expectDone("repair", "equity", "--plan", plan)
    let wrong = try await books.tables()
    let text = try readText(plan)
    try write(text.replacing("\"2014-03-08\"", with: "\"2014-03-09\""), to: plan)
    let edited = try await books.run("repair", "equity", "--apply", plan)
    #expect(edited.exitCode == 65)
    #expect(edited.standardError.contains("the plan was edited"))
    try write(text, to: plan)
    try await books.execute(
      "update closebell.portfolio_snapshots set return_index = 2 "
        + "where snapshot_date = '2014-03-05' and \(Self.of("GULL"))")
    let changed = try await books.run("repair", "equity", "--apply", plan)
    #expect(changed.exitCode == 65)
    #expect(changed.standardError.contains("portfolio GULL#1"), "\(changed.standardError)")
    #expect(changed.standardError.contains("HERON") == false)
    try await books.execute(
      "update closebell.portfolio_snapshots set return_index = 1 "
        + "where snapshot_date = '2014-03-05' and \(Self.of("GULL"))")
    #expect(try await books.tables() == wrong)
    try await books.execute(
      "update closebell.prices set close = 110 where price_date = '2014-03-05' and close = 103")
    let inputs = try await books.run("repair", "equity", "--apply", plan)
    #expect(inputs.exitCode == 65)
    #expect(inputs.standardError.contains("portfolio HERON#2"), "\(inputs.standardError)")
    #expect(try await books.tables() == wrong)
  }

  @Test("a repair killed between two portfolios goes on with the same plan; a second is busy")
  func killed() async throws {
    let books = try await OperatorBooks.incident()
    let right = try await books.tables()
    let plan = "/tmp/closebell-plan-\(getpid())-killed"
    defer { unlink(plan) }
    try await books.execute(try readText(Fixtures.path("incident/corrupt.sql")))
    try await books.expectDone("repair", "equity", "--plan", plan)
    let holder = try await books.connect()
    try await holder.perform { db in
      try db.execute(
        sql: "begin; select from closebell.portfolio_snapshots where \(Self.of("HERON")) "
          + "and snapshot_date = '2014-03-05' for update")
    }
    let killed = try await books.run(
      ["repair", "equity", "--apply", plan, "--workers", "1"],
      environment: ["CLOSEBELL_CHUNK": "1"]
    ) { process in
      try await books.waitForLock()
      let second = try await books.run("repair", "equity", "--apply", plan)
      #expect(second.exitCode == 75)
      process.send(SIGKILL)
    }
    #expect(killed.exitCode == 137)
    let healed =
      "select closing_equity::text from closebell.portfolio_snapshots "
      + "where snapshot_date = '2014-03-05' and \(Self.of("GULL"))"
    #expect(try await books.texts(healed) == ["-1500000.0000"])
    #expect(try await books.tables() != right)
    try await holder.perform { db in try db.execute(sql: "rollback") }
    await holder.close()
    try await books.waitForNobody(named: "closebell/repair")
    try await books.expectDone("repair", "equity", "--apply", plan)
    #expect(try await books.tables() == right)
    let again = try await books.run("repair", "equity", "--apply", plan)
    #expect(again.exitCode == 0)
    #expect(again.standardOutput.contains("nothing to do"))
  }

  @Test("undo is refused once a date was closed on top of it, or closed again")
  func undoRefused() async throws {
    let books = try await OperatorBooks.incident()
    try await books.execute(try readText(Fixtures.path("incident/corrupt.sql")))
    try await books.expectDone("repair", "equity", "--yes", "--quiet")
    let run = try await books.texts("select max(run_id)::text from closebell.repair_runs")[0]
    try await books.expectDone("run", "--date", "2014-03-06")
    let healed = try await books.tables()
    let built = try await books.run("repair", "undo", run, "--yes")
    #expect(built.exitCode == 1)
    #expect(built.standardError.contains("portfolio GULL, 2014-03-06"), "\(built.standardError)")
    try await books.execute(
      "update closebell.prices set close = 23 where price_date = '2014-03-05' and close = 23.5")
    try await books.expectDone("replay", "--from", "2014-03-04", "--to", "2014-03-06")
    let replayed = try await books.run("repair", "undo", run, "--yes")
    #expect(replayed.exitCode == 1)
    #expect(replayed.standardError.contains("closed again since"), "\(replayed.standardError)")
    #expect(try await books.tables() != healed)
    let none = try await books.run("repair", "undo", "999", "--yes")
    #expect(none.exitCode == 1)
  }

  @Test("the demo of the incident runs to its end and shows the healed equity")
  func demo() async throws {
    let demo = try await CommandRun.run(
      "/bin/bash", [Fixtures.path("demo-repair.sh"), CommandRun.closebell],
      timeLimit: .seconds(240))
    #expect(demo.exitCode == 0, "\(demo.standardError)")
    #expect(demo.standardOutput.contains("14200000.00"))
    #expect(
      demo.standardOutput.hasSuffix("GULL -1400000.0000\nHERON 1060000.0000\nTERN 505000.0000\n"))
  }
}

extension OperatorBooks {
  /// The incident's portfolios, and its three nights closed as they should have been.
  static func incident() async throws -> OperatorBooks {
    OperatorBooks(
      url: try await TestCluster.shared.freshDatabase(template: "incident_by_command") { url in
        let books = OperatorBooks(url: url)
        try await books.expectDone("migrate")
        for kind in ["instruments", "portfolios", "prices", "activities"] {
          try await books.expectDone("import", kind, Fixtures.path("incident/\(kind).csv"))
        }
        for day in ["03", "04", "05"] {
          try await books.expectDone("run", "--date", "2014-03-\(day)")
        }
      })
  }
}
