import Accounting
import Postgres
import TestSupport
import Testing

@testable import Import

/// Files as the other programs write them: headers, words, signs and numbers from their own sources
/// and documentation.
@Suite("Exports of other programs are read as they are")
struct ExportFormatTests {
  private static let log = """
    select p.code, a.activity_type, a.activity_date, i.symbol, trim_scale(a.quantity),
      trim_scale(a.price), trim_scale(a.amount), trim_scale(a.fee), a.currency
    from closebell.holding_activity_log a join closebell.portfolios p on p.id = a.portfolio_id
    left join closebell.portfolio_funds f
      on f.portfolio_id = a.portfolio_id and f.id = a.portfolio_fund_id
    left join closebell.instruments i on i.id = f.instrument_id order by a.id
    """

  private static func run(
    _ books: Books, _ format: ExportFormat, _ text: String, portfolio: String? = "ALPHA",
    _ change: (inout ImportRequest) -> Void = { _ in }
  ) async throws -> ImportReport {
    var request = ImportRequest(kind: .activities, source: .bytes(Array(text.utf8)), batchSize: 3)
    request.format = format
    if let portfolio { request.constants["portfolio"] = portfolio }
    change(&request)
    return try await books.run(request)
  }

  private static let english = """
    Date,Ex-Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,\
    Fees,Taxes,Shares,ISIN,WKN,Ticker Symbol,Security Name,Note\r
    2024-01-02T00:00,,Deposit,"10,000.00",USD,,,,,,,,,,,\r
    2024-01-03T09:30,,Buy,"-1,010.00",USD,,,,10.00,,8,US1,,ACME,Acme Inc.,first\r
    2024-02-01T00:00,2024-01-20T00:00,Dividend,8.50,USD,,,,,1.50,8,US1,,ACME,Acme Inc.,\r
    2024-03-01T00:00,,Sell,395.00,USD,,,,2.00,3.00,3,US1,,ACME,Acme Inc.,\r
    2024-03-05T00:00,,Interest Charge,-1.25,USD,,,,,,,,,,,\r
    2024-03-06T00:00,,Fees Refund,0.75,USD,,,,,,,,,,,\r
    2024-03-07T00:00,,Removal,-100.00,USD,,,,,,,,,,,\r
    2024-03-08T00:00,,Transfer (Outbound),-50.00,USD,,,,,,,,,,,\r
    2024-03-09T00:00,,Buy,-90.00,USD,100.00,EUR,0.9000,,,1,US1,,ACME,Acme Inc.,\r

    """

