import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

/// Explanations of the demo's closed dates: every line redone, every sum the stored one.
@Suite struct ExplainTests {
  @Test(
    "every calculation of every portfolio can be redone, and the sums are the expected ones",
    arguments: [
      ("demo", ["2017-06-29", "2017-06-30"]), ("gap", ["2016-12-30", "2017-06-30"]),
      ("ex-date", ["2017-08-09", "2017-08-10"]), ("carried", ["2017-11-07", "2017-11-08"]),
    ])
  func explainsTheDemo(series: String, dates: [String]) async throws {
    let books = try await DemoBooks.fresh()
    for date in dates {
      _ = try await books.close(date, DemoBooks.settings { $0.catchesUp = false })
    }
    var calculations = 0
    for expected in try CSVTable.read("expected/\(series)-snapshots.csv") {
      let (code, date) = (expected["portfolio"] ?? "", expected["date"] ?? "")
      let slot = try #require(try await books.explained(code, date), "\(code) \(date)")
      let name = "\(code) \(date)"
      #expect(slot.differences == [], "\(name)")
      #expect(slot.unseenChanges.isEmpty, "\(name)")
      #expect(slot.explanation.close.snapshot == slot.shown.stored.snapshot, "\(name)")
      for formula in slot.explanation.formulas {
        let objection = Calculator.objection(
          to: formula.expression.text, result: formula.result,
          rounding: formula.rounding.rawValue)
        #expect(objection == nil, "\(name), \(formula.name)")
      }
      calculations += slot.explanation.formulas.count
      compareSums(slot.explanation, expected, name)
      checkReturns(slot, expected, name)
    }
    #expect(calculations > 1_000)
  }

  private func compareSums(
    _ explanation: Explanation, _ expected: [String: String], _ name: String
  ) {
    let results = Dictionary(
      (explanation.cash + explanation.sums + explanation.returns).map { ($0.name, $0.result) },
      uniquingKeysWith: { first, _ in first })
    for (word, column) in [
      ("cash", "cash"), ("long value", "long_value"), ("short value", "short_value"),
      ("realized", "realized_pnl"), ("unrealized change", "unrealized_change"),
      ("income", "income"), ("fees", "fees"), ("taxes", "taxes"), ("currency", "fx_pnl"),
      ("flow in", "inflow"), ("flow out", "outflow"), ("daily P&L", "daily_pnl"),
      ("unrealized P&L", "unrealized_pnl"), ("closing equity", "closing_equity"),
      ("cumulative P&L", "cumulative_pnl"),
    ] {
      #expect(results[word] ?? "0.0000" == expected[column], "\(name), \(word)")
    }
  }

  /// The flows listed are those that the stored rate was solved from: they balance at it.
  private func checkReturns(
    _ slot: SlotExplanation, _ expected: [String: String], _ name: String
  ) {
    #expect(slot.portfolioIRR?.result.status.rawValue == expected["irr_status"], "\(name)")
    for result in [slot.portfolioIRR] + slot.holdingIRRs.values.map({ $0 }) {
      guard let result, let value = result.presentValue else { continue }
      // The growth is rounded to 1e-11; over a few years that moves no more than this.
      #expect(abs(value.net) <= 1e-9 * value.gross, "\(name)")
    }
  }

  @Test("an explanation writes nothing, and gives the same again")
  func writesNothing() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    _ = try await books.close("2017-06-30")
    let before = try await books.tables()
    let first = try #require(try await books.explained("MERIDIAN", "2017-06-30"))
    let second = try #require(try await books.explained("MERIDIAN", "2017-06-30"))
    #expect(first.explanation.formulas == second.explanation.formulas)
    #expect(try await books.tables() == before)
  }

  @Test("a corrected close is named, with the numbers that it makes different")
  func corrected() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-29")
    _ = try await books.close("2017-06-30")
    try await books.execute(
      """
      update closebell.prices p set close = close + 1 from closebell.instruments i
        where i.id = p.instrument_id and i.symbol = 'AAPL' and p.price_date = '2017-06-30';
      insert into closebell.input_changes (from_date, instrument_ids)
        select '2017-06-30', array[i.id] from closebell.instruments i where i.symbol = 'AAPL';
      """)
    let slot = try #require(try await books.explained("MERIDIAN", "2017-06-30"))
    #expect(slot.shown.stored.isStale)
    #expect(slot.unseenChanges.map(\.symbols) == [["AAPL"]])
    #expect(slot.unseenChanges.first?.from == Day("2017-06-30"))
    let price = try #require(
      slot.differences.first { $0.place == .holding(symbol: "AAPL") && $0.column == "price" })
    #expect(price.stored == "144.02" && price.recomputed == "145.02")
    #expect(slot.differences.contains { $0.column == "closing_equity" })
    // Who holds none of it is not concerned.
    let other = try #require(try await books.explained("THAMES", "2017-06-30"))
    #expect(other.differences == [] && other.unseenChanges.isEmpty)
  }

  @Test("what is not closed is told with its state, or with the closed dates next to it")
  func notClosed() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-28")
    _ = try await books.close("2017-06-30", DemoBooks.settings { $0.catchesUp = false })
    let missing = try await books.perform { db in
      try db.readBooks { try $0.explain("MERIDIAN", on: Day(year: 2017, month: 6, day: 29)) }
    }
    guard case .missing(let before, let after) = missing else {
      Issue.record("\(missing)")
      return
    }
    #expect(before == Day("2017-06-28") && after == Day("2017-06-30"))
    await #expect(throws: UnknownPortfolios.self) {
      try await books.perform { db in try db.readBooks { try $0.explain("NOBODY", on: .latest) } }
    }
  }
}

extension DemoBooks {
  func explained(_ code: String, _ date: String) async throws -> SlotExplanation? {
    let day = Day(date) ?? .earliest
    let explained = try await perform { db in try db.readBooks { try $0.explain(code, on: day) } }
    if case .closed(let slot) = explained { return slot }
    return nil
  }
}
