extension BusinessCalendar {
  /// When a business date is over: half an hour after the official close, when closes are out;
  /// for calendars that are no exchange's, at its end in UTC.
  ///
  /// The close is 16:00 in New York and 16:30 in London, 13:00 and 12:30 on their early closes.
  ///
  /// - Returns: Seconds since 2000-01-01 00:00 UTC.
  public func cutOff(of day: Day) -> Int64 {
    let minutes = exchange.closeMinutesUTC(on: day) + (exchange.hasSession ? 30 : 0)
    return Int64(day.number) * 86_400 + Int64(minutes) * 60
  }

  /// The latest business date that was over by a moment.
  ///
  /// - Parameter moment: Seconds since 2000-01-01 00:00 UTC.
  public func lastClosed(at moment: Int64) -> Day {
    let (days, rest) = moment.quotientAndRemainder(dividingBy: 86_400)
    let date = businessDay(onOrBefore: Day(number: Int32(rest < 0 ? days - 1 : days)))
    return cutOff(of: date) > moment ? businessDay(onOrBefore: date - 1) : date
  }

  /// Whether the session of a date ends early.
  public func closesEarly(on day: Day) -> Bool {
    isBusinessDay(day) && exchange.earlyCloseMinutes(on: day) != nil
  }
}

extension Exchange {
  var hasSession: Bool { self == .newYork || self == .london }

  /// Minutes after 00:00 UTC at which a date's session ends.
  func closeMinutesUTC(on day: Day) -> Int {
    switch self {
    case .newYork:
      (earlyCloseMinutes(on: day) ?? 16 * 60) + (isNewYorkSummer(day) ? 4 : 5) * 60
    case .london: (earlyCloseMinutes(on: day) ?? 16 * 60 + 30) - (isLondonSummer(day) ? 60 : 0)
    case .weekdays, .everyDay: 24 * 60
    }
  }

  /// Minutes after local midnight at which an early session ends; nil for a full one.
  func earlyCloseMinutes(on day: Day) -> Int? {
    switch self {
    case .newYork: newYorkEarlyClose(day)
    case .london: isLondonEarlyClose(day) ? 12 * 60 + 30 : nil
    case .weekdays, .everyDay: nil
    }
  }
}

/// New York closes early after Thanksgiving, before Christmas and around Independence Day.
///
/// 13:00; 14:00 until 1992. The rules hold from 1993; before, what is known is given.
private func newYorkEarlyClose(_ day: Day) -> Int? {
  let (year, month, date) = day.parts
  let hour = year >= 1993 ? 13 * 60 : 14 * 60
  let weekday = day.weekday
  switch (month, date) {
  case (12, 24) where weekday <= 4: return hour
  case (12, 26) where year == 1997 || year == 2003: return hour
  case (12, 31) where year == 1999: return hour
  case (7, 3) where year >= 1995:
    // Until 2012 a holiday on a Thursday made the Friday after it short, not the Wednesday.
    return weekday <= 2 || weekday == 4 || (weekday == 3 && year >= 2013) ? hour : nil
  case (7, 5) where year >= 1996 && year <= 2012 && weekday == 5: return hour
  case (11, 23...29) where year >= 1992 && weekday == 5: return hour
  default: return nil
  }
}

/// London closes early on the last weekday up to Christmas Eve, and up to New Year's Eve.
private func isLondonEarlyClose(_ day: Day) -> Bool {
  let (_, month, date) = day.parts
  guard month == 12 else { return false }
  return date == 24 || date == 31
    || (day.weekday == 5 && (date == 22 || date == 23 || date == 29 || date == 30))
}

/// Summer time in New York, by date: sessions do not run on the Sundays when it changes.
///
/// From 2007 second Sunday of March to first of November; from 1987 first of April to last of
/// October; before, last of April to last of October.
private func isNewYorkSummer(_ day: Day) -> Bool {
  let year = day.year
  if year >= 2007 {
    return day >= nth(2, weekday: 7, year, 3) && day < nth(1, weekday: 7, year, 11)
  }
  let start = year >= 1987 ? nth(1, weekday: 7, year, 4) : last(weekday: 7, year, 4)
  return day >= start && day < last(weekday: 7, year, 10)
}

/// Summer time in London, by date: last Sunday of March to last of October.
///
/// Until 1995 it ended on the fourth Sunday of October.
private func isLondonSummer(_ day: Day) -> Bool {
  let year = day.year
  let end = year >= 1996 ? last(weekday: 7, year, 10) : nth(4, weekday: 7, year, 10)
  return day >= last(weekday: 7, year, 3) && day < end
}
