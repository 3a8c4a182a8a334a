public import Postgres
internal import Problems
internal import Sequences

/// A table of snapshots that an earlier system made: which of its columns mean what.
///
/// Its name and columns are quoted as PostgreSQL wants them, whatever their case.
public struct LegacyTable: Sendable {
  /// A column: its name as SQL wants it, and its type as the server writes it.
  public struct Column: Sendable {
    /// The name, quoted where need be.
    public var name: String
    /// The type, for example `numeric(14,2)`.
    public var type: String
    /// Decimals that a value can have; nil where the type has no limit or is floating.
    var scale: Int?
    /// Whether it holds text.
    var isText: Bool { type == "text" || type.hasPrefix("character") }
    /// Whether it holds whole numbers.
    var isInteger: Bool { ["smallint", "integer", "bigint"].contains(type) }
    /// Whether it holds amounts.
    var isAmount: Bool {
      isInteger || type.hasPrefix("numeric") || type == "double precision" || type == "real"
    }
  }

  /// Schema and name, quoted where need be.
  public var name: String
  /// The table's number in the server's catalogue.
  public var oid: Int64
  /// Whether it is partitioned.
  public var isPartitioned: Bool
  /// Whose row it is.
  public var portfolio: Column
  /// The portfolio's code, where a column holds it.
  var code: Column?
  /// The date; always `snapshot_date` in some spelling.
  public var date: Column
  /// When the row was written.
  public var createdAt: Column
  /// Whether the row was finished.
  public var isComplete: Column?
  /// The closing equity.
  public var value: Column
  /// The equity that the row opened from.
  public var opening: Column?
  /// The date's profit and loss.
  public var pnl: Column?
  /// The date's net external flow.
  public var flow: Column?

  /// Whether its amounts add up to the last digit: floating ones, and decimals beyond our four,
  /// do only to a half cent.
  public var isExact: Bool {
    [value, opening, pnl, flow].allSatisfy { $0.map { ($0.scale ?? 99) <= 4 } ?? true }
  }

  /// Finds a table and its columns.
  ///
  /// - Parameter name: `SCHEMA.TABLE`, quoted as in SQL where need be.
  /// - Throws: `LegacyTableError` where it is not there, no table, or lacks columns or rights.
  public static func find(_ name: String, on db: isolated Connection) throws -> LegacyTable {
    guard let found = try relation(named: name, on: db) else {
      throw LegacyTableError.notFound(name, alike: try db.rows(alike, name) { try $0.nextString() })
    }
    guard let kind = found.kind else { throw LegacyTableError.notATable(found.name, found.word) }
    guard found.mayRead else {
      throw LegacyTableError.noRight(found.name, "the right to select from it is missing")
    }
    if let objection = found.objection { throw LegacyTableError.ofStranger(found.name, objection) }
    let columns = try db.rows(columnList, found.oid) { row in
      (
        key: try row.nextString(),
        column: Column(
          name: try row.nextString(), type: try row.nextString(),
          scale: try row.nextInt32OrNil().map { Int($0) })
      )
    }
    return try LegacyTable(found, isPartitioned: kind == .partitioned, columns: columns)
  }

  /// Nil where nothing has the name, or where it is none as SQL has it; a transaction that is open
  /// goes on after that.
  private static func relation(
    named name: String, on db: isolated Connection
  ) throws -> Relation? {
    func look(_ db: isolated Connection) throws -> Relation? {
      try db.row(relation, name, as: { try Relation(&$0) })
    }
    do {
      return db.isInTransaction ? try db.savepoint(look) : try look(db)
    } catch let error as PostgresError
      where [SQLState.invalidName, SQLState.syntaxError].contains(error.sqlState)
    {
      return nil
    } catch let error as PostgresError where error.isRefusedToRole {
      throw LegacyTableError.noRight(name, error.message)
    }
  }

  /// Tables that look like this kind, for an operator who named none.
  public static func candidates(on db: isolated Connection) throws -> [String] {
    try db.rows(candidateList) { try $0.nextString() }
  }

