import Glibc
import Postgres
import TestSupport
import Testing

/// An import never takes away the file that it could not take in.
@Suite struct RejectsFileTests {
  private static let header = "id,portfolio,date,type,amount\n"
  private static let mixed =
    header + "1,ALPHA,2020-02-03,deposit,10\n2,OMEGA,2020-02-03,deposit,20\n"
    + "3,ALPHA,2020-02-04,deposit,30\n"

  @Test("a file that was not taken as a whole stays, whatever name its rejects go by")
  func kept() async throws {
    let books = try await ImportJobTests.books()
    for (attempt, arguments) in [
      ["--on-error", "abort"], ["--batch-size", "1"],
    ].enumerated() {
      let folder = ScratchFolder()
      // The longer one takes longer than it may.
      let text = attempt == 0 ? Self.mixed : ImportJobTests.activities(300)
      let input = try folder.file("trades.csv", text)
      chmod(input, 0o600)
      link(input, "\(folder.path)/other.csv")
      for (round, name) in ["trades.csv", "./trades.csv", "other.csv"].enumerated() {
        let rejects = "\(folder.path)/\(name)"
        let stopped = try await books.run(
          ["import", "activities", input, "--rejects", rejects] + arguments,
          environment: attempt == 0 ? [:] : ["CLOSEBELL_IMPORT_TIMEOUT": "0.001"])
        #expect(stopped.exitCode == (attempt == 0 ? 65 : 2), "\(stopped.standardError)")
        #expect(try readText(input) == text, "\(arguments) \(name)")
        #expect(try readText("\(folder.path)/other.csv") == text)
        let beside = folder.names.filter { $0.contains(".rejects-") }
        guard attempt == 0 else { continue }
        #expect(beside.count == round + 1, "\(folder.names)")
        #expect(stopped.standardError.contains("warning: \(rejects) stays as it is"))
        #expect(stopped.standardError.contains("hint: mend \(rejects).rejects-"))
        let written = "\(folder.path)/\(try #require(beside.last))"
        let refused = try readText(written)
        var status = stat()
        #expect(stat(written, &status) == 0 && status.st_mode & 0o777 == 0o600, "as private as it")
        #expect(refused == Self.header + "2,OMEGA,2020-02-03,deposit,20\n")
      }
    }
  }

