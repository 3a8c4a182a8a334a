import TestSupport
import Testing

@testable import Import

/// What XML files of other programs say, row by row and worked out by hand.
@Suite("XML exports are read as rows of a kind")
struct ExportDocumentTests {
  /// The rows of a file as CSV, and refused ones as their line, field and reason.
  static func rows(
    _ source: ImportSource, _ document: any ExportDocument, pieceSize: Int = 1 << 16
  ) throws -> [String] {
    var reader = DocumentReader(try ByteSource(source), as: document, pieceSize: pieceSize)
    var rows: [String] = []
    while try reader.next() {
      guard let refusal = reader.row.refusal else {
        rows += String(decoding: reader.rowText, as: UTF8.self).split(separator: "\n").map(
          String.init)
        continue
      }
      rows.append("\(reader.line) \(refusal.field ?? "-"): \(refusal.message)")
    }
    return rows
  }

  static func sample(_ name: String) -> ImportSource { .file(Fixtures.path("exports/\(name)")) }

  private static func flex(_ kind: ImportKind) throws -> [String] {
    try rows(
      sample("interactive-brokers/flex.xml"), #require(FlexDocument(kind, portfolio: nil)))
  }

  @Test("Interactive Brokers: trades, cash and transfers, each under an id of its own")
  func flexActivities() throws {
    #expect(
      try Self.flex(.activities) == [
        "7100000001,U1000001,2026-01-06,buy,ACME,100,50.25,,1.0038,USD,ACME CORP,1",
        "7100000002,U1000001,2026-01-07,sell,ACME,40,51,,,USD,ACME CORP,1",
        "7100000002:commission,U1000001,2026-01-07,fee,ACME,,,-0.1000,,USD,,",
        "7100000002:tax,U1000001,2026-01-07,tax,ACME,,,0.5200,,USD,,",
        "7100000003,U1000001,2026-01-08,buy,NWG,10,3.5,,,EUR,NORDWIND AG,1",
        "7100000003:commission,U1000001,2026-01-08,fee,NWG,,,1.7000,,USD,,",
        "7100000004,U1000001,2026-01-09,buy,ACME260320C00060000,2,1.25,,2.1000,USD,"
          + "ACME 20MAR26 60 C,100",
        "9 AssetClass: an exchange of currencies: enter it as exchange_out and exchange_in",
        "cash:8200000001,U1000001,2026-01-05,deposit,,,,20000,,USD,ELECTRONIC FUND TRANSFER,",
        "cash:8200000002,U1000001,2026-02-02,withdrawal,,,,500,,USD,DISBURSEMENT,",
        "cash:8200000003,U1000001,2026-02-10,dividend,ACME,,,24,,USD,"
          + "ACME(US0000ACME12) CASH DIVIDEND USD 0.40 PER SHARE (Ordinary Dividend),",
        "cash:8200000004,U1000001,2026-02-10,tax,ACME,,,3.6,,USD,"
          + "ACME(US0000ACME12) CASH DIVIDEND USD 0.40 PER SHARE - US TAX,",
        "cash:8200000005,U1000001,2026-02-04,interest,,,,1.2346,,USD,USD CREDIT INT FOR JAN-2026,",
        "cash:8200000006,U1000001,2026-02-04,fee,,,,10,,USD,MARKET DATA,",
        "20 amount: a dividend is taken back: cancel the one that was paid, by its id",
        "21 type: 'Price Adjustments' is not a known kind of cash: enter it by hand",
        "transfer:8300000001,U1000001,2026-03-02,transfer_in,ACME,25,48.5,1280,,USD,ACME CORP,",
        "transfer:8300000002,U1000001,2026-03-03,withdrawal,,,,100,,USD,TRANSFER TO U1000002,",
        "29 -: a corporate action (FS ACME(US0000ACME12) SPLIT 4 FOR 1): "
          + "import the split as one of corporate-actions",
      ])
  }

