import Problems
import Testing

@testable import Postgres

@Suite("Values travel to the server and back unchanged")
struct CodecTests {
  /// Sends each value as a parameter and reads it back.
  private func roundTrip<T: PostgresValue & Equatable>(
    _ type: String, _ values: [T]
  ) async throws {
    let back = try await withConnection { connection in
      let statement = Statement("echo", "select $1::\(type)")
      return try values.map { value in
        try connection.row(statement, value) { try $0.next(T.self) }
      }
    }
    #expect(back == values)
  }

  @Test("integers, at their limits too")
  func integers() async throws {
    try await roundTrip("bool", [true, false])
    try await roundTrip("int2", [Int16.min, -1, 0, 1, .max])
    try await roundTrip("int4", [Int32.min, -1, 0, 1, .max])
    try await roundTrip("int8", [Int64.min, -1, 0, 1, .max])
  }

  @Test("binary floating point, bit by bit")
  func doubles() async throws {
    try await roundTrip(
      "float8", [0, -0.0, 0.1, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity])
    let isNaN = try await withConnection { connection in
      try connection.row(Statement("nan", "select $1::float8"), Double.nan) {
        try $0.nextDouble().isNaN
      }
    }
    #expect(isNaN == true)
  }

  @Test("texts beyond ASCII, and the empty one")
  func texts() async throws {
    try await roundTrip("text", ["", "a", "Grüße, 世界 🏦", String(repeating: "x", count: 100_000)])
  }

  @Test("bytes, zero bytes among them")
  func bytes() async throws {
    try await roundTrip("bytea", [[], [0, 1, 255], [UInt8](repeating: 7, count: 70_000)])
  }

  @Test("dates, instants and identifiers")
  func others() async throws {
    try await roundTrip("date", [-1, 0, 9_000, .max].map { PostgresDate(days: $0) })
    try await roundTrip("timestamptz", [-1, 0, 1, .max].map { Timestamp(microseconds: $0) })
    try await roundTrip("uuid", [UUID(0), UUID(.max), .random()])
  }

  @Test("arrays, empty ones and ones with NULL")
  func arrays() async throws {
    try await roundTrip("int8[]", [[], [1, -2, .max]] as [[Int64]])
    try await roundTrip("text[]", [["", "a\"b", "{}"]])
    try await roundTrip("int4[]", [[1, nil, 3], [nil], []] as [[Int32?]])
    try await roundTrip("numeric[]", [[Numeric(coefficient: 125, scale: 2)]])
    try await roundTrip("bool[]", [[true, false]])
    try await roundTrip("uuid[]", [[UUID(1), UUID(2)]])
    try await roundTrip("bytea[]", [[Bytes([1, 0, 2]), Bytes([])]])
  }

