import Accounting

/// A portfolio with its activity log and market, written as an accountant would note them down.
///
/// Dates are `YYYY-MM-DD`, numbers decimal text; a mistake in a test's own text traps.
struct BookWorld {
  var portfolio: Portfolio
  var instruments: [ID<Holding>: Instrument] = [:]
  var market = Market()
  var activities: [Activity] = []
  var statements: [FundStatement] = []
  var policy = ClosePolicy()
  private(set) var book: PortfolioBook?

  init(
    base: String = "USD", inception: String = "2024-01-01", relief: LotRelief = .fifo,
    cash: CashMode = .base, dividends: DividendMode = .recorded,
    timing: ReturnMeasures.FlowTiming = .inflowsAtStart
  ) {
    portfolio = Portfolio(
      id: ID(1), code: "TEST", baseCurrency: .iso(base), inception: .iso(inception),
      lotRelief: relief, cashMode: cash, dividendMode: dividends, flowTiming: timing)
  }

  init(portfolio: Portfolio, instruments: [ID<Holding>: Instrument]) {
    self.portfolio = portfolio
    self.instruments = instruments
  }

  /// Adds an instrument and the portfolio's holding of it.
  @discardableResult
  mutating func hold(
    _ symbol: String, _ currency: String = "USD", kind: InstrumentKind = .equity,
    multiplier: String = "1", pricing: Pricing = .quoted
  ) -> ID<Holding> {
    let key = Int64(instruments.count + 1)
    instruments[ID(key)] = Instrument(
      id: ID(key), symbol: symbol, kind: kind, currency: .iso(currency),
      multiplier: .of(multiplier), pricing: pricing)
    return ID(key)
  }

  func holding(_ symbol: String) -> ID<Holding> {
    guard let found = instruments.first(where: { $0.value.symbol == symbol }) else {
      preconditionFailure("no holding of \(symbol)")
    }
    return found.key
  }

  mutating func price(_ symbol: String, _ date: String, _ close: String) {
    let id = ID<Instrument>(holding(symbol).rawValue)
    market.closes[id, default: []].append(ClosingPrice(date: .iso(date), price: .of(close)))
    market.closes[id]?.sort { $0.date < $1.date }
  }

  mutating func rate(_ base: String, _ quote: String, _ date: String, _ rate: String) {
    let pair = CurrencyPair(base: .iso(base), quote: .iso(quote))
    market.rates[pair, default: []].append(DatedRate(date: .iso(date), rate: .of(rate)))
    market.rates[pair]?.sort { $0.date < $1.date }
  }

  mutating func split(_ symbol: String, _ date: String, _ ratio: String) {
    act(symbol, date, .split(ratio: .of(ratio)))
  }

  mutating func pays(_ symbol: String, _ date: String, _ perUnit: String) {
    act(symbol, date, .dividend(perUnit: .of(perUnit)))
  }

  /// Adds a corporate action.
  mutating func act(
    _ symbol: String, _ date: String, _ effect: CorporateAction.Effect,
    fractionPrice: String? = nil, portfolio: ID<Portfolio>? = nil
  ) {
    let id = ID<Instrument>(holding(symbol).rawValue)
    market.actions[id, default: []].append(
      CorporateAction(
        exDate: .iso(date), effect: effect, fractionPrice: fractionPrice.map { .of($0) },
        portfolio: portfolio))
    market.actions[id]?.sort { $0.exDate < $1.exDate }
  }

  /// Units of another instrument.
  func shares(_ ratio: String, of symbol: String) -> CorporateAction.Shares {
    CorporateAction.Shares(
      into: ID(holding(symbol).rawValue), ratio: .of(ratio))
  }

  mutating func statement(_ symbol: String, _ date: String, _ value: String) {
    statements.append(FundStatement(holding: holding(symbol), date: .iso(date), value: .of(value)))
  }

  /// The date of each holding's last statement, as an opening knows it.
  func statementDates(through date: Day) -> [ID<Holding>: Day] {
    Dictionary(
      statements.filter { $0.date <= date }.map { ($0.holding, $0.date) }, uniquingKeysWith: max)
  }

  /// Adds a row of the activity log; its key is its place.
  mutating func log(
    _ date: String, _ type: ActivityType, _ symbol: String? = nil, _ quantity: String? = nil,
    at price: String? = nil, amount: String? = nil, fee: String = "0",
    in currency: String? = nil, acquired: String? = nil, bookedOn: String? = nil,
    payDate: String? = nil
  ) {
    let holding = symbol.map { self.holding($0) }
    let own = holding.flatMap { instruments[$0]?.currency } ?? portfolio.baseCurrency
    activities.append(
      Activity(
        id: Int64(activities.count + 1), date: .iso(date), type: type, holding: holding,
        quantity: quantity.map { .of($0) }, price: price.map { .of($0) },
        amount: amount.map { .of($0) }, fee: .of(fee), currency: currency.map { .iso($0) } ?? own,
        acquired: acquired.map { .iso($0) }, bookedOn: bookedOn.map { .iso($0) },
        payDate: payDate.map { .iso($0) }))
  }

  /// Closes the next date, in a segment on one book.
  mutating func close(_ date: String) throws(CloseError) -> BookClose {
    var book =
      self.book
      ?? PortfolioBook(portfolio: portfolio, instruments: instruments, opening: nil)
    let close = try book.close(
      on: .iso(date), activities: activities, statements: statements, market: market,
      businessDays: { BookWorld.weekdays(after: $0, through: $1) }, policy: policy)
    self.book = book
    return close
  }

  /// Goes back to before the first close.
  mutating func forget() { book = nil }

  static func weekdays(after first: Day, through last: Day) -> Int {
    var count = 0
    var day = first + 1
    while day <= last {
      if day.weekday <= 5 { count += 1 }
      day = day + 1
    }
    return count
  }
}

extension BookClose {
  /// The only holding's row, or the one of a key.
  func row(_ key: Int64 = 1) -> HoldingSnapshot {
    guard let row = holdings.first(where: { $0.holding == ID(key) }) else {
      preconditionFailure("no row of holding \(key)")
    }
    return row
  }
}

extension FixedPoint {
  /// The number of a test's own text.
  static func of(_ text: String) -> Self {
    guard let number = try? Self(text) else { preconditionFailure("\(text) is not a number") }
    return number
  }
}

extension Ratio {
  /// The ratio of a test's own text.
  static func of(_ text: String) -> Ratio {
    guard let ratio = try? Ratio(text) else { preconditionFailure("\(text) is no ratio") }
    return ratio
  }
}

extension Day {
  static func iso(_ text: String) -> Day {
    guard let day = Day(text) else { preconditionFailure("\(text) is not a date") }
    return day
  }
}

extension Currency {
  static func iso(_ text: String) -> Currency {
    guard let currency = Currency(text) else { preconditionFailure("\(text) is no currency") }
    return currency
  }
}
