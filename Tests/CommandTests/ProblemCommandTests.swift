import Postgres
import TestSupport
import Testing

/// What a problem means: one table gives the shell, the history and the log the same.
@Suite struct ProblemCommandTests {
  private static let night = ["run", "--date", "2017-06-30"]

  @Test("the run history keeps the code that the shell gets: of a locked table too")
  func history() async throws {
    let books = try await OperatorBooks.small()
    let stranger = try await books.connect()
    try await stranger.perform { db in
      try db.execute(sql: "begin; lock table closebell.portfolios in access exclusive mode")
    }
    let ended = try await books.run(
      Self.night, environment: ["CLOSEBELL_LOCK_TIMEOUT": "100ms"])
    await stranger.close()
    #expect(ended.exitCode == 75, "\(ended.standardError)")
    let recorded = try await books.perform { db in
      try db.rows(
        Statement.once(
          "recorded", "select status, exit_code from closebell.batch_runs order by id desc limit 1")
      ) { (try $0.nextString(), try $0.nextInt32()) }
    }
    #expect(recorded.map(\.0) == ["failed"] && recorded.map(\.1) == [75], "\(recorded)")
  }

  @Test("no room for what is read from a pipe is the machine's failure, not bad input")
  func noTemporaryFile() async throws {
    let books = try await OperatorBooks.empty()
    let command = """
      printf 'date,symbol,close\\n' | gzip | '\(CommandRun.beside("closebell"))' import prices - \
      --database '\(books.url)'
      """
    let failed = try await CommandRun.run(
      "/bin/sh", ["-c", command], environment: ["TMPDIR": "/nonexistent"])
    #expect(failed.exitCode == 2, "\(failed.standardError)")
    #expect(
      failed.standardError.hasPrefix("error: could not write a temporary file in /nonexistent: "))
    #expect(failed.standardError.contains("\nhint: TMPDIR names a folder with room"))
    // A full disk, as far as a process can have one of its own.
    let full = "trap '' XFSZ; ulimit -f 0; \(command)"
    let unkept = try await CommandRun.run("/bin/sh", ["-c", full])
    #expect(unkept.exitCode == 2, "\(unkept.standardError)")
    #expect(unkept.standardError.hasPrefix("error: could not write a temporary file in "))
  }

  @Test("a sequence at its end is told as one, with the way out")
  func exhausted() async throws {
    let books = try await OperatorBooks.small()
    let end = "select setval('closebell.batch_runs_id_seq', 9223372036854775807)"
    try await books.execute(end)
    let failed = try await books.run(Self.night)
    #expect(failed.exitCode == 2)
    #expect(failed.standardError.contains("reached maximum value of sequence"))
    #expect(
      failed.standardError.contains("\nhint: its range is used up: closebell sequences check"))
  }

  @Test("in a log as JSON each problem has its code, and what the parser says has one too")
  func codes() async throws {
    let books = try await OperatorBooks.empty()
    for (arguments, code, exitCode) in [
      (["run", "--portfolio", "NOBODY"], "portfolio_not_found", 65),
      (["run", "--workers", "0"], "wrong_usage", 64),
      (["imports", "resume", "7"], "import_not_found", 65),
      (["lock", "--month", "2017-13", "--reason", "x"], "month_malformed", 64),
      (["show", "NOBODY", "--date", "2017-06-30"], "portfolio_not_found", 65),
    ] {
      let failed = try await books.run(arguments, environment: ["CLOSEBELL_LOG_FORMAT": "json"])
      #expect(failed.exitCode == exitCode, "\(failed.standardError)")
      #expect(
        failed.standardError.contains(#""code":"\#(code)"}"#), "\(code): \(failed.standardError)")
    }
  }
}
