import Glibc
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
