extension PortfolioBook {
  /// Closes the book on a date: applies what happened since the last close and values everything.
  ///
  /// The P&L of a gap is booked when the gap ends; each activity counts at its own date's rate.
  /// Calls precondition that the book did not throw before.
  /// - Parameters:
  ///   - date: After the last close; for the first one on or after the inception.
  ///   - activities: In any order; those booked in (last close, `date`] count, others are left
  ///     aside.
  ///   - statements: Of valued holdings; those of the same dates count.
  ///   - market: Closes of the dates and the last before them, all rates, all corporate actions.
  ///   - businessDays: The number of business days after the first date up to and including the
  ///     second.
  ///   - policy: When the close is called degraded.
  /// - Throws: Why the date cannot be closed; nothing is half-booked, but the book is spent.
  public mutating func close(
    on date: Day, activities: [Activity], statements: [FundStatement], market: Market,
    businessDays: (Day, Day) -> Int, policy: ClosePolicy = ClosePolicy()
  ) throws(CloseError) -> BookClose {
    precondition(!isSpent, "a book that threw is opened again")
    isSpent = true
    if let openingFault { throw openingFault }
    guard date >= portfolio.inception, lastClose.map({ date > $0 }) ?? true else {
      throw .outOfOrder(date: date, lastClose: lastClose)
    }
    var totals = try apply(activities, statements, in: window(through: date, market))
    try settleSwitches(&totals)
    var valuation = Valuation(
      date: date, market: market, baseCurrency: portfolio.baseCurrency)
    for index in ledgers.indices {
      try ledgers[index].settleFuture(&valuation, totals: &totals)
    }
    var sums = ClosingSums(date: date, attribution: totals.attribution)
    try closeHoldings(&valuation, &sums, businessDays: businessDays, policy: policy)
    try closeReceivables(
      &totals, &valuation, &sums, businessDays: businessDays, policy: policy)
    try closeCash(totals, &valuation, &sums, businessDays: businessDays, policy: policy)
    try requireRoom(sums, totals)
    let snapshot = book(sums, totals, policy: policy)
    isSpent = false
    return BookClose(
      snapshot: snapshot, holdings: sums.rows, cashBalances: balances, flows: totals.flows,
      receivables: receivables)
  }

  private mutating func closeHoldings(
    _ valuation: inout Valuation, _ sums: inout ClosingSums, businessDays: (Day, Day) -> Int,
    policy: ClosePolicy
  ) throws(CloseError) {
    sums.rows.reserveCapacity(ledgers.count)
    for index in ledgers.indices {
      try ledgers[index].close(
        &valuation, into: &sums, businessDays: businessDays, policy: policy)
    }
  }

  /// Adds the window's cash, revalues the balances, and finds the currency's effect on them.
  private mutating func closeCash(
    _ totals: WindowTotals, _ valuation: inout Valuation, _ sums: inout ClosingSums,
    businessDays: (Day, Day) -> Int, policy: ClosePolicy
  ) throws(CloseError) {
    guard portfolio.cashMode == .perCurrency else {
      cash += totals.baseCash
      return
    }
    var next: [CashBalance] = balances
    for change in totals.cash where change.payDate == nil {
      let index = next.count(while: { $0.currency < change.currency })
      if index == next.count || next[index].currency != change.currency {
        next.insert(
          CashBalance(currency: change.currency, balance: .zero, baseValue: .zero), at: index)
      }
      next[index].balance += change.local
      sums.attribution.fx -= change.base
    }
    for index in next.indices {
      sums.attribution.fx -= next[index].baseValue
      guard !next[index].balance.isZero else {
        next[index].baseValue = .zero
        continue
      }
      let rate = try valuation.rate(of: next[index].currency)
      do throws(ArithmeticError) {
        next[index].baseValue = try convert(next[index].balance, at: rate.rate)
      } catch {
        throw .arithmetic(
          subject: "cash in \(next[index].currency)", date: valuation.date, error)
      }
      sums.attribution.fx += next[index].baseValue
      sums.addCash(
        next[index].baseValue,
        quality: valuation.quality(asOf: rate.date, businessDays: businessDays), policy)
    }
    balances = next.filter { !$0.balance.isZero }
    cash = balances.reduce(.zero) { $0 + $1.baseValue }
  }

