import Accounting
import Testing

/// Calendars by rule against dates that the exchanges published, and against the days on which
/// they really traded.
@Suite("Business calendars") struct BusinessCalendarTests {
  private static func day(_ text: String) -> Day { Day(text) ?? .earliest }

  private func weekdayHolidays(_ name: String, _ year: Int) throws -> [String] {
    let calendar = try BusinessCalendar(named: name)
    let first = Day(year: year, month: 1, day: 1)
    return (0..<366).map { first + $0 }
      .filter { $0.year == year && $0.weekday <= 5 && !calendar.isBusinessDay($0) }
      .map { String($0.description.dropFirst(5)) }
  }

  // Weekdays without a trade in the exchanges' own data of these years, and published lists.
  static let newYorkHolidays: [(Int, String)] = [
    (2001, "01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25"),
    (2004, "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24"),
    (2007, "01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25"),
    (2010, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
    (2012, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25"),
    (2014, "01-01 01-20 02-17 04-18 05-26 07-04 09-01 11-27 12-25"),
    (2015, "01-01 01-19 02-16 04-03 05-25 07-03 09-07 11-26 12-25"),
    (2016, "01-01 01-18 02-15 03-25 05-30 07-04 09-05 11-24 12-26"),
    (2017, "01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25"),
    (2018, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25"),
    (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
    (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
    (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
  ]

  static let londonHolidays: [(Int, String)] = [
    (1995, "01-02 04-14 04-17 05-08 05-29 08-28 12-25 12-26"),
    (1999, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28 12-31"),
    (2002, "01-01 03-29 04-01 05-06 06-03 06-04 08-26 12-25 12-26"),
    (2011, "01-03 04-22 04-25 04-29 05-02 05-30 08-29 12-26 12-27"),
    (2012, "01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26"),
    (2014, "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26"),
    (2015, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
    (2016, "01-01 03-25 03-28 05-02 05-30 08-29 12-26 12-27"),
    (2017, "01-02 04-14 04-17 05-01 05-29 08-28 12-25 12-26"),
    (2020, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28"),
    (2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28"),
    (2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27"),
    (2023, "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26"),
  ]

  @Test("the New York Stock Exchange's holidays", arguments: newYorkHolidays)
  func newYork(year: Int, holidays: String) throws {
    #expect(try weekdayHolidays("XNYS", year).joined(separator: " ") == holidays)
  }

  @Test("the London Stock Exchange's holidays", arguments: londonHolidays)
  func london(year: Int, holidays: String) throws {
    #expect(try weekdayHolidays("XLON", year).joined(separator: " ") == holidays)
  }

  @Test("weekdays, every day, and an exception from the table")
  func plain() throws {
    let weekdays = try BusinessCalendar(
      named: "weekdays", overrides: [Self.day("2017-07-03"): false, Self.day("2017-07-08"): true])
    #expect(!weekdays.isBusinessDay(Self.day("2017-07-03")))
    #expect(weekdays.isBusinessDay(Self.day("2017-07-04")))
    #expect(weekdays.isBusinessDay(Self.day("2017-07-08")))
    #expect(!weekdays.isBusinessDay(Self.day("2017-07-09")))
    #expect(
      weekdays.businessDayList(after: Self.day("2017-06-30"), through: Self.day("2017-07-05"))
        == [Self.day("2017-07-04"), Self.day("2017-07-05")])
    #expect(
      weekdays.businessDays(after: Self.day("2017-06-30"), through: Self.day("2017-07-08")) == 5)
    let all = try BusinessCalendar(named: "every_day")
    #expect(all.businessDays(after: Self.day("2017-06-30"), through: Self.day("2017-07-30")) == 30)
    #expect(throws: CalendarError.self) { try BusinessCalendar(named: "XNOW") }
  }

  /// Seconds since 2000-01-01 00:00 UTC.
  private func moment(_ day: String, _ hour: Int, _ minute: Int) -> Int64 {
    Int64(Self.day(day).number) * 86_400 + Int64(hour * 3_600 + minute * 60)
  }

  @Test("a date is over half an hour after the official close, daylight saving and early closes in")
  func cutOffs() throws {
    let newYork = try BusinessCalendar(named: "XNYS")
    let london = try BusinessCalendar(named: "XLON")
    let weekdays = try BusinessCalendar(named: "weekdays")
    #expect(newYork.cutOff(of: Self.day("2017-06-30")) == moment("2017-06-30", 20, 30))
    #expect(newYork.cutOff(of: Self.day("2017-01-31")) == moment("2017-01-31", 21, 30))
    #expect(newYork.cutOff(of: Self.day("2017-11-24")) == moment("2017-11-24", 18, 30))
    #expect(newYork.cutOff(of: Self.day("2006-04-03")) == moment("2006-04-03", 20, 30))
    #expect(newYork.cutOff(of: Self.day("2006-03-31")) == moment("2006-03-31", 21, 30))
    #expect(london.cutOff(of: Self.day("2017-06-30")) == moment("2017-06-30", 16, 0))
    #expect(london.cutOff(of: Self.day("2017-12-28")) == moment("2017-12-28", 17, 0))
    // New Year's Eve is a Sunday: the half day is the Friday before.
    #expect(london.cutOff(of: Self.day("2017-12-29")) == moment("2017-12-29", 13, 0))
    #expect(london.cutOff(of: Self.day("2015-12-24")) == moment("2015-12-24", 13, 0))
    #expect(weekdays.cutOff(of: Self.day("2017-06-30")) == moment("2017-07-01", 0, 0))
  }

  @Test("the last date that was over, before and after a cut-off and over a holiday")
  func lastClosed() throws {
    let newYork = try BusinessCalendar(named: "XNYS")
    #expect(newYork.lastClosed(at: moment("2017-07-05", 20, 29)) == Self.day("2017-07-03"))
    #expect(newYork.lastClosed(at: moment("2017-07-05", 20, 30)) == Self.day("2017-07-05"))
    #expect(newYork.lastClosed(at: moment("2017-07-09", 12, 0)) == Self.day("2017-07-07"))
    let weekdays = try BusinessCalendar(named: "weekdays")
    #expect(weekdays.lastClosed(at: moment("2017-07-07", 23, 59)) == Self.day("2017-07-06"))
    #expect(weekdays.lastClosed(at: moment("2017-07-08", 0, 0)) == Self.day("2017-07-07"))
  }

  @Test("before 1987 New York's summer began with the last Sunday of April; 1999 was before 2000")
  func earlyYears() throws {
    let calendar = try BusinessCalendar(named: "XNYS")
    // 16:30 in New York.
    #expect(calendar.cutOff(of: Self.day("1986-04-25")) == moment("1986-04-25", 21, 30))
    #expect(calendar.cutOff(of: Self.day("1986-04-28")) == moment("1986-04-28", 20, 30))
    #expect(calendar.lastClosed(at: moment("1986-04-28", 20, 30)) == Self.day("1986-04-28"))
    #expect(calendar.lastClosed(at: moment("1986-04-28", 20, 29)) == Self.day("1986-04-25"))
  }

  @Test("calendars that are no exchange's have no early closes")
  func fullDays() throws {
    for name in ["weekdays", "every_day"] {
      let calendar = try BusinessCalendar(named: name)
      #expect(!calendar.closesEarly(on: Self.day("2024-12-24")))
      #expect(calendar.isBusinessDay(Self.day("2024-12-24")))
    }
  }
}
