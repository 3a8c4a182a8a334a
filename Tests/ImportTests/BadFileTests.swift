import Import
import TestSupport
import Testing

@Suite("Bad files cost what is bad in them, and nothing else")
struct BadFileTests {
  /// A fixture, and the rows and fields that it must lose.
  struct Case: Sendable, CustomTestStringConvertible {
    var file: String
    var kind: ImportKind
    var refused: [String]
    var kept: Int
    var replaced = 0
    var testDescription: String { file }

    init(_ file: String, _ kind: ImportKind, _ refused: [String], kept: Int, replaced: Int = 0) {
      self.file = file
      self.kind = kind
      self.refused = refused
      self.kept = kept
      self.replaced = replaced
    }
  }

  static let cases = [
    Case("header-only", .prices, [], kept: 0),
    Case("blank-lines", .prices, [], kept: 1),
    Case("no-final-newline", .prices, [], kept: 2),
    Case("bad-dates", .prices, (2...7).map { "\($0) date" }, kept: 1),
    Case("bad-numbers", .prices, (2...9).map { "\($0) close" }, kept: 1),
    Case("overflow", .prices, ["2 close", "3 close"], kept: 1),
    Case("overflow", .activities, ["2 amount", "3 amount"], kept: 1),
    Case("not-a-number", .prices, ["1 close", "2 close", "3 close"], kept: 1),
    Case("unknown-symbol", .prices, ["2 symbol", "3 symbol"], kept: 1),
    Case("wrong-currency", .prices, (1...3).map { "\($0) currency" }, kept: 1),
    Case(
      "unknown-words", .activities,
      ["2 portfolio", "3 symbol", "4 type", "5 currency", "6 type", "7 type"], kept: 1),
    Case(
      "broken-rules", .activities,
      [
        "1 date", "2 amount", "3 quantity", "4 quantity", "5 symbol", "6 amount", "7 type",
        "8 type", "9 type", "10 type",
      ], kept: 1),
    Case("invalid-utf8", .instruments, ["2 name", "3 name"], kept: 2),
    Case("nul-byte", .instruments, ["2 name"], kept: 2),
    Case("too-many-fields", .prices, ["2 -"], kept: 2),
    Case("too-few-fields", .prices, ["2 -"], kept: 2),
    Case("unterminated-quote", .instruments, ["2 name"], kept: 1),
    Case("stray-quote", .instruments, ["1 name", "2 name"], kept: 1),
    Case("bom-crlf", .instruments, [], kept: 2),
    Case("pence", .prices, ["3 currency"], kept: 2),
    Case("jump", .prices, [], kept: 3),
    Case("duplicate-keys", .prices, [], kept: 2, replaced: 2),
    Case("duplicate-ids", .activities, ["3 id", "4 id"], kept: 1, replaced: 1),
    Case(
      "bad-terms", .portfolios,
      [
        "2 calendar", "3 lot_relief", "4 base_currency", "5 inception_date", "6 code", "7 cash",
      ], kept: 1),
    Case("bad-rates", .fxRates, ["2 quote", "3 rate", "4 rate", "5 quote"], kept: 1),
    Case("bad-values", .valuations, ["2 date", "3 symbol", "4 value"], kept: 2),
    Case(
      "bad-actions", .corporateActions,
      ["1 type", "2 value", "3 value", "5 currency", "6 symbol"], kept: 1),
  ]

  static func request(_ file: String, _ kind: ImportKind) -> ImportRequest {
    ImportRequest(
      kind: kind, source: .file(Fixtures.path("bad/\(file).\(kind.rawValue).csv")))
  }

  @Test("each bad row is named with its field, the others are kept", arguments: cases)
  func badRows(_ bad: Case) async throws {
    let books = try await Books.demo()
    let report = try await books.run(Self.request(bad.file, bad.kind))
    #expect(report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == bad.refused)
    #expect(report.inserted + report.updated + report.unchanged == bad.kept)
    #expect(report.replaced == bad.replaced)
    #expect(report.processed == bad.kept + bad.refused.count + bad.replaced)
    let job = try #require(report.jobID)
    let kept = try await books.texts(
      "select row_number, coalesce(field, '-') from closebell.import_results "
        + "where job_id = \(job) order by row_number")
    #expect(kept == bad.refused.map { "(\($0.replacing(" ", with: ",")))" })
  }

