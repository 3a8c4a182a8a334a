/// A calendar as its rules make it: one bit a date from `Day.earliest` on, and when dates are over.
///
/// Each is made once, when it is first asked for.
final class ExchangeCalendar: Sendable {
  /// The days of the week that have sessions.
  enum Week: Sendable {
    case everyDay
    case mondayToFriday
    /// Saturdays too, until a date.
    case mondayToSaturday(through: Day)
    /// Sundays instead of Fridays, until a date.
    case sundayToThursday(through: Day)

    fileprivate func isOpen(_ day: Day, _ weekday: Int) -> Bool {
      switch self {
      case .everyDay: true
      case .mondayToFriday: weekday < 6
      case .mondayToSaturday(let last): weekday < 6 || (weekday == 6 && day <= last)
      case .sundayToThursday(let last):
        day <= last ? weekday != 5 && weekday != 6 : weekday < 6
      }
    }
  }

  /// When full sessions end: minutes after local midnight, from a date on, on a day of the week.
  struct Close: Sendable {
    let minutes: Int
    let from: Day
    let weekday: Weekday?

    static func at(
      _ hour: Int, _ minute: Int = 0, on weekday: Weekday? = nil, from: Day = .earliest
    ) -> Close {
      Close(minutes: hour * 60 + minute, from: from, weekday: weekday)
    }
  }

  let name: String
  let zone: Zone
  let closes: [Close]
  let bits: [UInt64]
  let ranks: [Int32]
  /// The sessions that end at another hour than their weekday's others, ascending.
  private let odd: [(day: Day, minutes: Int)]

  /// - Parameters:
  ///   - name: The operating market identifier code (ISO 10383).
  ///   - closes: When full sessions end, the last that fits; empty where there are no sessions.
  ///   - rules: Holidays and short sessions; what one leaves open depends on those before it.
  ///   - closed: Dates that were closed, or are announced to be, and that no rule knows.
  ///   - expected: Dates that will be announced, computed as they are now announced.
  ///   - open: Sessions on dates that a rule closes.
  ///   - hours: Sessions that ended at an hour that no rule knows.
  @inline(never)  // Or it is in the binary once for each exchange.
  init(
    _ name: String, _ zone: Zone, closes: [Close] = [], week: Week = .mondayToFriday,
    rules: [HolidayRule] = [], closed: StaticString = "", expected: StaticString = "",
    open: StaticString = "", hours: StaticString = ""
  ) {
    self.name = name
    self.zone = zone
    self.closes = closes
    var dates = DateBits(week)
    let holidays = rules.filter { $0.closing == 0 }
    for year in Day.earliest.year...Day.latest.year { dates.close(holidays, in: year) }
    for list in [closed, expected] {
      for (day, _) in ListedDates(list).entries { dates.set(day, isOpen: false) }
    }
    for (day, _) in ListedDates(open).entries { dates.set(day, isOpen: true) }
    bits = dates.bits
    ranks = BusinessCalendar.ranks(of: bits)
    odd = dates.oddHours(rules.filter { $0.closing != 0 }, ListedDates(hours))
  }

  /// Minutes after local midnight at which a full session of a date ends; nil for no exchange's.
  func fullClose(on day: Day) -> Int? {
    closes.last {
      $0.from <= day && ($0.weekday.map { Int($0.rawValue) } ?? day.weekday) == day.weekday
    }?.minutes
  }

  /// Minutes after local midnight at which a date's session ends, if that is no usual hour.
  func oddClose(on day: Day) -> Int? {
    var (low, high) = (0, odd.count)
    while low < high {
      let middle = (low + high) / 2
      if odd[middle].day < day { low = middle + 1 } else { high = middle }
    }
    return low < odd.count && odd[low].day == day ? odd[low].minutes : nil
  }
}

/// The dates of a calendar in the making.
private struct DateBits {
  private(set) var bits = [UInt64](repeating: 0, count: (BusinessCalendar.dayCount + 63) / 64)

  init(_ week: ExchangeCalendar.Week) {
    var weekday = Day.earliest.weekday
    for index in 0..<BusinessCalendar.dayCount {
      if week.isOpen(Day.earliest + index, weekday) { bits[index >> 6] |= 1 << UInt64(index & 63) }
      weekday = weekday == 7 ? 1 : weekday + 1
    }
  }

  func isOpen(_ day: Day) -> Bool {
    guard BusinessCalendar.range.contains(day) else { return false }
    let index = BusinessCalendar.index(of: day)
    return bits[index >> 6] >> UInt64(index & 63) & 1 == 1
  }

  mutating func set(_ day: Day, isOpen: Bool) {
    guard BusinessCalendar.range.contains(day) else { return }
    let index = BusinessCalendar.index(of: day)
    let bit: UInt64 = 1 << UInt64(index & 63)
    if isOpen { bits[index >> 6] |= bit } else { bits[index >> 6] &= ~bit }
  }

  mutating func close(_ holidays: [HolidayRule], in year: Int) {
    var closed: [Day] = []
    for rule in holidays {
      for day in rule.dates(in: year) {
        closed.append(rule.shift.date(for: day, isClosed: closed.contains))
      }
    }
    for day in closed { set(day, isOpen: false) }
  }

  func oddHours(
    _ rules: [HolidayRule], _ listed: ListedDates
  ) -> [(day: Day, minutes: Int)] {
    var minutes: [Day: Int] = [:]
    for year in Day.earliest.year...Day.latest.year {
      for rule in rules {
        for day in rule.dates(in: year) {
          let day = rule.shift.date(for: day) { BusinessCalendar.range.contains($0) && !isOpen($0) }
          if isOpen(day) { minutes[day] = Int(rule.closing) }
        }
      }
    }
    for (day, minute) in listed.entries { minutes[day] = minute }
    return minutes.map { ($0.key, $0.value) }.sorted { $0.day < $1.day }
  }
}
