internal import Accounting
package import Operations
internal import Text

/// The returns over periods: a line a period, or why a period has no return.
package struct ReturnsText {
  private let returns: ReturnsResult

  package init(_ returns: ReturnsResult) { self.returns = returns }

  package var lines: [String] {
    guard !returns.periods.isEmpty else { return [] }
    var table = TextTable([
      ("return", .left), ("from", .left), ("days", .right), ("linked", .right),
      ("a year", .right), ("gross of fees", .right), ("Modified Dietz", .right), ("", .left),
    ])
    for (period, value) in returns.periods {
      table.add([
        title(period, value), value.from?.description ?? "–", value.days.map(String.init) ?? "–",
        Readable.percent(value.linked), Readable.percent(value.annualized),
        Readable.percent(value.grossOfFees), Readable.percent(value.modifiedDietz),
        note(value),
      ])
    }
    return table.lines
  }

  /// What began anew is not told since inception.
  private func title(_ period: ReturnPeriod, _ value: ReturnFigures) -> String {
    guard value.isOfRestartedIndex == true else { return period.title }
    return "since \(value.from ?? value.to)"
  }

  private func note(_ value: ReturnFigures) -> String {
    let restart = value.isOfRestartedIndex == true ? "a new chain of returns starts there" : nil
    return [value.reason == .indexStarts ? nil : restart, value.reason?.text]
      .compactMap(\.self).joined(separator: "; ")
  }
}

extension ReturnPeriod {
  fileprivate var title: String {
    switch self {
    case .daily: "since the last close"
    case .monthToDate: "month to date"
    case .quarterToDate: "quarter to date"
    case .yearToDate: "year to date"
    case .trailingYear: "1 year"
    case .trailingThreeYears: "3 years"
    case .trailingFiveYears: "5 years"
    case .sinceInception: "since inception"
    }
  }
}

extension PeriodReturn.Reason {
  fileprivate var text: String {
    switch self {
    case .beforeFirstClose: "begins before the first close"
    case .indexBreak: "no equity to earn it on at some close"
    case .indexStarts: "the index starts here"
    case .stale: "gross of fees: inputs changed since, replay first"
    }
  }
}
