import Accounting
import Postgres
import TestSupport
import Testing

@testable import Storage

/// What the schema says of types of activities, beside the table of their traits.
@Suite("Activity types in the database")
struct ActivityWordsTests {
  private func words(_ query: String) async throws -> [String] {
    let connection = try await Connection.connect(
      Configuration(
        conninfo: try await TestCluster.shared.freshDatabase(), applicationName: "storage-tests"))
    let statement = Postgres.Statement("activity-words", query)
    let words = try await connection.perform { db in
      try Migrator.migrate(on: db)
      return try db.rows(statement) { try $0.nextString() }
    }
    await connection.close()
    return words
  }

  @Test("the database knows the types of the table, in its order, and no other")
  func types() async throws {
    let known = try await words("select unnest(enum_range(null::closebell.activity_type))::text")
    #expect(known == ActivityType.allCases.map(\.rawValue))
  }

  @Test("the database lets those amounts be negative that the table lets")
  func signs() async throws {
    let signed = try await words(
      """
      select m[1] from pg_constraint c
        cross join lateral regexp_matches(pg_get_constraintdef(c.oid), '''(\\w+)''', 'g') m
      where c.conname = 'holding_activity_log_amount_sign'
        and c.conrelid = 'closebell.holding_activity_log'::regclass
      """)
    #expect(Self.list(signed) == ActivityType.words { $0.isSigned })
  }

  @Test("a statement lists the types that the table lists")
  func statements() {
    let contributions = [
      "deposit", "withdrawal", "transfer_in", "transfer_out", "investment", "regular_investment",
      "government_uplift", "product_switch_in", "regular_withdrawal", "product_switch_out",
    ]
    let external = Self.list(contributions)
    #expect(ActivityType.words { $0.isExternalFlow } == external)
    #expect(Loading.externalRows.sql.contains("a.activity_type in (\(external))"))
    #expect(Loading.feeRows.sql.contains("a.activity_type in ('fee')"))
    #expect(
      Loading.activityRows.sql.contains("a.activity_type in ('transfer_in', 'transfer_out')"))
    #expect(Loading.activityRows.sql.contains("a.activity_type in ('expire')"))
  }

  private static func list(_ words: [String]) -> String {
    words.map { "'\($0)'" }.joined(separator: ", ")
  }
}
