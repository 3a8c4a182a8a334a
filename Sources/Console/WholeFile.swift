import Glibc
import Problems

/// A file that is written beside its place and put there whole, or not at all.
///
/// What it replaces is a regular file, whose mode and owner it keeps; a device, a pipe, a folder
/// and a link are refused, not followed and not replaced. The folder is opened once, and the draft
/// has a name in it that nobody can foresee. Where nothing is put in place nothing is left.
package final class WholeFile {
  private let path: String
  private let folder: Folder
  private let draft: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isInPlace = false

  private static let roomBytes = 1 << 16
  /// So many files of one name are a sign that nobody looks at them.
  private static let mostNames = 1_000

  /// Begins a draft.
  ///
  /// - Throws: A problem of usage where something stands there that is not to be replaced, a
  ///   failure where the folder does not take it.
  package init(replacing path: String) throws {
    self.path = path
    folder = try Folder(of: path)
    let replaced = try folder.status()
    draft = ".closebell-" + String(UInt64.random(in: .min ... .max), radix: 16)
    // What replaces a file is closed to others until it is as open as that was.
    descriptor = openat(
      folder.descriptor, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
      replaced == nil ? 0o666 : 0o600)
    guard descriptor >= 0 else { throw Self.failure(path) }
    if let replaced { try take(over: replaced) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if !isInPlace { unlinkat(folder.descriptor, draft, 0) }
  }

  private func take(over replaced: stat) throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.failure(path) }
    let isTheirs = status.st_uid != replaced.st_uid || status.st_gid != replaced.st_gid
    guard !isTheirs || fchown(descriptor, replaced.st_uid, replaced.st_gid) == 0 else {
      throw StatedProblem(
        ProblemCode("output_of_others", .failed),
        "\(path): belongs to somebody else, and could not be left to them",
        remedy: "write to another file, or as its owner")
    }
    guard fchmod(descriptor, replaced.st_mode & 0o777) == 0 else { throw Self.failure(path) }
  }

  /// Adds to the draft.
  package func write(_ bytes: [UInt8]) throws {
    buffer += bytes
    if buffer.count >= Self.roomBytes { try flush() }
  }

  private func flush() throws {
    if let code = writeAll(buffer[...], to: descriptor) { throw Self.failure(path, code) }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Puts the draft in its place; a crash of the machine finds the old file or the new one.
  func putInPlace() throws {
    try sync()
    _ = try folder.status()
    guard renameat(folder.descriptor, draft, folder.descriptor, folder.name) == 0 else {
      throw Self.failure(path)
    }
    settle()
  }

  /// Puts the draft where nothing stands: in its place if that is free and it may, else beside it
  /// under the first name that is.
  ///
  /// - Parameter suffix: What is added to the name beside it, with a number from the second on.
  /// - Returns: Where it is now.
  func putBeside(suffix: String, orInPlace mayTakePlace: Bool) throws -> String {
    try sync()
    for number in (mayTakePlace ? 0 : 1)...Self.mostNames {
      let ending = number == 0 ? "" : number == 1 ? suffix : "\(suffix).\(number)"
      guard try folder.give(draft, name: folder.name + ending) else { continue }
      settle()
      return path + ending
    }
    throw Self.failure(path + suffix, EEXIST)
  }

  private func sync() throws {
    try flush()
    guard fsync(descriptor) == 0 else { throw Self.failure(path) }
  }

  private func settle() {
    isInPlace = true
    fsync(folder.descriptor)
  }

  fileprivate static func failure(_ path: String, _ code: Int32 = errno) -> StatedProblem {
    StatedProblem(
      ProblemCode("output_failed", .failed), "\(path): \(String(cString: strerror(code)))")
  }
}

extension WholeFile {
  /// Writes a text.
  package static func write(_ text: String, to path: String) throws {
    let file = try WholeFile(replacing: path)
    try file.write(Array(text.utf8))
    try file.putInPlace()
  }

  /// What stands in a place, to be told from another file and from a later state of the same one.
  package struct Version: Equatable {
    private let file: [Int]

    fileprivate init(_ status: stat) {
      file = [
        Int(bitPattern: UInt(status.st_dev)), Int(bitPattern: UInt(status.st_ino)),
        Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
      ]
    }
  }

  /// What would be replaced, nil for nothing; to be asked before work is done for it.
  ///
  /// - Throws: As a draft does.
  package static func version(at path: String) throws -> Version? {
    try Folder(of: path).status().map(Version.init)
  }

  /// Removes a regular file; what is not there is not missed.
  package static func remove(_ path: String) throws {
    let folder = try Folder(of: path)
    guard try folder.status() != nil else { return }
    guard unlinkat(folder.descriptor, folder.name, 0) == 0 else { throw failure(path) }
  }

  /// The text of a small regular file, nil for anything else.
  package static func text(at path: String) -> String? {
    // A pipe that nobody writes to would hold up whoever opens it.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var bytes = [UInt8](repeating: 0, count: roomBytes)
    let count = read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}

/// An open folder and a name in it: nobody can put another folder in between.
private final class Folder {
  let descriptor: Int32
  let name: String
  private let path: String

  init(of path: String) throws {
    self.path = path
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    name = String(parts.last ?? "")
    let above = parts.dropLast().joined(separator: "/")
    guard !["", ".", ".."].contains(name) else {
      descriptor = -1
      throw StatedProblem(ProblemCode("output_not_a_file", .usage), "'\(path)' is no file")
    }
    descriptor = open(
      parts.count == 1 ? "." : above.isEmpty ? "/" : above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw WholeFile.failure(path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Gives a draft a name, unless anything has it: that is neither replaced nor followed.
  ///
  /// - Returns: Whether the name was free.
  func give(_ draft: String, name: String) throws -> Bool {
    if linkat(descriptor, draft, descriptor, name, 0) == 0 {
      unlinkat(descriptor, draft, 0)
      return true
    }
    if errno == EEXIST { return false }
    // Some file systems know no links: there the name is taken first, and then replaced.
    let place = openat(
      descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    if place < 0, errno == EEXIST { return false }
    guard place >= 0, close(place) == 0, renameat(descriptor, draft, descriptor, name) == 0 else {
      throw WholeFile.failure(path)
    }
    return true
  }

  /// A rename asks nobody whether the file itself may be written to.
  private func requireWritable() throws {
    guard faccessat(descriptor, name, W_OK, AT_EACCESS) != 0 else { return }
    throw StatedProblem(
      ProblemCode("output_protected", .usage),
      "'\(path)' may not be replaced: \(String(cString: strerror(errno)))",
      remedy: "name another file, or allow it with chmod u+w")
  }

  /// The regular file that bears the name, nil for none.
  func status() throws -> stat? {
    var status = stat()
    guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      if errno == ENOENT { return nil }
      throw WholeFile.failure(path)
    }
    let kind: String
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      try requireWritable()
      return status
    case S_IFLNK: kind = "a link, which is not followed"
    case S_IFDIR: kind = "a folder"
    case S_IFIFO: kind = "a pipe"
    case S_IFSOCK: kind = "a socket"
    default: kind = "a device"
    }
    throw StatedProblem(
      ProblemCode("output_not_regular", .usage),
      "'\(path)' is \(kind): only a regular file is replaced",
      remedy: "name a file, or a name that is not taken")
  }
}
