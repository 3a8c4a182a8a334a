/// A return over a period that ends with a close, by three measures; or why there is none.
///
/// Returns are fractions: 0.01 is one per cent.
public struct PeriodReturn: Hashable, Sendable {
  /// Why a measure is missing.
  public enum Reason: String, Sendable {
    /// No close is old enough to begin the period: a shorter one is not shown in its place.
    case beforeFirstClose = "before_first_close"
    /// Within the period a new chain of returns starts: returns across that are not known.
    case indexBreak = "index_break"
    /// The index starts with this very close, so that nothing lies behind it.
    case indexStarts = "index_starts"
    /// An input changed after a close of the period: what it deducted in fees is not known.
    case stale
  }

  /// The date of the close that the return is measured from; nil where there is none.
  public internal(set) var from: Day?
  /// The date of the close that the return is measured to.
  public internal(set) var to: Day
  /// The time-weighted return net of all fees: the daily returns, linked.
  public internal(set) var linked: Double?
  /// `linked` as a rate per year of 365 days; nil for a period of up to a year.
  public internal(set) var annualized: Double?
  /// The same before the fees that are not costs of trading.
  public internal(set) var grossOfFees: Double?
  /// The Modified Dietz return, net of all fees; nil where its base is not positive.
  public internal(set) var modifiedDietz: Double?
  /// Why there is no return; `stale` for a missing gross-of-fees return alone.
  public internal(set) var reason: Reason?
  /// Of the period since inception: whether a new chain of returns started later than the first
  /// close, so that it is told since then.
  public internal(set) var isOfRestartedIndex = false

  /// The days between the two closes.
  public var days: Int? { from.map { to - $0 } }
}

/// What one close says to returns of periods.
public struct PerformanceStep: Hashable, Sendable {
  /// The date of the close.
  public var date: Day
  /// The date of the close that it opened from; nil for the first.
  public var openedFrom: Day?
  /// Closing equity of `openedFrom`; zero for the first.
  public var openingEquity: Money
  /// Equity at the close.
  public var closingEquity: Money
  /// External flows in since the opening, gross.
  public var inflow: Money
  /// External flows out since the opening, gross and positive.
  public var outflow: Money
  /// The return since the opening; nil where there is none.
  public var dailyReturn: Double?
  /// The close that the index counts from.
  public var indexSince: Day
  /// Fees that are not costs of trading, deducted since the opening; in base currency.
  public var managementFees = Money.zero
  /// Whether an input changed after the close was computed.
  public var isStale = false

  /// What a close says.
  public init(
    date: Day, openedFrom: Day?, openingEquity: Money, closingEquity: Money, inflow: Money,
    outflow: Money, dailyReturn: Double?, indexSince: Day
  ) {
    self.date = date
    self.openedFrom = openedFrom
    self.openingEquity = openingEquity
    self.closingEquity = closingEquity
    self.inflow = inflow
    self.outflow = outflow
    self.dailyReturn = dailyReturn
    self.indexSince = indexSince
  }
}

/// A portfolio's closes, one opened from the other, and the returns of periods over them.
public struct PerformanceHistory: Sendable {
  private var steps: [PerformanceStep]
  private let timing: ReturnMeasures.FlowTiming

  /// The closes of a portfolio from its first on.
  ///
  /// - Parameter timing: When in a day its external flows count.
  public init(_ steps: [PerformanceStep], timing: ReturnMeasures.FlowTiming = .inflowsAtStart) {
    self.steps = steps.sorted { $0.date < $1.date }
    self.timing = timing
  }

  /// Says which fees of the closes are not costs of trading.
  ///
  /// - Parameters:
  ///   - fees: The `fee` activities that the portfolio paid in cash; each belongs to the close
  ///     that booked it. One that cannot be converted was never booked: its close is stale.
  ///   - base: The portfolio's base currency.
  ///   - market: The rates of exchange.
  public mutating func add(managementFees fees: [Activity], in base: Currency, at market: Market) {
    for fee in fees {
      let index = steps.count(while: { $0.date < fee.bookingDate })
      guard index < steps.count, let amount = fee.amount else { continue }
      do throws(CloseError) {
        let rate = try market.rate(from: fee.currency, to: base, on: fee.date).rate
        do throws(ArithmeticError) {
          steps[index].managementFees += try convert(amount, at: rate)
        } catch {
          throw .arithmetic(
            subject: ActivityReference(fee).name, date: fee.bookingDate, error)
        }
      } catch {
        steps[index].isStale = true
      }
    }
  }

  /// The return of a period that ends with the last close; nil without a close.
  public func over(_ period: ReturnPeriod) -> PeriodReturn? {
    guard let last = steps.last else { return nil }
    switch period {
    case .daily: return over(after: last.openedFrom ?? dayBefore(last), endingOn: last)
    case .sinceInception: return sinceInception(last)
    default:
      guard let start = period.start(endingOn: last.date) else { return nil }
      return over(after: start, endingOn: last)
    }
  }

