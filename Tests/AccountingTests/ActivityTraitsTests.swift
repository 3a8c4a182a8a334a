import Testing

@testable import Accounting

@Suite("The table of activity types")
struct ActivityTraitsTests {
  /// A world with a quoted holding, a fund and a cash balance a currency.
  private static func world(holding: String?) -> BookWorld {
    var world = BookWorld(inception: "2024-01-01", cash: .perCurrency)
    world.hold("ACME")
    world.hold("FUND", kind: .fund, pricing: .valued)
    world.price("ACME", "2024-01-01", "10")
    if holding == "ACME" { world.log("2024-01-02", .buy, "ACME", "9", at: "10") }
    return world
  }

  @Test(
    "a type stands on cash, a quoted holding or a fund where the table says so",
    arguments: ActivityType.allCases)
  func places(type: ActivityType) {
    for (symbol, isValued) in [(nil, nil), ("ACME", false), ("FUND", true)] as [(String?, Bool?)] {
      var world = Self.world(holding: symbol)
      let traits = type.traits
      let isUnits = traits.quantity != .forbidden && isValued == false
      world.log(
        "2024-01-03", type, symbol, isUnits ? "1" : nil, at: isUnits ? "10" : nil,
        amount: isUnits && traits.kind != .transfer ? nil : "5")
      if traits.kind == .fundSwitch {
        world.log(
          "2024-01-03", type == .fundSwitchIn ? .fundSwitchOut : .fundSwitchIn, symbol,
          amount: "5")
      }
      let refusal = traits.refusal(isValued: isValued)
      do {
        let close = try world.close("2024-01-03")
        #expect(refusal == nil, "\(type) on \(symbol ?? "cash")")
        let flow = close.snapshot.inflow + close.snapshot.outflow
        #expect(flow.isZero != traits.isExternalFlow, "\(type) on \(symbol ?? "cash")")
      } catch {
        guard case .notAllowed(let reference, let found) = error else {
          Issue.record("\(type) on \(symbol ?? "cash"): \(error)")
          continue
        }
        #expect(found == refusal && reference.type == type, "\(type) on \(symbol ?? "cash")")
      }
    }
  }

  @Test("a row of the table does not contradict itself", arguments: ActivityType.allCases)
  func rows(type: ActivityType) {
    let traits = type.traits
    #expect(traits.isExternalFlow == (traits.kind == .contribution || traits.kind == .transfer))
    #expect(traits.isSigned == [.interest, .fee, .tax].contains(type))
    #expect(traits.isPaidByActions == (type == .dividend))
    #expect(traits.mayHaveAcquired == (type == .transferIn))
    switch traits.kind {
    case .trade: #expect(traits.holding != nil && traits.cash != traits.holding)
    case .expiry: #expect(traits.holding == nil && traits.cash == nil)
    case .transfer, .fundSwitch: #expect(traits.holding != nil && traits.cash == nil)
    case .exchange, .income, .fee, .tax: #expect(traits.holding == nil && traits.cash != nil)
    case .contribution:
      #expect(traits.place == .cashOrValued || (traits.cash == nil) != (traits.holding == nil))
    }
    let isAmountAlone = traits.quantity == .forbidden && traits.price == .forbidden
    #expect(isAmountAlone == (traits.amount == .required))
    if traits.referenceClose == .withoutAmount { #expect(traits.amount == .optional) }
    if traits.referenceClose == .withoutPrice { #expect(traits.price == .optional) }
  }

  @Test("words that end in _in and _out go where they say")
  func directions() {
    for type in ActivityType.allCases {
      let (word, traits) = (type.rawValue, type.traits)
      let direction = traits.holding ?? traits.cash
      if word.hasSuffix("_in") { #expect(direction == .into, "\(word)") }
      if word.hasSuffix("_out") { #expect(direction == .outOf, "\(word)") }
    }
  }
}
