import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport

/// The demo's fixtures in a database of a test's own, and what tests do with it.
struct DemoBooks: TestBooks {
  let conninfo: String

  /// A fresh copy of a database into which the fixtures were imported once.
  static func fresh() async throws -> DemoBooks {
    DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: "demo_books") {
        try await importDemo(into: $0)
      })
  }

  /// A database with the schema and nothing else.
  static func empty() async throws -> DemoBooks {
    let books = DemoBooks(conninfo: try await TestCluster.shared.freshDatabase())
    try await books.perform { db in _ = try Migrator.migrate(on: db) }
    return books
  }

  static func importDemo(into conninfo: String) async throws {
    let connection = try await DemoBooks(conninfo: conninfo).connect()
    try await connection.perform { db in _ = try Migrator.migrate(on: db) }
    for (kind, file) in [
      (ImportKind.instruments, "instruments"), (.portfolios, "portfolios"),
      (.calendars, "calendars"), (.prices, "prices"), (.fxRates, "fx-rates"),
      (.corporateActions, "corporate-actions"), (.activities, "activities"),
      (.valuations, "valuations"),
    ] {
      let report = try await runImport(
        ImportRequest(kind: kind, source: .file(Fixtures.path("demo/\(file).csv"))),
        on: connection, progress: nil)
      guard report.refused == 0 else { throw Refused(rows: report.refusedRows) }
    }
    await connection.close()
  }

  /// Imports a file's text; no row of it may be refused.
  func importText(_ kind: ImportKind, _ text: String) async throws {
    let connection = try await connect()
    let report = try await runImport(
      ImportRequest(kind: kind, source: .bytes(Array(text.utf8))), on: connection, progress: nil)
    await connection.close()
    guard report.refused == 0 else { throw Refused(rows: report.refusedRows) }
  }

  struct Refused: Error {
    var rows: [RefusedRow]
  }

  // MARK: - Closing

  static func settings(
    workers: Int = 2, chunk: Int = 5, _ change: (inout RunSettings) -> Void = { _ in }
  ) -> RunSettings {
    var settings = RunSettings()
    settings.workers = workers
    settings.chunk = chunk
    settings.host = "test"
    settings.version = "test"
    change(&settings)
    return settings
  }

  func close(_ date: String, _ settings: RunSettings = settings()) async throws -> RunReport {
    try await run(.night(Day(date) ?? .earliest), settings)
  }

  func replay(
    _ from: String, _ through: String, onlyStale: Bool = false, throughLatest: Bool = false,
    _ settings: RunSettings = settings()
  ) async throws -> RunReport {
    let range = ReplayRange(
      from: Day(from) ?? .earliest, through: Day(through) ?? .earliest, onlyStale: onlyStale,
      throughLatest: throughLatest)
    return try await run(.replay(range), settings)
  }

  private func run(_ purpose: CloseRun.Purpose, _ settings: RunSettings) async throws -> RunReport {
    try await CloseRun(purpose, settings: settings) { try await connect() }.run()
  }

  func tables() async throws -> [String] {
    try await perform { db in try ResultTables.rows(on: db) }
  }

  func shown(_ code: String, _ date: String) async throws -> ShownSnapshot? {
    let day = Day(date) ?? .earliest
    let shown = try await perform { db in try db.readBooks { try $0.show(code, on: day) } }
    if case .closed(let snapshot) = shown { return snapshot }
    return nil
  }
}
