import TestSupport

@testable import Accounting

/// A random portfolio in which everything may happen that the rules allow.
///
/// Most are small, three or four holdings over a week: an error shows in the smallest of worlds,
/// and many of them are told in the time of one long history. One in forty holds everything for
/// three weeks.
struct RandomLedger {
  private(set) var world: BookWorld
  /// The dates to close, ascending; the others are gaps.
  private(set) var closingDates: [Day] = []
  private(set) var hasLate = false
  private(set) var hasLateFundFlow = false
  /// Whether what is divided by a split or doubled by one stays exact.
  let areSplitsExact: Bool
  var hasMissingPrice: Bool { missing != nil }
  /// Whether a gain is converted each time it is settled, so that it depends on when that is.
  var settlesAbroad: Bool { world.portfolio.cashMode == .base && has(.euroFuture) }

  private(set) var random: SeededGenerator
  /// The holding that never had a close.
  private var missing: Symbol?
  /// Signed units as far as the generator needs them, to know what can expire.
  private var held = [Quantity](repeating: .zero, count: Symbol.allCases.count)
  private let symbols: [Symbol]
  private let quoted: [Symbol]
  private let funds: [Symbol]
  private let isWithLate: Bool
  private let isFractional: Bool
  private let ratios: [Rate]
  private static let firstDay = Day.iso("2024-03-01")

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    let isLong = random.chance(oneIn: 40)
    symbols = isLong ? Symbol.allCases : Symbol.some(&random)
    quoted = symbols.filter { !$0.isFund }
    funds = symbols.filter(\.isFund)
    isWithLate = random.chance(oneIn: 3)
    isFractional = random.chance(oneIn: 2)
    areSplitsExact = !random.chance(oneIn: 3)
    ratios =
      areSplitsExact
      ? isFractional ? Self.whole : Self.dyadic : Self.thirds
    world = BookWorld(
      portfolio: Self.portfolios[random.below(Self.portfolios.count)],
      instruments: Self.instruments(symbols))
    let days = isLong ? 21 : 3 + random.below(5)
    makeMarket(days)
    for offset in 0..<days {
      let date = Self.firstDay + offset
      makeActions(on: date)
      for _ in 0..<random.below(4) { makeActivity(on: date) }
      makeStatements(on: date)
      if !random.chance(oneIn: 3) { closingDates.append(date) }
    }
    if closingDates.isEmpty { closingDates = [Self.firstDay + days - 1] }
  }

  /// The same portfolio in another telling.
  func retold(_ change: (inout BookWorld) -> Void) -> RandomLedger {
    var other = self
    change(&other.world)
    return other
  }

  func has(_ symbol: Symbol) -> Bool { symbols.contains(symbol) }

  private static let whole: [Rate] = [.of("2"), .of("4")]
  private static let dyadic: [Rate] = [.of("2"), .of("4"), .of("0.5")]
  private static let thirds: [Rate] = [.of("3"), .of("0.333333333333"), .of("1.5")]

  /// Every combination of terms.
  private static let portfolios = LotRelief.allCases.flatMap { relief in
    CashMode.allCases.flatMap { cash in
      DividendMode.allCases.map { dividends in
        BookWorld(inception: "2024-03-01", relief: relief, cash: cash, dividends: dividends)
          .portfolio
      }
    }
  }
}

// MARK: - What is held

extension RandomLedger {
  /// One instrument of each kind that the rules tell apart; its place is its key.
  enum Symbol: Int, CaseIterable {
    case dollarShare = 1
    case euroShare, poundShare, option, bond, dollarFuture, euroFuture, fund, otherFund, euroFund

    var holding: ID<Holding> { ID(Int64(rawValue)) }
    var isFund: Bool { rawValue >= Symbol.fund.rawValue }
    var isShare: Bool { rawValue <= Symbol.poundShare.rawValue }
    var currency: Currency { instrument.currency }
    var instrument: Instrument { Self.instruments[rawValue - 1] }

    private static let instruments = allCases.map { symbol in
      let (currency, kind, multiplier) = symbol.terms
      return Instrument(
        id: ID(Int64(symbol.rawValue)), symbol: "\(symbol)", kind: kind,
        currency: .iso(currency), multiplier: .of(multiplier),
        pricing: symbol.isFund ? .valued : .quoted)
    }

    private var terms: (currency: String, InstrumentKind, multiplier: String) {
      switch self {
      case .dollarShare: ("USD", .equity, "1")
      case .euroShare: ("EUR", .equity, "1")
      case .poundShare: ("GBP", .equity, "1")
      case .option: ("USD", .option, "100")
      case .bond: ("EUR", .bond, "0.01")
      case .dollarFuture: ("USD", .future, "50")
      case .euroFuture: ("EUR", .future, "10")
      case .fund, .otherFund: ("USD", .fund, "1")
      case .euroFund: ("EUR", .fund, "1")
      }
    }

