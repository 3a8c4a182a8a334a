import Glibc
import PrivateCluster

/// A server of a benchmark's own, made afresh and removed afterwards.
enum BenchServer {
  /// Runs `body` with the server's address, a folder for the workload, and the server's log.
  ///
  /// - Parameter name: Tells benchmarks apart that run at once.
  static func run(
    _ name: String,
    _ body: (_ url: String, _ workload: String, _ logFile: String) async throws -> Void
  ) async throws {
    let home = "/tmp/\(name)-\(getuid())"
    let workload = home + "-workload"
    _ = try MeasuredCommand.run(["rm", "-rf", home, workload])
    setenv("CLOSEBELL_HOME", home, 1)
    let cluster = PrivateCluster(dataFolder: home)
    let url = try await cluster.start()
    do {
      try await body(url, workload, cluster.logFile)
    } catch {
      try? await cluster.stop()
      throw error
    }
    try await cluster.stop()
    _ = try MeasuredCommand.run(["rm", "-rf", home, workload])
  }
}
