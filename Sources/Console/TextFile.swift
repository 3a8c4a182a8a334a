import Glibc
import Problems

/// Whole text files, read as they are.
package enum TextFile {
  /// More than any plan has; a device may have no end.
  private static let mostBytes = 1 << 30

  package static func read(_ path: String) throws -> String {
    guard let stream = fopen(path, "r") else { throw failure(path) }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, stream)
      bytes += chunk[..<count]
      guard bytes.count <= mostBytes else {
        throw StatedProblem(
          ProblemCode("plan_too_large", .badInput), "\(path) has more than \(mostBytes >> 20) MiB")
      }
      if count < chunk.count { break }
    }
    guard ferror(stream) == 0 else { throw failure(path) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw StatedProblem(
        ProblemCode("plan_not_text", .badInput), "\(path): not valid UTF-8")
    }
    return text
  }

  private static func failure(_ path: String) -> StatedProblem {
    StatedProblem(
      ProblemCode("plan_unreadable", .badInput), "\(path): \(String(cString: strerror(errno)))")
  }
}
