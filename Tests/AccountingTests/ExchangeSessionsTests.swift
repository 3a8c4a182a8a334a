import Accounting
import Glibc
import TestSupport
import Testing

/// Every exchange's sessions against those of another program: each year from 1990, or from where
/// that program knows the exchange, to 2035, or as far as it does.
///
/// `Fixtures/cases/exchange_sessions.csv` is what `Fixtures/making/exchange_sessions.py` writes:
/// the number of a year's sessions, and checksums of their dates and of when they end. It says
/// which two years that program has wrong.
@Suite("Exchange sessions, against an independent program") struct ExchangeSessionsTests {
  struct Year: CustomTestStringConvertible, Sendable {
    let calendar: String
    let year: Int
    let sessions: Int
    let dates: String
    let ends: String

    var testDescription: String { "\(calendar) \(year)" }

    init?(_ row: Substring) {
      let cells = row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard cells.count == 5, let year = Int(cells[1]), let sessions = Int(cells[2]) else {
        return nil
      }
      (calendar, self.year, self.sessions) = (cells[0], year, sessions)
      (dates, ends) = (cells[3], cells[4])
    }
  }

  static let list: String = (try? referenceText("exchange_sessions.csv")) ?? ""
  static let years: [Year] = list.split(separator: "\n").dropFirst().compactMap(Year.init)

  @Test("the list knows every calendar but the two that are ours alone")
  func whole() {
    let listed = Dictionary(grouping: Self.years, by: \.calendar)
    #expect(listed.count == BusinessCalendar.names.count - 2)
    #expect(Set(listed.keys).union(["weekdays", "every_day"]) == Set(BusinessCalendar.names))
    #expect(Self.years.count == 1_437)
    #expect(Self.years.reduce(0) { $0 + $1.sessions } == 366_227)
  }

  @Test(
    "a year has the sessions that it had, and each ends when it did",
    arguments: years)
  func sessions(year: Year) throws {
    let calendar = try BusinessCalendar(named: year.calendar)
    let first = Day(year: year.year, month: 1, day: 1)
    let last = Day(year: year.year, month: 12, day: 31)
    let days = calendar.businessDayList(after: first - 1, through: last)
    let dates = days.map { String($0.description.dropFirst(5)) }
    #expect(dates.count == year.sessions)
    #expect(Self.checksum(dates) == year.dates, "\(dates)")
    guard !year.ends.isEmpty else { return }
    let ends = days.map { day in (calendar.cutOff(of: day) - Int64(day.number) * 86_400) / 60 - 30 }
    #expect(Self.checksum(zip(dates, ends).map { "\($0)@\($1)" }) == year.ends, "\(ends)")
  }

  /// CRC-32 (ISO 3309) of some lines, in hexadecimal.
  private static func checksum(_ lines: [String]) -> String {
    var crc = UInt32.max
    for byte in lines.map({ $0 + "\n" }).joined().utf8 {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    let digits = String(~crc, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  // MARK: - The program itself

  /// `CLOSEBELL_TEST_PYTHON`, or the system's.
  private static let python =
    getenv("CLOSEBELL_TEST_PYTHON").map { String(cString: $0) }
    ?? "/usr/bin/python3"

  /// Whether the release is there that wrote the list: others may know other dates to come.
  private static func isThere() async throws -> Bool {
    guard access(python, X_OK) == 0 else { return false }
    let check = """
      import exchange_calendars, pandas, sys
      release = [exchange_calendars.__version__, pandas.__version__.split(".")[0]]
      sys.stdout.write(" ".join(release) + "\\n")
      """
    return try await CommandRun.run(python, ["-c", check]).standardOutput == "4.13.2 2\n"
  }

  @Test(
    "the list is what the program says",
    .enabled("exchange_calendars 4.13.2 with pandas 2 is not installed") { try await isThere() })
  func program() async throws {
    let run = try await CommandRun.run(
      Self.python, [Fixtures.path("making/exchange_sessions.py")], timeLimit: .seconds(600))
    #expect(run.exitCode == 0, "\(run.standardError)")
    #expect(run.standardOutput == Self.list)
  }
}
