import Accounting
import Close
import Foundation
import Postgres
import Storage
import TestSupport
import Testing

/// The closed books against an implementation that shares nothing with ours: the expected files
/// were written by `Fixtures/reference/close.py`, in decimal arithmetic, from the CSV files alone.
@Suite struct ReferenceTests {
  struct Series: Sendable, CustomTestStringConvertible {
    var name: String
    var dates: [String]
    var usesCatchUp = false

    var testDescription: String { name }
  }

  static let series = [
    Series(name: "demo", dates: ["2017-06-29", "2017-06-30"]),
    Series(name: "gap", dates: ["2016-12-30", "2017-06-30"]),
    Series(name: "ex-date", dates: ["2017-08-09", "2017-08-10"]),
    Series(name: "carried", dates: ["2017-11-07", "2017-11-08"]),
    // A portfolio that begins on 06-30 is closed then; the rest is caught up in one run.
    Series(
      name: "catch-up", dates: ["2017-06-29", "2017-06-30", "2017-07-07"], usesCatchUp: true),
  ]

  @Test("every number of every portfolio equals the reference to the last digit", arguments: series)
  func equalsReference(_ series: Series) async throws {
    let books = try await DemoBooks.fresh()
    for date in series.dates {
      let report = try await books.close(
        date, DemoBooks.settings { $0.catchesUp = series.usesCatchUp })
      #expect(report.counts.failed == 0, "\(report.failures)")
    }
    var seen = 0
    for expected in try CSVTable.read("expected/\(series.name)-snapshots.csv") {
      let code = expected["portfolio"] ?? ""
      let shown = try #require(try await books.shown(code, expected["date"] ?? ""), "\(expected)")
      compare(shown, expected)
      seen += 1
    }
    let stored = try await books.integer(
      "select count(*) from closebell.portfolio_snapshots where is_complete")
    #expect(seen == Int(stored))
    try await compareHoldings(series, books)
  }

  private func compareHoldings(_ series: Series, _ books: DemoBooks) async throws {
    let expected = Dictionary(
      grouping: try CSVTable.read("expected/\(series.name)-holdings.csv")
    ) { [$0["portfolio"] ?? "", $0["date"] ?? ""] }
    for (key, rows) in expected {
      let shown = try #require(try await books.shown(key[0], key[1]))
      let ours = Dictionary(
        uniqueKeysWithValues: shown.holdings.map { ($0.instrument.symbol, $0) })
      // The reference also lists holdings that were exited on an earlier date; we have no row
      // of them any more.
      let open = rows.filter { ours[$0["symbol"] ?? ""] != nil || !Self.isExited($0) }
      #expect(ours.count == open.count, "\(key): \(ours.keys.sorted())")
      for row in open {
        let holding = try #require(ours[row["symbol"] ?? ""], "\(row)")
        compare(holding, shown.convention, row)
      }
    }
  }

  private static func isExited(_ row: [String: String]) -> Bool {
    ["quantity", "market_value", "cost_basis", "daily_pnl"].allSatisfy {
      Double(row[$0] ?? "") == 0
    }
  }

