/// Prices holdings at one date: looks up closes and rates, and keeps their ages.
struct Valuation {
  let date: Day
  let market: Market
  let baseCurrency: Currency
  /// The rate looked up last: neighbours are often of one currency.
  private var latest: (currency: Currency, rate: DatedRate)
  /// The rates already looked up; a portfolio has few currencies.
  private var rates: [(currency: Currency, rate: DatedRate)] = []
  /// The ages already counted, in business days; carried closes have few dates.
  private var ages: [(date: Day, businessDays: Int)] = []

  init(date: Day, market: Market, baseCurrency: Currency) {
    self.date = date
    self.market = market
    self.baseCurrency = baseCurrency
    latest = (baseCurrency, DatedRate(date: date, rate: .one))
  }

  mutating func rate(of currency: Currency) throws(CloseError) -> DatedRate {
    if currency == latest.currency { return latest.rate }
    if currency == baseCurrency { return DatedRate(date: date, rate: .one) }
    if let known = rates.first(where: { $0.currency == currency }) {
      latest = known
    } else {
      latest = (currency, try market.rate(from: currency, to: baseCurrency, on: date))
      rates.append(latest)
    }
    return latest.rate
  }

  mutating func quality(
    asOf oldest: Day, businessDays: (Day, Day) -> Int
  ) -> PriceQuality {
    if oldest >= date { return .priced }
    if let known = ages.first(where: { $0.date == oldest }) {
      return .carried(businessDays: known.businessDays)
    }
    let age = businessDays(oldest, date)
    ages.append((oldest, age))
    return .carried(businessDays: age)
  }
}

extension HoldingLedger {
  /// Values the holding, books the change of its levels, and starts the next window.
  ///
  /// Adds its row to the sums, unless it was and is flat.
  mutating func close(
    _ valuation: inout Valuation, into sums: inout ClosingSums,
    businessDays: (Day, Day) -> Int, policy: ClosePolicy
  ) throws(CloseError) {
    if isFlat {
      let stated = isValued ? level.priceDate : nil
      if isTouched { sums.add(book(Level(), quality: .priced)) }
      level.priceDate = stated
      return
    }
    let rate = try valuation.rate(of: instrument.currency)
    do throws(ArithmeticError) {
      if isValued {
        let level = try statementLevel(at: rate.rate)
        let quality = level.priceDate.map {
          valuation.quality(asOf: min($0, rate.date), businessDays: businessDays)
        }
        sums.add(book(level, quality: quality ?? .missing), exposure: level.value.base)
        return
      }
      let close = try valuation.market.close(of: instrument.id, on: valuation.date)
      let quality = close.map {
        valuation.quality(asOf: min($0.date, rate.date), businessDays: businessDays)
      }
      let (level, exposure) =
        isFuture
        ? try futureLevel(close, at: rate.rate) : try quotedLevel(close, at: rate.rate)
      let known = quality ?? .missing
      sums.add(book(level, quality: known), exposure: exposure)
      sums.count(known, value: level.value.base, policy)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: valuation.date, error)
    }
  }

  private func quotedLevel(
    _ close: ClosingPrice?, at rate: Rate
  ) throws(ArithmeticError) -> (Level, exposure: Money) {
    var level = Level(price: close?.price, priceDate: close?.date)
    if let price = close?.price {
      let multiplier = instrument.multiplier
      level.value = try localAndBaseValue(
        position.quantity, at: price, multiplier: multiplier, rate: rate)
    } else {
      level.value.local = position.cost.local
      level.value.base = try convert(position.cost.local, at: rate)
    }
    try measureGain(&level, at: rate)
    return (level, level.value.base)
  }

  private func statementLevel(at rate: Rate) throws(ArithmeticError) -> Level {
    var level = Level(priceDate: self.level.priceDate)
    level.value = Worth(local: carriedValue, base: try convert(carriedValue, at: rate))
    try measureGain(&level, at: rate)
    return level
  }

  /// The levels of the gain; the currency's part is the remainder and is not rounded again.
  private func measureGain(_ level: inout Level, at rate: Rate) throws(ArithmeticError) {
    level.unrealized = try convert(level.value.local - position.cost.local, at: rate)
    level.unrealizedFX = level.value.base - position.cost.base - level.unrealized
  }

  /// A settled future is worth nothing: its local value is the notional of its settlement.
  private func futureLevel(
    _ close: ClosingPrice?, at rate: Rate
  ) throws(ArithmeticError) -> (Level, exposure: Money) {
    var level = Level(price: close?.price, priceDate: close?.date)
    level.value.local = position.cost.local
    return (level, try convert(position.cost.local, at: rate))
  }

  /// Books the change of level and makes the row.
  private mutating func book(_ next: Level, quality: PriceQuality) -> HoldingSnapshot {
    attribution.unrealizedChange += next.unrealized - level.unrealized
    attribution.fx += next.unrealizedFX - level.unrealizedFX
    let row = HoldingSnapshot(
      holding: holding, quantity: position.quantity, price: next.price,
      priceDate: next.priceDate, localValue: next.value.local, marketValue: next.value.base,
      localCost: position.cost.local, costBasis: position.cost.base,
      unrealized: next.unrealized, unrealizedFX: next.unrealizedFX,
      dailyPnL: attribution.total, attribution: attribution, quality: quality)
    level = next
    attribution = Attribution()
    isTouched = false
    return row
  }

  /// Settles a future at the date's close: the gain since the last settlement goes to cash.
  ///
  /// Without any close it stays at its price of trade.
  mutating func settleFuture(
    _ valuation: inout Valuation, totals: inout WindowTotals
  ) throws(CloseError) {
    guard isFuture, !position.quantity.isZero else { return }
    let rate = try valuation.rate(of: instrument.currency).rate
    do throws(ArithmeticError) {
      guard let close = try valuation.market.close(of: instrument.id, on: valuation.date) else {
        return
      }
      let notional = try localValue(
        position.quantity, at: close.price, multiplier: instrument.multiplier)
      let gain = notional - position.cost.local
      let worth = Worth(local: gain, base: try convert(gain, at: rate))
      try totals.receive(worth, in: instrument.currency)
      attribution.realized += worth.base
      position.settle(at: notional)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: valuation.date, error)
    }
  }
}
