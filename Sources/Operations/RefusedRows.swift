internal import Import
internal import Postgres
internal import Storage

/// The rows that an import refused, read one at a time while its connection is held.
///
/// It may not be kept beyond the call that it is handed to.
package struct RefusedRows {
  /// The import.
  package let job: PastImportResult
  private let connection: Connection

  /// - Throws: `ImportJobError.unknown`.
  init(of id: Int64, on db: isolated Connection) throws {
    guard let job = try ImportHistory.one(id, on: db) else { throw ImportJobError.unknown(id) }
    self.job = PastImportResult(job)
    connection = db
  }

  /// Hands over the rows in the order of the file.
  package func forEach(_ body: (ImportResult.Refusal) throws -> Void) throws {
    try stored { try body(ImportResult.Refusal($0)) }
  }

  /// Hands over the header and the rows as lines of a file, to be mended and imported again.
  ///
  /// - Returns: How many rows there are, and whether one of them may have been cut.
  package func copy(
    _ body: ([UInt8]) throws -> Void
  ) throws -> (count: Int, isCut: Bool) {
    let header = try connection.assumeIsolated { db in
      try ImportHistory.header(of: job.id, on: db)
    }
    guard let header else { throw ImportJobError.unknown(job.id) }
    let newline = UInt8(ascii: "\n")
    var (count, isCut) = (0, false)
    try body(header + [newline])
    try stored { row in
      try body((row.bytes ?? Array(row.text.utf8)) + [newline])
      count += 1
      isCut = isCut || row.mayBeCut
    }
    return (count, isCut)
  }

  private func stored(_ body: (PastRefusal) throws -> Void) throws {
    try withoutActuallyEscaping(body) { body in
      // It is called where it comes from: the caller stands on this very connection.
      nonisolated(unsafe) let body = body
      try connection.assumeIsolated { db in
        try ImportHistory.forEachRefusal(of: job.id, on: db) { try body($0) }
      }
    }
  }
}
