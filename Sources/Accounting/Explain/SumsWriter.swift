/// Writes out the sums of a close: cash, equity, P&L, returns.
struct SumsWriter {
  /// The book before the close.
  let opening: PortfolioBook
  let explanation: Explanation
  /// What switches between funds left in base currency.
  let switchedFX: Money
  let window: Window

  /// An amount and what it is.
  typealias Term = (label: String, amount: Money)

  var snapshot: Snapshot { explanation.close.snapshot }
  var holdings: [ExplainedHolding] { explanation.holdings }
  var base: Currency { opening.portfolio.baseCurrency }

  func write(_ explanation: inout Explanation) throws {
    explanation.cash = try receivables() + cash()
    explanation.sums = values() + parts() + equity()
    explanation.returns = returns()
    explanation.noReturn = snapshot.dailyReturn == nil ? noReturn : nil
  }

  /// The parts of a P&L, signed as they count.
  static func parts(of attribution: Attribution) -> [Term] {
    [
      ("realized", attribution.realized), ("unrealized change", attribution.unrealizedChange),
      ("income", attribution.income), ("fees", -attribution.fees),
      ("taxes", -attribution.taxes), ("currency", attribution.fx),
      ("prior period", attribution.priorPeriod),
    ]
  }

  // MARK: - Cash

  /// Every effect on cash, in the order of the explanation.
  private var effects: [(label: String, effect: ExplainedStep.CashEffect)] {
    var result: [(String, ExplainedStep.CashEffect)] = []
    for step in explanation.cashSteps { result += step.cash.map { (step.name, $0) } }
    for holding in holdings {
      for step in holding.steps {
        result += step.cash.map { ("\(holding.instrument.symbol) \(step.name)", $0) }
      }
      if let settled = settlement(of: holding) {
        result.append(("\(holding.instrument.symbol) settled", settled))
      }
    }
    return result + owed.filter { $0.payDate <= window.through }.map { paid($0) }
  }

  /// What a future's close brought to cash.
  private func settlement(of holding: ExplainedHolding) -> ExplainedStep.CashEffect? {
    func result(_ name: String) -> Money? {
      holding.closing.first { $0.name == name }.flatMap { try? Money($0.result) }
    }
    guard let gain = result("gain settled") else { return nil }
    return ExplainedStep.CashEffect(
      currency: holding.instrument.currency, amount: gain,
      base: result("gain settled in \(base)") ?? gain)
  }

  private func cash() throws -> [Formula] {
    guard opening.portfolio.cashMode == .perCurrency else {
      let terms = effects.map { (label: $0.label, amount: $0.effect.base) }
      return [.labelled("cash", [("opening", opening.cash)] + terms, snapshot.cash)]
    }
    var result: [Formula] = []
    let closing = explanation.close.cashBalances
    let currencies = Set(
      opening.balances.map(\.currency) + closing.map(\.currency) + effects.map(\.effect.currency))
    for currency in currencies.sorted() {
      let before = opening.balances.first { $0.currency == currency }?.balance ?? .zero
      let after = closing.first { $0.currency == currency }
      let terms = effects.filter { $0.effect.currency == currency }
        .map { (label: $0.label, amount: $0.effect.amount) }
      result.append(
        .labelled("balance in \(currency)", [("opening", before)] + terms, after?.balance ?? .zero))
      guard let after, currency != base else { continue }
      let rate = try window.market.rate(from: currency, to: base, on: window.through).rate
      result.append(
        Formula("\(currency) in \(base)", .of(after.balance) * .of(rate), after.baseValue))
    }
    result.append(
      .labelled("cash", closing.map { ("\($0.currency)", $0.baseValue) }, snapshot.cash))
    let moved = effects.reduce(Money.zero) { $0 + $1.effect.base }
    if effects.count > 1 {
      result.append(
        .labelled(
          "effects in \(base)", effects.map { ($0.label, $0.effect.base) }, moved))
    }
    result.append(
      .labelled(
        "currency effect",
        [("cash", snapshot.cash), ("opening", -opening.cash), ("effects", -moved)], currencyEffect))
    return result
  }

  /// The currency's effect on balances: what is left of the close's when all others are taken away.
  private var currencyEffect: Money {
    snapshot.attribution.fx - explanation.ownAttribution.fx - receivablesFX
      - holdings.reduce(.zero) { $0 + $1.row.attribution.fx }
  }

  // MARK: - Values and parts

  private func values() -> [Formula] {
    func terms(_ isCounted: (Money) -> Bool) -> [Term] {
      holdings.map { ($0.instrument.symbol, $0.row.marketValue) }.filter { isCounted($0.1) }
    }
    var result: [Formula] = [
      .labelled("long value", terms { $0 > .zero }, snapshot.longValue)
    ]
    if !snapshot.shortValue.isZero {
      result.append(.labelled("short value", terms { $0 < .zero }, snapshot.shortValue))
    }
    if snapshot.grossExposure != snapshot.longValue {
      let exposures = holdings.map { ($0.instrument.symbol, exposure(of: $0)) }
      result.append(
        .labelled(
          "gross exposure", exposures.map { ($0.0, $0.1.magnitude) }, snapshot.grossExposure))
      result.append(.labelled("net exposure", exposures, snapshot.netExposure))
    }
    result.append(
      .labelled(
        "unrealized P&L", holdings.map { ($0.instrument.symbol, $0.row.unrealized) },
        snapshot.unrealizedPnL))
    return result
  }

