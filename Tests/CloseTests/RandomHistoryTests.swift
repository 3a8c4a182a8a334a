import Postgres
import Storage
import TestSupport
import Testing

/// Laws that hold in whatever history of books.
@Suite(.serialized) struct RandomHistoryTests {
  private static let count = Chaos.isThorough ? 60 : 3
  private static let length = Chaos.isThorough ? 150 : 60

  @Test(
    "emptying what is kept of flows, at any moment, changes no stored number of the next run",
    arguments: 0..<count)
  func momentsAreACache(_ number: Int) async throws {
    let stream = UInt64(7_700 + number)
    var history = try RandomHistory(stream: stream)
    var random = SeededGenerator(stream: stream + 1_000_000)
    let books = try await RandomHistory.books()
    var past: [String] = []
    var (compared, warm) = (0, 0)
    for _ in 0..<Self.length {
      let step = history.next()
      past.append("\(step)")
      guard step.isRun, warm == 0 || random.chance(oneIn: Chaos.isThorough ? 2 : 3) else {
        try await step.happen(to: books)
        continue
      }
      let kept = "select count(*) from closebell.portfolio_irr_moments"
      warm += Int(try await books.integer(kept))
      let differences = try await books.differencesWithoutMoments { try await step.happen(to: $0) }
      compared += 1
      guard differences.isEmpty else {
        Issue.record(
          """
          \(differences.joined(separator: "\n"))
          after, with CLOSEBELL_SEED=\(Chaos.seed), history \(number):
          \(past.joined(separator: "\n"))
          """)
        return
      }
    }
    let closed = try await books.integer(
      "select count(*) from closebell.portfolio_snapshots where is_complete")
    let locks = try await books.integer("select count(*) from closebell.period_lock_history")
    #expect(compared > 0 && warm > 0 && closed > 0 && locks > 0)
    let readings = past.count { $0 == "reading" }
    #expect(readings > 0 && past.contains { $0.hasPrefix("import") })
    #expect(try await books.contradictions() == [])
    Chaos.report(
      """
      random history \(number): \(past.count) steps, \(closed) dates closed, \(locks) locks, \
      \(readings) readings, \(compared) runs compared without what was kept of flows
      """)
  }
}
