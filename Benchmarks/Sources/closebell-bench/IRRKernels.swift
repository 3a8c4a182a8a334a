import Workloads

/// Rates found from all flows, nothing known before.
enum ColdIRRKernel: Kernel {
  static let name = "irr-cold"
  static let title = "internal rate of return from all flows: netting, classification, rounding"

  static func figures() -> [KernelFigure] {
    [(2, 80), (10, 200), (60, nil), (240, 1_200), (1_000, 5_000)].map { flows, target in
      let plans = SavingsPlans(flows: flows)
      let times = KernelClock.measure(items: SavingsPlans.count) { plans.solve() }
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
      let plans = ResumedPlans(flows: flows)
      let times = KernelClock.measure(items: SavingsPlans.count) { plans.solve() }
      return KernelFigure(name: "history of \(flows) flows", nanoseconds: times, target: 100)
    }
  }
}
