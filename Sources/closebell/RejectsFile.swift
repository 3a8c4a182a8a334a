import Glibc
import Import
import Postgres
import Storage

/// The rows that an import refused, as a file that can be mended and imported as it stands.
enum RejectsFile {
  /// Writes the header and the rows of an import to a path, or to standard output for `-`.
  ///
  /// The file is there whole or not at all. An import that refused nothing leaves no file, and
  /// takes an older one away: mended rows would be imported again from it.
  static func write(_ job: Int64, to path: String, on connection: Connection) async throws {
    let beside = path == "-" ? "-" : "\(path).\(getpid())"
    let count = try await connection.perform { db in
      guard let header = try ImportHistory.header(of: job, on: db) else {
        throw ImportJobError.unknown(job)
      }
      guard let stream = beside == "-" ? fdopen(dup(STDOUT_FILENO), "w") : fopen(beside, "w") else {
        throw Failure("\(path): \(String(cString: strerror(errno)))", code: 2)
      }
      defer { fclose(stream) }
      var count = 0
      put(header, stream)
      try ImportHistory.forEachRefusal(of: job, on: db) { row in
        put(row.bytes ?? Array(row.text.utf8), stream)
        count += 1
      }
      guard fflush(stream) == 0, ferror(stream) == 0 else {
        throw Failure("\(path): \(String(cString: strerror(errno)))", code: 2)
      }
      return count
    }
    guard beside != "-" else { return }
    if count == 0 {
      unlink(beside)
      unlink(path)
      return
    }
    guard rename(beside, path) == 0 else {
      throw Failure("\(path): \(String(cString: strerror(errno)))", code: 2)
    }
  }

  private static func put(_ line: [UInt8], _ stream: UnsafeMutablePointer<FILE>) {
    fwrite(line, 1, line.count, stream)
    fputc(10, stream)
  }
}
