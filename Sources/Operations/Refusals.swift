package import Accounting
package import Storage

/// A month that is to be locked has not ended, by the server's clock.
package struct MonthNotOver: Error, CustomStringConvertible {
  /// `YYYY-MM`.
  package let month: String
  package var description: String { "\(month) is not over" }
}

/// A run or an import holds the locks that a month is locked under.
package struct RunAtWork: Error, CustomStringConvertible {
  package var description: String {
    "a run or an import is at work\nhint: try again when it is done"
  }
}

/// A date that is to be closed is still to come, by the server's clock.
package struct DateInFuture: Error, CustomStringConvertible {
  package let date: Day
  /// The server's date.
  package let today: Day

  package var description: String {
    "\(date) lies in the future\nhint: by the server's clock today is \(today)"
  }
}

extension ServerClock {
  /// Refuses a date that is still to come.
  ///
  /// - Throws: `DateInFuture`.
  package func requireReached(_ date: Day) throws {
    guard date > today else { return }
    throw DateInFuture(date: date, today: today)
  }
}
