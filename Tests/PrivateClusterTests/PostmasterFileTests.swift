import Glibc
import TestSupport
import Testing

@testable import PrivateCluster

@Suite("What a crash leaves of a server's file keeps nobody out")
struct PostmasterFileTests {
  /// Writes the file as the server's user would have.
  private static func write(_ text: String, into cluster: PrivateCluster) throws {
    try cluster.asOwner {
      let path = cluster.clusterFolder + "/postmaster.pid"
      unlink(path)
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
      #expect(descriptor >= 0)
      let bytes = Array(text.utf8)
      #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
      close(descriptor)
    }
  }

  @Test("an empty, a truncated and a garbage file are removed, and the server starts")
  func garbage() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    for text in ["", "\n", "garbage\n", "\0\0\0\0", "-", "0\n", "99999999999999\n", "12"] {
      try await cluster.stop(.immediate)
      try Self.write(text, into: cluster)
      #expect(try cluster.status() == .stopped, "\(text.debugDescription)")
      try await cluster.start()
      guard case .running = try cluster.status() else {
        Issue.record("not running after \(text.debugDescription)")
        continue
      }
    }
    try await tests.discard()
  }

  @Test("a server whose socket is gone is not said to run, and is there again once it was stopped")
  func lostSocket() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    try cluster.asOwner { _ = unlink(cluster.socketFolder + "/.s.PGSQL.\(PrivateCluster.port)") }
    await #expect(throws: ClusterError.self) { try await cluster.start() }
    try await cluster.stop()
    try await cluster.start()
    try await tests.discard()
  }

  @Test("a process that works in the folder and is no server is neither taken for one nor ended")
  func stranger() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    try await cluster.stop()
    let folder = cluster.clusterFolder
    let result = try await CommandRun.run(
      "/bin/sh", ["-c", "cd '\(folder)' && exec sleep 1000"]
    ) { sleeper in
      try await waitUntil("the sleeper is one") {
        readText("/proc/\(sleeper.processID)/comm") == "sleep\n"
      }
      for text in ["", "\(sleeper.processID)\n\(folder)\n1\n5432\n/x\n\n1 1\nready\n"] {
        try Self.write(text, into: cluster)
        #expect(try cluster.status() == .stopped)
        try await cluster.stop()
        #expect(sleeper.isAtWork)
        try await cluster.start()
        guard case .running = try cluster.status() else {
          Issue.record("not running after \(text.debugDescription)")
          continue
        }
        try await cluster.stop()
      }
      #expect(sleeper.isAtWork)
      sleeper.send(SIGKILL)
    }
    #expect(result.exitCode == 128 + Int(SIGKILL))
    try await tests.discard()
  }

  @Test("the file of a server that lives stays, however little it says")
  func alive() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    let path = cluster.clusterFolder + "/postmaster.pid"
    let whole = try #require(try cluster.asOwner { readText(path) })
    for text in ["", "garbage", "1234567\n"] {
      try Self.write(text, into: cluster)
      #expect(try cluster.asOwner { try cluster.evidence().life() } != .none)
      let owner = try Owner.ofCluster(in: cluster.rootFolder)
      #expect(try owner.acting { try ServerLock.take(in: cluster.clusterFolder) } == nil)
      #expect(exists(path))
    }
    try Self.write(whole, into: cluster)
    guard case .running = try cluster.status() else {
      Issue.record("the server is gone")
      return
    }
    try await tests.discard()
  }
}
