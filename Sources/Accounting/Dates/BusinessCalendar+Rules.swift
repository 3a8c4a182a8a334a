/// Whose business dates and closing hours a calendar follows.
enum Exchange: String, Sendable, Hashable {
  case newYork = "XNYS"
  case london = "XLON"
  case weekdays
  case everyDay = "every_day"

  /// The bits and running counts of `BusinessCalendar`.
  var table: CalendarTable {
    switch self {
    case .newYork: CalendarTable.newYork
    case .london: CalendarTable.london
    case .weekdays: CalendarTable.weekdays
    case .everyDay: CalendarTable.everyDay
    }
  }
}

/// One bit a date from `Day.earliest` on, made once for each exchange.
struct CalendarTable: Sendable {
  let bits: [UInt64]
  let ranks: [Int32]

  static let everyDay = CalendarTable(skipsWeekends: false) { _ in [] }
  static let weekdays = CalendarTable(skipsWeekends: true) { _ in [] }
  static let newYork = CalendarTable(skipsWeekends: true, holidays: newYorkHolidays)
  static let london = CalendarTable(skipsWeekends: true, holidays: londonHolidays)

  private init(skipsWeekends: Bool, holidays: (_ year: Int) -> [Day]) {
    var bits = [UInt64](repeating: 0, count: (BusinessCalendar.dayCount + 63) / 64)
    var weekday = Day.earliest.weekday
    for index in 0..<BusinessCalendar.dayCount {
      if !skipsWeekends || weekday <= 5 { bits[index >> 6] |= 1 << UInt64(index & 63) }
      weekday = weekday == 7 ? 1 : weekday + 1
    }
    for year in Day.earliest.year...Day.latest.year {
      for day in holidays(year) where BusinessCalendar.range.contains(day) {
        let index = BusinessCalendar.index(of: day)
        bits[index >> 6] &= ~(1 << UInt64(index & 63))
      }
    }
    self.bits = bits
    ranks = BusinessCalendar.ranks(of: bits)
  }
}

/// The full-day closures of the New York Stock Exchange in a year (rule 7.2, and its history).
///
/// A holiday on a Sunday is kept on Monday, one on a Saturday on Friday; but New Year's Day on a
/// Saturday is not kept, since 31 December ends an accounting year.
private func newYorkHolidays(_ year: Int) -> [Day] {
  var days = [
    nth(3, weekday: 1, year, 2),  // Washington's Birthday
    easter(year) - 2,  // Good Friday
    last(weekday: 1, year, 5),  // Memorial Day
    fridayOrMonday(Day(year: year, month: 7, day: 4)),
    nth(1, weekday: 1, year, 9),  // Labor Day
    nth(4, weekday: 4, year, 11),  // Thanksgiving
    fridayOrMonday(Day(year: year, month: 12, day: 25)),
  ]
  let newYear = Day(year: year, month: 1, day: 1)
  if newYear.weekday != 6 { days.append(fridayOrMonday(newYear)) }
  if year >= 1998 { days.append(nth(3, weekday: 1, year, 1)) }  // Martin Luther King Jr. Day
  if year >= 2022 { days.append(fridayOrMonday(Day(year: year, month: 6, day: 19))) }
  let once: [(Int, Int, Int)] = [
    (1994, 4, 27),  // mourning for President Nixon
    (2001, 9, 11), (2001, 9, 12), (2001, 9, 13), (2001, 9, 14),
    (2004, 6, 11),  // mourning for President Reagan
    (2007, 1, 2),  // mourning for President Ford
    (2012, 10, 29), (2012, 10, 30),  // Hurricane Sandy
    (2018, 12, 5),  // mourning for President Bush
    (2025, 1, 9),  // mourning for President Carter
  ]
  return days + once.filter { $0.0 == year }.map { Day(year: $0.0, month: $0.1, day: $0.2) }
}

/// The full-day closures of the London Stock Exchange in a year: the bank holidays of England.
///
/// A holiday on a weekend is kept on the next weekday that is not one already.
private func londonHolidays(_ year: Int) -> [Day] {
  let sunday = easter(year)
  var days = [
    nextWeekday(Day(year: year, month: 1, day: 1)), sunday - 2, sunday + 1,
    last(weekday: 1, year, 8),
  ]
  let christmas = nextWeekday(Day(year: year, month: 12, day: 25))
  let boxing = nextWeekday(Day(year: year, month: 12, day: 26))
  // Christmas on a Sunday: Boxing Day has the Monday, and Christmas the Tuesday.
  days += [christmas, boxing == christmas ? boxing + 1 : boxing]
  // VE Day took the place of the early May holiday on two anniversaries.
  let keepsVictory = year == 1995 || year == 2020
  days.append(keepsVictory ? Day(year: year, month: 5, day: 8) : nth(1, weekday: 1, year, 5))
  // Jubilees moved the spring holiday next to one of their own.
  let spring: [Int: [(Int, Int)]] = [
    2002: [(6, 3), (6, 4)], 2012: [(6, 4), (6, 5)], 2022: [(6, 2), (6, 3)],
  ]
  days +=
    spring[year].map { $0.map { Day(year: year, month: $0.0, day: $0.1) } }
    ?? [last(weekday: 1, year, 5)]
  let once: [(Int, Int, Int)] = [
    (1999, 12, 31),  // the turn of the millennium
    (2011, 4, 29),  // a royal wedding
    (2022, 9, 19),  // the funeral of Queen Elizabeth II
    (2023, 5, 8),  // the coronation of King Charles III
  ]
  return days + once.filter { $0.0 == year }.map { Day(year: $0.0, month: $0.1, day: $0.2) }
}

/// The n-th weekday (1 is Monday) of a month.
func nth(_ count: Int, weekday: Int, _ year: Int, _ month: Int) -> Day {
  let first = Day(year: year, month: month, day: 1)
  return first + ((weekday - first.weekday + 7) % 7 + 7 * (count - 1))
}

/// The last weekday (1 is Monday) of a month before December.
func last(weekday: Int, _ year: Int, _ month: Int) -> Day {
  let end = Day(year: year, month: month + 1, day: 1) - 1
  return end - (end.weekday - weekday + 7) % 7
}

/// The Friday before for a Saturday, the Monday after for a Sunday.
private func fridayOrMonday(_ day: Day) -> Day {
  switch day.weekday {
  case 6: day - 1
  case 7: day + 1
  default: day
  }
}

/// The Monday after for a Saturday or Sunday.
private func nextWeekday(_ day: Day) -> Day {
  day.weekday > 5 ? day + (8 - day.weekday) : day
}

/// Easter Sunday in the Gregorian calendar, by the anonymous algorithm of Nature, 1876.
private func easter(_ year: Int) -> Day {
  let golden = year % 19
  let (century, yearOfCentury) = (year / 100, year % 100)
  let correction = (century - (century + 8) / 25 + 1) / 3
  let epact = (19 * golden + century - century / 4 - correction + 15) % 30
  let toSunday =
    (32 + 2 * (century % 4) + 2 * (yearOfCentury / 4) - epact - yearOfCentury % 4) % 7
  let late = (golden + 11 * epact + 22 * toSunday) / 451
  let position = epact + toSunday - 7 * late + 114
  return Day(year: year, month: position / 31, day: position % 31 + 1)
}
