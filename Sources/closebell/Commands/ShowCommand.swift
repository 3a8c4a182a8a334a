import Accounting
import ArgumentParser
import Close
import Postgres
import Presentation
import Storage

/// One portfolio's closed date.
struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows a portfolio's closed date: equity, P&L, returns, holdings, IRR.")

  @OptionGroup var common: CommonOptions

  @Argument(help: "The portfolio's code.")
  var code: String

  @Option(help: ArgumentHelp("The business date.", valueName: "date"))
  var date: Day

  func run() async throws {
    let connection = try await common.connect(for: "show", onlyReads: true)
    let (code, date) = (code, date)
    let shown = try await connection.perform { db in
      try db.readBooks { books in try books.show(code, on: date) }
    }
    await connection.close()
    switch shown {
    case .closed(let snapshot):
      if common.json {
        StandardOutput.json(SnapshotJSON(snapshot).value)
      } else if !common.quiet {
        StandardOutput.line(SnapshotText(snapshot).text)
      }
    case .open(let state, let error):
      throw Failure(
        """
        portfolio \(code) is not closed on \(date): the slot is \(state)
        \(error.map { "detail: \($0)\n" } ?? "")hint: closebell run --date \(date) \
        --portfolio \(code)
        """, code: 1)
    case .missing(let last):
      let known = last.map { "its last closed date is \($0)" } ?? "none of its dates is closed"
      let isBehind = last.map { $0 > date } ?? false
      let command =
        isBehind ? "replay --from \(date) --to \(date)" : "run --date \(date)"
      throw Failure(
        """
        portfolio \(code) has no snapshot of \(date): \(known)
        hint: if it is a business date: closebell \(command) --portfolio \(code)
        """, code: 1)
    }
  }
}

/// A snapshot as a reader sees it.
struct SnapshotText {
  let shown: ShownSnapshot

  init(_ shown: ShownSnapshot) { self.shown = shown }

  var text: String {
    [heading, summary.text, ShownReturns(returns: shown.returns).text, holdings]
      .filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private var snapshot: Snapshot { shown.stored.snapshot }

  private var heading: String {
    var text =
      "\(shown.portfolio.name) on \(snapshot.date), in \(shown.portfolio.baseCurrency)"
    text += snapshot.openedFrom.map { ", opened from \($0)" } ?? ", its first close"
    if snapshot.isDegraded { text += " · degraded" }
    if shown.stored.isStale { text += " · stale: inputs changed since" }
    return text
  }

  private var summary: TextTable {
    var table = TextTable([("", .left), ("amount", .right)])
    func add(_ name: String, _ amount: Money) {
      table.add([name, Readable.money(amount.units)])
    }
    add("opening equity", snapshot.openingEquity)
    add("net external flow", snapshot.netExternalFlow)
    add("daily P&L", snapshot.dailyPnL)
    add("  realized", snapshot.attribution.realized)
    add("  unrealized change", snapshot.attribution.unrealizedChange)
    add("  income", snapshot.attribution.income)
    add("  fees", -snapshot.attribution.fees)
    add("  taxes", -snapshot.attribution.taxes)
    add("  currency", snapshot.attribution.fx)
    if !snapshot.attribution.priorPeriod.isZero {
      add("  prior period", snapshot.attribution.priorPeriod)
    }
    add("closing equity", snapshot.closingEquity)
    add("  cash", snapshot.cash)
    add("  long", snapshot.longValue)
    add("  short", snapshot.shortValue)
    table.add(["daily return", dailyReturn])
    table.add(["index", "\(snapshot.index)"])
    table.add(["  counts since", snapshot.indexSince.description])
    table.add(["IRR", Readable.result(shown.result)])
    return table
  }

  /// The return, or why there is none.
  private var dailyReturn: String {
    if snapshot.dailyReturn != nil { return Readable.percent(snapshot.dailyReturn) }
    return snapshot.openedFrom == nil ? "none: first close" : "none: no equity to earn it on"
  }

  private var holdings: String {
    guard !shown.holdings.isEmpty else { return "" }
    var table = TextTable([
      ("holding", .left), ("quantity", .right), ("price", .right), ("dated", .left),
      ("market value", .right), ("cost", .right), ("daily P&L", .right), ("IRR", .right),
    ])
    for holding in shown.holdings {
      let row = holding.row
      table.add([
        holding.instrument.symbol,
        holding.instrument.pricing == .valued ? "–" : row.quantity.text(minimumDecimals: 0),
        row.price.map { $0.text(minimumDecimals: 2) } ?? "–",
        row.priceDate.map { $0 == row.date ? "" : $0.description } ?? "",
        Readable.money(row.marketValue.units), Readable.money(row.costBasis.units),
        Readable.money(row.dailyPnL.units), Readable.result(holding.result),
      ])
    }
    return table.text
  }
}

extension Readable {
  /// A money-weighted return, or why there is none.
  static func result(_ result: IRRResult?) -> String {
    guard let result else { return "–" }
    guard let rate = result.rate else { return result.status.rawValue }
    return percent(rate)
  }
}

/// A snapshot as a program reads it.
struct SnapshotJSON {
  let shown: ShownSnapshot

