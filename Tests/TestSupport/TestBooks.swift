public import Postgres

/// A database of a test's own: each piece of work has a connection that is opened for it, and
/// closed whatever becomes of it.
public protocol TestBooks: Sendable {
  /// Where the database is.
  var conninfo: String { get }
  /// How the tests connect.
  var configuration: Configuration { get }
}

extension TestBooks {
  /// How the tests connect.
  public var configuration: Configuration {
    Configuration(conninfo: conninfo, applicationName: "closebell-tests")
  }

  /// A connection that the caller closes.
  public func connect() async throws -> Connection {
    try await Connection.connect(configuration)
  }

  /// Runs `body` on a connection of its own.
  public func perform<R: Sendable>(
    _ body: @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    try await Connection.once(configuration, body)
  }

  /// Runs SQL; what it returns does not count.
  public func execute(_ sql: String) async throws {
    try await perform { db in try db.execute(sql: sql) }
  }

  /// The one number that a query gives.
  public func integer(_ sql: String) async throws -> Int64 {
    try await perform { db in
      try db.row(Statement.once("ask", "select (\(sql))::bigint")) { try $0.nextInt64() } ?? 0
    }
  }
}

extension Connection {
  /// Connects, runs `body`, and closes the connection.
  public static func once<R: Sendable>(
    _ configuration: Configuration, _ body: @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    let connection = try await connect(configuration)
    do {
      let result = try await connection.perform(body)
      await connection.close()
      return result
    } catch {
      await connection.close()
      throw error
    }
  }
}
