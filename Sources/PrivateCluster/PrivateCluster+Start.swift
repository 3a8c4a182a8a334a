import Glibc
import Problems

/// The start and the end of the server; the caller holds the cluster's lock.
extension PrivateCluster {
  /// Waits for a server that somebody else is bringing up or down.
  func waitWhileChanging() async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(600)
    while case .changing(let processID?) = try status() {
      guard clock.now < deadline else {
        throw ClusterError(
          .busy, "the private PostgreSQL server (process \(processID)) is not ready yet",
          remedy: "its log is \(logFile)")
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Starts the server with `pg_ctl`, which detaches it from this process, its terminal and pipes.
  ///
  /// Children of a server that was killed take a moment to notice; until then a start is refused,
  /// by the lock or by PostgreSQL.
  func launch(owner: Owner, binaries: PostgresBinaries) async throws {
    try owner.acting { if fileSize(logFile) > 4 << 20 { rename(logFile, logFile + ".1") } }
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(15)
    while true {
      let refusal = try await refusalToStart(owner: owner, binaries: binaries)
      guard let refusal else { return }
      guard refusal.isPassing, clock.now < deadline else { throw refusal.error }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  /// Tries once, and says why it did not start; nil if it runs, with its lock.
  private func refusalToStart(
    owner: Owner, binaries: PostgresBinaries
  ) async throws -> (isPassing: Bool, error: ClusterError)? {
    let logStart = try owner.acting { fileSize(logFile) }
    guard let lock = try owner.acting({ try lockToStart() }) else { return (true, stillHeld) }
    let options = "-c unix_socket_directories=" + shellQuoted("\"\(socketFolder)\"")
    let outcome: PostgresBinaries.Outcome
    do {
      defer { lock.release() }
      outcome = try await binaries.start(
        ["-D", clusterFolder, "-l", logFile, "-o", options + " -c \(ServerLock.mark)"]
          + ["-s", "-w", "-t", "600", "start"], as: owner, leaving: lock)
    }
    if outcome.succeeded {
      try await requireStarted(owner: owner, binaries: binaries)
      return nil
    }
    let log = try owner.acting { readText(logFile, from: logStart) ?? "" }
    let error = ClusterError(
      .failed, "the private PostgreSQL server did not start",
      detail: oneLine(log.isEmpty ? outcome.message : log), remedy: "its log is \(logFile)")
    return (Self.passing.contains { log.contains($0) }, error)
  }

  /// The lock for a new server, with what a dead one left out of its way; nil while one may live.
  private func lockToStart() throws -> ServerLock? {
    guard let lock = try ServerLock.take(in: clusterFolder) else { return nil }
    do {
      let evidence = evidence()
      guard try evidence.life(holdingLock: true) == .none else {
        lock.release()
        return nil
      }
      evidence.removeRemains()
      return lock
    } catch {
      lock.release()
      throw error
    }
  }

  /// What PostgreSQL says while children of a dead server are still there.
  private static let passing = ["is still in use", "\" is empty", "bogus data in lock file"]

  /// What keeps a new server out, where none is seen.
  var stillHeld: ClusterError {
    ClusterError(
      .busy, "something still works on \(clusterFolder): a server, or what one left behind",
      remedy: """
        it holds \(clusterFolder)/PG_VERSION or its shared memory; end it where it was started, \
        such as in a container (fuser -v tells who)
        """)
  }

  /// Looks whether a server that is said to run does, and has its lock; one without is ended again.
  private func requireStarted(owner: Owner, binaries: PostgresBinaries) async throws {
    let (isLocked, listener) = try owner.acting {
      (try ServerLock.isHeld(in: clusterFolder), ServerSocket.listener(in: socketFolder))
    }
    if isLocked, listener != nil { return }
    if listener != nil {
      _ = try await binaries.run(
        "pg_ctl", ["-D", clusterFolder, "-m", "fast", "-w", "-t", "600", "stop"], as: owner)
    }
    throw ClusterError(
      .failed, "pg_ctl says that the private PostgreSQL server runs, and it does not as it should",
      detail: listener == nil
        ? "nobody listens in \(socketFolder)"
        : "it did not keep \(clusterFolder)/PG_VERSION locked, and was stopped",
      remedy: "its log is \(logFile), and its programs are in \(binaries.folder)")
  }

  /// Whether there is a server to stop; refuses one that signals from here would not reach, since
  /// its number means another process here.
  func requireStoppable() throws -> Bool {
    let evidence = evidence()
    switch try evidence.life() {
    case .none: return false
    case .server(let processID, _) where evidence.mayStop(processID): return true
    case .held: throw stillHeld
    case .server:
      throw ClusterError(
        .busy, "the private PostgreSQL server on \(clusterFolder) cannot be stopped from here",
        detail: "its number in postmaster.pid is not that of the process that answers",
        remedy: "stop it where it was started, such as in its container")
    }
  }

  /// Waits a little for the last processes of a server that was told to end.
  func isGone(owner: Owner) async throws -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(15)
    while try owner.acting({ try evidence().life() }) != .none {
      guard clock.now < deadline else { return false }
      try await Task.sleep(for: .milliseconds(20))
    }
    return true
  }

  /// Kills the server and waits for its end, without a program's help: the last resort of tests.
  package func kill() {
    func server() -> Int32? {
      guard exists(clusterFolder),
        case .server(let processID, _)? = try? asOwner({ try evidence().life() })
      else { return nil }
      return processID
    }
    guard let processID = server() else { return }
    // SIGQUIT makes it end its children too, which SIGKILL would leave to notice by themselves.
    Glibc.kill(processID, SIGQUIT)
    for _ in 0..<500 {
      guard server() != nil else { return }
      usleep(10_000)
    }
  }

  private func shellQuoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
