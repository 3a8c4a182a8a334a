public import Postgres
public import Problems

/// A sequence of any database, with the columns whose values come from it.
public struct CataloguedSequence: Sendable {
  /// The sequence's number in the server's catalogue.
  public var oid: Int64
  /// Schema and name, quoted where need be.
  public var name: String
  /// What `nextval` adds; negative for one that counts down.
  public var increment: Int64
  /// The least value that it gives.
  public var minimum: Int64
  /// The largest value that it gives.
  public var maximum: Int64
  /// How many values a session draws ahead.
  public var cache: Int64
  /// Whether it begins anew at its end.
  public var cycles: Bool
  /// Whether our role may alter it.
  public var isOurs: Bool
  /// Whether our role may read where it stands.
  public var mayRead: Bool
  /// Why it is not read although our role may: a stranger's code would run; nil where none would.
  var objection: String?
  /// The columns, of which a shared sequence has several; none where only programs draw from it.
  public var users: [SequenceUser]
  /// Whether it was asked for by the name of a table that uses it.
  var isNamed = false
}

/// A column whose values come from a sequence.
public struct SequenceUser: Sendable {
  /// How the catalogue knows.
  public enum Origin: String, Sendable {
    /// `generated … as identity`.
    case identity
    /// `owned by`, as `serial` makes it.
    case owned
    /// `default nextval(…)` of a sequence that belongs to nobody, or to another column.
    case `default`
    /// A default that looks its sequence up by name at every insert.
    case name
  }

  /// What kind of relation it is a column of: `r` table, `p` partitioned, `v` view, `f` foreign.
  enum Kind: String {
    case table = "r", partitioned = "p", foreign = "f", view = "v", materialized = "m"
  }

  /// The table's number in the server's catalogue.
  public var tableOID: Int64
  /// Schema and table, quoted where need be.
  public var table: String
  /// The column, quoted where need be.
  public var column: String
  /// The column's number in its table.
  public var columnNumber: Int32
  /// How the catalogue knows.
  public var origin: Origin
  /// The least and the largest value that the column's type holds; nil where it holds others than
  /// whole numbers.
  public var range: ClosedRange<Int64>?
  /// Whether its type is `numeric`, which is wider than any sequence.
  var isNumeric: Bool
  /// What it is a column of.
  var kind: Kind?
  /// Whether it is a partition.
  public var isPartition: Bool
  /// Whether the column holds just what the sequence gives, and nothing computed from it.
  var isPlain: Bool
  /// Whether our role may read it.
  var mayRead: Bool
  /// Whether row-level security hides rows from our role.
  var hidesRows: Bool
  /// Whether the column leads a whole index, so that its largest value is found at once.
  var hasIndex: Bool
  /// Whether its rows lie in pages in the order in which they came.
  var isHeap: Bool
  /// Whether another session keeps everybody out of table or sequence.
  var isLocked: Bool
  /// Why it is not read although our role may: a stranger's code would run; nil where none would.
  var objection: String?
}

/// A column whose default looks its sequence up by a name that no sequence has.
public struct UnresolvedDefault: Sendable {
  /// Schema and table, quoted where need be.
  public var table: String
  /// The column, quoted where need be.
  public var column: String
  /// Why nothing can be said of it.
  public var reason: String
}

/// Which sequences and columns are looked at.
public enum SequenceScope: Sendable {
  /// All of the database. The sequences of one schema are its own: columns elsewhere, whose
  /// defaults anybody may make draw from them, do not count.
  case database(apart: String)
  /// Nothing but the sequences and columns of one schema.
  case schema(String)

  /// What the statements take: the schema, and whether nothing else is looked at.
  var parameters: (schema: String, isAlone: Bool) {
    switch self {
    case .database(let schema): (schema, false)
    case .schema(let schema): (schema, true)
    }
  }
}

/// Finds sequences in the server's catalogue, never in a list: a list drifts from the schema.
public enum SequenceCatalogue {
  /// Every sequence that is neither temporary nor the server's own, by name.
  ///
  /// Columns are found by identity, ownership and default. What a trigger or a program draws and
  /// writes is not in the catalogue.
  ///
  /// - Parameters:
  ///   - names: Only sequences that bear these names, or that tables of these names use, as in SQL;
  ///     without a schema, in any schema. Empty means all.
  ///   - scope: What is looked at for them.
  /// - Throws: `SequenceError` where there is no table and no sequence of a name.
  public static func find(
    _ names: [String] = [], in scope: SequenceScope, on db: isolated Connection
  ) throws -> [CataloguedSequence] {
    let wanted = names.isEmpty ? nil : Set(try relations(names, on: db))
    let rows = try waitingBriefly(on: db) { db in
      try db.rows(
        SequenceSQL.discover, scope.parameters.schema, scope.parameters.isAlone
      ) { try decode(&$0) }
    }
    var sequences: [CataloguedSequence] = []
    for (sequence, user, root) in rows {
      if sequences.last?.oid != sequence.oid { sequences.append(sequence) }
      if let user { sequences[sequences.count - 1].users.append(user) }
      if let wanted, let user, wanted.contains(user.tableOID) || wanted.contains(root) {
        sequences[sequences.count - 1].isNamed = true
      }
    }
    guard let wanted else { return sequences }
    return sequences.filter { $0.isNamed || wanted.contains($0.oid) }
  }