  /// The return from the end of a day to the last close; nil without a close after that day.
  public func over(after start: Day) -> PeriodReturn? {
    guard let last = steps.last, last.date > start else { return nil }
    return over(after: start, endingOn: last)
  }

  /// The linked return since `index_since`, which is that of ``ReturnPeriod/sinceInception``
  /// wherever that has one; 0 at a first close without a return of its own.
  ///
  /// It cannot be told by the index: that stays where it was when a new chain starts.
  public var cumulativeReturn: Double? {
    guard let last = steps.last else { return nil }
    let all = sinceInception(last)
    return last.openedFrom == nil && all.reason == .indexStarts ? 0 : all.linked
  }

  private func sinceInception(_ last: PerformanceStep) -> PeriodReturn {
    var result = sinceIndexBegan(last)
    result.isOfRestartedIndex = steps.first.map { isRestarted(since: $0, last) } ?? false
    return result
  }

  /// Whether the chain of the last close is another than the one that the first close began.
  private func isRestarted(since first: PerformanceStep, _ last: PerformanceStep) -> Bool {
    if last.indexSince > first.date { return true }
    // All was lost on the day of the inception, and the next chain counts from its end.
    return first.date < last.date && first.dailyReturn.map { $0 <= -1 } ?? false
  }

  private func sinceIndexBegan(_ last: PerformanceStep) -> PeriodReturn {
    guard let start = steps.first(where: { $0.date == last.indexSince }) else {
      return PeriodReturn(to: last.date, reason: .beforeFirstClose)
    }
    // An inception on the day of the first close has a return of that very day, which is the
    // first of its chain unless it lost everything.
    let isWithin =
      start.openedFrom == nil
      && start.dailyReturn.map { $0 > -1 || start.date == last.date } ?? false
    if !isWithin && start.date == last.date {
      return PeriodReturn(from: last.date, to: last.date, reason: .indexStarts)
    }
    return over(after: isWithin ? dayBefore(start) : start.date, endingOn: last)
  }

  private func dayBefore(_ step: PerformanceStep) -> Day { step.date - 1 }

  private func over(after start: Day, endingOn last: PerformanceStep) -> PeriodReturn {
    var result = PeriodReturn(to: last.date)
    let known = steps.count(while: { $0.date <= start })
    let part = steps[known...]
    guard let first = part.first, let base = base(before: first, start: start) else {
      result.reason = .beforeFirstClose
      return result
    }
    result.from = base
    guard let linked = link(part) else {
      result.reason = .indexBreak
      return result
    }
    result.linked = linked.net
    result.grossOfFees = linked.gross
    result.reason = linked.gross == nil ? .stale : nil
    if last.date > start.adding(years: 1) {
      result.annualized = ReturnMeasures.annualized(linked.net, overDays: last.date - base)
    }
    result.modifiedDietz = modifiedDietz(part, from: base, to: last)
    return result
  }

  /// The date of the close before a period's first; before the first of all there was nothing,
  /// on the evening before it, if it has a return that says so.
  private func base(before first: PerformanceStep, start: Day) -> Day? {
    if let openedFrom = first.openedFrom { return openedFrom }
    guard first.dailyReturn != nil, start >= dayBefore(first) else { return nil }
    return dayBefore(first)
  }

  /// The linked returns of the closes, or nil where a chain breaks; gross nil where one is stale.
  private func link(_ part: ArraySlice<PerformanceStep>) -> (net: Double, gross: Double?)? {
    var net = 1.0
    var gross = 1.0
    for step in part {
      guard let change = step.dailyReturn, net > 0 else { return nil }
      let before = grossReturn(step, change)
      if part.count == 1 { return (change, step.isStale ? nil : before) }
      net = ReturnMeasures.linked(index: net, by: change)
      gross = ReturnMeasures.linked(index: gross, by: before)
    }
    // Beyond a double: the index started again within.
    guard net.isFinite, gross.isFinite else { return nil }
    return (net - 1, part.contains { $0.isStale } ? nil : gross - 1)
  }

  /// A close's return with its fees added back, on the same base.
  private func grossReturn(_ step: PerformanceStep, _ change: Double) -> Double {
    guard !step.managementFees.isZero else { return change }
    let base = ReturnMeasures.base(
      opening: step.openingEquity, inflow: step.inflow, outflow: step.outflow, timing: timing)
    return change + step.managementFees.approximate / base.approximate
  }

  private func modifiedDietz(
    _ part: ArraySlice<PerformanceStep>, from base: Day, to last: PerformanceStep
  ) -> Double? {
    ReturnMeasures.modifiedDietz(
      opening: part.first?.openingEquity ?? .zero, closing: last.closingEquity, from: base,
      to: last.date,
      flows: part.flatMap { [($0.date, $0.inflow), ($0.date, -$0.outflow)] }
        .filter { !$0.1.isZero },
      timing: timing)
  }
}
