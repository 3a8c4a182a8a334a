public import Postgres
public import Problems

/// Brings the schema up to date, one numbered step a transaction, or back, under an advisory lock.
///
/// A way back is one transaction, however many steps it has: what one of them refuses to lose must
/// not have cost what the steps before it took along.
///
/// Two programs that migrate at once take turns; the second finds nothing left to do.
public enum Migrator {
  /// A step and whether the database has taken it.
  public struct Step: Sendable {
    /// The step.
    public let migration: Migration
    /// Whether it is applied.
    public let isApplied: Bool
  }

  /// Every step and whether it is applied; steps newer than this program are not listed.
  public static func status(on db: isolated Connection) throws -> [Step] {
    let applied = try appliedVersions(on: db)
    return Migration.all.map { Step(migration: $0, isApplied: applied.contains($0.version)) }
  }

  /// Refuses a schema that is not exactly the one that this program works on.
  ///
  /// - Throws: `SchemaError` where the database is empty, older or newer, or where the schema is a
  ///   stranger's.
  public static func requireCurrentSchema(on db: isolated Connection) throws {
    try requireCurrent(newest: try appliedVersions(on: db).max() ?? 0)
  }

  static func requireCurrent(newest: Int) throws {
    if newest < Migration.latestVersion { throw SchemaError.older(newest) }
    if newest > Migration.latestVersion { throw SchemaError.newer(newest) }
  }

  /// Takes every step up to `version`, or back down to it.
  ///
  /// - Returns: The steps taken, in the order taken; empty where there was nothing to do.
  /// - Throws: `SchemaError` where a file was edited after release, the schema is newer, or rows
  ///   in the way would break a key; `LockHeld`; `PostgresError` from a step, which is then not
  ///   taken, nor on a way back any other.
  @discardableResult
  public static func migrate(
    to version: Int = Migration.latestVersion, on db: isolated Connection
  ) throws -> [Migration] {
    guard (0...Migration.latestVersion).contains(version) else {
      throw SchemaError.unknownVersion(version)
    }
    try AdvisoryLock.migrations.hold(.exclusive, on: db)
    defer { try? AdvisoryLock.migrations.release(.exclusive, on: db) }
    try refuseEncoding(on: db)
    try createJournal(on: db)
    let applied = try verifiedVersions(on: db)
    if let newest = applied.max(), newest > Migration.latestVersion {
      throw SchemaError.newer(newest)
    }
    let ahead = Migration.all.filter { $0.version <= version && !applied.contains($0.version) }
    let behind = Migration.all.filter { $0.version > version && applied.contains($0.version) }
    try goBack(behind.reversed(), on: db)
    for migration in ahead { try take(migration, on: db) }
    return behind.reversed() + ahead
  }

  private static func take(_ migration: Migration, on db: isolated Connection) throws {
    try refuseDuplicates(before: migration, on: db)
    try db.transaction { db in
      try db.execute(sql: migration.up)
      _ = try db.execute(record, Int32(migration.version), migration.name, migration.up)
      // A function that was there already would have kept its owner.
      try SchemaOwners.require(on: db)
    }
  }

  /// Takes steps back, the newest first: all of them, or none.
  private static func goBack(_ migrations: [Migration], on db: isolated Connection) throws {
    guard !migrations.isEmpty else { return }
    try db.transaction { db in
      // A step looks at its tables before it changes them. What is written in between would go
      // with them, so nobody writes from before the first look on.
      let tables = try db.row(standing, Migration.tables) { try $0.nextStringOrNil() } ?? nil
      if let tables { try db.execute(sql: "lock table \(tables) in access exclusive mode") }
      for migration in migrations {
        try db.execute(sql: migration.down)
        _ = try db.execute(forget, Int32(migration.version))
      }
    }
  }

