/// Working space for internal rates of return, kept from one series to the next.
///
/// A solve allocates nothing once the space has grown to the longest series seen. One solver
/// serves one thread at a time.
public struct InternalRateSolver: ~Copyable {
  /// The series being solved: netted, ascending.
  var series: FlowSeries
  /// Powers of the growth factor, and the two signs apart; see `FlowSums`.
  var sums: FlowSums

  /// A solver with room for series of `capacity` dates; longer ones make it grow.
  public init(capacity: Int = 64) {
    series = FlowSeries(capacity: capacity)
    sums = FlowSums()
  }

  /// Solves one series of flows in any order; see `InternalRate.solve(_:closingValue:on:)`.
  public mutating func solve(
    _ flows: [DatedFlow], closingValue: Double?, on day: Day,
    convention: IRRConvention = .xirrAct365
  ) -> IRRResult {
    solve(
      count: flows.count, flow: { flows[$0] }, closingValue: closingValue, on: day,
      convention: convention)
  }

  /// Solves `count` flows that `flow` gives by index, as they lie wherever the caller keeps them.
  @inline(__always) mutating func solve(
    count: Int, flow: (Int) -> DatedFlow, closingValue: Double?, on day: Day,
    convention: IRRConvention
  ) -> IRRResult {
    let nominal = convention == .monthlyNominal
    let total = closingValue == nil ? count : count + 1
    let closingUnit = nominal ? Self.month(of: day) + 1 : day.number
    let isSorted = series.load(count: total, closing: closingValue) { index in
      guard index < count else { return (closingUnit, closingValue ?? 0) }
      let next = flow(index)
      return (nominal ? Self.month(of: next.day) : next.day.number, next.amount)
    }
    if !isSorted {
      var flows = (0..<count).map { index in
        let next = flow(index)
        return (
          unit: nominal ? Self.month(of: next.day) : next.day.number, amount: next.amount
        )
      }
      if let closingValue { flows.append((closingUnit, closingValue)) }
      flows.sort { $0.unit < $1.unit }
      _ = series.load(count: total, closing: closingValue) { flows[$0] }
    }
    return conclude(unitsPerYear: nominal ? 12 : 365, nominal: nominal)
  }

  /// Months since the year 0: the unit of `monthly_nominal`.
  static func month(of day: Day) -> Int32 {
    let parts = day.parts
    return Int32(parts.year * 12 + parts.month - 1)
  }

  /// Classifies the netted series and solves what can be solved.
  private mutating func conclude(unitsPerYear: Double, nominal: Bool) -> IRRResult {
    guard series.isFinite else { return .incomplete }
    guard series.signChanges > 0 else { return IRRResult(series.statusOfOneSign) }
    let solution: (growth: Double, roots: Int)?
    if series.count == 2 {
      solution = (closedForm(unitsPerYear: unitsPerYear), 1)
    } else if series.signChanges == 1 {
      sums.splitAtChange(of: series)
      let leftSign = series.high[series.count - 1] < 0 ? -1 : 1
      let root = sums.root(startingAt: nil, leftSign: leftSign, unitsPerYear: unitsPerYear)
      solution = (rounded(root, leftSign: leftSign, unitsPerYear: unitsPerYear), 1)
    } else {
      solution = solveIrregular(unitsPerYear: unitsPerYear)
    }
    guard let solution, solution.growth.isFinite else { return IRRResult(.noRoot) }
    return IRRResult(
      growth: solution.growth, roots: solution.roots, span: series.span,
      unitsPerYear: unitsPerYear, nominal: nominal)
  }

  /// The growth between two flows: a logarithm.
  private mutating func closedForm(unitsPerYear: Double) -> Double {
    let ratio = -series.high[1] / series.high[0]
    let years = Double(series.span) / unitsPerYear
    var logarithm = InternalRateKernel.logarithm(ratio)
    // Two netted amounts and their ratio, 1u each; the logarithm, 2u of itself.
    var error = 4 * ulp + 3 * ulp * abs(logarithm)
    if !ratio.isNormal {
      // Amounts 300 orders of magnitude apart: two logarithms.
      let (first, last) = (abs(series.high[0]), abs(series.high[1]))
      logarithm =
        InternalRateKernel.logarithm(last) - InternalRateKernel.logarithm(first)
      error = 1e-12
    }
    let growth = logarithm / years
    return rounded(
      ApproximateRoot(growth: growth, error: error / years + 2 * ulp * abs(growth)),
      leftSign: series.high[1] < 0 ? -1 : 1, unitsPerYear: unitsPerYear)
  }

  /// The grid value of a root left of which the sum of present values has the sign `leftSign`.
  @inline(__always) mutating func rounded(
    _ root: ApproximateRoot, leftSign: Int, unitsPerYear: Double
  ) -> Double {
    GrowthGrid.certain(root.growth, error: root.error)
      ?? decided(root, leftSign: leftSign, unitsPerYear: unitsPerYear)
  }

  /// The grid value where a boundary lies within the error.
  @inline(never) private mutating func decided(
    _ root: ApproximateRoot, leftSign: Int, unitsPerYear: Double
  ) -> Double {
    GrowthGrid.decided(root.growth, error: root.error) { numerator, denominator in
      series.sign(atGrowth: numerator, over: denominator * unitsPerYear) == leftSign
    }
  }
}

/// A growth in a double and a proven bound on its distance from the true root.
struct ApproximateRoot {
  var growth: Double
  var error: Double
}

/// The unit roundoff of a double, 2^−53: half a unit in the last place of 1.
let ulp = 0x1p-53
