import Glibc

/// Whole text files, read as they are.
enum TextFile {
  /// More than any plan has; a device may have no end.
  private static let mostBytes = 1 << 30

  static func read(_ path: String) throws -> String {
    guard let stream = fopen(path, "r") else { throw failure(path) }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, stream)
      bytes += chunk[..<count]
      guard bytes.count <= mostBytes else {
        throw Failure("\(path) has more than \(mostBytes >> 20) MiB", code: 65)
      }
      if count < chunk.count { break }
    }
    guard ferror(stream) == 0 else { throw failure(path) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure("\(path): not valid UTF-8", code: 65)
    }
    return text
  }

  private static func failure(_ path: String) -> Failure {
    Failure("\(path): \(String(cString: strerror(errno)))", code: 65)
  }
}
