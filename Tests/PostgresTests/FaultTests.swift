import Postgres
import Testing

@Suite("Planned faults hit exactly the call they are meant for")
struct FaultTests {
  private static let table = "create temp table t (id int8)"
  private static let insert = Statement("insert", "insert into pg_temp.t values ($1)")

  /// A transaction whose calls are: prepare, begin, insert, commit (after connecting: 3 calls,
  /// and the table: 1).
  private static func work(_ connection: isolated Connection) throws {
    try connection.execute(sql: Self.table)
    _ = try connection.transaction { connection in
      try connection.execute(Self.insert, 1 as Int64)
    }
  }

  private func run(_ plan: FaultPlan) async -> (any Error)? {
    do {
      try await withConnection({ $0.faultPlan = plan }) { try Self.work($0) }
      return nil
    } catch {
      return error
    }
  }

  @Test("a plan without a fault counts the calls and names them")
  func counting() async throws {
    let plan = FaultPlan()
    #expect(await run(plan) == nil)
    #expect(
      plan.names == [
        "connect", "session settings", "client connection check", "", "begin", "insert", "insert",
        "commit",
      ])
    #expect(plan.calls == 8)
    #expect(plan.hasFired == false)
  }

  @Test(
    "each call can fail in each way, and what it says of the server's state is right",
    arguments: 1...8, [FaultPlan.Fault.cutBeforeSend, .cutAfterSend, .serverError])
  func eachCall(number: Int, fault: FaultPlan.Fault) async throws {
    let plan = FaultPlan(failing: number, by: fault)
    let error = try #require(await run(plan))
    #expect(plan.hasFired)
    let cause = try #require(
      error as? PostgresError ?? (error as? TransactionError)?.cause)
    #expect(
      cause.mayRetry == (number > 1 || cause.sqlState == "53300" || cause.sqlState == "08001"))
    guard number > 1 else { return }
    switch fault {
    case .cutBeforeSend:
      #expect(cause.kind == .connectionLost)
      #expect(cause.reachedServer == false)
    case .cutAfterSend:
      #expect(cause.kind == .connectionLost)
      #expect(cause.reachedServer == true)
    default:
      #expect(cause.kind == .server)
      #expect(cause.sqlState == "40001")
    }
    if number == 8 {
      let transaction = try #require(error as? TransactionError)
      #expect(transaction.step == .commit)
      #expect(transaction.commitOutcomeUnknown == (fault == .cutAfterSend))
      #expect(transaction.mayRetry == (fault != .cutAfterSend))
    }
  }

  @Test(
    "a commit cut off before it is sent did not happen, one cut off after it did",
    arguments: [FaultPlan.Fault.cutBeforeSend, .cutAfterSend])
  func commitCut(fault: FaultPlan.Fault) async throws {
    let name = fault == .cutAfterSend ? "after" : "before"
    let observer = try await Connection.connect(try await testConfiguration())
    let table = "public.commit_\(name)_\(observer.backendPID)"
    try await observer.execute(sql: "create table \(table) (id int8)")
    let plan = FaultPlan(failing: 6, by: fault)
    let failure = await #expect(throws: TransactionError.self) {
      try await withConnection({ $0.faultPlan = plan }) { connection in
        try connection.transaction { connection in
          try connection.execute(sql: "insert into \(table) values (1)")
        }
      }
    }
    #expect(plan.names.last == "commit")
    #expect(failure?.commitOutcomeUnknown == (fault == .cutAfterSend))
    let count = Statement("count", "select count(*) from \(table)")
    let rows = try await observer.perform { observer in
      try observer.row(count) { try $0.nextInt64() }
    }
    #expect(rows == (fault == .cutAfterSend ? 1 : 0))
    try await observer.execute(sql: "drop table \(table)")
    await observer.close()
  }

  @Test(
    "a whole COPY is one call, which can fail in each way",
    arguments: [FaultPlan.Fault.cutBeforeSend, .cutAfterSend, .serverError])
  func copy(fault: FaultPlan.Fault) async throws {
    let plan = FaultPlan(failing: 5, by: fault)
    let error = try await postgresError {
      try await withConnection({ $0.faultPlan = plan }) { connection in
        try connection.execute(sql: Self.table)
        try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") { rows in
          for id in 0..<100_000 as Range<Int64> {
            rows.beginRow(1)
            rows.write(int64: id)
          }
        }
      }
    }
    #expect(plan.calls == 5)
    #expect(error?.kind == (fault == .serverError ? .server : .connectionLost))
    #expect(error?.reachedServer == (fault != .cutBeforeSend))
  }

  @Test("the n-th call of a name can be meant, and a function can be asked about every call")
  func byName() async throws {
    let second = try #require(FaultPlan("insert#2:cut-before-send"))
    let error = try await postgresError {
      try await withConnection({ $0.faultPlan = second }) { try Self.work($0) }
    }
    #expect(error?.kind == .connectionLost)
    #expect(second.names.filter { $0 == "insert" }.count == 2)
    let asking = FaultPlan(asking: { _, name in name == "commit" ? .serverError : nil })
    let failure = try #require(await run(asking) as? TransactionError)
    #expect(asking.hasFired)
    #expect(failure.step == .commit)
    #expect(failure.commitOutcomeUnknown == false)
  }

  @Test("a plan is read from its text")
  func text() {
    #expect(FaultPlan("7:cut-after-send") != nil)
    #expect(FaultPlan("7:kill") != nil)
    #expect(FaultPlan("commit:stop") != nil)
    #expect(FaultPlan("commit#2:kill") != nil)
    for wrong in [
      "", "7", "0:kill", "-1:kill", "commit#0:kill", "commit#x:kill", ":kill", "7:unheard-of",
    ] {
      #expect(FaultPlan(wrong) == nil)
    }
  }

  @Test("a planned kill ends the process at once, before or after the server has acted")
  func kill() async {
    await #expect(processExitsWith: .signal(9)) {
      let plan = FaultPlan(failing: 4, by: .kill)
      try await withConnection({ $0.faultPlan = plan }) { try $0.execute(sql: "select 1") }
    }
    await #expect(processExitsWith: .signal(9)) {
      let plan = FaultPlan(failing: 4, by: .killAfterSend)
      try await withConnection({ $0.faultPlan = plan }) { try $0.execute(sql: "select 1") }
    }
  }
}
