/// A name that is no calendar.
public struct CalendarError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name.
  public let name: String

  /// The reason, and the names that are.
  public var description: String {
    """
    there is no calendar \(name)
    hint: calendars are \(BusinessCalendar.names.joined(separator: ", "))
    """
  }
}

/// The business dates of an exchange, or of every week, and when each of them is over.
///
/// By rule for any year (the rules are those in force since 1990), with exceptions from a table.
public struct BusinessCalendar: Sendable {
  /// The calendars that there are.
  public static let names = ["XNYS", "XLON", "weekdays", "every_day"]

  /// The name.
  public let name: String
  private let rule: Rule
  private let overrides: [Day: Bool]
  /// Holidays of 1990 to 2050, so that a date in these years costs one look.
  private let holidays: Set<Day>

  enum Rule: String, Sendable {
    case newYork = "XNYS"
    case london = "XLON"
    case weekdays
    case everyDay = "every_day"
  }

  private static let tabulated = 1990...2050

  /// The calendar of a name.
  ///
  /// - Parameters:
  ///   - name: One of `names`.
  ///   - overrides: Dates that are open or closed whatever the rule says.
  /// - Throws: `CalendarError` for any other name.
  public init(named name: String, overrides: [Day: Bool] = [:]) throws(CalendarError) {
    guard let rule = Rule(rawValue: name) else { throw CalendarError(name: name) }
    self.name = name
    self.rule = rule
    self.overrides = overrides
    holidays = Set(Self.tabulated.flatMap { rule.holidays(in: $0) })
  }

  /// Whether business is done on a date.
  public func isBusinessDay(_ day: Day) -> Bool {
    if let isOpen = overrides[day] { return isOpen }
    if rule == .everyDay { return true }
    guard day.weekday <= 5 else { return false }
    let year = day.year
    return Self.tabulated.contains(year)
      ? !holidays.contains(day) : !rule.holidays(in: year).contains(day)
  }

  /// The business dates after `start` up to and including `end`, ascending.
  public func businessDayList(after start: Day, through end: Day) -> [Day] {
    guard start < end else { return [] }
    return (1...(end - start)).lazy.map { start + $0 }.filter(isBusinessDay)
  }

  /// How many business dates lie after `start` up to and including `end`.
  public func businessDays(after start: Day, through end: Day) -> Int {
    guard start < end else { return 0 }
    return (1...(end - start)).count { isBusinessDay(start + $0) }
  }

  /// The latest business date on or before a date.
  public func businessDay(onOrBefore day: Day) -> Day {
    var day = day
    while !isBusinessDay(day), day > .earliest { day = day - 1 }
    return day
  }

  /// When a business date is over: half an hour after the official close; for calendars that are
  /// no exchange's, at its end in UTC.
  ///
  /// - Returns: Seconds since 2000-01-01 00:00 UTC.
  public func cutOff(of day: Day) -> Int64 {
    let midnight = Int64(day.number) * 86_400
    switch rule {
    case .weekdays, .everyDay: return midnight + 86_400
    case .newYork, .london:
      let local = rule.closeMinutes(on: day) + 30
      return midnight + Int64(local - rule.minutesAheadOfUTC(on: day)) * 60
    }
  }

  /// The latest business date that was over by a moment.
  ///
  /// - Parameter moment: Seconds since 2000-01-01 00:00 UTC.
  public func lastClosed(at moment: Int64) -> Day {
    var day = businessDay(onOrBefore: Day(number: Int32(moment / 86_400)))
    while cutOff(of: day) > moment, day > .earliest { day = businessDay(onOrBefore: day - 1) }
    return day
  }
}
