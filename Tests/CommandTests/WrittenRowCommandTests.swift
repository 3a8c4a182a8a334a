import TestSupport
import Testing

/// What the command says of files that are written in other ways, and the options that help.
@Suite struct WrittenRowCommandTests {
  @Test("missing symbols end in one list with rows to complete, not in a line each")
  func missingSymbols() async throws {
    let books = try await ImportJobTests.books()
    let rows = (1...60).map { "2020-02-03,S\($0 % 4),10,EUR\n" }
    let file = ScratchFile("date,symbol,close,currency\n" + rows.joined())
    let result = try await books.run("import", "prices", file.path)
    #expect(result.exitCode == 65)
    #expect(
      result.standardError.contains(
        "4 symbols are not instruments: S1 (EUR, 15 rows), S2 (EUR, 15 rows), S3 (EUR, 15 rows)"),
      "\(result.standardError)")
    #expect(result.standardError.contains("  symbol,name,kind,currency\n  S1,,,EUR\n"))
    #expect(!result.standardError.contains("is not an instrument\n"))
    #expect(!result.standardError.contains("and 40 more"))
    let json = try await books.run("import", "prices", file.path, "--json")
    #expect(
      json.standardOutput.contains(
        #""missing_symbols":[{"symbol":"S1","currency":"EUR","rows":15,"row":1,"line":2}"#),
      "\(json.standardOutput)")
  }

  @Test("each option that a hint names is taken, and a queued import keeps them all")
  func options() async throws {
    let books = try await ImportJobTests.books()
    let file = ScratchFile(
      """
      Activity of January
      id;portfolio;date;type;amount;who
      D1;ALPHA;02.03.2020 10:15;Wire In;$1,234.50001;x
      Total;;;;1;
      """)
    let options = [
      "--header-line", "2", "--skip-rows", "total", "--ignore", "WHO", "--word", "wire in=deposit",
      "--grouping", "--round", "--date-format", "DD.MM.YYYY", "--delimiter", ";",
    ]
    let queued = try await books.run(
      ["import", "activities", file.path, "--background"] + options)
    #expect(queued.exitCode == 0, "\(queued.standardError)")
    let done = try await books.run("imports", "work")
    #expect(done.exitCode == 0, "\(done.standardError)")
    #expect(
      done.standardOutput.contains(
        """
          1 number was rounded to the places that are kept, half to even
          1 date has a time behind it: the date counts, in the file's own zone
          1 row was passed over, as asked
        """), "\(done.standardOutput)")
    let again = try await books.run(["import", "activities", file.path] + options)
    #expect(again.standardOutput.contains("1 rows: 0 new, 1 unchanged"), "\(again.standardOutput)")
  }

  @Test("a number that speaks against the notation refuses the file, with the option that fits")
  func notation() async throws {
    let books = try await ImportJobTests.books()
    let file = ScratchFile("date;symbol;close\n2020-02-03;ACME;12.500\n2020-02-04;ACME;12.25\n")
    let result = try await books.run("import", "prices", file.path, "--decimal-comma")
    #expect(result.exitCode == 65)
    #expect(result.standardError.contains("row 2 (line 3), close: '12.25' has a decimal point"))
    #expect(
      result.standardError.contains(
        "hint: numbers have decimal points here: --delimiter ';' instead of --decimal-comma"))
    try await books.expectDone("import", "prices", file.path, "--delimiter", ";")
  }

  @Test(
    "options that are no options are refused before anything is read",
    arguments: [
      ["--word", "buy"], ["--skip-rows", ""], ["--header-line", "0"], ["--header-line", "9999"],
    ])
  func usage(_ arguments: [String]) async throws {
    let result = try await CommandRun.closebell(["import", "prices", "x.csv"] + arguments)
    #expect(result.exitCode == 64, "\(result.standardError)")
  }
}
