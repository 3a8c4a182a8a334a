import Accounting
import Close

/// Longer scenarios of Portfolio Performance, each a small portfolio's year or month.
enum PortfolioPerformanceBooks {
  /// Opened on 2015-01-02 with what was there: its parts are measured from that day.
  ///
  /// A delivery is a purchase or sale there: the deposit or withdrawal of what it is worth here.
  static func clientSnapshot(_ item: PublishedCase) async throws -> Findings {
    let begin = "2015-01-02"
    var books = CaseBooks(base: "EUR", inception: begin, cash: "per_currency")
    for rate in item.rates { books.rate("EUR", "USD", rate.date, rate.rate) }
    for (name, symbol, currency) in [
      ("BASF SE NA O.N.", "BASF", "EUR"), ("APPLE INC.", "AAPL", "USD"),
    ] {
      books.hold(symbol, in: currency)
      for close in item.prices[name] ?? [] { books.price(symbol, close.date, close.close) }
      books.log(begin, "transfer_in", symbol, quantity: 10)
    }
    // 1000 + 4 − 705.70 + 44.44 + 100, and 1000 − 282.35 + 200.
    books.log(begin, "deposit", amount: 442.74)
    books.log(begin, "deposit", amount: 917.65, currency: "USD")
    logClient(&books)
    let dates = (2...14).map { "2015-01-\($0 < 10 ? "0" : "")\($0)" }
    let closed = try await books.closed(on: dates)
    var found = Findings()
    found.compareCents(
      "begin_value", try await closed.at("closing_equity", begin), in: "`closing_equity`")
    found.compareCents("end_value", try await closed.at("closing_equity"), in: "`closing_equity`")
    // The source rounds each flow by itself: 787.4991 would be a cent more.
    found.compare(
      "net_flow",
      try await closed.number(
        "sum(round(s.inflow, 2) - round(s.outflow, 2))", where: "s.snapshot_date > '\(begin)'"),
      in: "Σ (`inflow` − `outflow`), each to cents")
    let earnings = try await closed.sum("income", after: begin) ?? .nan
    let fees = try await closed.sum("fees", after: begin) ?? .nan
    let taxes = try await closed.sum("taxes", after: begin) ?? .nan
    found.compareCents("earnings", earnings, in: "Σ `income`")
    found.compareCents("fees", fees, in: "Σ `fees`")
    found.compareCents("taxes", taxes, in: "Σ `taxes`")
    let gains =
      try await closed.number(
        """
        select sum(daily_pnl - coalesce(income, 0) + coalesce(fees, 0) + coalesce(taxes, 0))
        from closebell.portfolio_fund_valuations
        """, where: "s.snapshot_date = '\(begin)'") ?? .nan
    let open =
      (try await closed.holdings("valuation") ?? .nan)
      - (try await closed.holdings("cost_basis") ?? .nan)
    found.compareCents("unrealized", open, in: "`valuation` − `cost_basis`")
    found.compareCents("realized", gains - open, in: "holdings' P&L less that, income and costs")
    let profit = try await closed.sum("daily_pnl", after: begin) ?? .nan
    found.compareCents(
      "currency_gains", profit - gains - earnings + fees + taxes,
      in: "Σ `daily_pnl` less all the others")
    return found
  }

  private static func logClient(_ books: inout CaseBooks) {
    books.log("2015-01-04", "tax", amount: 123)
    books.log("2015-01-05", "tax", amount: -23)
    books.log("2015-01-06", "buy", "BASF", quantity: 1, price: 66.69, fee: 1)
    books.log("2015-01-06", "tax", "BASF", amount: 1)
    books.log("2015-01-07", "deposit", amount: 206.94)
    books.log("2015-01-07", "buy", "BASF", quantity: 3, price: 67.13, fee: 2.22)
    books.log("2015-01-07", "tax", "BASF", amount: 3.33)
    books.log("2015-01-09", "interest", amount: -7)
    books.log("2015-01-10", "interest", amount: 10)
    books.log("2015-01-10", "tax", amount: 1)
    books.log("2015-01-10", "withdrawal", amount: 200, currency: "USD")
    books.log("2015-01-10", "deposit", amount: 300, currency: "USD")
    books.log("2015-01-11", "fee", amount: 9.99)
    books.log("2015-01-12", "fee", amount: -7.12)
    books.log("2015-01-13", "dividend", "BASF", amount: 13.2, fee: 2)
    books.log("2015-01-13", "tax", "BASF", amount: 1)
    books.log("2015-01-13", "sell", "AAPL", quantity: 5, price: 27.556, fee: 10)
    books.log("2015-01-13", "tax", "AAPL", amount: 7)
    books.log("2015-01-14", "interest", amount: 12.34)
    books.log("2015-01-14", "tax", amount: 2.34)
    books.log("2015-01-14", "deposit", amount: 200)
    books.log("2015-01-14", "deposit", amount: 400, currency: "USD")
    books.log("2015-01-14", "sell", "AAPL", quantity: 2, price: 27.45, fee: 1.11)
    books.log("2015-01-14", "tax", "AAPL", amount: 2.22)
    books.log("2015-01-14", "withdrawal", amount: 51.57, currency: "USD")
  }

