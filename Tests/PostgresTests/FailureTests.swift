import Postgres
import Problems
import Synchronization
import TestSupport
import Testing

/// Keeps what a notice handler is told.
private final class Heard: Sendable {
  private let notices = Mutex<[Notice]>([])

  var messages: [String] { notices.withLock { $0.map(\.message) } }

  func add(_ notice: Notice) { notices.withLock { $0.append(notice) } }
}

@Suite("Connections that fail, break, hang or are cancelled", .timeLimit(.minutes(5)))
struct FailureTests {
  private static let sleep = Statement("sleep", "select pg_sleep($1)::text")
  private static let one = Statement("one", "select 1")

  /// Waits until the connection's server process sleeps, as it was told to.
  private func waitUntilAsleep(_ connection: Connection) async throws {
    let pid = connection.backendPID
    let look = Statement(
      "asleep", "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'")
    try await waitUntil("session \(pid) sleeps") {
      try await withConnection { other in try other.row(look, pid) { try $0.nextInt64() } } == 1
    }
  }

  /// Ends the connection's server process from another connection.
  private func terminate(_ connection: Connection) async throws {
    let pid = connection.backendPID
    try await withConnection { other in
      let kill = Statement("kill", "select pg_terminate_backend($1, 5000)")
      _ = try other.row(kill, pid) { try $0.nextBool() }
    }
  }

  /// The error of connecting by this connection string.
  private func refusal(_ conninfo: String) async throws -> PostgresError? {
    try await postgresError {
      try await Connection.connect(
        Configuration(conninfo: conninfo, applicationName: "postgres-tests"))
    }
  }

  @Test("nobody listening: host, user and database are named")
  func nobodyThere() async throws {
    let error = try await refusal("postgresql://teller:hush@127.0.0.1:1/books")
    #expect(error?.kind == .connectFailed)
    #expect(error?.reachedServer == false)
    #expect(error?.mayRetry == true)
    let text = error?.description ?? ""
    for word in ["127.0.0.1:1", "\"teller\"", "\"books\"", "Connection refused"] {
      #expect(text.contains(word))
    }
    #expect(!text.contains("hush"))
  }

  @Test("a database that does not exist is no reason to try again")
  func noSuchDatabase() async throws {
    try await TestCluster.shared.start()
    let error = try await refusal(TestCluster.shared.url(database: "nowhere_at_all"))
    #expect(error?.sqlState == "3D000")
    #expect(error?.mayRetry == false)
    #expect(error?.reachedServer == true)
  }

  @Test("a wrong password is refused, and is not repeated in the error")
  func wrongPassword() async throws {
    let server = try #require(FakeServer(.refusePassword))
    let error = try await refusal(server.conninfo(password: "open-sesame"))
    #expect(error?.sqlState == "28P01")
    #expect(error?.mayRetry == false)
    #expect(error?.description.contains("sesame") == false)
    #expect(error?.description.contains("password authentication failed") == true)
  }

  @Test("what a server says while one logs in reaches our handler, and nothing is printed")
  func noticesWhileConnecting() async throws {
    let server = try #require(FakeServer(.shout))
    let heard = Heard()
    var configuration = Configuration(
      conninfo: server.conninfo(password: "x"), applicationName: "postgres-tests")
    configuration.onNotice = { heard.add($0) }
    let error = try await postgresError { [configuration] in
      try await Connection.connect(configuration)
    }
    #expect(error?.sqlState == "57P03" || error?.kind == .connectFailed)
    #expect(heard.messages == ["\u{1B}]0;shouted\u{7}\u{1B}[2J"])
  }