  @Test(
    "a file whose header does not fit changes nothing",
    arguments: ["unknown-column", "missing-column", "repeated-column", "empty"])
  func badHeader(_ file: String) async throws {
    let books = try await Books.demo()
    let before = try await books.inputs()
    await #expect(throws: ImportError.self) { try await books.run(Self.request(file, .prices)) }
    #expect(try await books.inputs() == before)
    #expect(
      try await books.texts("select 1 from closebell.import_jobs where kind = 'prices'").count == 1)
  }

  @Test("a file that cannot be opened says why")
  func unreadable() async throws {
    let books = try await Books.empty()
    func message(_ path: String) async -> String {
      do {
        _ = try await books.run(ImportRequest(kind: .prices, source: .file(path)))
        return ""
      } catch { return "\(error)" }
    }
    #expect(
      await message("/nowhere/prices.csv").hasPrefix(
        "could not read /nowhere/prices.csv: No such file or directory\nhint: "))
    #expect(await message("/").hasPrefix("could not read /: Is a directory\nhint: "))
  }

  @Test("UTF-16 is refused with a hint")
  func utf16() async throws {
    let books = try await Books.empty()
    let bytes: [UInt8] = [0xFF, 0xFE] + Array("d\0a\0t\0e\0".utf8)
    await #expect(throws: ImportError.self) {
      try await books.run(ImportRequest(kind: .prices, source: .bytes(bytes)))
    }
  }

  @Test("pence become pounds exactly, a text keeps its quotes and line breaks")
  func kept() async throws {
    let books = try await Books.demo()
    _ = try await books.run(Self.request("pence", .prices))
    #expect(
      try await books.texts(
        """
        select i.symbol, trim_scale(p.close) from closebell.prices p
        join closebell.instruments i on i.id = p.instrument_id
        where i.symbol in ('BARC.L', 'BP.L') and p.price_date = '2017-06-28' order by 1
        """) == ["(BARC.L,1.6802)", "(BP.L,3.242)"])
    _ = try await books.run(Self.request("bom-crlf", .instruments))
    #expect(
      try await books.texts(
        "select name from closebell.instruments where symbol like 'BOM_' order by symbol") == [
          "(\"Two\r\nlines\")", "(\"Quoted, with \"\"quotes\"\"\")",
        ])
    _ = try await books.run(Self.request("duplicate-keys", .prices))
    #expect(
      try await books.texts(
        """
        select p.price_date, trim_scale(p.close) from closebell.prices p
        join closebell.instruments i on i.id = p.instrument_id
        where i.symbol = 'AMZN' and p.price_date in ('2017-06-28', '2017-06-29') order by 1
        """) == ["(2017-06-28,990.33)", "(2017-06-29,975.93)"])
  }

  @Test("a close that jumps about ten or a hundred times is kept and warned about")
  func jump() async throws {
    let books = try await Books.demo()
    let report = try await books.run(Self.request("jump", .prices))
    #expect(report.warnings.map(\.row) == [1, 2])
    #expect(report.warnings.first?.message.contains("about 100 times the last one") == true)
    #expect(report.warnings.last?.message.contains("about a tenth of the last one") == true)
  }

  @Test("the demo imported a second time changes nothing, not even a row version")
  func demoTwice() async throws {
    let books = try await Books.demo()
    let before = try await books.inputs()
    for kind in Books.demoOrder {
      let report = try await books.run(
        ImportRequest(
          kind: kind, source: .file(Fixtures.path("demo/\(kind.rawValue).csv")), batchSize: 777))
      #expect(report.unchanged == report.processed, "\(kind)")
      #expect(report.warnings.map(\.message).contains { $0.contains("was imported before") })
    }
    #expect(try await books.inputs() == before)
  }
}
