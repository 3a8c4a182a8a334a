import Accounting

/// Savings plans of monthly deposits, each with a closing value 20 days after the last.
///
/// The same flows for every run: seeded. Closing values make growths from about −30 % to +40 % a
/// year, another for each series.
private struct SavingsPlans {
  static let count = 256

  var days: [Int32] = []
  var amounts: [Double] = []
  var offsets = [0]

  /// - Parameter flows: How many flows a series has, the closing value among them.
  init(flows: Int) {
    var random = SplitMix(seed: UInt64(flows))
    for _ in 0..<Self.count {
      var day = Int32(random.below(2_000))
      var worth = 0.0
      let growth = random.unit() * 0.6 - 0.3
      for _ in 1..<flows {
        let amount = Double(10_000 + random.below(1_000_000)) / 100
        let gap = Int32(28 + random.below(4))
        worth = (worth + amount) * (1 + growth * Double(gap) / 365)
        days.append(day)
        amounts.append(-amount)
        day += gap
      }
      days.append(day)
      amounts.append((worth * 100).rounded() / 100)
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
    [60, 240, 1_000].map { flows in
      let plans = SavingsPlans(flows: flows)
      var random = SplitMix(seed: 5)
      var nights: [(moments: FlowMoments, flows: [DatedFlow], day: Day, value: Double)] = []
      for series in 0..<SavingsPlans.count {
        let history = plans.history(series)
        let last = plans.offsets[series + 1] - 1
        let (day, value) = (Day(number: plans.days[last]), plans.amounts[last])
        let growth = InternalRate.solve(history, closingValue: value, on: day).logGrowth
        nights.append(
          (
            FlowMoments(flows: history, expandedAt: growth ?? 0), history, day + 1,
            value * (0.97 + 0.06 * random.unit())
          ))
      }
      var solver = InternalRateSolver(capacity: flows)
      let times = KernelClock.measure(items: nights.count) {
        var sum = 0.0
        for night in nights {
          let result =
            night.moments.solve(closingValue: night.value, on: night.day)
            ?? solver.solve(night.flows, closingValue: night.value, on: night.day)
          sum += result.logGrowth ?? 1e9
        }
        return sum
      }
      return KernelFigure(name: "history of \(flows) flows", nanoseconds: times, target: 100)
    }
  }
}
