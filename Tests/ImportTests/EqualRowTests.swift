import Postgres
import Storage
import TestSupport
import Testing

@testable import Import

@Suite("Nothing counts twice: rows without ids are known by what they say")
struct EqualRowTests {
  static let log = """
    select p.code, a.account, a.activity_type, a.activity_date, i.symbol, trim_scale(a.quantity),
      trim_scale(a.price), trim_scale(a.amount), trim_scale(a.fee), a.status
    from closebell.holding_activity_log a join closebell.portfolios p on p.id = a.portfolio_id
    left join closebell.portfolio_funds f
      on f.portfolio_id = a.portfolio_id and f.id = a.portfolio_fund_id
    left join closebell.instruments i on i.id = f.instrument_id order by a.id
    """
  private static let ids = "select external_id from closebell.holding_activity_log order by id"
  private static let header = "portfolio,date,type,symbol,quantity,price,amount,fee,note\n"
  private static let plan = """
    ALPHA,2020-02-03,deposit,,,,100,,
    ALPHA,2020-02-03,buy,ACME,2,10.50,,1,
    ALPHA,2020-02-03,buy,ACME,2,10.50,,1,

    """

  private static func exported(
    _ books: Books, _ format: ExportFormat, _ text: String, to portfolio: String = "ALPHA",
    account: String? = nil
  ) async throws -> ImportReport {
    var request = ImportRequest(kind: .activities, source: .bytes(Array(text.utf8)), batchSize: 2)
    request.format = format
    request.constants["portfolio"] = portfolio
    if let account { request.constants["account"] = account }
    return try await books.run(request)
  }

