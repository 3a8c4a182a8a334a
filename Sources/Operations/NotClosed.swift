package import Accounting
package import Problems

/// A date that was asked for is not closed.
package struct NotClosed: Problem {
  /// What stands in its place.
  package enum Place: Sendable {
    /// A slot that is claimed or failed, and why it failed.
    case open(state: String, error: String?)
    /// Nothing; the portfolio's last closed date, if there is one.
    case empty(lastClosed: Day?)
    /// Nothing; the closed dates next to it.
    case between(Day?, Day?)
  }

  /// What it was asked for by.
  package let portfolio: String
  package let date: Day
  package let place: Place

  package var stated: StatedProblem {
    switch place {
    case .open(let state, let error):
      Self.unfinished(portfolio, on: date, state: state, reason: error)
    case .empty(let last):
      Self.missing(
        portfolio, on: date,
        known: last.map { "its last closed date is \($0)" } ?? "none of its dates is closed",
        isBehind: last.map { $0 > date } ?? false)
    case .between(let before, let after):
      Self.missing(
        portfolio, on: date, known: Self.known(before, after), isBehind: after != nil)
    }
  }

  private static func known(_ before: Day?, _ after: Day?) -> String {
    switch (before, after) {
    case (let before?, let after?): "the closed dates next to it are \(before) and \(after)"
    case (let before?, nil): "its last closed date is \(before)"
    case (nil, let after?): "its first closed date is \(after)"
    case (nil, nil): "none of its dates is closed"
    }
  }

  /// The date was begun, and is not finished.
  ///
  /// - Parameter reason: Why, as it is stored.
  private static func unfinished(
    _ portfolio: String, on date: Day, state: String, reason: String?
  ) -> StatedProblem {
    StatedProblem(
      ProblemCode("slot_open", .notClosed),
      "portfolio \(portfolio) is not closed on \(date): the slot is \(state)",
      quoting: reason,
      remedy: Remedy(.run(date: "\(date)", portfolio: portfolio)))
  }

  /// The date was never begun.
  ///
  /// - Parameters:
  ///   - known: Which dates are closed.
  ///   - isBehind: Whether a later one is, so that only a replay closes it.
  private static func missing(
    _ portfolio: String, on date: Day, known: String, isBehind: Bool
  ) -> StatedProblem {
    let day = "\(date)"
    let action: Action =
      isBehind
      ? .replay(from: day, through: day, portfolio: portfolio)
      : .run(date: day, portfolio: portfolio)
    return StatedProblem(
      ProblemCode("snapshot_missing", .notClosed),
      "portfolio \(portfolio) has no snapshot of \(date): \(known)",
      remedy: "if it is a business date: \(action)")
  }
}
