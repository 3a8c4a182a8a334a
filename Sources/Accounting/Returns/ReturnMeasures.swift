import Glibc

/// Returns of periods from returns and flows of their parts.
///
/// Every return is a fraction: 0.01 is one per cent.
public enum ReturnMeasures {
  /// When in a day its external flows count.
  public enum FlowTiming: String, Sendable, CaseIterable {
    /// Inflows at its start, outflows at its end: the default.
    case inflowsAtStart = "inflows_at_start"
    /// All at its start.
    case allAtStart = "all_at_start"
    /// All at its end.
    case allAtEnd = "all_at_end"
  }

  /// The return of a day, or of a gap of days, with flows; nil without a positive base.
  ///
  /// The gain is V − V₀ − in + out under every timing; the timing decides what it is measured
  /// against: V₀ + in, V₀ + in − out, or V₀. Both are taken from the exact amounts.
  ///
  /// - Parameters:
  ///   - opening: The value V₀ at the end of the day before.
  ///   - closing: The value V at its end.
  ///   - inflow: What was paid in, gross, positive.
  ///   - outflow: What was taken out, gross, positive.
  ///   - timing: When the flows count.
  public static func dailyReturn(
    opening: Money, closing: Money, inflow: Money, outflow: Money,
    timing: FlowTiming = .inflowsAtStart
  ) -> Double? {
    let base = base(opening: opening, inflow: inflow, outflow: outflow, timing: timing)
    guard base > .zero else { return nil }
    return (closing - opening - inflow + outflow).approximate / base.approximate
  }

  /// What a day's gain is measured against.
  static func base(
    opening: Money, inflow: Money, outflow: Money, timing: FlowTiming
  ) -> Money {
    switch timing {
    case .inflowsAtStart: opening + inflow
    case .allAtStart: opening + inflow - outflow
    case .allAtEnd: opening
    }
  }

  /// The index after one more return; unchanged without one, and 0 once everything is lost.
  public static func linked(index: Double, by change: Double?) -> Double {
    guard let change else { return index }
    return change <= -1 ? 0 : index * (1 + change)
  }

  /// The Modified Dietz return of a period; nil without a positive base or a day in the period.
  ///
  /// (V − V₀ − Σ F) ÷ (V₀ + Σ w F), with w the part of the period that a flow was in the
  /// portfolio: (days − day of the flow) ÷ days for one at the end of its date, and a day more for
  /// one at its start. Over a single day this is the daily return of the same timing.
  ///
  /// - Parameters:
  ///   - start: The date of the opening value.
  ///   - end: The date of the closing value.
  ///   - flows: External flows after `start` up to `end`: paid in positive, taken out negative.
  ///   - timing: When in their days the flows count; textbooks have them at the end.
  public static func modifiedDietz(
    opening: Money, closing: Money, from start: Day, to end: Day,
    flows: [(day: Day, amount: Money)], timing: FlowTiming = .allAtEnd
  ) -> Double? {
    guard end > start else { return nil }
    let days = Int128(end - start)
    var net = Money.zero
    // Σ amount × days, exact: 10^28 units over three centuries leave room for thousands of flows.
    var weighted = opening.units * days
    for flow in flows {
      precondition(flow.day > start && flow.day <= end, "a flow lies within the period")
      net += flow.amount
      let isAtStart =
        timing == .allAtStart || timing == .inflowsAtStart && flow.amount > .zero
      let daysIn = end - flow.day + (isAtStart ? 1 : 0)
      weighted += flow.amount.units * Int128(daysIn)
    }
    guard weighted > 0 else { return nil }
    return (closing - opening - net).approximate * Double(days) / Money(units: weighted).approximate
  }

  /// A return over days as a rate per year of 365 days; nil up to one year, where a period's own
  /// return is the one to show.
  ///
  /// A loss of everything, or more, is −100 % a year.
  public static func annualized(_ change: Double, overDays days: Int) -> Double? {
    guard days > 365 else { return nil }
    guard change > -1 else { return -1 }
    return expm1(log1p(change) * 365 / Double(days))
  }
}
