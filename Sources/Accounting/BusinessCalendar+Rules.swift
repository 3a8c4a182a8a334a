// The exchanges' rules: New York Stock Exchange Rule 7.2 and its notices of closure, and the bank
// holidays of England and Wales that the London Stock Exchange keeps.

extension BusinessCalendar.Rule {
  /// The holidays of a year that may fall on a weekday.
  func holidays(in year: Int) -> [Day] {
    switch self {
    case .newYork: newYorkHolidays(in: year)
    case .london: londonHolidays(in: year)
    case .weekdays, .everyDay: []
    }
  }

  // MARK: - New York

  /// A holiday on a Saturday is kept on the Friday, unless that would be in the old year; one on
  /// a Sunday on the Monday.
  private func newYorkHolidays(in year: Int) -> [Day] {
    let newYear = Day(year: year, month: 1, day: 1)
    var days = [
      newYear.weekday == 7 ? newYear + 1 : newYear,
      Day.nth(3, weekday: 1, ofMonth: 2, year),
      Day.easterSunday(in: year) - 2,
      Day.last(weekday: 1, ofMonth: 5, year),
      Day(year: year, month: 7, day: 4).nearestWeekday,
      Day.nth(1, weekday: 1, ofMonth: 9, year),
      Day.nth(4, weekday: 4, ofMonth: 11, year),
      Day(year: year, month: 12, day: 25).nearestWeekday,
    ]
    if year >= 1998 { days.append(Day.nth(3, weekday: 1, ofMonth: 1, year)) }
    if year >= 2022 { days.append(Day(year: year, month: 6, day: 19).nearestWeekday) }
    return days + Self.newYorkClosures.filter { $0.year == year }
  }

  /// Days of mourning, the attacks of 2001, hurricane Sandy.
  private static let newYorkClosures = [
    Day(year: 1994, month: 4, day: 27), Day(year: 2001, month: 9, day: 11),
    Day(year: 2001, month: 9, day: 12), Day(year: 2001, month: 9, day: 13),
    Day(year: 2001, month: 9, day: 14), Day(year: 2004, month: 6, day: 11),
    Day(year: 2007, month: 1, day: 2), Day(year: 2012, month: 10, day: 29),
    Day(year: 2012, month: 10, day: 30), Day(year: 2018, month: 12, day: 5),
    Day(year: 2025, month: 1, day: 9),
  ]

  // MARK: - London

  /// Bank holidays; one at a weekend is kept on the next weekday that is not one already.
  private func londonHolidays(in year: Int) -> [Day] {
    let easter = Day.easterSunday(in: year)
    let christmas = Day(year: year, month: 12, day: 25)
    var days = [
      Day(year: year, month: 1, day: 1).weekdayOnOrAfter, easter - 2, easter + 1,
      Day.last(weekday: 1, ofMonth: 8, year),
    ]
    switch christmas.weekday {
    case 5: days += [christmas, christmas + 3]
    case 6: days += [christmas + 2, christmas + 3]
    case 7: days += [christmas + 1, christmas + 2]
    default: days += [christmas, christmas + 1]
    }
    days.append(
      Self.movedEarlyMay[year].map { Day(year: year, month: 5, day: $0) }
        ?? Day.nth(1, weekday: 1, ofMonth: 5, year))
    if let jubilee = Self.jubilees[year] {
      days += jubilee.map { Day(year: year, month: 6, day: $0) }
    } else {
      days.append(Day.last(weekday: 1, ofMonth: 5, year))
    }
    return days + Self.londonClosures.filter { $0.year == year }
  }

  /// Early May bank holidays that were moved to the anniversary of 8 May 1945.
  private static let movedEarlyMay = [1995: 8, 2020: 8]

  /// Spring bank holidays that were moved into June, and the jubilee's day beside them.
  private static let jubilees = [2002: [3, 4], 2012: [4, 5], 2022: [2, 3]]

  /// The millennium, a royal wedding, a state funeral, a coronation.
  private static let londonClosures = [
    Day(year: 1999, month: 12, day: 31), Day(year: 2011, month: 4, day: 29),
    Day(year: 2022, month: 9, day: 19), Day(year: 2023, month: 5, day: 8),
  ]

  // MARK: - Closing times

  /// Minutes after local midnight of the official close.
  func closeMinutes(on day: Day) -> Int {
    let (_, month, date) = day.parts
    switch self {
    case .newYork:
      let isAfterThanksgiving = day == Day.nth(4, weekday: 4, ofMonth: 11, day.year) + 1
      let isEve = (month == 7 && date == 3) || (month == 12 && date == 24)
      return isAfterThanksgiving || isEve ? 13 * 60 : 16 * 60
    case .london:
      return month == 12 && (date == 24 || date == 31) ? 12 * 60 + 30 : 16 * 60 + 30
    case .weekdays, .everyDay: return 24 * 60
    }
  }

  /// How far local time is ahead of UTC at the close of a date, daylight saving included.
  func minutesAheadOfUTC(on day: Day) -> Int {
    let year = day.year
    switch self {
    case .newYork:
      // Since 2007 from the second Sunday of March to the first of November, before that from
      // the first of April to the last of October.
      let begins =
        year >= 2007
        ? Day.nth(2, weekday: 7, ofMonth: 3, year) : Day.nth(1, weekday: 7, ofMonth: 4, year)
      let ends =
        year >= 2007
        ? Day.nth(1, weekday: 7, ofMonth: 11, year) : Day.last(weekday: 7, ofMonth: 10, year)
      return day >= begins && day < ends ? -240 : -300
    case .london:
      // Until 1995 summer time ended on the fourth Sunday of October.
      let begins = Day.last(weekday: 7, ofMonth: 3, year)
      let ends =
        year >= 1996
        ? Day.last(weekday: 7, ofMonth: 10, year) : Day.nth(4, weekday: 7, ofMonth: 10, year)
      return day >= begins && day < ends ? 60 : 0
    case .weekdays, .everyDay: return 0
    }
  }
}

extension Day {
  /// The n-th given weekday (1 Monday … 7 Sunday) of a month.
  static func nth(_ count: Int, weekday: Int, ofMonth month: Int, _ year: Int) -> Day {
    let first = Day(year: year, month: month, day: 1)
    return first + ((weekday - first.weekday + 7) % 7 + 7 * (count - 1))
  }

  /// The last given weekday of a month.
  static func last(weekday: Int, ofMonth month: Int, _ year: Int) -> Day {
    let next =
      month == 12
      ? Day(year: year + 1, month: 1, day: 1) : Day(year: year, month: month + 1, day: 1)
    let end = next - 1
    return end - (end.weekday - weekday + 7) % 7
  }

  /// Easter Sunday of the Gregorian calendar (the anonymous algorithm of Nature, 1876).
  static func easterSunday(in year: Int) -> Day {
    let golden = year % 19
    let (century, rest) = (year / 100, year % 100)
    let correction = (century - (century + 8) / 25 + 1) / 3
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7
    let shift = (golden + 11 * epact + 22 * weekday) / 451
    let sum = epact + weekday - 7 * shift + 114
    return Day(year: year, month: sum / 31, day: sum % 31 + 1)
  }

  /// Friday for a Saturday, Monday for a Sunday, else the date itself.
  var nearestWeekday: Day { weekday == 6 ? self - 1 : weekday == 7 ? self + 1 : self }

  /// Monday for a date at a weekend, else the date itself.
  var weekdayOnOrAfter: Day { weekday == 6 ? self + 2 : weekday == 7 ? self + 1 : self }
}
