import TestSupport
import Testing

/// A result that did not arrive is no success.
@Suite struct LostOutputTests {
  /// Runs a script of bash, in which `closebell` is the built one.
  static func shell(_ script: String, _ books: OperatorBooks? = nil) async throws -> CommandRun {
    try await CommandRun.run(
      "/bin/bash", ["-c", "closebell() { \"\(CommandRun.closebell)\" \"$@\"; }; \(script)"],
      environment: books.map { ["CLOSEBELL_DATABASE_URL": $0.url] } ?? [:])
  }

  @Test("on a full disk every command that prints a result exits 2, and says so")
  func fullDisk() async throws {
    let books = try await OperatorBooks.demo()
    for arguments in [
      "export snapshots", "export holdings --format json", "export irr", "status", "status --json",
      "verify", "verify --json", "explain MERIDIAN --date 2017-06-29",
      "explain MERIDIAN --date 2017-06-29 --json", "show MERIDIAN --date 2017-06-29",
      "show MERIDIAN --date 2017-06-29 --json", "imports list", "imports list --json",
      "imports show 1", "imports show 1 --json", "imports rejects 1", "migrate --status",
      "sequences check", "sequences check --json", "pause", "resume", "cleanup",
      "run --date 2017-06-29", "run --date 2017-06-29 --json",
      "replay --from 2017-06-29 --to 2017-06-29 --dry-run", "repair equity --dry-run --json",
      "irr <(printf 'date,amount\\n2020-01-01,-1\\n2021-01-01,2\\n')", "--help", "run --help",
      "--version", "help export", "--generate-completion-script bash",
    ] {
      let lost = try await Self.shell("closebell \(arguments) > /dev/full", books)
      #expect(lost.exitCode == 2, "\(arguments): \(lost.exitCode)")
      #expect(
        lost.standardError.contains("standard output: No space left on device"),
        "\(arguments): \(lost.standardError)")
    }
  }

  @Test("a pipe that nobody reads ends a command by SIGPIPE, as it ends other tools")
  func closedPipe() async throws {
    let books = try await OperatorBooks.demo()
    // The reader is gone before anything is written.
    let toNobody = "exec 3> >(exit 0); wait $!; "
    for arguments in ["export holdings", "status --json", "--help", "imports rejects 1"] {
      let ended = try await Self.shell(toNobody + "closebell \(arguments) >&3", books)
      #expect(ended.exitCode == 141, "\(arguments): \(ended.exitCode) \(ended.standardError)")
    }
    let ignoring = try await Self.shell(
      "trap '' PIPE; \(toNobody) closebell export holdings >&3", books)
    #expect(ignoring.exitCode == 2)
    #expect(ignoring.standardError.contains("standard output: Broken pipe"))
  }

  @Test("a night whose result nobody reads is closed and measured as any other")
  func closedPipeOfRun() async throws {
    let books = try await OperatorBooks.demo()
    let file = ScratchFile("closebell_run_exit_code 0\n")
    let ended = try await Self.shell(
      """
      export CLOSEBELL_METRICS_FILE=\(file.path)
      exec 3> >(exit 0); wait $!; closebell run --date 2017-06-30 >&3
      """, books)
    #expect(ended.exitCode == 141, "\(ended.standardError)")
    let metrics = try readText(file.path)
    #expect(metrics.contains("closebell_run_exit_code 141\n"), "\(metrics)")
    #expect(metrics.contains(#"closebell_run_slots{outcome="completed"} 23"#), "\(metrics)")
    #expect(try await books.tables() == OperatorBooks.undisturbed())
  }

  @Test("messages that nobody reads end nothing: the night goes on without them")
  func closedPipeOfMessages() async throws {
    let books = try await OperatorBooks.demo()
    // A warning before anything is begun.
    let night = try await Self.shell(
      """
      exec 3> >(exit 0); wait $!
      CLOSEBELL_LEASE_SECOND=60 closebell run --date 2017-06-30 --verbose 2>&3
      """, books)
    #expect(night.exitCode == 0)
    #expect(night.standardOutput.contains("23 closed"), "\(night.standardOutput)")
    let refused = try await Self.shell("exec 3> >(exit 0); wait $!; closebell no-such 2>&3")
    #expect(refused.exitCode == 64)
  }

  @Test("a closed standard output is an error, and never a file or a connection of the command")
  func closed() async throws {
    let books = try await OperatorBooks.demo()
    for arguments in ["export snapshots", "status", "--version"] {
      let lost = try await Self.shell("closebell \(arguments) >&-", books)
      #expect(lost.exitCode == 2, "\(arguments)")
      #expect(lost.standardError.contains("standard output: Bad file descriptor"))
    }
    #expect(
      try await Self.shell("closebell run --quiet --date 2017-06-29 >&-", books).exitCode == 0)
  }

  @Test("a command that failed keeps its own exit code, and prints what it can")
  func failed() async throws {
    let books = try await OperatorBooks.demo()
    let missing = try await Self.shell(
      "closebell show NOBODY --date 2017-06-29 > /dev/full", books)
    #expect(missing.exitCode == 65)
    let usage = try await Self.shell("closebell no-such-command > /dev/full")
    #expect(usage.exitCode == 64)
  }

  @Test("what is written arrives whole where a pipe is full and does not wait")
  func fullPipe() async throws {
    var flows = "series,date,amount\n"
    for series in 1...2_000 { flows += "S\(series),2020-01-01,-1\nS\(series),2021-01-01,2\n" }
    let file = ScratchFile(flows)
    // The first `dd` makes the pipe one that does not wait, for all that write to it. The reader
    // begins late, so that it is full by then; nothing depends on how late.
    let slow = try await Self.shell(
      """
      { dd oflag=nonblock if=/dev/null status=none
        closebell irr \(file.path) --json; echo $? >&2; } | { sleep 0.3; cat; }
      """)
    #expect(slow.standardOutput.split(separator: "\n").count == 2_000)
    #expect(slow.standardError == "0\n")
  }
}
