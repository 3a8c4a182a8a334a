import Glibc

/// A money-weighted return with what it was solved from.
public struct ExplainedIRR: Sendable {
  /// The flows, ascending by date, as the investor sees them: paid in is negative.
  public var flows: [FlowEvent]
  /// What the investment was worth at the close.
  public var closingValue: Money
  /// The date of the close.
  public var date: Day
  /// What the search ended with.
  public var result: IRRResult
  /// How it is annualised.
  public var convention: IRRConvention

  /// A return of these flows.
  public init(
    flows: [FlowEvent], closingValue: Money, date: Day, result: IRRResult,
    convention: IRRConvention
  ) {
    self.flows = flows.sorted { $0.day < $1.day }
    self.closingValue = closingValue
    self.date = date
    self.result = result
    self.convention = convention
  }

  /// The sum of the flows' present values at the growth found, and of their magnitudes; nil
  /// without a growth.
  ///
  /// The first is zero but for the rounding of the growth and of the sum itself.
  public var presentValue: (net: Double, gross: Double)? {
    guard let growth = result.logGrowth, let start = flows.first.map({ unit(of: $0.day) }) else {
      return nil
    }
    var (net, gross) = (0.0, 0.0)
    func add(_ amount: Money, at unit: Int32) {
      let value = amount.approximate * exp(-growth * Double(unit - start) / unitsPerYear)
      net += value
      gross += abs(value)
    }
    for flow in flows { add(flow.amount, at: unit(of: flow.day)) }
    add(closingValue, at: closingUnit)
    return (net, gross)
  }

  private var unitsPerYear: Double { convention == .monthlyNominal ? 12 : 365 }

  private func unit(of day: Day) -> Int32 {
    convention == .monthlyNominal ? InternalRateSolver.month(of: day) : day.number
  }

  private var closingUnit: Int32 {
    convention == .monthlyNominal ? unit(of: date) + 1 : date.number
  }
}

extension PortfolioBook {
  /// The quoted holdings with lots that are not known yet; average cost has none.
  public var holdingsWithoutLots: [ID<Holding>] {
    guard portfolio.lotRelief != .average else { return [] }
    return ledgers.filter { !$0.isValued && !$0.isFuture && !$0.position.areLotsKnown }
      .map(\.holding)
  }
}
