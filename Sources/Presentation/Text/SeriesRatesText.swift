internal import Accounting
package import Operations
internal import Text

/// The rates of many series as a table: a row a series; whether the column of names is there
/// depends on the file.
package struct SeriesRatesText {
  private let rates: SeriesRates

  package init(_ rates: SeriesRates) { self.rates = rates }

  package var lines: [String] {
    var table = TextTable(
      (rates.hasNames ? [("series", .left)] : []) + [
        ("annual rate", .right), ("whole period", .right), ("from", .left), ("to", .left),
        ("flows", .right), ("status", .left),
      ])
    for series in 0..<rates.count {
      let rate = rates[series]
      let status =
        rate.status == IRRStatus.severalRoots.rawValue
        ? "\(rate.status) (\(rate.roots))" : rate.status
      table.add(
        (rate.series.map { [$0] } ?? []) + [
          Self.percent(rate.rate), Self.percent(rate.periodReturn), rate.firstDate.description,
          rate.lastDate.description, String(rate.flows), status,
        ])
    }
    return table.lines
  }

  /// A fraction as per cent with four decimal places: what a spreadsheet is compared with.
  package static func percent(_ fraction: Double?) -> String {
    guard let fraction else { return "–" }
    let units = (fraction * 1e6).rounded()
    guard abs(units) < 1e15 else { return "\(fraction * 100)%" }
    let magnitude = Int(abs(units))
    let decimals = String(magnitude % 10_000)
    let zeros = String(repeating: "0", count: 4 - decimals.count)
    return "\(units < 0 ? "-" : "")\(magnitude / 10_000).\(zeros)\(decimals)%"
  }
}
