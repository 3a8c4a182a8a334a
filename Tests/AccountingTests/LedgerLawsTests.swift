import FoundationEssentials
import Testing

@testable import Accounting

@Suite("Laws of the ledger, over seeded random portfolios")
struct LedgerLawsTests {
  /// How many portfolios; `CLOSEBELL_TEST_LEDGERS` asks for more.
  static let count: Int =
    ProcessInfo.processInfo.environment["CLOSEBELL_TEST_LEDGERS"].flatMap { Int($0) } ?? 100_000

  /// Each portfolio is made once, and held against all laws.
  private static let verdict = Task.detached {
    await withTaskGroup(of: LawVerdict.self) { group in
      let parts = 8
      for part in 0..<parts {
        group.addTask {
          var verdict = LawVerdict()
          for seed in stride(from: part, to: count, by: parts) {
            var trial = LawTrial(seed: UInt64(seed), adding: verdict)
            trial.run()
            trial.noteEvents()
            verdict = trial.verdict
          }
          return verdict
        }
      }
      return await group.reduce(LawVerdict(), +)
    }
  }

  @Test("Over every portfolio", arguments: Law.allCases)
  func holds(law: Law) async {
    let verdict = await Self.verdict.value
    #expect(verdict.broken[law, default: []] == [], "\(law.rawValue)")
    #expect(verdict.tried[law, default: 0] >= Self.count / 5, "tried too seldom to mean anything")
  }

  @Test("Every book is what it has always been, to the last digit")
  func digests() async {
    let verdict = await Self.verdict.value
    for (count, known) in BookDigest.known where count <= Self.count {
      #expect(verdict.digests[count]?.description == known, "of the first \(count) portfolios")
    }
  }

  @Test("Everything that the rules tell apart did happen")
  func coverage() async {
    let verdict = await Self.verdict.value
    let expected =
      ActivityType.allCases.map(\.rawValue)
      + LotRelief.allCases.map(\.rawValue) + CashMode.allCases.map(\.rawValue)
      + DividendMode.allCases.map(\.rawValue)
      + [
        "late", "carried", "missing", "short", "crossed zero", "future", "valued", "emptied",
        "split", "negative equity", "zero equity", "gap", "prior period", "statement",
      ]
    for event in expected {
      #expect(verdict.seen[event, default: 0] >= Self.count / 2_000, "\(event)")
    }
  }
}

extension LawTrial {
  /// Notes what happened, so that a law that held says over what.
  mutating func noteEvents() {
    let terms = ledger.world.portfolio
    verdict.saw(terms.lotRelief.rawValue)
    verdict.saw(terms.cashMode.rawValue)
    verdict.saw(terms.dividendMode.rawValue)
    for activity in ledger.world.activities { verdict.saw(activity.type.rawValue) }
    if ledger.hasLate { verdict.saw("late") }
    if ledger.hasFuture { verdict.saw("future") }
    if !ledger.world.statements.isEmpty { verdict.saw("statement") }
    for actions in ledger.world.market.actions.values where actions.contains(where: \.isSplit) {
      verdict.saw("split")
    }
    var sides: [ID<Holding>: Bool] = [:]
    for (previous, close) in zip([nil] + closes, closes) {
      let snapshot = close.snapshot
      if snapshot.carriedCount > 0 { verdict.saw("carried") }
      if snapshot.missingCount > 0 { verdict.saw("missing") }
      if snapshot.closingEquity < .zero { verdict.saw("negative equity") }
      if snapshot.closingEquity.isZero { verdict.saw("zero equity") }
      if !snapshot.attribution.priorPeriod.isZero { verdict.saw("prior period") }
      if let before = previous?.snapshot.date, snapshot.date > before + 1 { verdict.saw("gap") }
      for row in close.holdings { note(row, &sides) }
    }
  }

  private mutating func note(_ row: HoldingSnapshot, _ sides: inout [ID<Holding>: Bool]) {
    if ledger.world.instruments[row.holding]?.pricing == .valued {
      verdict.saw(row.localValue.isZero ? "emptied" : "valued")
    }
    guard !row.quantity.isZero else { return }
    let isShort = row.quantity < .zero
    if isShort { verdict.saw("short") }
    if sides.updateValue(isShort, forKey: row.holding) == !isShort { verdict.saw("crossed zero") }
  }
}