  /// Columns that no sequence is known to fill although their defaults look one up.
  ///
  /// - Parameter names: Only those of these tables; see `find`.
  public static func unresolved(
    _ names: [String] = [], in scope: SequenceScope, on db: isolated Connection
  ) throws -> [UnresolvedDefault] {
    let wanted = names.isEmpty ? nil : Set(try relations(names, on: db))
    let found = try waitingBriefly(on: db) { db in
      try db.rows(
        SequenceSQL.unresolved, scope.parameters.schema, scope.parameters.isAlone
      ) { row in
        (
          try row.nextInt64(), table: try row.nextString(), column: try row.nextString(),
          literal: try row.nextString()
        )
      }
    }
    return found.filter { wanted?.contains($0.0) ?? true }.map {
      UnresolvedDefault(
        table: $0.table, column: $0.column,
        reason: "its default looks for a sequence '\($0.literal)', and none is known by that name")
    }
  }

  /// A table that was locked just now is seen to be so by the second attempt.
  private static func waitingBriefly<R>(
    on db: isolated Connection, attempts: Int = 10, _ look: (isolated Connection) throws -> R
  ) throws -> R {
    do {
      return try SequenceReader.waitingBriefly(on: db, look)
    } catch let error as PostgresError
      where error.waitedTooLongForLock && attempts > 1 && !db.isInTransaction
    {
      return try waitingBriefly(on: db, attempts: attempts - 1, look)
    }
  }

  /// The tables and sequences of some names, and for a partition the table that it is one of.
  static func relations(
    _ names: [String], on db: isolated Connection
  ) throws -> [Int64] {
    try names.flatMap { name in
      let found: [Int64]
      do {
        found = try db.rows(SequenceSQL.relations, name) { try $0.nextInt64() }
      } catch let error as PostgresError
        where [SQLState.invalidParameterValue, SQLState.invalidName].contains(error.sqlState)
      {
        throw SequenceError.notFound(name)
      }
      guard !found.isEmpty else { throw SequenceError.notFound(name) }
      return found
    }
  }

  private static func decode(
    _ row: inout RowReader
  ) throws -> (CataloguedSequence, SequenceUser?, root: Int64) {
    let sequence = CataloguedSequence(
      oid: try row.nextInt64(), name: try row.nextString(), increment: try row.nextInt64(),
      minimum: try row.nextInt64(), maximum: try row.nextInt64(), cache: try row.nextInt64(),
      cycles: try row.nextBool(), isOurs: try row.nextBool(), mayRead: try row.nextBool(),
      objection: try row.nextStringOrNil()?.onOneLine, users: [])
    guard let table = try row.nextInt64OrNil() else { return (sequence, nil, 0) }
    let root = try row.nextInt64()
    let (name, column) = (try row.nextString(), try row.nextString())
    let number = try row.nextInt32()
    let (origin, kind) = (try row.nextString(), try row.nextString())
    let isPartition = try row.nextBool()
    let type = try row.nextInt64()
    let user = SequenceUser(
      tableOID: table, table: name, column: column, columnNumber: number,
      origin: SequenceUser.Origin(rawValue: origin) ?? .default, range: range(ofType: type),
      isNumeric: type == 1700, kind: SequenceUser.Kind(rawValue: kind), isPartition: isPartition,
      isPlain: try row.nextBool(), mayRead: try row.nextBool(), hidesRows: try row.nextBool(),
      hasIndex: try row.nextBool(), isHeap: try row.nextBool(), isLocked: try row.nextBool(),
      objection: try row.nextStringOrNil()?.onOneLine)
    return (sequence, user, root)
  }

  /// By the numbers that `pg_type` gives the types of whole numbers, and `numeric`.
  private static func range(ofType oid: Int64) -> ClosedRange<Int64>? {
    switch oid {
    case 21: Int64(Int16.min)...Int64(Int16.max)
    case 23: Int64(Int32.min)...Int64(Int32.max)
    case 20, 1700: Int64.min...Int64.max
    default: nil
    }
  }
}

extension CataloguedSequence {
  /// The values that it can give and that every column holds.
  public var range: ClosedRange<Int64> {
    let ranges = users.compactMap(\.range)
    let low = ranges.reduce(minimum) { max($0, $1.lowerBound) }
    let high = ranges.reduce(maximum) { min($0, $1.upperBound) }
    return low <= high ? low...high : minimum...maximum
  }
}

/// Why a question about sequences has no answer.
public enum SequenceError: Problem {
  /// No table and no sequence has this name.
  case notFound(String)
  /// Sequences of our own would give ids that are taken, and our role cannot move them.
  case behind([String])
  /// A trigger cannot stand on this table; the reason.
  case noTrigger(table: String, reason: String)

  /// The reason, and the way out, as an operator reads it.
  public var stated: StatedProblem {
    switch self {
    case .notFound(let name):
      StatedProblem(
        ProblemCode("sequence_not_found", .notFound),
        "there is no table and no sequence \(name)",
        remedy: "name it as in SQL: SCHEMA.TABLE; a name in mixed case is quoted: '\"Table\"'")
    case .behind(let reasons):
      StatedProblem(
        ProblemCode("sequences_behind", .failed),
        "ids that are taken already would be given out again; nothing was begun",
        details: reasons, remedy: "as the owner of the schema: \(.repairSequences)")
    case .noTrigger(let table, let reason):
      StatedProblem(
        ProblemCode("trigger_impossible", .refused),
        "table \(table): no trigger can keep its sequence ahead: \(reason)")
    }
  }
}
