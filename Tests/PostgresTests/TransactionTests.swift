import Postgres
import Testing

@Suite("Transactions and savepoints")
struct TransactionTests {
  private struct Refused: Error {}
  private static let insert = Statement("insert", "insert into pg_temp.t values ($1)")
  private static let all = Statement("all", "select id from pg_temp.t order by id")
  private static let table = """
    create temp table t (id int8 constraint t_key unique deferrable initially deferred)
    """

  @Test("a body that returns is committed, one that throws leaves nothing behind")
  func allOrNothing() async throws {
    try await withConnection { connection in
      try connection.execute(sql: Self.table)
      let result = try connection.transaction { connection in
        try connection.execute(Self.insert, 1 as Int64)
        return "done"
      }
      #expect(result == "done")
      let failure = thrown {
        try connection.transaction { connection in
          try connection.execute(Self.insert, 2 as Int64)
          throw Refused()
        }
      }
      #expect(failure is Refused)
      let found1 = try connection.rows(Self.all) { try $0.nextInt64() }
      #expect(found1 == [1])
    }
  }

  @Test("savepoints nest, and undo only their own statements")
  func savepoints() async throws {
    try await withConnection { connection in
      try connection.execute(sql: Self.table)
      try connection.transaction { connection in
        try connection.execute(Self.insert, 1 as Int64)
        let failure = thrown {
          try connection.savepoint { connection in
            try connection.execute(Self.insert, 2 as Int64)
            try connection.savepoint { connection in
              _ = try connection.execute(Self.insert, 3 as Int64)
            }
            throw Refused()
          }
        }
        #expect(failure is Refused)
        let error = try postgresError {
          try connection.savepoint { try $0.execute(sql: "select 1 / 0") }
        }
        #expect(error?.sqlState == "22012")
        try connection.execute(Self.insert, 4 as Int64)
      }
      let found2 = try connection.rows(Self.all) { try $0.nextInt64() }
      #expect(found2 == [1, 4])
    }
  }

  @Test("isolation and access are what was asked for")
  func modes() async throws {
    try await withConnection { connection in
      let show = Statement(
        "show",
        "select current_setting('transaction_isolation'), current_setting('transaction_read_only')")
      for isolation in [IsolationLevel.readCommitted, .repeatableRead, .serializable] {
        let seen = try connection.transaction(isolation: isolation, readOnly: true) { connection in
          try connection.row(show) { (try $0.nextString(), try $0.nextString()) }
        }
        #expect(seen?.0 == isolation.rawValue)
        #expect(seen?.1 == "on")
      }
    }
  }

  @Test("a transaction within one is refused, and so is a savepoint outside")
  func misuse() async throws {
    try await withConnection { connection in
      let nested = try postgresError {
        try connection.transaction { connection in try connection.transaction { _ in } }
      }
      #expect(nested?.kind == .usage)
      let found3 = try postgresError { try connection.savepoint { _ in } }?.kind
      #expect(found3 == .usage)
      try connection.transaction { _ in }
    }
  }

  @Test("a body that swallows the error of a statement does not count as committed")
  func swallowedError() async throws {
    try await withConnection { connection in
      let error =
        thrown {
          try connection.transaction { connection in
            try? connection.execute(sql: "select 1 / 0")
          }
        } as? TransactionError
      #expect(error?.step == .commit)
      #expect(error?.commitOutcomeUnknown == false)
      #expect(error?.cause.sqlState == "25P02")
    }
  }

  @Test("a commit that the server refuses is known not to have happened")
  func refusedCommit() async throws {
    try await withConnection { connection in
      try connection.execute(sql: Self.table)
      let error =
        thrown {
          try connection.transaction { connection in
            try connection.execute(Self.insert, 1 as Int64)
            try connection.execute(Self.insert, 1 as Int64)
          }
        } as? TransactionError
      #expect(error?.step == .commit)
      #expect(error?.cause.constraint == "t_key")
      #expect(error?.commitOutcomeUnknown == false)
      let found4 = try connection.rows(Self.all) { try $0.nextInt64() }
      #expect(found4 == [])
    }
  }

  @Test("of two serializable transactions that cross, the later commit may be tried again")
  func serializationFailure() async throws {
    let one = try await Connection.connect(try await testConfiguration())
    let two = try await Connection.connect(try await testConfiguration())
    let schema = "crossing_\(one.backendPID)"
    try await one.execute(
      sql: "create schema \(schema); create table \(schema).t (id int8, n int8);"
        + "insert into \(schema).t values (1, 0)")
    try await one.perform { one in
      try one.execute(sql: "begin isolation level repeatable read; select * from \(schema).t")
    }
    try await two.execute(sql: "update \(schema).t set n = n + 1")
    let conflict = try await postgresError {
      try await one.execute(sql: "update \(schema).t set n = n + 1")
    }
    #expect(conflict?.sqlState == "40001")
    #expect(conflict?.mayRetry == true)
    try await one.execute(sql: "rollback; drop schema \(schema) cascade")
    await one.close()
    await two.close()
  }
}
