import Postgres
import Testing

@Suite("COPY in both directions")
struct CopyTests {
  private struct GaveUp: Error {}

  private static let table = """
    create temp table t (
      id int8 primary key, small int2, i int4, price numeric(20, 4), rate float8, ok bool,
      name text, day date, raw bytea, at timestamptz)
    """

  @Test("every kind of field arrives as it was written, and comes back the same")
  func roundTrip() async throws {
    try await withConnection { connection in
      try connection.execute(sql: Self.table)
      let written = try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") {
        rows in
        rows.beginRow(10)
        rows.write(int64: 1)
        rows.write(int16: -2)
        rows.write(int32: 3)
        rows.write(numericUnits: 12_345_6789 as Int64, scale: 4)
        rows.write(double: 0.1)
        rows.write(bool: true)
        rows.write(text: "Grüße")
        rows.write(date: 9132)
        rows.write(bytes: [0, 1, 2])
        rows.write(timestamp: 1_000_000)
        rows.beginRow(10)
        rows.write(int64: 2)
        for _ in 0..<8 { rows.writeNull() }
        rows.write(nil as Timestamp?)
      }
      #expect(written == 2)
      let text = Statement("text", "select t::text from pg_temp.t as t order by id")
      let texts = try connection.rows(text) { try $0.nextString() }
      #expect(
        texts == [
          #"(1,-2,3,12345.6789,0.1,t,Grüße,2025-01-01,"\\x000102","2000-01-01 00:00:01+00")"#,
          "(2,,,,,,,,,)",
        ])
      var lines: [String] = []
      let sql = "copy (select * from pg_temp.t order by id) to stdout (format binary)"
      let read = try connection.copyOut("out", sql) { row in
        let fields: [any Equatable & Sendable] = [
          try row.nextInt64(), try row.nextOptional(Int16.self), try row.nextInt32OrNil(),
          try row.nextNumericUnitsOrNil(scale: 4), try row.nextDoubleOrNil(),
          try row.nextBoolOrNil(), try row.nextStringOrNil(), try row.nextDateOrNil(),
          try row.nextBytesOrNil(), try row.nextOptional(Timestamp.self)?.microseconds,
        ]
        lines.append(fields.map { "\($0)" }.joined(separator: " "))
      }
      #expect(read == 2)
      #expect(lines.count == 2)
      #expect(lines.first?.contains("123456789") == true)
      #expect(lines.first?.hasSuffix("Optional([0, 1, 2]) Optional(1000000)") == true)
      #expect(lines.last == "2" + String(repeating: " nil", count: 9))
    }
  }

  @Test("rows by the hundred thousand, many pieces long, all arrive")
  func manyRows() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8, name text)")
      let sql = "copy pg_temp.t from stdin (format binary)"
      // Twice, for the buffer is reused.
      for _ in 0..<2 {
        let count = try connection.copyIn("in", sql) { rows in
          for id in 0..<100_000 as Range<Int64> {
            rows.beginRow(2)
            rows.write(int64: id)
            rows.write(text: "number \(id)")
          }
        }
        #expect(count == 100_000)
      }
      var sum: Int64 = 0
      let out = "copy pg_temp.t (id) to stdout (format binary)"
      let found1 = try connection.copyOut("out", out) { sum += try $0.nextInt64() }
      #expect(found1 == 200_000)
      #expect(sum == 2 * 4_999_950_000)
    }
  }

  @Test("a field longer than a piece arrives whole")
  func longField() async throws {
    let long = String(repeating: "ä", count: 5_000_000)
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (name text)")
      try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") { rows in
        rows.beginRow(1)
        rows.write(text: long)
      }
      let length = Statement("length", "select char_length(name) from pg_temp.t")
      let found2 = try connection.row(length) { try $0.nextInt32() }
      #expect(found2 == 5_000_000)
    }
  }

  @Test("no rows at all is a COPY too")
  func empty() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8)")
      let written = try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") { _ in
      }
      let read = try connection.copyOut("out", "copy pg_temp.t to stdout (format binary)") { _ in }
      #expect(written == 0)
      #expect(read == 0)
    }
  }

  @Test("a body that throws stores nothing, and the connection lives on")
  func throwingBody() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8)")
      let sql = "copy pg_temp.t from stdin (format binary)"
      let failure = thrown {
        try connection.copyIn("in", sql) { rows in
          for id in 0..<50_000 as Range<Int64> {
            rows.beginRow(1)
            rows.write(int64: id)
          }
          throw GaveUp()
        }
      }
      #expect(failure is GaveUp)
      let count = Statement("count", "select count(*) from pg_temp.t")
      let found3 = try connection.row(count) { try $0.nextInt64() }
      #expect(found3 == 0)
      try connection.copyIn("in", sql) { rows in
        rows.beginRow(1)
        rows.write(int64: 1)
      }
      let found4 = try connection.row(count) { try $0.nextInt64() }
      #expect(found4 == 1)
    }
  }

  @Test("a row reader that throws stops the COPY, and the connection lives on")
  func throwingReader() async throws {
    try await withConnection { connection in
      let sql = "copy (select generate_series(1, 50000000)) to stdout (format binary)"
      let failure = thrown {
        try connection.copyOut("out", sql) { row in
          if try row.nextInt32() == 5 { throw GaveUp() }
        }
      }
      #expect(failure is GaveUp)
      let wrong = try postgresError {
        try connection.copyOut("out", sql) { row in _ = try row.next(UUID.self) }
      }
      #expect(wrong?.kind == .decoding)
      try connection.execute(sql: "select 1")
    }
  }

  @Test("a violated constraint of a COPY is named")
  func violation() async throws {
    try await withConnection { connection in
      try connection.execute(
        sql: "create temp table t (id int8 constraint positive check (id > 0))")
      let error = try postgresError {
        try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") { rows in
          rows.beginRow(1)
          rows.write(int64: -1)
        }
      }
      #expect(error?.constraint == "positive")
      #expect(error?.statementName == "in")
    }
  }

  @Test("CSV goes in and out as raw bytes")
  func csv() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8, name text)")
      let count = try connection.copyInText("in", "copy pg_temp.t from stdin (format csv)") { csv in
        csv.write("1,\"a, b\"\n2")
        csv.write(Array(",c\n".utf8))
      }
      #expect(count == 2)
      var bytes: [UInt8] = []
      try connection.copyOutText("out", "copy pg_temp.t to stdout (format csv)") {
        bytes.append(contentsOf: $0)
      }
      #expect(String(decoding: bytes, as: UTF8.self) == "1,\"a, b\"\n2,c\n")
    }
  }

  @Test("the wrong direction, the wrong format and a wrong text are refused")
  func mismatch() async throws {
    try await withConnection { connection in
      try connection.execute(sql: "create temp table t (id int8)")
      for sql in [
        "copy pg_temp.t to stdout (format binary)", "copy pg_temp.t from stdin", "select 1",
      ] {
        let refusal = try postgresError { try connection.copyIn("in", sql) { _ in } }
        #expect(refusal?.kind == .usage)
        try connection.execute(sql: "select 1")
      }
      let error = try postgresError {
        try connection.copyIn("in", "copy nowhere from stdin") { _ in }
      }
      #expect(error?.sqlState == "42P01")
      try connection.execute(sql: "select 1")
    }
  }

  @Test("a COPY of which the table keeps fewer rows than were sent is an error")
  func dropped() async throws {
    let error = try await withConnection { connection in
      try connection.execute(
        sql: """
          create temp table t (id int8);
          create function pg_temp.eat() returns trigger language plpgsql as
            'begin if new.id = 2 then return null; end if; return new; end';
          create trigger eats before insert on pg_temp.t for each row
            execute function pg_temp.eat()
          """)
      return #expect(throws: PostgresError.self) {
        try connection.copyIn("in", "copy pg_temp.t from stdin (format binary)") { rows in
          for id in 1...3 {
            rows.beginRow(1)
            rows.write(int64: Int64(id))
          }
        }
      }
    }
    #expect(error?.message == "the table kept 2 of 3 rows")
  }
}
