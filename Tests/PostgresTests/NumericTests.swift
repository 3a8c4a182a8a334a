import Postgres
import TestSupport
import Testing

@Suite("Exact decimals survive the wire to the last digit")
struct NumericTests {
  /// Random numbers of every length and scale, and the awkward ones.
  private static func samples() -> [Numeric] {
    var generator = SeededGenerator(seed: 20_240_229)
    var samples: [Numeric] = []
    let powers = (0...38).map { power in (0..<power).reduce(Int128(1)) { value, _ in value * 10 } }
    for scale in [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 18, 24, 38, 40, 100] {
      for value: Int128 in [0, 1, 9, 10, 9999, 10_000, 10_001, 99_990_000, .max] {
        samples.append(Numeric(coefficient: value, scale: scale))
        samples.append(Numeric(coefficient: -value, scale: scale))
      }
      samples.append(Numeric(coefficient: .min, scale: scale))
      for power in powers {
        samples.append(Numeric(coefficient: power, scale: scale))
        samples.append(Numeric(coefficient: 1 - power, scale: scale))
        for _ in 0..<3 {
          let value = Int128.random(in: -power...power, using: &generator)
          samples.append(Numeric(coefficient: value, scale: scale))
        }
      }
    }
    return samples
  }

  @Test("what is sent is what the server prints, and what comes back is what was sent")
  func bothWays() async throws {
    let samples = Self.samples()
    #expect(samples.count > 3000)
    let rows = try await withConnection { connection in
      let statement = Statement("numerics", "select v::text, v from unnest($1::numeric[]) as u (v)")
      return try connection.rows(statement, samples) { row in
        (text: try row.nextString(), value: try row.next(Numeric.self))
      }
    }
    #expect(rows.count == samples.count)
    for (sample, row) in zip(samples, rows) {
      #expect(row.text == sample.description)
      #expect(row.value == sample)
    }
  }

  @Test("texts that the server itself parsed are read as the same digits")
  func fromTheServersParser() async throws {
    let samples = Self.samples()
    let rows = try await withConnection { connection in
      let statement = Statement("parsed", "select v::numeric from unnest($1::text[]) as u (v)")
      return try connection.rows(statement, samples.map(\.description)) { row in
        try row.next(Numeric.self)
      }
    }
    #expect(rows == samples)
  }

  @Test("COPY writes the same numbers, through 64 and through 128 bits")
  func throughCopy() async throws {
    let samples = Self.samples()
    let texts = try await withConnection { connection in
      try connection.execute(sql: "create temp table n (i int8, a numeric, b numeric)")
      let sql = "copy pg_temp.n from stdin (format binary)"
      try connection.copyIn("numbers", sql) { writer in
        for (index, sample) in samples.enumerated() {
          writer.beginRow(3)
          writer.write(int64: Int64(index))
          writer.write(numericUnits: sample.coefficient, scale: sample.scale)
          if let small = Int64(exactly: sample.coefficient) {
            writer.write(numericUnits: small, scale: sample.scale)
          } else {
            writer.write(sample)
          }
        }
      }
      return try connection.rows(
        Statement("numbers back", "select a::text, b::text from pg_temp.n order by i")
      ) { row in (try row.nextString(), try row.nextString()) }
    }
    for (sample, text) in zip(samples, texts) {
      #expect(text.0 == sample.description)
      #expect(text.1 == sample.description)
    }
  }

  @Test(
    "a number is read as units of a larger scale, and of a smaller one if nothing is lost",
    arguments: [
      ("0", 4, 0), ("1.5", 4, 15_000), ("-0.0001", 4, -1), ("1.50000000", 1, 15),
      ("12345678.9012", 4, 123_456_789_012), ("100000000", 0, 100_000_000), ("0.05", 2, 5),
      (
        "99999999999999999999999999999999999999", 0,
        99_999_999_999_999_999_999_999_999_999_999_999_999
      ),
      ("-170141183460469231731687303715884105728", 0, Int128.min),
      (
        "1700000000000000000000000000000000000.00", 1,
        17_000_000_000_000_000_000_000_000_000_000_000_000
      ),
      ("0.00000000000000000000000000000000000001", 38, 1),
    ] as [(String, Int, Int128)])
  func units(text: String, scale: Int, units: Int128) async throws {
    let read = try await withConnection { connection in
      try connection.row(Statement("units", "select $1::text::numeric"), text) {
        try $0.nextNumericUnits(scale: scale)
      }
    }
    #expect(read == units)
  }

  @Test(
    "what would be rounded, or does not fit, is refused",
    arguments: [
      ("1.23", 1), ("0.00001", 4), ("1e-30", 4), ("1e39", 0), ("1e30", 10),
      ("170141183460469231731687303715884105728", 0), ("NaN", 4), ("Infinity", 4),
      ("-Infinity", 4),
    ])
  func refused(text: String, scale: Int) async throws {
    let error = try await postgresError {
      try await withConnection { connection in
        try connection.row(Statement("units", "select $1::text::numeric as price"), text) {
          try $0.nextNumericUnits(scale: scale)
        }
      }
    }
    #expect(error?.kind == .unreadable)
    #expect(error?.column == "price")
  }

  @Test("trailing zeros are a spelling, and normalizing takes them away")
  func normalized() {
    let spelt = Numeric(coefficient: 15_000, scale: 4)
    #expect(spelt.normalized == Numeric(coefficient: 15, scale: 1))
    #expect(spelt.description == "1.5000")
    #expect(Numeric(coefficient: -5, scale: 3).description == "-0.005")
  }
}
