import Glibc
import Postgres
import TestSupport

/// A database as an operator has it: made with the program's own commands.
struct OperatorBooks: TestBooks {
  let url: String
  var conninfo: String { url }

  /// The demo's fixtures, imported once with the program, and the first date closed.
  static func demo() async throws -> OperatorBooks {
    OperatorBooks(
      url: try await TestCluster.shared.freshDatabase(template: "demo_by_command") { url in
        let books = OperatorBooks(url: url)
        try await books.expectDone("migrate")
        for (kind, file) in [
          ("instruments", "instruments"), ("portfolios", "portfolios"),
          ("calendars", "calendars"), ("prices", "prices"), ("fx-rates", "fx-rates"),
          ("corporate-actions", "corporate-actions"), ("activities", "activities"),
          ("valuations", "valuations"),
        ] {
          try await books.expectDone("import", kind, Fixtures.path("demo/\(file).csv"))
        }
        try await books.expectDone("run", "--date", "2017-06-29")
      })
  }

  /// An empty database with the schema.
  static func empty() async throws -> OperatorBooks {
    let books = OperatorBooks(url: try await TestCluster.shared.freshDatabase())
    try await books.expectDone("migrate")
    return books
  }

  /// Runs a command against this database.
  func run(
    _ arguments: [String], environment: [String: String] = [:], input: String = "",
    timeLimit: Duration = .seconds(300),
    whileRunning: @escaping @Sendable (CommandRun.Running) async throws -> Void = { _ in }
  ) async throws -> CommandRun {
    try await CommandRun.closebell(
      arguments + ["--database", url], environment: environment, input: input,
      timeLimit: timeLimit, whileRunning: whileRunning)
  }

  func run(_ arguments: String...) async throws -> CommandRun { try await run(arguments) }

  struct Unexpected: Error, CustomStringConvertible {
    var description: String
  }

  func expectDone(_ arguments: String...) async throws {
    let result = try await run(arguments)
    guard result.exitCode == 0 else {
      throw Unexpected(
        description: "\(arguments): exit \(result.exitCode)\n\(result.standardError)")
    }
  }

  func tables() async throws -> [String] {
    try await perform { db in try ResultTables.rows(on: db) }
  }

  /// What the night of 2017-06-30 looks like when nothing disturbs it.
  static func undisturbed() async throws -> [String] {
    let books = try await demo()
    try await books.expectDone("run", "--date", "2017-06-30")
    return try await books.tables()
  }
}
