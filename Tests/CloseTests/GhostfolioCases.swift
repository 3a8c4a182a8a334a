import Accounting

/// Scenarios of ghostfolio: trades without deposits, return on the average investment.
enum GhostfolioCases {
  private static let roai = "a return on the time-weighted investment; ours are on equity"

  /// The scenario's trades, paid from a deposit of what is invested.
  private static func books(
    _ item: PublishedCase, base: String, inception: String, deposit: Double?, hasFees: Bool = true
  ) -> CaseBooks {
    var books = CaseBooks(base: base, inception: inception)
    for (symbol, series) in item.prices {
      books.hold(symbol, in: base)
      for close in series { books.price(symbol, close.date, close.close) }
    }
    if let deposit { books.log(inception, "deposit", amount: deposit) }
    for trade in item.trades {
      books.log(
        trade.date, trade.type.lowercased(), trade.symbol ?? "", quantity: trade.quantity,
        price: trade.price, fee: hasFees ? trade.fees : 0)
    }
    return books
  }

  static func roundTrip(_ item: PublishedCase) async throws -> Findings {
    let dates = ["2021-11-22", "2021-11-30", "2021-12-18"]
    let paid = try await books(item, base: "CHF", inception: dates[0], deposit: 285.8)
      .closed(on: dates)
    let free = try await books(
      item, base: "CHF", inception: dates[0], deposit: 285.8, hasFees: false
    ).closed(on: dates)
    var found = Findings()
    found.compare("market_value", try await paid.at("long_value"), in: "`long_value`")
    found.compare("quantity", try await paid.holdings("quantity") ?? 0, in: "`quantity`")
    found.compare("invested", try await paid.holdings("cost_basis") ?? 0, in: "`cost_basis`")
    found.compare("fees", try await paid.sum("fees"), in: "Σ `fees`")
    found.compare("net_pnl", try await paid.at("cumulative_pnl"), in: "`cumulative_pnl`")
    found.compare(
      "gross_pnl", try await free.at("cumulative_pnl"), in: "`cumulative_pnl` without the fees")
    found.compare(
      "net_return", try await paid.period(.sinceInception)?.linked,
      in: "`since_inception`, the investment deposited")
    found.compare(
      "gross_return", try await free.period(.sinceInception)?.linked,
      in: "`since_inception` without the fees, the investment deposited")
    found.compare("realized", try await paid.sum("realized_pnl"), in: "Σ `realized_pnl`")
    found.compare("unrealized", try await paid.at("unrealized_pnl"), in: "`unrealized_pnl`")
    found.list("time_weighted_investment", because: "the base of \(roai)")
    return found
  }

  static func bitcoin(_ item: PublishedCase) async throws -> Findings {
    let dates = ["2021-12-11", "2021-12-12", "2022-01-14"]
    let paid = try await books(item, base: "USD", inception: dates[0], deposit: 44_558.42)
      .closed(on: dates)
    let free = try await books(
      item, base: "USD", inception: dates[0], deposit: 44_558.42, hasFees: false
    ).closed(on: dates)
    let (begin, bought) = (dates[0], dates[1])
    var found = Findings()
    found.compare("market_value", try await paid.at("long_value"), in: "`long_value`")
    found.compare("invested", try await paid.holdings("cost_basis"), in: "`cost_basis`")
    found.compare("net_pnl", try await paid.at("cumulative_pnl"), in: "`cumulative_pnl`")
    found.compare(
      "gross_pnl", try await free.at("cumulative_pnl"), in: "`cumulative_pnl` without the fees")
    found.compare(
      "net_return", try await paid.period(.sinceInception)?.linked,
      in: "`since_inception`, the investment deposited")
    found.compare(
      "gross_return", try await free.period(.sinceInception)?.linked,
      in: "`since_inception` without the fees, the investment deposited")
    found.compare(
      "net_pnl_on_2021_12_11", try await paid.at("daily_pnl", begin), in: "`daily_pnl`")
    found.compare(
      "net_pnl_on_2021_12_12", try await paid.at("daily_pnl", bought), in: "`daily_pnl`")
    found.compare(
      "net_return_on_2021_12_12", try await paid.period(.daily, bought)?.linked, in: "`daily`")
    found.compare(
      "market_value_on_2021_12_12", try await paid.at("long_value", bought), in: "`long_value`")
    return found
  }

  static func short(_ item: PublishedCase) async throws -> Findings {
    let paid = try await books(item, base: "USD", inception: "2021-12-12", deposit: nil)
      .closed(on: ["2021-12-12", "2021-12-13", "2022-01-14"])
    let quantity = try await paid.holdings("quantity")
    let cost = try await paid.holdings("cost_basis")
    var found = Findings()
    found.compare("quantity", quantity, in: "`quantity`")
    found.compare(
      "average_price", cost.flatMap { cost in quantity.map { cost / $0 } },
      in: "`cost_basis` / `quantity`")
    return found
  }

  static func twoRoundTrips(_ item: PublishedCase) async throws -> Findings {
    let dates = ["2025-12-11", "2025-12-18", "2025-12-28"]
    let paid = try await books(item, base: "USD", inception: dates[0], deposit: nil)
      .closed(on: dates)
    var invested: [Double] = []
    for date in dates { invested.append(try await paid.holdings("cost_basis", date) ?? 0) }
    let net = try await paid.at("cumulative_pnl")
    let fees = try await paid.sum("fees")
    var found = Findings()
    found.compare("market_value", try await paid.at("long_value"), in: "`long_value`")
    found.compare("quantity", try await paid.holdings("quantity") ?? 0, in: "`quantity`")
    found.compare("net_pnl", net, in: "`cumulative_pnl`")
    found.compare(
      "gross_pnl", net.flatMap { net in fees.map { net + $0 } }, in: "`cumulative_pnl` + Σ `fees`")
    found.compare("fees", fees, in: "Σ `fees`")
    found.compare("realized", try await paid.sum("realized_pnl"), in: "Σ `realized_pnl`")
    found.compare("unrealized", try await paid.at("unrealized_pnl"), in: "`unrealized_pnl`")
    found.compare("invested_by_date", all: invested, in: "`cost_basis`")
    return found
  }
}
