import Glibc
import Postgres

/// The program's own tables, as a bench fills them, empties them, and copies a night into them.
struct OwnTables {
  let connection: Connection
  let night: String

  static let tables = [
    (name: "portfolio_snapshots", date: "snapshot_date"),
    (name: "portfolio_fund_valuations", date: "valuation_date"),
    (name: "portfolio_fund_irr_values", date: "date"), (name: "portfolio_irr_values", date: "date"),
  ]

  /// Gives every portfolio so many earlier dates, one after the other as nights would, each a copy
  /// of the first close.
  ///
  /// No dates lie between them and it, so that the chain goes on; the numbers mean nothing.
  func extend(by dates: Int, before first: String) async throws {
    try await connection.perform { db in
      if dates > 0 {
        try db.execute(
          sql: """
            update closebell.portfolio_snapshots
            set opened_from_date = snapshot_date - 1, opened_from_revision = 1
            where snapshot_date = '\(first)'
            """)
      }
      for back in stride(from: dates, to: 0, by: -1) {
        try db.execute(sql: Self.copyOfFirst(first, back: back, isEarliest: back == dates))
      }
      try db.execute(
        sql: "create table public.kept_moments as select * from closebell.portfolio_irr_moments")
      try db.execute(sql: "vacuum analyze")
    }
  }

  private static func copyOfFirst(_ first: String, back: Int, isEarliest: Bool) -> String {
    let chain = isEarliest ? "null, null" : "snapshot_date - \(back + 1), 1"
    return tables.map { table in
      """
      create temporary table copied as
        select * from closebell.\(table.name) where \(table.date) = '\(first)' order by 1, 2, 3;
      \(table.name != "portfolio_snapshots" ? "" : """
        update copied set (opened_from_date, opened_from_revision) = row(\(chain));
        """)
      update copied set \(table.date) = \(table.date) - \(back);
      insert into closebell.\(table.name) select * from copied;
      drop table copied;
      """
    }.joined(separator: "\n")
  }

  /// Keeps the night's rows, to be copied in again.
  func keepNight() async throws {
    try await connection.perform { [night] db in
      for table in Self.tables {
        try db.execute(
          sql: """
            create table public.kept_\(table.name) as
            select * from closebell.\(table.name) where \(table.date) = '\(night)' order by 1, 2, 3
            """)
      }
    }
  }

  /// Takes the night's rows away again, as if it had not been closed.
  func reopen() async throws {
    try await connection.perform { [night] db in
      for table in Self.tables {
        try db.execute(
          sql: "delete from closebell.\(table.name) where \(table.date) = '\(night)'")
      }
      try db.execute(
        sql: """
          update closebell.portfolio_irr_moments m set as_of = k.as_of, moments = k.moments
          from public.kept_moments k
          where k.portfolio_id = m.portfolio_id and k.as_of <> m.as_of
          """)
      for table in Self.tables.map(\.name) + ["portfolio_irr_moments"] {
        try db.execute(sql: "vacuum analyze closebell.\(table)")
      }
      try db.execute(sql: "checkpoint")
    }
  }

  /// PostgreSQL only copying the night's inputs out of these tables and its rows in, in seconds.
  func copySeconds(day before: String) async throws -> Double {
    let batches = try await connection.perform { db in
      try Self.tables.map { table in
        var bytes: [UInt8] = []
        try db.copyOutText(
          "floor-keep", "copy public.kept_\(table.name) to stdout (format binary)", isBinary: true
        ) { bytes.append(contentsOf: $0) }
        return (table.name, bytes)
      }
    }
    try await reopen()
    return try await connection.perform { [night] db in
      let started = ContinuousClock.now
      for query in Self.inputs(before: before, night: night) {
        try db.copyOutText(
          "floor-out", "copy (\(query)) to stdout (format binary)", isBinary: true
        ) { _ in }
      }
      for (table, bytes) in batches {
        _ = try db.copyInText(
          "floor-in", "copy closebell.\(table) from stdin (format binary)", isBinary: true
        ) { $0.write(bytes) }
      }
      return (ContinuousClock.now - started) / .seconds(1)
    }
  }

  private static func inputs(before: String, night: String) -> [String] {
    [
      "select * from closebell.portfolio_snapshots where snapshot_date = '\(before)'",
      "select * from closebell.portfolio_fund_valuations where valuation_date = '\(before)'",
      "select * from closebell.portfolio_irr_moments",
      "select * from closebell.prices where price_date = '\(night)'",
      """
      select * from closebell.holding_activity_log
      where coalesce(booked_on, activity_date) = '\(night)'
      """,
    ]
  }

  /// Takes away what closes wrote, all but balances, histories and the list of runs.
  func empty() async throws {
    try await connection.perform { db in
      let tables = Self.tables.map { "closebell.\($0.name)" }.joined(separator: ", ")
      try db.execute(sql: "truncate \(tables), closebell.portfolio_irr_moments")
      try db.execute(sql: "vacuum analyze")
      try db.execute(sql: "checkpoint")
    }
  }

  /// The server's first process.
  func postmaster() async throws -> Int {
    let query = Statement(
      "postmaster",
      "select pg_catalog.split_part(pg_catalog.pg_read_file('postmaster.pid'), E'\\n', 1)")
    return Int(
      try await connection.perform { db in
        try db.row(query) { try $0.nextString() } ?? ""
      }) ?? 0
  }
}
