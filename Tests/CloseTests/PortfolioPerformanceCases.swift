import Accounting

/// Scenarios of Portfolio Performance: its own tests' transactions, prices and results.
enum PortfolioPerformanceCases {
  static let year = "annualised over the reporting period, which is a year or less"
  static let cost = "their cost has the buy's fee and tax in it; ours has neither"

  static func interestWithoutAssets(_ item: PublishedCase) async throws -> Findings {
    var books = CaseBooks(base: "EUR", inception: "2012-01-01")
    for trade in item.trades { books.log(trade.date, "interest", amount: trade.amount) }
    let closed = try await books.closed(on: (1...9).map { "2012-01-0\($0)" })
    var found = Findings()
    found.compare("twr", try await closed.period(.sinceInception)?.linked, in: "`since_inception`")
    found.compare(
      "warnings",
      try await closed.number("count(*)", where: "s.daily_pnl <> 0 and s.daily_return is null"),
      in: "closes with P&L and without a return")
    return found
  }

  /// Trades whose amounts are totals, by both reliefs.
  static func relief(_ item: PublishedCase) async throws -> Findings {
    var found = Findings()
    for relief in ["fifo", "average"] {
      var books = CaseBooks(base: "EUR", inception: "2010-01-01", relief: relief)
      books.hold("S", in: "EUR")
      for close in item.prices["S"] ?? [] { books.price("S", close.date, close.close) }
      for trade in item.trades {
        books.log(
          trade.date, trade.type.lowercased(), "S", quantity: trade.quantity,
          price: (trade.amount ?? 0) / trade.quantity)
      }
      let closed = try await books.closed(on: ["2010-03-01", "2013-03-01"])
      found.compare(
        "realized_\(relief)", try await closed.sum("realized_pnl"),
        in: "Σ `realized_pnl`, \(relief)")
      found.compare(
        "unrealized_\(relief)", try await closed.at("unrealized_pnl"),
        in: "`unrealized_pnl`, \(relief)")
      found.compare(
        "cost_\(relief)", try await closed.holdings("cost_basis"), in: "`cost_basis`, \(relief)")
      if relief == "fifo" {
        found.compare("quantity", try await closed.holdings("quantity"), in: "`quantity`")
      }
    }
    return found
  }

  /// What was gained on closed and on open lots, in base currency, and the currency's part.
  private struct CapitalGains {
    var realized: Double
    var realizedForex: Double
    var unrealized: Double
    var unrealizedForex: Double

    /// From books whose currency effects are all of holdings.
    init(_ closed: ClosedCase) async throws {
      let cost = try await closed.holdings("cost_basis") ?? .nan
      unrealized = (try await closed.holdings("valuation") ?? .nan) - cost
      unrealizedForex = unrealized - (try await closed.at("unrealized_pnl") ?? .nan)
      realizedForex = (try await closed.sum("fx_pnl") ?? .nan) - unrealizedForex
      realized = (try await closed.sum("realized_pnl") ?? .nan) + realizedForex
    }
  }

  /// Deliveries of a dollar share, as buys and a sale at the rates of their dates.
  static func foreignRelief(_ item: PublishedCase) async throws -> Findings {
    var found = Findings()
    for relief in ["fifo", "average"] {
      var books = CaseBooks(base: "EUR", inception: "2024-01-01", relief: relief)
      books.hold("S", in: "USD")
      for (trade, rate) in zip(item.trades, [0.9, 0.85, 0.88]) {
        books.rate("USD", "EUR", trade.date, rate)
        books.log(
          trade.date, trade.type == "DELIVERY_IN" ? "buy" : "sell", "S",
          quantity: trade.quantity, price: trade.price)
      }
      // The source values by its last known rate, and by the next known close.
      books.rate("USD", "EUR", "2024-12-31", 1 / item.rates[0].rate)
      for close in item.prices["S"] ?? [] { books.price("S", "2024-12-31", close.close) }
      let closed = try await books.closed(on: ["2024-01-01", "2024-03-01", "2024-12-31"])
      let gains = try await CapitalGains(closed)
      let place = "realized and unrealized with their currency parts, \(relief)"
      found.compare("realized_\(relief)", gains.realized, in: place)
      guard relief == "average" else { continue }
      found.compare("realized_average_forex", gains.realizedForex, in: place)
      found.compare("unrealized_average", gains.unrealized, in: place)
      found.compare("unrealized_average_forex", gains.unrealizedForex, in: place)
    }
    return found
  }

