internal import Accounting

/// A first close after many trades, in ten holdings, told number by number.
public struct LongWindow: Sendable {
  private let book: PortfolioBook
  private let activities: [Activity]
  private var market = Market()
  private let last: Day

  /// The same trades each time, one a day.
  public init?(trades: Int) {
    guard let base = Currency("USD") else { return nil }
    let first = Day(year: 1990, month: 1, day: 1)
    last = first + trades
    let portfolio = Portfolio(
      id: ID(1), code: "LONG", baseCurrency: base, inception: first, lotRelief: .average)
    let price = Price(units: 12_340_000_000_000)
    var instruments: [ID<Holding>: Instrument] = [:]
    for key in 1...10 {
      instruments[ID(Int64(key))] = Instrument(
        id: ID(Int64(key)), symbol: "S\(key)", kind: .equity, currency: base)
      market.closes[ID(Int64(key))] = [ClosingPrice(date: last, price: price)]
    }
    activities = (0..<trades).map { number in
      Activity(
        id: Int64(number), date: first + number, type: number % 20 < 10 ? .buy : .sell,
        holding: ID(Int64(1 + number % 10)), quantity: Quantity(units: 3_000_000_000_000),
        price: price, currency: base)
    }
    book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
  }

  /// How many steps are told.
  public func explain() -> Double {
    let explanation = try? book.explain(
      on: last, activities: activities, statements: [], market: market,
      businessDays: { $1 - $0 })
    return Double(explanation?.holdings.reduce(0) { $0 + $1.steps.count } ?? 0)
  }
}