  /// The unique slot key cannot be added over rows that break it: they are listed, not guessed at.
  private static func refuseDuplicates(
    before migration: Migration, on db: isolated Connection
  ) throws {
    guard migration.name == "results" else { return }
    guard try db.row(hasForeignSnapshots, as: { try $0.next(Bool.self) }) == true else { return }
    let slots = try db.rows(duplicateSlots) {
      SchemaError.DuplicateSlot(
        portfolioID: try $0.next(), date: try $0.next(), count: Int(try $0.next(Int64.self)))
    }
    throw SchemaError.snapshotsInTheWay(duplicates: slots)
  }

  /// New books are made where every text can be stored, and is checked to be one; older ones that
  /// stand elsewhere are left where they are.
  private static func refuseEncoding(on db: isolated Connection) throws {
    guard let encoding = try db.row(encodingOfNew, as: { try $0.nextStringOrNil() }) ?? nil else {
      return
    }
    throw SchemaError.encoding(encoding)
  }

  private static func createJournal(on db: isolated Connection) throws {
    let standing = try SchemaOwners.require(on: db)
    guard !standing.hasJournal else { return }
    // A schema that somebody makes at this very moment is an error, and not taken for ours.
    try db.execute(
      sql: (standing.hasSchema ? "" : "create schema closebell;") + """
        create table closebell.schema_migrations (
          version integer not null constraint schema_migrations_key primary key,
          name text not null,
          checksum text not null,
          applied_at timestamptz not null default pg_catalog.clock_timestamp()
        )
        """)
  }

  private static func appliedVersions(on db: isolated Connection) throws -> Set<Int> {
    guard try SchemaOwners.require(on: db).hasJournal else { return [] }
    return Set(try db.rows(versions) { Int(try $0.next(Int32.self)) })
  }

  /// The applied versions, after each one's text was compared with the one that was applied.
  private static func verifiedVersions(on db: isolated Connection) throws -> Set<Int> {
    for migration in Migration.all {
      let same = try db.row(compare, Int32(migration.version), migration.up) {
        try $0.next(Bool.self)
      }
      if same == false { throw SchemaError.edited(migration) }
    }
    return try appliedVersions(on: db)
  }

  // MARK: - SQL

  private static let encodingOfNew = Statement.once(
    "migrate-encoding",
    """
    select nullif(pg_catalog.current_setting('server_encoding'), 'UTF8')
    where pg_catalog.to_regclass('closebell.schema_migrations') is null
    """)
  private static let versions = Statement.once(
    "migrate-versions", "select version from closebell.schema_migrations order by version")
  private static let compare = Statement(
    "migrate-compare",
    """
    select checksum = pg_catalog.encode(
      pg_catalog.sha256(pg_catalog.convert_to($2::text, 'UTF8')), 'hex')
    from closebell.schema_migrations where version = $1::integer
    """)
  private static let record = Statement(
    "migrate-record",
    """
    insert into closebell.schema_migrations (version, name, checksum)
    values ($1::integer, $2::text, pg_catalog.encode(
      pg_catalog.sha256(pg_catalog.convert_to($3::text, 'UTF8')), 'hex'))
    """)
  private static let standing = Statement.once(
    "migrate-tables",
    """
    select pg_catalog.string_agg(
      pg_catalog.format('closebell.%I', c.relname), ', ' order by c.relname)
    from pg_catalog.pg_class c
    where c.relnamespace = pg_catalog.to_regnamespace('closebell')
      and c.relname = any ($1::text[]) and c.relkind in ('r', 'p')
    """)
  private static let forget = Statement(
    "migrate-forget", "delete from closebell.schema_migrations where version = $1::integer")
  private static let hasForeignSnapshots = Statement(
    "migrate-has-foreign-snapshots",
    "select pg_catalog.to_regclass('closebell.portfolio_snapshots') is not null")
  private static let duplicateSlots = Statement(
    "migrate-duplicate-slots",
    """
    select portfolio_id::bigint, snapshot_date::date::text, count(*)
    from closebell.portfolio_snapshots
    group by portfolio_id, snapshot_date having count(*) > 1
    order by snapshot_date, portfolio_id limit 50
    """)
}