  @Test("what stands beside a file that stays is not replaced either: the next free name is taken")
  func beside() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let input = try folder.file("trades.csv", Self.mixed)
    let next = try await books.integer("select max(id) + 1 from closebell.import_jobs")
    let taken = ["\(input).rejects-\(next)", "\(input).rejects-\(next).2"]
    try write("mended by hand", to: taken[0])
    symlink("/nowhere/x", taken[1])
    let refused = Self.header + "2,OMEGA,2020-02-03,deposit,20\n"
    let stopped = try await books.run(
      ["import", "activities", input, "--rejects", input, "--on-error", "abort", "--json"])
    #expect(stopped.exitCode == 65, "\(stopped.standardError)")
    let third = "\(input).rejects-\(next).3"
    #expect(stopped.standardError.contains("hint: mend \(third) and import it"))
    #expect(stopped.standardOutput.contains(#""rejects_file":"\#(third)""#))
    #expect(try readText(third) == refused)
    let again = try await books.run("imports", "rejects", "\(next)", "--output", input)
    #expect(
      again.standardError.contains("hint: the refused rows are in \(input).rejects-\(next).4"))
    #expect(try readText("\(input).rejects-\(next).4") == refused)
    #expect(try readText(taken[0]) == "mended by hand")
    #expect(try readText(input) == Self.mixed)
    #expect(folder.names.count == 5, "\(folder.names)")
  }

  @Test("a file that somebody puts in the place of the rejects while they are written stays")
  func putThere() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let input = try folder.file("trades.csv", Self.mixed)
    let rejects = "\(folder.path)/refused.csv"
    let done = try await books.run(
      ["import", "activities", input, "--rejects", rejects],
      environment: ["CLOSEBELL_FAULT": "stage-import_activities:stop"]
    ) { process in
      try await process.waitUntilAtRest()
      try write("somebody else's", to: rejects)
      process.send(SIGCONT)
    }
    #expect(done.exitCode == 65, "\(done.standardError)")
    #expect(try readText(rejects) == "somebody else's")
    #expect(folder.names.count == 3, "\(folder.names)")
  }

  @Test("killed at any call, an import has left its input whole, or in its place all its rejects")
  func killed() async throws {
    let folder = ScratchFolder()
    let text = ImportJobTests.activities(60)
    let calm = try folder.file("calm.csv", text)
    _ = try await ImportJobTests.books().run(
      "import", "activities", calm, "--batch-size", "20", "--rejects", calm)
    let rejects = try readText(calm)
    #expect(rejects.split(separator: "\n").count == 7)
    var call = 1
    while true {
      let books = try await ImportJobTests.books()
      let input = try folder.file("trades-\(call).csv", text)
      let killed = try await books.run(
        ["import", "activities", input, "--batch-size", "20", "--rejects", input],
        environment: ["CLOSEBELL_FAULT": "\(call):\(call % 2 == 0 ? "kill" : "kill-after-send")"])
      let left = try readText(input)
      #expect(left == text || left == rejects, "call \(call)")
      guard killed.exitCode == 137 else { break }
      call += 5
    }
    #expect(call > 30, "most kills must hit the middle to prove anything")
  }

  @Test("a hundred thousand refused rows: half of them lose nothing, and all of them come back")
  func many() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    var text = Self.header
    for number in 1...100_000 { text += "\(number),OMEGA,2020-02-03,deposit,\(number)\n" }
    let input = try folder.file("trades.csv", text)
    let stopped = try await books.run(
      ["import", "activities", input, "--rejects", input],
      environment: ["CLOSEBELL_FAULT": "import-job-advance#6:stop"]
    ) { process in
      try await process.waitUntilAtRest()
      process.send(SIGTERM)
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 130, "\(stopped.standardError)")
    #expect(try readText(input) == text)
    let job = try #require(try await ImportJobTests.lastJob(books))
    #expect(try readText("\(input).rejects-\(job)").split(separator: "\n").count > 50_000)
    let resumed = try await books.run(
      ["imports", "resume", job, "--rejects", input],
      environment: ["CLOSEBELL_IMPORT_TIMEOUT": "0.001"])
    #expect(resumed.exitCode == 2, "\(resumed.standardError)")
    #expect(try readText(input) == text)
    let whole = try await books.run("imports", "resume", job, "--rejects", input)
    #expect(whole.exitCode == 65, "\(whole.standardError)")
    #expect(try readText(input) == text, "every row of it was refused")
  }

  @Test("a worker that is stopped leaves the file as it was, and begins no other one")
  func worker() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let texts = [ImportJobTests.activities(200), ImportJobTests.activities(40, from: 301)]
    var files: [String] = []
    for (number, text) in texts.enumerated() {
      files.append(try folder.file("\(number).csv", text))
      try await books.expectDone(
        "import", "activities", files[number], "--background", "--batch-size", "20")
    }
    let stopped = try await books.run(
      ["imports", "work"], environment: ImportJobTests.stopAtWork
    ) { process in
      try await process.waitUntilAtRest()
      process.send(SIGTERM)
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 130, "\(stopped.standardError)")
    let late = try await books.run(
      ["imports", "work"], environment: ["CLOSEBELL_IMPORT_TIMEOUT": "0.001"])
    #expect(late.exitCode == 2, "\(late.standardError)")
    for (file, text) in zip(files, texts) { #expect(try readText(file) == text) }
    for job in try await books.perform({ db in
      try db.rows(
        Statement.once(
          "jobs", "select id::text from closebell.import_jobs where kind = 'activities' order by 1")
      ) { try $0.nextString() }
    }) {
      let resumed = try await books.run("imports", "resume", job)
      #expect(resumed.exitCode == 65, "\(resumed.standardError)")
    }
    #expect(
      try await books.integer("select count(*) from closebell.holding_activity_log") == 180 + 36)
  }

  @Test("an import that fails after it refused rows keeps them, as one that is stopped does")
  func failed() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let input = try folder.file("trades.csv", Self.mixed)
    let refused = Self.header + "2,OMEGA,2020-02-03,deposit,20\n"
    for (name, place) in [("refused.csv", "refused.csv"), ("trades.csv", nil as String?)] {
      let failed = try await books.run(
        ["import", "activities", input, "--rejects", "\(folder.path)/\(name)"],
        environment: ["CLOSEBELL_IMPORT_MAX_ROWS": "2"])
      #expect(failed.exitCode == 65 && failed.standardError.contains("has more than 2 rows"))
      let written = try #require(place ?? folder.names.first { $0.contains(".rejects-") })
      #expect(try readText("\(folder.path)/\(written)") == refused)
      #expect(failed.standardError.contains("are in \(folder.path)/\(written)\n"))
      #expect(try readText(input) == Self.mixed)
    }
    // One that never began leaves what is there.
    let never = try await books.run(
      ["import", "activities", "/nonexistent.csv", "--rejects", "\(folder.path)/refused.csv"])
    #expect(never.exitCode == 65)
    #expect(try readText("\(folder.path)/refused.csv") == refused)
  }

  @Test("interrupted half-way, the input has all its rows, and what is resumed replaces it")
  func interrupted() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let text = ImportJobTests.activities(600)
    let input = try folder.file("trades.csv", text)
    let stopped = try await books.run(
      ["import", "activities", input, "--batch-size", "1", "--rejects", input],
      environment: ImportJobTests.stopAtWork
    ) { process in
      try await process.waitUntilAtRest()
      process.send(SIGTERM)
      process.send(SIGCONT)
    }
    #expect(stopped.exitCode == 130, "\(stopped.standardError)")
    #expect(try readText(input) == text)
    let job = try #require(try await ImportJobTests.lastJob(books))
    let written = try await books.run("imports", "rejects", job, "--output", input)
    #expect(written.standardError.contains("stays as it is"), "\(written.standardError)")
    #expect(try readText(input) == text)
    let resumed = try await books.run("imports", "resume", job, "--rejects", input)
    #expect(resumed.exitCode == 65, "\(resumed.standardError)")
    #expect(try readText(input).split(separator: "\n").count == 61)
  }

  @Test("rows that were added while the file was imported are not taken away with it")
  func grown() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let text = ImportJobTests.activities(600)
    let input = try folder.file("trades.csv", text)
    let added = "T-601,ALPHA,2020-02-03,buy,ACME,1,1.5\n"
    let done = try await books.run(
      ["import", "activities", input, "--batch-size", "1", "--rejects", input],
      environment: ImportJobTests.stopAtWork
    ) { process in
      try await process.waitUntilAtRest()
      try write(text + added, to: input)
      process.send(SIGCONT)
    }
    #expect([2, 65].contains(done.exitCode), "\(done.standardError)")
    #expect(try readText(input) == text + added)
  }

  @Test("a row that was too long to be kept whole does not take its file along")
  func cut() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let text =
      Self.header + "1,ALPHA,2020-02-03,deposit,10\n2,ALPHA,2020-02-03,deposit,\""
      + String(repeating: "9", count: 3 << 20) + "\"\n3,ALPHA,2020-02-04,deposit,30\n"
    let input = try folder.file("trades.csv", text)
    let result = try await books.run("import", "activities", input, "--rejects", input)
    #expect(result.exitCode == 65)
    #expect(result.standardError.contains("warning: \(input) stays as it is"))
    #expect(try readText(input) == text)
    let job = try #require(try await ImportJobTests.lastJob(books))
    let again = try await books.run("imports", "rejects", job, "--output", input)
    #expect(again.standardError.contains("stays as it is"), "\(again.standardError)")
    #expect(try readText(input) == text)
  }

  @Test("a link is refused before anything is imported")
  func linked() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let input = try folder.file("trades.csv", Self.mixed)
    let other = "\(folder.path)/link.csv"
    symlink(input, other)
    let refused = try await books.run("import", "activities", input, "--rejects", other)
    #expect(refused.exitCode == 64)
    #expect(try readText(input) == Self.mixed)
    #expect(try await ImportJobTests.lastJob(books) == nil)
  }

  @Test("a file that was taken as a whole is replaced by its rejects, and keeps its mode")
  func replaced() async throws {
    let books = try await ImportJobTests.books()
    let folder = ScratchFolder()
    let input = try folder.file("trades.csv", Self.mixed)
    chmod(input, 0o600)
    let result = try await books.run(
      "import", "activities", input, "--rejects", input, "--json")
    #expect(result.exitCode == 65)
    #expect(result.standardOutput.contains(#""rejects_file":"\#(input)""#))
    #expect(try readText(input) == Self.header + "2,OMEGA,2020-02-03,deposit,20\n")
    var status = stat()
    #expect(stat(input, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(folder.names == ["trades.csv"])
  }
}
