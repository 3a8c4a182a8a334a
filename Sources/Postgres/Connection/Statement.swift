/// A statement with a name: its text, written once, and prepared once on each connection.
///
/// The name appears in errors and in the server's `pg_prepared_statements`; two statements with
/// one name and different texts are refused.
public struct Statement: Hashable, Sendable {
  /// The name, unique in the program.
  public var name: String
  /// The text; its parameters are `$1`, `$2` and so on.
  public var sql: String
  /// Whether the server keeps the statement for the next use.
  public var isPrepared: Bool

  /// A statement that each connection prepares on its first use and reuses afterwards.
  public init(_ name: String, _ sql: String) {
    self.name = name
    self.sql = sql
    isPrepared = true
  }

  /// A statement that is planned anew at each use; for what runs once.
  public static func once(_ name: String, _ sql: String) -> Statement {
    var statement = Statement(name, sql)
    statement.isPrepared = false
    return statement
  }
}
