import Glibc
import TestSupport
import Testing

@testable import PrivateCluster

private let isRoot = geteuid() == 0

extension PrivateCluster {
  /// What is known about the server, as its owner.
  fileprivate func life() throws -> ServerLife { try asOwner { try evidence().life() } }

  /// The text of `postmaster.pid`, nil if it is not there.
  fileprivate func pidFile() throws -> String? {
    try asOwner { readText(PostmasterFile.path(in: clusterFolder)) }
  }

  /// The process of a server that runs.
  fileprivate func server() throws -> Int32? {
    guard case .server(let processID, _) = try life() else { return nil }
    return processID
  }

  /// Runs `closebell postgres` on it, behind another program's words.
  fileprivate func command(
    _ word: String, through words: String = "exec", home: String? = nil
  ) async throws -> CommandRun {
    try await CommandRun.run(
      "/bin/sh", ["-c", "\(words) '\(CommandRun.closebell)' postgres \(word)"],
      environment: ["CLOSEBELL_HOME": home ?? dataFolder])
  }
}

@Suite("Never two servers on one folder, whoever looks, and from wherever")
struct ServerLifeTests {
  /// Looks, starts and stops in a way in which the server's process cannot be seen.
  private func expectSeen(
    _ cluster: PrivateCluster, through words: String, home: String? = nil
  ) async throws {
    let before = try cluster.pidFile()
    let status = try await cluster.command("status", through: words, home: home)
    #expect(status.exitCode == 0, "\(status.standardOutput)\(status.standardError)")
    let start = try await cluster.command("start", through: words, home: home)
    #expect(start.exitCode == 0, "\(start.standardError)")
    #expect(try cluster.pidFile() == before, "the same server, and its file as it was")
  }

