package import Accounting
package import Import

/// The money-weighted return of a series of flows that no book is kept of.
package struct SeriesRate: Codable, Sendable {
  /// nil where the file names none.
  package var series: String?
  /// A fraction a year; nil unless there is one.
  package var rate: Double?
  package var logGrowth: Double?
  package var status: String
  /// How many rates balance the flows.
  package var roots: Int
  package var convention: String
  package var periodReturn: Double?
  package var firstDate: Day
  package var lastDate: Day
  package var flows: Int

  private enum CodingKeys: String, CodingKey {
    case series, rate
    case logGrowth = "log_growth"
    case status, roots, convention
    case periodReturn = "period_return"
    case firstDate = "first_date"
    case lastDate = "last_date"
    case flows
  }
}

/// The rates of a file's series, in their order; each is made when it is asked for.
package struct SeriesRates: Sendable {
  private let file: FlowFile
  private let results: [IRRResult]
  private let convention: IRRConvention

  /// Solves them.
  package init(_ file: FlowFile, _ convention: IRRConvention) {
    self.file = file
    self.convention = convention
    results = InternalRate.solve(
      many: file.days, amounts: file.amounts, offsets: file.offsets, on: .earliest,
      convention: convention)
  }

  /// How many series there are.
  package var count: Int { results.count }

  /// Whether the file names them.
  package var hasNames: Bool { file.hasNames }

  /// One of them.
  package subscript(series: Int) -> SeriesRate {
    let days = file.days[file.offsets[series]..<file.offsets[series + 1]]
    let result = results[series]
    return SeriesRate(
      series: file.hasNames ? file.names[series] : nil, rate: result.rate,
      logGrowth: result.logGrowth, status: result.status.rawValue, roots: result.roots,
      convention: convention.rawValue, periodReturn: result.periodReturn,
      firstDate: Day(number: days.min() ?? 0), lastDate: Day(number: days.max() ?? 0),
      flows: days.count)
  }
}
