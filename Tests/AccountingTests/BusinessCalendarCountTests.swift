import Accounting
import TestSupport
import Testing

/// Counting and stepping by bits against asking date by date, and the half days that were.
@Suite("Business calendars, counted") struct BusinessCalendarCountTests {
  private static func day(_ text: String) -> Day { Day(text) ?? .earliest }

  @Test(
    "counts, lists and steps say what asking for every date says",
    arguments: BusinessCalendar.names)
  func counting(name: String) throws {
    let override = Self.day("2020-02-29")
    let calendar = try BusinessCalendar(
      named: name, overrides: [override: true, override + 2: false])
    var random = SeededGenerator(seed: 21)
    for _ in 0..<300 {
      let start = Self.day("2019-06-01") + Int.random(in: 0...500, using: &random)
      let end = start + Int.random(in: -20...200, using: &random)
      let span = max(0, end - start)
      let days = (0..<span).map { start + ($0 + 1) }.filter(calendar.isBusinessDay)
      #expect(calendar.businessDayList(after: start, through: end) == days)
      #expect(calendar.businessDays(after: start, through: end) == days.count)
      if let first = days.first { #expect(calendar.next(after: start) == first) }
      if let last = days.last { #expect(calendar.businessDay(onOrBefore: end) == last) }
    }
    #expect(calendar.isBusinessDay(override))
    #expect(!calendar.isBusinessDay(override + 2))
  }

  @Test("the ends of time are answered, not trapped on")
  func bounds() throws {
    let weekdays = try BusinessCalendar(named: "weekdays")
    #expect(weekdays.next(after: .latest) == nil)
    #expect(weekdays.businessDay(onOrBefore: .latest) == .latest)  // a Tuesday
    #expect(!weekdays.isBusinessDay(Day.latest + 1))
    #expect(!weekdays.isBusinessDay(Day.earliest - 1))
    let all = try BusinessCalendar(named: "every_day")
    let days = Day.latest - Day.earliest
    #expect(all.businessDays(after: .earliest, through: .latest) == days)
    #expect(all.businessDays(after: .earliest - 9, through: .latest + 9) == days + 1)
    #expect(all.businessDays(after: .latest, through: .earliest) == 0)
  }

  @Test("a calendar closed at an end of time has nothing behind it")
  func closedEnds() throws {
    let calendar = try BusinessCalendar(
      named: "weekdays", overrides: [.earliest: false, .latest: false, .latest - 1: false])
    #expect(calendar.businessDay(onOrBefore: .earliest) == .earliest)
    #expect(calendar.businessDay(onOrBefore: .earliest - 1) == .earliest)
    #expect(!calendar.isBusinessDay(.earliest))
    let last = calendar.businessDay(onOrBefore: .latest)
    #expect(last == .latest - 4 && calendar.next(after: last) == nil)
  }

  @Test("an unknown name is refused with the names that are known, by region")
  func unknown() {
    #expect {
      try BusinessCalendar(named: "XNOW")
    } throws: { error in
      "\(error)".hasPrefix("there is no calendar XNOW: calendars are ")
        && "\(error)".contains("everywhere: weekdays every_day 24/7; Americas: XNYS XTSE ")
        && BusinessCalendar.names.allSatisfy("\(error)".contains)
    }
  }

  @Test("feasts that are computed hold beyond those that are listed")
  func computedFeasts() throws {
    let closed = [
      ("XTAE", "1950-09-12 2100-10-04 2100-10-05 2150-09-22"),  // the years 5711, 5861 and 5911
      ("XTKS", "2050-03-21 2050-09-23"),  // equinoxes, one of them on a Sunday
      ("XETR", "2100-03-26 2100-03-29"),  // Easter on 28 March
    ]
    for (name, days) in closed {
      let calendar = try BusinessCalendar(named: name)
      for text in days.split(separator: " ") {
        #expect(!calendar.isBusinessDay(Self.day(String(text))), "\(name) \(text)")
      }
    }
  }

  @Test("what is only expected is open again where a row of the table says so")
  func expected() throws {
    let expected = [("XSHG", "2031-10-08"), ("XBOM", "2027-10-29"), ("XSAU", "2030-02-04")]
    for (name, text) in expected {
      let day = Self.day(text)
      #expect(try !BusinessCalendar(named: name).isBusinessDay(day), "\(name)")
      #expect(try BusinessCalendar(named: name, overrides: [day: true]).isBusinessDay(day))
    }
  }

  /// Half days of both exchanges as they were announced, and full days beside them.
  static let announced: [(String, String, Bool)] = [
    ("XNYS", "1992-11-27 1992-12-24 1995-07-03 1996-07-05 1997-12-26 1999-12-31", true),
    ("XNYS", "2002-07-05 2003-12-26 2008-11-28 2012-07-03 2013-07-03 2014-12-24", true),
    ("XNYS", "2019-07-03 2024-07-03", true),
    ("XNYS", "1996-07-03 2002-07-03 2008-12-26 2014-12-26 2013-07-05 2020-07-02", false),
    ("XLON", "2011-12-23 2011-12-30 2012-12-24 2012-12-31 2017-12-22 2022-12-23", true),
    ("XLON", "2023-12-29", true),
    ("XLON", "2012-12-28 2015-12-23 2015-12-30 2016-12-29 2022-12-22 2023-12-28", false),
  ]

  @Test("half days", arguments: announced)
  func halfDays(name: String, days: String, isEarly: Bool) throws {
    let calendar = try BusinessCalendar(named: name)
    for text in days.split(separator: " ") {
      let day = Self.day(String(text))
      #expect(calendar.isBusinessDay(day), "\(text)")
      #expect(calendar.closesEarly(on: day) == isEarly, "\(text)")
    }
  }

  @Test("summer time of both zones, on the dates beside each change")
  func summerTime() throws {
    let newYork = try BusinessCalendar(named: "XNYS")
    let london = try BusinessCalendar(named: "XLON")
    func minutes(_ calendar: BusinessCalendar, _ text: String) -> Int64 {
      let day = Self.day(text)
      return (calendar.cutOff(of: day) - Int64(day.number) * 86_400) / 60
    }
    for text in ["2007-03-09", "2007-11-05", "2006-03-31", "2006-10-30", "2024-03-08"] {
      #expect(minutes(newYork, text) == 21 * 60 + 30, "\(text)")
    }
    for text in ["2007-03-12", "2007-11-02", "2006-04-03", "2006-10-27", "2024-03-11"] {
      #expect(minutes(newYork, text) == 20 * 60 + 30, "\(text)")
    }
    for text in ["1995-10-23", "1996-10-28", "2024-03-28", "2024-10-28"] {
      #expect(minutes(london, text) == 17 * 60, "\(text)")
    }
    for text in ["1995-10-20", "1996-10-25", "2024-04-02", "2024-10-25"] {
      #expect(minutes(london, text) == 16 * 60, "\(text)")
    }
  }
}
