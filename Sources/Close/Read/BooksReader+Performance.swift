internal import Accounting
internal import Postgres
internal import Storage

extension BooksReader {
  /// A portfolio's closes up to a date, as returns of periods need them.
  func performance(
    of portfolio: Portfolio, through date: Day
  ) throws -> PerformanceHistory {
    try read { db in
      let steps = try StoredPerformance.steps(of: portfolio.id, through: date, on: db)
      let fees = try Loading.fees(of: portfolio.id, through: date, on: db).map(\.activity)
      // A century of rates is read only where a fee was paid in another currency.
      let isForeign = fees.contains { $0.currency != portfolio.baseCurrency }
      let market = Market(rates: isForeign ? try MarketLoading.rates(on: db) : [:])
      var history = PerformanceHistory(steps, timing: portfolio.flowTiming)
      history.add(managementFees: fees, in: portfolio.baseCurrency, at: market)
      return history
    }
  }
}