  @Test("the file once more and next month's, grown, add what is new and nothing else")
  func grown() async throws {
    let books = try await Books.small()
    let first = try await books.mustImport(.activities, Self.header + Self.plan)
    #expect(first.inserted == 3)
    #expect(first.overlaps.isEmpty)
    let before = try await books.inputs()
    let again = try await books.mustImport(.activities, Self.header + "\n" + Self.plan)
    #expect(again.unchanged == 3)
    #expect(again.overlaps == [ImportOverlap(importID: first.jobID, rows: 3)])
    #expect(try await books.inputs() == before)
    let grown = try await books.importing(
      .activities,
      Self.header + "ALPHA,2020-03-03,buy,ACME,2,11,,1,\n" + Self.plan
        + "ALPHA,2020-02-03,buy,ACME,2,10.5,,1,\n", batchSize: 2)
    #expect([grown.inserted, grown.unchanged] == [2, 3])
    #expect(
      try await books.texts(
        "select count(*), count(distinct external_id) from closebell.holding_activity_log")
        == ["(5,5)"])
    #expect(
      try await books.texts(
        """
        select count(distinct split_part(external_id, '/', 1)),
          min(split_part(external_id, '/', 2)), max(split_part(external_id, '/', 2))
        from closebell.holding_activity_log
        where price = 10.5 and external_id like 'row:%'
        """) == ["(1,1,3)"])
  }

  @Test("a mended rejects file and then the original count once; refused rows never count")
  func mended() async throws {
    let books = try await Books.small()
    let text = """
      Date,Code,DataSource,Currency,Price,Quantity,Action,Fee,Note
      2021-09-16,ACME,YAHOO,USD,241.36,5,buy,11.00,
      2021-09-17,LATE,YAHOO,USD,40.00,10,buy,1.00,
      2021-09-17,LATE,YAHOO,USD,40.00,10,buy,1.00,

      """
    #expect(try await Self.exported(books, .ghostfolio, text).refused == 2)
    try await books.mustImport(.instruments, "symbol,name,kind,currency\nLATE,Late,equity,USD\n")
    let lines = text.split(separator: "\n")
    let rejects = [lines[0], lines[2], lines[3]].joined(separator: "\n")
    #expect(try await Self.exported(books, .ghostfolio, rejects).inserted == 2)
    let report = try await Self.exported(books, .ghostfolio, text)
    #expect([report.inserted, report.unchanged] == [0, 3])
    #expect(report.overlaps.map(\.rows) == [2, 1])
    #expect(try await books.texts("select count(*) from closebell.holding_activity_log") == ["(3)"])
  }

  /// Deposits and dividends stand in the export of the cash account alone, deliveries in that of
  /// the securities account, purchases and sales in both.
  @Test("the exports of a cash account and of its securities account are one", arguments: [1, 2])
  func twoAccounts(purchases: Int) async throws {
    let header = """
      Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,\
      Fees,Taxes,Shares,ISIN,WKN,Ticker Symbol,Security Name,Note

      """
    func bought(_ sign: String) -> String {
      String(
        repeating:
          "2024-03-04T10:00,Buy,\"\(sign)2,006.00\",USD,,,,5.00,1.00,40,US1,,ACME,Acme,\n",
        count: purchases)
    }
    let cash =
      header + "2024-03-01T00:00,Deposit,\"5,000.00\",USD,,,,,,,,,,,\n" + bought("-")
      + "2024-03-06T00:00,Dividend,37.00,USD,,,,,13.00,40,US1,,ACME,Acme,\n"
    let securities = header + bought("")
    for accounts in [(nil, nil), ("Giro", "Depot")] {
      for isCashFirst in [true, false] {
        let books = try await Books.small()
        let files = [(cash, accounts.0), (securities, accounts.1)]
        for (text, account) in isCashFirst ? files : files.reversed() {
          let report = try await Self.exported(
            books, .portfolioPerformance, text, account: account)
          #expect(report.refused == 0)
        }
        #expect(
          try await books.texts(
            """
            select count(*) filter (where activity_type = 'buy'),
              count(*) filter (where activity_type = 'tax'), sum(quantity)::int, sum(fee)::int,
              string_agg(account, '' order by activity_date)
            from closebell.holding_activity_log
            """) == [
              "(\(purchases),\(purchases + 1),\(40 * purchases),\(5 * purchases),"
                + "\(accounts.0.map { "\($0)\($0)\($0)" } ?? ""))"
            ])
      }
    }
  }

  @Test("the same file for another portfolio is that portfolio's")
  func twoPortfolios() async throws {
    let books = try await Books.small()
    let text = """
      Date,Type,Value,Transaction Currency,Gross Amount,Currency Gross Amount,Exchange Rate,\
      Fees,Taxes,Shares,ISIN,WKN,Ticker Symbol,Security Name,Note
      2024-02-01T00:00,Deposit,524.00,USD,,,,,,,,,,,saving plan
      """
    for portfolio in ["ALPHA", "GAMMA", "ALPHA"] {
      let report = try await Self.exported(books, .portfolioPerformance, text, to: portfolio)
      #expect(report.refused == 0)
    }
    #expect(
      try await books.texts(
        """
        select string_agg(p.code, '+' order by p.code), count(distinct l.external_id)
        from closebell.holding_activity_log l join closebell.portfolios p on p.id = l.portfolio_id
        """) == ["(ALPHA+GAMMA,2)"])
  }

  @Test("fee, note and what a transfer is worth update the row; zeros at the end say nothing")
  func attributes() async throws {
    let books = try await Books.small()
    let header = "portfolio,date,type,symbol,quantity,price,amount,fee,note,acquired\n"
    try await books.mustImport(
      .activities,
      header + """
        ALPHA,2020-02-03,buy,ACME,2,10.50,,1,,
        ALPHA,2020-02-03,transfer_in,ACME,3,10,,,,2019-01-01
        ALPHA,2020-02-03,transfer_in,FUND,,,70,,,
        """)
    let report = try await books.mustImport(
      .activities,
      header + """
        ALPHA,2020-02-03,buy,ACME,2.00,10.5,,2,dearer,
        ALPHA,2020-02-03,transfer_in,ACME,3.0,11,,,,2019-02-01
        ALPHA,2020-02-03,transfer_in,FUND,,,71,,,
        """)
    #expect([report.inserted, report.updated] == [1, 2])
    #expect(
      try await books.texts(Self.log) == [
        "(ALPHA,,buy,2020-02-03,ACME,2,10.5,,2,active)",
        "(ALPHA,,transfer_in,2020-02-03,ACME,3,11,,0,active)",
        "(ALPHA,,transfer_in,2020-02-03,FUND,,,70,0,active)",
        "(ALPHA,,transfer_in,2020-02-03,FUND,,,71,0,active)",
      ])
    #expect(
      try await books.texts(
        """
        select count(*) from closebell.holding_activity_log
        where updated_import_id = \(try #require(report.jobID))
        """) == ["(2)"])
  }

  @Test("equal rows of two accounts are two, of one account one; --distinct books them anyway")
  func accounts() async throws {
    let books = try await Books.small()
    let file = "portfolio,date,type,amount\nALPHA,2020-02-03,deposit,10\n"
    func book(_ account: String?, distinct: Bool = false) async throws -> Int {
      var request = ImportRequest(kind: .activities, source: .bytes(Array(file.utf8)))
      if let account { request.constants["account"] = account }
      request.isDistinct = distinct
      return try await books.run(request).inserted
    }
    #expect(try await book("one") == 1)
    #expect(try await book("two") == 1)
    #expect(try await book(nil) == 1)
    #expect(try await book("one") == 0)
    #expect(try await book(nil) == 0)
    #expect(try await book(nil, distinct: true) == 1)
    #expect(try await book(nil, distinct: true) == 0)
    #expect(try await book(nil) == 0)
    #expect(try await books.texts("select count(*) from closebell.holding_activity_log") == ["(4)"])
  }

  @Test("--distinct is refused where rows have ids of their own, and for other kinds")
  func distinctRefused() async throws {
    let books = try await Books.small()
    for (kind, text) in [
      (ImportKind.activities, "id,portfolio,date,type,amount\n1,ALPHA,2020-02-03,deposit,1\n"),
      (.prices, "date,symbol,close\n2020-02-03,ACME,1\n"),
    ] {
      var request = ImportRequest(kind: kind, source: .bytes(Array(text.utf8)))
      request.isDistinct = true
      let asked = request
      await #expect(throws: ImportError.self) { try await books.run(asked) }
    }
  }

  @Test("a row with an id takes the place of an equal one without, once")
  func adopted() async throws {
    let books = try await Books.small()
    let first = try await books.mustImport(.activities, Self.header + Self.plan)
    let marks = try await books.texts("select * from closebell.input_changes")
    let rows = Self.plan.split(separator: "\n").map(String.init)
    let report = try await books.importing(
      .activities,
      "id," + Self.header + "D,\(rows[0])\nT-1,\(rows[1])\nT-2,\(rows[2])\nT-3,\(rows[2])\n",
      batchSize: 2)
    #expect([report.inserted, report.unchanged] == [1, 3])
    #expect(report.overlaps == [ImportOverlap(importID: first.jobID, rows: 3)])
    #expect(try await books.texts(Self.ids) == ["(D)", "(T-1)", "(T-2)", "(T-3)"])
    #expect(try await books.texts("select * from closebell.input_changes").count == marks.count + 1)
    // What was found has ids now; without them it is known all the same.
    #expect(try await books.mustImport(.activities, Self.header + Self.plan).unchanged == 3)
  }

  @Test("a row cancelled by hand counts, and stays cancelled")
  func cancelled() async throws {
    let books = try await Books.small()
    try await books.mustImport(.activities, Self.header + Self.plan)
    let ids = try await books.texts(Self.ids).map { $0.dropFirst().dropLast() }
    try await books.mustImport(
      .activities,
      "id,portfolio,date,type,status\n\(ids[1]),ALPHA,2020-02-03,buy,cancelled\n")
    #expect(try await books.mustImport(.activities, Self.header + Self.plan).unchanged == 3)
    #expect(
      try await books.texts(
        "select status, count(*) from closebell.holding_activity_log group by 1"
      )
      .sorted() == ["(active,2)", "(cancelled,1)"])
  }

  @Test("a row that was corrected by its name is not brought again by the file that had it wrong")
  func corrected() async throws {
    let books = try await Books.small()
    try await books.mustImport(.activities, Self.header + Self.plan)
    let ids = try await books.texts(Self.ids).map { $0.dropFirst().dropLast() }
    let correction = "id,portfolio,date,type,amount\n\(ids[0]),ALPHA,2020-02-03,deposit,99\n"
    #expect(try await books.mustImport(.activities, correction).updated == 1)
    for text in [Self.plan, Self.plan + "ALPHA,2020-02-04,deposit,,,,5,,\n"] {
      try await books.mustImport(.activities, Self.header + text)
    }
    #expect(
      try await books.texts(
        """
        select sum(amount)::int, count(*) from closebell.holding_activity_log
        where activity_type = 'deposit'
        """) == ["(104,2)"])
  }

  @Test("a dry run counts the same and leaves nothing")
  func dryRun() async throws {
    let books = try await Books.small()
    let first = try await books.mustImport(.activities, Self.header + Self.plan)
    let before = try await books.inputs()
    let text =
      Self.header + Self.plan.replacing(",1,", with: ",2,")
      + "ALPHA,2020-02-03,deposit,,,,100,,\n"
    let dry = try await books.importing(.activities, text, dryRun: true, batchSize: 1)
    #expect([dry.inserted, dry.updated, dry.unchanged] == [1, 2, 1])
    #expect(dry.overlaps == [ImportOverlap(importID: first.jobID, rows: 3)])
    #expect(
      dry.changes.map(\.description) == [2, 3].map { "row \($0) (line \($0 + 1)): fee 1 → 2" })
    #expect(try await books.inputs() == before)
    #expect(try await books.texts("select * from closebell.import_matches").isEmpty)
    let real = try await books.importing(.activities, text, batchSize: 1)
    #expect([real.inserted, real.updated, real.unchanged] == [1, 2, 1])
  }

  @Test("what was booked late is found by the date on which it happened")
  func late() async throws {
    let books = try await Books.small()
    try await books.mustImport(.activities, Self.header + Self.plan)
    try await books.perform { db in
      try db.execute(
        sql: "update closebell.holding_activity_log set booked_on = activity_date + 30")
    }
    #expect(try await books.mustImport(.activities, Self.header + Self.plan).unchanged == 3)
  }

  @Test("rows that an older version named after their file are known, and those changed since")
  func older() async throws {
    let books = try await Books.small()
    let text = Self.header + Self.plan
    // As the older version would have stored it.
    var request = ImportRequest(kind: .activities, source: .bytes(Array(text.utf8)))
    request.isDistinct = true
    let old = try #require(try await books.run(request).jobID)
    try await books.perform { db in
      try Migrator.migrate(to: Self.beforeNames, on: db)
      try db.execute(
        sql: "update closebell.holding_activity_log set price = 11 where external_id like '%/2'")
      try Migrator.migrate(on: db)
    }
    #expect(
      try await books.texts(
        "select import_id, count(*) from closebell.holding_activity_log group by 1")
        == ["(\(old),3)"])
    let report = try await books.importing(.activities, text, batchSize: 2)
    #expect([report.inserted, report.updated, report.unchanged] == [0, 0, 3])
    let withIDs = try await books.mustImport(
      .activities, "id," + Self.header + "D,ALPHA,2020-02-03,deposit,,,,100,,\n")
    #expect(withIDs.inserted == 0)
    #expect(try await books.texts("select count(*) from closebell.holding_activity_log") == ["(3)"])
  }

  private static let beforeNames =
    (Migration.all.first { $0.name == "row_names" }?.version ?? 1) - 1

  @Test("stored rows of a day are looked up by day, however empty the tables were")
  func plans() async throws {
    let books = try await Books.small()
    let lines = try await books.perform { db in
      try ImportPlans.equalRows(on: db)
    }
    let scans = lines.filter { $0.contains("holding_activity_log") && $0.contains("Scan") }
    #expect(scans.count == 2)
    #expect(scans.contains { $0.contains("holding_activity_log_by_day") })
    #expect(scans.contains { $0.contains("holding_activity_log_late") })
    let conditions = lines.filter { $0.contains("Index Cond") && $0.contains("portfolio_id + 0") }
    #expect(conditions.count == 2)
    #expect(!lines.contains { $0.contains("Hash Join") || $0.contains("Merge Join") })
  }
}
