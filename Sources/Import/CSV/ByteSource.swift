internal import Glibc

/// The bytes of a file, a stream or an array, read front to back; compressed ones as what they say.
///
/// Never memory-mapped: a file that shrinks while it is read ends early instead of killing the
/// process.
final class ByteSource {
  /// The path, or `-`.
  let name: String
  /// The size in bytes of the file as it is stored; nil for a stream.
  private(set) var byteTotal: Int?
  /// How many bytes of text were read.
  private var byteCount = 0
  private var descriptor: Int32 = -1
  private var ownsDescriptor = false
  private var bytes: [UInt8] = []
  private var gzip: GzipPipe?
  /// The regular file as it was when it was opened.
  private var version: FileVersion?
  private let shouldStop: @Sendable () -> Bool

  /// How often somebody who waits for a pipe looks whether it is to stop, in milliseconds.
  private static let lookEvery: Int32 = 200

  /// - Parameters:
  ///   - isFile: Whether only a regular file will do, which is found again as it was.
  ///   - shouldStop: Asked while a pipe is waited for, and in what may have no end.
  /// - Throws: `ImportError` where there is no such readable file.
  init(
    _ source: ImportSource, isFile: Bool = false,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(ImportError) {
    self.shouldStop = shouldStop
    switch source {
    case .standardInput:
      name = "-"
      descriptor = STDIN_FILENO
    case .bytes(let bytes):
      name = "memory"
      self.bytes = bytes
      byteTotal = bytes.count
    case .file(let path):
      name = path
      // Some devices do something when they are opened.
      guard !isFile || Self.mayBeFile(path) else { throw Self.notRegular(path) }
      // Of a pipe it is the first read that waits, since that can be asked to stop.
      descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { throw Self.unreadable(path, errno) }
      ownsDescriptor = true
    }
    guard descriptor >= 0 else { return }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(name, errno) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw Self.unreadable(name, EISDIR) }
    guard !isFile || status.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(name) }
    // What somebody else has read from already, as a shell's `read`, is a stream from there on.
    if status.st_mode & S_IFMT == S_IFREG, lseek(descriptor, 0, SEEK_CUR) == 0 {
      byteTotal = Int(status.st_size)
      version = FileVersion(status)
    }
    try detectCompression()
  }

  deinit { if ownsDescriptor { close(descriptor) } }

  /// The path by which another process finds the file, whatever its folder is.
  static func absolute(_ name: String) -> String {
    guard name != "-", let path = realpath(name, nil) else { return name }
    defer { free(path) }
    return String(cString: path)
  }

  /// Whether a path leads to a regular file, or to nothing.
  static func mayBeFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
  }

  private static func notRegular(_ name: String) -> ImportError {
    .unreadable(source: name, reason: "it is no regular file", hint: nil)
  }

  static func unreadable(_ name: String, _ code: Int32) -> ImportError {
    let hint: String? =
      switch code {
      case ENOENT: "the path is taken as it is, relative to the current folder"
      case EACCES: "the file must be readable by the user who runs closebell"
      case EISDIR: "name the files in it one by one"
      default: nil
      }
    return .unreadable(source: name, reason: String(cString: strerror(code)), hint: hint)
  }

  /// How many bytes of the stored file make so many bytes of text.
  ///
  /// Of a compressed file: how many were read so far, which is a little more.
  func stored(_ textBytes: Int) -> Int { gzip?.compressedBytesRead ?? textBytes }

  /// Reads up to `space.count` bytes; 0 at the end.
  func read(into space: UnsafeMutableRawBufferPointer) throws(ImportError) -> Int {
    var count = 0
    if let gzip {
      count = try gzip.read(into: space)
    } else if descriptor < 0 || byteCount < bytes.count {
      count = min(space.count, bytes.count - byteCount)
      let start = byteCount
      bytes.withUnsafeBytes { space.copyMemory(from: .init(rebasing: $0[start..<start + count])) }
    } else {
      count = try readStored(into: space)
    }
    byteCount += count
    return count
  }

  private func readStored(into space: UnsafeMutableRawBufferPointer) throws(ImportError) -> Int {
    while true {
      try wait()
      let count = Glibc.read(descriptor, space.baseAddress, space.count)
      if count >= 0 { return count }
      guard errno == EINTR || errno == EAGAIN else { throw Self.unreadable(name, errno) }
    }
  }

  /// Waits until there is something to read, or nothing more will come.
  private func wait() throws(ImportError) {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while byteTotal == nil, poll(&ready, 1, Self.lookEvery) <= 0 { try requireWanted() }
  }

  /// Ends what may have no end, once somebody asked to stop; chunks of rows are stopped between.
  func requireWanted() throws(ImportError) {
    if shouldStop() { throw .interrupted(source: name) }
  }

  /// The regular file that is read is still the one that was opened: no size and no time differ.
  ///
  /// Rows from before and after a change are not those of any file; and where they have no ids they
  /// are named after the file as it was.
  func requireUnchanged() throws(ImportError) {
    guard let version else { return }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(name, errno) }
    guard FileVersion(status) == version else { throw .changing(source: name) }
  }

  private struct FileVersion: Equatable {
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    init(_ status: stat) {
      (size, seconds) = (Int(status.st_size), status.st_mtim.tv_sec)
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  /// Looks at the first two bytes; what a pipe gave is kept for the first `read`.
  private func detectCompression() throws(ImportError) {
    var first = [UInt8](repeating: 0, count: 2)
    if byteTotal != nil {
      guard pread(descriptor, &first, 2, 0) == 2, GzipPipe.isMagic(first) else { return }
      gzip = try GzipPipe(descriptor, name: name)
      return
    }
    while bytes.count < 2 {
      var byte: UInt8 = 0
      let count: Int
      do {
        count = try withUnsafeMutableBytes(of: &byte) { try readStored(into: $0) }
      } catch let error as ImportError {
        throw error
      } catch {
        throw .unreadable(source: name, reason: "\(error)", hint: nil)
      }
      if count == 0 { return }
      bytes.append(byte)
    }
    guard GzipPipe.isMagic(bytes) else { return }
    // gzip reads files: the compressed stream is put into one without a name first.
    let begun = bytes
    _ = try spooled(after: begun[...])
    (bytes, byteCount) = ([], 0)
    gzip = try GzipPipe(descriptor, name: name)
  }

  /// Reads on to the end for the digest of the whole, and starts again from the first byte.
  ///
  /// A stream is kept in a file without a name, since it cannot be read twice.
  ///
  /// - Parameter begun: Everything that was read already.
  func rewound(after begun: ArraySlice<UInt8>) throws(ImportError) -> [UInt8] {
    guard let gzip else {
      let digest = try spooled(after: begun)
      if descriptor >= 0 { bytes = [] }
      byteCount = 0
      return digest
    }
    var hash = SHA256()
    begun.withUnsafeBytes { hash.update($0) }
    try forEachBlock { block throws(ImportError) in block.withUnsafeBytes { hash.update($0) } }
    gzip.end()
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Self.unreadable(name, errno) }
    self.gzip = try GzipPipe(descriptor, name: name)
    byteCount = 0
    return hash.digest()
  }

  /// Reads on to the end; what can be read only once is then read from a file without a name.
  private func spooled(after begun: ArraySlice<UInt8>) throws(ImportError) -> [UInt8] {
    var hash = SHA256()
    begun.withUnsafeBytes { hash.update($0) }
    let spool: Int32 = byteTotal == nil ? try Self.unnamedFile() : -1
    if spool >= 0 { try Self.append(begun, to: spool) }
    byteCount = max(byteCount, begun.count)
    try forEachBlock { block throws(ImportError) in
      block.withUnsafeBytes { hash.update($0) }
      if spool >= 0 { try Self.append(block, to: spool) }
    }
    if spool >= 0 {
      if ownsDescriptor { close(descriptor) }
      descriptor = spool
      ownsDescriptor = true
      byteTotal = byteCount
    }
    if descriptor >= 0, lseek(descriptor, 0, SEEK_SET) != 0 { throw Self.unreadable(name, errno) }
    return hash.digest()
  }

  private func forEachBlock(
    _ body: (ArraySlice<UInt8>) throws(ImportError) -> Void
  ) throws(ImportError) {
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count: Int
      do {
        count = try block.withUnsafeMutableBytes { try read(into: $0) }
      } catch let error as ImportError {
        throw error
      } catch {
        throw .unreadable(source: name, reason: "\(error)", hint: nil)
      }
      if count == 0 { return }
      try requireWanted()
      try body(block[..<count])
    }
  }

  private static func unnamedFile() throws(ImportError) -> Int32 {
    var path = Array(
      "\(spoolFolder)/closebell-import-\(String(repeating: "X", count: 6))".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw spoolFailed(errno) }
    unlink(path)
    return descriptor
  }

  private static var spoolFolder: String {
    getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  }

  private static func spoolFailed(_ code: Int32) -> ImportError {
    .noTemporaryFile(folder: spoolFolder, reason: String(cString: strerror(code)))
  }

  private static func append(
    _ bytes: ArraySlice<UInt8>, to descriptor: Int32
  ) throws(ImportError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw spoolFailed(errno) }
      rest = rest.dropFirst(count)
    }
  }
}
