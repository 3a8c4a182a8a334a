import Glibc
import Problems

/// What is known about the life of a cluster's server.
enum ServerLife: Equatable {
  /// No server and no child of one works on the folder.
  case none
  /// A server lives.
  ///
  /// The process is nil where it has no number here, as within another container; it is ready when
  /// it says so and can be reached.
  case server(processID: Int32?, isReady: Bool)
  /// Something holds the folder, and no server is seen: children that outlived theirs, or one in
  /// another container that does not listen yet.
  case held
}

/// The ways to find out whether a server lives, in the order in which they prove something.
///
/// Whoever may live is alive: two servers on one folder lose rows. So a server is dead only if
/// nobody listens on its socket, its lock can be had, its shared memory is not in use, and either
/// it had that lock or its process is known to be another. What is left between is an error that
/// says how to decide it.
struct ServerEvidence {
  private let clusterFolder: String
  private let socketFolders: [String]
  private let file: PostmasterFile?

  /// To be made and asked as the cluster's owner.
  init(clusterFolder: String, socketFolder: String) {
    self.clusterFolder = clusterFolder
    file = PostmasterFile(in: clusterFolder)
    // A server that sees the folder under another name may have its socket elsewhere.
    let others = [file?.socketFolder].compactMap(\.self).filter { $0 != socketFolder }
    socketFolders = [socketFolder] + others
  }

  /// What all of it says.
  ///
  /// - Parameter holdingLock: Whether the caller has the server's lock.
  func life(holdingLock: Bool = false) throws -> ServerLife {
    let isReady = file?.state == "ready"
    if let listener = socketFolders.lazy.compactMap(ServerSocket.listener).first {
      return .server(processID: listener > 0 ? listener : known, isReady: isReady)
    }
    if try !holdingLock && ServerLock.isHeld(in: clusterFolder) || file?.isMemoryInUse == true {
      return known.map { .server(processID: $0, isReady: isReady) } ?? .held
    }
    if ServerLock.marksLastServer(in: clusterFolder) { return .none }
    return try lifeWithoutLock()
  }

  /// Removes what a dead server left that would keep a new one from starting; the caller has the
  /// lock, and ``life(holdingLock:)`` is none.
  ///
  /// PostgreSQL recovers by itself from a `postmaster.pid` that names no process, and looks whether
  /// the shared memory it names is in use; such a file stays. It does not recover from one whose
  /// number has gone to another program of the same user, or to a zombie nobody has collected, nor
  /// from one that is empty or garbage, as a crash of the machine leaves it.
  func removeRemains() {
    guard let file else { return removeSocketLock() }
    if file.processID.map({ kill($0, 0) == 0 }) ?? true {
      unlink(PostmasterFile.path(in: clusterFolder))
    }
    removeSocketLock()
  }

  /// The process that the file names may be sent signals by `pg_ctl`: it is the server.
  func mayStop(_ processID: Int32?) -> Bool {
    processID != nil && processID == file?.processID
  }

  /// It says nothing that `postmaster.pid` does not: nobody else may enter the socket's folder.
  private func removeSocketLock() { unlink(ServerSocket.lockFile(in: socketFolders[0])) }

  /// The process that the file names, where it is the server for certain.
  private var known: Int32? {
    file?.processID.flatMap { Bearer(of: $0, in: clusterFolder) == .server ? $0 : nil }
  }

  /// Of a server that somebody started by hand, or an earlier version: it has no lock, and only its
  /// process can tell.
  ///
  /// Where its number is nobody's the file stays, and PostgreSQL looks at its shared memory. Else
  /// the file would be in the way and be removed, so that the server must be known to be dead.
  private func lifeWithoutLock() throws -> ServerLife {
    guard let file else { return .none }
    guard let named = file.processID else { return try lifeOfUnnamed() }
    switch Bearer(of: named, in: clusterFolder) {
    case .gone, .forbidden: return .none
    case .elsewhere where Self.seesAllProcesses: return .none
    case .server: return .server(processID: named, isReady: file.state == "ready")
    case .elsewhere, .here, .unknown: throw doubt("process \(named) is the server of")
    }
  }

  /// The same where the file names no process: any could be it.
  private func lifeOfUnnamed() throws -> ServerLife {
    for processID in entries(of: "/proc").compactMap({ Int32($0) }) {
      switch Bearer(of: processID, in: clusterFolder) {
      case .gone, .forbidden, .elsewhere: continue
      case .server: return .server(processID: processID, isReady: false)
      case .unknown where !Bearer.isOfOwner(processID, of: clusterFolder): continue
      case .here, .unknown: throw doubt("process \(processID) is the server of")
      }
    }
    guard Self.seesAllProcesses else { throw doubt("a server works on") }
    return .none
  }

  /// Whether all processes of this machine are in `/proc`, as they are not within a container.
  ///
  /// The number is the one that Linux gives its first list of processes.
  private static var seesAllProcesses: Bool {
    var list = stat()
    return stat("/proc/self/ns/pid", &list) == 0 && list.st_ino == 0xEFFF_FFFC
  }

  private func doubt(_ question: String) -> ClusterError {
    ClusterError(
      .inDoubt, "cannot tell whether \(question) \(clusterFolder)",
      remedy: """
        a server is stopped where it was started; if none works there, on this machine or in a \
        container, remove \
        \(PostmasterFile.path(in: clusterFolder))
        """)
  }
}

/// Who bears the number of a process that was a server's.
private enum Bearer {
  /// Nobody, or a zombie.
  case gone
  /// Another user's process: a server is its folder's owner's, as PostgreSQL takes it too.
  case forbidden
  /// A process that works in another folder.
  case elsewhere
  /// A `postgres` that works in the folder, as servers do.
  case server
  /// Another program that works in the folder, or a server by another name.
  case here
  /// A process of which the caller may not see where it works.
  case unknown

  init(of processID: Int32, in folder: String) {
    guard kill(processID, 0) == 0 else {
      self = errno == EPERM ? .forbidden : .gone
      return
    }
    var (place, wanted) = (stat(), stat())
    guard stat("/proc/\(processID)/cwd", &place) == 0, stat(folder, &wanted) == 0 else {
      self = Self.hasEnded(processID) ? .gone : .unknown
      return
    }
    // By what it is, and not by its path: a folder can have several.
    guard place.st_dev == wanted.st_dev, place.st_ino == wanted.st_ino else {
      self = .elsewhere
      return
    }
    // The file may have been replaced by a newer one, or removed, since it was started.
    let program = target("/proc/\(processID)/exe")?.split(separator: "/").last
    self = program == "postgres" || program == "postgres (deleted)" ? .server : .here
  }

  /// Whether a process is of the user whose folder it is.
  static func isOfOwner(_ processID: Int32, of folder: String) -> Bool {
    var owned = stat()
    guard stat(folder, &owned) == 0, let status = readText("/proc/\(processID)/status") else {
      return false
    }
    // The numbers are the real, the effective, the saved user, and that of the file system.
    let line = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }
    return line?.split(separator: "\t").dropFirst(2).first == Substring("\(owned.st_uid)")
  }

  private static func hasEnded(_ processID: Int32) -> Bool {
    guard let status = readText("/proc/\(processID)/stat"), let end = status.lastIndex(of: ")")
    else { return false }
    return status[end...].dropFirst(2).first.map { "ZX".contains($0) } ?? false
  }
}

private func target(_ link: String) -> String? {
  var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let count = readlink(link, &buffer, buffer.count)
  guard count > 0 else { return nil }
  return String(decoding: buffer[..<count], as: UTF8.self)
}
