extension ExchangeCalendar {
  /// Calendars that are listed together.
  struct Region: Sendable {
    let name: String
    let calendars: [Listed]
  }

  /// A calendar's name, and where it is to be had: it is not made before it is asked for.
  struct Listed: Sendable {
    let name: String
    let calendar: @Sendable () -> ExchangeCalendar

    init(_ name: String, _ calendar: @escaping @autoclosure @Sendable () -> ExchangeCalendar) {
      self.name = name
      self.calendar = calendar
    }
  }

  static let weekdays = ExchangeCalendar("weekdays", .utc)
  static let everyDay = ExchangeCalendar("every_day", .utc, week: .everyDay)
  /// `every_day` by the name that vendors of prices use.
  static let alwaysOpen = ExchangeCalendar("24/7", .utc, week: .everyDay)

  /// The calendars that there are.
  static let regions: [Region] = [
    Region(
      name: "everywhere",
      calendars: [
        Listed("weekdays", weekdays), Listed("every_day", everyDay), Listed("24/7", alwaysOpen),
      ]),
    Region(
      name: "Americas",
      calendars: [
        Listed("XNYS", xnys), Listed("XTSE", xtse), Listed("XMEX", xmex), Listed("BVMF", bvmf),
      ]),
    Region(
      name: "Europe",
      calendars: [
        Listed("XLON", xlon), Listed("XDUB", xdub), Listed("XLIS", xlis), Listed("XETR", xetr),
        Listed("XPAR", xpar), Listed("XAMS", xams), Listed("XBRU", xbru), Listed("XMIL", xmil),
        Listed("XMAD", xmad), Listed("XSWX", xswx), Listed("XWBO", xwbo), Listed("XSTO", xsto),
        Listed("XOSL", xosl), Listed("XCSE", xcse), Listed("XHEL", xhel),
      ]),
    Region(
      name: "Asia",
      calendars: [
        Listed("XTKS", xtks), Listed("XHKG", xhkg), Listed("XSHG", xshg), Listed("XKRX", xkrx),
        Listed("XTAI", xtai), Listed("XSES", xses), Listed("XBOM", xbom),
      ]),
    Region(
      name: "Middle East, Africa, Pacific",
      calendars: [
        Listed("XTAE", xtae), Listed("XSAU", xsau), Listed("XIST", xist), Listed("XJSE", xjse),
        Listed("XASX", xasx), Listed("XNZE", xnze),
      ]),
  ]

  /// The calendar of a name; nil for any other name.
  static func named(_ name: String) -> ExchangeCalendar? {
    for region in regions {
      for listed in region.calendars where listed.name == name {
        return listed.calendar()
      }
    }
    return nil
  }
}
