import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// Codes that differ in their Unicode form only, where the books are closed, shown and repaired.
@Suite struct ExactKeysTests {
  private static let (composed, decomposed) = ("CAF\u{C9}", "CAFE\u{301}")

  @Test("each is closed, locked and shown by its own code")
  func closed() async throws {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date
      \(Self.composed),One,USD,2017-01-02
      \(Self.decomposed),Two,USD,2017-01-02

      """)
    try await books.importText(
      .activities,
      """
      id,portfolio,date,type,amount
      1,\(Self.composed),2017-01-03,deposit,1000
      2,\(Self.decomposed),2017-01-03,deposit,5000

      """)
    let one = DemoBooks.settings { $0.codes = [Self.composed] }
    #expect(try await books.close("2017-01-03", one).counts.completed == 1)
    #expect(try await books.close("2017-01-03").counts.completed == 1)
    let both = DemoBooks.settings { $0.codes = [Self.composed, Self.decomposed] }
    #expect(try await books.close("2017-01-04", both).counts.completed == 2)
    for (code, equity) in [(Self.composed, "1000"), (Self.decomposed, "5000")] {
      let shown = try #require(try await books.shown(code, "2017-01-03"))
      #expect(Array(shown.portfolio.code.utf8) == Array(code.utf8))
      let expected = try Money(equity)
      #expect(shown.stored.snapshot.closingEquity == expected)
    }
    try await books.lock("2017-01", [Self.decomposed], force: true)
    let locked = try await books.texts(
      """
      select p.name from closebell.period_locks l
      join closebell.portfolios p on p.id = l.portfolio_id
      """)
    #expect(locked == ["Two"])
  }

  @Test("duplicates of a foreign table are judged portfolio by portfolio, each by its own chain")
  func duplicates() async throws {
    let books = try await DemoBooks.empty()
    try await books.execute(
      """
      create table public.portfolio_snapshots (portfolio_code text, snapshot_date date,
        created_at timestamp, opening_equity numeric, closing_equity numeric, daily_pnl numeric);
      insert into public.portfolio_snapshots values
        ('\(Self.composed)', '2014-03-03', '2014-03-03 21:00', 100, 110, 10),
        ('\(Self.composed)', '2014-03-04', '2014-03-04 21:00', 110, 120, 10),
        ('\(Self.composed)', '2014-03-04', '2014-03-04 21:05', 120, 130, 10),
        ('\(Self.decomposed)', '2014-03-03', '2014-03-03 21:00', 500, 510, 10),
        ('\(Self.decomposed)', '2014-03-04', '2014-03-04 21:00', 510, 520, 10),
        ('\(Self.decomposed)', '2014-03-04', '2014-03-04 21:05', 520, 530, 10)
      """)
    let plan = try await books.perform { db in
      try DuplicateRepair.plan("public.portfolio_snapshots", on: db)
    }
    #expect(
      Set(plan.decisions.map { ExactText($0.portfolio) })
        == [ExactText(Self.composed), ExactText(Self.decomposed)])
    #expect(plan.decisions.count == 2)
    for decision in plan.decisions {
      let removed = decision.verdicts.filter { $0.action == .removed }
      #expect(removed.count == 1, "\(decision)")
    }
  }
}