    /// Three or so; funds that switch between each other come together.
    static func some(_ random: inout SeededGenerator) -> [Symbol] {
      var chosen = 1 << random.below(7) | 1 << random.below(7)
      if random.chance(oneIn: 2) { chosen |= 1 << random.below(3) }
      if random.chance(oneIn: 3) { chosen |= 0b1_1000_0000 }
      if random.chance(oneIn: 8) { chosen |= 0b10_0000_0000 }
      return allCases.filter { chosen & 1 << ($0.rawValue - 1) != 0 }
    }
  }

  private static func instruments(_ symbols: [Symbol]) -> [ID<Holding>: Instrument] {
    Dictionary(uniqueKeysWithValues: symbols.map { ($0.holding, $0.instrument) })
  }
}

// MARK: - The market

extension RandomLedger {
  static let dollar = Currency.iso("USD")
  static let euro = Currency.iso("EUR")
  static let pound = Currency.iso("GBP")
  static let euroInDollars = CurrencyPair(base: euro, quote: dollar)
  static let euroInPounds = CurrencyPair(base: euro, quote: pound)

  private mutating func makeMarket(_ days: Int) {
    missing = random.chance(oneIn: 6) ? random.pick(quoted) : nil
    // A pound in dollars is known only through the euro.
    world.market.rates[Self.euroInDollars] = makeRates(days, from: 110_000)
    world.market.rates[Self.euroInPounds] = makeRates(days, from: 85_000)
    for symbol in quoted where symbol != missing {
      var price = 5_000 + random.below(10_000)
      var closes: [ClosingPrice] = []
      closes.reserveCapacity(days + 1)
      for offset in -1..<days {
        price = max(0, price + random.below(601) - 300)
        if offset < 0 || !random.chance(oneIn: 4) {
          closes.append(
            ClosingPrice(
              date: Self.firstDay + offset, price: Price(units: decimal(price, 2, of: 12))))
        }
      }
      world.market.closes[ID(symbol.holding.rawValue)] = closes
    }
  }

  private mutating func makeRates(_ days: Int, from start: Int) -> [DatedRate] {
    var rate = start
    var rates: [DatedRate] = []
    rates.reserveCapacity(days + 1)
    for offset in -1..<days {
      rate += random.below(2_001) - 1_000
      if offset < 0 || !random.chance(oneIn: 3) {
        rates.append(
          DatedRate(date: Self.firstDay + offset, rate: Rate(units: decimal(rate, 5, of: 12))))
      }
    }
    return rates
  }

  private mutating func makeActions(on date: Day) {
    for symbol in symbols where symbol.isShare {
      if random.chance(oneIn: 16) {
        let ratio = random.pick(ratios)
        act(symbol, CorporateAction(exDate: date, effect: .split(ratio: ratio)))
        let index = symbol.rawValue - 1
        if let scaled = try? held[index].scaled(by: ratio) { held[index] = scaled }
      }
      if random.chance(oneIn: 12) {
        let perUnit = Price(units: decimal(random.below(200), 2, of: 12))
        act(symbol, CorporateAction(exDate: date, effect: .dividend(perUnit: perUnit)))
      }
    }
  }

  private mutating func act(_ symbol: Symbol, _ action: CorporateAction) {
    world.market.actions[ID(symbol.holding.rawValue), default: []].append(action)
  }

  private mutating func makeStatements(on date: Day) {
    for fund in funds where random.chance(oneIn: 6) {
      world.statements.append(
        FundStatement(holding: fund.holding, date: date, value: cents(500_000)))
    }
  }

  private mutating func cents(_ bound: Int) -> Money {
    Money(units: decimal(random.below(bound), 2, of: 4))
  }

  /// A whole number of `10^-decimals` in units of a scale.
  private func decimal(_ number: Int, _ decimals: Int, of scale: Int) -> Int128 {
    Int128(number) * powerOfTen(scale - decimals)
  }
}

// MARK: - The activity log

extension RandomLedger {
  /// When something is written down, and when booked.
  private struct Entered {
    var date: Day
    var bookedOn: Day?
  }

  private mutating func makeActivity(on date: Day) {
    var entered = Entered(date: date)
    if isWithLate, date > Self.firstDay, random.chance(oneIn: 4) {
      entered = Entered(date: max(Self.firstDay, date - 1 - random.below(6)), bookedOn: date)
      hasLate = true
    }
    let symbol = random.pick(quoted)
    switch random.below(12) {
    case 0...4: makeTrade(symbol, entered)
    case 5: makeTransfer(symbol, entered)
    case 6: makeIncome(symbol, entered)
    case 7: makeCash(entered)
    case 8, 9: if !funds.isEmpty { makeFundFlow(entered) }
    case 10: makeExpiry(symbol, date)
    default: makeSwitch(date)
    }
  }

