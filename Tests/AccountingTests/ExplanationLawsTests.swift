import TestSupport
import Testing

@testable import Accounting

@Suite("Laws of the explanation, over seeded random portfolios")
struct ExplanationLawsTests {
  static let strides = 0..<4

  @Test("Every calculation can be redone, and together they make the close", arguments: strides)
  func explains(start: Int) throws {
    var calculations = 0
    for seed in stride(from: start, to: LedgerLawsTests.count / 16, by: Self.strides.count) {
      let ledger = RandomLedger(seed: UInt64(seed))
      var book = ledger.newBook()
      for date in ledger.closingDates {
        let explanation = try book.explain(
          on: date, activities: ledger.world.activities, statements: ledger.world.statements,
          market: ledger.world.market, businessDays: { BookWorld.weekdays(after: $0, through: $1) })
        let close = try ledger.close(&book, on: date)
        #expect(explanation.close == close, "seed \(seed)")
        calculations += try check(explanation, "seed \(seed), \(date)")
      }
    }
    #expect(calculations > LedgerLawsTests.count / 10)
  }
}

/// Checks an explanation against its own close; returns how many calculations it redid.
@discardableResult
func check(_ explanation: Explanation, _ name: String) throws -> Int {
  for formula in explanation.formulas {
    let objection = Calculator.objection(
      to: formula.expression.text, result: formula.result, rounding: formula.rounding.rawValue)
    #expect(objection == nil, "\(name), \(formula.name), \(context(explanation, formula))")
  }
  for holding in explanation.holdings { checkSteps(of: holding, name) }
  checkTotals(explanation, name)
  return explanation.formulas.count
}

/// What the steps booked, and the change of the levels, are the row's P&L; the last step left what
/// the row holds.
private func checkSteps(of holding: ExplainedHolding, _ name: String) {
  let name = "\(name), \(holding.instrument.symbol)"
  let row = holding.row
  var booked = Attribution()
  for step in holding.steps { booked += step.attribution }
  booked.unrealizedChange += row.unrealized - (holding.opening?.unrealized ?? .zero)
  booked.fx += row.unrealizedFX - (holding.opening?.unrealizedFX ?? .zero)
  let isFuture = holding.instrument.kind == .future
  if isFuture { booked.realized = row.attribution.realized }
  #expect(booked == row.attribution, "\(name)")
  guard let last = holding.steps.last else { return }
  #expect(last.quantity == row.quantity, "\(name)")
  guard !isFuture else { return }
  #expect(last.localCost == row.localCost && last.costBasis == row.costBasis, "\(name)")
  for step in holding.steps where !step.relieved.isEmpty {
    let taken = step.relieved.reduce(Quantity.zero) { $0 + $1.quantity }
    let before = step.quantity + taken - (step.opened?.quantity ?? .zero)
    #expect(before.magnitude >= taken.magnitude, "\(name)")
  }
}

/// The printed sums are the close's own numbers.
private func checkTotals(_ explanation: Explanation, _ name: String) {
  let snapshot = explanation.close.snapshot
  let results = Dictionary(
    (explanation.cash + explanation.sums + explanation.returns).map { ($0.name, $0.result) },
    uniquingKeysWith: { first, _ in first })
  let amounts: [(String, Money)] = [
    ("cash", snapshot.cash), ("long value", snapshot.longValue),
    ("unrealized P&L", snapshot.unrealizedPnL), ("daily P&L", snapshot.dailyPnL),
    ("closing equity", snapshot.closingEquity), ("cumulative P&L", snapshot.cumulativePnL),
  ]
  for (word, amount) in amounts { #expect(results[word] == amount.description, "\(name), \(word)") }
  let optional: [(String, Money)] = [
    ("short value", snapshot.shortValue), ("realized", snapshot.attribution.realized),
    ("unrealized change", snapshot.attribution.unrealizedChange),
    ("income", snapshot.attribution.income), ("fees", snapshot.attribution.fees),
    ("taxes", snapshot.attribution.taxes), ("currency", snapshot.attribution.fx),
    ("prior period", snapshot.attribution.priorPeriod), ("flow in", snapshot.inflow),
    ("flow out", snapshot.outflow),
  ]
  for (word, amount) in optional {
    #expect((results[word] ?? Money.zero.description) == amount.description, "\(name), \(word)")
  }
  if let change = snapshot.dailyReturn {
    #expect(results["daily return"] == "\(change)", "\(name)")
    #expect(explanation.noReturn == nil, "\(name)")
  } else {
    #expect(explanation.noReturn != nil, "\(name)")
  }
}

/// The holding and the step of a calculation, for a failure's message.
private func context(_ explanation: Explanation, _ formula: Formula) -> String {
  for holding in explanation.holdings {
    for step in holding.steps where step.formulas.contains(formula) {
      let lines = step.formulas.map { "\($0.name): \($0.expression.text) = \($0.result)" }
      return "\(holding.instrument.symbol) \(step.event): \(lines)"
    }
  }
  return "no step"
}
