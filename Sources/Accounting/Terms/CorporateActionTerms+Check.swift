extension CorporateActionTerms {
  /// What it does to a holder of an instrument; nil where it was taken back.
  ///
  /// - Throws: The first thing that makes no sense.
  public func action(
    of instrument: Instrument
  ) throws(CorporateActionFault) -> CorporateAction? {
    try checkFields()
    try checkNumbers()
    try checkInstruments(instrument)
    if isCancelled { return nil }
    return CorporateAction(
      exDate: exDate, effect: try effect(), fractionPrice: fractionPrice, portfolio: portfolio)
  }

  private var given: Set<CorporateActionField> {
    var fields: Set<CorporateActionField> = []
    if value != nil { fields.insert(.value) }
    if currency != nil { fields.insert(.currency) }
    if ratio != nil { fields.insert(.ratio) }
    if newInstrument != nil { fields.insert(.newSymbol) }
    if cash != nil { fields.insert(.cash) }
    if costShare != nil { fields.insert(.costShare) }
    if payDate != nil { fields.insert(.payDate) }
    if fractionPrice != nil { fields.insert(.fractionPrice) }
    if cost != nil { fields.insert(.cost) }
    return fields
  }

  private func checkFields() throws(CorporateActionFault) {
    let (given, traits) = (given, type.traits)
    for field in CorporateActionField.allCases {
      let isNamedApart = type == .rename && field == .newSymbol
      if traits.required.contains(field), !given.contains(field), !isNamedApart {
        throw .lacks(field, type)
      }
      if given.contains(field), !traits.required.union(traits.optional).contains(field) {
        throw .takesNo(field, type)
      }
    }
    switch type {
    case .split:
      if (value == nil) == (ratio == nil) { throw .eitherOr(.ratio, .value, type) }
      if currency != nil, ratio != nil { throw .takesNo(.currency, type) }
    case .merger: try checkMerger()
    case .stockDividend, .dividend, .returnOfCapital, .rename, .spinOff, .rights: break
    }
  }

  private func checkMerger() throws(CorporateActionFault) {
    if newInstrument == nil, cash == nil { throw .lacks(.newSymbol, type) }
    if newInstrument != nil, ratio == nil { throw .lacks(.ratio, type) }
    if newInstrument == nil {
      for (field, isGiven) in [
        (CorporateActionField.ratio, ratio != nil), (.fractionPrice, fractionPrice != nil),
        (.costShare, costShare != nil), (.cost, cost == .carried),
      ] where isGiven { throw .takesNo(field, type) }
    }
    if cash == nil {
      if currency != nil { throw .takesNo(.currency, type) }
      if payDate != nil { throw .takesNo(.payDate, type) }
      if costShare != nil { throw .takesNo(.costShare, type) }
    }
    if cost == .realized, costShare != nil { throw .takesNo(.costShare, type) }
  }

  private func checkNumbers() throws(CorporateActionFault) {
    if let value, value <= .zero { throw .notPositive(.value) }
    if let cash, cash <= .zero { throw .notPositive(.cash) }
    if let ratio, !ratio.isPositive { throw .notPositive(.ratio) }
    if let fractionPrice, fractionPrice < .zero { throw .notPositive(.fractionPrice) }
    if let costShare, costShare < .zero || costShare > .one { throw .notAShare(.costShare) }
    if let payDate, payDate < exDate { throw .paidTooEarly(payDate: payDate, exDate: exDate) }
  }

  private func checkInstruments(_ instrument: Instrument) throws(CorporateActionFault) {
    if let newInstrument, newInstrument.id == instrument.id {
      throw .intoItself(symbol: instrument.symbol)
    }
    for one in [instrument, newInstrument].compactMap(\.self) {
      let mayBeFuture = type == .split || type == .dividend || type == .rename
      if one.pricing == .valued && type != .rename || one.kind == .future && !mayBeFuture {
        throw .noUnits(type, symbol: one.symbol)
      }
    }
  }

  private func effect() throws(CorporateActionFault) -> CorporateAction.Effect {
    switch type {
    case .split:
      if let ratio { return .split(ratio) }
      return .split(ratio: Rate(units: try need(value, .value).units))
    case .stockDividend: return .stockDividend(try need(ratio, .ratio))
    case .dividend: return .dividend(try payment(of: value, .value))
    case .returnOfCapital: return .returnOfCapital(try payment(of: value, .value))
    case .rename: return .rename
    case .spinOff: return .spinOff(try shares(), costShare: try need(costShare, .costShare))
    case .rights: return .rights(try shares(), costShare: costShare ?? .zero)
    case .merger:
      return .merger(
        CorporateAction.Merger(
          shares: newInstrument == nil ? nil : try shares(),
          cash: cash == nil ? nil : try payment(of: cash, .cash),
          cost: cost == .realized ? .realized : .carried(share: costShare)))
    }
  }

  private func payment(
    of perUnit: Price?, _ field: CorporateActionField
  ) throws(CorporateActionFault) -> CorporateAction.Payment {
    CorporateAction.Payment(
      perUnit: try need(perUnit, field), currency: currency, payDate: payDate)
  }

  private func shares() throws(CorporateActionFault) -> CorporateAction.Shares {
    CorporateAction.Shares(
      into: try need(newInstrument, .newSymbol).id, ratio: try need(ratio, .ratio))
  }

  private func need<Value>(
    _ value: Value?, _ field: CorporateActionField
  ) throws(CorporateActionFault) -> Value {
    guard let value else { throw .lacks(field, type) }
    return value
  }
}

extension Market {
  /// The first actions that pass units of one date round in a circle; empty where none do.
  ///
  /// - Returns: The instruments that take part, ascending.
  public var cycle: (instruments: [ID<Instrument>], exDate: Day)? {
    guard let first = table.reorganisations.first(where: \.isInCycle) else { return nil }
    let group = table.reorganisations.filter { $0.isInCycle && $0.order == first.order }
    return (Set(group.map(\.source)).sorted(), first.action.exDate)
  }
}
