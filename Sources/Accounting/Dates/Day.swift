/// A calendar date without a time or zone, as the number of days since 2000-01-01.
///
/// The epoch is PostgreSQL's, so that a `date` travels as it is. Valid from 1900-01-01 to
/// 2199-12-31: a date outside is a typing error, and is refused where text is read.
public struct Day: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Days since 2000-01-01; negative before.
  public var number: Int32

  /// The date so many days after 2000-01-01.
  @inlinable public init(number: Int32) { self.number = number }

  /// The first date that the books accept: 1900-01-01.
  public static let earliest = Day(year: 1900, month: 1, day: 1)

  /// The last date that the books accept: 2199-12-31.
  public static let latest = Day(year: 2199, month: 12, day: 31)

  /// The date in the proleptic Gregorian calendar; the parts must form a date.
  public init(year: Int, month: Int, day: Int) {
    // Days from civil: March-based years of 400-year eras (Howard Hinnant, "chrono-Compatible
    // Low-Level Date Algorithms").
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    self.init(number: Int32(era * 146_097 + dayOfEra - 730_425))
  }

  /// Year, month (1…12) and day of the month (1…31).
  public var parts: (year: Int, month: Int, day: Int) {
    let shifted = Int(number) + 730_425
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthIndex = (5 * dayOfYear + 2) / 153
    let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
  }

  /// The year.
  public var year: Int { parts.year }

  /// 1 is Monday, 7 is Sunday (ISO 8601).
  @inlinable public var weekday: Int {
    let sinceSaturday = Int(number) % 7  // 2000-01-01 was a Saturday
    return (sinceSaturday < 0 ? sinceSaturday + 7 + 5 : sinceSaturday + 5) % 7 + 1
  }

  /// Reads `YYYY-MM-DD`; nil for any other form, a day that does not exist, or one out of range.
  public init?(iso text: some Sequence<UInt8>) {
    var fields = [0, 0, 0]
    var position = 0
    for byte in text {
      if position == 4 || position == 7 {
        guard byte == UInt8(ascii: "-") else { return nil }
      } else {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), position < 10 else {
          return nil
        }
        let field = position < 4 ? 0 : position < 7 ? 1 : 2
        fields[field] = fields[field] * 10 + Int(byte - UInt8(ascii: "0"))
      }
      position += 1
    }
    guard position == 10, (1...12).contains(fields[1]), (1...31).contains(fields[2]) else {
      return nil
    }
    self.init(year: fields[0], month: fields[1], day: fields[2])
    guard parts == (fields[0], fields[1], fields[2]), self >= .earliest, self <= .latest else {
      return nil
    }
  }

  /// Reads `YYYY-MM-DD`; see `init(iso:)`.
  public init?(_ text: some StringProtocol) { self.init(iso: text.utf8) }

  /// `YYYY-MM-DD`.
  public var description: String {
    let (year, month, day) = parts
    return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
  }

  /// Orders by time.
  @inlinable public static func < (left: Day, right: Day) -> Bool { left.number < right.number }

  /// The date so many days later.
  @inlinable public static func + (day: Day, days: Int) -> Day {
    Day(number: day.number + Int32(days))
  }

  /// The date so many days earlier.
  @inlinable public static func - (day: Day, days: Int) -> Day {
    Day(number: day.number - Int32(days))
  }

  /// The number of days from `right` to `left`.
  @inlinable public static func - (left: Day, right: Day) -> Int {
    Int(left.number) - Int(right.number)
  }
}