  @Test("the server understands what each type means")
  func meanings() async throws {
    let texts = try await withConnection { connection in
      let statement = Statement(
        "meanings",
        "select $1::date::text, $2::timestamptz::text, $3::uuid::text, $4::numeric::text")
      return try connection.row(
        statement, PostgresDate(days: 366), Timestamp(microseconds: 1_500_000), UUID(0xAB),
        Numeric(coefficient: -1_234_567, scale: 3)
      ) { row in
        [
          try row.nextString(), try row.nextString(), try row.nextString(), try row.nextString(),
        ]
      }
    }
    #expect(
      texts == [
        "2001-01-01", "2000-01-01 00:00:01.5+00", "00000000-0000-0000-0000-0000000000ab",
        "-1234.567",
      ])
  }

  @Test("smaller integers and real are read as larger ones")
  func widening() async throws {
    let read = try await withConnection { connection in
      try connection.row(Statement("widen", "select 7::int2, 8::int4, 9::int2, 0.5::real")) { row in
        let integers = [try row.nextInt64(), try row.nextInt64(), Int64(try row.nextInt32())]
        return (integers, try row.nextDouble())
      }
    }
    #expect(read?.0 == [7, 8, 9])
    #expect(read?.1 == 0.5)
  }

  @Test("enumerations, names and varchars are read as text")
  func texty() async throws {
    let read = try await withConnection { connection in
      try connection.execute(sql: "create type pg_temp.mood as enum ('calm', 'wild')")
      let sql = "select 'wild'::pg_temp.mood, 'n'::name, 'v'::varchar, 'c'::char(3), '{}'::json"
      return try connection.row(Statement("texty", sql)) { row in
        var texts: [String] = []
        for _ in 0..<5 { texts.append(try row.nextString()) }
        return texts
      }
    }
    #expect(read == ["wild", "n", "v", "c  ", "{}"])
  }

  @Test("a column of another type is refused by name, though its width would fit")
  func wrongType() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.row(Statement("typed", "select 1.5::float8 as price")) { row in
          try row.nextInt64()
        }
      }
    }
    #expect(error?.kind == .decoding)
    #expect(error?.column == "price")
    #expect(error?.statementName == "typed")
  }

  @Test("NULL is nil where asked for, and an error where not")
  func nulls() async throws {
    let sql = "select null::int8, null::numeric, null::text, null::date, null::bool, null::bytea"
    let allNil = try await withConnection { connection in
      try connection.row(Statement("nulls", sql)) { row in
        let number = try row.nextInt64OrNil()
        let units = try row.nextNumericUnitsOrNil(scale: 2)
        let text = try row.nextStringOrNil()
        let date = try row.nextDateOrNil()
        let flag = try row.nextBoolOrNil()
        let bytes = try row.nextBytesOrNil()
        return number == nil && units == nil && text == nil && date == nil && flag == nil
          && bytes == nil
      }
    }
    #expect(allNil == true)
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.row(Statement("null", "select null::int8 as n")) { try $0.nextInt64() }
      }
    }
    #expect(error?.kind == .decoding)
  }

  @Test("NULL as a parameter, before and after a value of some type")
  func nullParameters() async throws {
    let read = try await withConnection { connection in
      let statement = Statement("maybe", "select coalesce($1::numeric, 7)::text")
      return try [nil, Numeric(coefficient: 15, scale: 1), 3 as Int64, nil].map {
        (value: (any PostgresValue)?) in
        try connection.row(statement, value) { try $0.nextString() }
      }
    }
    #expect(read == ["7", "1.5", "3", "7"])
  }

  @Test("reading past the last field is refused")
  func pastTheEnd() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.row(Statement("one", "select 1")) { row in
          _ = try row.nextInt32()
          _ = try row.nextInt32()
        }
      }
    }
    #expect(error?.kind == .usage)
  }

  @Test("an identifier is read from its text and printed as the server does")
  func uuidText() {
    let text = "0f8fad5b-d9cb-469f-a165-70867728950e"
    #expect(UUID(text)?.description == text)
    #expect(UUID("0f8fad5b") == nil)
    #expect(UUID(text + "0") == nil)
  }

  @Test("what cannot be kept is named with its row: column, keys and dates")
  func namedRow() async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        let sql = """
          select 7::int8 as id, 'EUR'::text as base, date '2017-06-30' as rate_date,
            'NaN'::numeric as rate, 12.5::numeric as amount, null::text as note
          """
        return try connection.row(Statement("rates", sql)) { row in
          try row.skip()
          try row.skip()
          try row.skip()
          return try row.nextNumericUnits(scale: 4)
        }
      }
    }
    #expect(error?.kind == .unreadable && error?.column == "rate")
    let place = "column \"rate\" of the row with id 7, base EUR, rate_date 2017-06-30"
    #expect(error?.stated.details == ["it is \(place)"])
    #expect(error?.stated.code.name == "unreadable_value")
  }

  @Test("a date within an error is written as the server writes it")
  func dateText() async throws {
    let sql = "select pg_catalog.to_char(date '2000-01-01' + $1::integer, 'YYYY-MM-DD')"
    let days: [Int32] = [
      0, -1, 59, 60, 365, 366, 6_390, -36_524, -146_097, 146_096, 73_048, 3_000_000, -730_119,
    ]
    for day in days {
      let text = try await withConnection { connection in
        try connection.row(Statement("day", sql), day) { try $0.nextString() }
      }
      #expect(PostgresDate(days: day).text == text, "\(day)")
    }
    #expect(PostgresDate(days: .max).text == "infinity")
    #expect(PostgresDate(days: .min).text == "-infinity")
  }
}
