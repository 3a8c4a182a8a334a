import Postgres
import TestSupport
import Testing

/// Portfolios and instruments that are no longer in use.
@Suite("What is retired keeps its history")
struct RetiredTests {
  private static let portfolios = "code,name,base_currency,inception_date,calendar,retired_on\n"

  private static func importing(
    _ books: OperatorBooks, _ kind: String, _ text: String
  ) async throws -> CommandRun {
    let file = ScratchFile(text)
    return try await books.run("import", kind, file.path)
  }

  private static func texts(_ books: OperatorBooks, _ sql: String) async throws -> [String] {
    try await books.perform { db in
      try db.rows(Statement.once("test", "select q::text from (\(sql)) q")) { try $0.nextString() }
    }
  }

  @Test("a retired portfolio keeps its closes, is closed no more, and its code may be used again")
  func portfolio() async throws {
    let books = try await OperatorBooks.empty()
    _ = try await Self.importing(
      books, "portfolios", Self.portfolios + "ALPHA,Old,USD,2024-01-01,every_day,\n")
    _ = try await Self.importing(
      books, "activities",
      "id,portfolio,date,type,amount\n1,ALPHA,2024-01-02,deposit,100\n")
    for date in ["2024-01-02", "2024-01-03"] { try await books.expectDone("run", "--date", date) }
    let closed = try await books.tables()
    #expect(!closed.isEmpty)
    let retired = try await Self.importing(
      books, "portfolios",
      Self.portfolios + "ALPHA,Old,USD,2024-01-01,every_day,2024-01-03\n"
        + "ALPHA,New,USD,2024-01-05,every_day,\n")
    #expect(retired.exitCode == 0, "\(retired.standardError)")
    #expect(try await books.tables() == closed, "its history stays")
    _ = try await Self.importing(
      books, "activities",
      "id,portfolio,date,type,amount\n2,ALPHA,2024-01-05,deposit,7\n")
    try await books.expectDone("run", "--date", "2024-01-05")
    #expect(
      try await Self.texts(
        books,
        """
        select p.name, s.snapshot_date, s.closing_equity from closebell.portfolio_snapshots s
        join closebell.portfolios p on p.id = s.portfolio_id order by 1, 2
        """) == [
          "(New,2024-01-05,7.0000)", "(Old,2024-01-02,100.0000)", "(Old,2024-01-03,100.0000)",
        ])
    let old =
      try await Self.texts(
        books, "select id from closebell.portfolios where name = 'Old'"
      ).first?.filter(\.isNumber) ?? ""
    let shown = try await books.run("show", "ALPHA#\(old)", "--date", "2024-01-03")
    #expect(shown.exitCode == 0, "\(shown.standardError)")
    let late = try await Self.importing(
      books, "activities",
      "id,portfolio,date,type,amount\n3,ALPHA,2024-01-04,deposit,1\n"
        + "4,ALPHA#\(old),2024-01-03,deposit,1\n")
    #expect(late.exitCode == 65)
    #expect(
      late.standardError.contains(
        "row 1 (line 2), date: portfolio ALPHA was retired before 2024-01-04"))
    #expect(late.standardOutput.contains("1 new, 1 refused"))
  }

  /// ALPHA with five shares, closed on two dates; retired on the next one, and its code used again.
  private static func retired() async throws -> OperatorBooks {
    let books = try await OperatorBooks.empty()
    _ = try await importing(
      books, "instruments", "symbol,name,kind,currency\nACME,Acme,equity,USD\n")
    _ = try await importing(
      books, "portfolios", portfolios + "ALPHA,Old,USD,2024-01-01,every_day,\n")
    _ = try await importing(
      books, "prices",
      "date,symbol,close\n2024-01-29,ACME,10\n2024-01-30,ACME,11\n2024-01-31,ACME,12\n")
    _ = try await importing(
      books, "activities",
      """
      id,portfolio,date,type,symbol,quantity,price,amount
      1,ALPHA,2024-01-29,deposit,,,,100
      2,ALPHA,2024-01-29,buy,ACME,5,10,

      """)
    for date in ["2024-01-29", "2024-01-30"] { try await books.expectDone("run", "--date", date) }
    _ = try await importing(
      books, "portfolios",
      portfolios + "ALPHA,Old,USD,2024-01-01,every_day,2024-01-31\n"
        + "ALPHA,New,USD,2024-02-01,every_day,\n")
    _ = try await importing(
      books, "activities", "id,portfolio,date,type,amount\n3,ALPHA,2024-02-01,deposit,7\n")
    try await books.expectDone("run", "--date", "2024-02-01")
    return books
  }

  private static let closes = """
    select portfolio_id || ' ' || snapshot_date || ' ' || closing_equity as line
    from closebell.portfolio_snapshots where is_complete order by portfolio_id, snapshot_date
    """

  @Test("it is closed through its last date, by the first run after it too, and no further")
  func lastDate() async throws {
    let books = try await Self.retired()
    let closes = try await books.texts(Self.closes)
    #expect(
      closes == [
        "1 2024-01-29 100.0000", "1 2024-01-30 105.0000", "1 2024-01-31 110.0000",
        "2 2024-02-01 7.0000",
      ])
    for more in [["--portfolio", "ALPHA#1"], ["--portfolio", "ALPHA#1", "--no-catch-up"]] {
      let run = try await books.run(["run", "--date", "2024-02-01"] + more)
      #expect(run.exitCode == 0 && run.standardOutput == "nothing to do\n", "\(more)")
    }
    try await books.expectDone(
      "replay", "--from", "2024-01-30", "--to", "2024-02-01", "--portfolio", "ALPHA#1")
    try await books.expectDone("replay", "--from", "2024-01-30", "--to", "2024-02-01")
    #expect(try await books.texts(Self.closes) == closes)
    try await books.expectDone("status", "--from", "2024-01-01", "--to", "2024-02-01")
  }

  @Test("what came on its last date is booked there")
  func activityOfTheLastDate() async throws {
    let books = try await Self.retired()
    let late = try await Self.importing(
      books, "activities",
      "id,portfolio,date,type,symbol,quantity,price,amount\n"
        + "8,ALPHA#1,2024-01-31,sell,ACME,5,12,\n9,ALPHA#1,2024-01-31,withdrawal,,,,110\n")
    #expect(late.exitCode == 0, "\(late.standardError)")
    try await books.expectDone("run", "--date", "2024-02-01")
    let closes = try await books.texts(Self.closes)
    #expect(closes.contains("1 2024-01-31 0.0000"), "\(closes)")
    try await books.expectDone("verify")
  }

  @Test("what changed since is closed again by the next run, and its month can be locked")
  func stale() async throws {
    let books = try await Self.retired()
    _ = try await Self.importing(books, "prices", "date,symbol,close\n2024-01-30,ACME,11.5\n")
    let refused = try await books.run("lock", "--month", "2024-01", "--reason", "x")
    #expect(refused.exitCode == 1)
    #expect(
      refused.standardError.contains("detail: portfolio ALPHA, 2024-01-30: stale"),
      "\(refused.standardError)")
    // What the refusal advises works.
    let advice = try #require(
      refused.standardError.firstRange(of: "; or closebell ").map {
        refused.standardError[$0.upperBound...]
      })
    let replay = advice.split(whereSeparator: \.isWhitespace).map(String.init)
    let replayed = try await books.run(replay)
    #expect(replayed.exitCode == 0, "\(replayed.standardError)")
    try await books.expectDone("status")
    _ = try await Self.importing(books, "prices", "date,symbol,close\n2024-01-30,ACME,11.25\n")
    try await books.expectDone("run", "--date", "2024-02-01")
    try await books.expectDone("status")
    try await books.expectDone("lock", "--month", "2024-01", "--reason", "x")
    let closes = try await books.texts(Self.closes)
    #expect(closes.contains("1 2024-01-30 106.2500"), "\(closes)")
  }

  @Test("two portfolios of one code are told apart wherever they are named")
  func names() async throws {
    let books = try await Self.retired()
    try await books.execute(
      """
      update closebell.portfolio_snapshots
      set closing_equity = closing_equity + 1, cash = cash + 1, daily_pnl = daily_pnl + 1,
        income = income + 1
      where snapshot_date in ('2024-01-31', '2024-02-01')
      """)
    for (command, says) in [
      (["verify"], ["portfolio ALPHA#1: 2024-01-31 is", "portfolio ALPHA: 2024-02-01 is"]),
      (
        ["verify", "--json"],
        ["\"portfolio\":\"ALPHA#1\",\"first_date\"", "\"portfolio\":\"ALPHA\",\"first_date\""]
      ),
      (["repair", "equity", "--dry-run"], ["\nALPHA#1 ", "\nALPHA "]),
      (
        ["replay", "--from", "2024-01-31", "--to", "2024-02-01", "--dry-run"],
        ["portfolio ALPHA#1, 2024-01-31:", "portfolio ALPHA, 2024-02-01:"]
      ),
      (
        ["export", "snapshots", "--from", "2024-01-31"],
        ["\nALPHA#1,2024-01-31,", "\nALPHA,2024-02"]
      ),
    ] {
      let said = try await books.run(command).standardOutput
      for name in says { #expect(("\n" + said).contains(name), "\(command): \(said)") }
    }
  }

  @Test("what failed beyond its last date is nobody's, and is not told")
  func failedBeyond() async throws {
    let books = try await Self.retired()
    try await books.execute(
      """
      insert into closebell.portfolio_snapshots
        (portfolio_id, snapshot_date, opened_from_date, state, claim_id, claimed_at, error)
      values (1, '2024-02-01', '2024-01-31', 'failed', 1, pg_catalog.now(), 'no rate of XYZ')
      """)
    let status = try await books.run("status")
    #expect(status.exitCode == 0, "\(status.standardOutput)")
    #expect(!status.standardOutput.contains("XYZ"))
    try await books.expectDone("run", "--date", "2024-02-01")
  }

  @Test("codes and symbols are unique among those in use, and only there")
  func uniqueness() async throws {
    let books = try await OperatorBooks.empty()
    _ = try await Self.importing(
      books, "portfolios", Self.portfolios + "ALPHA,A,USD,2024-01-01,every_day,2024-02-01\n")
    _ = try await Self.importing(
      books, "portfolios", Self.portfolios + "ALPHA,B,USD,2024-03-01,every_day,\n")
    _ = try await Self.importing(
      books, "instruments",
      "symbol,name,kind,currency,retired_on\nFB,Facebook,equity,USD,2022-06-08\n")
    _ = try await Self.importing(
      books, "instruments", "symbol,name,kind,currency,retired_on\nFB,Another,etf,USD,\n")
    for table in [
      "portfolios (code, name, base_currency, inception_date)",
      "instruments (symbol, name, kind, currency)",
    ] {
      let values =
        table.hasPrefix("p") ? "('ALPHA', 'C', 'USD', '2024-04-01')" : "('FB', 'C', 'etf', 'USD')"
      let error = await #expect(throws: PostgresError.self) {
        try await books.execute("insert into closebell.\(table) values \(values)")
      }
      #expect(error?.sqlState == "23505")
    }
    let prices = try await Self.importing(
      books, "prices", "date,symbol,close\n2022-06-08,FB,196\n2022-06-09,FB,10\n")
    #expect(prices.exitCode == 0, "\(prices.standardError)")
    #expect(
      try await Self.texts(
        books,
        """
        select i.name, p.price_date from closebell.prices p
        join closebell.instruments i on i.id = p.instrument_id order by 2
        """) == ["(Facebook,2022-06-08)", "(Another,2022-06-09)"])
  }
}
