import Accounting
import Postgres
import Storage
import TestSupport
import Testing

/// A plan goes on from each portfolio's latest complete date, wherever it is found.
@Suite struct LastCompleteTests {
  /// What a plan says, and what all rows say, a line a portfolio.
  private static func compare(_ books: DemoBooks) async throws {
    let (planned, stored) = try await books.perform { db in
      (
        try Planning.portfolios(
          after: 0, limit: 1_000, activeOn: .latest, retired: .all, on: db
        ).map { "\($0.portfolio.code) \($0.lastComplete?.description ?? "never")" },
        try db.rows(Self.latest) { try $0.nextString() }
      )
    }
    #expect(planned == stored)
  }

  private static let latest = Statement(
    "latest-complete",
    """
    select p.code || ' ' || coalesce((select max(s.snapshot_date)::text
      from closebell.portfolio_snapshots s where s.portfolio_id = p.id and s.is_complete), 'never')
    from closebell.portfolios p order by p.id
    """)

  /// Each step leaves some portfolio's latest close on a date before that of the others.
  @Test(
    "the latest complete date is the same wherever it lies: last of all, before it, or far back")
  func found() async throws {
    let books = try await DemoBooks.fresh()
    try await Self.compare(books)
    _ = try await books.close("2017-06-27")
    for date in ["2017-06-28", "2017-06-29", "2017-06-30"] { _ = try await books.close(date) }
    try await Self.compare(books)
    let ids = "(select array_agg(id order by id) from closebell.portfolios)"
    for (position, earliest) in [(1, "2017-06-30"), (2, "2017-06-29"), (3, "2017-06-01")] {
      try await books.execute(
        """
        delete from closebell.portfolio_snapshots
        where portfolio_id = (\(ids))[\(position)] and snapshot_date >= '\(earliest)'
        """)
      try await Self.compare(books)
    }
    // Somebody has begun the next date, and another one long after it.
    for date in ["2017-07-03", "2017-07-31"] {
      try await books.execute(
        """
        insert into closebell.portfolio_snapshots
          (portfolio_id, snapshot_date, opened_from_date, claim_id, claimed_at)
        values ((\(ids))[4], '\(date)', date '\(date)' - 3, 1, now())
        """)
      try await Self.compare(books)
    }
  }
}
