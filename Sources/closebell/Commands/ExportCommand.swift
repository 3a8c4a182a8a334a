import Accounting
import ArgumentParser
import Close
import Glibc
import Postgres
import Presentation
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

  func validate() throws {
    if let from, let to, to < from {
      throw ValidationError("--to \(to) lies before --from \(from)")
    }
  }

  func run() async throws {
    let connection = try await common.connect(for: "export", onlyReads: true)
    let writer = SeriesWriter(series: series, format: format)
    let (codes, first, last) = (portfolios, from ?? .earliest, to ?? .latest)
    try await connection.perform { db in
      StandardOutput.data(writer.header)
      try db.forEachClosed(codes: codes, from: first, through: last) { snapshots in
        var text = ""
        for snapshot in snapshots { writer.write(snapshot, to: &text) }
        StandardOutput.data(text)
        try StandardOutput.requireWritten()
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

  /// The names of the columns, where the format has a line for them.
  var header: String { format == .csv ? columns.joined(separator: ",") + "\n" : "" }

  /// Adds a date's lines.
  func write(_ shown: ShownSnapshot, to text: inout String) {
    switch series {
    case .snapshots: line(snapshot(shown), to: &text)
    case .holdings: for holding in shown.holdings { line(cells(holding, of: shown), to: &text) }
    case .irr:
      line(irr(nil, shown.result, of: shown), to: &text)
      for holding in shown.holdings {
        line(irr(holding.instrument.symbol, holding.result, of: shown), to: &text)
      }
    }
  }

  private func snapshot(_ shown: ShownSnapshot) -> [Cell] {
    let snapshot = shown.stored.snapshot
    let attribution = snapshot.attribution
    let amounts = [
      snapshot.openingEquity, snapshot.netExternalFlow, snapshot.dailyPnL, attribution.realized,
      attribution.unrealizedChange, snapshot.unrealizedPnL, attribution.income, attribution.fees,
      attribution.taxes, attribution.fx, attribution.priorPeriod, snapshot.closingEquity,
      snapshot.cash, snapshot.longValue, snapshot.shortValue,
    ]
    return [
      .text(shown.portfolio.name.description), .exact(snapshot.date.description),
      .optionalExact(snapshot.openedFrom?.description), .bool(snapshot.isDegraded),
    ] + amounts.map { .exact($0.description) } + [
      .optional(snapshot.dailyReturn), .number(snapshot.index),
      .exact(snapshot.indexSince.description), .exact(snapshot.cumulativePnL.description),
    ]
  }

  private func cells(
    _ holding: ShownSnapshot.HoldingRow, of shown: ShownSnapshot
  ) -> [Cell] {
    let row = holding.row
    return [
      .text(shown.portfolio.name.description), .exact(row.date.description),
      .text(holding.instrument.symbol), .exact(row.quantity.text(minimumDecimals: 0)),
      .optionalExact(row.price?.text(minimumDecimals: 0)),
      .optionalExact(row.priceDate?.description), .exact(row.marketValue.description),
      .exact(row.costBasis.description), .exact(row.dailyPnL.description),
    ]
  }

  private func irr(_ symbol: String?, _ result: IRRResult?, of shown: ShownSnapshot) -> [Cell] {
    [
      .text(shown.portfolio.name.description), .exact(shown.stored.snapshot.date.description),
      .optional(symbol), .optional(result?.rate), .optional(result?.logGrowth),
      .optional(result?.status.rawValue), .optional(shown.convention?.rawValue),
    ]
  }

  private func line(_ cells: [Cell], to text: inout String) {
    switch format {
    case .csv:
      for (index, cell) in cells.enumerated() {
        if index > 0 { text += "," }
        text += cell.csv
      }
    case .json: text += JSON.object(Array(zip(columns, cells.map(\.json)))).text
    }
    text += "\n"
  }
}
