import Glibc
import TestSupport
import Testing

extension CommandRun.Running {
  /// Waits until the process has opened a file.
  fileprivate func waitUntilOpen(_ path: String) async throws {
    try await waitUntil("process \(processID) opens \(path)") {
      (0..<64).contains { number in
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/\(processID)/fd/\(number)", &buffer, buffer.count)
        return count > 0 && String(decoding: buffer[..<count], as: UTF8.self) == path
      }
    }
  }
}

/// Files that are read: by odd names, without an end, while somebody writes to them.
@Suite struct HostileFileTests {
  private static func shell(
    _ script: String, _ books: OperatorBooks, _ arguments: String...
  ) async throws -> CommandRun {
    try await CommandRun.run(
      "/bin/bash",
      ["-c", "closebell() { \"\(CommandRun.closebell)\" \"$@\"; }; \(script)", "sh"] + arguments,
      environment: ["CLOSEBELL_DATABASE_URL": books.url])
  }

  @Test("a file that is written to while it is imported is no success; no row is of the new one")
  func changed() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    // Rows without ids are named after the whole file, which these would not be of.
    func text(_ quantity: Int) -> String {
      "portfolio,date,type,symbol,quantity,price\n"
        + (1...600).reduce(into: "") { $0 += "ALPHA,2020-02-03,buy,ACME,\(quantity),\($1)\n" }
    }
    for replacement in [text(7), String(text(5).prefix(9_000))] {
      let input = try folder.file("trades.csv", text(5))
      let result = try await books.run(
        ["import", "activities", input, "--batch-size", "1"],
        environment: ImportJobTests.stopAtWork
      ) { process in
        try await process.waitUntilAtRest()
        try write(replacement, to: input)
        process.send(SIGCONT)
      }
      #expect(result.exitCode == 65, "\(result.standardError)")
      #expect(result.standardError.contains("error: \(input) changed while it was read"))
      #expect(
        try await books.integer(
          "select count(*) from closebell.holding_activity_log where quantity <> 5") == 0)
    }
  }

  @Test("an import that waits for a pipe, or reads a line without end, can be asked to stop")
  func endless() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let pipe = "\(folder.path)/pipe"
    mkfifo(pipe, 0o600)
    for path in [pipe, "/dev/zero"] {
      for signal in [SIGTERM, SIGINT] {
        let stopped = try await books.run(
          ["import", "activities", path], timeLimit: .seconds(120)
        ) { process in
          try await process.waitUntilOpen(path)
          process.send(signal)
        }
        #expect(stopped.exitCode == 130, "\(path): \(stopped.standardError)")
        #expect(stopped.standardError == "error: interrupted while \(path) was read\n")
      }
    }
    // A plan is read before anything is done, so that the first signal ends the program.
    let plan = try await books.run(
      ["repair", "equity", "--apply", "/dev/zero"], timeLimit: .seconds(120)
    ) { process in
      try await process.waitUntilOpen("/dev/zero")
      process.send(SIGTERM)
    }
    #expect(plan.exitCode == 128 + Int(SIGTERM), "\(plan.standardError)")
  }

  @Test("what is a pipe when it is queued is gone when its turn comes, and is refused")
  func queued() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    mkfifo("\(folder.path)/pipe", 0o600)
    let refused = try await books.run(
      ["import", "activities", "\(folder.path)/pipe", "--background"], timeLimit: .seconds(120))
    #expect(refused.exitCode == 65)
    #expect(refused.standardError.contains("cannot be imported in the background"))
  }

  @Test("standard input is read from where it stands, and waited for where it does not wait")
  func standardInput() async throws {
    let books = try await ImportJobTests.books()
    let rows = "portfolio,date,type,amount\nALPHA,2020-02-03,deposit,1\nBETA,2020-02-03,deposit,2\n"
    let file = ScratchFile("# written by a program\n" + rows)
    let rest = try await Self.shell(
      "{ head -c 23 > /dev/null; closebell import activities -; } < \"$1\"", books, file.path)
    #expect(rest.exitCode == 0, "\(rest.standardError)")
    #expect(rest.standardOutput.hasPrefix("activities: 2 rows: 2 new "))
    // `dd` makes the pipe one that does not wait. Nothing depends on how late its writer is.
    let late = try await Self.shell(
      """
      { sleep 0.3; tail -n 3 "$1"; } | {
        dd iflag=nonblock count=0 of=/dev/null status=none; closebell import activities -; }
      """, books, file.path)
    #expect(late.exitCode == 0, "\(late.standardError)")
  }

  @Test("a name that is no text is refused, and no file by another name is written")
  func names() async throws {
    let books = try await OperatorBooks.demo()
    let folder = ScratchFolder()
    for command in [
      "imports rejects 1 --output \"$1/\"$'caf\\xe9.csv'", "import prices $'caf\\xe9.csv'",
      "run --date $'\\xff'",
    ] {
      let refused = try await Self.shell("closebell \(command)", books, folder.path)
      #expect(refused.exitCode == 64, "\(command): \(refused.standardError)")
      #expect(refused.standardError.contains("is not valid UTF-8"))
    }
    #expect(folder.names == [])
  }

  @Test("rejects that go to standard output are all that goes there")
  func ownStream() async throws {
    let books = try await ImportJobTests.books()
    let header = "id,portfolio,date,type,amount\n"
    let bad = "2,OMEGA,2020-02-03,deposit,20\n"
    let file = ScratchFile(header + "1,ALPHA,2020-02-03,deposit,10\n" + bad)
    let result = try await books.run("import", "activities", file.path, "--rejects", "-")
    #expect(result.exitCode == 65)
    #expect(result.standardOutput == header + bad)
    #expect(result.standardError.contains("log: activities: 2 rows: 1 new, 1 refused"))
    let both = try await books.run("import", "activities", file.path, "--rejects", "-", "--json")
    #expect(both.exitCode == 64)
    #expect(both.standardOutput == "")
  }

  @Test("a terminal that calls itself dumb is not drawn on")
  func dumb() async throws {
    let books = try await OperatorBooks.demo()
    let prices = Fixtures.path("demo/prices.csv")
    for (terminal, isDrawn) in [("dumb", false), ("xterm", true)] {
      let session = try await Self.shell(
        "TERM=\(terminal) script -qefc \"'$1' import prices '$2'\" \"$3\"", books,
        CommandRun.closebell, prices, ScratchFile("").path)
      #expect(session.exitCode == 0)
      #expect(session.standardOutput.contains("\u{1B}[K") == isDrawn, "\(terminal)")
    }
  }
}
