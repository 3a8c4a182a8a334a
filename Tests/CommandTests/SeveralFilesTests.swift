import Postgres
import TestSupport
import Testing

/// `import KIND FILE FILE …`: what becomes of one file is no other's misfortune.
@Suite("Several files imported at once")
struct SeveralFilesTests {
  private static func prices(_ rows: String...) -> ScratchFile {
    ScratchFile("date,symbol,close\n" + rows.joined(separator: "\n") + "\n")
  }

  private static func dates(_ books: OperatorBooks) async throws -> [String] {
    try await books.texts("select price_date::text from closebell.prices order by 1")
  }

  @Test(
    "a file whose connection was lost is followed by one with a connection that works",
    arguments: ["import-job-finish:cut-after-send", "import-job-finish:cut-before-send"])
  func lostConnection(_ fault: String) async throws {
    let books = try await ImportJobTests.books()
    let (one, other) = (Self.prices("2024-01-02,ACME,1"), Self.prices("2024-01-03,ACME,2"))
    let result = try await books.run(
      ["import", "prices", one.path, other.path], environment: ["CLOSEBELL_FAULT": fault])
    #expect(result.exitCode == 0, "\(result.standardError)")
    #expect(try await Self.dates(books) == ["2024-01-02", "2024-01-03"])
    #expect(
      try await books.integer(
        "select count(*) from closebell.import_jobs where kind = 'prices' and status = 'completed'")
        == 2)
  }

  @Test("the exit code is the worst one, in whatever order, and each file's outcome is told")
  func worst() async throws {
    let books = try await ImportJobTests.books()
    let (good, other) = (Self.prices("2024-01-02,ACME,1"), Self.prices("2024-01-03,ACME,2"))
    let refused = Self.prices("2024-01-04,NONE,1", "2024-01-04,ACME,3")
    let result = try await books.run("import", "prices", good.path, refused.path, other.path)
    #expect(result.exitCode == 65)
    let lines = result.standardOutput.split(separator: "\n")
    #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("prices: ") }, "\(lines)")
    #expect(try await Self.dates(books) == ["2024-01-02", "2024-01-03", "2024-01-04"])
  }

  @Test("a file that cannot be read keeps none of the others from being imported")
  func unreadable() async throws {
    let books = try await ImportJobTests.books()
    let (good, other) = (Self.prices("2024-01-02,ACME,1"), Self.prices("2024-01-03,ACME,2"))
    let result = try await books.run(
      "import", "prices", good.path, "/nonexistent.csv", other.path, "--json")
    #expect(result.exitCode == 65)
    #expect(
      result.standardError.contains("error: import of /nonexistent.csv: could not read"),
      "\(result.standardError)")
    #expect(try await Self.dates(books) == ["2024-01-02", "2024-01-03"])
    let lines = result.standardOutput.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[1].contains("\"source\":\"/nonexistent.csv\",\"outcome\":\"failed\""))
    let alone = try await books.run("import", "prices", "/nonexistent.csv")
    #expect(alone.standardError.hasPrefix("error: could not read /nonexistent.csv"))
  }

  @Test("what concerns every file ends the import, and says which were not begun")
  func everything() async throws {
    let result = try await CommandRun.closebell([
      "import", "prices", "a.csv", "b.csv", "c.csv", "--database",
      "postgresql://me@127.0.0.1:1/books?sslmode=disable",
    ])
    #expect(result.exitCode == 69, "\(result.standardError)")
    #expect(result.standardError.hasPrefix("error: import of a.csv: "))
    #expect(
      result.standardError.hasSuffix("error: b.csv was not begun\nerror: c.csv was not begun\n"),
      "\(result.standardError)")
  }
}
