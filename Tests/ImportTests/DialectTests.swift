import Accounting
import Postgres
import TestSupport
import Testing

@testable import Import

@Suite("Files are written in many ways")
struct DialectTests {
  private static let prices =
    "select price_date, trim_scale(close) from closebell.prices order by price_date"

  private static func request(_ text: String) -> ImportRequest {
    ImportRequest(kind: .prices, source: .bytes(Array(text.utf8)))
  }

  @Test("semicolons, decimal commas, dates of another order, a column that is the same throughout")
  func german() async throws {
    let books = try await Books.small()
    var request = Self.request(
      "Datum;Schluss\n31.01.2024;1.234,5\n01.02.2024;\"12,25\"\n2024-02-02;1\n30.02.2024;1\n"
        + "05.02.2024;1.23,4\n")
    request.columnMap = ["Datum": "date", "Schluss": "close"]
    request.delimiter = UInt8(ascii: ";")
    request.decimalComma = true
    request.dateFormat = DateFormat("DD.MM.YYYY")
    request.constants = ["symbol": "ACME"]
    let report = try await books.run(request)
    #expect(
      report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == ["3 date", "4 date", "5 close"])
    #expect(try await books.texts(Self.prices) == ["(2024-01-31,1234.5)", "(2024-02-01,12.25)"])
  }

  @Test("tabs, and dates without anything between")
  func tabs() async throws {
    let books = try await Books.small()
    var request = Self.request("date\tsymbol\tclose\n20240131\tACME\t1,5\n20240201\tACME\t2.5\n")
    request.delimiter = UInt8(ascii: "\t")
    request.dateFormat = DateFormat("YYYYMMDD")
    let report = try await books.run(request)
    #expect(report.refusedRows.map(\.field) == ["close"])
    #expect(try await books.texts(Self.prices) == ["(2024-02-01,2.5)"])
  }

  @Test(
    "a date format has a year, a month and a day, once each",
    arguments: [
      ("DD.MM.YYYY", true), ("YYYYMMDD", true), ("MM/DD/YYYY", true), ("YY-MM-DD", false),
      ("DD.MM", false), ("DD.MM.YYYY DD", false), ("", false), ("YYYY-MM-DD1", false),
    ])
  func dateFormats(_ pattern: String, _ isOne: Bool) {
    #expect((DateFormat(pattern) != nil) == isOne)
  }

  @Test("a constant for a column that the file has, or that there is not, is refused")
  func constants() async throws {
    let books = try await Books.small()
    for name in ["symbol", "colour"] {
      var request = Self.request("date,symbol,close\n2024-01-31,ACME,1\n")
      request.constants = [name: "x"]
      let refused = request
      await #expect(throws: ImportError.self) { try await books.run(refused) }
    }
  }

  private static func many() -> ScratchFile {
    ScratchFile(
      "id,portfolio,date,type,amount\n"
        + (1...3_000).map { "D-\($0),ALPHA,2020-02-03,deposit,\($0)\n" }.joined())
  }

  @Test("a file compressed with gzip is known by its first bytes, not by its name")
  func gzip() async throws {
    let books = try await Books.small()
    let plain = Self.many()
    let packed = try await plain.compressed()
    let report = try await books.run(
      ImportRequest(kind: .activities, source: .file(packed.path), batchSize: 700))
    #expect(report.inserted == 3_000)
    let again = try await books.run(
      ImportRequest(kind: .activities, source: .file(plain.path), batchSize: 700))
    #expect(again.unchanged == 3_000)
    #expect(again.warnings.map(\.message).contains { $0.contains("imported before") })
  }

  @Test("a compressed file from a pipe, and one without ids, which is read twice")
  func gzipFromAPipe() async throws {
    let books = try await Books.small()
    let text =
      "portfolio,date,type,amount\n"
      + String(
        repeating: "ALPHA,2020-02-03,deposit,10\n", count: 500)
    let packed = try await ScratchFile(text).compressed()
    let first = try await books.run(
      ImportRequest(kind: .activities, source: .file(packed.path), batchSize: 100))
    #expect(first.inserted == 500)
    let report = try await books.importingThroughPipe(packed.bytes ?? [], batchSize: 100)
    #expect(report.unchanged == 500)
  }

  @Test("a compressed file is resumed after its last chunk; a damaged one keeps what came before")
  func damagedGzip() async throws {
    let books = try await Books.small()
    let packed = try await Self.many().compressed()
    let whole = packed.bytes ?? []
    packed.replace(with: Array(whole.dropLast(whole.count / 3)))
    let request = ImportRequest(kind: .activities, source: .file(packed.path), batchSize: 100)
    await #expect(throws: ImportError.self) { try await books.run(request) }
    let states = try await books.texts(
      "select status, processed_count > 0 from closebell.import_jobs where kind = 'activities'")
    #expect(states == ["(failed,t)"])
    packed.replace(with: whole)
    let connection = try await books.connect()
    let job = try await books.perform { db in
      try db.row(Statement.once("test", "select max(id) from closebell.import_jobs")) {
        try $0.nextInt64()
      }
    }
    let report = try await resumeImport(
      try #require(job), on: connection, control: ImportControl())
    await connection.close()
    #expect(report.resumedAfter > 0)
    #expect(report.inserted == 3_000)
  }
}
