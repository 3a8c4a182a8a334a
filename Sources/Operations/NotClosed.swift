package import Accounting

/// A date that was asked for is not closed.
package struct NotClosed: Error {
  /// What stands in its place.
  package enum Place: Sendable {
    /// A slot that is claimed or failed, and why it failed.
    case open(state: String, error: String?)
    /// Nothing; the portfolio's last closed date, if there is one.
    case empty(lastClosed: Day?)
  }

  /// What it was asked for by.
  package let portfolio: String
  package let date: Day
  package let place: Place
}

extension NotClosed: CustomStringConvertible {
  package var description: String {
    switch place {
    case .open(let state, let error):
      return """
        portfolio \(portfolio) is not closed on \(date): the slot is \(state)
        \(error.map { "detail: \($0)\n" } ?? "")hint: closebell run --date \(date) \
        --portfolio \(portfolio)
        """
    case .empty(let last):
      let known = last.map { "its last closed date is \($0)" } ?? "none of its dates is closed"
      let isBehind = last.map { $0 > date } ?? false
      let command = isBehind ? "replay --from \(date) --to \(date)" : "run --date \(date)"
      return """
        portfolio \(portfolio) has no snapshot of \(date): \(known)
        hint: if it is a business date: closebell \(command) --portfolio \(portfolio)
        """
    }
  }
}
