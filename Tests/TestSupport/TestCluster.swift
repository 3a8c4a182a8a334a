import Glibc
public import PrivateCluster
import Synchronization

/// A PostgreSQL cluster that lives as long as the test process, in a folder of its own under
/// `/tmp`.
///
/// Nothing is synced to disk. Root's server runs as the user `postgres`. At exit the server is
/// ended and the folder removed; what a killed test process left behind goes when the next one
/// starts.
public actor TestCluster {
  /// The cluster most tests use, each with a database of its own.
  ///
  /// It is never to be crashed or stopped: other tests run on it at the same time.
  public static let shared = TestCluster()

  private nonisolated let cluster: PrivateCluster
  private var starting: Task<Void, any Error>?
  private var templates: [String: Task<String, any Error>] = [:]
  private var databaseCount = 0

  /// A cluster apart, for tests that crash or stop it; it starts on first use.
  public init() {
    let folder = Leftovers.newFolder()
    cluster = PrivateCluster(dataFolder: folder, settings: .throwaway)
  }

  /// The cluster underneath, for its folders and its status.
  public nonisolated var underlying: PrivateCluster { cluster }

  /// Connection URL of a database of this cluster.
  public nonisolated func url(database: String) -> String { cluster.url(database: database) }

  /// Starts the server if this test process has not done so yet, or again after ``crash()``.
  public func start() async throws {
    if let starting { return try await starting.value }
    let task = Task { [cluster] in
      Leftovers.sweepOnce()
      try await cluster.start()
    }
    starting = task
    try await task.value
  }

  /// Ends the server as a power cut would: no checkpoint, every connection lost.
  public func crash() async throws {
    try await cluster.stop(.immediate)
    starting = nil
  }

  /// Ends the server in good order; open connections are closed.
  public func stop() async throws {
    try await cluster.stop(.fast)
    starting = nil
  }

  /// Ends the server and removes its folder now instead of at exit.
  public func discard() async throws {
    try await stop()
    Leftovers.remove(cluster.dataFolder)
  }

  /// URL of a new empty database.
  public func freshDatabase() async throws -> String {
    try await freshDatabase(template: "template0")
  }

  /// URL of a new copy of the database named `template`, to which nobody may be connected.
  public func freshDatabase(template: String) async throws -> String {
    try await start()
    databaseCount += 1
    let name = "test_\(databaseCount)"
    try await run("create database \(name) template \(template)")
    return url(database: name)
  }

  /// URL of a new copy of a database that `prepare` fills once in the life of this cluster.
  ///
  /// - Parameters:
  ///   - name: Name of the template; the first caller's `prepare` counts.
  ///   - prepare: Fills the empty database at the URL it is given, and closes its connections.
  public func freshDatabase(
    template name: String, prepare: @escaping @Sendable (String) async throws -> Void
  ) async throws -> String {
    try await start()
    if templates[name] == nil {
      templates[name] = Task {
        try await run("create database \(name) template template0")
        try await prepare(url(database: name))
        return name
      }
    }
    guard let template = try await templates[name]?.value else { return "" }
    return try await freshDatabase(template: template)
  }

  /// Runs one statement with `psql` in the database `postgres`.
  private func run(_ statement: String) async throws {
    let psql = try await program("psql")
    let said = try await CommandRun.run(
      psql, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(database: "postgres"), "-c", statement])
    guard said.exitCode == 0 else { throw TestClusterError(message: said.standardError) }
  }

  /// Path of one of PostgreSQL's programs, such as `psql` or `pg_dump`.
  public func program(_ name: String) async throws -> String {
    try await cluster.locateBinaries().folder + "/" + name
  }
}

/// A statement of the test cluster's own failed.
struct TestClusterError: Error, CustomStringConvertible {
  let message: String
  var description: String { message }
}
