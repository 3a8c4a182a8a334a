internal import Accounting
internal import Postgres
internal import Storage

/// A complete slot as the tables hold it, with everything that a close writes.
struct StoredCloses {
  /// One slot.
  struct Close {
    var snapshot: StoredSnapshot
    var holdings: [StoredHolding] = []
    var holdingReturns: [StoredReturn] = []
    var portfolioReturn: StoredReturn?
  }

  /// The complete slots of some portfolios over a range of dates.
  static func read(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day,
    on db: isolated Connection
  ) throws -> [Slot: Close] {
    var result: [Slot: Close] = [:]
    for row in try StoredSnapshots.read(of: portfolios, from: first, through: last, on: db) {
      result[row.slot] = Close(snapshot: row)
    }
    for row in try Loading.holdings(of: portfolios, from: first, through: last, on: db) {
      result[Slot(portfolio: row.portfolio, date: row.date)]?.holdings.append(row)
    }
    for row in try StoredSnapshots.holdingReturns(
      of: portfolios, from: first, through: last, on: db)
    { result[row.slot]?.holdingReturns.append(row) }
    for row in try StoredSnapshots.portfolioReturns(
      of: portfolios, from: first, through: last, on: db)
    { result[row.slot]?.portfolioReturn = row }
    return result
  }
}

extension StoredCloses.Close {
  /// Whether a computed close says just what is stored, to the last digit of every number.
  func isSame(as computed: ComputedSweep.Closed, convention: IRRConvention) -> Bool {
    guard snapshot.snapshot == computed.close.snapshot,
      holdings.count == computed.close.holdings.count,
      holdingReturns.count == computed.holdingReturns.count,
      portfolioReturn?.convention == convention,
      isSame(portfolioReturn?.result, computed.portfolioReturn)
    else { return false }
    for (stored, row) in zip(holdings, computed.close.holdings) where !isSame(stored, row) {
      return false
    }
    return zip(holdingReturns, computed.holdingReturns).allSatisfy {
      isSame($0.0.result, $0.1)
    }
  }

  private func isSame(_ stored: StoredHolding, _ row: HoldingSnapshot) -> Bool {
    stored.holding == row.holding && stored.quantity == row.quantity && stored.price == row.price
      && stored.priceDate == row.priceDate && stored.marketValue == row.marketValue
      && stored.costBasis == row.costBasis && stored.dailyPnL == row.dailyPnL
      && stored.unrealized == row.unrealized && stored.localValue == row.localValue
      && stored.localCost == row.localCost
  }

  private func isSame(_ stored: IRRResult?, _ result: IRRResult?) -> Bool {
    stored?.status == result?.status && stored?.logGrowth == result?.logGrowth
      && stored?.rate == result?.rate
  }
}
