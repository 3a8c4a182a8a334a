import Postgres
import TestSupport

/// A database that one trial after the other uses: brought back in place to how it was kept, which
/// is quicker than making another.
///
/// A connection of its own looks on; it never goes through a fault.
final class Lane: Sendable {
  /// What a trial begins with.
  enum Ground: Sendable {
    /// Nothing at all, not even a schema; what counts is the schema.
    case empty
    /// The small world; what counts are the result tables.
    case smallWorld
  }

  let books: OperatorBooks
  private let ground: Ground
  private let observer: Connection

  private init(_ books: OperatorBooks, _ ground: Ground, _ observer: Connection) {
    self.books = books
    self.ground = ground
    self.observer = observer
  }

  /// A database of its own in which the commands of `before` were run.
  static func on(_ ground: Ground, after before: [[String]] = []) async throws -> Lane {
    let books =
      switch ground {
      case .empty: OperatorBooks(url: try await TestCluster.shared.freshDatabase())
      case .smallWorld: try await OperatorBooks.small()
      }
    for arguments in before { try await books.expectDone(arguments) }
    return try await Lane(books, ground, Connection.connect(books.configuration))
  }

  /// From now on a reset means how things are now.
  func keep() async throws {
    try await observer.perform { db in try db.execute(sql: KeptTables.keep) }
  }

  func close() async { await observer.close() }

  /// Brings every table back to how it was kept, once nobody else is connected.
  func reset() async throws {
    try await waitForSilence()
    let ground = ground
    try await observer.perform { db in
      switch ground {
      case .empty: try db.execute(sql: "drop schema if exists closebell cascade")
      case .smallWorld: try db.execute(sql: KeptTables.bringBack)
      }
    }
  }

  /// Waits until the server has noticed that a killed process is gone.
  func waitForSilence() async throws {
    try await waitUntil("nobody else is connected") {
      try await observer.perform { db in try db.row(Lane.others) { try $0.nextInt64() } } == 0
    }
  }

  /// What must come out the same: the result tables, or the schema.
  func tables() async throws -> [String] {
    let ground = ground
    return try await observer.perform { db in
      switch ground {
      case .empty: try db.rows(Lane.schema) { try $0.nextString() }
      case .smallWorld: try ResultTables.rows(on: db)
      }
    }
  }

  /// What a finished run must not leave behind, in words; empty if all is well.
  func leftovers() async throws -> [String] {
    if case .empty = ground { return [] }
    return try await observer.perform { db in try ResultTables.leftovers(on: db) }
  }

  private static let others = Statement(
    "others",
    """
    select count(*) from pg_catalog.pg_stat_activity
    where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
      and backend_type = 'client backend'
    """)

  private static let schema = Statement(
    "schema",
    """
    select c.relkind::text || ' ' || c.relname || ' ' || coalesce(
      (select pg_catalog.string_agg(a.attname || ' ' || a.atttypid::regtype, ', ' order by a.attnum)
       from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0), '')
    from pg_catalog.pg_class c where c.relnamespace = 'closebell'::regnamespace
    union all
    select conname || ' ' || pg_catalog.pg_get_constraintdef(oid)
    from pg_catalog.pg_constraint where connamespace = 'closebell'::regnamespace
    union all
    select version || ' ' || name || ' ' || checksum from closebell.schema_migrations
    order by 1
    """)
}

extension OperatorBooks {
  /// A fresh copy of the small world, into which its files were imported once; ASH and BIRCH are
  /// closed for the date before the nights.
  static func small() async throws -> OperatorBooks {
    OperatorBooks(
      url: try await TestCluster.shared.freshDatabase(template: "small_world") { url in
        try await OperatorBooks(url: url).prepareSmallWorld()
      })
  }

  func prepareSmallWorld() async throws {
    try await expectDone("migrate")
    try await importFiles(SmallWorld.files)
    try await expectDone(
      "run", "--date", "2017-06-28", "--portfolio", "ASH", "--portfolio", "BIRCH")
  }

  /// Imports files of the small world.
  func importFiles(_ files: [(kind: String, csv: String)]) async throws {
    for file in files {
      let result = try await run(["import", file.kind, "-"], input: file.csv)
      guard result.exitCode == 0 else {
        throw Unexpected(description: "\(file.kind): \(result.standardError)")
      }
    }
  }

  func expectDone(_ arguments: [String]) async throws {
    let result = try await run(arguments)
    guard result.exitCode == 0 else {
      throw Unexpected(
        description: "\(arguments): exit \(result.exitCode)\n\(result.standardError)")
    }
  }

  /// The database's name: the last part of the URL's path.
  var database: String {
    String(url.prefix { $0 != "?" }.split(separator: "/").last ?? "")
  }
}
