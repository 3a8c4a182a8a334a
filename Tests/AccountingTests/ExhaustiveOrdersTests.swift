import Accounting
import Testing

/// What a position does in the smallest world: prices are multiples of 16, so that units halved
/// up to four times still have exact costs.
private enum Step: CaseIterable {
  case buyOne, buyThree, sellOne, sellThree, transferIn, transferOut, split

  func write(into world: inout BookWorld, on date: String) {
    switch self {
    case .buyOne: world.log(date, .buy, "ACME", "1", at: "160")
    case .buyThree: world.log(date, .buy, "ACME", "3", at: "192")
    case .sellOne: world.log(date, .sell, "ACME", "1", at: "176")
    case .sellThree: world.log(date, .sell, "ACME", "3", at: "144")
    case .transferIn: world.log(date, .transferIn, "ACME", "2", at: "128", amount: "352")
    case .transferOut: world.log(date, .transferOut, "ACME", "2", amount: "320")
    case .split: world.split("ACME", date, "2")
    }
  }
}

/// The same position unit by unit: each lot is one unit, or the part of one that splits made.
private struct UnitLots {
  /// Cost of each open unit; all on one side.
  var costs: [Double] = []
  var isShort = false
  var cash = 0.0
  var realized = 0.0
  let relief: LotRelief

  mutating func move(_ count: Int, at price: Double, cost: Double, isIn: Bool, isTrade: Bool) {
    for _ in 0..<count {
      if isTrade { cash += isIn ? -price : price }
      if costs.isEmpty || isShort != isIn {
        if costs.isEmpty { isShort = !isIn }
        costs.append(cost)
        continue
      }
      let relieved: Double
      switch relief {
      case .fifo: relieved = costs.removeFirst()
      case .lifo: relieved = costs.removeLast()
      case .average:
        relieved = costs.reduce(0, +) / Double(costs.count)
        costs = costs.dropLast().map { _ in relieved }
      }
      if isTrade { realized += isShort ? relieved - price : price - relieved }
    }
  }

  mutating func apply(_ step: Step) {
    switch step {
    case .buyOne: move(1, at: 160, cost: 160, isIn: true, isTrade: true)
    case .buyThree: move(3, at: 192, cost: 192, isIn: true, isTrade: true)
    case .sellOne: move(1, at: 176, cost: 176, isIn: false, isTrade: true)
    case .sellThree: move(3, at: 144, cost: 144, isIn: false, isTrade: true)
    case .transferIn: move(2, at: 176, cost: 128, isIn: true, isTrade: false)
    case .transferOut: move(2, at: 160, cost: 160, isIn: false, isTrade: false)
    case .split: costs = costs.flatMap { [$0 / 2, $0 / 2] }
    }
  }

  var quantity: Double { Double(isShort ? -costs.count : costs.count) }
  var cost: Double { (isShort ? -1 : 1) * costs.reduce(0, +) }
}

@Suite("Every order of up to five steps on one instrument")
struct ExhaustiveOrdersTests {
  private static let dates = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]

  @Test(
    "Quantity, cost, realized gain and cash are those of the same steps unit by unit",
    arguments: LotRelief.allCases)
  func orders(relief: LotRelief) throws {
    var count = 0
    for length in 1...5 {
      for code in 0..<Self.power(Step.allCases.count, length) {
        var rest = code
        var steps: [Step] = []
        for _ in 0..<length {
          steps.append(Step.allCases[rest % Step.allCases.count])
          rest /= Step.allCases.count
        }
        // Once a close a step, once as one gap.
        try check(steps, relief, isGap: false)
        try check(steps, relief, isGap: true)
        count += 1
      }
    }
    #expect(count == 7 + 49 + 343 + 2_401 + 16_807)
  }

  private static func power(_ base: Int, _ exponent: Int) -> Int {
    (0..<exponent).reduce(1) { power, _ in power * base }
  }

  private func check(_ steps: [Step], _ relief: LotRelief, isGap: Bool) throws {
    var world = BookWorld(relief: relief)
    world.hold("ACME")
    world.price("ACME", "2024-01-01", "168")
    var units = UnitLots(relief: relief)
    for (date, step) in zip(Self.dates, steps) {
      step.write(into: &world, on: date)
      units.apply(step)
    }
    var realized = Money.zero
    var profit = Money.zero
    var cash = Money.zero
    var row: HoldingSnapshot?
    for date in isGap ? [Self.dates[steps.count - 1]] : Array(Self.dates[..<steps.count]) {
      let close = try world.close(date)
      realized += close.snapshot.attribution.realized
      profit += close.snapshot.dailyPnL
      cash = close.snapshot.cash
      row = close.holdings.first
    }
    // Thirds of an average cost are rounded to a ten-thousandth, each time.
    let tolerance = relief == .average ? 0.001 : 0
    #expect((row?.quantity.approximate ?? 0) == units.quantity, "\(steps)")
    #expect(abs((row?.costBasis.approximate ?? 0) - units.cost) <= tolerance, "\(steps)")
    #expect(abs(realized.approximate - units.realized) <= tolerance, "\(steps)")
    #expect(cash.approximate == units.cash, "\(steps)")
  }
}
