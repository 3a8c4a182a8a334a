internal import Accounting
internal import Postgres

extension Dictionary {
  /// Rows of a table by what tells them apart.
  ///
  /// The table's key keeps them apart, unless somebody dropped it. Which of two rows is the right
  /// one nobody can know; nothing is worked out from either.
  ///
  /// - Parameter name: How an operator finds the row.
  /// - Throws: `StorageError.rowTwice`.
  package init(
    rows: [(Key, Value)], of table: String, name: (Key) -> String = { "\($0)" }
  ) throws {
    self.init(minimumCapacity: rows.count)
    for (key, value) in rows where updateValue(value, forKey: key) != nil {
      throw StorageError.rowTwice(table: table, row: name(key))
    }
  }
}

extension Dictionary where Key == Slot {
  /// Snapshots by their slots.
  ///
  /// - Throws: `StorageError.rowTwice`.
  package init(snapshots: [(Slot, Value)]) throws {
    try self.init(rows: snapshots, of: "portfolio_snapshots", name: \.rowName)
  }
}

extension Slot {
  /// As a condition on its row says it.
  var rowName: String { "portfolio_id \(portfolio), date \(date)" }
}

extension Slot {
  /// Runs what looks snapshots up one by one by their key.
  ///
  /// - Throws: `StorageError.rowTwice` where the key is gone and there were two, which the server
  ///   does not name.
  static func lookingUp<R>(_ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as PostgresError where error.sqlState == SQLState.cardinalityViolation {
      throw StorageError.rowTwice(
        table: "portfolio_snapshots",
        row: """
          select portfolio_id, snapshot_date from closebell.portfolio_snapshots \
          group by 1, 2 having count(*) > 1
          """)
    }
  }
}

extension Array {
  /// The rows as they are, which ascend by a key.
  ///
  /// - Throws: `StorageError.rowTwice` where two that stand together have the same one.
  func eachOnce<Key: Equatable>(
    by key: (Element) -> Key, of table: String, name: (Key) -> String
  ) throws -> [Element] {
    for (one, next) in zip(self, dropFirst()) where key(one) == key(next) {
      throw StorageError.rowTwice(table: table, row: name(key(one)))
    }
    return self
  }
}
