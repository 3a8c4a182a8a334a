/// How a close's P&L continues a chain of linked returns.
struct ReturnChain: Hashable, Sendable {
  /// Linked growth; 0 after a total loss.
  var index: Double
  /// The close that it counts from.
  var since: Day

  /// Links the return of one sub-period, from the opening's close to `date`'s.
  ///
  /// A base that is not positive gives no return: the index stays and a new chain starts. A loss
  /// of everything ends the chain at 0, and the next return starts another at 1. An index beyond
  /// what a double holds in full, either way, starts again at 1 with this close.
  mutating func link(
    opening: Money, closing: Money, inflow: Money, outflow: Money,
    timing: ReturnMeasures.FlowTiming, from openingDate: Day, to date: Day
  ) -> Double? {
    guard
      let change = ReturnMeasures.dailyReturn(
        opening: opening, closing: closing, inflow: inflow, outflow: outflow, timing: timing)
    else {
      since = date
      return nil
    }
    if index == 0 { self = ReturnChain(index: 1, since: openingDate) }
    index = ReturnMeasures.linked(index: index, by: change)
    if !index.isNormal, change > -1 { self = ReturnChain(index: 1, since: date) }
    return change
  }
}
