import Glibc
import Problems

/// The sign of life of a cluster's server: `flock` on its `PG_VERSION`, held for as long as the
/// server or one of its children lives.
///
/// The server inherits the descriptor, since PostgreSQL leaves alone what it does not know, and the
/// kernel gives the lock back with the last process that has it. So it needs neither `/proc` nor a
/// number of a process nor a path, and is seen from other containers, from other names of the
/// folder, and by root and users alike. The file is one that no cluster is without.
struct ServerLock {
  /// What a server that has the lock was started with: PostgreSQL keeps it in `postmaster.opts`.
  static let mark = "closebell.lock=held"

  /// Open until it is given on.
  let descriptor: Int32

  /// The lock, nil if somebody has it.
  static func take(in clusterFolder: String) throws -> ServerLock? {
    let descriptor = try open(in: clusterFolder)
    if try lock(descriptor, LOCK_EX, in: clusterFolder) {
      return ServerLock(descriptor: descriptor)
    }
    close(descriptor)
    return nil
  }

  /// Whether a server, or somebody who is about to start one, has the lock.
  static func isHeld(in clusterFolder: String) throws -> Bool {
    let descriptor = try open(in: clusterFolder)
    defer { close(descriptor) }
    return try !lock(descriptor, LOCK_SH, in: clusterFolder)
  }

  /// Closes this process's descriptor; a server that inherited it keeps the lock.
  func release() { close(descriptor) }

  /// Whether the last server of the cluster, alive or dead, was started with the lock.
  static func marksLastServer(in clusterFolder: String) -> Bool {
    readText(clusterFolder + "/postmaster.opts")?.contains("\"\(mark)\"") ?? false
  }

  private static func path(in clusterFolder: String) -> String { clusterFolder + "/PG_VERSION" }

  /// Some network file systems lock only what is open for writing.
  private static func open(in clusterFolder: String) throws -> Int32 {
    let path = path(in: clusterFolder)
    for access in [O_RDWR, O_RDONLY] {
      let descriptor = Glibc.open(path, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      if descriptor >= 0 { return descriptor }
    }
    throw ClusterError(
      .folder, "cannot open \(path): \(errorText(errno))",
      remedy: "run as the folder's owner, or restore it from a backup")
  }

  private static func lock(
    _ descriptor: Int32, _ operation: Int32, in clusterFolder: String
  ) throws -> Bool {
    while flock(descriptor, operation | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      guard errno == EINTR else {
        throw ClusterError(
          .folder, "cannot lock \(path(in: clusterFolder)): \(errorText(errno))",
          remedy: "choose a folder on another file system with \(.setting(.home))")
      }
    }
    return true
  }
}
