import PrivateCluster

extension TestCluster {
  /// A cluster apart that is a copy of this one's files, and runs.
  ///
  /// `pg_basebackup` takes it while this one runs: it has the same system identifier, and goes on
  /// with the same transaction numbers.
  ///
  /// - Parameter follows: Whether it goes on as an asynchronous standby of this one; else it is an
  ///   independent server from then on.
  public func copy(follows: Bool = false) async throws -> TestCluster {
    try await start()
    let copy = TestCluster()
    // Makes its folders, and who owns them.
    try await copy.start()
    try await copy.stop()
    let (new, old) = (copy.dataOfServer, dataOfServer)
    try await shell("rm -rf \(new)")
    let backup = try await CommandRun.run(
      try await program("pg_basebackup"),
      ["-D", new, "-X", "stream", "-c", "fast", "--no-sync", "-d", url(database: "postgres")]
        + (follows ? ["-R"] : []))
    guard backup.exitCode == 0 else { throw TestClusterError(message: backup.standardError) }
    try await shell("chown -R --reference=\(old) \(new) && chmod 700 \(new)")
    try await copy.start()
    return copy
  }

  /// The folder of its socket, as a connection string names a host.
  public nonisolated var socketFolder: String { underlying.socketFolder }

  private nonisolated var dataOfServer: String { underlying.dataFolder + "/postgres/data" }

  private func shell(_ command: String) async throws {
    let said = try await CommandRun.run("/bin/sh", ["-c", command])
    guard said.exitCode == 0 else { throw TestClusterError(message: said.standardError) }
  }
}
