import Glibc

/// The server process named by a cluster's `postmaster.pid`.
struct Postmaster {
  let processID: Int32
  /// Whether it accepts connections, as it says itself on the file's eighth line.
  let isReady: Bool

  /// The server that runs in `clusterFolder`, nil if the file is missing or stale.
  ///
  /// After a crash or a reboot the number in the file may have gone to some other program: it is
  /// the server only if it is alive, is a `postgres`, and works in that very folder: somebody's
  /// shell may well do the last.
  static func running(in clusterFolder: String) -> Postmaster? {
    guard let text = readText(clusterFolder + "/postmaster.pid") else { return nil }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, let processID = Int32(first), processID > 1,
      isServer(processID, in: absolutePath(clusterFolder))
    else { return nil }
    let state = lines.count > 7 ? lines[7].prefix { $0 != " " } : ""
    return Postmaster(processID: processID, isReady: state == "ready")
  }

  /// Removes what a dead server left that would keep a new one from starting.
  ///
  /// PostgreSQL recovers by itself from a `postmaster.pid` that names no process, but not from one
  /// whose number has gone to another program of the same user, or to a zombie nobody has
  /// collected. Children of a dead server that still work are noticed all the same, by their shared
  /// memory. Nor does it recover from a file that is empty or garbage, as a crash of the machine
  /// leaves it; that one goes once nothing works in the folder any more, since it names no shared
  /// memory. The socket's lock file says nothing that `postmaster.pid` does not: nobody else may
  /// enter its folder.
  static func removeRemains(in clusterFolder: String, socketFolder: String) {
    guard running(in: clusterFolder) == nil else { return }
    let path = clusterFolder + "/postmaster.pid"
    if let text = readText(path) {
      let named = Int32(text.prefix { $0.isNumber }) ?? 0
      let isInTheWay = named > 0 ? kill(named, 0) == 0 : !isOccupied(clusterFolder)
      if isInTheWay { unlink(path) }
    }
    unlink(socketFolder + "/.s.PGSQL.\(PrivateCluster.port).lock")
  }

  /// Whether a server or a child of one works in the folder.
  private static func isOccupied(_ clusterFolder: String) -> Bool {
    let folder = absolutePath(clusterFolder)
    return entries(of: "/proc").contains { name in
      Int32(name).map { isServer($0, in: folder) } ?? false
    }
  }

  private static func isServer(_ processID: Int32, in folder: String) -> Bool {
    guard target("/proc/\(processID)/cwd") == folder else { return false }
    // The file may have been replaced by a newer one, or removed, since it was started.
    let program = target("/proc/\(processID)/exe")?.split(separator: "/").last
    return program == "postgres" || program == "postgres (deleted)"
  }

  private static func target(_ link: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}

extension PrivateCluster {
  /// Kills the server and waits for its end, without a program's help: the last resort of tests.
  package func kill() {
    guard let postmaster = try? asOwner({ Postmaster.running(in: clusterFolder) }) else { return }
    // SIGQUIT makes it end its children too, which SIGKILL would leave to notice by themselves.
    Glibc.kill(postmaster.processID, SIGQUIT)
    for _ in 0..<500 {
      guard (try? asOwner { Postmaster.running(in: clusterFolder) }) != nil else { return }
      usleep(10_000)
    }
  }
}
