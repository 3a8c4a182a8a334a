package import Accounting
package import Problems
internal import Storage

/// A month that is to be locked has not ended, by the server's clock.
package struct MonthNotOver: Problem {
  /// `YYYY-MM`.
  package let month: String

  package var stated: StatedProblem {
    StatedProblem(ProblemCode("month_not_over", .usage), "\(month) is not over")
  }
}

/// A run or an import holds the locks that a month is locked under.
package struct RunAtWork: Problem {
  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("work_under_way", .busy), "a run or an import is at work",
      remedy: "try again when it is done")
  }
}

/// A date that is to be closed is still to come, by the server's clock.
package struct DateInFuture: Problem {
  package let date: Day
  /// The server's date.
  package let today: Day

  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("date_in_future", .usage), "\(date) lies in the future",
      remedy: "by the server's clock today is \(today)")
  }
}

extension ServerClock {
  /// Refuses a date that is still to come.
  ///
  /// - Throws: `DateInFuture`.
  func requireReached(_ date: Day) throws {
    guard date > today else { return }
    throw DateInFuture(date: date, today: today)
  }
}