  /// A share with fees and taxes of its own; its IRR and TTWROR there leave the taxes out.
  static func feesAndTaxes(_ item: PublishedCase) async throws -> Findings {
    let begin = "2017-01-02"
    let dates = [begin, "2017-01-06", "2017-01-09", "2017-01-10", "2017-01-11", "2017-01-31"]
    func books(withTaxes: Bool) -> CaseBooks {
      var books = CaseBooks(base: "EUR", inception: begin)
      books.hold("ADS", in: "EUR")
      for close in item.prices["Adidas AG"] ?? [] { books.price("ADS", close.date, close.close) }
      books.log(begin, "buy", "ADS", quantity: 10, price: 151.3, fee: 10)
      books.log("2017-01-09", "fee", "ADS", amount: 10)
      books.log("2017-01-10", "fee", "ADS", amount: -5)
      guard withTaxes else { return books }
      books.log(begin, "tax", "ADS", amount: 10)
      books.log("2017-01-11", "tax", "ADS", amount: 25)
      books.log("2017-01-12", "tax", "ADS", amount: -5)
      return books
    }
    let taxed = try await books(withTaxes: true).closed(on: dates)
    // What the share costs is a flow to the share alone.
    var alone = books(withTaxes: false)
    alone.log(begin, "deposit", amount: 1_523)
    alone.log("2017-01-09", "deposit", amount: 10)
    alone.log("2017-01-10", "withdrawal", amount: 5)
    let share = try await alone.closed(on: dates)
    var found = Findings()
    found.compare("fees", try await taxed.sum("fees"), in: "Σ `fees`")
    found.compare("taxes", try await taxed.sum("taxes"), in: "Σ `taxes`")
    found.compare("delta", try await taxed.at("cumulative_pnl"), in: "`cumulative_pnl`")
    found.compare("market_value", try await taxed.at("long_value"), in: "`long_value`")
    found.compare("unrealized", try await taxed.at("unrealized_pnl"), in: "`unrealized_pnl`")
    found.list("cost_fifo", because: PortfolioPerformanceCases.cost)
    found.compare(
      "irr", try await share.shown()?.holdings.first?.result?.rate,
      in: "the holding's IRR, taxes left out")
    found.compare(
      "twr", try await share.period(.sinceInception)?.linked,
      in: "`since_inception` of the share alone, taxes left out")
    found.list("twr_annual", because: PortfolioPerformanceCases.year)
    return found
  }

  /// The move between two accounts of one client is none of the client's book.
  static func transferBetweenAccounts(_ item: PublishedCase) async throws -> Findings {
    let (begin, end) = ("2012-01-02", "2015-11-20")
    var books = CaseBooks(base: "EUR", inception: begin, relief: "fifo")
    books.hold("ADS", in: "EUR")
    for close in item.prices["Adidas AG"] ?? [] { books.price("ADS", close.date, close.close) }
    books.price("ADS", end, 88.09)
    books.log(begin, "deposit", amount: 2_397.6)
    books.log(begin, "buy", "ADS", quantity: 47, price: 50.8, fee: 10)
    let closed = try await books.closed(on: [begin, "2015-11-13", end])
    var found = Findings()
    found.compare("quantity", try await closed.holdings("quantity"), in: "`quantity`")
    found.compare("market_value", try await closed.at("long_value"), in: "`long_value`")
    found.compare("unrealized", try await closed.at("unrealized_pnl"), in: "`unrealized_pnl`")
    found.compare("delta", try await closed.at("cumulative_pnl"), in: "`cumulative_pnl`")
    found.compare("fees", try await closed.sum("fees"), in: "Σ `fees`")
    found.compare(
      "irr", try await closed.shown()?.holdings.first?.result?.rate, in: "the holding's IRR")
    found.compare("twr", try await closed.period(.sinceInception)?.linked, in: "`since_inception`")
    found.list("cost_fifo", because: PortfolioPerformanceCases.cost)
    found.list(
      "twr_annual",
      because: "annualised over the five years of the report; ours over the days held")
    return found
  }

  /// The receiving portfolio: the share enters at its value of the day.
  static func receivedInKind(_ item: PublishedCase) async throws -> Findings {
    let (begin, end) = ("2016-12-31", "2017-01-01")
    var books = CaseBooks(base: "EUR", inception: begin, relief: "fifo")
    books.hold("BASF", in: "EUR")
    for close in item.prices["BASF SE"] ?? [] { books.price("BASF", close.date, close.close) }
    books.log(begin, "transfer_in", "BASF", quantity: 10)
    let closed = try await books.closed(on: [begin, end])
    let gain = try await closed.at("unrealized_pnl")
    let cost = try await closed.holdings("cost_basis")
    var found = Findings()
    found.compare("market_value", try await closed.at("long_value"), in: "`long_value`")
    found.compare("cost_fifo", cost, in: "`cost_basis`")
    found.compare("unrealized", gain, in: "`unrealized_pnl`")
    found.compare(
      "unrealized_pct", gain.flatMap { gain in cost.map { gain / $0 } },
      in: "`unrealized_pnl` / `cost_basis`")
    found.compare("twr", try await closed.period(.sinceInception)?.linked, in: "`since_inception`")
    found.list("twr_annual", because: PortfolioPerformanceCases.year)
    return found
  }
}
