import Accounting
import FoundationEssentials
import Postgres
import Storage
import TestSupport
import Testing

@testable import Import

/// XML exports from the file to the books: what an import promises holds for them too.
@Suite("XML exports are imported like any file")
struct ImportDocumentTests {
  private static func request(
    _ kind: ImportKind, _ name: String, _ format: ExportFormat, portfolio: String? = "BETA"
  ) -> ImportRequest {
    var request = ImportRequest(
      kind: kind, source: ExportDocumentTests.sample(name), batchSize: 4)
    request.format = format
    if kind == .activities { request.constants["portfolio"] = portfolio }
    return request
  }

  private static let log = """
    select a.external_id, a.activity_type, a.activity_date, i.symbol, trim_scale(a.quantity),
      trim_scale(a.price), trim_scale(a.amount), trim_scale(a.fee), a.currency
    from closebell.holding_activity_log a
    left join closebell.portfolio_funds f
      on f.portfolio_id = a.portfolio_id and f.id = a.portfolio_fund_id
    left join closebell.instruments i on i.id = f.instrument_id order by a.id
    """

  private static let client = "portfolio-performance/client.xml"

  private static func withInstruments() async throws -> Books {
    let books = try await Books.small()
    let report = try await books.run(request(.instruments, client, .portfolioPerformance))
    #expect(report.refusedRows.map(\.field) == ["currency", "symbol"])
    #expect([report.inserted, report.refused] == [2, 2])
    return books
  }

