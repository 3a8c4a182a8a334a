internal import CLibPQ

/// One result of the server, owned: `PQclear` when it goes.
struct ServerResult: ~Copyable {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQclear(pointer) }

  /// What the result is: `PQresultStatus`.
  var status: ExecStatusType { PQresultStatus(pointer) }

  /// Whether it carries an error.
  var isError: Bool {
    status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR
  }

  /// The number of rows it holds: `PQntuples`.
  var rowCount: Int { Int(PQntuples(pointer)) }

  /// The number of rows the statement touched: `PQcmdTuples`.
  var rowsAffected: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

  /// What the server says it did, for example `COMMIT`: `PQcmdStatus`.
  var commandTag: String { String(cString: PQcmdStatus(pointer)) }

  /// A field of the server's message: `PQresultErrorField`.
  static func field(_ pointer: OpaquePointer?, _ code: Int32) -> String? {
    guard let text = PQresultErrorField(pointer, code), text.pointee != 0 else { return nil }
    return String(cString: text)
  }

  /// The server's message as an error, all its fields kept.
  static func error(_ pointer: OpaquePointer, statementName: String?) -> PostgresError {
    let message =
      field(pointer, PQ_FIELD_MESSAGE)
      ?? oneLine(String(cString: PQresultErrorMessage(pointer)))
    var error = PostgresError(
      .server, message, detail: field(pointer, PQ_FIELD_DETAIL),
      hint: field(pointer, PQ_FIELD_HINT), sqlState: field(pointer, PQ_FIELD_SQLSTATE),
      statementName: statementName, reachedServer: true)
    error.severity = field(pointer, PQ_FIELD_SEVERITY)
    error.constraint = field(pointer, PQ_FIELD_CONSTRAINT)
    error.schema = field(pointer, PQ_FIELD_SCHEMA)
    error.table = field(pointer, PQ_FIELD_TABLE)
    error.column = field(pointer, PQ_FIELD_COLUMN)
    error.position = field(pointer, PQ_FIELD_POSITION).flatMap { Int($0) }
    if error.isRowSecurity { error.hint = PostgresError.wayAroundPolicies }
    return error
  }

  /// libpq's own messages end in a line feed and may run over several lines.
  static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline)
      .map { $0.drop(while: \.isWhitespace) }
      .joined(separator: "; ")
  }
}
