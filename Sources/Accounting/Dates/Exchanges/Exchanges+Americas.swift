extension ExchangeCalendar {
  /// New York.
  static let xnys = ExchangeCalendar(
    "XNYS", .newYork,
    closes: [.at(16)],
    rules: [
      .on(1, 1, .mondayForSunday),
      .first(.monday, 1, 15, from: 1998),  // Martin Luther King Jr. Day
      .first(.monday, 2, 15),  // Washington's Birthday
      .goodFriday,
      .first(.monday, 5, 25),  // Memorial Day
      .on(6, 19, .nearestWeekday, from: 2022),  // Juneteenth
      .on(7, 4, .nearestWeekday),  // Independence Day
      .first(.monday, 9, 1),  // Labor Day
      .first(.thursday, 11, 22),  // Thanksgiving
      .on(12, 25, .nearestWeekday), .on(7, 3, from: 1995, closing: clock(13)),
      .first(.friday, 11, 23, from: 1992, through: 1992, closing: clock(14)),
      .first(.friday, 11, 23, from: 1993, closing: clock(13)),
      .on(12, 24, through: 1992, closing: clock(14)), .on(12, 24, from: 1993, closing: clock(13)),
    ],
    closed: """
      1994: 04-27 2001: 09-11 09-12 09-13 09-14 2004: 06-11 2007: 01-02 2012: 10-29 10-30 \
      2018: 12-05 2025: 01-09
      """,
    hours: """
      1996: 07-03@16:00 07-05@13:00 1997: 12-26@13:00 1999: 12-31@13:00 2002: 07-03@16:00 \
      07-05@13:00 2003: 12-26@13:00
      """)

  /// Toronto.
  static let xtse = ExchangeCalendar(
    "XTSE", .newYork,
    closes: [.at(16)],
    rules: [
      .on(1, 1, .nextFreeWeekday),
      .first(.monday, 2, 15, from: 2008),  // Family Day
      .goodFriday,
      .first(.monday, 5, 18),  // Victoria Day
      .on(7, 1, .nextFreeWeekday),  // Canada Day
      .first(.monday, 8, 1),  // Civic Holiday
      .first(.monday, 9, 1),  // Labour Day
      .first(.monday, 10, 8),  // Thanksgiving
      .on(12, 25, .nextFreeWeekday), .on(12, 26, .nextFreeWeekday),
      .on(12, 24, from: 2010, closing: clock(13)),
    ],
    closed: "2001: 09-11 09-12")

  /// Mexico City.
  static let xmex = ExchangeCalendar(
    "XMEX", .mexico,
    closes: [.at(15)],
    rules: [
      .newYear,
      .on(2, 5, through: 2006),  // Constitution Day
      .first(.monday, 2, 1, from: 2007),  // Constitution Day
      .on(3, 21, through: 2006),  // Juárez
      .first(.monday, 3, 15, from: 2007),  // Juárez
      .easter(-3),  // Maundy Thursday
      .goodFriday, .labourDay,
      .on(9, 16),  // Independence
      .on(11, 2, from: 2006),  // All Souls
      .on(11, 20, through: 2006),  // Revolution
      .first(.monday, 11, 15, from: 2007),  // Revolution
      .on(12, 12),  // Our Lady of Guadalupe
      .christmas,
    ],
    closed: "2010: 09-17")

  /// São Paulo.
  static let bvmf = ExchangeCalendar(
    "BVMF", .brazil,
    closes: [.at(17), .at(18, from: Day(year: 2019, month: 11, day: 4))],
    rules: [
      .newYear,
      .on(1, 25, through: 2021),  // São Paulo
      .easter(-48),  // Carnival Monday
      .easter(-47),  // Carnival Tuesday
      .goodFriday,
      .easter(+60),  // Corpus Christi
      .on(4, 21),  // Tiradentes
      .labourDay,
      .on(7, 9, from: 1998, through: 2019),  // Constitutionalist Revolution
      .on(7, 9, from: 2021, through: 2021),  // Constitutionalist Revolution
      .on(9, 7),  // Independence
      .on(10, 12),  // Our Lady of Aparecida
      .on(11, 2),  // All Souls
      .on(11, 15),  // Republic
      .on(11, 20, from: 2004, through: 2019),  // Black Awareness
      .on(11, 20, from: 2024),  // Black Awareness
      .christmasEve, .christmas, .on(12, 31, .weekdayBefore),
    ],
    closed: "2014: 06-12")
}
