import Accounting
import Close
import Import
import Postgres
import TestSupport
import Testing

@testable import Storage

/// Whichever comes first, a change of inputs or the night that keeps moments: what is kept agrees
/// with every change that is there.
@Suite struct MomentsFenceTests {
  /// A portfolio that is closed for 2017-05-30 and 05-31, with a deposit on 06-01.
  private static func books() async throws -> DemoBooks {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    try await books.importing(
      .activities, "id,portfolio,date,type,amount\nN1,LATE,2017-06-01,deposit,500\n")
    return books
  }

  private static let late = "id,portfolio,date,type,amount\nN2,LATE,2017-06-01,deposit,700\n"

  private static func kept(_ books: DemoBooks) async throws -> Int64 {
    try await books.integer(
      "select count(*) from closebell.portfolio_irr_moments where as_of = '2017-06-01'")
  }

  @Test("an import that comes while a night writes waits for it, and forgets what it kept")
  func nightFirst() async throws {
    let books = try await Self.books()
    // The night stands still once it has written its moments.
    try await books.execute(
      """
      create function public.wait() returns trigger language plpgsql as $$
        begin perform pg_catalog.pg_advisory_xact_lock(4711); return null; end $$;
      create trigger wait after insert or update on closebell.portfolio_irr_moments
        for each statement execute function public.wait()
      """)
    let gate = try await books.connect()
    try await gate.perform { db in
      try db.execute(sql: "select pg_catalog.pg_advisory_lock(4711)")
    }
    let night = Task { try await books.close("2017-06-01") }
    try await books.waitForLock()
    let importing = Task { try await books.importing(.activities, Self.late) }
    // It waits, or it is through: then it has forgotten nothing of what the night wrote.
    try await books.waitUntil(
      """
      \(DemoBooks.someoneWaitsForMoments) or exists (
        select from closebell.holding_activity_log where external_id = 'N2')
      """)
    await gate.close()
    #expect(try await night.value.exitCode == 0)
    #expect(try await importing.value.inserted == 1)
    #expect(try await Self.kept(books) == 0)
    try await Self.expectTheLaw(books)
  }

  @Test("a night that comes while an import commits waits for it, and keeps nothing of it")
  func importFirst() async throws {
    let books = try await Self.books()
    let gate = Gate(before: .named("populate-fill"))
    var configuration = books.configuration
    configuration.faultPlan = gate.plan
    let held = configuration
    let night = Task {
      try await CloseRun(
        .night(Day("2017-06-01") ?? .earliest), settings: DemoBooks.settings(workers: 1)
      ) { try await Connection.connect(held) }.run()
    }
    #expect(try await gate.reached())
    // It has loaded. Now the import records what it changed, and does not commit yet.
    let importer = try await books.connect()
    try await importer.perform { db in
      try db.execute(
        sql: """
          begin;
          insert into closebell.holding_activity_log
            (portfolio_id, activity_type, activity_date, amount, currency, external_id)
          values (1, 'deposit', '2017-06-01', 700, 'USD', 'N2')
          """)
      try InputChange(.portfolios([1]), from: Day("2017-06-01") ?? .earliest).record(on: db)
    }
    gate.open()
    try await books.waitForLock()
    try await importer.perform { db in try db.execute(sql: "commit") }
    await importer.close()
    #expect(try await night.value.exitCode == 0)
    #expect(try await Self.kept(books) == 0)
    // Nor what earlier nights kept: it lacks what was booked since.
    #expect(try await books.integer("select count(*) from closebell.portfolio_irr_moments") == 0)
    try await Self.expectTheLaw(books)
  }

  private static func expectTheLaw(_ books: DemoBooks) async throws {
    let differences = try await books.differencesWithoutMoments {
      try await $0.closed(on: "2017-06-02")
    }
    #expect(differences == [])
    #expect(try await books.verify().isClean)
  }

  @Test(
    "closes of a date that nobody closed yet do not look at what is kept", arguments: [false, true])
  func tonightsCloses(_ isAnalysed: Bool) async throws {
    let books = try await LockBooks.open()
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    try await books.execute(
      """
      insert into closebell.portfolio_irr_moments (portfolio_id, as_of, moments)
      select p, '2017-05-31', '' from generate_series(1000, 3000) p
      """)
    if isAnalysed { try await books.execute("analyze") }
    for (date, isRead) in [("2017-06-01", false), ("2017-05-31", true)] {
      for (statement, keys) in [
        (InputChange.ofInstruments, "'{1}'"), (InputChange.ofPortfolios, "'{1}'"),
        (InputChange.ofCurrencies, "'{USD}'"), (InputChange.ofCalendars, "'{weekdays}'"),
      ] {
        let plan = try await books.perform { db in
          try db.execute(
            sql: """
              set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off;
              begin; prepare recording as \(statement.sql)
              """)
          let lines = try db.rows(
            .once(
              "explain",
              """
              explain (analyze, costs off, timing off, summary off)
              execute recording('\(date)', \(keys))
              """)
          ) { try $0.nextString() }
          try db.execute(sql: "rollback; deallocate recording")
          return lines
        }
        let scans = plan.filter { $0.contains("portfolio_irr_moments_key") && $0.contains(" Scan") }
        #expect(!scans.isEmpty, "\(statement.name): \(plan)")
        #expect(
          scans.allSatisfy { $0.contains("never executed") } == !isRead,
          "\(statement.name): \(plan)")
      }
    }
  }

  @Test("a snapshot that was replaced marks what follows, and forgets nothing of flows")
  func replaced() async throws {
    let books = try await Self.books()
    let moments = "select count(*) from closebell.portfolio_irr_moments where as_of = '2017-05-30'"
    #expect(try await books.integer(moments) == 1)
    try await books.perform { db in
      try InputChange.markReplaced([ID(1)], from: Day("2017-05-30") ?? .earliest, on: db)
    }
    #expect(try await books.firstStale() == Day("2017-05-30"))
    #expect(try await books.integer(moments) == 1)
  }
}
