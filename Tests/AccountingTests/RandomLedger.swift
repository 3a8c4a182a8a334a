import Accounting

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func chance(oneIn count: Int) -> Bool { below(count) == 0 }
  mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}

/// A random portfolio over three weeks in which everything may happen that the rules allow.
struct RandomLedger {
  var world: BookWorld
  /// The dates to close, ascending; the others are gaps.
  var closingDates: [Day] = []
  private(set) var hasLateFundFlow = false
  var hasMissingPrice: Bool { missing != nil }

  private var random: SeededGenerator
  /// The symbol that never had a close.
  private var missing: String?
  /// Signed units as far as the generator needs them, to know what can expire.
  private var held: [ID<Holding>: Double] = [:]
  private let firstDay = Day.iso("2024-03-01")
  private let isWithLate: Bool
  private let quoted = ["AAA", "BBB", "CCC", "OPT", "BOND", "FUT"]
  private let funds = ["F1", "F2", "F3"]

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    isWithLate = random.chance(oneIn: 3)
    world = BookWorld(
      base: "USD", inception: "2024-03-01", relief: random.pick(LotRelief.allCases),
      cash: random.pick(CashMode.allCases), dividends: random.pick(DividendMode.allCases))
    world.hold("AAA")
    world.hold("BBB", "EUR")
    world.hold("CCC", "GBP")
    world.hold("OPT", kind: .option, multiplier: "100")
    world.hold("BOND", "EUR", kind: .bond, multiplier: "0.01")
    world.hold("FUT", kind: .future, multiplier: "50")
    world.hold("F1", kind: .fund, pricing: .valued)
    world.hold("F2", kind: .fund, pricing: .valued)
    world.hold("F3", "EUR", kind: .fund, pricing: .valued)
    makeMarket()
    for offset in 0..<21 {
      let date = firstDay + offset
      makeActions(on: date)
      for _ in 0..<random.below(4) { makeActivity(on: date) }
      makeStatements(on: date)
      if !random.chance(oneIn: 3) { closingDates.append(date) }
    }
    if closingDates.isEmpty { closingDates = [firstDay + 20] }
  }

  private mutating func makeMarket() {
    var euro = 110_000
    var pound = 85_000
    missing = random.chance(oneIn: 4) ? random.pick(quoted) : nil
    var prices = quoted.map { _ in 5_000 + random.below(10_000) }
    for offset in -1..<21 {
      let date = (firstDay + offset).description
      euro += random.below(2_001) - 1_000
      pound += random.below(1_001) - 500
      // GBP in USD only through EUR.
      if offset < 0 || !random.chance(oneIn: 3) { world.rate("EUR", "USD", date, text(euro, 5)) }
      if offset < 0 || !random.chance(oneIn: 3) { world.rate("EUR", "GBP", date, text(pound, 5)) }
      for (index, symbol) in quoted.enumerated() where symbol != missing {
        prices[index] = max(0, prices[index] + random.below(601) - 300)
        if offset < 0 || !random.chance(oneIn: 4) {
          world.price(symbol, date, text(prices[index], 2))
        }
      }
    }
  }

  private mutating func makeActions(on date: Day) {
    for symbol in ["AAA", "BBB", "CCC"] {
      if random.chance(oneIn: 25) {
        let ratio = random.pick(isWithLate ? ["3", "0.333333333333", "1.5"] : ["2", "0.5", "4"])
        world.split(symbol, date.description, ratio)
        held[world.holding(symbol), default: 0] *= ratio.first == "0" ? 0.5 : Double(ratio) ?? 0
      }
      if random.chance(oneIn: 15) {
        world.pays(symbol, date.description, text(random.below(200), 2))
      }
    }
  }

  private mutating func makeStatements(on date: Day) {
    for fund in funds where random.chance(oneIn: 8) {
      world.statement(fund, date.description, text(random.below(500_000), 2))
    }
  }

  private mutating func makeActivity(on date: Day) {
    var written = date
    var bookedOn: Day?
    if isWithLate, date > firstDay, random.chance(oneIn: 4) {
      written = max(firstDay, date - 1 - random.below(6))
      bookedOn = date
    }
    let symbol = random.pick(quoted)
    switch random.below(10) {
    case 0...4: makeTrade(symbol, written, bookedOn)
    case 5: makeTransfer(symbol, written, bookedOn)
    case 6: makeIncome(symbol, written, bookedOn)
    case 7: makeCash(written, bookedOn)
    case 8: makeFundFlow(written, bookedOn)
    default:
      if let units = held[world.holding(symbol)], units != 0, !isWithLate {
        held[world.holding(symbol)] = 0
        world.log(date.description, .expire, symbol)
      } else {
        makeSwitch(date)
      }
    }
  }

  private mutating func makeTrade(_ symbol: String, _ date: Day, _ bookedOn: Day?) {
    let quarters = 1 + random.below(80)
    let isBuy = random.chance(oneIn: 2)
    held[world.holding(symbol), default: 0] += Double(isBuy ? quarters : -quarters) / 4
    world.log(
      date.description, isBuy ? .buy : .sell, symbol, text(quarters * 25, 2),
      at: text(random.below(1_500_000), 4), fee: text(random.below(500), 2),
      bookedOn: bookedOn?.description)
  }

  private mutating func makeTransfer(_ symbol: String, _ date: Day, _ bookedOn: Day?) {
    let quarters = 1 + random.below(80)
    let isIn = random.chance(oneIn: 2)
    let needsAmount = symbol == missing || random.chance(oneIn: 2)
    held[world.holding(symbol), default: 0] += Double(isIn ? quarters : -quarters) / 4
    world.log(
      date.description, isIn ? .transferIn : .transferOut, symbol, text(quarters * 25, 2),
      at: random.chance(oneIn: 2) ? text(random.below(1_500_000), 4) : nil,
      amount: needsAmount ? text(random.below(500_000), 2) : nil,
      fee: text(random.below(100), 2),
      acquired: random.chance(oneIn: 2) ? (date - random.below(400)).description : nil,
      bookedOn: bookedOn?.description)
  }

  private mutating func makeIncome(_ symbol: String, _ date: Day, _ bookedOn: Day?) {
    let type = random.pick(
      world.portfolio.dividendMode == .recorded
        ? [ActivityType.dividend, .interest, .fee, .tax] : [.interest, .fee, .tax])
    let sign = type != .dividend && random.chance(oneIn: 4) ? "-" : ""
    world.log(
      date.description, type, random.chance(oneIn: 3) ? nil : symbol,
      amount: sign + text(random.below(20_000), 2), fee: text(random.below(100), 2),
      in: random.chance(oneIn: 3) ? "GBP" : nil, bookedOn: bookedOn?.description)
  }

  private mutating func makeCash(_ date: Day, _ bookedOn: Day?) {
    let amount = text(random.below(1_000_000), 2)
    let currency = random.pick(["USD", "EUR", "GBP"])
    if world.portfolio.cashMode == .perCurrency, random.chance(oneIn: 2) {
      world.log(
        date.description, .exchangeOut, amount: amount, in: currency,
        bookedOn: bookedOn?.description)
      world.log(
        date.description, .exchangeIn, amount: text(random.below(1_000_000), 2), fee: "1.25",
        in: "EUR", bookedOn: bookedOn?.description)
      return
    }
    world.log(
      date.description, random.pick([.deposit, .deposit, .withdrawal]), amount: amount,
      fee: text(random.below(100), 2), in: currency, bookedOn: bookedOn?.description)
  }

  private mutating func makeFundFlow(_ date: Day, _ bookedOn: Day?) {
    if bookedOn != nil { hasLateFundFlow = true }
    world.log(
      date.description,
      random.pick([
        .investment, .regularInvestment, .governmentUplift, .productSwitchIn, .withdrawal,
        .regularWithdrawal, .productSwitchOut, .transferIn, .transferOut, .dividend, .fee,
      ]), random.pick(funds), amount: text(random.below(300_000), 2), fee: "3",
      bookedOn: bookedOn?.description)
  }

  private mutating func makeSwitch(_ date: Day) {
    let first = random.below(100_000)
    let second = random.below(100_000)
    world.log(date.description, .fundSwitchOut, "F1", amount: text(first + second, 2))
    world.log(date.description, .fundSwitchIn, "F2", amount: text(first, 2))
    world.log(date.description, .fundSwitchIn, "F2", amount: text(second, 2))
  }

  private func text(_ units: Int, _ decimals: Int) -> String {
    let digits = String(units)
    let padding = String(repeating: "0", count: max(0, decimals + 1 - digits.count))
    let padded = padding + digits
    return "\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
  }
}
