/// Whether amounts surely fit where a row keeps them, told for many at once.
///
/// A product is checked when it is formed; what is summed from products is checked here.
struct RangeCheck {
  /// Every bit that one of the magnitudes has.
  private var bits: Int128 = 0

  @inline(__always) mutating func take(_ amount: Money) {
    bits |= amount.units ^ (amount.units >> 127)
  }

  /// Whether all are at most 2^93, and so below 10^28 ten-thousandths; false proves nothing.
  var suffices: Bool { bits < 1 << 93 }
}

extension PortfolioBook {
  /// What is summed has to fit where a snapshot and its rows keep it.
  func requireRoom(_ sums: ClosingSums, _ totals: WindowTotals) throws(CloseError) {
    var room = sums.room
    for balance in balances { balance.forEachAmount { room.take($0) } }
    forEachSum(sums, totals) { room.take($0) }
    if room.suffices { return }
    // Nearly never: one by one, to name what is too large.
    for row in sums.rows {
      try require(ledgers[index(of: row.holding) ?? 0].instrument.symbol, on: sums.date) { check in
        row.forEachAmount(check)
      }
    }
    for balance in balances {
      try require("cash in \(balance.currency)", on: sums.date) { check in
        balance.forEachAmount(check)
      }
    }
    try require("the portfolio's sums", on: sums.date) { check in
      forEachSum(sums, totals, check)
    }
  }

  private func require(
    _ subject: String, on date: Day, fits forEachAmount: ((Money) -> Void) -> Void
  ) throws(CloseError) {
    var fits = true
    forEachAmount { fits = fits && $0.units.magnitude < Money.derivedLimit.magnitude }
    if !fits { throw .arithmetic(subject: subject, date: date, .overflow) }
  }

  @inline(__always) private func forEachSum(
    _ sums: ClosingSums, _ totals: WindowTotals, _ body: (Money) -> Void
  ) {
    body(sums.unrealized)
    body(sums.grossExposure)
    body(sums.netExposure)
    body(sums.longValue - sums.shortValue)
    body(cash)
    body(sums.longValue + sums.shortValue + cash + sums.receivables)
    body(totals.inflow)
    body(totals.outflow)
    sums.attribution.forEachPart(body)
    let profit = sums.attribution.total
    body(profit)
    body(cumulativePnL + profit)
  }
}

extension CashBalance {
  @inline(__always) fileprivate func forEachAmount(_ body: (Money) -> Void) {
    body(balance)
    body(baseValue)
  }
}

extension HoldingSnapshot {
  /// Every amount that its row keeps.
  @inline(__always) func forEachAmount(_ body: (Money) -> Void) {
    body(localValue)
    body(marketValue)
    body(localCost)
    body(costBasis)
    body(unrealized)
    body(unrealizedFX)
    body(dailyPnL)
    attribution.forEachPart(body)
  }
}

extension Attribution {
  @inline(__always) fileprivate func forEachPart(_ body: (Money) -> Void) {
    body(realized)
    body(unrealizedChange)
    body(income)
    body(fees)
    body(taxes)
    body(fx)
    body(priorPeriod)
  }
}