  private func compare(_ shown: ShownSnapshot, _ expected: [String: String]) {
    let snapshot = shown.stored.snapshot
    let attribution = snapshot.attribution
    let amounts: [(String, Money)] = [
      ("opening_equity", snapshot.openingEquity), ("inflow", snapshot.inflow),
      ("outflow", snapshot.outflow), ("net_external_flow", snapshot.netExternalFlow),
      ("daily_pnl", snapshot.dailyPnL), ("realized_pnl", attribution.realized),
      ("unrealized_change", attribution.unrealizedChange), ("income", attribution.income),
      ("fees", attribution.fees), ("taxes", attribution.taxes), ("fx_pnl", attribution.fx),
      ("unrealized_pnl", snapshot.unrealizedPnL), ("closing_equity", snapshot.closingEquity),
      ("cash", snapshot.cash), ("long_value", snapshot.longValue),
      ("short_value", snapshot.shortValue), ("cumulative_pnl", snapshot.cumulativePnL),
    ]
    let name = "\(shown.portfolio.code) \(snapshot.date)"
    for (column, amount) in amounts {
      #expect(amount.description == expected[column], "\(name) \(column)")
    }
    let counts = [
      ("priced", snapshot.pricedCount), ("carried", snapshot.carriedCount),
      ("missing", snapshot.missingCount), ("max_carried_days", snapshot.maxCarriedDays),
    ]
    for (column, count) in counts {
      #expect(String(count) == expected[column], "\(name) \(column)")
    }
    #expect(snapshot.isDegraded == (expected["degraded"] == "true"), "\(name)")
    #expect(snapshot.openedFrom?.description ?? "" == expected["opened_from"], "\(name)")
    #expect(snapshot.indexSince.description == expected["index_since"], "\(name)")
    expectNear(snapshot.dailyReturn, expected["daily_return"], 1e-14, "\(name) daily_return")
    expectNear(snapshot.index, expected["index"], 1e-13, "\(name) index")
    compare(shown.result, shown.convention, expected, name)
  }

  private func compare(
    _ holding: ShownSnapshot.HoldingRow, _ convention: IRRConvention?,
    _ expected: [String: String]
  ) {
    let row = holding.row
    let name = "\(expected["portfolio"] ?? "") \(row.date) \(holding.instrument.symbol)"
    let amounts: [(String, Money)] = [
      ("market_value", row.marketValue), ("cost_basis", row.costBasis),
      ("daily_pnl", row.dailyPnL), ("local_value", row.localValue),
      ("local_cost", row.localCost), ("unrealized", row.unrealized),
    ]
    for (column, amount) in amounts {
      #expect(amount.description == expected[column], "\(name) \(column)")
    }
    #expect(row.quantity.text(minimumDecimals: 0) == expected["quantity"], "\(name) quantity")
    #expect(row.price?.text(minimumDecimals: 0) ?? "" == expected["price"], "\(name) price")
    if !row.quantity.isZero || !row.marketValue.isZero {
      #expect(row.priceDate?.description ?? "" == expected["price_date"], "\(name) price_date")
    }
    compare(holding.result, convention, expected, name)
  }

  private func compare(
    _ result: IRRResult?, _ convention: IRRConvention?, _ expected: [String: String],
    _ name: String
  ) {
    #expect(result?.status.rawValue == expected["irr_status"], "\(name) irr_status")
    // By months the reference tells a month's growth, we a year's.
    let growth = expected["irr_log_growth"].flatMap { Double($0) }
      .map { convention == .monthlyNominal ? $0 * 12 : $0 }
    expectNear(
      result?.logGrowth, growth.map { "\($0)" } ?? "", 2e-11, "\(name) irr_log_growth")
    expectNear(result?.rate, expected["irr"], 1e-10, "\(name) irr")
  }

  /// Near relative to a magnitude of at least one; both missing is equal.
  private func expectNear(
    _ value: Double?, _ text: String?, _ tolerance: Double, _ name: String
  ) {
    let expected = text.flatMap { Double($0) }
    guard let value, let expected else {
      #expect(value == nil && expected == nil, "\(name): \(value as Any) vs \(text ?? "")")
      return
    }
    #expect(
      abs(value - expected) <= tolerance * max(1, abs(expected)),
      "\(name): \(value) vs \(expected)")
  }
}

/// A CSV file without quoted cells, as dictionaries by header.
enum CSVTable {
  static func read(_ name: String) throws -> [[String: String]] {
    let text = try String(contentsOfFile: Fixtures.path(name), encoding: .utf8)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    let header = lines.removeFirst().split(separator: ",", omittingEmptySubsequences: false)
    return lines.map { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      return Dictionary(uniqueKeysWithValues: zip(header.map(String.init), cells.map(String.init)))
    }
  }
}
