import Accounting
import Close
import Storage
import Testing

/// Which row of a slot stands: worked by hand on single portfolios.
@Suite struct DuplicateChainTests {
  private static func money(_ whole: Int) -> Money { Money(units: Int128(whole) * 10_000) }

  /// A row written at a minute of the night of a day of March 2014; all amounts are whole.
  private static func row(
    _ day: Int, _ minute: Int, closing: Int?, opening: Int? = nil, pnl: Int? = nil,
    flow: Int? = nil, own: Int? = nil, isComplete: Bool? = nil
  ) -> LegacyRow {
    LegacyRow(
      portfolio: "A", date: Day("2014-03-0\(day)") ?? .earliest, createdAt: "\(day) \(minute)",
      isComplete: isComplete, closing: closing.map(money), opening: opening.map(money),
      pnl: pnl.map(money), flow: flow.map(money), ownClosing: own.map(money))
  }

  /// Each doubtful slot as `day: what becomes of its rows`, k kept, r removed, s stale.
  private func decide(_ rows: [LegacyRow]) -> [String] {
    DuplicateChain.decide(rows, isExact: true).map { decision in
      "\(decision.date.description.suffix(2)): "
        + decision.verdicts.map { String($0.action.rawValue.prefix(1)) }.joined()
    }
  }

  @Test("the row that follows from the close before is kept, not the largest")
  func notTheLargest() {
    let rows = [
      Self.row(3, 0, closing: -690),
      Self.row(4, 0, closing: -163, opening: -690, pnl: 527, flow: 0),
      Self.row(4, 1, closing: 364, opening: -163, pnl: 527, flow: 0),
      Self.row(4, 2, closing: 891, opening: 364, pnl: 527, flow: 0),
      Self.row(4, 3, closing: 1418, opening: 891, pnl: 527, flow: 0),
    ]
    #expect(decide(rows) == ["04: krrr"])
    // Whichever order the runs wrote in.
    let turned = [rows[0], rows[4], rows[3], rows[1], rows[2]]
    #expect(decide(turned) == ["04: rrkr"])
  }

  @Test("what opened from a removed row is stale, and so is what was built on it")
  func staleOnwards() {
    #expect(
      decide([
        Self.row(3, 0, closing: 100), Self.row(4, 0, closing: 110, opening: 100),
        Self.row(4, 1, closing: 120, opening: 110), Self.row(5, 0, closing: 125, opening: 120),
        Self.row(6, 0, closing: 130, opening: 125),
      ]) == ["04: kr", "05: s", "06: s"])
  }

  @Test("on a first date nothing can be checked: the earliest is kept and marked stale")
  func firstDate() {
    #expect(
      decide([
        Self.row(3, 0, closing: 50, opening: 40), Self.row(3, 1, closing: 60, opening: 50),
        Self.row(3, 2, closing: 90, opening: 60),
      ]) == ["03: srr"])
  }

  @Test("a table of closing values only: P&L beside them tells, else the earliest is stale")
  func closingOnly() {
    #expect(
      decide([
        Self.row(3, 0, closing: 100), Self.row(4, 0, closing: 90, pnl: 10),
        Self.row(4, 1, closing: 110, pnl: 10),
      ]) == ["04: rk"])
    #expect(
      decide([
        Self.row(3, 0, closing: 100), Self.row(4, 0, closing: 110), Self.row(4, 1, closing: 120),
      ]) == ["04: sr"])
  }

  @Test("the row that equals our own close is kept before any other")
  func ownClose() {
    #expect(
      decide([
        Self.row(3, 0, closing: 100), Self.row(4, 0, closing: 110, opening: 100, own: 120),
        Self.row(4, 1, closing: 120, opening: 110, own: 120),
      ]) == ["04: rk"])
    // None equals it: the one that follows stays, and is known to be wrong.
    #expect(
      decide([
        Self.row(3, 0, closing: 100), Self.row(4, 0, closing: 110, opening: 100, own: 115),
        Self.row(4, 1, closing: 120, opening: 110, own: 115),
      ]) == ["04: sr"])
  }

  @Test("a placeholder never stands, whatever a default called it, and nothing opens from it")
  func placeholders() {
    #expect(
      decide([
        Self.row(3, 0, closing: -100), Self.row(4, 0, closing: 0, opening: 0, isComplete: false),
        Self.row(4, 1, closing: -90, opening: -100), Self.row(5, 0, closing: 0, opening: 0),
        Self.row(5, 1, closing: -80, opening: -90), Self.row(6, 0, closing: nil),
        Self.row(7, 0, closing: -70, opening: -80),
      ]) == ["04: rk", "05: rk", "06: r"])
  }

  @Test("a lone row of zeros after a close that was not zero is stale; after zero it is right")
  func loneZeros() {
    #expect(decide([Self.row(3, 0, closing: -100), Self.row(4, 0, closing: 0)]) == ["04: s"])
    #expect(
      decide([Self.row(3, 0, closing: 0, own: 0), Self.row(4, 0, closing: 0)]) == [])
  }

  @Test("zero is an opening like any other")
  func zeroOpening() {
    #expect(
      decide([
        Self.row(3, 0, closing: 0, own: 0), Self.row(4, 0, closing: 10, opening: 0),
        Self.row(4, 1, closing: 20, opening: 10),
      ]) == ["04: kr"])
  }

  @Test("a row that does not add up is not the one, even if it opens right")
  func doesNotAddUp() {
    #expect(
      decide([
        Self.row(3, 0, closing: 100),
        Self.row(4, 0, closing: 999, opening: 100, pnl: 10, flow: 0),
        Self.row(4, 1, closing: 110, opening: 100, pnl: 10, flow: 0),
      ]) == ["04: rk"])
  }

  @Test("of two rows that both follow, the one that the next date opened from is kept")
  func nextDateTells() {
    #expect(
      decide([
        Self.row(3, 0, closing: 100), Self.row(4, 0, closing: 110, opening: 100),
        Self.row(4, 1, closing: 111, opening: 100), Self.row(5, 0, closing: 120, opening: 111),
      ]) == ["04: rk"])
  }
}