  private mutating func log(
    _ entered: Entered, _ type: ActivityType, _ symbol: Symbol?, quantity: Quantity? = nil,
    price: Price? = nil, amount: Money? = nil, fee: Money = .zero, currency: Currency? = nil,
    acquired: Day? = nil
  ) {
    world.activities.append(
      Activity(
        id: Int64(world.activities.count + 1), date: entered.date, type: type,
        holding: symbol?.holding, quantity: quantity, price: price, amount: amount, fee: fee,
        currency: currency ?? symbol?.currency ?? Self.dollar, acquired: acquired,
        bookedOn: entered.bookedOn))
  }

  /// Up to twenty units in quarters, or with all twelve decimals; one time in four just what is
  /// held.
  private mutating func makeQuantity(_ symbol: Symbol) -> Quantity {
    let all = held[symbol.rawValue - 1].magnitude
    if random.chance(oneIn: 4), !all.isZero { return all }
    var units = Int128(1 + random.below(80)) * 250_000_000_000
    if isFractional { units += Int128(random.below(100_000_000_000)) }
    return Quantity(units: units)
  }

  private mutating func makePrice() -> Price {
    Price(units: decimal(random.below(1_500_000), 4, of: 12))
  }

  private mutating func makeTrade(_ symbol: Symbol, _ entered: Entered) {
    let quantity = makeQuantity(symbol)
    let isBuy = random.chance(oneIn: 2)
    held[symbol.rawValue - 1] += isBuy ? quantity : -quantity
    log(
      entered, isBuy ? .buy : .sell, symbol, quantity: quantity, price: makePrice(),
      fee: cents(500))
  }

  private mutating func makeTransfer(_ symbol: Symbol, _ entered: Entered) {
    let quantity = makeQuantity(symbol)
    let isIn = random.chance(oneIn: 2)
    let needsAmount = symbol == missing || random.chance(oneIn: 2)
    held[symbol.rawValue - 1] += isIn ? quantity : -quantity
    log(
      entered, isIn ? .transferIn : .transferOut, symbol, quantity: quantity,
      price: random.chance(oneIn: 2) ? makePrice() : nil,
      amount: needsAmount ? cents(500_000) : nil, fee: cents(100),
      acquired: random.chance(oneIn: 2) ? entered.date - random.below(400) : nil)
  }

  private mutating func makeIncome(_ symbol: Symbol, _ entered: Entered) {
    let choices: [ActivityType] =
      world.portfolio.dividendMode == .recorded
      ? [.dividend, .interest, .fee, .tax] : [.interest, .fee, .tax]
    let type = random.pick(choices)
    let amount = cents(20_000)
    let isNegative = type != .dividend && random.chance(oneIn: 4)
    log(
      entered, type, random.chance(oneIn: 3) ? nil : symbol,
      amount: isNegative ? -amount : amount, fee: cents(100),
      currency: random.chance(oneIn: 3) ? Self.pound : nil)
  }

  private mutating func makeCash(_ entered: Entered) {
    let currency = random.pick([Self.dollar, Self.euro, Self.pound])
    if world.portfolio.cashMode == .perCurrency, random.chance(oneIn: 2) {
      log(entered, .exchangeOut, nil, amount: cents(1_000_000), currency: currency)
      log(
        entered, .exchangeIn, nil, amount: cents(1_000_000), fee: cents(200),
        currency: Self.euro)
      return
    }
    log(
      entered, random.chance(oneIn: 3) ? .withdrawal : .deposit, nil, amount: cents(1_000_000),
      fee: cents(100), currency: currency)
  }

  private static let fundFlows: [ActivityType] = [
    .investment, .regularInvestment, .governmentUplift, .productSwitchIn, .withdrawal,
    .regularWithdrawal, .productSwitchOut, .transferIn, .transferOut, .dividend, .interest, .fee,
    .tax,
  ]

  private mutating func makeFundFlow(_ entered: Entered) {
    if entered.bookedOn != nil { hasLateFundFlow = true }
    log(
      entered, random.pick(Self.fundFlows), random.pick(funds), amount: cents(300_000),
      fee: cents(9))
  }

  /// All of what is held expires, or a part.
  private mutating func makeExpiry(_ symbol: Symbol, _ date: Day) {
    let all = held[symbol.rawValue - 1]
    guard !all.isZero, !isWithLate else { return makeSwitch(date) }
    let part = Quantity(units: all.magnitude.units / 4)
    if random.chance(oneIn: 2), !part.isZero {
      held[symbol.rawValue - 1] -= all < .zero ? -part : part
      log(
        Entered(date: date), .expire, symbol, quantity: part,
        price: random.chance(oneIn: 2) ? makePrice() : nil)
    } else {
      held[symbol.rawValue - 1] = .zero
      log(Entered(date: date), .expire, symbol)
    }
  }

  private mutating func makeSwitch(_ date: Day) {
    guard has(.otherFund) else { return }
    let entered = Entered(date: date)
    let first = cents(100_000)
    let second = cents(100_000)
    log(entered, .fundSwitchOut, .fund, amount: first + second)
    log(entered, .fundSwitchIn, .otherFund, amount: first)
    log(entered, .fundSwitchIn, .otherFund, amount: second)
  }
}
