/// What a portfolio has earned, or owes, and is not paid yet.
public struct Receivable: Hashable, Sendable {
  /// When it becomes cash.
  public var payDate: Day
  /// What it is paid in.
  public var currency: Currency
  /// In that currency; negative is owed by a short.
  public var amount: Money
  /// In base currency, at the rate of the last close or of the ex-date since.
  public var baseValue: Money

  /// An amount that is paid on a date.
  public init(payDate: Day, currency: Currency, amount: Money, baseValue: Money) {
    self.payDate = payDate
    self.currency = currency
    self.amount = amount
    self.baseValue = baseValue
  }
}

extension [Receivable] {
  /// Ascending by pay date and currency.
  var inOrder: [Receivable] {
    isEmpty ? self : sorted { ($0.payDate, $0.currency) < ($1.payDate, $1.currency) }
  }

  var baseValue: Money { isEmpty ? .zero : reduce(.zero) { $0 + $1.baseValue } }

  /// Adds to what is paid on the same date in the same currency: they are valued together.
  mutating func add(_ other: Receivable) {
    let place = firstIndex { $0.payDate == other.payDate && $0.currency == other.currency }
    guard let place else {
      append(other)
      return
    }
    self[place].amount += other.amount
    self[place].baseValue += other.baseValue
  }
}

extension PortfolioBook {
  /// Pays what is due, and values the rest anew; the currency's effect is the portfolio's.
  ///
  /// What is paid comes to cash at the rate of its pay date.
  mutating func closeReceivables(
    _ totals: inout WindowTotals, _ valuation: inout Valuation, _ sums: inout ClosingSums,
    businessDays: (Day, Day) -> Int, policy: ClosePolicy
  ) throws(CloseError) {
    let new = totals.receivables
    if receivables.isEmpty && new.isEmpty { return }
    var open = receivables
    for receivable in new { open.add(receivable) }
    receivables = []
    for var receivable in open.inOrder where !receivable.amount.isZero {
      let isDue = receivable.payDate <= valuation.date
      let currency = receivable.currency
      let rate =
        isDue
        ? try valuation.market.rate(
          from: currency, to: portfolio.baseCurrency, on: receivable.payDate)
        : try valuation.rate(of: currency)
      let before = receivable.baseValue
      do throws(ArithmeticError) {
        receivable.baseValue = try convert(receivable.amount, at: rate.rate)
        if isDue {
          try totals.receive(
            Worth(local: receivable.amount, base: receivable.baseValue), in: currency)
        }
      } catch {
        throw .arithmetic(
          subject: "receivable in \(currency)", date: valuation.date, error)
      }
      sums.attribution.fx += receivable.baseValue - before
      if isDue { continue }
      receivables.append(receivable)
      sums.receivables += receivable.baseValue
      sums.addCash(
        receivable.baseValue,
        quality: valuation.quality(asOf: rate.date, businessDays: businessDays), policy)
    }
  }
}
