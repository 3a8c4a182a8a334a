import Accounting
import Testing

/// Both exchanges by rule against a list from elsewhere: every weekday of 61 years.
///
/// `Fixtures/cases/exchange_holidays.csv` states facts written out by the public package
/// exchange_calendars 4.13.2: closures, early closes, and from which date on a full session ends at
/// which hour, all in UTC.
@Suite("Business calendars, against an independent list") struct ExchangeHolidaysTests {
  struct Year: CustomTestStringConvertible, Sendable {
    let calendar: String
    let year: Int
    let closed: Set<String>
    let early: [String: Int]
    let full: [(from: String, minutes: Int)]

    var testDescription: String { "\(calendar) \(year)" }

    init?(_ row: Substring) {
      let cells = row.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == 5, let year = Int(cells[1]) else { return nil }
      calendar = String(cells[0])
      self.year = year
      closed = Set(cells[2].split(separator: " ").map(String.init))
      early = Dictionary(uniqueKeysWithValues: Self.hours(cells[3]))
      full = Self.hours(cells[4]).map { (from: $0.0, minutes: $0.1) }
    }

    /// `07-03@17:00` as a date of the year and minutes after midnight.
    private static func hours(_ cell: Substring) -> [(String, Int)] {
      cell.split(separator: " ").compactMap { entry in
        let parts = entry.split { $0 == "@" || $0 == ":" }
        guard parts.count == 3, let hour = Int(parts[1]), let minute = Int(parts[2]) else {
          return nil
        }
        return (String(parts[0]), hour * 60 + minute)
      }
    }

    /// Minutes after 00:00 UTC at which a session of this year ends.
    func close(on date: String) -> Int? {
      early[date] ?? full.last { $0.from <= date }?.minutes
    }
  }

  static let years: [Year] =
    (try? referenceText("exchange_holidays.csv").split(separator: "\n").dropFirst()
      .compactMap(Year.init)) ?? []

  @Test("the list is whole") func list() {
    #expect(Self.years.count == 2 * 61)
    #expect(Self.years.reduce(0) { $0 + $1.closed.count } == 572 + 495)
    #expect(Self.years.reduce(0) { $0 + $1.early.count } == 129 + 121)
    #expect(Self.years.allSatisfy { $0.full.count == 3 })
  }

  @Test("every weekday is closed, short or full, and over at its hour, as listed", arguments: years)
  func weekdays(year: Year) throws {
    let calendar = try BusinessCalendar(named: year.calendar)
    let first = Day(year: year.year, month: 1, day: 1)
    for day in (0..<366).map({ first + $0 }) where day.year == year.year && day.weekday <= 5 {
      let date = String(day.description.dropFirst(5))
      let isOpen = !year.closed.contains(date)
      #expect(calendar.isBusinessDay(day) == isOpen, "\(day)")
      #expect(calendar.closesEarly(on: day) == (year.early[date] != nil), "\(day)")
      guard isOpen else { continue }
      let minutes = (calendar.cutOff(of: day) - Int64(day.number) * 86_400) / 60
      #expect(year.close(on: date) == Int(minutes) - 30, "\(day)")
    }
  }
}
