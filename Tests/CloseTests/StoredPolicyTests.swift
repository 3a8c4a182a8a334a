import Accounting
import Close
import Import
import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

/// The policy on carried prices is an input of each date, kept with it: whatever looks at the date
/// again takes it from there.
///
/// The last prices of the small world are of 2017-06-30, six business days before 2017-07-10.
@Suite struct StoredPolicyTests {
  private static let dates = ["2017-07-07", "2017-07-10", "2017-07-11", "2017-07-12"]

  private static func settings(
    _ days: Int?, _ change: (inout RunSettings) -> Void = { _ in }
  ) -> RunSettings {
    DemoBooks.settings { settings in
      if let days {
        var policy = ClosePolicy()
        policy.maxCarriedBusinessDays = days
        settings.policy = policy
      }
      change(&settings)
    }
  }

  /// The small world, its last four dates each closed under a policy; nil: without an option.
  private func books(_ policies: [Int?]) async throws -> DemoBooks {
    let books = try await DemoBooks.small()
    _ = try await books.close("2017-06-30")
    for (date, days) in zip(Self.dates, policies) {
      let report = try await books.close(date, Self.settings(days) { $0.catchesUp = false })
      #expect(report.exitCode == 0 && report.counts.completed == 3)
    }
    return books
  }

  private func degraded(_ books: DemoBooks) async throws -> [String] {
    try await books.perform { db in
      try db.rows(
        Postgres.Statement(
          "degraded-dates",
          """
          select s.snapshot_date::text from closebell.portfolio_snapshots s
          join closebell.portfolios p on p.id = s.portfolio_id
          where p.code = 'ASH' and s.is_degraded and s.snapshot_date > '2017-06-30' order by 1
          """)
      ) { try $0.nextString() }
    }
  }

  /// Nothing is found to be wrong with any date, and nothing would be closed again.
  private func expectRight(_ books: DemoBooks, _ place: Comment) async throws {
    let verified = try await books.verify()
    #expect(verified.isClean, place)
    for finding in verified.findings { Issue.record("\(finding)") }
    let plan = try await EquityRepair(settings: DemoBooks.settings()) {
      try await books.connect()
    }.plan(EquityScope())
    #expect(plan.isEmpty && plan.compared > 0, place)
  }

  @Test(
    "what was closed under any policies is right to verify, to a repair and to a replay",
    arguments: [
      [0, 0, 0, 0], [2, 2, 2, 2], [5, 5, 5, 5], [nil, nil, nil, nil], [6, 6, 6, 6],
      [20, 20, 20, 20], [20, 0, nil, 6], [0, 7, 7, 20], [nil, 6, 0, 8],
    ] as [[Int?]])
  func rightAsClosed(_ policies: [Int?]) async throws {
    let books = try await books(policies)
    let carried = [5, 6, 7, 8]
    let expected = zip(Self.dates, zip(policies, carried)).filter { $1.0 ?? 5 < $1.1 }.map(\.0)
    #expect(try await degraded(books) == expected)
    try await expectRight(books, "\(policies)")
    let before = try await books.tables()
    for date in Self.dates {
      let report = try await books.replay(date, date)
      #expect(report.counts.unchanged == 3 && report.counts.completed == 0, "\(date)")
    }
    #expect(try await books.tables() == before)
    #expect(try await degraded(books) == expected)
    try await expectRight(books, "replayed: \(policies)")
  }

  @Test(
    "a replay with a policy closes each date under it, and keeps it even where no number changes")
  func replayUnderAnother() async throws {
    let books = try await books([20, 20, 20, 20])
    // Six days are allowed by both: the same numbers, from another input.
    let same = try await books.replay("2017-07-10", "2017-07-10", Self.settings(6))
    #expect(same.counts.unchanged == 3)
    #expect(try await kept(books) == [5, 20, 6, 20, 20])
    try await expectRight(books, "one date under six")
    let other = try await books.replay("2017-07-11", "2017-07-11", Self.settings(6))
    #expect(other.counts.completed == 2, "CEDAR holds no quoted price")
    #expect(try await kept(books) == [5, 20, 6, 6, 20])
    #expect(try await degraded(books) == ["2017-07-11"])
    // The date behind it opened from what was replaced.
    _ = try await books.close("2017-07-12")
    try await expectRight(books, "two dates under six")
    #expect(try await books.stale().isEmpty)
  }

