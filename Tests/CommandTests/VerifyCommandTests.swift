import Postgres
import TestSupport
import Testing

/// `verify` and `replay --dry-run` as an operator and a script see them.
@Suite struct VerifyCommandTests {
  private static let inflate = """
    update closebell.portfolio_snapshots s
    set closing_equity = closing_equity + 1000, cash = s.cash + 1000,
      daily_pnl = daily_pnl + 1000, fx_pnl = fx_pnl + 1000
    from closebell.portfolios p
    where p.id = s.portfolio_id and p.code = 'ALPINE' and s.snapshot_date = '2017-06-29'
    """

  @Test("clean books exit 0, with counts; a tampered row exits 1 and is named")
  func verify() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    let clean = try await books.run("verify")
    #expect(clean.exitCode == 0)
    #expect(clean.standardOutput.contains("nothing differs"))
    try await books.execute(Self.inflate)
    let text = try await books.run("verify")
    #expect(text.exitCode == 1)
    #expect(
      text.standardOutput.contains("portfolio ALPINE: 2017-06-29 is the first date that differs"))
    #expect(text.standardOutput.contains("snapshot closing_equity: "))
    #expect(text.standardOutput.contains("opening-equity: 1 rows"))
    let json = try await books.run("verify", "--json", "--from", "2017-06-29")
    #expect(json.exitCode == 1)
    #expect(json.standardOutput.hasPrefix("{\"clean\":false,"))
    #expect(json.standardOutput.contains("\"first_date\":\"2017-06-29\",\"cause\":\"corrupt\""))
    let other = try await books.run("verify", "--portfolio", "COLA")
    #expect(other.exitCode == 0)
    #expect(try await books.run("verify", "--portfolio", "NOBODY").exitCode == 65)
    #expect(try await books.run("verify", "--trust-opening").exitCode == 64)
  }

  @Test("a worker that cannot connect ends a verification, and a repair's plan, with 69")
  func cannotConnect() async throws {
    let books = try await OperatorBooks.demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    for arguments in [["verify"], ["repair", "equity", "--dry-run"]] {
      let run = try await books.run(
        arguments, environment: ["CLOSEBELL_FAULT": "connect#2:cut-before-send"])
      #expect(run.exitCode == 69, "\(arguments): \(run.standardError)")
      #expect(run.standardError.hasPrefix("error: "), "\(run.standardError)")
    }
  }

  @Test("a dry run shows old and new values and leaves no trace; the replay then does just that")
  func dryRun() async throws {
    let books = try await OperatorBooks.demo()
    let before = try await books.tables()
    try await books.execute(Self.inflate)
    let arguments = ["replay", "--from", "2017-06-29", "--to", "2017-06-29"]
    let runs = try await books.runCount()
    let tampered = try await books.tables()
    let preview = try await books.run(arguments + ["--dry-run"])
    #expect(preview.exitCode == 0, "\(preview.standardError)")
    #expect(preview.standardOutput.contains("portfolio ALPINE, 2017-06-29:"))
    #expect(preview.standardOutput.contains("snapshot closing_equity: "))
    #expect(preview.standardOutput.contains("would change 1 closed dates"))
    let json = try await books.run(arguments + ["--dry-run", "--json"])
    #expect(
      json.standardOutput.hasPrefix("{\"dry_run\":true,\"changed\":[{\"portfolio\":\"ALPINE\""))
    #expect(try await books.tables() == tampered)
    #expect(try await books.runCount() == runs)
    try await books.expectDone(
      "replay", "--from", "2017-06-29", "--to", "2017-06-29", "--portfolio", "ALPINE")
    #expect(try await books.tables() == before)
  }

  @Test("a dry run of dates that were never closed says what they would close at")
  func newDates() async throws {
    let books = try await OperatorBooks.demo()
    let preview = try await books.run(
      "replay", "--from", "2017-06-30", "--to", "2017-06-30", "--dry-run")
    #expect(preview.exitCode == 0, "\(preview.standardError)")
    #expect(preview.standardOutput.contains("COLA, 2017-06-30: would be closed, closing equity"))
  }
}

extension OperatorBooks {
  /// The runs begun so far, those whose rows are gone included.
  fileprivate func runCount() async throws -> Int64 {
    try await perform { db in
      try db.row(
        .init("runs", "select last_value from closebell.batch_runs_id_seq")
      ) { try $0.nextInt64() } ?? 0
    }
  }
}
