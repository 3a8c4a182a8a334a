import Foundation

@testable import Accounting

/// Fixtures/events: what was imported, and what the independent reference makes of it.
struct EventFiles {
  typealias Row = [String: String]

  private(set) var worlds: [String: BookWorld] = [:]
  /// By portfolio, ascending by date.
  private(set) var snapshots: [String: [Row]] = [:]
  /// By portfolio and date.
  private(set) var holdings: [String: [Row]] = [:]
  var codes: [String] { snapshots.keys.sorted() }

  init() {
    let instruments = Self.rows("instruments.csv").enumerated().map { index, row in
      Instrument(
        id: ID(Int64(index + 1)), symbol: row["symbol"] ?? "", kind: .equity,
        currency: .iso(row["currency"] ?? ""))
    }
    let keys = Dictionary(uniqueKeysWithValues: instruments.map { ($0.symbol, $0) })
    let portfolios = Self.rows("portfolios.csv").enumerated().map { index, row in
      Portfolio(
        id: ID(Int64(index + 1)), code: row["code"] ?? "", baseCurrency: .iso("USD"),
        inception: .iso(row["inception_date"] ?? ""), calendar: "every_day",
        lotRelief: LotRelief(rawValue: row["lot_relief"] ?? "") ?? .fifo,
        cashMode: CashMode(rawValue: row["cash"] ?? "") ?? .base,
        dividendMode: DividendMode(rawValue: row["dividends"] ?? "") ?? .recorded)
    }
    let ids = Dictionary(uniqueKeysWithValues: portfolios.map { ($0.code, $0.id) })
    let market = Self.market(keys, ids)
    let log = Dictionary(grouping: Self.rows("activities.csv")) { $0["portfolio"] ?? "" }
    for portfolio in portfolios {
      let own = instruments.filter { $0.symbol.dropLast() == Self.market(of: portfolio) }
      var world = BookWorld(
        portfolio: portfolio,
        instruments: Dictionary(uniqueKeysWithValues: own.map { (ID($0.id.rawValue), $0) }))
      world.market = market
      for (index, row) in (log[portfolio.code] ?? []).enumerated() {
        world.activities.append(Self.activity(row, Int64(index + 1), keys))
      }
      worlds[portfolio.code] = world
    }
    snapshots = Dictionary(grouping: Self.rows("expected-snapshots.csv")) {
      $0["portfolio"] ?? ""
    }
    holdings = Dictionary(grouping: Self.rows("expected-holdings.csv")) {
      "\($0["portfolio"] ?? "") \($0["date"] ?? "")"
    }
  }

  /// `M3` of `M3P1`, whose shares are `M3A` to `M3E`.
  private static func market(of portfolio: Portfolio) -> Substring {
    portfolio.code.prefix { $0 != "P" }
  }

  private static func rows(_ name: String) -> [Row] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    guard
      let text = try? String(
        contentsOf: root.appendingPathComponent("Fixtures/events/\(name)"), encoding: .utf8)
    else { preconditionFailure("no Fixtures/events/\(name)") }
    let lines = text.split(separator: "\n")
    let names = lines[0].split(separator: ",", omittingEmptySubsequences: false)
    return lines.dropFirst().map { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      // What is empty is not there.
      return Row(
        zip(names, cells).filter { !$1.isEmpty }.map { (String($0), String($1)) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  private static func market(
    _ instruments: [String: Instrument], _ portfolios: [String: ID<Portfolio>]
  ) -> Market {
    var market = Market()
    for row in rows("prices.csv") {
      guard let instrument = instruments[row["symbol"] ?? ""] else { continue }
      market.closes[instrument.id, default: []].append(
        ClosingPrice(date: .iso(row["date"] ?? ""), price: .of(row["close"] ?? "")))
    }
    for row in rows("fx-rates.csv") {
      let pair = CurrencyPair(base: .iso(row["base"] ?? ""), quote: .iso(row["quote"] ?? ""))
      market.rates[pair, default: []].append(
        DatedRate(date: .iso(row["date"] ?? ""), rate: .of(row["rate"] ?? "")))
    }
    var actions: [ID<Instrument>: [CorporateAction]] = [:]
    for row in rows("corporate-actions.csv") {
      guard let instrument = instruments[row["symbol"] ?? ""],
        let action = action(row, of: instrument, instruments, portfolios)
      else { continue }
      actions[instrument.id, default: []].append(action)
    }
    market.actions = actions
    return market
  }

  private static func action(
    _ row: Row, of instrument: Instrument, _ instruments: [String: Instrument],
    _ portfolios: [String: ID<Portfolio>]
  ) -> CorporateAction? {
    guard let type = CorporateActionType(rawValue: row["type"] ?? "") else {
      preconditionFailure("\(row)")
    }
    var terms = CorporateActionTerms(type, exDate: .iso(row["ex_date"] ?? ""))
    terms.isCancelled = row["status"] == "cancelled"
    terms.portfolio = row["portfolio"].flatMap { portfolios[$0] }
    terms.value = row["value"].map { .of($0) }
    terms.currency = row["currency"].map { .iso($0) }
    terms.ratio = row["ratio"].map { .of($0) }
    terms.newInstrument = row["new_symbol"].flatMap { instruments[$0] }
    terms.cash = row["cash"].map { .of($0) }
    terms.costShare = row["cost_share"].map { .of($0) }
    terms.payDate = row["pay_date"].map { .iso($0) }
    terms.fractionPrice = row["fraction_price"].map { .of($0) }
    terms.cost = row["cost"].flatMap { CorporateActionTerms.Cost(rawValue: $0) }
    do {
      return try terms.action(of: instrument)
    } catch {
      preconditionFailure("\(row): \(error)")
    }
  }

  private static func activity(
    _ row: Row, _ key: Int64, _ instruments: [String: Instrument]
  ) -> Activity {
    guard let type = ActivityType(rawValue: row["type"] ?? "") else {
      preconditionFailure("\(row)")
    }
    return Activity(
      id: key, date: .iso(row["date"] ?? ""), type: type,
      holding: row["symbol"].flatMap { instruments[$0] }.map { ID($0.id.rawValue) },
      quantity: row["quantity"].map { .of($0) }, price: row["price"].map { .of($0) },
      amount: row["amount"].map { .of($0) }, fee: row["fee"].map { .of($0) } ?? .zero,
      currency: .iso(row["currency"] ?? ""), acquired: row["acquired"].map { .iso($0) },
      payDate: row["pay_date"].map { .iso($0) })
  }
}
