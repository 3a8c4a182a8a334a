extension ExchangeCalendar {
  /// London.
  static let xlon = ExchangeCalendar(
    "XLON", .britain,
    closes: [.at(16, 30)],
    rules: [
      .on(1, 1, .nextFreeWeekday), .goodFriday, .easterMonday,
      .first(.monday, 5, 1),  // early May
      .first(.monday, 5, 25),  // spring
      .first(.monday, 8, 25),  // summer
      .on(12, 25, .nextFreeWeekday), .on(12, 26, .nextFreeWeekday),
      .on(12, 24, .weekdayBefore, closing: clock(12, 30)),
      .on(12, 31, .weekdayBefore, closing: clock(12, 30)),
    ],
    closed: """
      1995: 05-08 1999: 12-31 2002: 06-03 06-04 2011: 04-29 2012: 06-04 06-05 2020: 05-08 \
      2022: 06-02 06-03 09-19 2023: 05-08
      """,
    open: "1995: 05-01 2002: 05-27 2012: 05-28 2020: 05-04 2022: 05-30")

  /// Dublin.
  static let xdub = ExchangeCalendar(
    "XDUB", .britain,
    closes: [.at(16, 28)],
    rules: [
      .on(1, 1, .nextFreeWeekday),
      .on(3, 17, .nextFreeWeekday, through: 2000),  // Saint Patrick
      .goodFriday, .easterMonday, .on(5, 1, .nextFreeWeekday, from: 2008, through: 2009),
      .on(5, 1, .nextFreeWeekday, from: 2019), .first(.monday, 5, 1, through: 2018),
      .first(.monday, 5, 1, from: 2021),
      .first(.monday, 6, 1, through: 2018),  // June holiday
      .on(12, 24, through: 2004), .on(12, 25, .nextFreeWeekday),
      .on(12, 26, .nextFreeWeekday),
      .on(12, 24, .weekdayBefore, from: 2010, closing: clock(12, 28)),
      .on(12, 31, .weekdayBefore, from: 2010, closing: clock(12, 28)),
    ],
    closed: "2018: 03-02",
    hours: "2018: 03-01@12:28")

  /// Lisbon.
  static let xlis = ExchangeCalendar(
    "XLIS", .portugal,
    closes: [.at(16, 30)],
    rules: [
      .newYear,
      .easter(-47, through: 2002),  // Carnival Tuesday
      .goodFriday, .easterMonday,
      .easter(+60, through: 2002),  // Corpus Christi
      .on(4, 25, through: 2002),  // Liberty Day
      .labourDay,
      .on(6, 10, through: 2002),  // Portugal Day
      .on(6, 13, through: 2001),  // Saint Anthony
      .on(8, 15, through: 2002),  // Assumption
      .on(10, 5, through: 2002),  // Republic Day
      .on(11, 1, through: 2002),  // All Saints
      .on(12, 1, through: 2002),  // Independence
      .on(12, 8, through: 2002),  // Immaculate Conception
      .on(12, 24, through: 2002), .christmas, .boxingDay,
      .on(12, 24, from: 2003, closing: clock(13, 5)), .on(12, 31, closing: clock(13, 5)),
    ])

  /// Frankfurt (Xetra).
  static let xetr = ExchangeCalendar(
    "XETR", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear, .goodFriday, .easterMonday, .labourDay,
      .easter(+50, from: 2015, through: 2021),  // Whit Monday
      .on(10, 3, from: 2014, through: 2021),  // German Unity
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
      .on(12, 31, .openDayBefore, from: 2010, closing: clock(14)),
    ],
    closed: "2007: 05-28 2017: 10-31")

  /// Paris.
  static let xpar = ExchangeCalendar(
    "XPAR", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear, .goodFriday, .easterMonday,
      .easter(+50, through: 2001),  // Whit Monday
      .labourDay,
      .on(7, 14, through: 2001),  // Bastille Day
      .christmas, .boxingDay, .on(12, 31, through: 2001), .on(12, 24, closing: clock(14, 5)),
      .on(12, 31, from: 2002, closing: clock(14, 5)),
    ])

  /// Amsterdam.
  static let xams = ExchangeCalendar(
    "XAMS", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear, .goodFriday, .easterMonday,
      .easter(+39, through: 2000),  // Ascension
      .easter(+50, through: 2001),  // Whit Monday
      .on(4, 30, through: 2001),  // Queen's Day
      .labourDay, .christmas, .boxingDay, .on(12, 31, through: 2001),
      .on(12, 24, closing: clock(14, 5)), .on(12, 31, from: 2002, closing: clock(14, 5)),
    ])

  /// Brussels.
  static let xbru = ExchangeCalendar(
    "XBRU", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear, .goodFriday, .easterMonday,
      .easter(+39, through: 2000),  // Ascension
      .easter(+50, through: 2001),  // Whit Monday
      .on(7, 21, through: 2001),  // National Day
      .labourDay, .christmas, .boxingDay, .on(12, 31, through: 2001),
      .on(12, 24, closing: clock(14, 5)), .on(12, 31, from: 2002, closing: clock(14, 5)),
    ])

  /// Milan.
  static let xmil = ExchangeCalendar(
    "XMIL", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear, .goodFriday, .easterMonday, .labourDay,
      .on(8, 15),  // Assumption
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
    ])

  /// Madrid.
  static let xmad = ExchangeCalendar(
    "XMAD", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear,
      .on(1, 6, through: 2006),  // Epiphany
      .goodFriday, .easterMonday, .labourDay,
      .on(8, 15, .nextFreeWeekday, through: 2004),  // Assumption
      .on(10, 12, through: 2004),  // National Day
      .on(11, 1, through: 2004),  // All Saints
      .on(12, 6, through: 2004),  // Constitution Day
      .on(12, 8, through: 2004),  // Immaculate Conception
      .on(12, 24, through: 2010), .on(12, 24, from: 2021, through: 2023), .christmas,
      .boxingDay, .on(12, 31, through: 2010), .on(12, 31, from: 2021, through: 2023),
      .on(12, 24, from: 2012, closing: clock(14)), .on(12, 31, from: 2012, closing: clock(14)),
    ])

  /// Zurich.
  static let xswx = ExchangeCalendar(
    "XSWX", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear,
      .on(1, 2),  // Berchtold's Day
      .goodFriday, .easterMonday, .labourDay,
      .easter(+39),  // Ascension
      .easter(+50),  // Whit Monday
      .on(8, 1),  // National Day
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
    ])

  /// Vienna.
  static let xwbo = ExchangeCalendar(
    "XWBO", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear,
      .on(1, 6, through: 2018),  // Epiphany
      .goodFriday, .easterMonday, .labourDay,
      .easter(+39, through: 2018),  // Ascension
      .easter(+50, through: 2022),  // Whit Monday
      .easter(+60, through: 2018),  // Corpus Christi
      .on(8, 15, through: 2018),  // Assumption
      .on(10, 26),  // National Day
      .on(11, 1, through: 2018),  // All Saints
      .on(12, 8, through: 2018),  // Immaculate Conception
      .christmasEve, .christmas, .boxingDay, .on(12, 31, .weekdayBefore, through: 2015),
      .on(12, 31, from: 2016), .on(12, 31, .openDayBefore, from: 2017, closing: clock(14, 15)),
    ])

  /// Stockholm.
  static let xsto = ExchangeCalendar(
    "XSTO", .centralEurope,
    closes: [.at(17, 30)],
    rules: [
      .newYear,
      .on(1, 6),  // Epiphany
      .goodFriday, .easterMonday, .labourDay,
      .easter(+39),  // Ascension
      .easter(+50, through: 2004),  // Whit Monday
      .on(6, 6, from: 2004),  // National Day
      .first(.friday, 6, 19),  // Midsummer's Eve
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
      .on(1, 5, closing: clock(13)),  // eve of Epiphany
      .easter(-3, closing: clock(13)),  // Maundy Thursday
      .on(4, 30, closing: clock(13)),  // eve of May Day
      .easter(+38, closing: clock(13)),  // eve of Ascension
      .first(.friday, 10, 30, closing: clock(13)),  // All Saints' Eve
    ])

  /// Oslo.
  static let xosl = ExchangeCalendar(
    "XOSL", .centralEurope,
    closes: [.at(16, 20)],
    rules: [
      .newYear,
      .easter(-3),  // Maundy Thursday
      .goodFriday, .easterMonday, .labourDay,
      .easter(+39),  // Ascension
      .on(5, 17),  // Constitution Day
      .easter(+50),  // Whit Monday
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
      .easter(-4, from: 2011, closing: clock(13)),  // Holy Wednesday
    ])

  /// Copenhagen.
  static let xcse = ExchangeCalendar(
    "XCSE", .centralEurope,
    closes: [.at(17)],
    rules: [
      .newYear,
      .easter(-3),  // Maundy Thursday
      .goodFriday, .easterMonday,
      .easter(+26, through: 2023),  // General Prayer Day
      .easter(+39),  // Ascension
      .easter(+40, from: 2009),  // day after Ascension
      .easter(+50),  // Whit Monday
      .on(6, 5),  // Constitution Day
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
    ])

  /// Helsinki.
  static let xhel = ExchangeCalendar(
    "XHEL", .easternEurope,
    closes: [.at(18, 30)],
    rules: [
      .newYear,
      .on(1, 6),  // Epiphany
      .goodFriday, .easterMonday, .labourDay,
      .easter(+39),  // Ascension
      .first(.friday, 6, 19),  // Midsummer's Eve
      .on(12, 6),  // Independence Day
      .christmasEve, .christmas, .boxingDay, .newYearsEve,
    ])
}