  static func dollarAccount(_ item: PublishedCase) async throws -> Findings {
    var books = CaseBooks(base: "EUR", inception: "2015-01-01", cash: "per_currency")
    for rate in item.rates { books.rate("EUR", "USD", rate.date, rate.rate) }
    for trade in item.trades {
      books.log(trade.date, trade.type.lowercased(), amount: trade.amount, currency: "USD")
    }
    let closed = try await books.closed(on: ["2015-01-01", "2015-01-02", "2015-01-15"])
    var found = Findings()
    found.compareCents(
      "begin_value", try await closed.at("closing_equity", "2015-01-02"), in: "`closing_equity`")
    found.compareCents("end_value", try await closed.at("closing_equity"), in: "`closing_equity`")
    return found
  }

  /// Gains since the period's start: the holding comes in kind on that day.
  static func forexGains(_ item: PublishedCase) async throws -> Findings {
    let begin = "2015-01-05"
    var books = CaseBooks(base: "EUR", inception: begin)
    books.hold("S", in: "USD")
    for rate in item.rates { books.rate("EUR", "USD", rate.date, rate.rate) }
    for close in item.prices["S"] ?? [] { books.price("S", close.date, close.close) }
    books.log(begin, "transfer_in", "S", quantity: 10, price: 100)
    // 500 euros at the rate of the date.
    books.log("2015-01-09", "sell", "S", quantity: 5, price: 500 * 1.1813 / 5)
    let closed = try await books.closed(on: [begin, "2015-01-09", "2016-01-01"])
    let gains = try await CapitalGains(closed)
    let place = "realized and unrealized with their currency parts, opened in kind"
    var found = Findings()
    found.compare("realized", gains.realized, in: place)
    found.compare("realized_forex", gains.realizedForex, in: place)
    found.compare("unrealized", gains.unrealized, in: place)
    found.compare("unrealized_forex", gains.unrealizedForex, in: place)
    return found
  }

  /// Shares bought in another currency than their own: they come in kind, the cash as it was left.
  static func currencySample(_ item: PublishedCase) async throws -> Findings {
    let (begin, end) = ("2015-01-02", "2015-01-14")
    var books = CaseBooks(base: "EUR", inception: "2015-01-01", cash: "per_currency")
    for rate in item.rates { books.rate("EUR", "USD", rate.date, rate.rate) }
    for (symbol, currency, quantity) in [("BASF", "EUR", 20.0), ("Apple", "USD", 10.0)] {
      books.hold(symbol, in: currency)
      for close in item.prices[symbol] ?? [] { books.price(symbol, close.date, close.close) }
      books.log("2015-01-01", "transfer_in", symbol, quantity: quantity)
      books.log("2015-01-01", "deposit", amount: 1_000, currency: currency)
    }
    let closed = try await books.closed(on: ["2015-01-01", begin, "2015-01-09", end])
    let value = try await closed.at("closing_equity", begin)
    var found = Findings()
    found.compareCents("begin_value", value, in: "`closing_equity`")
    found.compareCents("end_value", try await closed.at("closing_equity"), in: "`closing_equity`")
    found.compareCents(
      "absolute_pnl", try await closed.sum("daily_pnl", after: begin), in: "Σ `daily_pnl`")
    let flows = [
      DatedFlow(day: Day(year: 2015, month: 1, day: 2), amount: -4_131.99),
      DatedFlow(day: Day(year: 2015, month: 1, day: 14), amount: 4_187.94),
    ]
    found.compare(
      "irr", InternalRate.solve(flows, closingValue: nil, on: Day(number: 0)).rate,
      in: "the solver, with the source's cents")
    return found
  }

  static func accountTaxes(_ item: PublishedCase) async throws -> Findings {
    var books = CaseBooks(base: "EUR", inception: "2014-01-02")
    for trade in item.trades {
      let isRefund = trade.type == "TAX_REFUND"
      books.log(
        trade.date, trade.type == "DEPOSIT" ? "deposit" : "tax",
        amount: trade.amount.map { isRefund ? -$0 : $0 })
    }
    let closed = try await books.closed(on: [
      "2014-01-02", "2014-05-01", "2014-06-01", "2014-12-06",
    ])
    var found = Findings()
    found.compare("twr", try await closed.period(.sinceInception)?.linked, in: "`since_inception`")
    found.compare("end_value", try await closed.at("closing_equity"), in: "`closing_equity`")
    return found
  }
}
