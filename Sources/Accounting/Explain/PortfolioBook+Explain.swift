extension PortfolioBook {
  /// Closes a copy of the book and tells how every number of the close came about.
  ///
  /// The parameters are those of `close`; for lots to be told, restore them first.
  /// - Throws: What `close` throws.
  public func explain(
    on date: Day, activities: [Activity], statements: [FundStatement], market: Market,
    businessDays: (Day, Day) -> Int, policy: ClosePolicy = ClosePolicy()
  ) throws -> Explanation {
    var closed = self
    let close = try closed.close(
      on: date, activities: activities, statements: statements, market: market,
      businessDays: businessDays, policy: policy)
    let window = window(through: date, market)
    var copy = self
    var totals = try copy.apply(activities, statements, in: window)
    var explanation = Explanation(opening: lastClose.map { reopening(on: $0) }, close: close)
    explanation.cashSteps = try cashSteps(activities, in: window)
    // Once for all holdings: each would look through what happened to all of them.
    let activitiesOf = Dictionary(grouping: activities, by: \.holding)
    let statementsOf = Dictionary(grouping: statements, by: \.holding)
    let legsOf = Dictionary(grouping: totals.legs, by: \.holding)
    for row in close.holdings {
      guard let index = index(of: row.holding) else { continue }
      let writer = HoldingWriter(
        opening: ledgers[index], closed: closed.ledgers[index], row: row, window: window)
      explanation.holdings.append(
        try writer.holding(
          activitiesOf[row.holding] ?? [], statementsOf[row.holding] ?? [],
          legsOf[row.holding] ?? []))
    }
    explanation.holdings.sort { $0.instrument.symbol < $1.instrument.symbol }
    let fx = totals.attribution.fx
    try settleSwitches(&totals)
    explanation.ownAttribution = totals.attribution
    let writer = SumsWriter(
      opening: self, explanation: explanation, switchedFX: totals.attribution.fx - fx,
      window: window)
    try writer.write(&explanation)
    explanation.rates = try RatesUsed(window: window, explanation: explanation).rates()
    return explanation
  }

  private func reopening(on date: Day) -> BookOpening {
    BookOpening(
      date: date, closingEquity: equity, cash: cash, index: chain.index,
      indexSince: chain.since, cumulativePnL: cumulativePnL,
      holdings: ledgers.filter { !$0.isFlat }.map(\.levelRow), cashBalances: balances,
      receivables: receivables)
  }

  /// Each activity of no holding for itself: none depends on another.
  private func cashSteps(
    _ activities: [Activity], in window: Window
  ) throws -> [ExplainedStep] {
    let rows = activities.filter { $0.holding == nil && window.contains($0.bookingDate) }
      .sorted { ($0.bookingDate, $0.date, $0.id) < ($1.bookingDate, $1.date, $1.id) }
    var empty = self
    empty.ledgers = []
    var window = window
    window.reorganisations = []
    return try rows.map { activity in
      var step = ExplainedStep(.activity(activity))
      var book = empty
      step.take(WindowTotals(), try book.apply([activity], [], in: window))
      let entry = try window.entry(activity)
      switch activity.type.traits.kind {
      case .contribution, .exchange:
        try step.transfer(entry, base: portfolio.baseCurrency)
      case .income, .fee, .tax, .trade, .expiry, .transfer, .fundSwitch:
        try step.income(entry, base: portfolio.baseCurrency)
      }
      return step
    }
  }
}

extension HoldingLedger {
  /// What the last close said of the holding.
  var levelRow: HoldingSnapshot {
    HoldingSnapshot(
      holding: holding, quantity: position.quantity, price: level.price,
      priceDate: level.priceDate, localValue: level.value.local, marketValue: level.value.base,
      localCost: position.cost.local, costBasis: position.cost.base,
      unrealized: level.unrealized, unrealizedFX: level.unrealizedFX, dailyPnL: .zero,
      attribution: Attribution(), quality: .priced)
  }
}

/// Every rate of exchange that a window looked up.
struct RatesUsed {
  let window: Window
  let explanation: Explanation

  private struct Question: Hashable {
    var from: Currency
    var date: Day
  }

  func rates() throws -> [ExplainedRate] {
    let base = window.portfolio.baseCurrency
    return try questions.filter { $0.from != base }
      .sorted { ($0.from, $0.date) < ($1.from, $1.date) }
      .compactMap { question in
        guard
          let quotation = window.market.quotation(
            from: question.from, to: base, on: question.date)
        else { return nil }
        return ExplainedRate(
          from: question.from, to: base, date: question.date,
          rate: try window.market.rate(from: question.from, to: base, on: question.date),
          quotation: quotation, formula: try quotation.formula(from: question.from, to: base))
      }
  }

  private var questions: Set<Question> {
    var asked: Set<Question> = []
    func ask(_ activity: Activity) {
      asked.insert(Question(from: activity.currency, date: activity.date))
      if activity.isLate, let opening = window.after {
        asked.insert(Question(from: activity.currency, date: opening))
      }
    }
    for step in explanation.cashSteps {
      if case .activity(let activity) = step.event { ask(activity) }
    }
    for holding in explanation.holdings {
      let currency = holding.instrument.currency
      for step in holding.steps {
        switch step.event {
        case .activity(let activity): ask(activity)
        case .action(let action) where !action.isSplit:
          asked.insert(Question(from: action.effect.currency ?? currency, date: action.exDate))
        case .action, .statement: break
        }
      }
      if !holding.row.quantity.isZero || !holding.row.localValue.isZero {
        asked.insert(Question(from: currency, date: window.through))
      }
    }
    for balance in explanation.close.cashBalances {
      asked.insert(Question(from: balance.currency, date: window.through))
    }
    return asked
  }
}
