import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// What a replay may cost: rows of the dates that it closes again, and no rewriting of rows that
/// say already what was computed; and what the verification of a date.
@Suite(.serialized) struct ReplayBudgetTests {
  private static let portfolios = 300
  private static let corrected = "date,symbol,close,currency\n2017-06-29,OAK,11.75,USD\n"

  /// Three nights after the first close, and earlier dates before it.
  private func books(earlier: Int) async throws -> ManyBooks {
    let books = try await ManyBooks.closed(portfolios: Self.portfolios)
    if earlier > 0 { try await books.repeatFirstClose(dates: earlier) }
    for night in ["2017-06-29", "2017-06-30", "2017-07-03"] {
      let report = try await books.books.close(night)
      #expect(report.counts.completed == Self.portfolios)
    }
    try await books.books.vacuum()
    return books
  }

  /// While anybody's transaction on the server is older than a change, the change is remembered,
  /// and looked for in the end; else it is forgotten.
  @Test(
    "a replay reads the dates that it closes again, not those before or beside them",
    arguments: [false, true])
  func rowsRead(isChangeRemembered: Bool) async throws {
    let books = try await books(earlier: 40)
    let stranger = try await Connection.connect(
      Configuration(
        conninfo: TestCluster.shared.url(database: "postgres"), applicationName: "stranger"))
    if isChangeRemembered {
      try await stranger.perform { db in
        try db.execute(sql: "begin; select pg_catalog.pg_current_xact_id()")
      }
    }
    try await books.books.importText(.prices, Self.corrected)
    let read = try await books.books.rowsRead {
      let report = try await books.books.replay("2017-06-29", "2017-07-03")
      #expect(report.counts.completed == 3 * Self.portfolios)
    }
    await stranger.close()
    let slots = Int64(3 * Self.portfolios)
    // To open from, to compare with, and to delete.
    #expect(read["portfolio_fund_valuations"] <= 3 * ManyBooks.holdings * slots)
    #expect(read["portfolio_fund_irr_values"] <= 2 * ManyBooks.holdings * slots)
    #expect(read["portfolio_snapshots"] <= 15 * slots)
  }

  @Test("one date is verified over a trusted opening without reading the dates before it")
  func verifiedDate() async throws {
    let books = try await books(earlier: 40)
    let date = try #require(Day("2017-07-03"))
    let read = try await books.books.rowsRead {
      let report = try await books.books.verify(
        RecomputeScope(from: date, through: date, opening: .stored)
      ) { $0.chunk = 100 }
      #expect(report.isClean && report.counts.slots == Self.portfolios)
    }
    let slots = Int64(Self.portfolios)
    // 44 dates stand there: each of the checks may read this one and the one before it.
    #expect(read["portfolio_snapshots"] <= 30 * slots)
    #expect(read["holding_activity_log"] <= slots, "flows are known as the last night kept them")
  }

  @Test("rows that say already what was computed are not written again")
  func rowsKept() async throws {
    let books = try await books(earlier: 0).books
    let before = try await writers(books)
    try await books.importText(.prices, Self.corrected)
    _ = try await books.replay("2017-06-29", "2017-07-03")
    let after = try await writers(books)
    // The next date's P&L counts from the corrected close; from then on only what was earned up to
    // then and which revision it opened from are other.
    let expected: [String: [String]] = [
      "portfolio_snapshots": ["2017-06-29", "2017-06-30", "2017-07-03"],
      "portfolio_fund_valuations": ["2017-06-29", "2017-06-30"],
      "portfolio_fund_irr_values": ["2017-06-29"],
      "portfolio_irr_values": ["2017-06-29"],
    ]
    for (table, dates) in expected {
      let written = before.keys.filter { $0.hasPrefix(table + " ") && before[$0] != after[$0] }
      #expect(written.sorted() == dates.map { "\(table) \($0)" })
    }
    let verified = try await books.verify { _ in }
    let isClean = verified.isClean
    #expect(isClean)
  }

  /// The transactions that wrote a table's rows of a date.
  private func writers(_ books: DemoBooks) async throws -> [String: String] {
    var writers: [String: String] = [:]
    for (table, date) in [
      ("portfolio_snapshots", "snapshot_date"), ("portfolio_fund_valuations", "valuation_date"),
      ("portfolio_fund_irr_values", "date"), ("portfolio_irr_values", "date"),
    ] {
      let rows = try await books.perform { db in
        try db.rows(
          Statement(
            "writers-\(table)",
            """
            select \(date)::text,
              pg_catalog.string_agg(distinct xmin::text, ' ' order by xmin::text)
            from closebell.\(table) where \(date) > '2017-06-28' group by 1
            """)
        ) { (try $0.nextString(), try $0.nextString()) }
      }
      for (day, transactions) in rows { writers["\(table) \(day)"] = transactions }
    }
    return writers
  }
}
