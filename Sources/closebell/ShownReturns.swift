import Accounting
import Close
import Presentation

/// The returns over periods of a shown date.
struct ShownReturns {
  let returns: [(period: ReturnPeriod, value: PeriodReturn)]

  /// A line a period, or why a period has no return.
  var text: String {
    guard !returns.isEmpty else { return "" }
    var table = TextTable([
      ("return", .left), ("from", .left), ("days", .right), ("linked", .right),
      ("a year", .right), ("gross of fees", .right), ("Modified Dietz", .right), ("", .left),
    ])
    for (period, value) in returns {
      table.add([
        title(period, value), value.from?.description ?? "–", value.days.map(String.init) ?? "–",
        Readable.percent(value.linked), Readable.percent(value.annualized),
        Readable.percent(value.grossOfFees), Readable.percent(value.modifiedDietz),
        note(value),
      ])
    }
    return table.text
  }

  /// What began anew is not told since inception.
  private func title(_ period: ReturnPeriod, _ value: PeriodReturn) -> String {
    guard value.isOfRestartedIndex else { return period.title }
    return "since \(value.from ?? value.to)"
  }

  private func note(_ value: PeriodReturn) -> String {
    let restart = value.isOfRestartedIndex ? "a new chain of returns starts there" : nil
    return [value.reason == .indexStarts ? nil : restart, value.reason?.text]
      .compactMap(\.self).joined(separator: "; ")
  }

  /// An object by the periods' names.
  var json: JSON {
    .object(
      returns.map { period, value in
        let restart: [(String, JSON)] =
          period == .sinceInception ? [("index_restarted", .bool(value.isOfRestartedIndex))] : []
        return (
          period.rawValue,
          .object(
            [
              ("from", .optional(value.from?.description)), ("to", .string(value.to.description)),
              ("days", value.days.map { .integer($0) } ?? .null),
              ("linked", .optional(value.linked)), ("annualised", .optional(value.annualized)),
              ("gross_of_fees", .optional(value.grossOfFees)),
              ("modified_dietz", .optional(value.modifiedDietz)),
              ("reason", .optional(value.reason?.rawValue)),
            ] + restart)
        )
      })
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
