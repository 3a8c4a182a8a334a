import Glibc
import TestSupport
import Testing

@testable import PrivateCluster

private let isRoot = geteuid() == 0

@Suite("A cluster is made whole, by whatever programs, and by us only")
struct MakingTests {
  /// A ground to make clusters on, with programs that stand in for PostgreSQL's.
  private struct Ground {
    let folder = ScratchFolder()
    let cluster: PrivateCluster
    let owner: Owner

    init() throws {
      chmod(folder.path, 0o755)
      cluster = PrivateCluster(dataFolder: folder.folder("home"))
      owner = try Owner.ofCluster(in: cluster.rootFolder)
    }

    /// The real programs, but for those that are scripts.
    func programs(_ scripts: [String: String]) async throws -> PostgresBinaries {
      let real = try await cluster.locateBinaries()
      let programs = folder.folder("bin")
      for name in ["initdb", "pg_ctl", "postgres"] {
        let text = scripts[name] ?? "exec \(real.folder)/\(name) \"$@\""
        chmod(ScratchFolder.file("\(programs)/\(name)", "#!/bin/sh\n\(text)\n"), 0o755)
      }
      return PostgresBinaries(folder: programs, version: real.version)
    }
  }

  @Test(
    "a program that ends well and has done nothing is not believed",
    arguments: ["initdb", "postgres"], ["exit 0", "cat"])
  func making(program: String, script: String) async throws {
    let ground = try Ground()
    let programs = try await ground.programs([program: script])
    await #expect(throws: ClusterError.self) {
      try await ground.cluster.initialize(owner: ground.owner, binaries: programs)
    }
    #expect(try ground.owner.acting { entries(of: ground.cluster.rootFolder) } == [])
  }

  @Test("nor is one that says that it started a server")
  func starting() async throws {
    let ground = try Ground()
    let programs = try await ground.programs(["pg_ctl": "exit 0"])
    try await ground.cluster.initialize(owner: ground.owner, binaries: programs)
    let refusal = await #expect(throws: ClusterError.self) {
      try await ground.cluster.launch(owner: ground.owner, binaries: programs)
    }
    #expect(refusal?.detail?.hasPrefix("nobody listens in") == true)
    try await ground.cluster.becomesStopped()
  }

  @Test("a server that does not keep its lock is ended")
  func unlocked() async throws {
    let ground = try Ground()
    let real = try await ground.cluster.locateBinaries()
    let closing = "exec \(real.folder)/pg_ctl \"$@\" 9<&-"
    let programs = try await ground.programs(["pg_ctl": closing])
    try await ground.cluster.initialize(owner: ground.owner, binaries: programs)
    try ground.cluster.prepareSocketFolder(owner: ground.owner)
    let refusal = await #expect(throws: ClusterError.self) {
      try await ground.cluster.launch(owner: ground.owner, binaries: programs)
    }
    #expect(refusal?.detail?.contains("PG_VERSION") == true, "\(String(describing: refusal))")
    try await ground.cluster.becomesStopped()
  }

  @Test("of what a killed first use left only that is removed, and at every start")
  func drafts() throws {
    let ground = try Ground()
    let root = ground.cluster.rootFolder
    mkdir(root, 0o755)
    chown(root, ground.owner.userID, ground.owner.groupID)
    let kept = [
      "data.new", "data.new-", "data.new-backup", "data.new.1", "data.new-1x", "data.new-٣",
      "data.new-2026",
    ]
    try ground.owner.acting {
      for name in kept + ["data.new-123", "data.new-0"] {
        mkdir("\(root)/\(name)", 0o700)
        ScratchFolder.file("\(root)/\(name)/PG_VERSION")
      }
      // A copy of books that have been in use.
      ScratchFolder.file("\(root)/data.new-2026/postmaster.opts")
    }
    try ground.cluster.removeDrafts(owner: ground.owner)
    #expect(try ground.owner.acting { entries(of: root) }.sorted() == kept.sorted())
  }

  @Test("whatever the umask is, the cluster is made and started", arguments: ["0777", "0277"])
  func umasks(umask: String) async throws {
    let users =
      isRoot
      ? ["exec", "exec setpriv --reuid=65534 --regid=65534 --clear-groups"]
      : [
        "exec"
      ]
    for user in users {
      let ground = ScratchFolder()
      chmod(ground.path, 0o755)
      let above = ground.folder("above")
      if user != "exec" { chown(above, 65_534, 65_534) }
      for word in ["start", "status", "stop", "start", "stop"] {
        let run = try await CommandRun.run(
          "/bin/sh", ["-c", "umask \(umask); \(user) '\(CommandRun.closebell)' postgres \(word)"],
          environment: ["CLOSEBELL_HOME": above + "/below/home"])
        #expect(run.exitCode == 0, "\(umask) \(user) \(word): \(run.standardError)")
      }
    }
  }

  @Test("a path has one name before its folders are made and after")
  func paths() {
    let ground = ScratchFolder()
    let base = ground.path
    mkdir(base + "/real", 0o700)
    mkdir(base + "/real/deep", 0o700)
    symlink(base + "/real/deep", base + "/link")
    let names = [
      "none/../home": "home", "none/none/../../home": "home", "./none/./home/": "none/home",
      "link/../home": "real/home", "link/home": "real/deep/home", "none/../link/x": "real/deep/x",
      "none//home": "none/home",
    ]
    for (name, place) in names {
      #expect(absolutePath("\(base)/\(name)") == "\(base)/\(place)")
    }
    mkdir(base + "/none", 0o700)
    mkdir(base + "/none/none", 0o700)
    for (name, place) in names {
      #expect(absolutePath("\(base)/\(name)") == "\(base)/\(place)")
    }
    #expect(absolutePath("/../..") == "/")
  }
}

extension PrivateCluster {
  /// Waits until no server is there any more.
  ///
  /// A child that somebody else's test forks at this moment has our descriptors, and with them the
  /// lock, until it becomes another program.
  fileprivate func becomesStopped() async throws {
    try await waitUntil("no server is there") { try status() == .stopped }
  }
}
