public import Accounting
public import Postgres

/// A row of a `LegacyTable`.
public struct LegacyRow: Sendable {
  /// The portfolio's key in that table, as text.
  public var portfolio: String
  /// The date.
  public var date: Day
  /// When it was written, as the server shows it.
  public var createdAt: String
  /// Whether it says that it was finished; nil where no column does.
  public var isComplete: Bool?
  /// The closing equity; nil where none is stored.
  public var closing: Money?
  /// The equity that it opened from.
  public var opening: Money?
  /// The date's profit and loss.
  public var pnl: Money?
  /// The date's net external flow.
  public var flow: Money?
  /// What we closed for that date ourselves, rounded as the table rounds.
  public var ownClosing: Money?
  /// SHA-256 of everything in the row.
  public var digest: String
  /// Where the row lies: good while the table is locked.
  public var place: Place

  /// Where a row lies.
  public struct Place: Sendable, Hashable {
    var table: Int64
    var tuple: String
  }

  /// A row that is not in any table, for deciding about it.
  public init(
    portfolio: String, date: Day, createdAt: String, isComplete: Bool? = nil, closing: Money?,
    opening: Money? = nil, pnl: Money? = nil, flow: Money? = nil, ownClosing: Money? = nil,
    digest: String = ""
  ) {
    self.portfolio = portfolio
    self.date = date
    self.createdAt = createdAt
    self.isComplete = isComplete
    self.closing = closing
    self.opening = opening
    self.pnl = pnl
    self.flow = flow
    self.ownClosing = ownClosing
    self.digest = digest
    place = Place(table: 0, tuple: "")
  }
}

extension LegacyTable {
  /// Keeps the table from being altered or replaced until the transaction ends; others read and
  /// write it.
  ///
  /// - Throws: `LegacyTableError.ofStranger` where it is not the one that was found any more.
  public func hold(on db: isolated Connection) throws { try hold("access share", on: db) }

  /// Stops everybody else from writing to the table until the transaction ends; readers go on.
  ///
  /// - Throws: As `hold`.
  public func lock(on db: isolated Connection) throws {
    do {
      try hold("share row exclusive", on: db)
    } catch let error as PostgresError where error.isRefusedToRole {
      throw LegacyTableError.noRight(name, "the rights to lock it and delete from it are missing")
    }
  }

  /// Refuses rows that belong to no slot.
  public func requireSlots(on db: isolated Connection) throws {
    let count = try db.row(
      Statement.once(
        "legacy-without-slot",
        "select count(*) from \(name) t where t.\(portfolio.name) is null "
          + "or t.\(date.name) is null"),
      as: { try $0.nextInt64() })
    if let count, count > 0 { throw LegacyTableError.rowsWithoutSlot(name, count) }
  }

  /// The rows of every portfolio that has a slot more than once or an unfinished row, portfolio
  /// by portfolio, ascending by date, then by when they were written.
  public func forEachDoubtfulPortfolio(
    on db: isolated Connection, _ visit: ([LegacyRow]) throws -> Void
  ) throws {
    var rows: [LegacyRow] = []
    try db.forEachRow(Statement.once("legacy-rows", doubtfulRows)) { reader in
      let row = try Self.decode(&reader)
      if let last = rows.last, !last.portfolio.isExactly(row.portfolio) {
        try visit(rows)
        rows = []
      }
      rows.append(row)
    }
    if !rows.isEmpty { try visit(rows) }
  }

  private static func decode(_ row: inout RowReader) throws -> LegacyRow {
    var result = LegacyRow(
      portfolio: try row.nextString(), date: try row.nextDay(), createdAt: try row.nextString(),
      isComplete: try row.nextBoolOrNil(), closing: try row.nextFixedOrNil(),
      opening: try row.nextFixedOrNil(), pnl: try row.nextFixedOrNil(),
      flow: try row.nextFixedOrNil(), ownClosing: try row.nextFixedOrNil(),
      digest: try row.nextString())
    result.place = LegacyRow.Place(table: try row.nextInt64(), tuple: try row.nextString())
    return result
  }

