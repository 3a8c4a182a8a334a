internal import Accounting
package import Operations
internal import Text

/// A closed date as a person reads it.
package struct SnapshotText {
  private let shown: SnapshotResult

  package init(_ shown: SnapshotResult) { self.shown = shown }

  package var lines: [String] {
    [[heading], summary.lines, ReturnsText(shown.returns).lines, holdings].paragraphs
  }

  private var heading: String {
    var text = "\(shown.portfolio) on \(shown.date)"
    text += shown.baseCurrency.map { ", in \($0)" } ?? ""
    text += shown.openedFrom.map { ", opened from \($0)" } ?? ", its first close"
    if shown.isDegraded { text += " · degraded" }
    if shown.isStale { text += " · stale: inputs changed since" }
    return text
  }

  private var summary: TextTable {
    var table = TextTable([("", .left), ("amount", .right)])
    func add(_ name: String, _ amount: Money) {
      table.add([name, Readable.money(amount.units)])
    }
    add("opening equity", shown.openingEquity)
    add("net external flow", shown.netExternalFlow)
    add("daily P&L", shown.dailyPnL)
    add("  realized", shown.realizedPnL)
    add("  unrealized change", shown.unrealizedChange)
    add("  income", shown.income)
    add("  fees", -shown.fees)
    add("  taxes", -shown.taxes)
    add("  currency", shown.fxPnL)
    if !shown.priorPeriodAdjustment.isZero { add("  prior period", shown.priorPeriodAdjustment) }
    add("closing equity", shown.closingEquity)
    add("  cash", shown.cash)
    add("  long", shown.longValue)
    add("  short", shown.shortValue)
    if !shown.receivables.isZero { add("  receivables", shown.receivables) }
    table.add(["daily return", dailyReturn])
    if let index = shown.index { table.add(["index", "\(index)"]) }
    table.add(["  counts since", shown.indexSince.description])
    table.add(["IRR", Readable.rate(shown.irr)])
    return table
  }

  /// The return, or why there is none.
  private var dailyReturn: String {
    if shown.dailyReturn != nil { return Readable.percent(shown.dailyReturn) }
    return shown.openedFrom == nil ? "none: first close" : "none: no equity to earn it on"
  }

  private var holdings: [String] {
    guard !shown.holdings.isEmpty else { return [] }
    var table = TextTable([
      ("holding", .left), ("quantity", .right), ("price", .right), ("dated", .left),
      ("market value", .right), ("cost", .right), ("daily P&L", .right), ("IRR", .right),
    ])
    for holding in shown.holdings {
      table.add([
        holding.symbol, holding.isValued ? "–" : holding.quantity.text(minimumDecimals: 0),
        holding.price.map { $0.text(minimumDecimals: 2) } ?? "–",
        holding.priceDate.map { $0 == shown.date ? "" : $0.description } ?? "",
        Readable.money(holding.marketValue.units), Readable.money(holding.costBasis.units),
        Readable.money(holding.dailyPnL.units), Readable.rate(holding.irr),
      ])
    }
    return table.lines
  }
}

extension Readable {
  /// A money-weighted return, or why there is none.
  package static func rate(_ irr: IRRFigure) -> String {
    guard let status = irr.status else { return "–" }
    return irr.value.map { percent($0) } ?? status
  }
}
