internal import Glibc

/// The text of a compressed file, as `gzip -dc` says it.
///
/// The program stands on every system that has a tar; so nothing is linked for it, the work is done
/// on another core, and a file made to break a decompressor breaks that process and not this one.
final class GzipPipe {
  private let name: String
  private let file: Int32
  private var output: Int32 = -1
  private var child: pid_t = 0

  /// Whether a file begins as gzip's do (RFC 1952).
  static func isMagic(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// Starts at the first byte of a file, which stays the caller's.
  init(_ file: Int32, name: String) throws(ImportError) {
    self.file = file
    self.name = name
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw ByteSource.unreadable(name, errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    // In a group of its own, so that a Ctrl-C leaves the open chunk its rows.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("gzip"), strdup("-dc"), nil]
    defer { for argument in arguments { free(argument) } }
    let failure = posix_spawnp(&child, "gzip", &actions, &attributes, &arguments, environ)
    close(ends[1])
    guard failure == 0 else {
      close(ends[0])
      throw .unreadable(
        source: name, reason: "it is compressed, and gzip: \(String(cString: strerror(failure)))",
        hint: "install gzip, or decompress the file first")
    }
    output = ends[0]
  }

  deinit { end() }

  /// How far the child has read: the two share one position in the file.
  var compressedBytesRead: Int { max(0, Int(lseek(file, 0, SEEK_CUR))) }

  /// Reads up to `space.count` bytes; 0 at the end.
  ///
  /// - Throws: `ImportError` where the file is damaged or ends early; what came before was good.
  func read(into space: UnsafeMutableRawBufferPointer) throws(ImportError) -> Int {
    guard output >= 0 else { return 0 }
    while true {
      let count = Glibc.read(output, space.baseAddress, space.count)
      if count > 0 { return count }
      if count < 0 {
        guard errno == EINTR else { throw ByteSource.unreadable(name, errno) }
        continue
      }
      guard wait() == 0 else {
        throw .unreadable(
          source: name, reason: "it is compressed, and damaged or not whole",
          hint: "test it with gzip -t; the rows before the damage were read")
      }
      return 0
    }
  }

  /// Ends the child, whatever it has left to say.
  func end() {
    if child > 0 { kill(child, SIGKILL) }
    _ = wait()
  }

  private func wait() -> Int32 {
    if output >= 0 { close(output) }
    output = -1
    guard child > 0 else { return 0 }
    var status: Int32 = 0
    var ended = waitpid(child, &status, 0)
    while ended < 0, errno == EINTR { ended = waitpid(child, &status, 0) }
    child = 0
    // How it ended is not known where ends of children are ignored: it may have failed.
    return ended < 0 ? -1 : status
  }
}
