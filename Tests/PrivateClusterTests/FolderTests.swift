import Dispatch
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import PrivateCluster

extension ScratchFolder {
  /// Makes a folder in it and returns its path.
  func folder(_ name: String, mode: mode_t = 0o755) -> String {
    let folder = path + "/" + name
    mkdir(folder, 0o700)
    chmod(folder, mode)
    return folder
  }

  /// Writes a file and returns its path.
  @discardableResult
  static func file(_ path: String, _ text: String = "precious") -> String {
    guard let stream = fopen(path, "w") else { return path }
    fputs(text, stream)
    fclose(stream)
    return path
  }
}

private var isRoot: Bool { geteuid() == 0 }

@Suite("Nothing is reached through a folder that belongs to somebody else")
struct FolderTests {
  @Test("a folder that is swapped for a link while it is removed leads nowhere")
  func swapped() async {
    let ground = ScratchFolder()
    let (tree, precious) = (ground.folder("tree"), ground.folder("precious"))
    let inner = ground.folder("tree/inner")
    let count = 4_000
    for number in 0..<count {
      ScratchFolder.file("\(inner)/\(number)", "")
      ScratchFolder.file("\(precious)/\(number)", "")
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        // Once the removal is at it.
        while entries(of: inner).count == count {}
        rename(inner, tree + "/aside")
        symlink(precious, inner)
      }
      group.addTask { removeTree(tree) }
    }
    #expect(entries(of: precious).count == count)
  }

  @Test("the root folder has a name, and so has what would be kept in it")
  func rootFolder() {
    for path in ["/", "//", "/tmp/.."] {
      let cluster = PrivateCluster(dataFolder: path)
      #expect(cluster.dataFolder == "/" && cluster.logFile == "/postgres/server.log")
    }
  }

  @Test("a link is removed, and what it leads to stays")
  func linked() {
    let ground = ScratchFolder()
    let (tree, precious) = (ground.folder("tree"), ground.folder("precious"))
    ScratchFolder.file(precious + "/file")
    symlink(precious, tree + "/link")
    symlink(precious + "/file", tree + "/other")
    ScratchFolder.file(ground.folder("tree/deep") + "/file")
    removeTree(tree)
    #expect(entries(of: ground.path) == ["precious"])
    #expect(readText(precious + "/file") == "precious")
  }

  @Test(
    "root at work for a cluster's owner can do what the owner can, and is root again after it",
    .enabled(if: isRoot))
  func acting() throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let secret = ground.folder("root-only", mode: 0o700)
    ScratchFolder.file(secret + "/file")
    // A folder of root's group is root's as well.
    let shared = ground.folder("group", mode: 0o775)
    let owner = Owner(name: "nobody", userID: 65_534, groupID: 65_534)
    let theirs = ground.folder("theirs")
    chown(theirs, owner.userID, owner.groupID)
    let (isThere, mayLook, hasLooked) = (
      DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
    )
    let seen = Mutex<String?>(nil)
    DispatchQueue.global().async {
      isThere.signal()
      mayLook.wait()
      seen.withLock { $0 = readText(secret + "/file") }
      hasLooked.signal()
    }
    isThere.wait()
    try owner.acting {
      #expect(readText(secret + "/file") == nil)
      #expect(mkdir(shared + "/made", 0o700) != 0 && errno == EACCES)
      removeTree(secret)
      #expect(mkdir(theirs + "/made", 0o700) == 0)
      #expect(chown(theirs + "/made", 0, 0) != 0)
      // Only this thread is somebody else.
      mayLook.signal()
      hasLooked.wait()
      #expect(seen.withLock { $0 } == "precious")
    }
    var made = stat()
    #expect(stat(theirs + "/made", &made) == 0 && made.st_uid == owner.userID)
    #expect(readText(secret + "/file") == "precious")
    #expect(mkdir(shared + "/made", 0o700) == 0)
    #expect(chown(theirs + "/made", 0, 0) == 0)
    struct Expected: Error {}
    #expect(throws: Expected.self) { try owner.acting { throw Expected() } }
    #expect(readText(secret + "/file") == "precious", "an error brings root back too")
  }

  @Test("a first use that fails leaves nothing that takes room on a full disk")
  func failedCreation() async throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let programs = ground.folder("bin")
    let script = "#!/bin/sh\nmkdir \"$2\" && echo > \"$2/postgresql.conf\"\n"
    for (name, text) in [("initdb", script), ("postgres", "#!/bin/sh\necho full >&2\nexit 1\n")] {
      chmod(ScratchFolder.file("\(programs)/\(name)", text), 0o755)
    }
    let cluster = PrivateCluster(dataFolder: ground.folder("home"))
    let owner = try Owner.ofCluster(in: cluster.rootFolder)
    await #expect(throws: ClusterError.self) {
      try await cluster.initialize(
        owner: owner, binaries: PostgresBinaries(folder: programs, version: 15))
    }
    #expect(exists(cluster.rootFolder))
    #expect(entries(of: cluster.rootFolder) == [])
  }

  @Test(
    "root's folder can be passed by the server's user, whatever root's umask is",
    .enabled(if: isRoot))
  func umask() async throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let home = ground.path + "/above/home"
    let started = try await CommandRun.run(
      "/bin/sh", ["-c", "umask 077; exec '\(CommandRun.closebell)' postgres start"],
      environment: ["CLOSEBELL_HOME": home])
    #expect(started.exitCode == 0, "\(started.standardError)")
    try await PrivateCluster(dataFolder: home).stop(.immediate)
  }

  @Test(
    "root follows no link that another user made, nor one that another could lead elsewhere",
    .enabled(if: isRoot))
  func strangersLink() throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let target = ground.folder("target")
    let (sticky, closed, theirs) = (
      ground.folder("sticky"), ground.folder("closed"), ground.folder("theirs")
    )
    chmod(sticky, 0o1777)
    for folder in [sticky, closed, theirs] {
      symlink(target, folder + "/mine")
      symlink(target, folder + "/strange")
      lchown(folder + "/strange", 65_534, 65_534)
      symlink("strange", folder + "/indirect")
      symlink("../\(folder.split(separator: "/").last ?? "")/mine", folder + "/twice")
    }
    chown(theirs, 65_534, 65_534)
    for way in ["", "/below", "/none/../below"] {
      for path in [sticky + "/strange", sticky + "/indirect", theirs + "/mine", theirs + "/twice"] {
        #expect(throws: ClusterError.self, "\(path + way)") {
          try PrivateCluster(dataFolder: path + way).status()
        }
      }
      for path in [sticky + "/mine", sticky + "/twice", closed + "/mine", closed + "/strange"] {
        #expect(try PrivateCluster(dataFolder: path + way).status() == .absent, "\(path + way)")
      }
    }
    #expect(entries(of: target) == [])
  }

  @Test("a link that is led elsewhere after it was looked at is not followed")
  func movedLink() throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let places = [ground.folder("one"), ground.folder("other")]
    symlink(places[0], ground.path + "/link")
    let cluster = PrivateCluster(dataFolder: ground.path + "/link/home")
    #expect(try cluster.status() == .absent)
    unlink(ground.path + "/link")
    symlink(places[1], ground.path + "/link")
    #expect(throws: ClusterError.self) { try cluster.status() }
  }

  @Test(
    "without HOME the books are where the user's home is, and never in the folder of the moment")
  func homeless() throws {
    let nobody = try #require(getpwnam("nobody"))
    let home = String(cString: nobody.pointee.pw_dir)
    for environment in [[:], ["HOME": ""]] {
      let folder = PrivateCluster.defaultDataFolder(
        environment: environment, userID: nobody.pointee.pw_uid)
      #expect(folder == home + "/.local/share/closebell")
    }
    let unknown = PrivateCluster.defaultDataFolder(environment: [:], userID: 2_000_000_000)
    #expect(unknown == "/.local/share/closebell")
  }

  @Test("a cluster that lost a part is not taken for none")
  func damaged() throws {
    let ground = ScratchFolder()
    chmod(ground.path, 0o755)
    let cluster = PrivateCluster(dataFolder: ground.folder("home"))
    mkdir(cluster.rootFolder, 0o755)
    #expect(try cluster.status() == .absent)
    mkdir(cluster.clusterFolder, 0o755)
    #expect(try cluster.status() == .absent, "an empty folder is none")
    ScratchFolder.file(cluster.clusterFolder + "/books")
    #expect(throws: ClusterError.self) { try cluster.status() }
    #expect(readText(cluster.clusterFolder + "/books") == "precious")
  }

  @Test("a path that pg_ctl would wait for without end is refused")
  func unspeakable() async throws {
    let ground = ScratchFolder()
    for name in ["a\nb", "a\u{1B}b", "a\tb", "a$b", "a\"b"] {
      await #expect(throws: ClusterError.self) {
        try await PrivateCluster(dataFolder: ground.path + "/" + name).start()
      }
    }
    #expect(entries(of: ground.path) == [])
  }

  @Test("a home that others could have put a cluster into is refused, as ssh refuses one")
  func homes() throws {
    let ground = ScratchFolder()
    func kind(_ path: String) -> ClusterError.Kind? {
      do {
        #expect(try PrivateCluster(dataFolder: path).status() == .absent)
        return nil
      } catch {
        return (error as? ClusterError)?.kind
      }
    }
    #expect(kind(ground.folder("own", mode: 0o755)) == nil)
    #expect(kind(ground.folder("closed", mode: 0o700)) == nil)
    #expect(kind(ground.path + "/not-there/yet") == nil)
    #expect(kind(ground.folder("everybody's", mode: 0o777)) == .folder)
    #expect(kind(ground.folder("group's", mode: 0o770)) == .folder)
    #expect(kind(ground.folder("sticky", mode: 0o1777)) == .folder)
    #expect(kind("/tmp") == .folder)
    _ = ground.folder("open", mode: 0o777)
    #expect(kind(ground.folder("open/below", mode: 0o700)) == .folder)
    #expect(kind(ground.path + "/open/not-there") == .folder)
    _ = ground.folder("shared", mode: 0o1777)
    #expect(kind(ground.folder("shared/below", mode: 0o700)) == nil)
    let link = ground.path + "/link"
    symlink(ground.path + "/open/below", link)
    #expect(kind(link) == .folder, "what counts is where a link leads")
    guard isRoot else { return }
    chown(ground.folder("given"), 65_534, 65_534)
    #expect(kind(ground.path + "/given") == .folder)
    #expect(kind(ground.folder("given/below", mode: 0o700)) == .folder)
  }
}
