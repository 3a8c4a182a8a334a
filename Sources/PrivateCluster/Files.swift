import Glibc
import Problems

func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// Whether something bears the name; a link counts, whatever it leads to.
func exists(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0
}

/// More than any file has that is read as a whole.
private let mostBytes = 16 << 20

/// The whole of a small file, nil if it cannot be read.
package func readText(_ path: String, from offset: Int = 0) -> String? {
  // A pipe in the file's place would hold up whoever opens it.
  let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  lseek(descriptor, off_t(offset), SEEK_SET)
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while bytes.count < mostBytes {
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { break }
    bytes += chunk[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Adds to a file that exists; a symbolic link in its place is refused.
func append(_ text: String, to path: String) throws {
  let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
  guard descriptor >= 0 else {
    throw ClusterError(.folder, "cannot write \(path): \(errorText(errno))")
  }
  defer { close(descriptor) }
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard count > 0 else {
      throw ClusterError(.folder, "cannot write \(path): \(errorText(errno))")
    }
    bytes = bytes.dropFirst(count)
  }
}

func fileSize(_ path: String) -> Int {
  var status = stat()
  return stat(path, &status) == 0 ? Int(status.st_size) : 0
}

/// Names in a folder in no particular order, none if it cannot be read.
package func entries(of folder: String) -> [String] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  return names(in: stream)
}

/// Whether a folder can be read, and nothing is in it.
func isEmptyFolder(_ folder: String) -> Bool {
  guard let stream = opendir(folder) else { return false }
  defer { closedir(stream) }
  return names(in: stream).isEmpty
}

private func names(in stream: OpaquePointer) -> [String] {
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

/// Removes a file or a folder with all it holds; links are removed, not followed.
///
/// Each folder is opened in the one above it, so that nothing which is put into the place of one in
/// the meantime leads elsewhere.
package func removeTree(_ path: String) { removeEntry(path, in: AT_FDCWD) }

private func removeEntry(_ name: String, in folder: Int32) {
  guard unlinkat(folder, name, 0) != 0, errno == EISDIR || errno == EPERM else { return }
  let descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  guard let stream = fdopendir(descriptor) else {
    close(descriptor)
    return
  }
  for name in names(in: stream) { removeEntry(name, in: descriptor) }
  closedir(stream)
  unlinkat(folder, name, AT_REMOVEDIR)
}

/// Makes a folder that its owner can use, whatever the umask is; false with `errno` if it cannot be
/// made.
func createFolder(_ path: String, mode: mode_t) -> Bool {
  guard mkdir(path, mode) == 0 else { return false }
  var made = stat()
  guard lstat(path, &made) == 0, made.st_mode & 0o700 != mode & 0o700 else { return true }
  return chmod(path, made.st_mode & 0o7777 | mode & 0o700) == 0
}

/// Makes a folder and those above it; only folders it makes get a mode.
///
/// Root's have it whatever the umask is: the server's user has to pass.
func createFolders(_ path: String, mode: mode_t, parentMode: mode_t = 0o755) throws {
  var prefix = ""
  let parts = path.split(separator: "/")
  for (index, part) in parts.enumerated() {
    prefix += "/" + part
    let wanted = index == parts.count - 1 ? mode : parentMode
    if createFolder(prefix, mode: wanted) {
      if geteuid() == 0 { chmod(prefix, wanted) }
      continue
    }
    if errno == EEXIST { continue }
    let code = errno
    guard access(prefix, F_OK) != 0 else { continue }
    throw ClusterError(
      .folder, "cannot create the folder \(prefix): \(errorText(code))",
      remedy: "choose a folder you may write to with \(.setting(.home))")
  }
}

/// The absolute path without symbolic links, as far as it exists; as it is where it is relative and
/// the working directory is gone.
///
/// What does not exist yet has no links, so that `..` leads out of it by its name alone, and the
/// path is the same once it does.
func absolutePath(_ path: String) -> String {
  var known = path
  if !known.hasPrefix("/") {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard let folder = getcwd(&buffer, buffer.count) else { return path }
    known = String(cString: folder) + "/" + path
  }
  var resolved = "/"
  for part in known.split(separator: "/") where part != "." {
    if part == ".." {
      resolved = "/" + resolved.split(separator: "/").dropLast().joined(separator: "/")
      continue
    }
    let next = subpath(part, of: resolved)
    guard let real = realpath(next, nil) else {
      resolved = next
      continue
    }
    defer { free(real) }
    resolved = String(cString: real)
  }
  return resolved
}

/// What a symbolic link says, nil where it cannot be read.
func linkTarget(_ path: String) -> String? {
  var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let count = readlink(path, &buffer, buffer.count)
  return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
}

/// The path of a name in a folder, which may be the root.
func subpath(_ name: some StringProtocol, of folder: String) -> String {
  folder == "/" ? "/\(name)" : "\(folder)/\(name)"
}

/// Everything but unreserved characters as `%XX`, byte by byte.
func percentEncoded(_ text: String) -> String {
  let digits = Array("0123456789ABCDEF")
  return text.utf8.reduce(into: "") { result, byte in
    switch UInt8(byte) {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      result.unicodeScalars.append(Unicode.Scalar(byte))
    default:
      result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
  }
}

/// Sixteen hexadecimal digits that tell paths apart (FNV-1a, 64 bits).
func fingerprint(of text: String) -> String {
  let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
    ($0 ^ UInt64($1)) &* 0x100_0000_01b3
  }
  let digits = String(hash, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A program's message on one line, its last 600 characters at most.
func oneLine(_ text: String) -> String {
  let line = text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }
    .joined(separator: "; ")
  return String(line.suffix(600))
}
