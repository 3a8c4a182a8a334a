import Accounting
import Postgres
import Storage
import TestSupport
import Testing

@testable import Close

/// The lease of a run is kept by a connection that does nothing else.
@Suite struct KeeperTests {
  /// Waits until SQL gives another number than before.
  private static func change(
    of sql: String, from before: Int64, _ books: DemoBooks
  ) async throws -> Int64? {
    for _ in 0..<6_000 {
      let now = try await books.integer(sql)
      if now != before { return now }
      try await Task.sleep(for: .milliseconds(5))
    }
    return nil
  }

  private static let leaseEnd = """
    select coalesce(max((extract(epoch from lease_until) * 1000)::bigint), 0)
    from closebell.worker_lease
    """

  @Test(
    "a lease is prolonged while planning stands still, however long it does",
    arguments: [1, 2])
  func longPlan(_ workers: Int) async throws {
    let expected = try await DemoBooks.smallReference(["2017-06-30"])
    let books = try await DemoBooks.small()
    let gate = Gate(before: .named("changes-first"))
    // A sign of life every other second, and long before the lease ends on a busy machine.
    let settings = DemoBooks.settings(workers: workers) { $0.leaseSeconds = 16 }
    let run = HeldRun(.night("2017-06-30"), books, settings, at: gate)
    #expect(try await run.standsStill())
    var end = try await books.integer(Self.leaseEnd)
    for _ in 0..<2 {
      end = try #require(try await Self.change(of: Self.leaseEnd, from: end, books))
    }
    #expect(try await run.goOn().exitCode == 0)
    #expect(try await books.tables() == expected)
    #expect(try await books.leftovers() == [])
  }

  @Test("the session that holds a lease's lock says so, and is no worker's")
  func named() async throws {
    let books = try await DemoBooks.small()
    let run = books.begin(.night("2017-06-30"), heldAt: .named("load-openings"))
    #expect(try await run.standsStill())
    let names = try await books.texts(
      """
      select a.application_name from pg_stat_activity a
      join closebell.worker_lease w on w.backend_pid = a.pid
        and a.application_name = 'closebell/run, lease of claim ' || w.claim_id
      where exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory')
      """)
    #expect(names.count == 1)
    #expect(
      try await books.integer(
        """
        select count(distinct pid) from pg_stat_activity
        where datname = current_database() and application_name like 'closebell/run, claim %'
        """) == 1)
    #expect(try await run.goOn().exitCode == 0)
  }

  @Test("a run whose planning connection breaks goes on with another")
  func controlIsLost() async throws {
    let books = try await DemoBooks.small()
    let run = books.begin(.night("2017-06-30"), heldAt: .named("changes-first"))
    #expect(try await run.standsStill())
    let ended = try await books.texts(
      """
      select pg_terminate_backend(pid)::text from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend'
        and pid <> pg_backend_pid() and application_name not like 'closebell/run, %'
      """)
    #expect(ended == ["true"])
    #expect(try await run.goOn().exitCode == 0)
    #expect(try await books.tables() == (try await DemoBooks.smallReference(["2017-06-30"])))
    #expect(try await books.leftovers() == [])
  }
}

/// What a live owner holds is asked for again, and nothing else.
@Suite struct LaterPassTests {
  @Test(
    "a segment that is busy behind its first dates is busy for the rest, and only that is closed")
  func rest() async throws {
    let books = try await DemoBooks.small()
    for date in ["2017-06-29", "2017-06-30"] { _ = try await books.close(date) }
    let ash = DemoBooks.settings(workers: 1, chunk: 500) { $0.codes = ["ASH"] }
    let owner = books.begin(
      .replay("2017-06-30", "2017-06-30"), ash, heldAt: .named("load-openings"))
    #expect(try await owner.standsStill())
    let impatient = DemoBooks.settings(workers: 1) {
      $0.codes = ["ASH"]
      $0.waitSeconds = 0
    }
    let early = try await books.replay("2017-06-28", "2017-06-30", impatient)
    #expect(early.exitCode == 75)
    #expect(early.counts.busy == 1, "two of the three dates are closed")
    #expect(early.counts.unchanged == 2)
    let patient = CloseRun(
      .replay("2017-06-28", "2017-06-30"),
      settings: DemoBooks.settings(workers: 1) {
        $0.codes = ["ASH"]
        $0.leaseSeconds = 86_400
      }
    ) { try await books.connect() }
    async let report = patient.run()
    while patient.progress?.counts.busy != 1 { try await Task.sleep(for: .milliseconds(2)) }
    #expect(try await owner.goOn().exitCode == 0)
    #expect(try await report.exitCode == 0)
    #expect(try await report.counts.claimed == 3, "no date is claimed twice")
    #expect(try await report.counts.unchanged == 3)
    #expect(try await books.leftovers() == [])
  }

  @Test("what stands behind a date that cannot be closed is blocked, and not waited for")
  func blocked() throws {
    let portfolio = Portfolio(
      id: ID(1), code: "ONE", baseCurrency: try #require(Currency("USD")), inception: .earliest)
    var outcome = ChunkOutcome()
    outcome.busy = [
      ChainSegment(
        portfolio: portfolio, openedFrom: nil,
        steps: [ChainSegment.Step(.earliest, .again), ChainSegment.Step(.earliest + 1, .again)])
    ]
    outcome.counts.busy = 2
    outcome.blockBusy(behind: [ID(99)])
    #expect(outcome.counts.busy == 2)
    outcome.blockBusy(behind: [portfolio.id])
    #expect(outcome.busy.isEmpty)
    #expect(outcome.counts.busy == 0)
    #expect(outcome.counts.blocked == 2)
  }

  @Test("whoever waits asks less and less often, up to a sign of life's time, and anew on progress")
  func backsOff() {
    var waiting = OwnersWait(leaseSeconds: 120)
    let pauses = (0..<8).map { _ in waiting.next(left: 7) }
    #expect(pauses.prefix(4) == [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2)])
    #expect(pauses.suffix(2) == [.seconds(5), .seconds(5)])
    #expect(waiting.next(left: 6) == .milliseconds(250))
    #expect(waiting.next(left: 6) == .milliseconds(500))
    var brief = OwnersWait(leaseSeconds: 2)
    #expect((0..<4).map { _ in brief.next(left: 1) }.allSatisfy { $0 == .milliseconds(250) })
  }
}
