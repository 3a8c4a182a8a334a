/// How far a place's clocks are from UTC, by date.
///
/// Sessions do not run at the hours when clocks change, so a date has one offset. New York's and
/// Britain's are right from 1967 and 1981 on; the others' from 2020 on, when the last of the
/// irregular ones had settled.
struct Zone: Sendable {
  /// Summer time from a year on, until the next one's.
  struct Summer: Sendable {
    let year: Int
    /// The Sunday on which it begins: the first on or after a month and day.
    let begins: (month: Int, day: Int)
    /// The Sunday on which it ends.
    let ends: (month: Int, day: Int)
    /// The weekday on which it begins: Friday in Israel.
    var weekday = Weekday.sunday
  }

  /// Minutes east of Greenwich, in winter.
  let standard: Int
  var summers: [Summer] = []
  /// The last year with a summer time.
  var last = Int.max

  /// Minutes east of Greenwich on a date.
  func offset(on day: Day) -> Int {
    let year = day.year
    guard year <= last, let summer = summers.last(where: { $0.year <= year }) else {
      return standard
    }
    let begins = Day.first(
      summer.weekday,
      onOrAfter: Day(year: year, month: summer.begins.month, day: summer.begins.day))
    let ends = Day.first(
      .sunday, onOrAfter: Day(year: year, month: summer.ends.month, day: summer.ends.day))
    // South of the equator the year begins and ends in summer.
    let isSummer =
      begins < ends ? day >= begins && day < ends : day >= begins || day < ends
    return isSummer ? standard + 60 : standard
  }
}

extension Zone {
  static let utc = Zone(standard: 0)

  /// And Toronto.
  static let newYork = Zone(
    standard: -5 * 60,
    summers: [
      Summer(year: 1900, begins: (4, 24), ends: (10, 25)),
      Summer(year: 1987, begins: (4, 1), ends: (10, 25)),
      Summer(year: 2007, begins: (3, 8), ends: (11, 1)),
    ])
  static let mexico = Zone(
    standard: -6 * 60, summers: [Summer(year: 2002, begins: (4, 1), ends: (10, 25))], last: 2022)
  static let brazil = Zone(standard: -3 * 60)

  /// And Ireland.
  static let britain = Zone(
    standard: 0,
    summers: [
      Summer(year: 1900, begins: (3, 25), ends: (10, 22)),
      Summer(year: 1996, begins: (3, 25), ends: (10, 25)),
    ])
  private static let europeanSummer = Summer(year: 1996, begins: (3, 25), ends: (10, 25))
  static let portugal = Zone(standard: 0, summers: [europeanSummer])
  static let centralEurope = Zone(standard: 60, summers: [europeanSummer])
  static let easternEurope = Zone(standard: 2 * 60, summers: [europeanSummer])

  /// And Turkey.
  static let arabia = Zone(standard: 3 * 60)
  static let israel = Zone(
    standard: 2 * 60,
    summers: [Summer(year: 2013, begins: (3, 23), ends: (10, 25), weekday: .friday)])
  static let southAfrica = Zone(standard: 2 * 60)

  static let india = Zone(standard: 5 * 60 + 30)
  /// And Hong Kong, Taipei and Singapore.
  static let china = Zone(standard: 8 * 60)
  /// And Korea.
  static let tokyo = Zone(standard: 9 * 60)
  static let sydney = Zone(
    standard: 10 * 60, summers: [Summer(year: 2008, begins: (10, 1), ends: (4, 1))])
  static let newZealand = Zone(
    standard: 12 * 60, summers: [Summer(year: 2008, begins: (9, 24), ends: (4, 1))])
}
