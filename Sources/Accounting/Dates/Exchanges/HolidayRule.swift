/// One line of an exchange's timetable: dates of every year on which it is closed, or closes early.
///
/// Nothing but small numbers, so that the tables are data and not code.
struct HolidayRule: Sendable {
  /// Where a date goes that falls on a weekend, or on another holiday.
  enum Shift: Sendable {
    /// Nowhere: what falls on a weekend is lost.
    case none
    /// From Sunday to Monday.
    case mondayForSunday
    /// From Sunday to the next weekday that the rules before this one leave open.
    case nextFreeForSunday
    /// To the next weekday that the rules before this one leave open.
    case nextFreeWeekday
    /// From Saturday to Friday, from Sunday to Monday.
    case nearestWeekday
    /// From a weekend to the Friday before.
    case weekdayBefore
    /// To the last date up to there that is open.
    case openDayBefore
  }

  /// What the rule counts from: a feast, or `.fixed` for a month and day.
  private let feast: Feast
  /// Days after the feast, from this number on; else the month.
  private let first: Int8
  /// To this number; else the day.
  private let last: Int8
  /// The weekday to go forward to from the month and day; 0 to stay there.
  private let weekday: UInt8
  let shift: Shift
  private let from: Int16
  private let through: Int16
  /// Minutes after local midnight at which a short session ends; 0 where there is none.
  let closing: Int16

  /// A month and day, in the years that are named.
  static func on(
    _ month: Int8, _ day: Int8, _ shift: Shift = .none, from: Int16 = 0, through: Int16 = 9_999,
    closing: Int16 = 0
  ) -> HolidayRule {
    HolidayRule(
      feast: .fixed, first: month, last: day, weekday: 0, shift: shift, from: from,
      through: through, closing: closing)
  }

  /// The first such weekday on or after a month and day.
  ///
  /// So `.first(.monday, 9, 8)` is the second Monday of September, and `.first(.monday, 5, 25)` the
  /// last one of May.
  static func first(
    _ weekday: Weekday, _ month: Int8, _ day: Int8, from: Int16 = 0, through: Int16 = 9_999,
    closing: Int16 = 0
  ) -> HolidayRule {
    HolidayRule(
      feast: .fixed, first: month, last: day, weekday: weekday.rawValue, shift: .none, from: from,
      through: through, closing: closing)
  }

  /// So many days after a feast.
  static func feast(
    _ feast: Feast, _ offset: Int8 = 0, _ shift: Shift = .none, from: Int16 = 0,
    through: Int16 = 9_999, closing: Int16 = 0
  ) -> HolidayRule {
    HolidayRule(
      feast: feast, first: offset, last: offset, weekday: 0, shift: shift, from: from,
      through: through, closing: closing)
  }

  /// Several days around a feast, each shifted by itself.
  static func feast(
    _ feast: Feast, _ first: Int8, to last: Int8, _ shift: Shift = .none, from: Int16 = 0,
    through: Int16 = 9_999, closing: Int16 = 0
  ) -> HolidayRule {
    HolidayRule(
      feast: feast, first: first, last: last, weekday: 0, shift: shift, from: from,
      through: through, closing: closing)
  }

  /// So many days after Easter Sunday.
  static func easter(
    _ offset: Int8, from: Int16 = 0, through: Int16 = 9_999, closing: Int16 = 0
  ) -> HolidayRule {
    .feast(.easter, offset, from: from, through: through, closing: closing)
  }

  static var newYear: HolidayRule { on(1, 1) }
  static var goodFriday: HolidayRule { easter(-2) }
  static var easterMonday: HolidayRule { easter(+1) }
  static var labourDay: HolidayRule { on(5, 1) }
  static var christmasEve: HolidayRule { on(12, 24) }
  static var christmas: HolidayRule { on(12, 25) }
  static var boxingDay: HolidayRule { on(12, 26) }
  static var newYearsEve: HolidayRule { on(12, 31) }

  /// The rule's dates of a year, before they are shifted.
  func dates(in year: Int) -> [Day] {
    guard Int(from) <= year, year <= Int(through) else { return [] }
    guard feast == .fixed else {
      return feast.dates(in: year).flatMap { day in (first...last).map { day + Int($0) } }
    }
    let day = Day(year: year, month: Int(first), day: Int(last))
    return [Weekday(rawValue: weekday).map { Day.first($0, onOrAfter: day) } ?? day]
  }
}

extension HolidayRule.Shift {
  /// A date where it is kept, among dates that are or are not closed already.
  func date(for day: Day, isClosed: (Day) -> Bool) -> Day {
    switch (self, day.weekday) {
    case (.none, _): day
    case (.mondayForSunday, let weekday): weekday == 7 ? day + 1 : day
    case (.nearestWeekday, let weekday): weekday == 6 ? day - 1 : weekday == 7 ? day + 1 : day
    case (.weekdayBefore, let weekday): weekday > 5 ? day - (weekday - 5) : day
    case (.nextFreeForSunday, let weekday) where weekday < 7: day
    case (.nextFreeForSunday, _), (.nextFreeWeekday, _): Self.step(from: day, by: 1, isClosed)
    case (.openDayBefore, _): Self.step(from: day, by: -1, isClosed)
    }
  }

  private static func step(from day: Day, by step: Int, _ isClosed: (Day) -> Bool) -> Day {
    var day = day
    while day.weekday > 5 || isClosed(day) { day = day + step }
    return day
  }
}

/// Days of the week, numbered as ISO 8601 does.
enum Weekday: UInt8, Sendable {
  case monday = 1
  case tuesday, wednesday, thursday, friday, saturday, sunday
}

extension Day {
  /// The first such weekday on or after a date.
  static func first(_ weekday: Weekday, onOrAfter day: Day) -> Day {
    day + (Int(weekday.rawValue) - day.weekday + 7) % 7
  }
}

/// A time of day, in minutes after midnight.
func clock(_ hour: Int16, _ minute: Int16 = 0) -> Int16 { hour * 60 + minute }
