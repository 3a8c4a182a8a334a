/// A name that is no calendar.
public struct CalendarError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name.
  public let name: String

  /// The reason, in one line.
  public var reason: String { "there is no calendar \(name)" }
  /// The names that are.
  public var advice: String { "calendars are \(BusinessCalendar.listing)" }
  /// The reason, and the names that are.
  public var description: String { "\(reason): \(advice)" }
}

/// The business dates of an exchange, or of every week, and when each of them is over.
///
/// An exchange's follow its published rules, with its one-off closures, from 1990 on where they are
/// known; outside those years the rules are applied without them. Feasts that are not computed are
/// listed to 2035. `weekdays` and `every_day` hold for every date. A table of overrides adds what
/// no rule knows.
///
/// Every question is answered from one bit a date and a running count.
public struct BusinessCalendar: Sendable, Hashable {
  /// The calendars that there are.
  public static let names = ExchangeCalendar.regions.flatMap { $0.calendars.map(\.name) }

  /// The calendars that there are, by region, in one line.
  public static let listing = ExchangeCalendar.regions
    .map { "\($0.name): \($0.calendars.map(\.name).joined(separator: " "))" }
    .joined(separator: "; ")

  /// The name, as a portfolio states it.
  public let name: String
  let exchange: ExchangeCalendar

  /// One bit a date from `Day.earliest` on.
  private var bits: [UInt64]
  /// How many business dates lie before each word of `bits`.
  private var ranks: [Int32]

  /// The calendar of a name.
  ///
  /// - Parameters:
  ///   - name: One of `names`.
  ///   - overrides: Dates that are open (true) or closed (false), whatever the rules say.
  /// - Throws: `CalendarError` for any other name.
  public init(named name: String, overrides: [Day: Bool] = [:]) throws(CalendarError) {
    guard let exchange = ExchangeCalendar.named(name) else { throw CalendarError(name: name) }
    self.name = name
    self.exchange = exchange
    bits = exchange.bits
    ranks = exchange.ranks
    guard !overrides.isEmpty else { return }
    for (day, isBusinessDay) in overrides where Self.range.contains(day) {
      let index = Self.index(of: day)
      let bit: UInt64 = 1 << UInt64(index & 63)
      if isBusinessDay { bits[index >> 6] |= bit } else { bits[index >> 6] &= ~bit }
    }
    ranks = Self.ranks(of: bits)
  }

  /// The same name and the same dates.
  public static func == (left: BusinessCalendar, right: BusinessCalendar) -> Bool {
    left.name == right.name && left.bits == right.bits
  }

  /// Hashes the name and the dates.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(bits)
  }

  static let range = Day.earliest...Day.latest
  static let dayCount = Day.latest - Day.earliest + 1

  static func index(of day: Day) -> Int { day - Day.earliest }

  static func ranks(of bits: [UInt64]) -> [Int32] {
    var ranks: [Int32] = []
    ranks.reserveCapacity(bits.count + 1)
    var total: Int32 = 0
    for word in bits {
      ranks.append(total)
      total += Int32(word.nonzeroBitCount)
    }
    ranks.append(total)
    return ranks
  }

  /// Whether a date is a business date; false outside 1900 … 2199.
  public func isBusinessDay(_ day: Day) -> Bool {
    guard Self.range.contains(day) else { return false }
    let index = Self.index(of: day)
    return bits[index >> 6] >> UInt64(index & 63) & 1 == 1
  }

  /// The latest business date on or before a date; `Day.earliest` if there is none.
  public func businessDay(onOrBefore day: Day) -> Day {
    guard day >= .earliest else { return .earliest }
    let index = Self.index(of: min(day, .latest))
    var word = index >> 6
    // The bits up to and including the date's.
    var rest = bits[word] & (UInt64.max >> UInt64(63 - index & 63))
    while rest == 0 {
      guard word > 0 else { return .earliest }
      word -= 1
      rest = bits[word]
    }
    return Day.earliest + (word * 64 + 63 - rest.leadingZeroBitCount)
  }

  /// The first business date after `day`; nil if there is none before 2200.
  public func next(after day: Day) -> Day? {
    guard day < .latest else { return nil }
    let index = Self.index(of: max(day + 1, .earliest))
    var word = index >> 6
    var rest = bits[word] & (UInt64.max << UInt64(index & 63))
    while rest == 0 {
      word += 1
      guard word < bits.count else { return nil }
      rest = bits[word]
    }
    return Day.earliest + (word * 64 + rest.trailingZeroBitCount)
  }

  /// How many business dates lie after `first`, up to and including `last`; 0 if none.
  public func businessDays(after first: Day, through last: Day) -> Int {
    max(0, count(through: last) - count(through: first))
  }

  /// The business dates after `first`, up to and including `last`, ascending.
  public func businessDayList(after first: Day, through last: Day) -> [Day] {
    var days: [Day] = []
    days.reserveCapacity(businessDays(after: first, through: last))
    var day = first
    while let next = next(after: day), next <= last {
      days.append(next)
      day = next
    }
    return days
  }

  private func count(through day: Day) -> Int {
    guard day >= .earliest else { return 0 }
    let index = Self.index(of: min(day, .latest))
    let within = bits[index >> 6] & (UInt64.max >> UInt64(63 - index & 63))
    return Int(ranks[index >> 6]) + within.nonzeroBitCount
  }
}
