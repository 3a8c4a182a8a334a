import Glibc
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// A database of a test's own, and what tests ask of it.
struct Books: TestBooks {
  let conninfo: String

  /// A database with the schema and nothing else.
  static func empty() async throws -> Books {
    Books(
      conninfo: try await TestCluster.shared.freshDatabase(template: "import_empty") {
        try await Books(conninfo: $0).perform { db in _ = try Migrator.migrate(on: db) }
      })
  }

  /// The schema, three portfolios and five instruments.
  static func small() async throws -> Books {
    Books(
      conninfo: try await TestCluster.shared.freshDatabase(template: "import_small") { conninfo in
        let books = Books(conninfo: conninfo)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        try await books.mustImport(
          .instruments,
          """
          symbol,name,kind,currency,multiplier,pricing
          ACME,Acme,equity,USD,,
          BANK,Bank,equity,GBP,1,quoted
          CALL,Call on Acme,option,USD,,
          FUND,Fund,fund,EUR,,valued
          """)
        try await books.mustImport(
          .portfolios,
          """
          code,name,base_currency,inception_date,cash,dividends
          ALPHA,Alpha,USD,2020-01-01,base,recorded
          BETA,Beta,EUR,2020-01-01,per_currency,recorded
          GAMMA,Gamma,USD,2020-01-01,base,automatic
          """)
      })
  }

  /// The demo's fixtures, imported.
  static func demo() async throws -> Books {
    Books(
      conninfo: try await TestCluster.shared.freshDatabase(template: "import_demo") { conninfo in
        let books = Books(conninfo: conninfo)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        for kind in Self.demoOrder {
          let report = try await books.run(
            ImportRequest(
              kind: kind, source: .file(Fixtures.path("demo/\(kind.rawValue).csv")),
              batchSize: 10_000))
          guard report.refused == 0 else { throw Refused(rows: report.refusedRows) }
        }
      })
  }

  static let demoOrder: [ImportKind] = [
    .instruments, .portfolios, .calendars, .prices, .fxRates, .corporateActions, .activities,
    .valuations,
  ]

  struct Refused: Error {
    var rows: [RefusedRow]
  }

  /// Imports activities that a pipe brings, as `/dev/fd` names it.
  func importingThroughPipe(_ bytes: [UInt8], batchSize: Int) async throws -> ImportReport {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    #expect(write(ends[1], bytes, bytes.count) == bytes.count)
    close(ends[1])
    defer { close(ends[0]) }
    return try await run(
      ImportRequest(
        kind: .activities, source: .file("/dev/fd/\(ends[0])"), batchSize: batchSize))
  }

  /// - Parameter gate: Where it is held up, if so.
  func run(_ request: ImportRequest, heldAt gate: Gate? = nil) async throws -> ImportReport {
    let connection = try await connect(heldAt: gate)
    do {
      let report = try await runImport(request, on: connection)
      await connection.close()
      return report
    } catch {
      await connection.close()
      throw error
    }
  }

  /// A connection that the caller closes; it is held up at a gate.
  func connect(heldAt gate: Gate?) async throws -> Connection {
    var configuration = configuration
    configuration.faultPlan = gate?.plan
    return try await Connection.connect(configuration)
  }

  /// Where an import of activities has stored its first chunk, and holds nothing locked.
  static var secondChunk: Gate { Gate(before: .named("stage-import_activities", nth: 2)) }

  @discardableResult
  func importing(
    _ kind: ImportKind, _ text: String, dryRun: Bool = false,
    onError: RowErrorPolicy = .skip, batchSize: Int = 1_000, restate: Bool = false,
    heldAt gate: Gate? = nil
  ) async throws -> ImportReport {
    try await run(
      ImportRequest(
        kind: kind, source: .bytes(Array(text.utf8)), dryRun: dryRun, onError: onError,
        batchSize: batchSize, restate: restate), heldAt: gate)
  }

  /// Imports what must not be refused.
  @discardableResult
  func mustImport(_ kind: ImportKind, _ text: String) async throws -> ImportReport {
    let report = try await importing(kind, text)
    guard report.refused == 0 else { throw Refused(rows: report.refusedRows) }
    return report
  }

  /// Every row of a query, as text: its columns between parentheses.
  func texts(_ sql: String) async throws -> [String] {
    try await perform { db in
      try db.rows(Postgres.Statement.once("test", "select q::text from (\(sql)) q")) {
        try $0.nextString()
      }
    }
  }

  /// What every table of inputs holds, without ids that a sequence gave.
  func inputs() async throws -> [String] {
    var all: [String] = []
    for table in [
      "portfolios", "instruments", "prices", "fx_rates", "corporate_actions",
      "calendar_overrides", "portfolio_funds", "holding_activity_log", "statement_valuations",
      "input_changes",
    ] {
      all += try await texts(
        "select '\(table)', xmin, t.* from closebell.\(table) t order by t::text")
    }
    return all
  }
}
