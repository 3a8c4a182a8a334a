internal import Accounting
package import Close
internal import Storage
internal import Text

/// Rows of a series, as CSV or as JSON lines.
package struct SeriesWriter: Sendable {
  /// What can be written.
  package enum Series: String, CaseIterable, Sendable {
    case snapshots, holdings, irr
  }

  /// How it is written.
  package enum Format: String, CaseIterable, Sendable {
    case csv, json
  }

  private let series: Series
  private let format: Format

  package init(series: Series, format: Format) {
    self.series = series
    self.format = format
  }

  private var columns: [String] {
    switch series {
    case .snapshots:
      [
        "portfolio", "date", "opened_from", "degraded", "opening_equity", "net_external_flow",
        "daily_pnl", "realized_pnl", "unrealized_change", "unrealized_pnl", "income", "fees",
        "taxes", "fx_pnl", "prior_period_adjustment", "closing_equity", "cash", "long_value",
        "short_value", "daily_return", "return_index", "index_since", "cumulative_pnl",
        "receivables",
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
  package var header: String { format == .csv ? columns.joined(separator: ",") + "\n" : "" }

  /// Adds a date's lines.
  package func write(_ shown: ShownSnapshot, to text: inout String) {
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
      .exact(snapshot.receivables.description),
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