  @Test("Portfolio Performance: values with signs, fees and taxes in them, prices a share")
  func portfolioPerformance() async throws {
    let books = try await Books.small()
    let report = try await Self.run(books, .portfolioPerformance, Self.english)
    #expect(
      report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == [
        "8 Type", "9 Currency Gross Amount",
      ])
    #expect([report.processed, report.inserted, report.refused] == [11, 9, 2])
    #expect(
      try await books.texts(Self.log) == [
        "(ALPHA,deposit,2024-01-02,,,,10000,0,USD)",
        "(ALPHA,buy,2024-01-03,ACME,8,125,,10,USD)",
        "(ALPHA,dividend,2024-02-01,ACME,,,10,0,USD)",
        "(ALPHA,tax,2024-02-01,ACME,,,1.5,0,USD)",
        "(ALPHA,sell,2024-03-01,ACME,3,133.333333333333,,2,USD)",
        "(ALPHA,tax,2024-03-01,ACME,,,3,0,USD)",
        "(ALPHA,interest,2024-03-05,,,,-1.25,0,USD)",
        "(ALPHA,fee,2024-03-06,,,,-0.75,0,USD)",
        "(ALPHA,withdrawal,2024-03-07,,,,100,0,USD)",
      ])
    let again = try await Self.run(books, .portfolioPerformance, Self.english)
    #expect(again.unchanged == 9)
  }

  @Test("Portfolio Performance in German: its words, semicolons and decimal commas")
  func portfolioPerformanceInGerman() async throws {
    let books = try await Books.small()
    let text = """
      Datum;Typ;Wert;Buchungswährung;Bruttobetrag;Währung Bruttobetrag;Wechselkurs;Gebühren;\
      Steuern;Stück;ISIN;WKN;Ticker-Symbol;Wertpapiername;Notiz
      2024-01-02T00:00;Einlage;1.234,56;USD;;;;;;;;;;;
      2024-01-03T00:00;Kauf;-1.001,00;USD;;;;1,00;;0,5;US1;;ACME;Acme;
      2024-01-04T00:00;Auslieferung;-100,00;USD;;;;;;0,25;US1;;ACME;Acme;
      2024-01-05T00:00;Umbuchung (Eingang);5,00;USD;;;;;;;;;;;
      """
    let report = try await Self.run(books, .portfolioPerformance, text) {
      $0.delimiter = UInt8(ascii: ";")
      $0.decimalComma = true
    }
    #expect(report.refusedRows.map(\.row) == [4])
    #expect(
      try await books.texts(Self.log) == [
        "(ALPHA,deposit,2024-01-02,,,,1234.56,0,USD)",
        "(ALPHA,buy,2024-01-03,ACME,0.5,2000,,1,USD)",
        "(ALPHA,transfer_out,2024-01-04,ACME,0.25,400,,0,USD)",
      ])
  }

  private static let flex = """
    "ClientAccountID","CurrencyPrimary","AssetClass","Symbol","Description","Conid","TradeID",\
    "Multiplier","TradeDate","Quantity","TradePrice","TradeMoney","Taxes","IBCommission",\
    "IBCommissionCurrency","NetCash","Buy/Sell","LevelOfDetail"
    "ALPHA","USD","STK","ACME","ACME INC","1","111","1","20260106","100","50.25","5025","0",\
    "-1.00375","USD","-5026.00375","BUY","EXECUTION"
    "ALPHA","USD","STK","ACME","ACME INC","1","112","1","2026-01-07","-40","51","-2040",\
    "-0.52","0.1","USD","2039.58","SELL","EXECUTION"
    "BETA","GBP","STK","BA NK","BANK PLC","2","113","1","20260108;101530","10","3.5","35",\
    "-0.18","-1.7","EUR","-36.88","BUY","EXECUTION"
    "ALPHA","USD","STK","ACME","ACME INC","1","114","1","20260109","5","50","250","0","0",\
    "USD","-250","BUY (Ca.)","EXECUTION"
    "ALPHA","USD","CASH","EUR.USD","","3","115","1","20260109","1000","1.1","1100","0","-2",\
    "USD","0","BUY","EXECUTION"
    "ALPHA","USD","STK","ACME","ACME INC","1","","1","20260106","100","50.25","5025","0","-1",\
    "USD","-5026","BUY","ORDER"
    "ALPHA","USD","STK","ACME","ACME INC","1","116","1","20260110","-5","50","250","0","0",\
    "USD","-250","BUY","EXECUTION"

    """

  @Test("Interactive Brokers: signed quantities and commissions, ids of their own")
  func interactiveBrokers() async throws {
    let books = try await Books.small()
    let report = try await Self.run(books, .interactiveBrokers, Self.flex, portfolio: nil)
    #expect(
      report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == [
        "4 Buy/Sell", "5 AssetClass", "6 LevelOfDetail", "7 Quantity",
      ])
    #expect(
      try await books.texts(Self.log) == [
        "(ALPHA,buy,2026-01-06,ACME,100,50.25,,1.0038,USD)",
        "(ALPHA,sell,2026-01-07,ACME,40,51,,0,USD)",
        "(ALPHA,fee,2026-01-07,ACME,,,-0.1,0,USD)",
        "(ALPHA,tax,2026-01-07,ACME,,,0.52,0,USD)",
        "(BETA,buy,2026-01-08,BANK,10,3.5,,0,GBP)",
        "(BETA,fee,2026-01-08,BANK,,,1.7,0,EUR)",
        "(BETA,tax,2026-01-08,BANK,,,0.18,0,GBP)",
      ])
    #expect(
      try await books.texts("select external_id from closebell.holding_activity_log order by id")
        == [
          "(111)", "(112)", "(112:commission)", "(112:tax)", "(113)", "(113:commission)",
          "(113:tax)",
        ])
    // The next month's file repeats the last days of this one.
    let again = try await Self.run(
      books, .interactiveBrokers,
      Self.flex.replacing("\"111\"", with: "\"211\""), portfolio: nil)
    #expect([again.inserted, again.unchanged] == [1, 6])
  }

  @Test("Ghostfolio: amounts from price and quantity, any of its ways to write a date")
  func ghostfolio() async throws {
    let books = try await Books.small()
    let text = """
      Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note
      01-09-2021,Account Opening Fee,MANUAL,USD,0,0,fee,49,
      16/09/2021,ACME,YAHOO,USD,298.580,5,buy,19.00,My first order
      2021-11-17,ACME,YAHOO,USD,0.62,5,dividend,0.00,
      20211201,USD,MANUAL,USD,1.25,2,INTEREST,0,
      01.01.2022,Penthouse Apartment,MANUAL,USD,500000.0,1,item,0.00,
      2022-02-30,ACME,YAHOO,USD,1,1,sell,0,
      2022-03-01,ACME,YAHOO,USD,300,2,SELL,1.5,
      """
    let report = try await Self.run(books, .ghostfolio, text)
    #expect(report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == ["5 Action", "6 Date"])
    #expect(
      try await books.texts(Self.log) == [
        "(ALPHA,fee,2021-09-01,,,,49,0,USD)", "(ALPHA,buy,2021-09-16,ACME,5,298.58,,19,USD)",
        "(ALPHA,dividend,2021-11-17,ACME,,,3.1,0,USD)",
        "(ALPHA,interest,2021-12-01,,,,2.5,0,USD)",
        "(ALPHA,sell,2022-03-01,ACME,2,300,,1.5,USD)",
      ])
  }

  @Test(
    "an export without one of its columns, of another kind, or of nobody's portfolio is refused")
  func refused() async throws {
    let books = try await Books.small()
    await #expect(throws: ImportError.self) {
      try await Self.run(books, .portfolioPerformance, "Date,Type\n2024-01-02,Buy\n")
    }
    await #expect(throws: ImportError.self) {
      try await Self.run(books, .portfolioPerformance, Self.english, portfolio: nil)
    }
    await #expect(throws: ImportError.self) {
      try await Self.run(books, .ghostfolio, Self.english) { $0.kind = .prices }
    }
    #expect(
      try await books.texts("select 1 from closebell.import_jobs where kind = 'activities'")
        .isEmpty)
  }

  @Test("a row of two activities is refused whole, and listed once")
  func refusedWhole() async throws {
    let books = try await Books.small()
    try await books.perform { db in
      try db.execute(
        sql: """
          alter table closebell.holding_activity_log
          add constraint unlucky check (activity_type <> 'tax' or amount <> 1.5)
          """)
    }
    let report = try await Self.run(books, .portfolioPerformance, Self.english)
    #expect(report.refusedRows.map(\.row) == [3, 8, 9])
    #expect([report.processed, report.inserted, report.refused] == [11, 7, 4])
    #expect(
      try await books.texts(
        "select 1 from closebell.holding_activity_log where activity_type = 'dividend'"
      ).isEmpty)
  }

  @Test("an empty number is never zero: the row is refused, and the column named")
  func emptyNumbers() async throws {
    let books = try await Books.small()
    let ghostfolio = try await Self.run(
      books, .ghostfolio,
      """
      Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note
      2021-09-16,ACME,YAHOO,USD,,5,buy,11.00,no price
      2021-11-17,ACME,YAHOO,USD,,5,dividend,0.00,no price
      2021-11-18,ACME,YAHOO,USD,0.48,,dividend,0.00,no quantity
      2021-11-21,Custody,MANUAL,USD,12,1,fee,0,the fee stands in the price
      2021-11-22,USD,MANUAL,USD,,,interest,0,nothing
      2021-11-23,Custody,MANUAL,USD,0,0,fee,,no fee
      2021-11-24,Custody,MANUAL,USD,9,1,fee,9.00,the same twice
      2021-11-25,ACME,YAHOO,USD,0,5,buy,,given away
      """)
    #expect(
      ghostfolio.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == [
        "1 Price", "2 Price", "3 Quantity", "4 Fee", "5 Price", "6 Fee",
      ])
    let performance = try await Self.run(
      books, .portfolioPerformance,
      """
      Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,Fees,\
      Taxes,Shares,ISIN,WKN,Ticker Symbol,Security Name,Note
      2021-05-14T00:00,Deposit,,USD,,,,,,,,,,,
      2021-05-15T00:00,Buy,,USD,,,,,,10,,,ACME,Acme,
      2021-05-15T00:00,Buy,10,USD,,,,,,,,,ACME,Acme,
      """)
    #expect(
      performance.refusedRows.map { "\($0.row) \($0.field ?? "-"): \($0.message)" } == [
        "1 Value: a value is required", "2 Value: a value is required",
        "3 Shares: a value is required",
      ])
    let broker = try await Self.run(
      books, .interactiveBrokers,
      """
      ClientAccountID,CurrencyPrimary,AssetClass,Symbol,TradeID,TradeDate,Quantity,TradePrice,\
      IBCommission,IBCommissionCurrency,Buy/Sell
      ALPHA,USD,STK,ACME,1,20260105,10,,-1,USD,BUY
      ALPHA,USD,STK,ACME,2,20260105,10,5,,USD,BUY
      ALPHA,USD,STK,ACME,3,20260105,,5,-1,USD,BUY
      """, portfolio: nil)
    #expect(
      broker.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == [
        "1 TradePrice", "2 IBCommission", "3 Quantity",
      ])
  }

  @Test("a delivery comes at its value before fees and taxes, and what they need is paid in")
  func deliveries() async throws {
    let books = try await Books.small()
    let report = try await Self.run(
      books, .portfolioPerformance,
      """
      Datum;Typ;Wert;Buchungswährung;Bruttobetrag;Währung Bruttobetrag;Wechselkurs;Gebühren;\
      Steuern;Stück;ISIN;WKN;Ticker-Symbol;Wertpapiername;Notiz
      2020-12-14T10:08;Einlieferung;206,00;USD;;;;1,25;0,75;4;US1;;ACME;Acme;
      2020-12-15T10:08;Auslieferung;-151,50;USD;;;;1,50;0,00;3;US1;;ACME;Acme;
      2020-12-16T00:00;Einlieferung;51,00;USD;;;;;;1;US1;;ACME;Acme;
      """
    ) {
      $0.delimiter = UInt8(ascii: ";")
      $0.decimalComma = true
    }
    #expect(report.refused == 0 && report.datesWithTime == 2)
    #expect(
      try await books.texts(Self.log) == [
        "(ALPHA,transfer_in,2020-12-14,ACME,4,51,,0,USD)",
        "(ALPHA,fee,2020-12-14,ACME,,,1.25,0,USD)", "(ALPHA,tax,2020-12-14,ACME,,,0.75,0,USD)",
        "(ALPHA,deposit,2020-12-14,,,,2,0,USD)",
        "(ALPHA,transfer_out,2020-12-15,ACME,3,51,,0,USD)",
        "(ALPHA,fee,2020-12-15,ACME,,,1.5,0,USD)", "(ALPHA,deposit,2020-12-15,,,,1.5,0,USD)",
        "(ALPHA,transfer_in,2020-12-16,ACME,1,51,,0,USD)",
      ])
  }

  @Test("an older export of a cash account is read but for what needs the columns that it lacks")
  func olderCashAccount() async throws {
    let books = try await Books.small()
    let text = """
      Datum;Typ;Wert;Buchungswährung;Steuern;Stück;ISIN;WKN;Ticker-Symbol;Wertpapiername;Notiz
      2020-04-15T00:00;Einlage;2.395,00;USD;;;;;;;
      2020-05-05T00:00;Entnahme;-87,15;USD;;;;;;;
      2020-05-06T00:00;Dividende;8,50;USD;1,50;8;US1;;ACME;Acme;
      2020-05-07T00:00;Kauf;-100,00;USD;;2;US1;;ACME;Acme;
      """
    let report = try await Self.run(books, .portfolioPerformance, text) {
      $0.delimiter = UInt8(ascii: ";")
      $0.decimalComma = true
    }
    #expect(report.refusedRows.map { "\($0.row) \($0.field ?? "-")" } == ["4 Fees"])
    #expect(report.inserted == 4)
    let unsplit = await #expect(throws: ImportError.self) {
      try await Self.run(books, .portfolioPerformance, text)
    }
    #expect(unsplit?.hint?.contains("--decimal-comma") == true)
  }

  @Test("--date-format applies to exports, and options that would change nothing are refused")
  func options() async throws {
    let books = try await Books.small()
    let american = """
      Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note
      03/04/2024,ACME,YAHOO,USD,125.10,2,buy,0,4 March
      03/15/2024 16:00:00,ACME,YAHOO,USD,122.62,1,BUY,0,15 March
      """
    _ = try await Self.run(books, .ghostfolio, american) {
      $0.dateFormat = DateFormat("MM/DD/YYYY")
    }
    let trades = """
      ClientAccountID,CurrencyPrimary,AssetClass,Symbol,TradeID,TradeDate,Quantity,TradePrice,\
      IBCommission,IBCommissionCurrency,Buy/Sell
      ALPHA,USD,STK,ACME,C05-1,03/04/2024,10,270,-1,USD,BUY
      """
    _ = try await Self.run(books, .interactiveBrokers, trades, portfolio: nil) {
      $0.dateFormat = DateFormat("MM/DD/YYYY")
    }
    #expect(
      try await books.texts("select activity_date from closebell.holding_activity_log order by id")
        == ["(2024-03-04)", "(2024-03-15)", "(2024-03-04)"])
    let useless: [@Sendable (inout ImportRequest) -> Void] = [
      { $0.restate = true }, { $0.columnMap = ["Note": "Colour"] },
      { $0.columnMap = ["Nota": "Note"] }, { $0.ignored = ["Nota"] },
      { $0.constants["currency"] = "USD" },
    ]
    for change in useless {
      await #expect(throws: ImportError.self) {
        try await Self.run(books, .ghostfolio, american, change)
      }
    }
  }

  @Test("a multiplier in the export that is not the instrument's is refused")
  func multiplier() async throws {
    let books = try await Books.small()
    let report = try await Self.run(
      books, .interactiveBrokers,
      """
      ClientAccountID,CurrencyPrimary,AssetClass,Symbol,Multiplier,TradeID,TradeDate,Quantity,\
      TradePrice,IBCommission,IBCommissionCurrency,Buy/Sell
      ALPHA,USD,OPT,CALL,100,1,20260105,1,6.25,-2.25,USD,BUY
      ALPHA,USD,FUT,ACME,50,2,20260105,1,6.25,-2.25,USD,BUY
      ALPHA,USD,BOND,ACME,100,3,20260105,1,6.25,-2.25,USD,BUY
      """, portfolio: nil)
    #expect(
      report.refusedRows.map(\.message) == ["the file says 50, the multiplier of ACME is 1"])
    #expect(report.inserted == 2)
  }
}
