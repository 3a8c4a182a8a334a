import Glibc
import Postgres
import Synchronization
import TestSupport

/// What falls on processes while they work: kills, lost connections, stalls, and a server that
/// crashes.
///
/// It knows nothing of what the processes do, so that the same storm can be sent over two ways of
/// closing a night.
final class Storm: Sendable {
  /// What has happened so far.
  struct Counts: Sendable {
    var kills = 0
    var terminations = 0
    var crashes = 0
    var stalls = 0
    var processes = 0
  }

  /// What is done with a process while it runs.
  typealias Watch = @Sendable (CommandRun.Running) async throws -> Void

  /// Begins one process; whatever it does, it goes on until it ends or is ended.
  typealias Launch = @Sendable (_ whileRunning: @escaping Watch) async throws -> CommandRun

  /// Processes of one kind.
  struct Party: Sendable {
    /// How many run at a time.
    var width: Int
    /// Begins the next one.
    var launch: Launch
    /// Whether no more of them begin.
    var isOver: @Sendable () -> Bool = { false }
  }

  private let cluster: TestCluster
  private let url: String
  private let counts = Mutex(Counts())
  private let random: Mutex<SeededGenerator>
  private let isCrashing = Mutex(false)
  /// Connections made before are spared: an owner who is held up must be able to wake.
  private let since = Mutex("")

  init(_ cluster: TestCluster, url: String, stream: UInt64) {
    self.cluster = cluster
    self.url = url
    random = Mutex(SeededGenerator(stream: stream))
  }

  var soFar: Counts { counts.withLock { $0 } }

  private func draw(_ range: ClosedRange<Int>) -> Int {
    random.withLock { Int.random(in: range, using: &$0) }
  }

  /// Lets processes come and go until what is wanted has come to pass.
  func rage(_ parties: [Party], until isDone: @escaping @Sendable () -> Bool) async throws {
    let now = try await look { db in try db.row(Self.now) { try $0.nextString() } ?? "" }
    since.withLock { $0 = now ?? "" }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for party in parties {
        for _ in 0..<party.width {
          group.addTask { [self] in
            while !isDone(), !party.isOver() { try await oneProcess(party.launch) }
          }
        }
      }
      group.addTask { [self] in
        while !isDone() {
          try await Task.sleep(for: .milliseconds(draw(60...200)))
          try await terminateOne()
        }
      }
      for try await _ in group {}  // the first error ends the others
    }
  }

  /// Ends the server as a power cut would, and starts it again.
  func crash() async throws {
    isCrashing.withLock { $0 = true }
    try await cluster.crash()
    try await cluster.start()
    isCrashing.withLock { $0 = false }
    counts.withLock { $0.crashes += 1 }
  }

  private func oneProcess(_ launch: Launch) async throws {
    counts.withLock { $0.processes += 1 }
    let fate = draw(0...9)
    let delay = draw(20...350)
    let stall = draw(1_200...1_900)
    let run = try await launch { [self] process in
      try await Task.sleep(for: .milliseconds(delay))
      guard process.isAtWork else { return }
      switch fate {
      case 0...4: process.send(SIGKILL)
      case 5...7:
        process.send(SIGSTOP)
        counts.withLock { $0.stalls += 1 }
        try await Task.sleep(for: .milliseconds(stall))
        process.send(SIGCONT)
      default: break
      }
    }
    if run.exitCode == 137 { counts.withLock { $0.kills += 1 } }
  }

  private func terminateOne() async throws {
    guard !isCrashing.withLock({ $0 }) else { return }
    let spared = since.withLock { $0 }
    let ended = try await look { db in
      try db.row(Self.terminate, spared) { try $0.nextInt64() } ?? 0
    }
    counts.withLock { $0.terminations += Int(ended ?? 0) }
  }

  /// Nil where the server has gone down meanwhile.
  private func look<R: Sendable>(
    _ body: @escaping @Sendable (isolated Connection) throws -> R
  ) async throws -> R? {
    do {
      let connection = try await Connection.connect(
        Configuration(conninfo: url, applicationName: "storm"))
      let result = try await connection.perform(body)
      await connection.close()
      return result
    } catch is PostgresError {
      return nil
    }
  }

  private static let now = Statement("now", "select pg_catalog.clock_timestamp()::text")
  private static let terminate = Statement(
    "terminate",
    """
    select count(*) filter (where pg_catalog.pg_terminate_backend(pid)) from (
      select pid from pg_catalog.pg_stat_activity
      where datname = pg_catalog.current_database() and backend_type = 'client backend'
        and application_name <> 'storm' and application_name <> 'closebell-tests'
        and backend_start > $1::text::timestamptz
      order by pg_catalog.random() limit 1) one
    """)
}

/// How often something was reached; counted by many at once.
final class Milestone: Sendable {
  private let passed = Atomic<Int>(0)

  var count: Int { passed.load(ordering: .sequentiallyConsistent) }

  func pass() { passed.add(1, ordering: .sequentiallyConsistent) }
}
