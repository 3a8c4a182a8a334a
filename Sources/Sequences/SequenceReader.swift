public import Postgres

/// Reads columns and sequences, many in one statement.
public enum SequenceReader {
  /// How many newest pages of a table are read where no index leads with the column: 512 kB.
  static let newestPages = 64
  /// How many columns one statement reads; planning grows faster than their number.
  private static let batch = 50

  /// Looks at every sequence and its columns, and judges them.
  ///
  /// A table that is locked, gone, forbidden or too slow is said so, and keeps no other from being
  /// read. Nothing waits longer than a quarter of a second for a lock, or than the session's
  /// `statement_timeout` for a table.
  ///
  /// - Parameter scans: Whether to read tables whole where no index leads with the column.
  public static func check(
    _ sequences: [CataloguedSequence], scans: Bool = false, on db: isolated Connection
  ) throws -> [SequenceHealth] {
    let parts = sequences.flatMap { SequencePart.parts(of: $0, scans: scans) }
    return try waitingBriefly(on: db) { db in
      var readings: [SequenceReading] = []
      for start in stride(from: 0, to: parts.count, by: batch) {
        readings += try read(Array(parts[start..<min(start + batch, parts.count)]), on: db)
      }
      return judge(sequences, readings)
    }
  }

  /// Runs `body` so that no statement in it waits longer than a quarter of a second for a lock.
  static func waitingBriefly<R>(
    on db: isolated Connection, _ body: (isolated Connection) throws -> R
  ) throws -> R {
    let before = try db.row(shortenWaits) { try $0.nextString() } ?? "0"
    defer { _ = try? db.row(restoreWaits, before) { try $0.nextString() } }
    return try body(db)
  }

  /// The same under the session's own limits, of one sequence.
  ///
  /// - Parameter taken: A value that is in use, whatever the columns show.
  static func look(
    at sequence: CataloguedSequence, taken: Int64? = nil, on db: isolated Connection
  ) throws -> SequenceHealth {
    var readings = try read(SequencePart.parts(of: sequence, scans: false), on: db)
    if let taken {
      let alone = try read(SequencePart.parts(of: sequence.alone, scans: false), on: db)
      readings += alone.map { reading in
        var known = reading
        known.extreme = taken
        return known
      }
    }
    return SequenceHealth(sequence, readings)
  }

  private static func judge(
    _ sequences: [CataloguedSequence], _ readings: [SequenceReading]
  ) -> [SequenceHealth] {
    var rest = readings[...]
    return sequences.map { sequence in
      let count = max(1, sequence.users.count)
      defer { rest = rest.dropFirst(count) }
      return SequenceHealth(sequence, Array(rest.prefix(count)))
    }
  }

  /// One statement for all that may be read; if it fails, one for each, and its failure is told.
  private static func read(
    _ parts: [SequencePart], on db: isolated Connection
  ) throws -> [SequenceReading] {
    var readings = parts.map { SequenceReading.unread($0.obstacle ?? "") }
    let open = parts.indices.filter { parts[$0].obstacle == nil }
    guard !open.isEmpty else { return readings }
    do {
      for (index, reading) in try hold(parts, open, on: db) { readings[index] = reading }
    } catch let error as PostgresError where concernsTable(error) {
      for index in open {
        do {
          for (index, reading) in try hold(parts, [index], on: db) { readings[index] = reading }
        } catch let error as PostgresError where concernsTable(error) {
          readings[index] = .unread(reason(error))
        }
      }
    }
    return readings
  }

  /// Reads while nobody can put another table in the place of one that was found.
  private static func hold(
    _ parts: [SequencePart], _ indices: [Int], on db: isolated Connection
  ) throws -> [(Int, SequenceReading)] {
    let tables = indices.compactMap { index in
      parts[index].user.map { FoundTable(oid: $0.tableOID, name: $0.table, kind: $0.kind) }
    }
    guard !tables.isEmpty else { return try read(parts, indices, on: db) }
    func body(_ db: isolated Connection) throws -> [(Int, SequenceReading)] {
      let objections = try FoundTable.hold(tables, on: db)
      let unread = indices.compactMap { index in
        parts[index].user.flatMap { objections[$0.tableOID] }.map {
          (index, SequenceReading.unread($0))
        }
      }
      let rest = indices.filter { index in !unread.contains { $0.0 == index } }
      return rest.isEmpty ? unread : try unread + read(parts, rest, on: db)
    }
    return db.isInTransaction ? try db.savepoint(body) : try db.transaction(readOnly: true, body)
  }

  private static func read(
    _ parts: [SequencePart], _ indices: [Int], on db: isolated Connection
  ) throws -> [(Int, SequenceReading)] {
    let text = indices.map { parts[$0].sql(number: $0) }.joined(separator: "\nunion all\n")
    return try db.rows(.once("sequences-read", text)) { row in
      let index = Int(try row.nextInt32())
      let extreme = try row.nextInt64OrNil()
      let (last, isCalled) = (try row.nextInt64(), try row.nextBool())
      let pages = try row.nextInt64()
      let coverage: SequenceReading.Coverage =
        pages > Int64(newestPages) ? .newest(pages: pages) : .whole
      return (
        index,
        SequenceReading(extreme: extreme, coverage: coverage, last: last, isCalled: isCalled)
      )
    }
  }

