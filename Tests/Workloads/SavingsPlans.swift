internal import Accounting

/// Savings plans: deposits that grow by 8 % a year, and a closing value between 0.6 and 1.4 times
/// what they grew to.
public struct SavingsPlans: Sendable {
  /// How many series there are.
  public static let count = 256

  private var days: [Int32] = []
  private var amounts: [Double] = []
  private var offsets = [0]

  /// The same series each time.
  ///
  /// - Parameter flows: How many flows a series has, the closing value among them: monthly up to
  ///   240, else every 14 days.
  public init(flows: Int) {
    var random = SplitMix(seed: UInt64(flows))
    for _ in 0..<Self.count {
      var day = Int32(random.below(2_000))
      var worth = 0.0
      for _ in 1..<flows {
        let amount = Double(10_000 + random.below(1_000_000)) / 100
        let gap = flows <= 240 ? Int32(28 + random.below(4)) : 14
        worth = (worth + amount) * (1 + 0.08 * Double(gap) / 365)
        days.append(day)
        amounts.append(-amount)
        day += gap
      }
      days.append(day)
      amounts.append((worth * (0.6 + 0.8 * random.unit()) * 100).rounded() / 100)
      offsets.append(days.count)
    }
  }

  /// A series without its closing value.
  func history(_ series: Int) -> [DatedFlow] {
    (offsets[series]..<offsets[series + 1] - 1).map {
      DatedFlow(day: Day(number: days[$0]), amount: amounts[$0])
    }
  }

  /// A series' closing value and its day.
  func closing(_ series: Int) -> DatedFlow {
    let last = offsets[series + 1] - 1
    return DatedFlow(day: Day(number: days[last]), amount: amounts[last])
  }

  /// Finds every series' rate from all its flows; the sum of the rates.
  public func solve() -> Double {
    InternalRate.solve(many: days, amounts: amounts, offsets: offsets, on: Day(number: 0))
      .reduce(0) { $0 + ($1.logGrowth ?? 1e9) }
  }
}

/// Savings plans a night on: their moments are known, and a closing value within ±3 % of the last.
public struct ResumedPlans: Sendable {
  private let flows: Int
  private let plans: SavingsPlans
  private var moments: [FlowMoments] = []
  private var nights: [DatedFlow] = []

  /// The same series each time.
  ///
  /// - Parameter flows: How many flows a series has, the last closing value among them.
  public init(flows: Int) {
    self.flows = flows
    plans = SavingsPlans(flows: flows)
    var random = SplitMix(seed: 5)
    for series in 0..<SavingsPlans.count {
      let history = plans.history(series)
      let closing = plans.closing(series)
      let growth = InternalRate.solve(
        history, closingValue: closing.amount, on: closing.day
      ).logGrowth
      moments.append(FlowMoments(flows: history, expandedAt: growth ?? 0))
      nights.append(
        DatedFlow(day: closing.day + 1, amount: closing.amount * (0.97 + 0.06 * random.unit())))
    }
  }

  /// Finds every series' rate from its moments, from all flows where they cannot tell; the sum of
  /// the rates.
  public func solve() -> Double {
    var solver = InternalRateSolver(capacity: flows)
    var sum = 0.0
    for (series, night) in nights.enumerated() {
      let result =
        moments[series].solve(closingValue: night.amount, on: night.day)
        ?? solver.solve(plans.history(series), closingValue: night.amount, on: night.day)
      sum += result.logGrowth ?? 1e9
    }
    return sum
  }
}
