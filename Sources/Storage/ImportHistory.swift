public import Postgres

/// An import of the past, as its row says.
public struct PastImport: Sendable {
  /// Its number.
  public var id: Int64
  /// What the file held.
  public var kind: String
  /// The file, or standard input.
  public var source: String
  /// queued, processing, completed, failed or cancelled.
  public var status: String
  /// Rows read.
  public var processed: Int
  /// Rows that were not known before.
  public var inserted: Int
  /// Rows that changed what was known.
  public var updated: Int
  /// Rows that said what was known.
  public var unchanged: Int
  /// Rows that were refused.
  public var refused: Int
}

/// A row that an import refused.
public struct PastRefusal: Sendable {
  /// The number of the data row; the first is 1.
  public var row: Int
  /// The column at fault, if it is one.
  public var field: String?
  /// Why.
  public var message: String
  /// The row as it stood in the file.
  public var text: String
}

/// Reads of what was imported before.
public enum ImportHistory {
  /// The latest imports, the newest first.
  public static func latest(limit: Int, on db: isolated Connection) throws -> [PastImport] {
    try db.rows(latestJobs, Int64(limit), as: { try decode(&$0) })
  }

  /// One import; nil where there is none of the number.
  public static func one(_ id: Int64, on db: isolated Connection) throws -> PastImport? {
    try db.row(oneJob, id, as: { try decode(&$0) })
  }

  /// The rows that an import refused, in the order of the file.
  public static func refusals(
    of id: Int64, on db: isolated Connection
  ) throws -> [PastRefusal] {
    try db.rows(refusedRows, id) {
      PastRefusal(
        row: Int(try $0.nextInt64()), field: try $0.nextOptional(String.self),
        message: try $0.nextString(), text: try $0.nextString())
    }
  }

  private static func decode(_ row: inout RowReader) throws -> PastImport {
    PastImport(
      id: try row.nextInt64(), kind: try row.nextString(), source: try row.nextString(),
      status: try row.nextString(), processed: Int(try row.nextInt64()),
      inserted: Int(try row.nextInt64()), updated: Int(try row.nextInt64()),
      unchanged: Int(try row.nextInt64()), refused: Int(try row.nextInt64()))
  }

  private static let columns = """
    j.id, j.kind, j.source, j.status, j.processed_count, j.inserted_count, j.updated_count,
    j.unchanged_count, j.refused_count
    """
  private static let latestJobs = Statement(
    "imports-latest",
    "select \(columns) from closebell.import_jobs j order by j.id desc limit $1::bigint")
  private static let oneJob = Statement(
    "imports-one", "select \(columns) from closebell.import_jobs j where j.id = $1::bigint")
  private static let refusedRows = Statement(
    "imports-refused",
    """
    select r.row_number, r.field, r.message, r.row_text
    from closebell.import_results r where r.job_id = $1::bigint order by r.row_number
    """)
}
