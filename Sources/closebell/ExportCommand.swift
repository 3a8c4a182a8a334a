import Accounting
import ArgumentParser
import Close
import Glibc
import Postgres
import Storage

/// Series for a spreadsheet or another program.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes closed dates as CSV or JSON lines to standard output.")

  /// What can be written.
  enum Series: String, ExpressibleByArgument, CaseIterable {
    case snapshots, holdings, irr
  }

  /// How it is written.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case csv, json
  }

  @OptionGroup var common: CommonOptions

  @Argument(help: "snapshots, holdings or irr.")
  var series: Series

  @Option(help: ArgumentHelp("The first date.", valueName: "date"))
  var from: Day?

  @Option(help: ArgumentHelp("The last date.", valueName: "date"))
  var to: Day?

  @Option(
    name: .customLong("portfolio"),
    help: ArgumentHelp("Only this portfolio; may be given several times.", valueName: "code"))
  var portfolios: [String] = []

  @Option(help: ArgumentHelp("csv or json (one object a line).", valueName: "format"))
  var format: Format = .csv

  func run() async throws {
    let connection = try await common.connect(for: "export", onlyReads: true)
    let writer = SeriesWriter(series: series, format: format)
    let (codes, first, last) = (portfolios, from ?? .earliest, to ?? .latest)
    try await connection.perform { db in
      writer.writeHeader()
      try Books.forEach(codes: codes, from: first, through: last, on: db) { snapshots in
        for snapshot in snapshots { writer.write(snapshot) }
      }
    }
    await connection.close()
  }
}

/// Rows of a series, as CSV or as JSON lines.
struct SeriesWriter: Sendable {
  let series: ExportCommand.Series
  let format: ExportCommand.Format

  private var columns: [String] {
    switch series {
    case .snapshots:
      [
        "portfolio", "date", "opened_from", "degraded", "opening_equity", "net_external_flow",
        "daily_pnl", "realized_pnl", "unrealized_change", "unrealized_pnl", "income", "fees",
        "taxes", "fx_pnl", "prior_period_adjustment", "closing_equity", "cash", "long_value",
        "short_value", "daily_return", "return_index", "index_since", "cumulative_pnl",
      ]
    case .holdings:
      [
        "portfolio", "date", "symbol", "quantity", "price", "price_date", "market_value",
        "cost_basis", "daily_pnl",
      ]
    case .irr: ["portfolio", "date", "symbol", "irr_result", "log_growth", "status", "convention"]
    }
  }

  func writeHeader() {
    if format == .csv { print(columns.joined(separator: ",")) }
  }

  func write(_ shown: ShownSnapshot) {
    switch series {
    case .snapshots: row(snapshot(shown))
    case .holdings: for holding in shown.holdings { row(cells(holding, of: shown)) }
    case .irr:
      row(irr(nil, shown.result, of: shown))
      for holding in shown.holdings {
        row(irr(holding.instrument.symbol, holding.result, of: shown))
      }
    }
  }

  private func snapshot(_ shown: ShownSnapshot) -> [String?] {
    let snapshot = shown.stored.snapshot
    let attribution = snapshot.attribution
    let amounts = [
      snapshot.openingEquity, snapshot.netExternalFlow, snapshot.dailyPnL, attribution.realized,
      attribution.unrealizedChange, snapshot.unrealizedPnL, attribution.income, attribution.fees,
      attribution.taxes, attribution.fx, attribution.priorPeriod, snapshot.closingEquity,
      snapshot.cash, snapshot.longValue, snapshot.shortValue,
    ]
    return [
      shown.portfolio.code, snapshot.date.description, snapshot.openedFrom?.description,
      snapshot.isDegraded ? "true" : "false",
    ] + amounts.map(\.description) + [
      snapshot.dailyReturn.map { "\($0)" }, "\(snapshot.index)",
      snapshot.indexSince.description, snapshot.cumulativePnL.description,
    ]
  }

  private func cells(
    _ holding: ShownSnapshot.HoldingRow, of shown: ShownSnapshot
  ) -> [String?] {
    let row = holding.row
    return [
      shown.portfolio.code, row.date.description, holding.instrument.symbol,
      row.quantity.text(minimumDecimals: 0), row.price?.text(minimumDecimals: 0),
      row.priceDate?.description, row.marketValue.description, row.costBasis.description,
      row.dailyPnL.description,
    ]
  }

  private func irr(_ symbol: String?, _ result: IRRResult?, of shown: ShownSnapshot) -> [String?] {
    [
      shown.portfolio.code, shown.stored.snapshot.date.description, symbol,
      result?.rate.map { "\($0)" }, result?.logGrowth.map { "\($0)" }, result?.status.rawValue,
      shown.convention?.rawValue,
    ]
  }

  private func row(_ cells: [String?]) {
    switch format {
    case .csv: print(cells.map { Self.quoted($0 ?? "") }.joined(separator: ","))
    case .json:
      print(JSON.object(Array(zip(columns, cells.map { JSON.optional($0) }))).text)
    }
  }

  /// Quoted where CSV asks for it.
  ///
  /// A text that a spreadsheet would run as a formula is defused; a number with its sign is not
  /// such a text.
  static func quoted(_ cell: String) -> String {
    let isFormula = cell.first.map { "=+-@\t\r".contains($0) } ?? false
    let safe = isFormula && Double(cell) == nil ? "'" + cell : cell
    guard safe.contains(where: { "\",\n\r".contains($0) }) else { return safe }
    return "\""
      + safe.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
