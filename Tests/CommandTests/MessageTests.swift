import Postgres
import TestSupport
import Testing

/// What an operator reads and a script branches on: one clear error, the right exit code.
@Suite struct MessageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var code: Int
    var says: String

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let wrongUsages = [
    Case(arguments: ["frobnicate"], code: 64, says: "there is no command 'frobnicate'"),
    Case(arguments: ["run", "--date", "2017-02-30"], code: 64, says: "2017-02-30"),
    Case(arguments: ["run", "--workers", "0"], code: 64, says: "workers"),
    Case(arguments: ["run", "--max-catch-up", "0"], code: 64, says: "--max-catch-up"),
    Case(
      arguments: ["replay", "--from", "2017-06-30", "--to", "2017-06-29"], code: 64,
      says: "lies before"),
    Case(arguments: ["import", "sheep", "x.csv"], code: 64, says: "sheep"),
    Case(arguments: ["import", "prices", "x.csv", "--map", "nonsense"], code: 64, says: "--map"),
    Case(arguments: ["show", "ACORN"], code: 64, says: "--date"),
  ]

  @Test("wrong usage says what is wrong, with exit code 64", arguments: wrongUsages)
  func usage(_ usage: Case) async throws {
    let result = try await CommandRun.closebell(usage.arguments)
    #expect(result.exitCode == usage.code)
    #expect(result.standardError.contains(usage.says), "\(result.standardError)")
    #expect(result.standardOutput.isEmpty)
  }

  @Test("help and version are successes on standard output")
  func help() async throws {
    for arguments in [["--help"], ["--version"], ["help", "run"], ["run", "--help"]] {
      let result = try await CommandRun.closebell(arguments)
      #expect(result.exitCode == 0)
      #expect(!result.standardOutput.isEmpty)
    }
  }

  @Test("a database that is not there is 69, one that is not known is 78, and no password is shown")
  func unreachable() async throws {
    let nobody = try await CommandRun.closebell([
      "run", "--database", "postgresql://me:s3cret@127.0.0.1:1/books?sslmode=disable",
    ])
    #expect(nobody.exitCode == 69, "\(nobody.standardError)")
    #expect(!nobody.standardError.contains("s3cret"))
    #expect(nobody.standardError.hasPrefix("error: "))
    try await TestCluster.shared.start()
    let unknown = try await CommandRun.closebell([
      "run", "--database", TestCluster.shared.url(database: "no_such_database"),
    ])
    #expect(unknown.exitCode == 78, "\(unknown.standardError)")
    #expect(unknown.standardError.contains("no_such_database"))
  }

  @Test("a schema that is missing, older or newer is refused with the way out")
  func schema() async throws {
    let books = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    let none = try await books.run("run", "--date", "2017-06-30")
    #expect(none.exitCode == 78)
    #expect(none.standardError.contains("hint: run: closebell migrate"))
    try await books.expectDone("migrate")
    try await books.execute("insert into closebell.schema_migrations values (99, 'later', 'x')")
    let newer = try await books.run("run", "--date", "2017-06-30")
    #expect(newer.exitCode == 78)
    #expect(newer.standardError.contains("newer"))
    try await books.execute("delete from closebell.schema_migrations where version > 3")
    let older = try await books.run("status")
    #expect(older.exitCode == 78)
  }

  @Test("files that cannot be imported are refused whole, with exit code 65")
  func files() async throws {
    let books = try await OperatorBooks.empty()
    for (path, says) in [
      ("/nonexistent/prices.csv", "/nonexistent/prices.csv"), ("/tmp", "directory"),
      (Fixtures.path("bad/empty.csv"), "empty"),
    ] {
      let result = try await books.run("import", "prices", path)
      #expect(result.exitCode == 65, "\(path): \(result.standardError)")
      #expect(result.standardError.contains(says), "\(path): \(result.standardError)")
    }
  }

  @Test("a date before inception or a holiday has nothing to do, and that is a success")
  func nothingToDo() async throws {
    let books = try await OperatorBooks.demo()
    for date in ["2000-01-03", "2017-06-29", "2016-01-02"] {
      let result = try await books.run("run", "--date", date)
      #expect(result.exitCode == 0, "\(date): \(result.standardError)")
      #expect(result.standardOutput.contains("nothing to do"), "\(date)")
    }
  }

  @Test("an unknown portfolio is named, with exit code 65")
  func unknownPortfolio() async throws {
    let books = try await OperatorBooks.demo()
    for arguments in [
      ["run", "--date", "2017-06-30", "--portfolio", "NOSUCH"],
      ["show", "NOSUCH", "--date", "2017-06-30"],
    ] {
      let result = try await books.run(arguments)
      #expect(result.exitCode == 65)
      #expect(result.standardError.contains("NOSUCH"))
    }
  }

  @Test("a portfolio that cannot be closed is listed with its reason; the others are closed")
  func oneFails() async throws {
    let books = try await OperatorBooks.demo()
    try await books.execute("delete from closebell.fx_rates where quote = 'JPY' or base = 'JPY'")
    try await books.execute("delete from closebell.portfolio_irr_moments")
    let result = try await books.run("run", "--date", "2017-06-30", "--json")
    #expect(result.exitCode == 1)
    #expect(result.standardError.contains("portfolio SAKURA, 2017-06-30"))
    #expect(result.standardError.contains("JPY"))
    #expect(result.standardOutput.contains("\"failed\":1"))
    let status = try await books.run("status")
    #expect(status.exitCode == 1)
    #expect(status.standardOutput.contains("SAKURA"))
    let show = try await books.run("show", "SAKURA", "--date", "2017-06-30")
    #expect(show.exitCode == 1)
    #expect(show.standardError.contains("failed"))
  }

  @Test("show and export print decimals as strings, and dates as ISO")
  func output() async throws {
    let books = try await OperatorBooks.demo()
    let json = try await books.run("show", "THAMES", "--date", "2017-06-29", "--json")
    #expect(json.exitCode == 0)
    #expect(json.standardOutput.contains("\"date\":\"2017-06-29\""))
    #expect(json.standardOutput.contains("\"closing_equity\":\""))
    let csv = try await books.run("export", "snapshots", "--from", "2017-06-29")
    #expect(csv.standardOutput.split(separator: "\n").count > 20)
    #expect(csv.standardOutput.hasPrefix("portfolio,date,"))
    let table = try await books.run("show", "THAMES", "--date", "2017-06-29")
    #expect(table.standardOutput.contains("closing equity"))
  }

  @Test("--quiet prints nothing but errors, whatever is asked for")
  func quiet() async throws {
    let books = try await OperatorBooks.demo()
    for command in [
      ["show", "THAMES", "--date", "2017-06-29"], ["explain", "THAMES", "--date", "2017-06-29"],
      ["status"], ["verify"], ["run", "--date", "2017-06-30"],
    ] {
      let silent = try await books.run(command + ["--quiet"])
      #expect(silent.exitCode == 0 && silent.standardOutput.isEmpty, "\(command)")
      #expect(silent.standardError.isEmpty, "\(command): \(silent.standardError)")
    }
  }

  @Test("status shows as many days as its help says")
  func defaultRange() async throws {
    let books = try await OperatorBooks.empty()
    let portfolio = ScratchFile(
      "code,name,base_currency,inception_date,calendar\nEVERY,E,USD,2024-01-01,every_day\n")
    try await books.expectDone("import", "portfolios", portfolio.path)
    try await books.expectDone("run", "--date", "2024-01-01")
    try await books.expectDone("run", "--date", "2024-01-31", "--max-catch-up", "40")
    let help = try await books.run("status", "--help").standardOutput
    let words = help.split(whereSeparator: \.isWhitespace).map(String.init)
    let place = try #require(words.firstIndex(of: "days"))
    let days = try #require(Int(words[place - 1]))
    let shown = try await books.run("status").standardOutput.split(separator: "\n")
    #expect(shown.count { $0.hasPrefix("2024-01-") } == days)
  }

  @Test("an error that nobody foresaw means that the command failed: 2, as an error reads")
  func unforeseen() async throws {
    let books = try await OperatorBooks.demo()
    try await books.execute(
      """
      alter table closebell.portfolios drop constraint portfolios_currency_is_iso;
      update closebell.portfolios set base_currency = 'usd' where code = 'THAMES'
      """)
    let file = ScratchFile("id,portfolio,date,type,amount\nX-1,THAMES,2017-06-29,deposit,1\n")
    let failed = try await books.run("import", "activities", file.path)
    #expect(failed.exitCode == 2, "\(failed.standardError)")
    #expect(failed.standardError == "error: 'usd' is not a currency\n")
  }

  @Test("going back refuses where data would be lost")
  func wayBack() async throws {
    let books = try await OperatorBooks.demo()
    let refused = try await books.run("migrate", "--to", "0")
    #expect(refused.exitCode == 2)
    #expect(refused.standardError.contains("would lose"))
    #expect(try await books.tables().isEmpty == false)
    let empty = try await OperatorBooks.empty()
    try await empty.expectDone("migrate", "--to", "0")
    try await empty.expectDone("migrate")
  }
}