/// Why the schema cannot be used, or not be changed.
public enum SchemaError: Problem {
  /// A slot that stands in a table more than once.
  public struct DuplicateSlot: Sendable {
    /// The portfolio's key.
    public let portfolioID: Int64
    /// The date, as the database writes it.
    public let date: String
    /// How many rows claim to be it.
    public let count: Int
  }

  /// The database's newest version (0: none) is older than this program's.
  case older(Int)
  /// The database's newest version is newer than this program knows.
  case newer(Int)
  /// A released file was changed after the database took it.
  case edited(Migration)
  /// The database keeps texts in an encoding that has not all of them, or checks none.
  case encoding(String)
  /// There is no such version.
  case unknownVersion(Int)
  /// Something of our name, in the role's rights, belongs to another one that we do not trust.
  case ofStranger(String, owner: String, role: String)
  /// There is a view or something else in the place of the table of migrations.
  case journalReplaced
  /// A table of snapshots that we did not make is in the way; its duplicate slots are listed.
  case snapshotsInTheWay(duplicates: [DuplicateSlot])

  /// The reason, and the way out, as an operator reads it.
  public var stated: StatedProblem {
    let known = Migration.latestVersion
    return switch self {
    case .older(0):
      StatedProblem(
        ProblemCode("schema_missing", .schema), "the database has no Closebell schema yet",
        remedy: "run: \(.migrate)")
    case .older(let version):
      StatedProblem(
        ProblemCode("schema_older", .schema),
        "the schema is at version \(version), this program works on version \(known)",
        remedy: "run: \(.migrate)")
    case .newer(let version):
      StatedProblem(
        ProblemCode("schema_newer", .schema),
        "the schema is at version \(version), newer than this program's \(known)",
        remedy: "install the Closebell that made it, or a later one")
    case .edited(let migration):
      StatedProblem(
        ProblemCode("migration_edited", .schema),
        "migration \(migration.version) (\(migration.name)) differs from the one that was applied",
        remedy: "this build was changed after its release; install an unchanged one")
    case .encoding(let name):
      StatedProblem(
        ProblemCode("database_encoding", .configuration),
        "the database is encoded in \(name), and the books need UTF8",
        remedy: "create database … encoding 'UTF8' template template0")
    case .unknownVersion(let version):
      StatedProblem(
        ProblemCode("unknown_schema_version", .schema), "there is no schema version \(version)",
        remedy: "versions run from 0 (nothing) to \(known)")
    case .ofStranger(let what, let owner, let role):
      Self.ofStranger(
        "\(what) belongs to \(owner), whose code would run with the rights of \(role)",
        """
        if \(owner) keeps these books: grant \(owner) to \(role), or make \(owner) the database's \
        owner; else have it dropped
        """)
    case .journalReplaced:
      Self.ofStranger(
        "closebell.schema_migrations is no table",
        "somebody put something else in its place; take it away")
    case .snapshotsInTheWay(let duplicates): Self.inTheWay(duplicates)
    }
  }

  private static func ofStranger(_ message: String, _ wayOut: String) -> StatedProblem {
    StatedProblem(
      ProblemCode("schema_of_stranger", .configuration), message,
      remedy: "nothing was read of it; \(wayOut)")
  }

  private static func inTheWay(_ duplicates: [DuplicateSlot]) -> StatedProblem {
    let renamed = "closebell.earlier_snapshots"
    let rename = "alter table closebell.portfolio_snapshots rename to earlier_snapshots"
    return StatedProblem(
      ProblemCode("snapshots_in_the_way", .schema),
      "a table closebell.portfolio_snapshots is there that Closebell did not make",
      details: duplicates.map {
        "portfolio_id \($0.portfolioID), \($0.date): \($0.count) rows"
      },
      remedy: duplicates.isEmpty
        ? "\(rename); then \(.adopt(table: renamed))"
        : "\(rename); then \(.migrate), and \(.repairDuplicates(table: renamed))")
  }
}
