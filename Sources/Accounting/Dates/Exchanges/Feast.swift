/// A feast that moves through the year.
///
/// Easter, the Hebrew feasts and the equinoxes are computed for every year. The feasts of the
/// Chinese lunisolar calendar, and those of Islam as Turkey computes them, are listed from 1990 to
/// 2035. Islam's are the sighting of a moon elsewhere: there they may fall a day later.
enum Feast: Sendable {
  /// None: a month and day.
  case fixed
  case easter
  case passover, israelMemorial, tishaBeAv, roshHashanah
  case vernalEquinox, autumnalEquinox
  case lunarNewYear, qingming, buddha, dragonBoat, midAutumn, doubleNinth
  case eidAlFitr, eidAlAdha

  /// The feast's dates in a year of the Gregorian calendar.
  func dates(in year: Int) -> [Day] {
    switch self {
    case .fixed: []
    case .easter: [Self.easter(year)]
    case .passover: [Self.passover(year)]
    case .israelMemorial: [Self.israelMemorial(year)]
    case .tishaBeAv: [Self.tishaBeAv(year)]
    case .roshHashanah: [Self.roshHashanah(year)]
    case .vernalEquinox: [Self.equinox(year, month: 3, 20.843_1)]
    case .autumnalEquinox: [Self.equinox(year, month: 9, 23.248_8)]
    case .lunarNewYear: FeastTable.lunarNewYear.dates(in: year)
    case .qingming: FeastTable.qingming.dates(in: year)
    case .buddha: FeastTable.buddha.dates(in: year)
    case .dragonBoat: FeastTable.dragonBoat.dates(in: year)
    case .midAutumn: FeastTable.midAutumn.dates(in: year)
    case .doubleNinth: FeastTable.doubleNinth.dates(in: year)
    case .eidAlFitr: FeastTable.eidAlFitr.dates(in: year)
    case .eidAlAdha: FeastTable.eidAlAdha.dates(in: year)
    }
  }

  /// Easter Sunday in the Gregorian calendar, by the anonymous algorithm of Nature, 1876.
  private static func easter(_ year: Int) -> Day {
    let golden = year % 19
    let (century, yearOfCentury) = (year / 100, year % 100)
    let correction = (century - (century + 8) / 25 + 1) / 3
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30
    let toSunday =
      (32 + 2 * (century % 4) + 2 * (yearOfCentury / 4) - epact - yearOfCentury % 4) % 7
    let late = (golden + 11 * epact + 22 * toSunday) / 451
    let position = epact + toSunday - 7 * late + 114
    return Day(year: year, month: position / 31, day: position % 31 + 1)
  }

  /// The equinox of a year as Japan keeps it: exact from 1980 to 2099.
  ///
  /// - Parameter in1980: The equinox of 1980, as a day of the month with its time of day.
  private static func equinox(_ year: Int, month: Int, _ in1980: Double) -> Day {
    let years = year - 1_980
    let leapDays = years >= 0 ? years / 4 : (years - 3) / 4
    return Day(year: year, month: month, day: Int(in1980 + 0.242_194 * Double(years)) - leapDays)
  }
}

// MARK: - The Hebrew calendar

extension Feast {
  /// The first of Tishri that falls in a Gregorian year.
  ///
  /// The year begins with the molad, the mean new moon, put off where a feast would fall beside a
  /// Sabbath or a year would get a length that no year has (Dershowitz and Reingold, "Calendrical
  /// Calculations").
  static func roshHashanah(_ year: Int) -> Day {
    let hebrewYear = year + 3_761
    let before = elapsedDays(hebrewYear - 1)
    let start = elapsedDays(hebrewYear)
    let after = elapsedDays(hebrewYear + 1)
    let postponed = after - start == 356 ? 2 : start - before == 382 ? 1 : 0
    return Day(number: Int32(start + postponed - 2_103_547))
  }

  /// Days from the calendar's epoch to the molad of a year's Tishri, not on a day of the week that
  /// is barred.
  private static func elapsedDays(_ hebrewYear: Int) -> Int {
    let months = (235 * hebrewYear - 234) / 19
    let parts = 12_084 + 13_753 * months
    let days = months * 29 + parts / 25_920
    return 3 * (days + 1) % 7 < 3 ? days + 1 : days
  }

  /// 15 Nisan: from there to the next year the months' lengths do not vary.
  private static func passover(_ year: Int) -> Day { roshHashanah(year) - 163 }

  /// 4 Iyar, moved so that neither it nor Independence Day after it touches a Sabbath.
  private static func israelMemorial(_ year: Int) -> Day {
    let day = passover(year) + 19
    switch day.weekday {
    case 7: return day + 1
    case 5: return day - 2
    case 4: return day - 1
    default: return day
    }
  }

  /// 9 Av, on Sunday where it would be a Sabbath.
  private static func tishaBeAv(_ year: Int) -> Day {
    let day = passover(year) + 112
    return day.weekday == 6 ? day + 1 : day
  }
}
