import Accounting

/// Scenarios of hledger's `roi`: values stated on some dates, and flows between.
///
/// A year has 365.25 days there and the end value stands on the morning after: rates are compared
/// by our solver with that count of days. Its TWR links the IRR of windows between stated values.
enum HledgerCases {
  private static let year = "annualised over less than a year, or by 365.25 days"
  private static let window =
    "links the IRR of windows between stated values; ours links days, and carries a value between"

  /// A fund whose values are stated, with the scenario's flows.
  private static func fund(
    _ item: PublishedCase, inception: String, base: String = "USD"
  ) -> CaseBooks {
    var books = CaseBooks(base: base, inception: inception)
    books.hold("FUND", in: base, isValued: true)
    for flow in item.flows {
      books.log(
        flow.date, flow.amount > 0 ? "investment" : "withdrawal", "FUND",
        amount: abs(flow.amount))
    }
    for stated in item.valuations { books.state("FUND", stated.date, stated.value) }
    return books
  }

  private static func common(
    _ closed: ClosedCase, _ found: inout Findings, after date: String = "1900-01-01"
  ) async throws {
    found.compare("pnl", try await closed.sum("daily_pnl", after: date), in: "Σ `daily_pnl`")
    found.compare("end_value", try await closed.at("closing_equity"), in: "`closing_equity`")
    found.list("twr_annual", because: year)
  }

  private static func rate(
    _ key: String, _ found: inout Findings, _ flows: [(String, Double)]
  ) {
    found.compare(key, julianRate(flows), in: "the solver, growth × 365.25 / 365")
  }

  private static func investments(_ item: PublishedCase) -> [(String, Double)] {
    item.flows.map { ($0.date, -$0.amount) }
  }

  static func monthly(_ item: PublishedCase) async throws -> Findings {
    let closed = try await fund(item, inception: "2017-01-01")
      .closed(on: ["2017-01-01"] + item.valuations.map(\.date))
    var found = Findings()
    try await common(closed, &found)
    found.compare("twr", try await closed.period(.sinceInception)?.linked, in: "`since_inception`")
    rate("irr", &found, investments(item) + [("2018-01-01", 112)])
    return found
  }

  /// Two deposits, one stated value at the end.
  static func twoDeposits(_ item: PublishedCase) async throws -> Findings {
    let closed = try await fund(item, inception: "2017-01-01")
      .closed(on: ["2017-01-01", "2017-05-31", "2017-06-01", "2017-12-31"])
    var found = Findings()
    try await common(closed, &found)
    found.list("twr", because: window)
    rate("irr", &found, investments(item) + [("2018-01-01", item.valuations[0].value)])
    return found
  }

  static func quarters(_ item: PublishedCase) async throws -> Findings {
    let closed = try await fund(item, inception: "2017-01-01").closed(on: [
      "2017-01-01", "2017-06-30", "2017-07-01", "2017-09-30", "2017-10-01", "2017-12-31",
    ])
    var found = Findings()
    try await common(closed, &found)
    found.compare(
      "net_flow", try await closed.sum("net_external_flow"), in: "Σ `net_external_flow`")
    found.list("twr", because: window)
    rate("irr", &found, investments(item) + [("2018-01-01", 155)])
    return found
  }

  static func lastQuarter(_ item: PublishedCase) async throws -> Findings {
    var books = fund(item, inception: "2017-09-29")
    books.log("2017-09-29", "investment", "FUND", amount: 210)
    let (begin, end) = ("2017-09-30", "2017-12-31")
    let closed = try await books.closed(on: ["2017-09-29", begin, "2017-10-01", end])
    var found = Findings()
    try await common(closed, &found, after: begin)
    found.compare(
      "begin_value", try await closed.at("closing_equity", begin), in: "`closing_equity`")
    found.compare(
      "net_flow", try await closed.sum("net_external_flow", after: begin),
      in: "Σ `net_external_flow`")
    found.compare("twr", try await closed.period(.quarterToDate)?.linked, in: "`quarter_to_date`")
    rate("irr", &found, [("2017-10-01", -210), ("2017-10-01", 50), ("2018-01-01", 155)])
    return found
  }

  static func oneDay(_ item: PublishedCase) async throws -> Findings {
    let closed = try await fund(item, inception: "2019-11-01")
      .closed(on: ["2019-11-01", "2019-11-02", "2019-11-30"])
    var found = Findings()
    try await common(closed, &found)
    found.compare(
      "net_flow", try await closed.sum("net_external_flow"), in: "Σ `net_external_flow`")
    found.compare(
      "twr", try await closed.period(.sinceInception, "2019-11-02")?.linked,
      in: "`since_inception`, on the day that all is taken out")
    rate("irr", &found, investments(item))
    return found
  }

