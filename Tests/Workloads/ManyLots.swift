internal import Accounting

/// A savings plan that is sold again, lot by lot, the oldest first.
public struct ManyLots: Sendable {
  private let portfolio: Portfolio
  private let instruments: [ID<Holding>: Instrument]
  private let activities: [Activity]
  private let market: Market
  private let last: Day

  /// - Parameter lots: How many are bought, one a day, and then sold.
  public init?(lots: Int) {
    guard let base = Currency("USD") else { return nil }
    let first = Day(year: 1900, month: 1, day: 1)
    last = first + 2 * lots
    portfolio = Portfolio(id: ID(1), code: "LOTS", baseCurrency: base, inception: first)
    instruments = [
      ID(1): Instrument(id: ID(1), symbol: "S", kind: .equity, currency: base)
    ]
    let price = Price(units: 12_340_000_000_000)
    market = Market(closes: [ID(1): [ClosingPrice(date: first, price: price)]])
    activities = (0..<2 * lots).map { number in
      Activity(
        id: Int64(number), date: first + number, type: number < lots ? .buy : .sell,
        holding: ID(1), quantity: Quantity(units: 1_000_000_000_000), price: price, currency: base)
    }
  }

  /// Closes the last date as the first of all; what the sales realized.
  public func close() -> Double {
    var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    let close = try? book.close(
      on: last, activities: activities, statements: [], market: market,
      businessDays: { $1 - $0 })
    return close?.snapshot.attribution.realized.approximate ?? .nan
  }
}
