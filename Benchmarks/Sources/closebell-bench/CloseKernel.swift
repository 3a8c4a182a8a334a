import Workloads

/// Pricing and P&L of holdings, from the rows of the last snapshot to those of the next.
enum CloseKernel: Kernel {
  static let name = "close"
  static let title = "a quiet night: pricing, P&L and its parts of one holding of ten"

  static func figures() -> [KernelFigure] {
    [false, true].flatMap { isForeign -> [KernelFigure] in
      guard let quiet = QuietPortfolios(isForeign: isForeign) else { return [] }
      let name = isForeign ? "another currency" : "base currency"
      return [(QuietPortfolios.nights, 200.0), (1, nil)].map { nights, target in
        let holdings = QuietPortfolios.count * QuietPortfolios.holdings
        let times = KernelClock.measure(items: holdings * nights) { quiet.run(nights: nights) }
        return KernelFigure(
          name: "\(name), \(nights == 1 ? "one night" : "a sweep of \(nights)")",
          nanoseconds: times, target: target, parts: nil)
      }
    }
  }
}
