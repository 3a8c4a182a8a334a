/// A period of returns that ends with a close.
///
/// Every period begins at the end of a day, `start(endingOn:)`: its return is measured from the
/// last close on or before that day.
public enum ReturnPeriod: String, CaseIterable, Sendable {
  /// From the close before, however many days back.
  case daily
  /// From the end of the month before.
  case monthToDate = "month_to_date"
  /// From the end of the calendar quarter before.
  case quarterToDate = "quarter_to_date"
  /// From the end of the year before.
  case yearToDate = "year_to_date"
  /// Twelve months.
  case trailingYear = "trailing_1_year"
  /// Thirty-six months.
  case trailingThreeYears = "trailing_3_years"
  /// Sixty months.
  case trailingFiveYears = "trailing_5_years"
  /// From the close that the index counts from.
  case sinceInception = "since_inception"

  /// The day at whose end the period begins; nil for one that begins at a close of its own.
  public func start(endingOn end: Day) -> Day? {
    let (year, month, _) = end.parts
    return switch self {
    case .daily, .sinceInception: nil
    case .monthToDate: Day(year: year, month: month, day: 1) - 1
    case .quarterToDate: Day(year: year, month: (month - 1) / 3 * 3 + 1, day: 1) - 1
    case .yearToDate: Day(year: year, month: 1, day: 1) - 1
    case .trailingYear: end.adding(years: -1)
    case .trailingThreeYears: end.adding(years: -3)
    case .trailingFiveYears: end.adding(years: -5)
    }
  }
}

extension Day {
  /// The same date of another year; the end of a month stays the end of that month.
  ///
  /// Twelve months before 2017-02-28 is 2016-02-29, so that trailing years are whole months
  /// wherever they end with one.
  func adding(years: Int) -> Day {
    let (year, month, day) = parts
    let isMonthEnd = (self + 1).parts.day == 1
    guard isMonthEnd else { return Day(year: year + years, month: month, day: day) }
    let next = (self + 1).parts
    return Day(year: next.year + years, month: next.month, day: 1) - 1
  }
}
