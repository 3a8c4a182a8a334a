import Accounting

/// Worked examples of textbooks and exercises.
enum TextbookCases {
  /// A day that a textbook only numbers.
  private static func day(_ text: String) -> Day {
    Day(number: Int32(text.split(separator: " ").last.flatMap { Int($0) } ?? 0))
  }

  static func modifiedDietz(_ item: PublishedCase) throws -> Findings {
    let (begin, end) = (item.valuations[0], item.valuations[1])
    let change = ReturnMeasures.modifiedDietz(
      opening: try Money(decimal(begin.value, 4)), closing: try Money(decimal(end.value, 4)),
      from: day(begin.date), to: day(end.date),
      flows: try item.flows.map { (day($0.date), try Money(decimal($0.amount, 4))) })
    var found = Findings()
    found.compare("modified_dietz", change, in: "`ReturnMeasures.modifiedDietz`")
    return found
  }

  /// A portfolio of a hundred million whose closes had the published returns.
  static func linked(_ item: PublishedCase) throws -> Findings {
    let start = Day(year: 2003, month: 1, day: 31)
    var equity = Money(units: 1_000_000_000_000)
    var steps = [
      PerformanceStep(
        date: start, openedFrom: nil, openingEquity: .zero, closingEquity: equity,
        inflow: equity, outflow: .zero, dailyReturn: nil, indexSince: start)
    ]
    var parts: [Double] = []
    for (number, change) in (item.expected["sub_period_returns"] ?? []).enumerated() {
      let closing =
        equity + Money(units: Int128((Double(equity.units) * change).rounded()))
      steps.append(
        PerformanceStep(
          date: start + (number + 1) * 30, openedFrom: start + number * 30,
          openingEquity: equity, closingEquity: closing, inflow: .zero, outflow: .zero,
          dailyReturn: ReturnMeasures.dailyReturn(
            opening: equity, closing: closing, inflow: .zero, outflow: .zero),
          indexSince: start))
      equity = closing
      parts.append(PerformanceHistory(steps).over(.daily)?.linked ?? .nan)
    }
    var found = Findings()
    found.compare("sub_period_returns", all: parts, in: "`daily`, of closes that gained as much")
    found.compare(
      "twr", PerformanceHistory(steps).over(.sinceInception)?.linked, in: "`since_inception`")
    if item.expected["annualised_of_two_quarters_at_2pct"] != nil {
      found.list(
        "annualised_of_two_quarters_at_2pct",
        because: "half a year, which is not annualised")
    }
    return found
  }

  /// Alice adds 2 000 after a gain of 10 %, Bob takes 100 out; then 5 % more.
  static func aliceAndBob(_ item: PublishedCase) async throws -> Findings {
    func closed(_ flow: Double) async throws -> ClosedCase {
      var books = CaseBooks(base: "USD", inception: "2024-01-01")
      books.hold("INDEX", in: "USD")
      for (date, close) in [("2024-01-01", 100.0), ("2024-01-31", 110), ("2024-02-29", 115.5)] {
        books.price("INDEX", date, close)
      }
      books.log("2024-01-01", "deposit", amount: item.flows[0].amount)
      books.log("2024-01-01", "buy", "INDEX", quantity: 10, price: 100)
      let isIn = flow > 0
      books.log("2024-02-01", isIn ? "deposit" : "withdrawal", amount: abs(flow))
      books.log(
        "2024-02-01", isIn ? "buy" : "sell", "INDEX", quantity: abs(flow) / 110, price: 110)
      return try await books.closed(on: ["2024-01-01", "2024-01-31", "2024-02-01", "2024-02-29"])
    }
    let alice = try await closed(item.flows[1].amount)
    let bob = try await closed(-100)
    var found = Findings()
    found.compare("twr", try await alice.period(.sinceInception)?.linked, in: "`since_inception`")
    found.compare("alice_end", try await alice.at("closing_equity"), in: "`closing_equity`")
    found.compare("bob_end", try await bob.at("closing_equity"), in: "`closing_equity`")
    return found
  }

  /// A share bought twice: each year's price and dividend come on its last day, and the second
  /// share is bought the morning after.
  static func shareOverTwoYears(_ item: PublishedCase) async throws -> Findings {
    let dates = ["2021-01-01", "2021-12-31", "2022-01-01", "2022-12-31"]
    let prices = [100.0, 120, 120, 130]
    var books = CaseBooks(base: "USD", inception: dates[0])
    books.hold("S", in: "USD")
    for (date, price) in zip(dates, prices) { books.price("S", date, price) }
    for (date, price) in [(dates[0], 100.0), (dates[2], 120)] {
      books.log(date, "deposit", amount: price)
      books.log(date, "buy", "S", quantity: 1, price: price)
    }
    for (date, held) in [(dates[1], 1.0), (dates[3], 2)] {
      books.log(date, "dividend", "S", amount: 2 * held)
      books.log(date, "withdrawal", amount: 2 * held)
    }
    let closed = try await books.closed(on: dates)
    let flows = zip(item.flows, [0, 365, 730]).map { flow, days in
      DatedFlow(day: Day(number: Int32(days)), amount: -flow.amount)
    }
    var found = Findings()
    found.compare(
      "twr_annual", try await closed.period(.sinceInception)?.annualized,
      in: "`since_inception`, annualised")
    found.compare(
      "mwr", InternalRate.solve(flows, closingValue: nil, on: Day(number: 0)).rate, in: "the solver"
    )
    return found
  }
}
