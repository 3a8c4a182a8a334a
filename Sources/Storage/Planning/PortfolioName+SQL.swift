internal import Accounting
internal import Postgres

extension PortfolioName {
  /// SQL for a portfolio's last date, where it was retired before a date; else null.
  static func retiredOn(of portfolio: String, on date: String) -> String {
    "case when \(portfolio).retired_on < \(date) then \(portfolio).retired_on end"
  }

  /// SQL for the three columns that `nextPortfolioName` reads.
  ///
  /// - Parameter date: The last of the dates at hand.
  static func columns(of portfolio: String, on date: String) -> String {
    "\(portfolio).code, \(portfolio).id, \(retiredOn(of: portfolio, on: date))"
  }

  /// SQL for the name as text, where no date is at hand: a portfolio is retired once it says so.
  static func text(of portfolio: String) -> String {
    """
    case when \(portfolio).retired_on is null then \(portfolio).code
      else \(portfolio).code || '#' || \(portfolio).id end
    """
  }
}

extension RowReader {
  /// The name of a portfolio, from `PortfolioName.columns`.
  mutating func nextPortfolioName() throws -> PortfolioName {
    PortfolioName(
      code: try nextString(), id: try nextID(), retiredOn: try nextDayOrNil())
  }
}
