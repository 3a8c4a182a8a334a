internal import Glibc

/// The bytes of a file, a stream or an array, read front to back; their digest is kept on the way.
///
/// Never memory-mapped: a file that shrinks while it is read ends early instead of killing the
/// process.
final class ByteSource {
  /// The path, or `-`.
  let name: String
  /// The size in bytes; nil for a stream.
  private(set) var byteTotal: Int?
  /// How many bytes were read.
  private(set) var byteCount = 0
  private var descriptor: Int32 = -1
  private var ownsDescriptor = false
  private var bytes: [UInt8] = []
  private var hash = SHA256()

  /// - Throws: `ImportError` where there is no such readable file.
  init(_ source: ImportSource) throws(ImportError) {
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
      descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw Self.unreadable(path, errno) }
      ownsDescriptor = true
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path, errno) }
      guard status.st_mode & S_IFMT != S_IFDIR else { throw Self.unreadable(path, EISDIR) }
      if status.st_mode & S_IFMT == S_IFREG { byteTotal = Int(status.st_size) }
    }
  }

  deinit { if ownsDescriptor { close(descriptor) } }

  private static func unreadable(_ name: String, _ code: Int32) -> ImportError {
    let hint: String? =
      switch code {
      case ENOENT: "the path is taken as it is, relative to the current folder"
      case EACCES: "the file must be readable by the user who runs closebell"
      case EISDIR: "name the files in it one by one"
      default: nil
      }
    return .unreadable(source: name, reason: String(cString: strerror(code)), hint: hint)
  }

  /// Reads up to `space.count` bytes; 0 at the end.
  func read(into space: UnsafeMutableRawBufferPointer) throws(ImportError) -> Int {
    var count = 0
    if descriptor < 0 {
      count = min(space.count, bytes.count - byteCount)
      let start = byteCount
      bytes.withUnsafeBytes { space.copyMemory(from: .init(rebasing: $0[start..<start + count])) }
    } else {
      while true {
        count = Glibc.read(descriptor, space.baseAddress, space.count)
        if count >= 0 { break }
        guard errno == EINTR else { throw Self.unreadable(name, errno) }
      }
    }
    byteCount += count
    hash.update(UnsafeRawBufferPointer(rebasing: space.prefix(count)))
    return count
  }

  /// The SHA-256 of everything read so far: of the whole once `read` gave 0.
  var digest: [UInt8] { hash.digest() }

  /// Reads on to the end for the digest of the whole, and starts again from the first byte.
  ///
  /// A stream is kept in a file without a name, since it cannot be read twice.
  ///
  /// - Parameter begun: Everything that was read already.
  func rewound(after begun: ArraySlice<UInt8>) throws(ImportError) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 1 << 18)
    let spool: Int32 = byteTotal == nil ? try Self.unnamedFile() : -1
    if spool >= 0 { try Self.append(begun, to: spool) }
    while true {
      let count: Int
      do {
        count = try block.withUnsafeMutableBytes { try read(into: $0) }
      } catch let error as ImportError {
        throw error
      } catch {
        throw .unreadable(source: name, reason: "\(error)", hint: nil)
      }
      if count == 0 { break }
      if spool >= 0 { try Self.append(block[..<count], to: spool) }
    }
    let digest = hash.digest()
    if spool >= 0 {
      if ownsDescriptor { close(descriptor) }
      descriptor = spool
      ownsDescriptor = true
      byteTotal = byteCount
    }
    if descriptor >= 0, lseek(descriptor, 0, SEEK_SET) != 0 { throw Self.unreadable(name, errno) }
    byteCount = 0
    hash = SHA256()
    return digest
  }

  private static func unnamedFile() throws(ImportError) -> Int32 {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var path = Array("\(folder)/closebell-import-\(String(repeating: "X", count: 6))".utf8CString)
    let descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw unreadable("a temporary file in \(folder)", errno) }
    unlink(path)
    return descriptor
  }

  private static func append(
    _ bytes: ArraySlice<UInt8>, to descriptor: Int32
  ) throws(ImportError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw unreadable("a temporary file", errno) }
      rest = rest.dropFirst(count)
    }
  }
}