  @Test("Interactive Brokers: instruments from whatever names one, and the rates of its report")
  func flexInstruments() throws {
    #expect(
      try Self.flex(.instruments) == [
        "ACME,ACME CORP,equity,USD,1", "NWG,NORDWIND AG,equity,EUR,1",
        "ACME260320C00060000,ACME 20MAR26 60 C,option,USD,100",
        "WELT,WELT UCITS ETF,etf,EUR,1",
        "40 multiplier: whether its prices are in per cent is not said: enter the bond by hand",
      ])
    #expect(
      try Self.flex(.fxRates) == ["2026-01-06,USD,EUR,0.92", "2026-01-07,USD,EUR,0.9215"])
    #expect(FlexDocument(.prices, portfolio: nil) == nil)
  }

  private static func flexRows(_ elements: String) throws -> [String] {
    let text =
      "<FlexQueryResponse><FlexStatements><FlexStatement>\(elements)"
      + "</FlexStatement></FlexStatements></FlexQueryResponse>"
    return try rows(
      .bytes(Array(text.utf8)), #require(FlexDocument(.activities, portfolio: "P")))
  }

  @Test(
    "Interactive Brokers: a section with sums alone, and a field that the query lacks, are told")
  func flexLacking() throws {
    #expect(
      try Self.flexRows("<Trades>\n<Order symbol='ACME'/>\n</Trades>") == [
        "3 -: the section Trades has sums alone: export it with the level Execution"
      ])
    #expect(
      try Self.flexRows(
        """
        <CashTransactions>
        <CashTransaction type='Dividends' amount='1' currency='USD'/>
        <CashTransaction type='Dividends' transactionID='1' currency='USD'/>
        <CashTransaction type='Dividends' amount='1' transactionID='1' currency='BASE_SUMMARY'/>
        </CashTransactions>
        <Trades><Trade symbol='A' currency='USD' quantity='1' ibCommission='0'/></Trades>
        """) == [
          "2 transactionID: a value is required; the query must have this field",
          "3 amount: a value is required; the query must have this field",
          "6 tradePrice: a value is required; the query must have this field",
        ])
  }

  @Test(
    "Interactive Brokers: dates are read as the query was told to write them, or refused as such")
  func flexDates() throws {
    let text = """
      <FlexQueryResponse><CashTransactions>
      <CashTransaction accountId='U' type='Other Fees' amount='-1' currency='USD' transactionID='1'
        dateTime='02/10/2026;202000'/>
      </CashTransactions><Trades>
      <Trade accountId='U' symbol='A' currency='USD' quantity='1' tradePrice='2' ibCommission='0'
        tradeID='2' buySell='BUY' tradeDate='02/11/2026'/>
      </Trades></FlexQueryResponse>
      """
    func rows(_ pattern: String?) throws -> [String] {
      let notation = Notation(dateFormat: pattern.flatMap { DateFormat($0) })
      return try Self.rows(
        .bytes(Array(text.utf8)), #require(FlexDocument(.activities, portfolio: nil, notation)))
    }
    #expect(
      try rows("MM/DD/YYYY") == [
        "cash:1,U,2026-02-10,fee,,,,1,,USD,,", "2,U,2026-02-11,buy,A,1,2,,,USD,,",
      ])
    // As it stands: the rows of activities refuse it, and name the cell.
    #expect(try rows(nil)[0] == "cash:1,U,02/10/2026,fee,,,,1,,USD,,")
    #expect(try rows(nil)[1].contains("'02/11/2026' is not a date"))
  }

  private static let clients = [
    "portfolio-performance/client.xml", "portfolio-performance/client-with-ids.xml",
  ]

  private static func uuid(_ number: Int) -> String {
    "5e000000-0000-4000-8000-0000000000\(number < 10 ? "0" : "")\(number)"
  }

  private static func client(_ name: String, _ kind: ImportKind) throws -> [String] {
    try rows(
      sample(name),
      #require(ClientDocument(kind, portfolio: "DEPOT", instrumentKind: nil)))
  }

  @Test(
    "Portfolio Performance: every transaction once, wherever its body stands", arguments: clients)
  func clientActivities(_ name: String) throws {
    #expect(
      try Self.client(name, .activities)
        == [
          (9, "DEPOT,2024-01-02,deposit,,,,10000,,EUR,\"Startkapital, \"\"erste\"\" Rate\""),
          // 2019.90 with a fee of 9.90 for 40.
          (11, "DEPOT,2024-01-03,buy,NWG.DE,40,50.25,,9.9,EUR,Erster Kauf"),
          // 560.00 with a fee of 10: 550 EUR are 600 USD, for 5.
          (12, ":out,DEPOT,2024-02-01,exchange_out,,,,550,,EUR,"),
          (12, ":in,DEPOT,2024-02-01,exchange_in,,,,600,,USD,"),
          (12, ",DEPOT,2024-02-01,buy,US0000ACME12,5,120,,,USD,"),
          (12, ":fee,DEPOT,2024-02-01,fee,US0000ACME12,,,10,,EUR,"),
          // 255 with a fee of 5.
          (14, "DEPOT,2024-03-01,transfer_in,NWG.DE,5,,250,,EUR,"),
          (14, ":fee,DEPOT,2024-03-01,fee,NWG.DE,,,5,,EUR,"),
          (14, ":deposit,DEPOT,2024-03-01,deposit,,,,5,,EUR,"),
          // 532 after a fee of 3 and a tax of 15, for 10.
          (15, "DEPOT,2024-07-01,sell,NWG.DE,10,55,,3,EUR,"),
          (15, ":tax,DEPOT,2024-07-01,tax,NWG.DE,,,15,,EUR,"),
          (20, "DEPOT,2024-07-30,exchange_out,,,,1000,,EUR,"),
          (19, "DEPOT,2024-07-30,exchange_in,,,,1100,,USD,"),
          (21, "DEPOT,2024-09-16,dividend,US0000ACME12,,,10.5,,USD,"),
          (21, ":tax,DEPOT,2024-09-16,tax,US0000ACME12,,,1.5,,USD,"),
          (17, "DEPOT,2024-08-01,buy,US0000ACME12,2,120,,2,USD,"),
          (24, "DEPOT,2024-05-02,dividend,NWG.DE,,,40,,EUR,"),
          (24, ":tax,DEPOT,2024-05-02,tax,NWG.DE,,,6,,EUR,"),
          (25, "DEPOT,2024-12-31,fee,,,,12,,EUR,"),
          (26, "DEPOT,2024-12-31,interest,,,,3,,EUR,"),
          (26, ":tax,DEPOT,2024-12-31,tax,,,,0.5,,EUR,"),
          (27, "DEPOT,2024-12-31,interest,,,,-1.25,,EUR,"),
          (28, "DEPOT,2024-12-31,tax,,,,-7,,EUR,"),
          (29, "DEPOT,2024-12-31,withdrawal,,,,500,,EUR,"),
        ].map { number, rest in
          // No multiplier is stated.
          Self.uuid(number) + (rest.hasPrefix(":") || rest.hasPrefix(",") ? rest : ",\(rest)") + ","
        })
  }

  @Test("Portfolio Performance: securities and closes; an index and a rate are told once")
  func clientInstruments() throws {
    for name in Self.clients {
      #expect(
        try Self.client(name, .instruments).map { $0.trimmingPrefix { $0.isNumber } } == [
          "NWG.DE,Nordwind AG,equity,EUR", "US0000ACME12,Acme & Söhne Corp.,equity,USD",
          " currency: has no currency: an index, and no instrument",
          " symbol: is a rate of exchange, and no instrument",
        ])
      #expect(
        try Self.client(name, .prices).map { $0.hasPrefix("2024") ? $0 : "refused" } == [
          "2024-01-02,NWG.DE,50,EUR", "2024-01-03,NWG.DE,50.25,EUR",
          "2024-06-28,NWG.DE,56.12345678,EUR", "2024-01-03,US0000ACME12,120,USD",
          "2024-02-01,US0000ACME12,120.50000001,USD", "refused", "refused",
        ])
    }
    #expect(ClientDocument(.corporateActions, portfolio: nil, instrumentKind: nil) == nil)
  }

  private static func clientRows(_ content: String, _ version: String = "69") throws -> [String] {
    let text = "<client><version>\(version)</version>\(content)</client>"
    return try rows(
      .bytes(Array(text.utf8)),
      #require(ClientDocument(.activities, portfolio: "P", instrumentKind: nil)))
  }

  @Test("Portfolio Performance: what cannot be said without guessing is refused, and named")
  func clientRefused() throws {
    func transaction(_ fields: String, _ kind: String = "account") -> String {
      "<\(kind)-transaction><uuid>u</uuid><date>2024-01-02T00:00</date>"
        + "<currencyCode>EUR</currencyCode>\(fields)</\(kind)-transaction>"
    }
    let security =
      "<security><name>N</name><currencyCode>USD</currencyCode>"
      + "<tickerSymbol>N</tickerSymbol></security>"
    for (fields, kind, words) in [
      ("<type>DEPOSIT</type>", "account", "amount: a value is required"),
      ("<amount>x</amount><type>DEPOSIT</type>", "account", "amount: a value is required"),
      ("<amount>-1</amount><type>DEPOSIT</type>", "account", "amount: must not be negative"),
      ("<amount>99999999999999999</amount><type>FEES</type>", "account", "amount: is out of range"),
      ("<amount>1</amount><type>GIFT</type>", "account", "type: 'GIFT' is not a type"),
      (
        "<amount>1</amount><type>TRANSFER_IN</type>", "account",
        "type: the account at the other end"
      ),
      ("<amount>1</amount><shares>1</shares><type>BUY</type>", "portfolio", "symbol: its security"),
      (
        "<security reference='#9'/><amount>1</amount><type>BUY</type>", "portfolio",
        "symbol: its security"
      ),
      (security + "<amount>1</amount><type>SELL</type>", "portfolio", "quantity: a SELL needs"),
      (
        security + "<amount>1</amount><shares>1</shares><type>SELL</type>", "portfolio",
        "currency: the security is in USD, the account in EUR"
      ),
      (
        "<amount>1</amount><units><unit type='FEE'><amount currency='USD' amount='1'/></unit>"
          + "</units>"
          + "<type>DIVIDENDS</type>", "account", "fee: a fee in another currency"
      ),
      (
        "<date reference='../../../x'/><amount>1</amount><type>DEPOSIT</type>", "account",
        "date: its date is written elsewhere"
      ),
    ] {
      let rows = try Self.clientRows(transaction(fields, kind))
      #expect(rows.count == 1 && rows[0].hasPrefix("1 \(words)"), "\(fields): \(rows)")
    }
    #expect(
      try Self.clientRows("<ledger><entries><ledger-entry/></entries></ledger>") == [
        "1 -: an entry of the ledger, which is not read: enter it by hand"
      ])
  }

  @Test("two securities of one symbol are never taken for one")
  func sameSymbol() throws {
    let text = """
      <client><version>69</version><securities>
      <security><name>A</name><currencyCode>EUR</currencyCode><wkn>X</wkn></security>
      <security><name>B</name><currencyCode>EUR</currencyCode><wkn>X</wkn></security>
      <security><name>C</name><currencyCode>EUR</currencyCode></security>
      </securities></client>
      """
    let document = try #require(
      ClientDocument(.instruments, portfolio: nil, instrumentKind: "etf"))
    #expect(
      try Self.rows(.bytes(Array(text.utf8)), document) == [
        "X,A,etf,EUR",
        "3 symbol: 'X' is the symbol of 'A' too: give one of them another in Portfolio Performance",
        "4 symbol: 'C' has neither a ticker symbol, an ISIN nor a WKN: "
          + "give it one in Portfolio Performance",
      ])
  }

  @Test("a file of another program, of an old version, or of no version is refused whole")
  func anotherDocument() throws {
    for text in [
      "<html/>", "<client><securities/></client>", "<client><version>50</version></client>",
      "<client><version>x</version></client>", "<FlexQueryResponse/>",
    ] {
      let document = try #require(ClientDocument(.prices, portfolio: nil, instrumentKind: nil))
      #expect(throws: ImportError.self) { try Self.rows(.bytes(Array(text.utf8)), document) }
    }
    for text in [
      "<client/>", "<FlexStatementResponse><Status>Fail</Status></FlexStatementResponse>",
    ] {
      let document = try #require(FlexDocument(.activities, portfolio: nil))
      #expect(throws: ImportError.self) { try Self.rows(.bytes(Array(text.utf8)), document) }
    }
  }

  @Test("rows do not depend on the pieces in which a file comes")
  func pieces() throws {
    for name in Self.clients {
      let whole = try Self.client(name, .activities)
      for size in [1, 2, 7, 64, 1_000] {
        let document = try #require(
          ClientDocument(.activities, portfolio: "DEPOT", instrumentKind: nil))
        #expect(try Self.rows(Self.sample(name), document, pieceSize: size) == whole)
      }
    }
  }
}