  init(_ shown: ShownSnapshot) { self.shown = shown }

  var value: JSON { .object(identity + amounts + returns + details) }

  private var snapshot: Snapshot { shown.stored.snapshot }

  private func money(_ amount: Money) -> JSON { .string(amount.description) }

  private var identity: [(String, JSON)] {
    [
      ("portfolio", .string(shown.portfolio.name.description)),
      ("date", .string(snapshot.date.description)),
      ("state", .string("complete")),
      ("degraded", .bool(snapshot.isDegraded)),
      ("stale", .bool(shown.stored.isStale)),
    ]
  }

  private var amounts: [(String, JSON)] {
    [
      ("opening_equity", money(snapshot.openingEquity)),
      ("opened_from", .optional(snapshot.openedFrom?.description)),
      ("net_external_flow", money(snapshot.netExternalFlow)),
      ("daily_pnl", money(snapshot.dailyPnL)),
      ("realized_pnl", money(snapshot.attribution.realized)),
      ("unrealized_change", money(snapshot.attribution.unrealizedChange)),
      ("unrealized_pnl", money(snapshot.unrealizedPnL)),
      ("income", money(snapshot.attribution.income)),
      ("fees", money(snapshot.attribution.fees)),
      ("taxes", money(snapshot.attribution.taxes)),
      ("fx_pnl", money(snapshot.attribution.fx)),
      ("prior_period_adjustment", money(snapshot.attribution.priorPeriod)),
      ("closing_equity", money(snapshot.closingEquity)),
      ("cash", money(snapshot.cash)),
      ("long_value", money(snapshot.longValue)),
      ("short_value", money(snapshot.shortValue)),
      ("gross_exposure", money(snapshot.grossExposure)),
      ("net_exposure", money(snapshot.netExposure)),
    ]
  }

  private var returns: [(String, JSON)] {
    [
      ("daily_return", .optional(snapshot.dailyReturn)),
      ("cumulative_return", .optional(shown.cumulativeReturn)),
      ("index_since", .string(snapshot.indexSince.description)),
      ("cumulative_pnl", money(snapshot.cumulativePnL)),
      ("returns", ShownReturns(returns: shown.returns).json),
      ("irr", irr(shown.result)),
    ]
  }

  private var details: [(String, JSON)] {
    [
      (
        "quality",
        .object([
          ("priced", .integer(snapshot.pricedCount)),
          ("carried", .integer(snapshot.carriedCount)),
          ("missing", .integer(snapshot.missingCount)),
          ("max_carried_days", .integer(snapshot.maxCarriedDays)),
          (
            "carried_days_allowed",
            shown.stored.keptPolicy.map { .integer($0.maxCarriedBusinessDays) } ?? .null
          ),
        ])
      ),
      ("holdings", .array(shown.holdings.map(holding))),
      ("run_id", shown.stored.run.map { .integer(Int($0)) } ?? .null),
      ("revision", .integer(Int(shown.stored.revision))),
    ]
  }

  private func irr(_ result: IRRResult?) -> JSON {
    .object([
      ("value", .optional(result?.rate)), ("log_growth", .optional(result?.logGrowth)),
      ("status", .optional(result?.status.rawValue)),
      ("convention", .optional(shown.convention?.rawValue)),
    ])
  }

  private func holding(_ holding: ShownSnapshot.HoldingRow) -> JSON {
    .object([
      ("symbol", .string(holding.instrument.symbol)),
      ("quantity", .string(holding.row.quantity.text(minimumDecimals: 0))),
      ("price", .optional(holding.row.price.map { $0.text(minimumDecimals: 0) })),
      ("price_date", .optional(holding.row.priceDate?.description)),
      ("market_value", money(holding.row.marketValue)),
      ("cost_basis", money(holding.row.costBasis)),
      ("daily_pnl", money(holding.row.dailyPnL)),
      ("irr", irr(holding.result)),
    ])
  }
}