  /// Makes the snapshot, checks the identities, and moves the book to its date.
  private mutating func book(
    _ sums: ClosingSums, _ totals: WindowTotals, policy: ClosePolicy
  ) -> Snapshot {
    let opening = equity
    let profit = sums.attribution.total
    let closing = sums.longValue + sums.shortValue + cash + sums.receivables
    precondition(
      closing == opening + profit + totals.inflow - totals.outflow,
      "closing equity = opening equity + daily P&L + net external flow")
    let isChained = lastClose != nil || sums.date == portfolio.inception
    var dailyReturn: Double?
    if let lastClose {
      dailyReturn = chain.link(
        opening: opening, closing: closing, inflow: totals.inflow, outflow: totals.outflow,
        timing: portfolio.flowTiming, from: lastClose, to: sums.date)
    } else {
      // The index starts at the first close; only an inception on that very date has a return
      // of its own, which is then its first link.
      chain = ReturnChain(index: 1, since: sums.date)
      if isChained {
        dailyReturn = chain.link(
          opening: opening, closing: closing, inflow: totals.inflow, outflow: totals.outflow,
          timing: portfolio.flowTiming, from: sums.date, to: sums.date)
      }
    }
    cumulativePnL += profit
    let snapshot = Snapshot(
      date: sums.date, openedFrom: lastClose, openingEquity: opening, inflow: totals.inflow,
      outflow: totals.outflow, dailyPnL: profit, attribution: sums.attribution,
      unrealizedPnL: sums.unrealized, closingEquity: closing, cash: cash,
      longValue: sums.longValue, shortValue: sums.shortValue,
      grossExposure: sums.grossExposure, netExposure: sums.netExposure,
      dailyReturn: dailyReturn, index: chain.index, indexSince: chain.since,
      cumulativePnL: cumulativePnL, pricedCount: sums.pricedCount,
      carriedCount: sums.carriedCount, missingCount: sums.missingCount,
      maxCarriedDays: sums.maxCarriedDays, isDegraded: sums.isDegraded(by: policy),
      receivables: sums.receivables)
    equity = closing
    lastClose = sums.date
    return snapshot
  }
}

/// What a close sums over holdings and balances.
struct ClosingSums {
  let date: Day
  var attribution: Attribution
  var rows: [HoldingSnapshot] = []
  var unrealized = Money.zero
  var longValue = Money.zero
  var shortValue = Money.zero
  var grossExposure = Money.zero
  var netExposure = Money.zero
  var receivables = Money.zero
  var pricedCount = 0
  var carriedCount = 0
  var missingCount = 0
  var maxCarriedDays = 0
  /// Whether the rows' amounts fit.
  private(set) var room = RangeCheck()
  /// How many values are older than the policy allows, or at cost; and their gross value.
  private var doubtfulCount = 0
  private var doubtfulValue = Money.zero
  private var grossValue = Money.zero

  init(date: Day, attribution: Attribution) {
    self.date = date
    self.attribution = attribution
  }

  /// Adds a row; its exposure is the market value, or a future's notional.
  mutating func add(_ row: HoldingSnapshot, exposure: Money = .zero) {
    precondition(
      row.marketValue == row.costBasis + row.unrealized + row.unrealizedFX,
      "market value = cost basis + unrealized + its currency part")
    rows.append(row)
    row.forEachAmount { room.take($0) }
    attribution += row.attribution
    unrealized += row.unrealized
    if row.marketValue < .zero {
      shortValue += row.marketValue
    } else {
      longValue += row.marketValue
    }
    grossExposure += exposure.magnitude
    netExposure += exposure
    grossValue += exposure.magnitude
  }

  /// Counts an open quoted holding by its close.
  ///
  /// A statement is no price: how old it may be is a question of the IRR, not of degradation.
  mutating func count(_ quality: PriceQuality, value: Money, _ policy: ClosePolicy) {
    var isDoubtful = false
    switch quality {
    case .priced: pricedCount += 1
    case .carried(let days):
      carriedCount += 1
      maxCarriedDays = max(maxCarriedDays, days)
      isDoubtful = days > policy.maxCarriedBusinessDays
    case .missing:
      missingCount += 1
      isDoubtful = true
    }
    guard isDoubtful else { return }
    doubtfulCount += 1
    doubtfulValue += value.magnitude
  }

  mutating func addCash(_ value: Money, quality: PriceQuality, _ policy: ClosePolicy) {
    grossValue += value.magnitude
    guard case .carried(let days) = quality else { return }
    maxCarriedDays = max(maxCarriedDays, days)
    guard days > policy.maxCarriedBusinessDays else { return }
    doubtfulCount += 1
    doubtfulValue += value.magnitude
  }

  func isDegraded(by policy: ClosePolicy) -> Bool {
    if doubtfulCount == 0 { return false }
    if policy.maxDegradedShare <= 0 || grossValue.isZero { return true }
    return doubtfulValue.approximate / grossValue.approximate > policy.maxDegradedShare
  }
}
