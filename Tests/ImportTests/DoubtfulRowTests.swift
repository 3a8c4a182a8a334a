import Accounting
import Postgres
import TestSupport
import Testing

@testable import Import

@Suite("What may have been meant otherwise is refused, whatever was asked for")
struct DoubtfulRowTests {
  private static func units(
    _ text: String, _ style: WrittenNumber.Style = WrittenNumber.Style()
  ) throws -> Int128 {
    try Array(text.utf8).withUnsafeBufferPointer { bytes in
      try WrittenNumber(bytes, style).units(scale: 4, rounds: true).units
    }
  }

  @Test(
    "nobody groups behind a leading zero",
    arguments: ["0,125", "000,500", "01,500", "$0,125", "-0,500", "0'125"])
  func leadingZero(text: String) {
    let style = WrittenNumber.Style(group: UInt8(ascii: ","), isByHand: true)
    #expect(throws: DecimalError.malformed) { try Self.units(text, style) }
  }

  @Test("what is grouped behind another digit, and a zero alone, are read")
  func otherDigits() throws {
    let style = WrittenNumber.Style(group: UInt8(ascii: ","), isByHand: true)
    #expect(try Self.units("1,051.25", style) == 10_512_500)
    #expect(try Self.units("100,000", style) == 1_000_000_000)
    #expect(try Self.units("0.125", style) == 1_250)
  }

  @Test("a power of ten beyond what is read is refused, and not another one")
  func exponents() throws {
    let zeros = String(repeating: "0", count: 9_999)
    #expect(throws: DecimalError.outOfRange) { try Self.units("0.\(zeros)105e10002") }
    #expect(throws: DecimalError.outOfRange) { try Self.units("1e-10000") }
    #expect(try Self.units("0.\(zeros.dropLast(10))105e9991") == 105_000)
  }

  @Test(
    "a row that --skip-rows names and that swallowed others is refused; one line is passed over")
  func swallowed() async throws {
    let books = try await Books.small()
    func run(_ text: String) async throws -> ImportReport {
      var request = ImportRequest(kind: .prices, source: .bytes(Array(text.utf8)), batchSize: 3)
      request.passedOver = ["Total"]
      return try await books.run(request)
    }
    let head = "date,symbol,close\n2024-01-02,ACME,100\n"
    let swallowing = try await run(head + "\"Total: 2\n2024-01-03,ACME,101\n")
    #expect(swallowing.refused == 1 && swallowing.passedOver == 0)
    let one = try await run(head + "Total\" of 2\n2024-01-03,ACME,101\n")
    #expect(one.refused == 0 && one.passedOver == 1 && one.inserted == 1)
  }

  @Test("a row of an export is taken whole or not at all, whatever the chunk", arguments: [1, 100])
  func whole(batchSize: Int) async throws {
    let books = try await Books.small()
    try await books.execute(
      """
      insert into closebell.portfolios (code, name, base_currency, inception_date)
      values ('EVQ', 'Q', 'USD', '2017-01-02'), ('EVP', 'P', 'USD', '2017-01-02');
      insert into closebell.instruments (symbol, name, kind, currency, pricing)
      values ('AAPL', 'Apple', 'equity', 'USD', 'quoted')
      """)
    var request = ImportRequest(
      kind: .activities,
      source: .bytes(
        Array(
          """
          ClientAccountID,CurrencyPrimary,AssetClass,Symbol,TradeID,TradeDate,Quantity,TradePrice,\
          IBCommission,IBCommissionCurrency,Taxes,Buy/Sell
          EVQ,USD,STK,AAPL,W2:tax,20170605,1,100,0,USD,0,BUY
          EVP,USD,STK,AAPL,W2,20170605,1,100,0,USD,-3,BUY

          """.utf8)), batchSize: batchSize)
    request.format = .interactiveBrokers
    let report = try await books.run(request)
    #expect(report.refused >= 1)
    #expect(
      try await books.texts("select external_id from closebell.holding_activity_log") == [
        "(W2:tax)"
      ])
  }
}