  private func exposure(of holding: ExplainedHolding) -> Money {
    guard holding.instrument.kind == .future, holding.instrument.pricing == .quoted else {
      return holding.row.marketValue
    }
    let inBase = holding.closing.first { $0.name == "exposure in \(base)" }
    return inBase.flatMap { try? Money($0.result) } ?? holding.row.localValue
  }

  private func parts() -> [Formula] {
    let names: [(String, KeyPath<Attribution, Money>)] = [
      ("realized", \.realized), ("unrealized change", \.unrealizedChange), ("income", \.income),
      ("fees", \.fees), ("taxes", \.taxes), ("currency", \.fx), ("prior period", \.priorPeriod),
    ]
    return names.compactMap { name, part in
      var terms = holdings.map {
        (label: $0.instrument.symbol, amount: $0.row.attribution[keyPath: part])
      }
      for step in explanation.cashSteps {
        terms.append((step.name, step.ownAttribution[keyPath: part]))
      }
      for holding in holdings {
        for step in holding.steps {
          terms.append(
            ("\(holding.instrument.symbol) cash", step.ownAttribution[keyPath: part]))
        }
      }
      if part == \.fx {
        terms += [
          ("switches", switchedFX), ("cash", currencyEffect), ("receivables", receivablesFX),
        ]
      }
      let result = snapshot.attribution[keyPath: part]
      guard !result.isZero || terms.contains(where: { !$0.amount.isZero }) else { return nil }
      return .labelled(name, terms, result)
    }
  }

  private func equity() -> [Formula] {
    var result: [Formula] = []
    for (name, part, total) in [
      ("flow in", \ExplainedStep.inflow, snapshot.inflow),
      ("flow out", \ExplainedStep.outflow, snapshot.outflow),
    ] where !total.isZero {
      var terms = explanation.cashSteps.map { (label: $0.name, amount: $0[keyPath: part]) }
      for holding in holdings {
        terms += holding.steps.map {
          ("\(holding.instrument.symbol) \($0.name)", $0[keyPath: part])
        }
      }
      result.append(.labelled(name, terms, total))
    }
    result.append(
      .labelled("daily P&L", Self.parts(of: snapshot.attribution), snapshot.dailyPnL))
    result.append(
      .labelled(
        "closing equity",
        [
          ("long", snapshot.longValue), ("short", snapshot.shortValue), ("cash", snapshot.cash),
          ("receivables", snapshot.receivables),
        ],
        snapshot.closingEquity))
    result.append(
      .labelled(
        "closing equity",
        [
          ("opening", snapshot.openingEquity), ("daily P&L", snapshot.dailyPnL),
          ("flow in", snapshot.inflow), ("flow out", -snapshot.outflow),
        ], snapshot.closingEquity))
    return result
  }

  // MARK: - Returns

  private func returns() -> [Formula] {
    var result: [Formula] = []
    if let change = snapshot.dailyReturn {
      let gain = Expression.sum([
        snapshot.closingEquity, snapshot.outflow, -snapshot.openingEquity, -snapshot.inflow,
      ])
      result.append(
        .binary(
          "daily return", rule: "(closing + out - opening - in) / (opening + in)",
          gain / .sum([snapshot.openingEquity, snapshot.inflow]), change))
      let known = opening.lastClose == nil || opening.chain.index == 0 ? 1 : opening.chain.index
      if change > -1 {
        result.append(
          .binary(
            "index", rule: "index before × (1 + daily return)",
            .of(known) * (.of(Rate.one) + .of(change)), snapshot.index))
      }
    }
    result.append(
      .labelled(
        "cumulative P&L",
        [("before", opening.cumulativePnL), ("daily P&L", snapshot.dailyPnL)],
        snapshot.cumulativePnL))
    return result
  }

  private var noReturn: String {
    snapshot.openedFrom == nil
      ? "first close, later than the inception: the index starts here at 1"
      : "opening equity and flow in make no positive base: the index stays, a new chain starts"
  }
}

extension Formula {
  /// A sum whose terms have names; those that are zero are left out, where anything is left.
  static func labelled(_ name: String, _ terms: [SumsWriter.Term], _ result: Money) -> Formula {
    let known = terms.filter { !$0.amount.isZero }
    let rule = known.count > 1 ? known.map(\.label).joined(separator: ", ") : ""
    return .sum(name, rule: rule, known.map(\.amount), result)
  }
}

extension ExplainedStep {
  /// The word for what happened.
  var name: String {
    switch event {
    case .activity(let activity): activity.type.rawValue
    case .action(let action): action.effect.word
    case .statement: "statement"
    }
  }
}
