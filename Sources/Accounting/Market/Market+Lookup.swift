extension Market {
  /// The close that values an instrument on a date: the last of the series on or before it.
  ///
  /// A close older than the ex-date of a split or a stock dividend is divided by its ratio (half
  /// to even at twelve decimals), so that the result is always in the units of `date`. Its own date
  /// stays. An action of some portfolios only changes no close.
  /// - Returns: nil where the series has no close on or before the date.
  public func close(
    of instrument: ID<Instrument>, on date: Day
  ) throws(ArithmeticError) -> ClosingPrice? {
    try close(of: instrument, on: date, inUnitsOf: date)
  }

  /// The last close on or before `date`, in the units of a later date.
  func close(
    of instrument: ID<Instrument>, on date: Day, inUnitsOf unitDate: Day
  ) throws(ArithmeticError) -> ClosingPrice? {
    guard let series = closes[instrument] else { return nil }
    let count = series.count(while: { $0.date <= date })
    guard count > 0 else { return nil }
    var close = series[count - 1]
    if close.date == unitDate { return close }
    guard let actions = actions[instrument] else { return close }
    for action in actions where action.exDate > close.date && action.exDate <= unitDate {
      guard action.portfolio == nil, let ratio = action.effect.unitRatio else { continue }
      close.price = try ratio.price(for: close.price)
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
    guard let quotation = quotation(from: from, to: to, on: date) else {
      throw .missingRate(from: from, to: to, date: date)
    }
    let least = quotation.least
    guard least > .zero else {
      throw .invalidRate(from: from, to: to, date: quotation.date, rate: least)
    }
    let rate: Rate
    do throws(ArithmeticError) {
      rate = try quotation.rate()
    } catch {
      throw .arithmetic(subject: "the rate of \(from) in \(to)", date: date, error)
    }
    // A rate so small that twelve decimals do not hold it would make amounts vanish.
    guard rate > .zero else {
      throw .invalidRate(from: from, to: to, date: quotation.date, rate: rate)
    }
    return DatedRate(date: quotation.date, rate: rate)
  }

  /// What a rate between two currencies is formed from; nil where nothing was ever published.
  func quotation(from: Currency, to: Currency, on date: Day) -> RateQuotation? {
    if let direct = published(from, to, on: date) { return .direct(direct) }
    if let inverse = published(to, from, on: date) { return .inverse(inverse) }
    return crossing(from: from, to: to, on: date).map { .cross($0) }
  }

  private func published(_ base: Currency, _ quote: Currency, on date: Day) -> DatedRate? {
    guard let series = rates[CurrencyPair(base: base, quote: quote)] else { return nil }
    let count = series.count(while: { $0.date <= date })
    return count > 0 ? series[count - 1] : nil
  }

  private func crossing(from: Currency, to: Currency, on date: Day) -> RateCrossing? {
    var best: RateCrossing?
    for pair in rates.keys {
      for (end, pivot) in [(pair.base, pair.quote), (pair.quote, pair.base)] where end == from {
        guard let candidate = crossing(from: from, pivot: pivot, to: to, on: date) else { continue }
        if best.map({ candidate.isPreferred(to: $0) }) ?? true { best = candidate }
      }
    }
    return best
  }

  private func crossing(
    from: Currency, pivot: Currency, to: Currency, on date: Day
  ) -> RateCrossing? {
    let quotesFrom = published(pivot, from, on: date)
    let quotesTo = published(pivot, to, on: date)
    if let quotesFrom, let quotesTo {
      return RateCrossing(
        pivot: pivot, first: quotesFrom, isFirstInverse: true, second: quotesTo,
        isSecondInverse: false)
    }
    let fromQuotes = published(from, pivot, on: date)
    let toQuotes = published(to, pivot, on: date)
    guard let first = fromQuotes ?? quotesFrom, let second = quotesTo ?? toQuotes else {
      return nil
    }
    return RateCrossing(
      pivot: pivot, first: first, isFirstInverse: fromQuotes == nil, second: second,
      isSecondInverse: quotesTo == nil)
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
