import Import
import TestSupport
import Testing

/// Every type of corporate action as a file says it, and what makes no sense.
@Suite struct CorporateActionImportTests {
  private static let header = """
    ex_date,symbol,type,value,currency,pay_date,ratio,new_symbol,cash,cost,cost_share,\
    fraction_price,portfolio,id,status

    """

  private static func importing(
    _ rows: String, _ header: String = header, into books: Books
  ) async throws -> ImportReport {
    try await books.run(
      ImportRequest(kind: .corporateActions, source: .bytes(Array((header + rows).utf8))))
  }

  private static let stored = """
    select a.ex_date, i.symbol, a.type, trim_scale(a.value), a.currency, a.pay_date,
      trim_scale(a.ratio_new), trim_scale(a.ratio_old), n.symbol, trim_scale(a.cash), a.cost,
      trim_scale(a.cost_share), trim_scale(a.fraction_price), p.code, a.external_id, a.status
    from closebell.corporate_actions a join closebell.instruments i on i.id = a.instrument_id
    left join closebell.instruments n on n.id = a.new_instrument_id
    left join closebell.portfolios p on p.id = a.portfolio_id
    where a.ex_date >= '2030-01-01' order by a.ex_date, a.type, a.external_id nulls first
    """

  @Test("each type is kept with all that it says, and a second import changes nothing")
  func types() async throws {
    let books = try await Books.demo()
    let rows = """
      2030-01-02,AAPL,split,,,,1:3,,,,,7.5,,,
      2030-01-03,AAPL,stock_dividend,,,,1/10,,,,,,,,
      2030-01-04,AAPL,dividend,0.63,EUR,2030-01-20,,,,,,,,,
      2030-01-04,AAPL,dividend,2,USD,,,,,,,,,special,
      2030-01-05,AAPL,return_of_capital,1.5,,,,,,,,,,,
      2030-01-06,AAPL,spin_off,,,,1:1,AMZN,,,0.1,,FERN,,
      2030-01-07,AAPL,rights,,,,25:29,AMZN,,,,,,,
      2030-01-08,AAPL,merger,,USD,2030-02-01,3:2,AMZN,5.25,carried,0.4,9,,,
      2030-01-09,AAPL,merger,,,,,,60,,,,,,cancelled

      """
    let report = try await Self.importing(rows, into: books)
    #expect(report.refusedRows.isEmpty && report.inserted == 9, "\(report.refusedRows)")
    #expect(
      try await books.texts(Self.stored) == [
        "(2030-01-02,AAPL,split,,,,1,3,,,,,7.5,,,active)",
        "(2030-01-03,AAPL,stock_dividend,,,,1,10,,,,,,,,active)",
        "(2030-01-04,AAPL,dividend,0.63,EUR,2030-01-20,,,,,,,,,,active)",
        "(2030-01-04,AAPL,dividend,2,,,,,,,,,,,special,active)",
        "(2030-01-05,AAPL,return_of_capital,1.5,,,,,,,,,,,,active)",
        "(2030-01-06,AAPL,spin_off,,,,1,1,AMZN,,,0.1,,FERN,,active)",
        "(2030-01-07,AAPL,rights,,,,25,29,AMZN,,,,,,,active)",
        "(2030-01-08,AAPL,merger,,USD,2030-02-01,3,2,AMZN,5.25,carried,0.4,9,,,active)"
          .replacing("USD", with: ""),
        "(2030-01-09,AAPL,merger,,,,,,,60,,,,,,cancelled)",
      ])
    let again = try await Self.importing(rows, into: books)
    #expect(again.unchanged == 9)
    let changed = try await Self.importing(
      "2030-01-02,AAPL,split,,,,1:4,,,,,7.5,,,\n", into: books)
    #expect(changed.updated == 1)
  }

  @Test("a file of the old columns says what it said, and leaves what was taken back alone")
  func oldColumns() async throws {
    let books = try await Books.demo()
    let old = "ex_date,symbol,type,value\n"
    _ = try await Self.importing("2030-01-02,AAPL,split,3\n", old, into: books)
    _ = try await Self.importing(
      "2030-01-02,AAPL,split,3,,,,,,,,,,,cancelled\n", into: books)
    let again = try await Self.importing("2030-01-02,AAPL,split,3\n", old, into: books)
    #expect(again.unchanged == 1)
    #expect(
      try await books.texts(Self.stored) == ["(2030-01-02,AAPL,split,3,,,,,,,,,,,,cancelled)"])
  }

  /// A row that makes no sense, and the column that is named.
  static let senseless = [
    ("AAPL,split,,,,0:1,,,,,,,,", "ratio"), ("AAPL,split,,,,3,,,,,,,,", "ratio"),
    ("AAPL,split,3,,,3:1,,,,,,,,", "ratio"), ("AAPL,split,,,,,,,,,,,,", "ratio"),
    ("AAPL,split,2,GBP,,,,,,,,,,", "currency"), ("AAPL,split,2,,2030-01-09,,,,,,,,,", "pay_date"),
    ("AAPL,stock_dividend,0.1,,,1:10,,,,,,,,", "value"),
    ("AAPL,dividend,,,,,,,,,,,,", "value"), ("AAPL,dividend,-1,,,,,,,,,,,", "value"),
    ("AAPL,dividend,1,,2030-01-01,,,,,,,,,", "pay_date"),
    ("AAPL,dividend,1,,,1:2,,,,,,,,", "ratio"),
    ("AAPL,dividend,1,,,,,,,,5,,,", "fraction_price"),
    ("AAPL,merger,,,,1:1,AAPL,,,,,,,", "new_symbol"),
    ("AAPL,merger,,,,1:1,NOSUCH,,,,,,,", "new_symbol"),
    ("AAPL,merger,,,,,,,,,,,,", "new_symbol"), ("AAPL,merger,,,,,AMZN,,,,,,,", "ratio"),
    ("AAPL,merger,,USD,,1:1,AMZN,,,,,,,", "currency"),
    ("AAPL,merger,,,,1:1,AMZN,1,realized,0.5,,,,", "cost_share"),
    ("AAPL,spin_off,,,,1:1,AMZN,,,1.5,,,,", "cost_share"),
    ("AAPL,spin_off,,,,1:1,AMZN,,,,,,,", "cost_share"),
    ("AAPL,spin_off,,,,1:1,AMZN,,carried,0.5,,,,", "cost"),
    ("AAPL,rename,,,,,AMZN,,,,,,,", "type"), ("LOWCAUT,split,2,,,,,,,,,,,", "symbol"),
    ("AAPL,split,2,,,,,,,,,NOSUCH,,", "portfolio"),
  ]

  @Test("what makes no sense is refused by its column", arguments: senseless)
  func refused(_ row: (text: String, column: String)) async throws {
    let books = try await Books.demo()
    let report = try await Self.importing("2030-01-02,\(row.text)\n", into: books)
    #expect(report.refusedRows.map(\.field) == [row.column], "\(report.refusedRows)")
    #expect(try await books.texts(Self.stored).isEmpty)
  }

  @Test("units do not pass in a circle on one date, in one file or over several")
  func circles() async throws {
    let books = try await Books.demo()
    let first = try await Self.importing(
      """
      2030-01-02,AAPL,merger,,,,1:1,AMZN,,,,,,,
      2030-01-03,AMZN,merger,,,,1:1,AAPL,,,,,,,
      2030-01-02,AMZN,spin_off,,,,1:1,AAPL,,,0,,,,

      """, into: books)
    #expect(first.refusedRows.isEmpty, "\(first.refusedRows)")
    let second = try await Self.importing(
      """
      2030-01-02,AMZN,merger,,,,1:1,BAC,,,,,,,
      2030-01-02,BAC,merger,,,,1:1,AAPL,,,,,,,

      """, into: books)
    #expect(second.refusedRows.map(\.field) == ["new_symbol", "new_symbol"])
    #expect(try await books.texts(Self.stored).count == 3)
  }

  @Test("a pay date is for what is paid later, and not before the date it was earned on")
  func payDates() async throws {
    let books = try await Books.demo()
    let report = try await books.run(
      ImportRequest(
        kind: .activities,
        source: .bytes(
          Array(
            """
            id,portfolio,date,type,symbol,quantity,price,amount,pay_date
            E1,FERN,2018-01-03,dividend,AAPL,,,5,2018-01-20
            E2,FERN,2018-01-03,buy,AAPL,1,5,,2018-01-20
            E3,FERN,2018-01-03,interest,,,,5,2018-01-02
            E4,FERN,2018-01-03,tax,,,,5,2018-01-03

            """.utf8))))
    #expect(
      report.refusedRows.map { "\($0.row) \($0.field ?? "")" } == ["2 pay_date", "3 pay_date"])
  }
}
