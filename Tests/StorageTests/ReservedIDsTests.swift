import Accounting
import Postgres
import Sequences
import Storage
import TestSupport
import Testing

/// Ids that are drawn in the transaction that uses them.
@Suite struct ReservedIDsTests {
  /// A portfolio and nothing else.
  private func books() async throws -> SequenceWorld {
    let world = try await SequenceWorld.books()
    try await world.execute(
      """
      insert into closebell.portfolios (code, name, base_currency, inception_date)
      values ('A', 'A', 'USD', '2020-01-01'), ('B', 'B', 'USD', '2020-01-01')
      """)
    return world
  }

  static func activities(
    _ count: Int, _ prefix: String, portfolio: Int64 = 1, date: String = "2020-02-03"
  ) throws -> [NewActivity] {
    let day = try #require(Day(date))
    let amount = try Money("12.34")
    let currency = try #require(Currency("USD"))
    return (0..<count).map {
      NewActivity(
        portfolio: ID(rawValue: portfolio), type: "deposit", date: day, amount: amount,
        currency: currency, externalID: "\(prefix)-\($0)")
    }
  }

  @Test("reserved ids are all different, whoever draws and by whatever piece")
  func different() async throws {
    let world = try await books()
    let ids = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for session in 0..<8 {
        group.addTask {
          try await world.perform { db in
            var all: [Int64] = []
            for round in 0..<20 {
              try db.transaction { db in
                let count = 1 + (session * 131 + round * 17) % 700
                var reserved = try ReservedIDs.reserve(count, from: .holdingIRRs, on: db)
                for _ in 0..<count { all.append(try reserved.next()) }
              }
            }
            return all
          }
        }
      }
      return try await group.reduce([], +)
    }
    #expect(Set(ids).count == ids.count)
    let next = try await world.next("closebell.portfolio_fund_irr_values_id_seq")
    #expect((ids.max() ?? 0) < (next ?? 0), "what was handed out lies behind the sequence")
  }

  @Test("no more ids than were reserved, and none for nothing")
  func counted() async throws {
    let world = try await books()
    let before = try await world.next("closebell.holding_activity_log_id_seq")
    try await world.perform { db in
      try db.transaction { db in
        _ = try ReservedIDs.reserve(0, from: .activities, on: db)
      }
    }
    #expect(try await world.next("closebell.holding_activity_log_id_seq") == before)
    await #expect(throws: StorageError.self) {
      try await world.perform { db in
        try db.transaction { db in
          var ids = try ReservedIDs.reserve(2, from: .activities, on: db)
          for _ in 0..<3 { _ = try ids.next() }
        }
      }
    }
  }

  @Test("ids of a transaction that rolled back are lost, and never given back")
  func rolledBack() async throws {
    let world = try await books()
    await #expect(throws: StorageError.self) {
      try await world.perform { db in
        try db.transaction { db in
          _ = try ReservedIDs.reserve(20, from: .activities, on: db)
          throw StorageError.noRow("a reason to roll back")
        }
      }
    }
    #expect(try await world.next("closebell.holding_activity_log_id_seq") == 21)
    let health = try await world.check(["closebell.holding_activity_log"])
    #expect(health.map(\.state) == [.healthy], "a gap is no fault")
  }

  @Test("ten savers of fifty activities at once: every row once, every id its own, inputs marked")
  func savers() async throws {
    let world = try await books()
    let ids = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for saver in 0..<10 {
        group.addTask {
          try await world.perform { db in
            var ids: [Int64] = []
            for round in 0..<5 {
              ids += try SavedActivities.save(
                try Self.activities(50, "\(saver)-\(round)", portfolio: Int64(1 + saver % 2)),
                on: db)
            }
            return ids
          }
        }
      }
      // Somebody else inserts by default meanwhile.
      group.addTask {
        for number in 0..<50 {
          try await world.execute(
            """
            insert into closebell.holding_activity_log
              (portfolio_id, activity_type, activity_date, amount, currency, external_id)
            values (1, 'deposit', '2020-02-03', 1, 'USD', 'default-\(number)')
            """)
        }
        return []
      }
      return try await group.reduce([], +)
    }
    #expect(ids.count == 2_500)
    #expect(Set(ids).count == 2_500)
    let rows = "select count(distinct id) from closebell.holding_activity_log"
    #expect(try await world.integer(rows) == 2_550)
    let sum = "select sum(amount)::bigint from closebell.holding_activity_log"
    #expect(try await world.integer(sum) == 30_900)
    let marked = "select count(*) from closebell.input_changes where from_date = '2020-02-03'"
    #expect(try await world.integer(marked) == 50)
  }

  @Test("a saved activity breaks no rule: all of a call is kept or nothing, and a lock holds")
  func rules() async throws {
    let world = try await books()
    let twice = try Self.activities(2, "x") + Self.activities(1, "x")
    await #expect(throws: PostgresError.self) {
      _ = try await world.perform { db in try SavedActivities.save(twice, on: db) }
    }
    try await world.execute(
      "insert into closebell.period_locks values (0, '2020-02-29')")
    let locked = try Self.activities(2, "y")
    let error = await #expect(throws: LockedActivities.self) {
      _ = try await world.perform { db in try SavedActivities.save(locked, on: db) }
    }
    #expect(error?.portfolios == ["A, 2020-02-03"])
    let rows = "select count(*) from closebell.holding_activity_log"
    #expect(try await world.integer(rows) == 0)
    #expect(try await world.integer("select count(*) from closebell.input_changes") == 0)
    let open = try Self.activities(2, "y", date: "2020-03-02")
    _ = try await world.perform { db in try SavedActivities.save(open, on: db) }
    #expect(try await world.integer(rows) == 2)
  }
}
