import Postgres
import Problems
import Synchronization
import Testing

@Suite("Statements, their reuse and their failures")
struct StatementTests {
  @Test("a statement is prepared once on a connection and reused afterwards")
  func preparedOnce() async throws {
    let plan = FaultPlan()
    let prepared = try await withConnection({ $0.faultPlan = plan }) { connection in
      for number in 1...5 as ClosedRange<Int64> {
        try connection.execute(Statement("count up", "select $1::int8"), number)
      }
      let list = Statement.once("list", "select name from pg_prepared_statements")
      return try connection.rows(list) { try $0.nextString() }
    }
    #expect(prepared == ["count up"])
    #expect(plan.names.filter { $0 == "count up" }.count == 6)
  }

  @Test("two texts under one name are refused")
  func oneNameTwoTexts() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.execute(Statement("same", "select 1"))
        try connection.execute(Statement("same", "select 2"))
      }
    }
    #expect(error?.kind == .usage)
    #expect(error?.reachedServer == false)
  }

  @Test("rows affected are counted, and the single row is optional")
  func counts() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8 primary key); select 1;")
      let insert = Statement("insert", "insert into pg_temp.t select generate_series(1, $1::int8)")
      #expect(try connection.execute(insert, 7 as Int64) == 7)
      let one = Statement("one", "select id from pg_temp.t where id = $1")
      let found1 = try connection.row(one, 3 as Int64) { try $0.nextInt64() }
      #expect(found1 == 3)
      let found2 = try connection.row(one, 30 as Int64) { try $0.nextInt64() }
      #expect(found2 == nil)
      let error = try postgresError {
        try connection.row(Statement("all", "select id from pg_temp.t")) { try $0.nextInt64() }
      }
      #expect(error?.kind == .unexpectedAnswer)
    }
  }

  @Test("several statements in one text stand or fall together")
  func severalStatements() async throws {
    try await withConnection { connection in
      let error = try postgresError {
        try connection.execute(sql: "create temp table u (id int8); select 1 / 0")
      }
      #expect(error?.sqlState == "22012")
      let exists = Statement("exists", "select to_regclass('pg_temp.u') is not null")
      let found3 = try connection.row(exists) { try $0.nextBool() }
      #expect(found3 == false)
    }
  }

  @Test("rows are streamed in order, and a body that throws leaves the connection usable")
  func streaming() async throws {
    struct Enough: Error {}
    try await withConnection { connection in
      let series = Statement("series", "select generate_series(1, $1::int8)")
      var sum: Int64 = 0
      let count = try connection.forEachRow(series, 10_000 as Int64) { sum += try $0.nextInt64() }
      #expect(count == 10_000)
      #expect(sum == 50_005_000)
      var seen = 0
      let failure = thrown {
        try connection.forEachRow(series, 50_000_000 as Int64) { row in
          seen += 1
          if try row.nextInt64() == 10 { throw Enough() }
        }
      }
      #expect(failure is Enough)
      #expect(seen == 10)
      let found4 = try connection.row(series, 1 as Int64) { try $0.nextInt64() }
      #expect(found4 == 1)
    }
  }

  @Test("a server's error in the middle of a stream is thrown after the rows before it")
  func streamedError() async throws {
    try await withConnection { connection in
      var seen = 0
      let statement = Statement("halfway", "select 1 / (5 - i) from generate_series(1, 9) as g (i)")
      let error = try postgresError { try connection.forEachRow(statement) { _ in seen += 1 } }
      #expect(error?.sqlState == "22012")
      #expect(seen == 4)
      try connection.execute(sql: "select 1")
    }
  }

  @Test("within a stream no other statement can be run")
  func busy() async throws {
    try await withConnection { connection in
      let series = Statement("series", "select generate_series(1, 3)")
      let error = try postgresError {
        try connection.forEachRow(series) { _ in try connection.execute(sql: "select 1") }
      }
      #expect(error?.kind == .usage)
      try connection.execute(sql: "select 1")
    }
  }

  @Test("a violated constraint is named")
  func constraint() async throws {
    try await withConnection { connection in
      try connection.execute(
        sql: "create temp table t (id int8 constraint one_of_each unique); insert into t values (1)"
      )
      let insert = Statement("insert", "insert into pg_temp.t values ($1)")
      let error = try postgresError { try connection.execute(insert, 1 as Int64) }
      #expect(error?.kind == .server)
      #expect(error?.sqlState == "23505")
      #expect(error?.constraint == "one_of_each")
      #expect(error?.violates("one_of_each") == true)
      #expect(error?.table == "t")
      #expect(error?.mayRetry == false)
      #expect(error?.reachedServer == true)
      #expect(error?.connectionIsLost == false)
      let text = error?.description ?? ""
      #expect(text.hasPrefix("error: insert: duplicate key value violates unique constraint"))
      #expect(text.contains("\ndetail: Key (id)=(1) already exists."))
    }
  }

  @Test("an error of syntax names the statement and the place, and keeps the bound values out")
  func syntax() async throws {
    try await withConnection { connection in
      let wrong = Statement("wrong", "select $1::text frm nowhere")
      let error = try postgresError { try connection.execute(wrong, "a secret") }
      #expect(error?.sqlState == "42601")
      #expect(error?.statementName == "wrong")
      #expect(error?.position == 21)
      #expect(error?.description.contains("secret") == false)
    }
  }

  @Test("a COPY among plain statements is refused, and the connection lives on")
  func strayCopy() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8)")
      let refusal = try postgresError { try connection.execute(sql: "copy pg_temp.t from stdin") }
      #expect(refusal != nil)
      try connection.execute(sql: "copy pg_temp.t to stdout")
      try connection.execute(sql: "select 1")
    }
  }

  @Test("notices go to the handler")
  func notices() async throws {
    let heard = Mutex<[Notice]>([])
    let listen: @Sendable (Notice) -> Void = { notice in heard.withLock { $0.append(notice) } }
    try await withConnection { connection in
      connection.setNoticeHandler(listen)
      try connection.execute(sql: "do $$ begin raise warning 'mind %', 'the gap'; end $$")
      connection.setNoticeHandler(nil)
      try connection.execute(sql: "do $$ begin raise warning 'unheard'; end $$")
    }
    #expect(heard.withLock { $0.map(\.message) } == ["mind the gap"])
    #expect(heard.withLock { $0.first?.severity } == "WARNING")
  }

  @Test("a session starts in UTC, with its limits, and finds the server's own names alone")
  func settings() async throws {
    let expected = [
      "search_path": "pg_catalog, pg_temp", "TimeZone": "UTC", "DateStyle": "ISO, YMD",
      "client_encoding": "UTF8", "application_name": "postgres-tests",
      "statement_timeout": "90s", "lock_timeout": "2s", "jit": "off",
      "idle_in_transaction_session_timeout": "5min", "client_connection_check_interval": "500ms",
    ]
    let actual = try await withConnection({
      $0.statementTimeoutMilliseconds = 90_000
      $0.lockTimeoutMilliseconds = 2000
    }) { connection in
      let show = Statement("show", "select current_setting($1)")
      return try expected.keys.map { name in
        (name, try connection.row(show, name) { try $0.nextString() } ?? "")
      }
    }
    for (name, value) in actual {
      #expect(value == expected[name], "\(name)")
    }
    #expect(actual.count == expected.count)
  }

  @Test("whatever else a session was given, by a role, a database or its options, it has ours")
  func settingsOfOthers() async throws {
    let given = [
      "idle_session_timeout": "1h", "default_transaction_isolation": "serializable",
      "default_transaction_deferrable": "on", "standard_conforming_strings": "off",
      "transform_null_equals": "on", "exit_on_error": "on", "statement_timeout": "1h",
      "lock_timeout": "1h", "row_security": "on", "jit": "on", "search_path": "public",
      "TimeZone": "Asia/Kathmandu", "DateStyle": "SQL,DMY", "IntervalStyle": "iso_8601",
      "extra_float_digits": "-15", "idle_in_transaction_session_timeout": "1h",
    ]
    let options = given.map { "-c%20\($0.key)%3D\($0.value)" }.joined(separator: "%20")
    func values(_ change: (inout Configuration) -> Void) async throws -> [String: String] {
      try await withConnection(change) { connection in
        let show = Statement("show", "select current_setting($1)")
        return try Dictionary(
          uniqueKeysWithValues: given.keys.map { name in
            (name, try connection.row(show, name) { try $0.nextString() } ?? "")
          })
      }
    }
    let ours = try await values { _ in }
    #expect(try await values { $0.conninfo += "&options=\(options)" } == ours)
    #expect(ours["idle_session_timeout"] == "0" && ours["lock_timeout"] == "30s")
  }

  @Test("the result of a void function is read as the empty text")
  func void() async throws {
    let text = try await withConnection { connection in
      try connection.row(Statement("lock", "select pg_advisory_xact_lock(4711)")) {
        try $0.nextString()
      }
    }
    #expect(text == "")
  }
}
