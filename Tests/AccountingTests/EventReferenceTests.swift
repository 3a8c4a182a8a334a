import TestSupport
import Testing

@testable import Accounting

/// Portfolios to which every corporate action happens, against a program that was written from
/// docs/calculations.md alone: `Fixtures/reference`.
@Suite("Corporate actions against the independent reference")
struct EventReferenceTests {
  private static let files = EventFiles()

  @Test("every number is the reference's, to the last digit", arguments: files.codes)
  func agrees(code: String) throws {
    let files = Self.files
    var world = try #require(files.worlds[code])
    var flows: [ID<Holding>: Money] = [:]
    for expected in files.snapshots[code] ?? [] {
      let date = try #require(expected["date"])
      let close = try world.close(date)
      for flow in close.flows {
        if let holding = flow.holding { flows[holding, default: .zero] += flow.amount }
      }
      for (name, number) in close.snapshot.named {
        #expect(number.description == expected[name], "\(code) \(date) \(name)")
      }
      let told = expected["daily_return"].flatMap { Double($0) }
      let difference = abs((close.snapshot.dailyReturn ?? .nan) - (told ?? .nan))
      #expect(close.snapshot.dailyReturn == nil && told == nil || difference < 1e-12)
      for row in files.holdings["\(code) \(date)"] ?? [] {
        let holding = world.holding(try #require(row["symbol"]))
        let place = "\(code) \(date) \(row["symbol"] ?? "")"
        #expect(flows[holding, default: .zero].description == row["flows"], "\(place) flows")
        guard let own = close.holdings.first(where: { $0.holding == holding }) else {
          #expect(row["quantity"] == "0" && row["daily_pnl"] == "0.0000", "\(place)")
          continue
        }
        #expect(own.quantity.text(minimumDecimals: 0) == row["quantity"], "\(place) quantity")
        for (name, number) in own.named {
          #expect(number.description == row[name], "\(place) \(name)")
        }
      }
    }
  }

  @Test("every date of them can be explained, and each line redone")
  func explained() throws {
    for code in Self.files.codes.prefix(24) {
      guard let world = Self.files.worlds[code] else { continue }
      try world.expectExplained(on: (Self.files.snapshots[code] ?? []).compactMap { $0["date"] })
    }
  }

  @Test("reopened from what is stored, with lots rebuilt from the log, each date is the same")
  func reopened() throws {
    for code in Self.files.codes {
      guard let world = Self.files.worlds[code] else { continue }
      var (segment, opening) = (world, BookOpening?.none)
      for date in (Self.files.snapshots[code] ?? []).compactMap({ $0["date"] }) {
        let expected = try segment.close(date)
        var book = PortfolioBook(
          portfolio: world.portfolio, instruments: world.instruments, opening: opening)
        let due = world.activities.filter { $0.bookingDate <= .iso(date) }
        for holding in book.holdingsNeedingLots(
          for: due, market: world.market, through: .iso(date))
        {
          let kin = book.lineage(of: holding, market: world.market)
          try book.restoreLots(
            of: holding, from: due.filter { $0.holding.map(kin.contains) ?? false },
            market: world.market)
        }
        let close = try book.close(
          on: .iso(date), activities: due, statements: [], market: world.market,
          businessDays: { BookWorld.weekdays(after: $0, through: $1) })
        #expect(close.snapshot == expected.snapshot, "\(code) \(date)")
        #expect(close.holdings.map(\.attribution) == expected.holdings.map(\.attribution))
        #expect(close.receivables == expected.receivables && close.flows == expected.flows)
        opening = BookOpening(after: close)
      }
    }
  }

  @Test("the flows of a whole history are those of the closes, and one gap ends where all end")
  func retold() throws {
    for code in Self.files.codes {
      guard let world = Self.files.worlds[code] else { continue }
      let dates = (Self.files.snapshots[code] ?? []).compactMap { $0["date"] }
      guard let last = dates.last else { continue }
      var (nightly, once) = (world, world)
      let closes = try dates.map { try nightly.close($0) }
      let flows = closes.flatMap(\.flows)
      for holding in world.instruments.keys {
        let whole = try PortfolioBook.flows(
          of: holding, portfolio: world.portfolio, instruments: world.instruments,
          history: world.activities, market: world.market, through: .iso(last))
        let told = flows.filter { $0.holding == holding }
        #expect(whole.sorted() == told.sorted(), "\(code) \(holding)")
      }
      let whole = try once.close(last)
      let every = try #require(closes.last)
      #expect(whole.snapshot.closingEquity == every.snapshot.closingEquity, "\(code)")
      #expect(whole.snapshot.cumulativePnL == every.snapshot.cumulativePnL, "\(code)")
      #expect(whole.receivables == every.receivables, "\(code)")
      let income = closes.reduce(Money.zero) { $0 + $1.snapshot.attribution.income }
      #expect(whole.snapshot.attribution.income == income, "\(code)")
      // What passes between holdings nets to zero, and what a life made is what came out of it.
      let total = closes.reduce(Money.zero) { $0 + $1.snapshot.dailyPnL }
      let external = flows.filter { $0.holding == nil }.reduce(Money.zero) { $0 + $1.amount }
      #expect(total == every.snapshot.closingEquity + external, "\(code)")
      for (holding, instrument) in world.instruments {
        let profit = closes.flatMap(\.holdings).filter { $0.holding == holding }
          .reduce(Money.zero) { $0 + $1.dailyPnL }
        let value = every.holdings.first { $0.holding == holding }?.marketValue ?? .zero
        let own = flows.filter { $0.holding == holding }.reduce(Money.zero) { $0 + $1.amount }
        #expect(profit == value + own, "\(code) \(instrument.symbol)")
      }
    }
  }
}

extension FlowEvent {
  fileprivate static func < (left: FlowEvent, right: FlowEvent) -> Bool {
    (left.day, left.amount) < (right.day, right.amount)
  }
}

extension [FlowEvent] {
  fileprivate func sorted() -> [FlowEvent] { sorted { $0 < $1 } }
}

extension BookWorld {
  /// Explains each date of a chain, and works every line out again.
  fileprivate func expectExplained(on dates: [String]) throws {
    var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    for date in dates {
      let explanation = try book.explain(
        on: .iso(date), activities: activities, statements: [], market: market,
        businessDays: { $1 - $0 })
      for formula in explanation.formulas {
        let objection = Calculator.objection(
          to: formula.expression.text, result: formula.result,
          rounding: formula.rounding.rawValue)
        #expect(
          objection == nil,
          "\(portfolio.code) \(date) \(formula.name): \(formula.expression.text) \(formula.result)")
      }
      let close = try book.close(
        on: .iso(date), activities: activities, statements: [], market: market,
        businessDays: { $1 - $0 })
      #expect(explanation.close == close, "\(portfolio.code) \(date)")
    }
  }
}

extension Snapshot {
  fileprivate var named: [(String, Money)] {
    [
      ("opening_equity", openingEquity), ("inflow", inflow), ("outflow", outflow),
      ("daily_pnl", dailyPnL), ("unrealized_pnl", unrealizedPnL),
      ("closing_equity", closingEquity), ("cash", cash), ("receivables", receivables),
      ("long_value", longValue), ("short_value", shortValue), ("cumulative_pnl", cumulativePnL),
    ] + attribution.named
  }
}

extension HoldingSnapshot {
  fileprivate var named: [(String, Money)] {
    [
      ("local_value", localValue), ("market_value", marketValue), ("local_cost", localCost),
      ("cost_basis", costBasis), ("unrealized", unrealized), ("unrealized_fx", unrealizedFX),
      ("daily_pnl", dailyPnL),
    ] + attribution.named
  }
}

extension Attribution {
  fileprivate var named: [(String, Money)] {
    [
      ("realized_pnl", realized), ("unrealized_change", unrealizedChange), ("income", income),
      ("fees", fees), ("taxes", taxes), ("fx_pnl", fx),
    ]
  }
}
