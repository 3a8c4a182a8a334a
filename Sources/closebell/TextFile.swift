import Glibc

/// Whole text files, read and written as they are.
enum TextFile {
  static func read(_ path: String) throws -> String {
    guard let stream = fopen(path, "r") else { throw failure(path, code: 65) }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, stream)
      bytes += chunk[..<count]
      if count < chunk.count { break }
    }
    guard ferror(stream) == 0 else { throw failure(path, code: 65) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure("\(path): not valid UTF-8", code: 65)
    }
    return text
  }

  /// Writes a new file beside the old one and puts it in its place: it is there whole or not.
  static func write(_ text: String, to path: String) throws {
    let beside = "\(path).\(getpid())"
    guard let stream = fopen(beside, "w") else { throw failure(path, code: 2) }
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, stream)
    guard fclose(stream) == 0, written == bytes.count, rename(beside, path) == 0 else {
      let failure = failure(path, code: 2)
      unlink(beside)
      throw failure
    }
  }

  private static func failure(_ path: String, code: Int32) -> Failure {
    Failure("\(path): \(String(cString: strerror(errno)))", code: code)
  }
}
