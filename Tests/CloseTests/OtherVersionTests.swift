import Accounting
import Close
import TestSupport
import Testing

/// Dates that a program with another calculation version closed: all fingerprints are other ones.
@Suite struct OtherVersionTests {
  private static let fingerprints = """
    select string_agg(encode(fingerprint, 'hex'), ' ' order by snapshot_date, portfolio_id)
    from closebell.portfolio_snapshots
    """

  private func closedByAnother() async throws -> (books: DemoBooks, own: String) {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    let own = try await books.texts(Self.fingerprints).joined()
    try await books.execute(
      """
      update closebell.portfolio_snapshots
      set fingerprint = decode(md5(encode(fingerprint, 'hex')), 'hex')
      """)
    return (books, own)
  }

  @Test("numbers count, not fingerprints: equal dates verify, and nothing is closed again")
  func equalNumbers() async throws {
    let (books, _) = try await closedByAnother()
    #expect(try await books.verify().isClean)
    #expect(try await books.close("2017-06-30").counts.completed == 0)
    #expect(try await books.stale().isEmpty)
  }

  @Test("a replay of equal numbers writes the fingerprint alone: no revision, no history")
  func replayed() async throws {
    let (books, own) = try await closedByAnother()
    let report = try await books.replay("2017-06-21", "2017-06-30")
    #expect(report.counts.completed == 0)
    #expect(report.counts.unchanged > 100)
    #expect(try await books.texts(Self.fingerprints).joined() == own)
    #expect(
      try await books.integer("select max(revision) from closebell.portfolio_snapshots") == 1)
    #expect(try await books.integer("select count(*) from closebell.snapshot_history") == 0)
  }

  @Test("a number that differs there counts as changed, not corrupt: the calculation may have")
  func cause() async throws {
    let (books, _) = try await closedByAnother()
    try await books.execute(
      "update closebell.portfolio_snapshots set return_index = return_index * 1.0000001")
    let report = try await books.verify()
    #expect(!report.findings.isEmpty)
    #expect(report.findings.allSatisfy { $0.first?.cause == .changed })
  }
}
