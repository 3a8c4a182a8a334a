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
      late.standardError.contains("row 1, date: portfolio ALPHA was retired before 2024-01-04"))
    #expect(late.standardOutput.contains("1 new, 1 refused"))
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
