extension PortfolioBook {
  /// Applies the activities, statements and corporate actions of a window to all holdings.
  mutating func run(
    _ activities: [Activity], _ statements: [FundStatement], in window: Window
  ) throws(CloseError) -> WindowTotals {
    var totals = WindowTotals()
    let rows = try ordered(activities, in: window)
    let statements = try ordered(statements, in: window)
    var row = 0
    while row < rows.count, rows[row].ledger < 0 {
      let entry = try window.entry(rows[row].activity)
      try applyToCash(entry, totals: &totals)
      row += 1
    }
    let sorted = rows.map(\.activity)
    var statement = 0
    for index in ledgers.indices {
      let firstRow = row
      while row < rows.count, rows[row].ledger == index { row += 1 }
      let firstStatement = statement
      while statement < statements.count, statements[statement].holding == ledgers[index].holding {
        statement += 1
      }
      if firstRow == row, firstStatement == statement,
        ledgers[index].position.quantity.isZero
          || !window.hasActions(of: ledgers[index].instrument.id)
      {
        continue
      }
      try ledgers[index].run(
        sorted[firstRow..<row], statements[firstStatement..<statement], in: window,
        totals: &totals)
    }
    return totals
  }

  /// The activities of the window, by holding (cash first), booking date, date and key.
  private func ordered(
    _ activities: [Activity], in window: Window
  ) throws(CloseError) -> [(ledger: Int, activity: Activity)] {
    var rows: [(ledger: Int, activity: Activity)] = []
    for activity in activities {
      guard window.contains(activity.bookingDate) else { continue }
      var ledger = -1
      if let holding = activity.holding {
        guard let index = index(of: holding) else {
          throw .unknownHolding(holding, date: activity.date)
        }
        ledger = index
      }
      guard activity.fee >= .zero else { throw .wrongSign(reference(activity), "fee") }
      guard activity.date >= portfolio.inception else {
        throw .beforeInception(reference(activity), inception: portfolio.inception)
      }
      rows.append((ledger, activity))
    }
    rows.sort {
      ($0.ledger, $0.activity.bookingDate, $0.activity.date, $0.activity.id)
        < ($1.ledger, $1.activity.bookingDate, $1.activity.date, $1.activity.id)
    }
    for (row, next) in zip(rows, rows.dropFirst())
    where (row.ledger, row.activity.date, row.activity.id)
      == (next.ledger, next.activity.date, next.activity.id)
    {
      throw .duplicateActivity(reference(next.activity))
    }
    return rows
  }

  /// An activity as an error names it, by its holding's symbol.
  private func reference(_ activity: Activity) -> ActivityReference {
    let index = activity.holding.flatMap { self.index(of: $0) }
    return ActivityReference(activity, symbol: index.map { ledgers[$0].instrument.symbol })
  }

  private func ordered(
    _ statements: [FundStatement], in window: Window
  ) throws(CloseError) -> [FundStatement] {
    var rows = statements.filter { window.contains($0.date) }
    rows.sort { ($0.holding, $0.date) < ($1.holding, $1.date) }
    var previous: FundStatement?
    for row in rows {
      guard let index = index(of: row.holding) else {
        throw .unknownHolding(row.holding, date: row.date)
      }
      let symbol = ledgers[index].instrument.symbol
      guard row.value >= .zero else {
        throw .negativeStatement(symbol: symbol, date: row.date, value: row.value)
      }
      if let previous, (previous.holding, previous.date) == (row.holding, row.date) {
        throw .duplicateStatement(symbol: symbol, date: row.date)
      }
      previous = row
    }
    return rows
  }

  /// Applies an activity that concerns no holding.
  private func applyToCash(
    _ entry: Entry, totals: inout WindowTotals
  ) throws(CloseError) {
    let activity = entry.activity
    let reference = ActivityReference(activity)
    switch activity.type {
    case .deposit, .withdrawal:
      let amount = try entry.amount(reference)
      let flow = activity.type == .deposit ? amount : -amount
      try receive(flow, entry, totals: &totals)
      totals.externalFlow(flow.base, on: entry.day)
    case .exchangeOut, .exchangeIn:
      guard portfolio.cashMode == .perCurrency else {
        throw .notAllowed(reference, .needsCurrencyCash)
      }
      let amount = try entry.amount(reference)
      let leg = activity.type == .exchangeIn ? amount : -amount
      try receive(leg, entry, totals: &totals)
      // The two legs sum to what the exchange gained or lost against the date's rates.
      totals.attribution.book(fx: leg.base, isLate: entry.isLate)
    case .dividend, .interest, .fee, .tax:
      let amount = try entry.amount(reference)
      try totals.bookCash(entry, amount)
    case .buy, .sell, .expire, .transferIn, .transferOut, .investment, .regularInvestment,
      .governmentUplift, .productSwitchIn, .regularWithdrawal, .productSwitchOut, .fundSwitchIn,
      .fundSwitchOut:
      throw .notAllowed(reference, .needsHolding)
    }
  }

  /// Receives cash, and pays the activity's own fee.
  private func receive(
    _ amount: Worth, _ entry: Entry, totals: inout WindowTotals
  ) throws(CloseError) {
    let activity = entry.activity
    do throws(ArithmeticError) {
      let fee = try entry.worth(activity.fee)
      try totals.receive(
        amount, in: activity.currency, lateRate: entry.lateCashRate)
      try totals.receive(-fee, in: activity.currency, lateRate: entry.lateCashRate)
      totals.attribution.book(fees: fee.base, isLate: entry.isLate)
    } catch {
      throw .arithmetic(
        subject: ActivityReference(activity).name, date: entry.day, error)
    }
  }

  /// The legs of a date and currency must net to zero: they are flows between funds.
  ///
  /// Each leg is rounded by itself on the way to base currency; what that leaves is the
  /// currency's effect on the portfolio.
  func settleSwitches(_ totals: inout WindowTotals) throws(CloseError) {
    var legs = totals.switches[...]
    legs.sort { ($0.date, $0.currency) < ($1.date, $1.currency) }
    while let first = legs.first {
      let group = legs.prefix { $0.date == first.date && $0.currency == first.currency }
      let sum = group.reduce(Worth.zero) { $0 + $1.amount }
      guard sum.local.isZero else {
        throw .switchesDoNotNet(
          date: first.date, currency: first.currency,
          into: CloseError.SwitchSide(of: group.filter { $0.amount.local > .zero }),
          outOf: CloseError.SwitchSide(of: group.filter { $0.amount.local < .zero }))
      }
      totals.attribution.fx += sum.base
      legs = legs.dropFirst(group.count)
    }
  }
}

extension CloseError.SwitchSide {
  fileprivate init(of legs: [SwitchLeg]) {
    symbols = legs.map(\.symbol)
    amount = legs.reduce(Money.zero) { $0 + $1.amount.local }.magnitude
  }
}

extension WindowTotals {
  /// Books income or a cost of no holding.
  fileprivate mutating func bookCash(
    _ entry: Entry, _ amount: Worth
  ) throws(CloseError) {
    var booked = Attribution()
    _ = try booked.bookIncome(entry, amount, totals: &self)
    attribution += booked
  }
}
