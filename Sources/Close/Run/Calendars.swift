internal import Accounting
internal import Synchronization

/// The calendars in use, each made once, with the table's exceptions to their rules.
final class Calendars: Sendable {
  private let overrides: [ExactText: [Day: Bool]]
  private let made = Mutex<[ExactText: BusinessCalendar]>([:])

  init(overrides: [ExactText: [Day: Bool]]) { self.overrides = overrides }

  /// - Throws: `CalendarError` for a name without a rule.
  func named(_ name: String) throws -> BusinessCalendar {
    try made.withLock { made in
      if let calendar = made[ExactText(name)] { return calendar }
      let calendar = try BusinessCalendar(named: name, overrides: overrides[ExactText(name)] ?? [:])
      made[ExactText(name)] = calendar
      return calendar
    }
  }
}
