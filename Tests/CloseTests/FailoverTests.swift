import Accounting
import Close
import Import
import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

/// The server is lost under a run, and a standby that had not heard of everything takes its place.
@Suite struct FailoverTests {
  /// What the standby knows of the run's claim when its worker comes there.
  enum Knowledge: CaseIterable {
    /// The run's own lease, and its claim id is not given again.
    case ownLease
    /// Nothing; the id is given to another run before the worker comes.
    case givenAgainBefore
    /// Nothing; the id is given to another run when the worker has connected.
    case givenAgainAfter
  }

  @Test(
    "a run whose worker comes back to a promoted standby ends, and closes nothing there",
    arguments: Knowledge.allCases)
  func promoted(knowledge: Knowledge) async throws {
    let servers = try await Servers.withSmallBooks()
    let (lost, next) = (servers.lost, servers.next)
    if knowledge != .ownLease {
      try await servers.part()
      try await lost.knowTheSameClaims(as: next)
    }
    let run = FailedOverRun(.night("2017-06-29"), servers.either)
    #expect(try await run.claims.reached())
    if knowledge == .ownLease { try await servers.part() }
    let claim = try await lost.integer("select claim_id from closebell.worker_lease")
    // Only the server that is going to be lost hears of this, and the run reads it there.
    try await lost.importFiles(SmallWorld.corrections)
    run.claims.open()
    #expect(try await run.hasMarket.reached())
    try await servers.failOver()

    var other: HeldRun?
    if knowledge == .givenAgainBefore { other = try await next.take(claim) }
    run.hasMarket.open()
    #expect(try await run.isBack.reached())
    if knowledge == .givenAgainAfter { other = try await next.take(claim) }
    run.isBack.open()
    await #expect(throws: ServerChanged.self) { try await run.report() }
    if let other { #expect(try await other.goOn().exitCode == 0) }
    #expect(try await next.close("2017-06-29").exitCode == 0)
    #expect(try await next.verify().isClean)
    #expect(try await next.tables() == (try await DemoBooks.smallReference(["2017-06-29"])))
    #expect(try await next.leftovers() == [])
    try await servers.discard()
  }

  @Test("an import whose connection comes back to a promoted standby stops, and can be resumed")
  func importing() async throws {
    let servers = try await Servers.withSmallBooks()
    let (second, third) = (Gate(before: .named("second")), Gate(before: .named("third")))
    let advances = Counter()
    var configuration = Configuration(
      conninfo: servers.either, applicationName: "closebell-tests")
    configuration.faultPlan = FaultPlan(asking: { number, name in
      // It is prepared once before its first use.
      guard name == "import-job-advance" else { return nil }
      let count = advances.next()
      second.pass(number, count == 3 ? "second" : "")
      third.pass(number, count == 4 ? "third" : "")
      return nil
    })
    let held = configuration
    let file = ScratchFile(
      "id,portfolio,date,type,amount\n"
        + (1...3).map { "D\($0),ASH,2017-06-29,deposit,\($0)\n" }.joined())
    let importing = Task {
      let connection = try await Connection.connect(held)
      defer { Task { await connection.close() } }
      var request = ImportRequest(kind: .activities, source: .file(file.path))
      request.batchSize = 1
      return try await runImport(
        request, on: connection,
        control: ImportControl(reconnect: { try await Connection.connect(held) }))
    }
    // One row is known to the standby, the second only to the server that is lost.
    #expect(try await second.reached())
    try await servers.part()
    second.open()
    #expect(try await third.reached())
    try await servers.failOver()
    third.open()
    await #expect(throws: ServerChanged.self) { try await importing.value }

    let next = servers.next
    let job = try await next.integer("select max(id) from closebell.import_jobs")
    let connection = try await next.connect()
    let resumed = try await resumeImport(job, on: connection, control: ImportControl())
    await connection.close()
    #expect(resumed.resumedAfter == 1)
    #expect(
      try await next.integer(
        "select count(*) from closebell.holding_activity_log where external_id in ('D1','D2','D3')")
        == 3)
    try await servers.discard()
  }
}

/// Counts what happens on any thread.
private final class Counter: Sendable {
  private let count = Mutex(0)

  var value: Int { count.withLock { $0 } }

