import Glibc

/// The socket of a server, asked whether anybody listens.
enum ServerSocket {
  /// Its path in a folder.
  static func path(in folder: String) -> String { "\(folder)/.s.PGSQL.\(PrivateCluster.port)" }

  /// Its lock file.
  static func lockFile(in folder: String) -> String { path(in: folder) + ".lock" }

  /// Who listens: the process, 0 where it has no number here, as from within another container; nil
  /// if nobody does.
  ///
  /// Nothing is said, so that whether it would let anybody in does not matter.
  static func listener(in folder: String) -> Int32? {
    guard var address = address(path(in: folder)) else { return nil }
    let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
    guard client >= 0 else { return nil }
    defer { close(client) }
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, length) }
    }
    guard result == 0 else {
      // More wait already than it lets wait: it lives, and does not get round to them.
      return errno == EAGAIN ? 0 : nil
    }
    // `struct ucred`, which Glibc does not show.
    var peer: (processID: pid_t, user: uid_t, group: gid_t) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: peer))
    guard getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else { return 0 }
    return peer.processID
  }

  private static func address(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
      guard bytes.count < place.count else { return false }
      place.copyBytes(from: bytes)
      return true
    }
    return fits ? address : nil
  }
}
