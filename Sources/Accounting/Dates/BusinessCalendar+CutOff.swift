extension BusinessCalendar {
  /// When a business date is over: half an hour after the official close, when closes are out;
  /// for calendars that are no exchange's, at its end in UTC.
  ///
  /// The close is 16:00 in New York and 16:30 in London, 13:00 and 12:30 on their early closes.
  ///
  /// - Returns: Seconds since 2000-01-01 00:00 UTC.
  public func cutOff(of day: Day) -> Int64 {
    let midnight = Int64(day.number) * 86_400
    guard let full = exchange.fullClose(on: day) else { return midnight + 86_400 }
    let close = exchange.oddClose(on: day) ?? full
    return midnight + Int64(close - exchange.zone.offset(on: day) + 30) * 60
  }

  /// The latest business date that was over by a moment.
  ///
  /// - Parameter moment: Seconds since 2000-01-01 00:00 UTC.
  public func lastClosed(at moment: Int64) -> Day {
    let (days, rest) = moment.quotientAndRemainder(dividingBy: 86_400)
    let date = businessDay(onOrBefore: Day(number: Int32(rest < 0 ? days - 1 : days)))
    return cutOff(of: date) > moment ? businessDay(onOrBefore: date - 1) : date
  }

  /// Whether the session of a date ends earlier than is usual on its day of the week.
  public func closesEarly(on day: Day) -> Bool {
    guard isBusinessDay(day), let close = exchange.oddClose(on: day) else { return false }
    return exchange.fullClose(on: day).map { close < $0 } ?? false
  }
}