  private init(
    _ relation: Relation, isPartitioned: Bool, columns: [(key: String, column: Column)]
  ) throws {
    let byKey = Dictionary(columns.map { ($0.key, $0.column) }, uniquingKeysWith: { one, _ in one })
    func first(_ names: String...) -> Column? { names.lazy.compactMap { byKey[$0] }.first }
    var problems: [String] = []
    func needed(_ what: String, _ column: Column?, _ isFit: (Column) -> Bool) -> Column {
      if column == nil { problems.append("no column \(what)") }
      if let column, !isFit(column) {
        problems.append("column \(column.name) is \(column.type), where \(what) is due")
      }
      return column ?? Column(name: "", type: "")
    }
    name = relation.name
    oid = relation.oid
    self.isPartitioned = isPartitioned
    code = first("portfoliocode", "portfolio", "code").flatMap { $0.isText ? $0 : nil }
    portfolio = needed(
      "portfolio_id, portfolio_code, portfolio or code",
      first("portfolioid", "portfoliocode", "portfolio", "code")
    ) { _ in true }
    date = needed("snapshot_date, a date,", first("snapshotdate")) { $0.type == "date" }
    createdAt = needed("created_at, a timestamp,", first("createdat")) {
      $0.type.hasPrefix("timestamp")
    }
    isComplete = first("iscomplete").flatMap { $0.type == "boolean" ? $0 : nil }
    value = needed(
      "closing_equity, net_asset_value or equity_balance, an amount,",
      first("closingequity", "netassetvalue", "equitybalance"), \.isAmount)
    func amount(_ column: Column?) -> Column? { column.flatMap { $0.isAmount ? $0 : nil } }
    opening = amount(first("openingequity"))
    pnl = amount(first("dailypnl", "totalpnl"))
    flow = amount(first("netexternalflow", "netflow"))
    guard problems.isEmpty else {
      throw LegacyTableError.wrongColumns(
        relation.name, problems, there: columns.map { "\($0.column.name) \($0.column.type)" })
    }
  }

  private struct Relation {
    enum Kind { case table, partitioned }
    var oid: Int64
    var name: String
    var word: String
    var mayRead: Bool
    var objection: String?

    init(_ row: inout RowReader) throws {
      oid = try row.nextInt64()
      name = try row.nextString()
      word = try row.nextString()
      mayRead = try row.nextBool()
      objection = try row.nextStringOrNil()?.onOneLine
    }

    var kind: Kind? {
      word == "table" ? .table : word == "partitioned table" ? .partitioned : nil
    }
  }

  /// Keeps the table from being altered or replaced until the transaction ends, and makes sure that
  /// it is still the one that was found: what is read of it is asked for by its name.
  ///
  /// - Parameter mode: Of the lock, as SQL has it.
  /// - Throws: `LegacyTableError.ofStranger`.
  func hold(_ mode: String, on db: isolated Connection) throws {
    precondition(db.isInTransaction, "a lock that ends at once holds nothing")
    try db.execute(sql: "lock table \(name) in \(mode) mode")
    let kind = isPartitioned ? "p" : "r"
    let objection = try db.row(Self.look, oid, name, kind) { try $0.nextStringOrNil()?.onOneLine }
    guard let objection else { throw LegacyTableError.ofStranger(name, Self.replaced) }
    if let objection { throw LegacyTableError.ofStranger(name, objection) }
  }

  // MARK: - SQL

  private static let replaced = "it was replaced meanwhile"
  /// Of a relation `c` in a schema `n`: whose code would run with our rights.
  private static let objection = """
    coalesce(\(TrustedRoles.objection), \(TrustedRoles.triggerObjection),
      \(TrustedRoles.typeObjection))
    """
  private static let look = Statement.once(
    "legacy-hold",
    """
    select case when c.relkind::text <> $3::text
        or pg_catalog.format('%I.%I', n.nspname, c.relname) <> $2::text
      then '\(replaced)' else \(objection) end
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = $1::bigint::oid
    """)
  private static let relation = Statement.once(
    "legacy-relation",
    """
    select c.oid::bigint, pg_catalog.format('%I.%I', n.nspname, c.relname),
      case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
        when 'm' then 'materialized view' when 'f' then 'foreign table' else 'relation' end,
      pg_catalog.has_table_privilege(c.oid, 'select'), \(objection)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = pg_catalog.to_regclass($1::text)
    """)
  private static let alike = Statement.once(
    "legacy-alike",
    """
    select pg_catalog.format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p')
      and pg_catalog.lower(c.relname) = pg_catalog.lower(pg_catalog.replace(
        pg_catalog.regexp_replace($1::text, '^.*\\.', ''), '"', ''))
    order by 1 limit 5
    """)
  private static let columnList = Statement.once(
    "legacy-columns",
    """
    select pg_catalog.replace(pg_catalog.lower(a.attname), '_', ''),
      pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod),
      case when a.atttypid = 'pg_catalog.numeric'::regtype and a.atttypmod >= 4
          then (((a.atttypmod - 4) & 2047) # 1024) - 1024
        when a.atttypid in ('pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype,
          'pg_catalog.int8'::regtype) then 0 end
    from pg_catalog.pg_attribute a
    where a.attrelid = $1::bigint::oid and a.attnum > 0 and not a.attisdropped
    order by a.attnum
    """)
  private static let candidateList = Statement.once(
    "legacy-candidates",
    """
    select pg_catalog.format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not (n.nspname = 'closebell' and c.relname in ('portfolio_snapshots',
        'adopted_snapshots'))
      and exists (select from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and not a.attisdropped
          and pg_catalog.lower(a.attname) in ('snapshot_date', 'snapshotdate'))
      and exists (select from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and not a.attisdropped
          and pg_catalog.lower(a.attname)
            in ('closing_equity', 'net_asset_value', 'equity_balance'))
    order by 1 limit 10
    """)
}
