import Accounting
import Postgres
import Storage
import TestSupport
import Testing

/// The server's clock stands still here, and the client's is given.
@Suite("The server's clock beside a client's")
struct ServerClockTests {
  private struct Database: TestBooks {
    let conninfo: String
  }

  /// What is said where the client's clock is ahead by so many seconds before the question, and
  /// after it.
  private static func ask(
    _ moment: String, ahead before: Int64, _ after: Int64? = nil
  ) async throws -> ServerClock {
    let database = Database(conninfo: try await TestCluster.shared.freshDatabase())
    try await database.execute(
      """
      alter function pg_catalog.clock_timestamp() rename to true_clock_timestamp;
      create function pg_catalog.clock_timestamp() returns timestamptz language sql
        as $$ select timestamptz '\(moment)' $$
      """)
    return try await database.perform { db in
      let now = try ServerClock(beside: { 0 }, on: db).now
      var answers = [now + before, now + (after ?? before)]
      return try ServerClock(beside: { answers.removeFirst() }, on: db)
    }
  }

  @Test("seconds and date are those of the server, in UTC")
  func moment() async throws {
    let clock = try await Self.ask("2017-07-01 01:00:00.9+02", ahead: 99_999)
    #expect(clock.today == Day("2017-06-30"))
    #expect(clock.now == Int64(Day("2017-06-30")!.number) * 86_400 + 23 * 3_600)
    #expect(try await Self.ask("1999-12-31 23:59:59+00", ahead: 0).today == Day("1999-12-31"))
  }

  @Test(
    "clocks differ from two minutes on, either way",
    arguments: [(0, false), (120, false), (121, true), (-120, false), (-121, true)])
  func difference(_ ahead: Int64, _ differs: Bool) async throws {
    let clock = try await Self.ask("2017-07-01 12:00+00", ahead: ahead)
    #expect(clock.clientAhead == ahead)
    #expect(clock.differs == differs)
  }

  @Test("what the question took is no difference")
  func slowAnswer() async throws {
    let slow = try await Self.ask("2017-07-01 12:00+00", ahead: -200, 300)
    #expect(slow.clientAhead == 0 && !slow.differs)
    #expect(try await Self.ask("2017-07-01 12:00+00", ahead: 150, 300).clientAhead == 150)
    #expect(try await Self.ask("2017-07-01 12:00+00", ahead: -300, -150).clientAhead == -150)
  }
}
