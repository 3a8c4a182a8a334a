import Accounting

/// Savings plans: deposits that grow by 8 % a year, and a closing value between 0.6 and 1.4 times
/// what they grew to; seeded, so that every run has the same flows.
private struct SavingsPlans {
  static let count = 256

  var days: [Int32] = []
  var amounts: [Double] = []
  var offsets = [0]

  /// - Parameter flows: How many flows a series has, the closing value among them: monthly up to
  ///   240, else every 14 days.
  init(flows: Int) {
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
}

/// Rates found from all flows, nothing known before.
enum ColdIRRKernel: Kernel {
  static let name = "irr-cold"
  static let title = "internal rate of return from all flows: netting, classification, rounding"

  static func figures() -> [KernelFigure] {
    [(2, 80), (10, 200), (60, nil), (240, 1_200), (1_000, 5_000)].map { flows, target in
      let plans = SavingsPlans(flows: flows)
      let times = KernelClock.measure(items: SavingsPlans.count) {
        InternalRate.solve(
          many: plans.days, amounts: plans.amounts, offsets: plans.offsets, on: Day(number: 0)
        ).reduce(0) { $0 + ($1.logGrowth ?? 1e9) }
      }
      return KernelFigure(
        name: "\(flows) flows", nanoseconds: times, target: target, parts: flows)
    }
  }
}

/// Rates found from the moments of a history, for closing values within ±3 % of the last.
enum WarmIRRKernel: Kernel {
  static let name = "irr-warm"
  static let title = "the next night's rate, from stored moments (all flows where they cannot tell)"

  static func figures() -> [KernelFigure] {
    [12, 60, 240, 1_000].map { flows in
      let plans = SavingsPlans(flows: flows)
      var random = SplitMix(seed: 5)
      var moments: [FlowMoments] = []
      var nights: [(day: Day, value: Double)] = []
      for series in 0..<SavingsPlans.count {
        let history = plans.history(series)
        let last = plans.offsets[series + 1] - 1
        let (day, value) = (Day(number: plans.days[last]), plans.amounts[last])
        let growth = InternalRate.solve(history, closingValue: value, on: day).logGrowth
        moments.append(FlowMoments(flows: history, expandedAt: growth ?? 0))
        nights.append((day + 1, value * (0.97 + 0.06 * random.unit())))
      }
      var solver = InternalRateSolver(capacity: flows)
      let times = KernelClock.measure(items: nights.count) {
        var sum = 0.0
        for (series, night) in nights.enumerated() {
          let result =
            moments[series].solve(closingValue: night.value, on: night.day)
            ?? solver.solve(plans.history(series), closingValue: night.value, on: night.day)
          sum += result.logGrowth ?? 1e9
        }
        return sum
      }
      return KernelFigure(name: "history of \(flows) flows", nanoseconds: times, target: 100)
    }
  }
}
