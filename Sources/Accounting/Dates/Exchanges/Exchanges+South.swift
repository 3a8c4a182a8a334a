extension ExchangeCalendar {
  /// Sydney.
  static let xasx = ExchangeCalendar(
    "XASX", .sydney,
    closes: [.at(16)],
    rules: [
      .on(1, 1, .nextFreeWeekday),
      .first(.monday, 1, 26, through: 1992),  // Australia Day
      .on(1, 26, .nextFreeWeekday, from: 1994),  // Australia Day
      .goodFriday, .easterMonday,
      .on(4, 25),  // Anzac Day
      .first(.monday, 6, 8),  // King's Birthday
      .on(12, 25, .nextFreeWeekday), .on(12, 26, .nextFreeWeekday),
      .on(12, 24, .weekdayBefore, from: 2010, through: 2021, closing: clock(14, 10)),
      .on(12, 24, .weekdayBefore, from: 2023, closing: clock(14, 10)),
      .on(12, 31, .weekdayBefore, from: 2010, through: 2021, closing: clock(14, 10)),
      .on(12, 31, .weekdayBefore, from: 2023, closing: clock(14, 10)),
    ],
    closed: "1990: 12-31 1999: 12-31 2010: 04-26 2011: 04-26 2022: 09-22")

  /// Wellington.
  static let xnze = ExchangeCalendar(
    "XNZE", .newZealand,
    closes: [.at(16, 45)],
    rules: [
      .on(1, 1, .nextFreeWeekday), .on(1, 2, .nextFreeWeekday),
      .on(2, 6, through: 2014),  // Waitangi Day
      .on(2, 6, .nextFreeWeekday, from: 2015),  // Waitangi Day
      .goodFriday, .easterMonday,
      .on(4, 25, through: 2014),  // Anzac Day
      .on(4, 25, .nextFreeWeekday, from: 2015),  // Anzac Day
      .first(.monday, 6, 1),  // King's Birthday
      .first(.monday, 10, 22),  // Labour Day
      .on(12, 25, .nextFreeWeekday), .on(12, 26, .nextFreeWeekday),
      .on(12, 24, .openDayBefore, from: 2011, closing: clock(12, 45)),
      .on(12, 31, .openDayBefore, from: 2011, closing: clock(12, 45)),
    ],
    closed: """
      1990: 12-24 12-31 1991: 12-27 1992: 01-03 1999: 12-31 2022: 06-24 09-26 2023: 07-14 \
      2024: 06-28 2025: 06-20 2026: 07-10 2027: 06-25 2028: 07-14 2029: 07-06 2030: 06-21 \
      2031: 07-11 2032: 07-02 2033: 06-24 2034: 07-07 2035: 06-29
      """)

  /// Johannesburg.
  static let xjse = ExchangeCalendar(
    "XJSE", .southAfrica,
    closes: [.at(17)],
    rules: [
      .on(1, 1, .mondayForSunday),
      .on(3, 21, .mondayForSunday),  // Human Rights Day
      .goodFriday, .easterMonday,
      .on(4, 27, .mondayForSunday),  // Freedom Day
      .on(5, 1, .mondayForSunday),
      .on(6, 16, .mondayForSunday),  // Youth Day
      .on(8, 9, .mondayForSunday),  // Women's Day
      .on(9, 24, .mondayForSunday),  // Heritage Day
      .on(12, 16, .mondayForSunday),  // Reconciliation
      .on(12, 25, .mondayForSunday), .on(12, 26, .mondayForSunday),
    ],
    closed: """
      2004: 04-14 2006: 03-01 2008: 05-02 2009: 04-22 2011: 05-18 12-27 2014: 05-07 2016: 08-03 \
      12-27 2019: 05-08
      """)

  /// Tel Aviv.
  static let xtae = ExchangeCalendar(
    "XTAE", .israel,
    closes: [.at(17, 15), .at(15, 40, on: .sunday), .at(13, 50, on: .friday)],
    week: .sundayToThursday(through: Day(year: 2026, month: 1, day: 4)),
    rules: [
      .feast(.passover, -30), .feast(.passover, -1, to: 0), .feast(.passover, 5, to: 6),
      .feast(.israelMemorial, 0, to: 1), .feast(.passover, 49, to: 50), .feast(.tishaBeAv),
      .feast(.roshHashanah, -1, to: 1), .feast(.roshHashanah, 8, to: 9),
      .feast(.roshHashanah, 13, to: 14), .feast(.roshHashanah, 20, to: 21),
      .feast(.passover, 1, to: 4, closing: clock(14, 15)),
      .feast(.roshHashanah, 15, to: 19, closing: clock(14, 15)),
    ],
    closed: """
      2019: 04-09 09-17 2020: 03-02 2021: 03-23 2022: 11-01 2026: 09-18 2027: 10-08 2030: 10-04 \
      2033: 09-30
      """)

  /// Riyadh.
  static let xsau = ExchangeCalendar(
    "XSAU", .arabia,
    closes: [.at(15)],
    week: .sundayToThursday(through: .latest),
    rules: [
      .on(2, 22),  // Founding Day
      .on(9, 23),  // National Day
    ],
    closed: """
      2021: 05-13 05-16 07-18 07-19 07-20 07-21 07-22 2022: 04-28 05-01 05-02 05-03 05-04 05-05 \
      05-08 07-07 07-10 07-11 07-12 07-13 2023: 04-18 04-19 04-20 04-23 04-24 04-25 06-27 06-28 \
      06-29 07-02 2024: 04-07 04-08 04-09 04-10 04-11 04-14 04-15 06-13 06-16 06-17 06-18 06-19 \
      06-20 06-23 2025: 03-27 03-30 03-31 04-01 04-02 06-04 06-05 06-08 06-09 2026: 03-17 03-18 \
      03-19 03-22 03-23 05-24 05-25 05-26 05-27 05-28 2027: 03-07 03-08 03-09 03-10 03-11 05-16 \
      05-17 05-18 05-19 05-20 2028: 02-27 02-28 02-29 03-01 03-02 05-03 05-04 05-07 05-08 05-09 \
      2029: 02-12 02-13 02-14 02-15 02-18 04-22 04-23 04-24 04-25 04-26
      """,
    expected: """
      2030: 02-03 02-04 02-05 02-06 02-07 04-11 04-14 04-15 04-16 04-17 2031: 01-22 01-23 01-26 \
      01-27 01-28 03-31 04-01 04-02 04-03 04-06 2032: 01-12 01-13 01-14 01-15 01-18 03-21 03-22 \
      03-23 03-24 03-25 2033: 01-02 01-03 01-04 01-05 01-06 03-09 03-10 03-13 03-14 03-15 12-21 \
      12-22 12-25 12-26 12-27 2034: 02-27 02-28 03-01 03-02 03-05 12-10 12-11 12-12 12-13 12-14 \
      2035: 02-18 02-19 02-20 02-21 11-29 12-02 12-03 12-04 12-05
      """)

  /// Istanbul.
  static let xist = ExchangeCalendar(
    "XIST", .arabia,
    closes: [.at(18)],
    rules: [
      .newYear,
      .on(4, 23),  // Children's Day
      .on(5, 1, from: 2009),
      .on(5, 19),  // Youth and Sports
      .on(7, 15, from: 2017),  // Democracy Day
      .on(8, 30),  // Victory Day
      .on(10, 29),  // Republic Day
      .feast(.eidAlFitr, 0, to: 2), .feast(.eidAlAdha, 0, to: 3),
      .on(10, 28, closing: clock(12, 30)),
      .feast(.eidAlFitr, -1, closing: clock(12, 30)),
      .feast(.eidAlAdha, -1, closing: clock(12, 30)),
    ],
    closed: """
      2002: 01-04 2003: 02-14 11-21 11-24 11-28 2004: 01-23 12-30 12-31 2006: 01-13 2023: 02-08 \
      02-09 02-10 02-13 02-14
      """)
}
