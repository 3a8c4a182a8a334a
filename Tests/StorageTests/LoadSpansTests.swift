import Accounting
import Postgres
import Testing

@testable import Storage

/// Which tables are walked by day, and which are asked portfolio by portfolio.
@Suite struct LoadSpansTests {
  private static func ranges(
    _ ids: some Sequence<Int>, _ from: String?, _ to: String
  ) throws -> [LoadRange] {
    let through = try #require(Day(to))
    return ids.map {
      LoadRange(
        portfolio: ID(Int64($0)), openedFrom: from.flatMap { Day($0) }, through: through)
    }
  }

  /// The runs as `day first…last`.
  private static func described(_ spans: LoadSpans) -> [String] {
    zip(spans.dates, zip(spans.firsts, spans.lasts)).map { date, run in
      "\(Day(number: date.days)) \(run.0)…\(run.1)"
    }
  }

  @Test("a night of neighbours is one walk along its day")
  func night() throws {
    let (spans, rest) = LoadSpans.days(of: try Self.ranges(11...15, "2025-06-30", "2025-07-01"))
    #expect(Self.described(spans) == ["2025-07-01 11…15"])
    #expect(rest.isEmpty)
  }

  @Test("after a weekend it is a walk a day, unless there are fewer portfolios than days")
  func weekend() throws {
    let many = LoadSpans.days(of: try Self.ranges(11...15, "2025-06-27", "2025-06-30"))
    #expect(
      Self.described(many.spans) == [
        "2025-06-28 11…15", "2025-06-29 11…15", "2025-06-30 11…15",
      ])
    #expect(many.rest.isEmpty)
    let three = LoadSpans.days(of: try Self.ranges(11...13, "2025-06-27", "2025-06-30"))
    #expect(three.spans.dates.count == 3)
    let two = LoadSpans.days(of: try Self.ranges(11...12, "2025-06-27", "2025-06-30"))
    #expect(two.spans.dates.isEmpty)
    #expect(two.rest.map(\.portfolio.rawValue) == [11, 12])
  }

  @Test("a first close, and a range that ends where it begins, have no days")
  func firstClose() throws {
    let first = LoadSpans.days(of: try Self.ranges(11...15, nil, "2025-07-01"))
    #expect(first.spans.dates.isEmpty)
    #expect(first.rest.count == 5)
    let none = LoadSpans.days(of: try Self.ranges(11...15, "2025-07-01", "2025-07-01"))
    #expect(none.spans.dates.isEmpty)
    #expect(none.rest.isEmpty)
  }

  @Test("a run ends at a wide step between ids and at another range, in whatever order they come")
  func cuts() throws {
    let ranges =
      try Self.ranges([30, 31], "2025-06-30", "2025-07-01")
      + Self.ranges([11, 15, 20], "2025-06-30", "2025-07-01")
      + Self.ranges([12], "2025-06-29", "2025-07-01") + Self.ranges([32], nil, "2025-07-01")
    let (spans, rest) = LoadSpans.days(of: ranges)
    #expect(
      Self.described(spans) == [
        "2025-07-01 11…11", "2025-07-01 15…15", "2025-07-01 20…20", "2025-07-01 30…31",
      ])
    #expect(rest.map(\.portfolio.rawValue) == [12, 32])
  }
}
