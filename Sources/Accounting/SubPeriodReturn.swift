/// How a close's P&L continues a chain of linked returns.
struct ReturnChain: Hashable, Sendable {
  /// Linked growth; 0 after a total loss.
  var index: Double
  /// The close that it counts from.
  var since: Day

  /// Links the return of one sub-period, from the opening's close to `date`'s.
  ///
  /// Inflows count at its start and outflows at its end: r = (V + out) ÷ (V₀ + in) − 1, which is
  /// P&L ÷ (V₀ + in), taken from the exact amounts. A base that is not positive gives no return:
  /// the index stays and a new chain starts. A loss of everything ends the chain at 0, and the
  /// next return starts another at 1.
  mutating func link(
    opening: Money, inflow: Money, profit: Money, from openingDate: Day, to date: Day
  ) -> Double? {
    let base = opening + inflow
    guard base > .zero else {
      since = date
      return nil
    }
    let change = profit.approximate / base.approximate
    if index == 0 { self = ReturnChain(index: 1, since: openingDate) }
    index = change <= -1 ? 0 : index * (1 + change)
    return change
  }
}