  func next() -> Int {
    count.withLock {
      $0 += 1
      return $0
    }
  }
}

/// A primary server and its asynchronous standby.
private struct Servers {
  let primary: TestCluster
  let standby: TestCluster
  let database: String

  var lost: DemoBooks { DemoBooks(conninfo: primary.url(database: database)) }
  var next: DemoBooks {
    DemoBooks(conninfo: standby.url(database: database) + "&target_session_attrs=any")
  }

  /// As an operator who has both names both.
  var either: String {
    let folders = [primary, standby].map(\.socketFolder).joined(separator: ",")
    return "host=\(folders) port=5432,5432 user=closebell dbname=\(database)"
  }

  static func withSmallBooks() async throws -> Servers {
    let primary = TestCluster()
    let url = try await primary.freshDatabase()
    let database = String(url.prefix { $0 != "?" }.split(separator: "/").last ?? "")
    let servers = Servers(
      primary: primary, standby: try await primary.copy(follows: true), database: database)
    let books = servers.lost
    try await books.perform { db in _ = try Migrator.migrate(on: db) }
    try await books.importFiles(SmallWorld.files)
    _ = try await books.close("2017-06-28", DemoBooks.settings { $0.codes = ["ASH", "BIRCH"] })
    return servers
  }

  /// The standby has heard of everything up to now, and hears of nothing that follows.
  func part() async throws {
    let position = try await lost.integer("pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    try await next.wait(until: "pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= \(position)")
    try await next.execute("alter system set primary_conninfo = ''")
    try await next.execute("select pg_reload_conf()")
    try await next.wait(until: "not exists (select from pg_stat_wal_receiver)")
  }

  func failOver() async throws {
    try await primary.crash()
    try await next.execute("select pg_promote()")
    try await next.wait(until: "not pg_is_in_recovery()")
  }

  func discard() async throws {
    try await primary.discard()
    try await standby.discard()
  }
}

/// A run with one worker, held up before its first claim, when it has its market, and when it comes
/// back after the server was lost.
private final class FailedOverRun: Sendable {
  let claims = Gate(before: .named("slots-claim"))
  let hasMarket = Gate(before: .named("load-openings"))
  /// The first call on a new connection.
  let isBack = Gate(before: .named("back"))
  private let task: Task<RunReport, any Error>

  init(_ purpose: CloseRun.Purpose, _ conninfo: String) {
    let (claims, hasMarket, isBack) = (claims, hasMarket, isBack)
    let returns = Counter()
    var configuration = Configuration(conninfo: conninfo, applicationName: "closebell-tests")
    configuration.faultPlan = FaultPlan(asking: { number, name in
      for gate in [claims, hasMarket] { gate.pass(number, name) }
      // Whatever is opened after the market was read replaces what the lost server took along; the
      // keeper of such a long lease is not among it.
      if name == "connect" {
        if hasMarket.name != nil { _ = returns.next() }
      } else if returns.value > 0 {
        isBack.pass(number, "back")
      }
      return nil
    })
    let held = configuration
    let settings = DemoBooks.settings(workers: 1, chunk: 500) { $0.leaseSeconds = 86_400 }
    task = Task {
      try await CloseRun(purpose, settings: settings) { try await Connection.connect(held) }.run()
    }
  }

  func report() async throws -> RunReport { try await task.value }
}

extension DemoBooks {
  /// Waits for a fact about a server.
  fileprivate func wait(until fact: String) async throws {
    for _ in 0..<6_000 {
      if try await integer("(\(fact))::integer") == 1 { return }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Draws claims until the next one is what it is going to be on the other server.
  fileprivate func knowTheSameClaims(as other: DemoBooks) async throws {
    let last = try await other.integer("select last_value from closebell.claim_id_seq")
    try await execute("select setval('closebell.claim_id_seq', \(last))")
  }

  /// A run here that is given the claim id of another, which another server gave, and has claimed
  /// nothing yet.
  fileprivate func take(_ claim: Int64) async throws -> HeldRun {
    let other = begin(.night("2017-06-29"), heldAt: .named("slots-claim"))
    #expect(try await other.standsStill())
    #expect(try await integer("select claim_id from closebell.worker_lease") == claim)
    return other
  }
}
