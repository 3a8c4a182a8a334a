internal import Accounting

/// The usual night of a portfolio: ten quoted holdings, a new close each, no activity.
public struct QuietPortfolios: Sendable {
  /// How many portfolios a run closes.
  public static let count = 100
  /// Holdings a portfolio.
  public static let holdings = 10
  /// The most nights that there are closes for.
  public static let nights = 20

  private let first = Day(year: 2024, month: 3, day: 4)
  private var market = Market()
  private var portfolios: [(Portfolio, [ID<Holding>: Instrument], BookOpening)] = []

  /// The same portfolios each time.
  ///
  /// - Parameter isForeign: Whether the instruments are in another currency than the books.
  public init?(isForeign: Bool) {
    var random = SplitMix(seed: 1)
    guard let base = Currency("USD"), let euro = Currency("EUR") else { return nil }
    let currency = isForeign ? euro : base
    for key in 1...400 {
      market.closes[ID(Int64(key))] = (-1..<Self.nights).map {
        ClosingPrice(date: first + $0, price: Price(units: Self.cents(&random)))
      }
    }
    market.rates[CurrencyPair(base: euro, quote: base)] = (-1..<Self.nights).map {
      DatedRate(
        date: first + $0, rate: Rate(units: Int128(105_000 + random.below(9_000)) * 10_000_000))
    }
    for key in 0..<Self.count {
      let portfolio = Portfolio(
        id: ID(Int64(key)), code: "Q\(key)", baseCurrency: base, inception: first - 1)
      var instruments: [ID<Holding>: Instrument] = [:]
      var purchases: [Activity] = []
      for place in 1...Self.holdings {
        let holding = ID<Holding>(Int64(key * Self.holdings + place))
        instruments[holding] = Instrument(
          id: ID(Int64(1 + random.below(400))), symbol: "S\(place)", kind: .equity,
          currency: currency)
        purchases.append(
          Activity(
            id: Int64(place), date: first - 1, type: .buy, holding: holding,
            quantity: Quantity(units: Int128(1 + random.below(9_000)) * 250_000_000_000),
            price: Price(units: Self.cents(&random)), currency: currency))
      }
      var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
      guard let close = close(&book, on: first - 1, purchases) else { return nil }
      portfolios.append((portfolio, instruments, BookOpening(after: close)))
    }
  }

  private static func cents(_ random: inout SplitMix) -> Int128 {
    Int128(5_000 + random.below(10_000)) * 10_000_000_000
  }

  private func close(
    _ book: inout PortfolioBook, on date: Day, _ activities: [Activity] = []
  ) -> BookClose? {
    try? book.close(
      on: date, activities: activities, statements: [], market: market,
      businessDays: { $1 - $0 })
  }

  /// Opens every book from its rows and closes some nights; the sum of what they end at.
  public func run(nights: Int) -> Double {
    var sum = 0.0
    for (portfolio, instruments, opening) in portfolios {
      var book = PortfolioBook(portfolio: portfolio, instruments: instruments, opening: opening)
      for night in 0..<nights {
        sum += close(&book, on: first + night)?.snapshot.closingEquity.approximate ?? 0
      }
    }
    return sum
  }
}