  /// Whether the failure says something about a table, and not about the connection or our task.
  private static func concernsTable(_ error: PostgresError) -> Bool {
    !error.connectionIsLost && (error.kind == .server || error.sqlState == SQLState.queryCanceled)
  }

  private static func reason(_ error: PostgresError) -> String {
    switch error.sqlState {
    case SQLState.lockNotAvailable: "another session holds it locked"
    case SQLState.queryCanceled: "reading it took longer than statement_timeout"
    case SQLState.insufficientPrivilege where error.isRowSecurity:
      "a policy hides rows of it from us"
    case SQLState.insufficientPrivilege: "the right to select from it is missing"
    case SQLState.undefinedTable, SQLState.invalidSchemaName, SQLState.undefinedColumn,
      SQLState.internalError:
      "it was dropped meanwhile"
    default: error.message
    }
  }

  private static let shortenWaits = Statement.once(
    "sequences-shorten-waits",
    """
    select s.setting, pg_catalog.set_config('lock_timeout',
      least(nullif(s.setting::integer, 0), 250)::text, false)
    from pg_catalog.pg_settings s where s.name = 'lock_timeout'
    """)
  private static let restoreWaits = Statement.once(
    "sequences-restore-waits",
    "select pg_catalog.set_config('lock_timeout', $1::text, false)")
}

/// What is read in one go: a column with its sequence, or a sequence alone.
struct SequencePart {
  let sequence: CataloguedSequence
  let user: SequenceUser?
  /// Whether the table is read whole although no index leads with the column.
  let scans: Bool

  static func parts(of sequence: CataloguedSequence, scans: Bool) -> [SequencePart] {
    sequence.users.isEmpty
      ? [SequencePart(sequence: sequence, user: nil, scans: scans)]
      : sequence.users.map { SequencePart(sequence: sequence, user: $0, scans: scans) }
  }

  /// Why it is not even tried.
  var obstacle: String? {
    guard sequence.mayRead else { return "the right to select from the sequence is missing" }
    if let objection = sequence.objection { return "sequence \(sequence.name): \(objection)" }
    guard let user else { return nil }
    if user.kind == .foreign { return "it is a foreign table" }
    guard user.kind == .table || user.kind == .partitioned else { return "it is a view" }
    if user.range == nil { return "the column holds other values than whole numbers" }
    if !user.isPlain { return "its values are computed from the sequence's" }
    if !user.mayRead { return "the right to select from it is missing" }
    if user.hidesRows { return "row-level security hides rows of it" }
    if let objection = user.objection { return objection }
    if user.isLocked { return "another session holds it locked" }
    if !user.hasIndex, !scans, user.kind == .partitioned || !user.isHeap {
      return "no index leads with the column"
    }
    return nil
  }

  /// Number, extreme, last_value, is_called, and how many pages there are where not all are read.
  ///
  /// A scan of the sequence may show a value that `nextval` puts there for its log record alone, up
  /// to 32 ahead; the function waits until that is over. It is null until the first call.
  func sql(number: Int) -> String {
    let extreme = user.map { "(\(Self.extreme($0, sequence, readsNewest: readsNewest)))" }
    let pages = readsNewest ? user.map { Self.pages(of: $0) } : nil
    return """
      select \(number)::integer, \(extreme ?? "null::bigint"), coalesce(v.last, q.last_value),
        v.last is not null, \(pages ?? "0")::bigint
      from \(sequence.name) q, pg_catalog.pg_sequence_last_value(\(sequence.oid)::oid) v (last)
      """
  }

  private var readsNewest: Bool { user.map { !$0.hasIndex && !scans } ?? false }

  /// A table's inheritors have the default themselves, and are read on their own.
  private static func extreme(
    _ user: SequenceUser, _ sequence: CataloguedSequence, readsNewest: Bool
  ) -> String {
    let column = "t.\(user.column)"
    let extreme = sequence.increment < 0 ? "min(\(column))" : "max(\(column))"
    let number =
      user.isNumeric
      ? """
      least(greatest(pg_catalog.ceil(\(extreme)), \(Int64.min)), \(Int64.max))::bigint
      """ : "\(extreme)::bigint"
    let only = user.kind == .table ? "only " : ""
    let newest =
      readsNewest
      ? """
       where \(SequenceSQL.isNewest("t", SequenceReader.newestPages, of: pages(of: user)))
      """ : ""
    return "select \(number) from \(only)\(user.table) t\(newest)"
  }

  private static func pages(of user: SequenceUser) -> String {
    SequenceSQL.pages(of: "\(user.tableOID)::oid::regclass")
  }
}