  @Test("Portfolio Performance: instruments, closes and activities of one file, and again nothing")
  func portfolioPerformance() async throws {
    let books = try await Self.withInstruments()
    let prices = Self.request(.prices, Self.client, .portfolioPerformance)
    #expect(try await books.run(prices).inserted == 5)
    let activities = Self.request(.activities, Self.client, .portfolioPerformance)
    let report = try await books.run(activities)
    #expect([report.inserted, report.refused] == [24, 0])
    // Deposited 10000 + 5; in EUR the sums of what came and went, as the rows say.
    #expect(
      try await books.texts(
        """
        select trim_scale(sum(case activity_type
          when 'deposit' then amount when 'withdrawal' then -amount
          when 'exchange_in' then amount when 'exchange_out' then -amount
          when 'dividend' then amount when 'interest' then amount
          when 'tax' then -amount when 'fee' then -amount
          when 'buy' then -quantity * price - fee when 'sell' then quantity * price - fee
          else 0 end)), currency
        from closebell.holding_activity_log group by currency order by currency
        """)
        // 10000 − 2019.90 − 560 − 1000 + 34 + 532 − 12 + 2.50 − 1.25 + 7 − 500; and
        // 600 − 600 + 1100 − 242 + 9.
        == ["(6482.35,EUR)", "(867,USD)"])
    let again = try await books.run(
      Self.request(.activities, "portfolio-performance/client-with-ids.xml", .portfolioPerformance))
    #expect([again.inserted, again.updated, again.unchanged] == [0, 0, 24])
  }

  @Test("Interactive Brokers: its rows are booked, what is refused can be mended and imported")
  func interactiveBrokers() async throws {
    let books = try await Books.small()
    let flex = "interactive-brokers/flex.xml"
    let instruments = try await books.run(Self.request(.instruments, flex, .interactiveBrokers))
    #expect([instruments.inserted, instruments.updated, instruments.refused] == [3, 1, 1])
    #expect(try await books.run(Self.request(.fxRates, flex, .interactiveBrokers)).inserted == 2)
    let report = try await books.run(Self.request(.activities, flex, .interactiveBrokers))
    #expect([report.inserted, report.refused] == [15, 4])
    #expect(report.refusedRows.map(\.line) == [9, 20, 21, 29])
    #expect(
      report.refusedRows[1].text
        == "8200000007,BETA,2026-03-01,,ACME,,,-24,,USD,"
        + "ACME(US0000ACME12) CASH DIVIDEND - REVERSAL,"
    )
    let columns = ExportedActivity.columns.joined(separator: ",")
    #expect(
      try await books.texts(
        """
        select distinct convert_from(header_row, 'UTF8') as header from closebell.import_jobs
        where kind = 'activities'
        """) == ["(\"\(columns)\")"])
  }

  @Test("stopped after any row and resumed, a file leaves what an undisturbed one leaves")
  func resumed() async throws {
    let undisturbed = try await Self.withInstruments()
    _ = try await undisturbed.run(
      Self.request(.activities, Self.client, .portfolioPerformance))
    let expected = try await undisturbed.texts(Self.log)
    for limit in [1, 5, 14] {
      let books = try await Self.withInstruments()
      var request = Self.request(.activities, Self.client, .portfolioPerformance)
      request.maxRows = limit
      await #expect(throws: ImportError.self) { try await books.run(request) }
      let job = try await books.perform { db in
        try db.row(
          Postgres.Statement.once("test", "select max(id) from closebell.import_jobs"),
          as: { try $0.nextInt64() })
      }
      let connection = try await books.connect()
      let report = try await resumeImport(
        try #require(job), on: connection, control: ImportControl()
      ) { $0.maxRows = nil }
      await connection.close()
      #expect(report.resumedAfter == limit)
      #expect(try await books.texts(Self.log) == expected)
    }
  }

  @Test("half a file is refused after the rows before its end, and resumed once it is whole")
  func half() async throws {
    let books = try await Self.withInstruments()
    guard case .file(let path) = ExportDocumentTests.sample(Self.client) else { return }
    let whole = Array(
      try String(decoding: Data(contentsOf: URL(filePath: path)), as: UTF8.self).utf8)
    let file = ScratchFile(Array(whole[..<(whole.count * 9 / 10)]), suffix: ".xml")
    var request = Self.request(.activities, Self.client, .portfolioPerformance)
    request.source = .file(file.path)
    request.batchSize = 1_000
    let error = await #expect(throws: ImportError.self) { try await books.run(request) }
    #expect(error?.message.contains("it ends early") == true)
    #expect(try await books.texts(Self.log).count >= 19)
    file.replace(with: whole)
    let job = try await books.perform { db in
      try db.row(
        Postgres.Statement.once("test", "select max(id) from closebell.import_jobs"),
        as: { try $0.nextInt64() })
    }
    let connection = try await books.connect()
    let report = try await resumeImport(
      try #require(job), on: connection, control: ImportControl())
    await connection.close()
    #expect(report.outcome == .completed)
    #expect(try await books.texts(Self.log).count == 24)
  }

  @Test("XML without a format, of one that has none, or with options for CSV is refused at once")
  func refused() async throws {
    let books = try await Books.small()
    func refused(_ change: @Sendable (inout ImportRequest) -> Void) async throws -> String? {
      var request = Self.request(.activities, Self.client, .portfolioPerformance)
      change(&request)
      let error = await #expect(throws: ImportError.self) { try await books.run(request) }
      return error?.message
    }
    #expect(try await refused { $0.format = nil }?.contains("is XML or HTML, not CSV") == true)
    #expect(try await refused { $0.format = .ghostfolio }?.contains("no activities") == true)
    #expect(try await refused { $0.kind = .calendars }?.contains("no calendars") == true)
    #expect(try await refused { $0.decimalComma = true }?.contains("says itself") == true)
    for change: @Sendable (inout ImportRequest) -> Void in [
      { $0.grouping = true }, { $0.headerLine = 2 }, { $0.passedOver = ["x"] },
      { $0.ignored = ["x"] }, { $0.meanings[ExactText("x")] = "buy" },
      { $0.columnMap = [ExactText("a"): "b"] },
      { $0.dateFormat = DateFormat("DD.MM.YYYY") },
    ] {
      #expect(try await refused(change)?.contains("does not go with an XML file") == true)
    }
    #expect(try await refused { $0.constants = [:] }?.contains("which portfolio") == true)
    #expect(try await refused { $0.constants["fee"] = "1" }?.contains("cannot be set") == true)
    #expect(
      try await books.texts("select 1 from closebell.import_jobs where kind = 'activities'")
        .isEmpty)
  }
}