  @Test("told another policy, verify, a repair and explain judge by that one")
  func toldOtherwise() async throws {
    let books = try await books([20, 20, 20, 20])
    let verified = try await books.verify { $0.policy = ClosePolicy(maxCarriedBusinessDays: 6) }
    #expect(verified.findings.map(\.first?.date) == [Day("2017-07-11"), Day("2017-07-11")])
    #expect(verified.findings.map(\.first?.cause) == [.changed, .changed])
    let repair = EquityRepair(settings: DemoBooks.settings()) { try await books.connect() }
    let plan = try await repair.plan(
      EquityScope(policy: ClosePolicy(maxCarriedBusinessDays: 6)))
    #expect(plan.damage.map(\.firstBad) == [Day("2017-07-11"), Day("2017-07-11")])
    let (report, _) = try await repair.apply(plan.plan.text)
    #expect(report?.exitCode == 0)
    #expect(try await kept(books) == [5, 20, 20, 6, 6])
    try await expectRight(books, "repaired")
    for (policy, count) in [(nil, 0), (ClosePolicy(maxCarriedBusinessDays: 20), 1)] {
      let explained = try await books.perform { db in
        try db.readBooks { try $0.explain("ASH", on: Day("2017-07-12") ?? .latest, policy: policy) }
      }
      guard case .closed(let slot) = explained else {
        Issue.record("not explained")
        return
      }
      #expect(slot.differences.count { $0.column == "is_degraded" } == count)
      #expect(slot.policy.maxCarriedBusinessDays == (policy == nil ? 6 : 20))
    }
  }

  @Test("a stale date is closed again under its own policy, and a new one under the usual")
  func closedAgain() async throws {
    let books = try await books([20, 20, 0, 20])
    try await books.importText(
      .prices, "date,symbol,close,currency\n2017-06-29,IVY,18.81,USD\n2017-06-30,IVY,18.79,USD\n")
    let report = try await books.close("2017-07-13")
    #expect(report.exitCode == 0 && report.counts.failed == 0)
    #expect(try await kept(books) == [5, 20, 20, 0, 20, 5])
    #expect(try await degraded(books) == ["2017-07-11", "2017-07-13"])
    try await expectRight(books, "closed again")
  }

  @Test(
    "a date from before its policy was kept is taken as it stands",
    arguments: [[20, 20, 20, 20], [5, 5, 5, 5], [4, 5, 6, 7], [0, 2, nil, 20]] as [[Int?]])
  func fromBefore(_ policies: [Int?]) async throws {
    let books = try await books(policies)
    try await books.execute(
      "update closebell.portfolio_snapshots set carried_days_allowed = null")
    let plan = try await EquityRepair(settings: DemoBooks.settings()) {
      try await books.connect()
    }.plan(EquityScope())
    for damage in plan.damage {
      for date in damage.wrong { Issue.record("\(damage.portfolio.code): \(date.differences)") }
    }
    let before = try await degraded(books)
    for date in Self.dates { _ = try await books.replay(date, date) }
    #expect(try await degraded(books) == before)
    try await expectRight(books, "replayed")
  }

  /// What ASH's last dates keep, from 2017-06-30 on.
  private func kept(_ books: DemoBooks) async throws -> [Int?] {
    try await books.perform { db in
      try db.rows(
        Postgres.Statement(
          "kept-policies",
          """
          select s.carried_days_allowed from closebell.portfolio_snapshots s
          join closebell.portfolios p on p.id = s.portfolio_id
          where p.code = 'ASH' and s.snapshot_date >= '2017-06-30' order by s.snapshot_date
          """)
      ) { try $0.nextOptional(Int16.self).map { Int($0) } }
    }
  }
}
