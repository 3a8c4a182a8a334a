extension Market {
  /// The close that values an instrument on a date: the last of the series on or before it.
  ///
  /// A close older than a split's ex-date is divided by the ratio (half to even at twelve
  /// decimals), so that the result is always in the units of `date`. Its own date stays.
  /// - Returns: nil where the series has no close on or before the date.
  public func close(
    of instrument: ID<Instrument>, on date: Day
  ) throws(ArithmeticError) -> Close? {
    try close(of: instrument, on: date, inUnitsOf: date)
  }

  /// The last close on or before `date`, in the units of a later date.
  func close(
    of instrument: ID<Instrument>, on date: Day, inUnitsOf unitDate: Day
  ) throws(ArithmeticError) -> Close? {
    guard let series = closes[instrument] else { return nil }
    let count = series.count(while: { $0.date <= date })
    guard count > 0 else { return nil }
    var close = series[count - 1]
    if close.date == unitDate { return close }
    guard let actions = actions[instrument] else { return close }
    for action in actions where action.exDate > close.date && action.exDate <= unitDate {
      guard case .split(let ratio) = action.effect else { continue }
      close.price = try close.price.divided(by: ratio)
    }
    return close
  }

  /// The exchange rate on a date: 1 `from` = rate `to`, and the date of its publication.
  ///
  /// The last published on or before the date: the pair itself, else its inverse, else the cross
  /// through a third currency; a third currency that quotes both is preferred, then the newest
  /// rates, then the alphabet. An inverse or a cross is rounded once, half to even, at twelve
  /// decimals, and is as old as its older part. A currency against itself is 1, of the date.
  /// - Throws: `CloseError.missingRate` where nothing was ever published,
  ///   `invalidRate` where what was is not positive.
  public func rate(
    from: Currency, to: Currency, on date: Day
  ) throws(CloseError) -> DatedRate {
    if from == to { return DatedRate(date: date, rate: .one) }
    let found: DatedRate?
    do throws(ArithmeticError) {
      if let direct = published(from, to, on: date) {
        found = direct
      } else if let inverse = published(to, from, on: date) {
        found = DatedRate(date: inverse.date, rate: try Rate.one.divided(by: inverse.rate))
      } else {
        found = try cross(from: from, to: to, on: date)
      }
    } catch {
      throw .arithmetic(subject: "the rate of \(from) in \(to)", date: date, error)
    }
    guard let found else { throw .missingRate(from: from, to: to, date: date) }
    // A rate so small that twelve decimals do not hold it would make amounts vanish.
    guard found.rate > .zero else {
      throw .invalidRate(from: from, to: to, date: found.date, rate: found.rate)
    }
    return found
  }

  private func published(_ base: Currency, _ quote: Currency, on date: Day) -> DatedRate? {
    guard let series = rates[CurrencyPair(base: base, quote: quote)] else { return nil }
    let count = series.count(while: { $0.date <= date })
    return count > 0 ? series[count - 1] : nil
  }

  private func cross(
    from: Currency, to: Currency, on date: Day
  ) throws(ArithmeticError) -> DatedRate? {
    var best: Crossing?
    for pair in rates.keys {
      for (end, pivot) in [(pair.base, pair.quote), (pair.quote, pair.base)] where end == from {
        guard let candidate = crossing(from: from, pivot: pivot, to: to, on: date) else { continue }
        if best.map({ candidate.isPreferred(to: $0) }) ?? true { best = candidate }
      }
    }
    guard let best else { return nil }
    return DatedRate(date: best.date, rate: try best.rate())
  }

  private func crossing(
    from: Currency, pivot: Currency, to: Currency, on date: Day
  ) -> Crossing? {
    let quotesFrom = published(pivot, from, on: date)
    let quotesTo = published(pivot, to, on: date)
    if let quotesFrom, let quotesTo {
      return Crossing(
        pivot: pivot, first: quotesFrom, isFirstInverse: true, second: quotesTo,
        isSecondInverse: false)
    }
    let fromQuotes = published(from, pivot, on: date)
    let toQuotes = published(to, pivot, on: date)
    guard let first = fromQuotes ?? quotesFrom, let second = quotesTo ?? toQuotes else {
      return nil
    }
    return Crossing(
      pivot: pivot, first: first, isFirstInverse: fromQuotes == nil, second: second,
      isSecondInverse: quotesTo == nil)
  }
}

/// Two published rates that meet in a third currency.
private struct Crossing {
  let pivot: Currency
  /// Between the first currency and the pivot.
  let first: DatedRate
  let isFirstInverse: Bool
  /// Between the pivot and the second currency.
  let second: DatedRate
  let isSecondInverse: Bool

  var date: Day { min(first.date, second.date) }
  private var pivotQuotesBoth: Bool { isFirstInverse && !isSecondInverse }

  func isPreferred(to other: Crossing) -> Bool {
    if pivotQuotesBoth != other.pivotQuotesBoth { return pivotQuotesBoth }
    if date != other.date { return date > other.date }
    return pivot < other.pivot
  }

  func rate() throws(ArithmeticError) -> Rate {
    switch (isFirstInverse, isSecondInverse) {
    case (true, false): return try second.rate.divided(by: first.rate)
    case (false, true): return try first.rate.divided(by: second.rate)
    case (false, false): return try first.rate.scaled(by: second.rate)
    case (true, true):
      let (product, isWide) = first.rate.units.multipliedReportingOverflow(by: second.rate.units)
      guard !isWide else { throw .overflow }
      return Rate(units: try rounded(powerOfTen(36), times: 1, over: product))
    }
  }
}

extension Array {
  /// The number of leading elements that satisfy a condition which, once false, stays false.
  ///
  /// - Complexity: O(log distance from the end), since the newest elements are asked for most.
  func count(while isBefore: (Element) -> Bool) -> Int {
    var high = count
    var step = 1
    var low = high
    while low > 0, !isBefore(self[low - 1]) {
      high = low - 1
      low = Swift.max(0, low - step)
      step *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