  @Test(
    "each host has its time, whether it takes the connection or not, and then the next is tried")
  func severalHosts() async throws {
    let dumb = try #require(FakeServer(.sayNothing))
    let full = try #require(FullServer())
    try await TestCluster.shared.start()
    let there = try #require(
      TestCluster.shared.url(database: "postgres").split(separator: "host=").last)
    let folder = try #require(there.split(separator: "&").first).replacing("%2F", with: "/")
    let conninfo = """
      host=127.0.0.1,127.0.0.1,127.0.0.1,\(folder) port=1,\(dumb.port),\(full.port),5432 \
      user=closebell dbname=postgres connect_timeout=2 gssencmode=disable
      """
    let connection = try await Connection.connect(
      Configuration(conninfo: conninfo, applicationName: "postgres-tests"))
    try await connection.perform { try $0.execute(sql: "select 1") }
    await connection.close()
    let error = try await refusal(
      """
      host=127.0.0.1,127.0.0.1 port=\(dumb.port),\(full.port) user=x dbname=y connect_timeout=2 \
      gssencmode=disable
      """)
    let text = error?.detail ?? ""
    for port in [dumb.port, full.port] {
      #expect(text.contains("port \(port) failed: timeout expired"), "\(text)")
    }
    #expect(error?.reachedServer == false && error?.mayRetry == true)
    let none = try await refusal("host=127.0.0.1 port=\(dumb.port) connect_timeout=soon")
    #expect(none?.sqlState == "F0000" && none?.mayRetry == false)
  }

  @Test("secrets are left out of what is shown of a connection string")
  func redaction() async throws {
    func shown(_ conninfo: String) -> String {
      Configuration(conninfo: conninfo, applicationName: "x").redacted
    }
    #expect(shown("host=h user=u password=hush sslpassword=hush2") == "user=u host=h")
    #expect(shown("postgresql://u:hush@h:5/d?connect_timeout=3").contains("hush") == false)
    #expect(shown("postgresql://u:hush@h:5/d").contains("dbname=d"))
    #expect(shown("host=h pass word=hush").contains("hush") == false)
    #expect(shown("books") == "dbname=books")
    let error = try await refusal("host=h pass word=hush")
    #expect(error?.description.contains("hush") == false)
    #expect(error?.kind == .connectFailed)
  }

  @Test("a connection across a network that does not verify the server warns, a local one not")
  func unverified() async throws {
    let server = try #require(FakeServer(.fallSilent))
    let heard = Heard()
    let local = server.conninfo(password: "x")
    for conninfo in [
      local, local.replacing("host=127.0.0.1", with: "host=books hostaddr=127.0.0.1"),
    ] {
      let connection = try await Connection.connect(
        Configuration(
          conninfo: conninfo, applicationName: "postgres-tests", onExposure: { heard.add($0) }))
      await connection.close()
    }
    let other = try #require(FakeServer(.refusePassword))
    let refusing = other.conninfo(password: "x").replacing(
      "host=127.0.0.1", with: "host=ledgers hostaddr=127.0.0.1")
    _ = try await postgresError {
      try await Connection.connect(
        Configuration(
          conninfo: refusing, applicationName: "postgres-tests", onExposure: { heard.add($0) }))
    }
    #expect(
      heard.messages
        == ["books", "ledgers"].map {
          "the connection to \($0) does not verify the server (sslmode=disable), and the password "
            + "may have gone in clear"
        })
  }

  @Test("a server process killed in the middle of a statement: lost, and it may have acted")
  func killedMidQuery() async throws {
    let connection = try await Connection.connect(try await testConfiguration())
    async let failure = postgresError {
      try await connection.perform { connection in
        try connection.row(Self.sleep, 3_600.0) { try $0.nextString() }
      }
    }
    try await waitUntilAsleep(connection)
    try await terminate(connection)
    let error = try await failure
    #expect(error?.kind == .connectionLost)
    #expect(error?.reachedServer == true)
    #expect(error?.connectionIsLost == true)
    #expect(error?.sqlState == "57P01")
    #expect(error?.mayRetry == true)
    #expect(connection.isUsable == false)
  }

  @Test("a server process killed while idle: lost, known not to have acted, and why")
  func killedWhileIdle() async throws {
    let connection = try await Connection.connect(try await testConfiguration())
    try await terminate(connection)
    let error = try await postgresError { try await connection.execute(Self.one) }
    #expect(error?.kind == .connectionLost)
    #expect(error?.reachedServer == false)
    #expect(error?.sqlState == "57P01")
    let second = try await postgresError { try await connection.execute(Self.one) }
    #expect(second?.kind == .connectionLost)
    #expect(second?.reachedServer == false)
  }

  @Test("a closed connection refuses, and closing twice is harmless")
  func closed() async throws {
    let connection = try await Connection.connect(try await testConfiguration())
    await connection.close()
    await connection.close()
    connection.cancel()
    #expect(connection.isUsable == false)
    let error = try await postgresError { try await connection.execute(Self.one) }
    #expect(error?.message == "the connection is closed")
    #expect(error?.reachedServer == false)
  }

  // MARK: time and cancellation

  @Test("cancelling the task cancels the statement on the server; the connection lives on")
  func taskCancelled() async throws {
    let connection = try await Connection.connect(try await testConfiguration())
    let task = Task {
      try await connection.perform { connection in
        _ = try connection.row(Self.sleep, 3_600.0) { try $0.nextString() }
      }
    }
    try await waitUntilAsleep(connection)
    task.cancel()
    let error = try await postgresError { try await task.value }
    #expect(error?.kind == .cancelled)
    #expect(error?.mayRetry == false)
    try await connection.perform { try $0.execute(sql: "select pg_sleep(0.3)") }
    await connection.close()
  }

  @Test("after a cancellation no further statement is sent, but the rollback is")
  func cancelledBetweenStatements() async throws {
    let plan = FaultPlan()
    let connection = try await Connection.connect(
      try await testConfiguration { $0.faultPlan = plan })
    let error = try await postgresError {
      try await connection.perform { connection in
        try connection.transaction { connection in
          connection.cancel()
          try connection.execute(sql: "select 1")
        }
      }
    }
    #expect(error?.kind == .cancelled)
    #expect(error?.reachedServer == false)
    #expect(plan.names.suffix(2) == ["begin", "rollback"])
    try await connection.perform { try $0.transaction { try $0.execute(sql: "select 1") } }
    await connection.close()
  }

  @Test("work that tidies up runs in a cancelled task if it asks to")
  func tidyingUp() async throws {
    let connection = try await Connection.connect(try await testConfiguration())
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      let refused = try await postgresError {
        try await connection.perform { try $0.execute(Self.one) }
      }
      let rows = try await connection.perform(heedsCancellation: false) { connection in
        try connection.execute(Self.one)
      }
      return (refused?.kind, rows)
    }
    let (kind, rows) = try await task.value
    #expect(kind == .cancelled)
    #expect(rows == 1)
    await connection.close()
  }

  @Test("a deadline stops the statement, and may be tried again")
  func deadline() async throws {
    let connection = try await Connection.connect(try await testConfiguration())
    let error = try await postgresError {
      try await connection.perform(timeout: .milliseconds(150)) { connection in
        _ = try connection.row(Self.sleep, 3_600.0) { try $0.nextString() }
      }
    }
    #expect(error?.kind == .timeout)
    #expect(error?.mayRetry == true)
    try await connection.perform(timeout: .seconds(30)) { try $0.execute(sql: "select 1") }
    await connection.close()
  }

  @Test("a server that falls silent is cut off a few seconds after the deadline")
  func silentServer() async throws {
    let server = try #require(FakeServer(.fallSilent))
    let connection = try await Connection.connect(
      Configuration(
        conninfo: server.conninfo(password: "x"), applicationName: "postgres-tests"))
    let error = try await postgresError {
      try await connection.perform(timeout: .milliseconds(50)) { try $0.execute(sql: "select 1") }
    }
    #expect(error?.kind == .timeout)
    #expect(error?.connectionIsLost == true)
    #expect(error?.reachedServer == true)
    #expect(connection.isUsable == false)
  }

  @Test("the session's statement time-out is ours, another's cancel request is not")
  func statementTimeout() async throws {
    let error = try await postgresError {
      try await withConnection({ $0.statementTimeoutMilliseconds = 100 }) { connection in
        try connection.row(Self.sleep, 3_600.0) { try $0.nextString() }
      }
    }
    #expect(error?.kind == .timeout)
    #expect(error?.sqlState == "57014")
    #expect(error?.mayRetry == true)
    let foreign = try await postgresError {
      try await withConnection { connection in
        try connection.execute(
          sql: "select pg_cancel_backend(pg_backend_pid()), pg_sleep(3600)")
      }
    }
    #expect(foreign?.kind == .server)
    #expect(foreign?.sqlState == "57014")
    #expect(foreign?.mayRetry == false)
  }

  @Test("a lock that another holds is waited for no longer than allowed")
  func lockTimeout() async throws {
    let holder = try await Connection.connect(try await testConfiguration())
    let key = Int64(holder.backendPID) << 20
    try await holder.execute(Statement("lock", "select pg_advisory_lock($1)"), key)
    let error = try await postgresError {
      try await withConnection({ $0.lockTimeoutMilliseconds = 100 }) { connection in
        try connection.execute(Statement("lock", "select pg_advisory_lock($1)"), key)
      }
    }
    #expect(error?.sqlState == "55P03")
    #expect(error?.mayRetry == true)
    await holder.close()
  }

  @Test("a COPY is interrupted too, and stores nothing")
  func cancelledCopy() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8)")
      let error = try postgresError {
        try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") { rows in
          for id in 0..<100_000 as Range<Int64> {
            if id == 5000 { connection.cancel() }
            rows.beginRow(1)
            rows.write(int64: id)
          }
        }
      }
      #expect(error?.kind == .cancelled)
      #expect(error?.statementName == "in")
    }
  }
}
