import Glibc
import Problems

/// The right to change a cluster, held by one process at a time: `flock` on a file.
///
/// The kernel gives it back when its holder dies. The descriptor is closed on `exec`, or the server
/// would inherit the lock and keep it.
struct ClusterLock {
  private let descriptor: Int32

  /// Waits for the lock without blocking a thread.
  static func acquire(path: String, within limit: Duration = .seconds(660)) async throws -> Self {
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
    var descriptor = open(path, flags, 0o600)
    if descriptor < 0, errno == EACCES {
      // Made under a umask that closes it to its own maker.
      chmod(path, 0o600)
      descriptor = open(path, flags, 0o600)
    }
    guard descriptor >= 0 else {
      throw ClusterError(
        .folder, "cannot open the lock file \(path): \(errorText(errno))",
        remedy: "run as the folder's owner, or choose another folder with \(.setting(.home))")
    }
    do {
      try await wait(for: descriptor, path: path, within: limit)
    } catch {
      close(descriptor)
      throw error
    }
    return ClusterLock(descriptor: descriptor)
  }

  private static func wait(
    for descriptor: Int32, path: String, within limit: Duration
  ) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw ClusterError(.folder, "cannot lock \(path): \(errorText(errno))")
      }
      guard clock.now < deadline else {
        throw ClusterError(
          .busy, "another process is still starting or stopping the private PostgreSQL server",
          remedy: "it holds \(path)")
      }
      try await Task.sleep(for: .milliseconds(30))
    }
  }

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// Gives the lock back; to be called once.
  func release() { close(descriptor) }
}