  static func foreignFund(_ item: PublishedCase) async throws -> Findings {
    var books = CaseBooks(base: "USD", inception: "2020-12-02")
    // The source does not name the currency.
    books.hold("FUND", in: "RUB", isValued: true)
    for rate in item.rates { books.rate("USD", "RUB", rate.date, rate.rate) }
    let (bought, stated) = (item.trades[0], item.trades[1])
    books.log(
      bought.date, "investment", "FUND", amount: bought.amount, currency: "RUB")
    books.state("FUND", stated.date, stated.amount ?? 0)
    let closed = try await books.closed(on: [bought.date, stated.date])
    var found = Findings()
    try await common(closed, &found)
    found.compare(
      "net_flow", try await closed.sum("net_external_flow"), in: "Σ `net_external_flow`")
    found.compare("twr", try await closed.period(.sinceInception)?.linked, in: "`since_inception`")
    let value = try await closed.at("closing_equity") ?? 0
    rate("irr", &found, investments(item) + [("2021-01-03", value)])
    return found
  }

  static func priceOnly(_ item: PublishedCase) async throws -> Findings {
    let symbol = "IE00B4L5Y983"
    let (begin, middle, end) = ("2018-12-31", "2019-06-30", "2019-12-31")
    var books = CaseBooks(base: "EUR", inception: begin)
    books.hold(symbol, in: "EUR")
    for close in item.prices[symbol] ?? [] { books.price(symbol, close.date, close.close) }
    books.log(begin, "transfer_in", symbol, quantity: 1, price: 43.11)
    books.log("2019-07-01", "deposit", amount: item.flows[0].amount)
    books.log("2019-07-01", "buy", symbol, quantity: 10, price: item.trades[1].price)
    let closed = try await books.closed(on: [begin, "2019-06-28", middle, "2019-07-01", end])
    var found = Findings()
    try await common(closed, &found, after: begin)
    found.compare(
      "begin_value", try await closed.at("closing_equity", begin), in: "`closing_equity`")
    found.list("twr", because: window)
    found.compare(
      "h1_twr", try await closed.period(.yearToDate, middle)?.linked, in: "`year_to_date`")
    found.compare("h2_twr", try await closed.linked(middle, end), in: "the indices")
    rate("irr", &found, [("2019-01-01", -43.11), ("2019-07-01", -509.3), ("2020-01-01", 622.49)])
    rate("h1_irr", &found, [("2019-01-01", -43.11), ("2019-07-01", 50.93)])
    rate("h2_irr", &found, [("2019-07-01", -50.93 - 509.3), ("2020-01-01", 622.49)])
    return found
  }

  static func months(_ item: PublishedCase) async throws -> Findings {
    let (november, december) = ("2024-11-30", "2024-12-31")
    var books = CaseBooks(base: "CHF", inception: "2024-11-07")
    for (symbol, series) in item.prices {
      books.hold(symbol, in: "CHF")
      for close in series { books.price(symbol, close.date, close.close) }
    }
    for (trade, flow) in zip(item.trades, item.flows) {
      books.log(flow.date, "deposit", amount: flow.amount)
      books.log(
        trade.date, "buy", trade.symbol ?? "", quantity: trade.quantity,
        price: trade.price ?? (trade.amount ?? 0) / trade.quantity)
    }
    let closed = try await books.closed(on: [
      "2024-11-07", "2024-11-25", "2024-11-26", november, december,
    ])
    var found = Findings()
    found.compareCents("pnl", try await closed.sum("daily_pnl"), in: "Σ `daily_pnl`")
    found.compareCents("end_value", try await closed.at("closing_equity"), in: "`closing_equity`")
    found.compareCents(
      "nov_pnl", try await closed.at("cumulative_pnl", november), in: "`cumulative_pnl`")
    found.compareCents(
      "dec_pnl", try await closed.sum("daily_pnl", after: november), in: "Σ `daily_pnl`")
    found.compare("dec_twr", try await closed.period(.monthToDate)?.linked, in: "`month_to_date`")
    found.list("twr", "nov_twr", because: window)
    found.list("twr_annual", because: year)
    rate("irr", &found, investments(item) + [("2025-01-01", 20_041.97)])
    rate("dec_irr", &found, [("2024-12-01", -20_006), ("2025-01-01", 20_041.97)])
    return found
  }
}
