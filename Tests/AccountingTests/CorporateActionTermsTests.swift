import Testing

@testable import Accounting

/// What makes no sense as a corporate action is told by its field, before anything is booked.
@Suite("Corporate actions as they are written down")
struct CorporateActionTermsTests {
  private static func instrument(
    _ key: Int64, _ kind: InstrumentKind = .equity, _ pricing: Pricing = .quoted
  ) -> Instrument {
    Instrument(
      id: ID(key), symbol: "S\(key)", kind: kind, currency: .iso("USD"), pricing: pricing)
  }

  private func fault(
    _ type: CorporateActionType, of instrument: Instrument = instrument(1),
    _ change: (inout CorporateActionTerms) -> Void
  ) -> CorporateActionFault? {
    var terms = CorporateActionTerms(type, exDate: .iso("2024-03-06"))
    change(&terms)
    do throws(CorporateActionFault) {
      _ = try terms.action(of: instrument)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "a ratio is two positive decimals with a colon or a slash between them",
    arguments: [
      ("3:1", "3:1"), ("1/3", "1:3"), ("0.5:10", "0.5:10"), ("3", "not a ratio of two numbers"),
      ("3:1:2", "not a ratio of two numbers"), ("0:1", "both numbers of a ratio must be positive"),
      ("1:0", "both numbers of a ratio must be positive"), ("-1:2", "both numbers"),
      ("a:1", "not a decimal number"), ("1:", "not a decimal number"),
      ("0.0000000000001:1", "more than 12 decimal places"),
    ])
  func ratio(text: String, expected: String) {
    let told: String
    do throws(Ratio.Fault) {
      told = try Ratio(text).description
    } catch {
      told = error.description
    }
    #expect(told.hasPrefix(expected), "\(told)")
  }

  @Test("a third is exact: 119 units three for one and one for three are 119 again")
  func third() throws {
    let many = try Ratio.of("3:1").units(for: .of("119"))
    #expect(many == .of("357"))
    #expect(try Ratio.of("1:3").units(for: many) == .of("119"))
    #expect(try Ratio.of("1:3").price(for: .of("14")) == .of("42"))
  }

  @Test("a type takes the fields that it needs and no others")
  func fields() {
    for type in CorporateActionType.allCases {
      let traits = type.traits
      #expect(traits.required.isDisjoint(with: traits.optional))
      for field in CorporateActionField.allCases
      where !traits.required.union(traits.optional).contains(field) {
        let fault = fault(type) { terms in
          terms.fill(traits.required.union([field]))
        }
        #expect(fault == .takesNo(field, type), "\(type) \(field): \(String(describing: fault))")
      }
      for field in traits.required where field != .newSymbol || type != .rename {
        let fault = fault(type) { $0.fill(traits.required.subtracting([field])) }
        #expect(fault == .lacks(field, type), "\(type) \(field)")
      }
    }
  }

  @Test("numbers out of their range are refused by field")
  func numbers() {
    #expect(
      fault(.spinOff) {
        $0.fill([.newSymbol, .ratio, .costShare])
        $0.costShare = .of("1.000000000001")
      } == .notAShare(.costShare))
    #expect(
      fault(.spinOff) {
        $0.fill([.newSymbol, .ratio, .costShare])
        $0.costShare = .of("-0.1")
      } == .notAShare(.costShare))
    #expect(fault(.dividend) { $0.value = .zero } == .notPositive(.value))
    #expect(
      fault(.stockDividend) { $0.ratio = Ratio(new: .zero, old: .one) } == .notPositive(.ratio))
    #expect(
      fault(.dividend) {
        $0.value = .of("1")
        $0.payDate = .iso("2024-03-05")
      } == .paidTooEarly(payDate: .iso("2024-03-05"), exDate: .iso("2024-03-06")))
    #expect(fault(.split) { _ in } == .eitherOr(.ratio, .value, .split))
    #expect(
      fault(.split) {
        $0.ratio = .of("2:1")
        $0.value = .of("2")
      } == .eitherOr(.ratio, .value, .split))
  }

  @Test("a merger gives shares or cash, and says no more of what it does not give")
  func mergers() {
    #expect(fault(.merger) { _ in } == .lacks(.newSymbol, .merger))
    #expect(fault(.merger) { $0.fill([.newSymbol]) } == .lacks(.ratio, .merger))
    #expect(fault(.merger) { $0.fill([.newSymbol, .ratio]) } == nil)
    #expect(fault(.merger) { $0.fill([.cash]) } == nil)
    #expect(fault(.merger) { $0.fill([.cash, .ratio]) } == .takesNo(.ratio, .merger))
    #expect(
      fault(.merger) { $0.fill([.newSymbol, .ratio, .payDate]) } == .takesNo(.payDate, .merger))
    #expect(
      fault(.merger) { $0.fill([.newSymbol, .ratio, .costShare]) }
        == .takesNo(.costShare, .merger))
    #expect(
      fault(.merger) {
        $0.fill([.newSymbol, .ratio, .cash, .costShare])
        $0.cost = .realized
      } == .takesNo(.costShare, .merger))
    #expect(
      fault(.merger, of: Self.instrument(2)) { $0.fill([.newSymbol, .ratio]) }
        == .intoItself(symbol: "S2"))
  }

  @Test("a future and a fund by statements have no units that it could happen to")
  func noUnits() {
    for type in [CorporateActionType.stockDividend, .returnOfCapital, .merger, .spinOff, .rights] {
      for instrument in [Self.instrument(1, .future), Self.instrument(1, .fund, .valued)] {
        #expect(
          fault(type, of: instrument) {
            $0.fill(type == .merger ? [.newSymbol, .ratio] : type.traits.required)
          } == .noUnits(type, symbol: "S1"))
      }
    }
    #expect(fault(.split, of: Self.instrument(1, .future)) { $0.value = .of("2") } == nil)
  }

  @Test("what was taken back is checked, and does nothing")
  func cancelled() throws {
    var terms = CorporateActionTerms(.dividend, exDate: .iso("2024-03-06"))
    terms.value = .of("1")
    #expect(try terms.action(of: Self.instrument(1)) != nil)
    terms.isCancelled = true
    #expect(try terms.action(of: Self.instrument(1)) == nil)
    terms.value = nil
    #expect(throws: CorporateActionFault.lacks(.value, .dividend)) {
      try terms.action(of: Self.instrument(1))
    }
  }

  @Test("units that pass in a circle on one date are found, and a chain is none")
  func circle() {
    func merger(_ into: Int64, _ portfolio: Int64? = nil) -> CorporateAction {
      CorporateAction(
        exDate: .iso("2024-03-06"),
        effect: .merger(
          CorporateAction.Merger(
            shares: CorporateAction.Shares(into: ID(into), ratio: .of("1:1")))),
        portfolio: portfolio.map { ID($0) })
    }
    var market = Market(actions: [ID(1): [merger(2)], ID(2): [merger(3)]])
    #expect(market.cycle == nil)
    market.actions[ID(3)] = [merger(1)]
    #expect(market.cycle?.instruments == [ID(1), ID(2), ID(3)])
    #expect(market.cycle?.exDate == .iso("2024-03-06"))
    // No portfolio has both.
    #expect(Market(actions: [ID(1): [merger(2, 7)], ID(2): [merger(1, 8)]]).cycle == nil)
  }
}

extension CorporateActionTerms {
  /// Says something in each of some fields.
  fileprivate mutating func fill(_ fields: Set<CorporateActionField>) {
    for field in fields {
      switch field {
      case .value: value = .of("1")
      case .currency: currency = .iso("EUR")
      case .ratio: ratio = .of("1:2")
      case .newSymbol:
        newInstrument = Instrument(
          id: ID(2), symbol: "S2", kind: .equity, currency: .iso("USD"))
      case .cash: cash = .of("3")
      case .costShare: costShare = .of("0.5")
      case .payDate: payDate = exDate + 3
      case .fractionPrice: fractionPrice = .of("4")
      case .cost: cost = .carried
      }
    }
  }
}