  /// Slots that stand more than once or are unfinished: the first of them, and the counts.
  public func obstacles(
    limit: Int, on db: isolated Connection
  ) throws -> (list: [LegacyTableError.Obstacle], duplicates: Int64, unfinished: Int64) {
    let list = try db.rows(Statement.once("legacy-obstacles", obstacleList), Int64(limit)) {
      LegacyTableError.Obstacle(
        portfolio: try $0.nextString(), date: try $0.nextString(), count: try $0.nextInt64(),
        values: try $0.nextString())
    }
    let counts = try db.row(Statement.once("legacy-obstacle-counts", obstacleCounts)) {
      (try $0.nextInt64(), try $0.nextInt64())
    }
    return (list, counts?.0 ?? 0, counts?.1 ?? 0)
  }

  // MARK: - SQL

  /// An amount as money; what is no finite number of that size is no amount.
  private static func money(_ column: Column?) -> String {
    guard let column else { return "null::numeric" }
    let number = "t.\(column.name)::numeric"
    return "case when \(number) = 'NaN' or pg_catalog.abs(\(number)) >= 1e18 then null "
      + "else pg_catalog.round(\(number), 4) end"
  }

  /// SQL that is true where a row was never finished: it says so, or has no value.
  var isUnfinished: String {
    let hasNoValue = "(\(Self.money(value))) is null"
    return isComplete.map { "(\(hasNoValue) or t.\($0.name) is not true)" } ?? hasNoValue
  }

  /// SQL that is true where every amount of a row is zero or nothing: a placeholder, whatever
  /// its column says.
  var isBlank: String {
    [value, opening, pnl, flow].compactMap { $0 }.map { "coalesce(\(Self.money($0)), 0) = 0" }
      .joined(separator: " and ")
  }

  /// SQL that gives our portfolio's id for a row of theirs: by code where a column holds it.
  var ownPortfolio: String {
    let text = code ?? (portfolio.isText ? portfolio : nil)
    if let text {
      return """
        (select p.id from closebell.portfolios p
         where p.code = t.\(text.name)::text and p.inception_date <= t.\(date.name)
           and (p.retired_on is null or p.retired_on >= t.\(date.name))
         order by p.id desc limit 1)
        """
    }
    guard portfolio.isInteger else { return "null::bigint" }
    return
      "(select p.id from closebell.portfolios p where p.id = t.\(portfolio.name)::bigint)"
  }

  var ownClosing: String {
    """
    (select pg_catalog.round(s.closing_equity, \(min(value.scale ?? 2, 4)))
     from closebell.portfolio_snapshots s
     where s.snapshot_date = t.\(date.name) and s.is_complete and s.portfolio_id = \(ownPortfolio))
    """
  }

  private var doubtfulRows: String {
    let key = "t.\(portfolio.name)"
    return """
      select \(key)::text, t.\(date.name),
        pg_catalog.to_char(t.\(createdAt.name), 'YYYY-MM-DD HH24:MI:SS.US'),
        \(isComplete.map { "coalesce(t.\($0.name), false)" } ?? "null::boolean"),
        \(Self.money(value)), \(Self.money(opening)), \(Self.money(pnl)), \(Self.money(flow)),
        \(ownClosing),
        pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
          pg_catalog.to_jsonb(t)::text, 'UTF8')), 'hex'),
        t.tableoid::bigint, t.ctid::text
      from \(name) t
      where \(key) in (
        select \(key) from \(name) t group by \(key), t.\(date.name) having count(*) > 1
        union select \(key) from \(name) t where \(isUnfinished) or \(isBlank))
      order by \(key)::text collate "C", t.\(date.name), t.\(createdAt.name) nulls last, 10, 12
      """
  }

  private var grouped: String {
    """
    select t.\(portfolio.name)::text as portfolio, t.\(date.name) as date, count(*) as rows,
      bool_or(\(isUnfinished)) as unfinished,
      pg_catalog.string_agg(coalesce(t.\(value.name)::text, 'none'), ', '
        order by t.\(createdAt.name)) as values
    from \(name) t group by 1, 2
    having count(*) > 1 or bool_or(\(isUnfinished))
    """
  }

  private var obstacleList: String {
    """
    select portfolio, date::text, rows, values from (\(grouped)) g
    order by date, portfolio limit $1::bigint
    """
  }

  private var obstacleCounts: String {
    """
    select count(*) filter (where rows > 1), count(*) filter (where rows = 1 and unfinished)
    from (\(grouped)) g
    """
  }
}