  @Test("it is alive within another container's list of processes", .enabled(if: isRoot))
  func container() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    let inside = "exec unshare --pid --fork --mount-proc"
    try await expectSeen(cluster, through: inside)
    let before = try cluster.pidFile()
    // Its number means another process there.
    let stop = try await cluster.command("stop", through: inside)
    #expect(stop.exitCode == 78 && stop.standardError.contains("cannot be stopped from here"))
    // Nor is it dead where its socket is gone as well.
    try cluster.asOwner { _ = unlink(ServerSocket.path(in: cluster.socketFolder)) }
    let blind = try await cluster.command("start", through: inside)
    #expect(blind.exitCode == 78, "\(blind.standardError)")
    #expect(try cluster.pidFile() == before)
    #expect(try cluster.server() != nil)
    try await tests.discard()
  }

  @Test("it is alive where the folder has another name", .enabled(if: isRoot))
  func mounted() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    mkdir(ground.path + "/other", 0o755)
    let other = ground.path + "/other"
    let words =
      "exec unshare -m sh -c 'mount --bind \(cluster.dataFolder) \(other); exec \"$@\"' sh"
    try await expectSeen(cluster, through: words, home: other)
    try await tests.discard()
  }

  @Test("it is alive for a user who may not see where it works", .enabled(if: isRoot))
  func groups() async throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let home = ground.path + "/home"
    mkdir(home, 0o700)
    chown(home, 65_534, 65_534)
    let cluster = PrivateCluster(dataFolder: home)
    func user(_ group: Int) -> String {
      "exec setpriv --reuid=65534 --regid=\(group) --clear-groups"
    }
    let made = try await cluster.command("start", through: user(65_534))
    #expect(made.exitCode == 0, "\(made.standardError)")
    let file = home + "/postgres/data/postmaster.pid"
    let before = readText(file)
    for word in ["status", "start"] {
      let run = try await cluster.command(word, through: user(4_242))
      #expect(run.exitCode == 0, "\(run.standardError)")
    }
    #expect(readText(file) == before)
    unlink(home + "/postgres/run/.s.PGSQL.5432")
    let blind = try await cluster.command("start", through: user(4_242))
    #expect(blind.exitCode == 78, "\(blind.standardError)")
    #expect(readText(file) == before)
    let stop = try await cluster.command("stop", through: user(65_534))
    #expect(stop.exitCode == 0, "\(stop.standardError)")
    #expect(!exists(file))
  }

  @Test("it is alive under another program's name, with its socket gone and its file empty")
  func otherName() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    try await cluster.stop()
    let real = try await cluster.locateBinaries()
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let renamed = "cp \(real.folder)/postgres \(ground.path)/server; ln -s \(real.folder)/pg_ctl ."
    _ = try await CommandRun.run("/bin/sh", ["-c", "cd \(ground.path); \(renamed)"])
    // pg_ctl starts the postgres that lies beside it, wherever it was called by.
    let links = PostgresBinaries(folder: ground.path, version: real.version)
    let script = "#!/bin/sh\nexec \(ground.path)/server \"$@\"\n"
    chmod(ScratchFolder.file(ground.path + "/postgres", script), 0o755)
    unlink(ground.path + "/pg_ctl")
    let words = "#!/bin/sh\nexec \(real.folder)/pg_ctl -p \(ground.path)/postgres \"$@\"\n"
    chmod(ScratchFolder.file(ground.path + "/pg_ctl", words), 0o755)
    let owner = try Owner.ofCluster(in: cluster.rootFolder)
    try await cluster.launch(owner: owner, binaries: links)
    let process = try #require(try cluster.server())
    #expect(readText("/proc/\(process)/comm") == "server\n")
    try cluster.asOwner {
      _ = unlink(ServerSocket.path(in: cluster.socketFolder))
      _ = truncate(PostmasterFile.path(in: cluster.clusterFolder), 0)
    }
    #expect(try cluster.life() == .held)
    await #expect(throws: ClusterError.self) { try await cluster.start() }
    #expect(try cluster.pidFile() == "", "what it wrote about itself is not ours to remove")
    kill(process, SIGQUIT)
    try await waitUntil("it ended") { try cluster.life() == .none }
    try await cluster.start()
    try await tests.discard()
  }

  @Test("children that outlive a killed server keep a new one out until they end")
  func orphans() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    let server = try #require(try cluster.server())
    let children = (readText("/proc/\(server)/task/\(server)/children") ?? "").split(separator: " ")
    let child = try #require(children.compactMap { Int32($0) }.first)
    kill(child, SIGSTOP)
    kill(server, SIGKILL)
    try await waitUntil("the server is gone") { try cluster.server() == nil }
    #expect(try cluster.life() == .held)
    #expect(try cluster.status() == .changing(processID: nil))
    #expect(try cluster.asOwner { try ServerLock.take(in: cluster.clusterFolder) } == nil)
    kill(child, SIGCONT)
    try await cluster.start()
    #expect(try cluster.server() != server)
    try await tests.discard()
  }

  @Test("one that was started by hand has no lock, and is not taken for dead where in doubt")
  func byHand() async throws {
    let tests = TestCluster()
    let cluster = tests.underlying
    try await tests.start()
    try await cluster.stop()
    let owner = try Owner.ofCluster(in: cluster.rootFolder)
    let binaries = try await cluster.locateBinaries()
    let socket = "-c unix_socket_directories=\(cluster.socketFolder)"
    let byHand = try await binaries.run(
      "pg_ctl", ["-D", cluster.clusterFolder, "-l", "/dev/null", "-o", socket, "-w", "start"],
      as: owner)
    #expect(byHand.succeeded, "\(byHand.message)")
    #expect(try cluster.asOwner { try !ServerLock.isHeld(in: cluster.clusterFolder) })
    let process = try #require(try cluster.server())
    #expect(try cluster.status() == .running(processID: process))
    try cluster.asOwner {
      _ = unlink(ServerSocket.path(in: cluster.socketFolder))
      _ = truncate(PostmasterFile.path(in: cluster.clusterFolder), 0)
    }
    #expect(try cluster.life() == .server(processID: process, isReady: false))
    if isRoot {
      let elsewhere = "exec unshare --pid --fork --mount-proc --ipc"
      for word in ["status", "start", "stop"] {
        let run = try await cluster.command(word, through: elsewhere)
        #expect(run.exitCode == 78, "\(word): \(run.standardError)")
        #expect(run.standardError.contains("cannot tell whether a server works on"))
      }
      #expect(try cluster.pidFile() == "")
    }
    kill(process, SIGQUIT)
    try await waitUntil("it ended") { try cluster.life() == .none }
    // A number that may be its own, in a program that need not be PostgreSQL's.
    let result = try await CommandRun.run(
      "/bin/sh", ["-c", "cd '\(cluster.clusterFolder)' && exec sleep 1000"]
    ) { sleeper in
      try await waitUntil("the sleeper is one") {
        readText("/proc/\(sleeper.processID)/comm") == "sleep\n"
      }
      try cluster.asOwner {
        let path = PostmasterFile.path(in: cluster.clusterFolder)
        close(open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600))
        ScratchFolder.file(path, "\(sleeper.processID)\n")
      }
      let refusal = await #expect(throws: ClusterError.self) { try await cluster.start() }
      #expect(refusal?.kind == .inDoubt)
      #expect(refusal?.message.contains("process \(sleeper.processID) ") == true)
      #expect(refusal.map { "\($0)".contains("/postmaster.pid") } == true)
      #expect(try cluster.pidFile() == "\(sleeper.processID)\n")
      sleeper.send(SIGKILL)
    }
    #expect(result.exitCode == 128 + Int(SIGKILL))
    try await cluster.start()
    try await tests.discard()
  }

  @Test("twenty starts at once, some of them killed, make one server")
  func crowd() async throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    mkdir(ground.path + "/home", 0o755)
    let cluster = PrivateCluster(dataFolder: ground.path + "/home")
    try await withThrowingTaskGroup(of: CommandRun.self) { group in
      for number in 0..<20 {
        let kills = number % 5 == 4 ? "timeout -s KILL 0.\(number)" : "exec"
        group.addTask { try await cluster.command("start", through: kills) }
      }
      for try await run in group {
        #expect([0, 137].contains(run.exitCode), "\(run.standardError)")
      }
    }
    #expect(try await cluster.command("start").exitCode == 0)
    guard case .running = try cluster.status() else {
      Issue.record("it does not run")
      return
    }
    #expect(
      try cluster.asOwner { entries(of: cluster.rootFolder) }.sorted()
        == ["data", "run", "server.log"])
    try await cluster.stop(.immediate)
  }
}
