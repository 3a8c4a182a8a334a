import Postgres
import TestSupport

/// Where the tests' database is: one for all of them, on the test process's own cluster.
func testConninfo() async throws -> String { try await database.value }

private let database = Task { try await TestCluster.shared.freshDatabase() }

/// The configuration that the tests use, changed by `change`.
func testConfiguration(
  _ change: (inout Configuration) -> Void = { _ in }
) async throws -> Configuration {
  var configuration = Configuration(
    conninfo: try await testConninfo(), applicationName: "postgres-tests")
  change(&configuration)
  return configuration
}

/// Connects, runs `body` on the connection, and closes it.
func withConnection<R: Sendable>(
  _ change: (inout Configuration) -> Void = { _ in },
  _ body: @Sendable (isolated Connection) throws -> R
) async throws -> R {
  try await Connection.once(try await testConfiguration(change), body)
}

/// The error of this kind that `body` throws; `nil` if it throws none.
func postgresError<R>(_ body: () throws -> R) throws -> PostgresError? {
  do {
    _ = try body()
    return nil
  } catch let error as PostgresError {
    return error
  }
}

/// The error of this kind that `body` throws; `nil` if it throws none.
func postgresError<R>(_ body: () async throws -> R) async throws -> PostgresError? {
  do {
    _ = try await body()
    return nil
  } catch let error as PostgresError {
    return error
  }
}

/// Whatever `body` throws; `nil` if it throws nothing.
///
/// Inside of `perform` the tests use this and not `#expect(throws:)`: closures within the macro
/// and beside it can get one symbol there, and then the wrong one runs (Swift 6.3.1).
func thrown<R>(_ body: () throws -> R) -> (any Error)? {
  do {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
