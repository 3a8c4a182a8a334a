import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

@Suite("A retired portfolio is closed through its last date, and kept right")
struct RetirementTests {
  /// Slots beyond their portfolios' last dates.
  private static let beyond = """
    select p.id || ' ' || s.snapshot_date from closebell.portfolio_snapshots s
    join closebell.portfolios p on p.id = s.portfolio_id
    where s.snapshot_date > p.retired_on and s.is_complete order by 1
    """

  @Test(
    "after an import and a run that is done nothing is missing, failed or stale, and a month locks",
    arguments: 1...5)
  func law(_ seed: UInt64) async throws {
    let books = try await DemoBooks.empty()
    var history = RetirementHistory(books, seed: seed)
    try await history.begin()
    for step in 0..<24 {
      for _ in 0...history.random.below(3) { try await history.importSomething() }
      let before = try await books.texts(Self.beyond)
      let report = try await history.close()
      let what: Comment = "seed \(seed), step \(step), \(history.today): \(report.failures)"
      #expect(report.exitCode == 0, what)
      let today = history.today
      let status = try await books.perform { db in
        try db.readBooks { try $0.coverage(from: .earliest, through: today) }
      }
      #expect(status.isHealthy, "\(what) \(status.dates)")
      #expect(try await books.texts(Self.beyond) == before, what)
      if history.random.chance(oneIn: 3) { try await history.lockMonth() }
      history.today = history.today + 1 + history.random.below(4)
    }
    // What locked dates had not seen counts once they are open.
    try await history.unlock()
    #expect(try await history.close().exitCode == 0)
    let verified = try await books.verify()
    #expect(
      verified.isClean, "seed \(seed): \(verified.findings.map { ($0.portfolio, $0.dates) })")
  }
}
