internal import Accounting
internal import Close
internal import Storage
internal import Text

/// Holdings and what happened to them, line by line.
extension ExplainText {
  func lines(of holding: ExplainedHolding) -> [String] {
    let instrument = holding.instrument
    var head = "\(instrument.symbol)  \(instrument.kind.rawValue) in \(instrument.currency)"
    if instrument.multiplier != .one {
      head += ", multiplier \(Exact.plain(instrument.multiplier))"
    }
    if instrument.pricing == .valued { head += ", valued by statements" }
    var lines = [head]
    if let opening = holding.opening { lines += level("opening", opening, holding) }
    lines += lots(holding.openingLots)
    for step in holding.steps { lines += self.lines(of: step, holding) }
    if !isFlat(holding.row) { lines += level("closing", holding.row, holding) }
    if !holding.steps.isEmpty || holding.openingLots == nil { lines += lots(holding.closingLots) }
    lines += self.lines(of: holding.closing, indent: 4)
    if let result = slot.holdingIRRs[holding.holding] {
      lines += irr(result, shown: listsFlows ? .max : 0, indent: 4)
    }
    return lines
  }

  private func isFlat(_ row: HoldingSnapshot) -> Bool {
    row.quantity.isZero && row.localValue.isZero && row.localCost.isZero
  }

  /// What was held at a close, and its levels.
  private func level(
    _ name: String, _ row: HoldingSnapshot, _ holding: ExplainedHolding
  ) -> [String] {
    let isForeign = holding.instrument.currency != base
    var words: [String] = []
    if holding.instrument.pricing == .valued {
      words.append("\(Exact.money(row.localValue))")
      words.append(row.priceDate.map { "last statement of \($0)" } ?? "no statement yet")
    } else {
      var held = Exact.plain(row.quantity)
      held += row.price.map { " at \(Exact.plain($0))" } ?? ", no close"
      held += row.priceDate.map { " of \($0)" } ?? ""
      if name == "closing", case .carried(let days) = row.quality {
        held += ", carried \(days) business \(days == 1 ? "day" : "days")"
      }
      words.append(held)
    }
    if name == "opening", !row.marketValue.isZero {
      words.append("market value \(Exact.money(row.marketValue))")
    }
    words.append("cost \(Exact.money(row.localCost))")
    if isForeign { words.append("cost in \(base) \(Exact.money(row.costBasis))") }
    if name == "opening" {
      words.append("unrealized \(Exact.money(row.unrealized))")
      if isForeign { words.append("its currency \(Exact.money(row.unrealizedFX))") }
    }
    return facts("  \(name)  ", words)
  }

  /// Facts with dots between them, wrapped between facts.
  private func facts(_ head: String, _ words: [String]) -> [String] {
    var lines: [String] = []
    var line = ""
    let room = Self.width - head.count
    for word in words {
      if !line.isEmpty, line.count + 3 + word.count > room {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " · ") + word
    }
    lines.append(line)
    let margin = String(repeating: " ", count: head.count)
    return lines.enumerated().map { ($0 == 0 ? head : margin) + $1 }
  }

  private func lots(_ lots: [ExplainedLot]?) -> [String] {
    (lots ?? []).map { lot in
      "           lot of \(lot.acquired)  \(Exact.plain(lot.quantity))  \(cost(of: lot))"
    }
  }

  private func cost(of lot: ExplainedLot) -> String {
    let isSame = lot.localCost == lot.costBasis
    return "cost \(Exact.money(lot.localCost))"
      + (isSame ? "" : ", in \(base) \(Exact.money(lot.costBasis))")
  }

  // MARK: - What happened

  /// One step; of no holding where none is given.
  func lines(of step: ExplainedStep, _ holding: ExplainedHolding?) -> [String] {
    var lines = facts("  ", [title(of: step)])
    lines += step.relieved.map { relieved in
      let isAll = relieved.quantity == relieved.lot.quantity
      let part = isAll ? "all" : "\(Exact.plain(relieved.quantity))"
      return "    closes \(part) of the lot of \(relieved.lot.acquired): "
        + "\(Exact.plain(relieved.lot.quantity)), \(cost(of: relieved.lot))"
    }
    if let lot = step.opened {
      lines.append(
        "    opens a lot of \(lot.acquired): \(Exact.plain(lot.quantity)), \(cost(of: lot))")
    }
    lines += self.lines(of: step.formulas, indent: 4)
    return lines + facts("    → ", effects(of: step, holding))
  }

  private func title(of step: ExplainedStep) -> String {
    switch step.event {
    case .activity(let activity):
      var text = "\(activity.bookingDate)  \(activity.type.rawValue)"
      if activity.isLate { text += " (late: dated \(activity.date))" }
      if let quantity = activity.quantity { text += " \(Exact.plain(quantity))" }
      if let price = activity.price { text += " at \(Exact.plain(price))" }
      if let amount = activity.amount { text += " \(Exact.plain(amount))" }
      if !activity.fee.isZero { text += ", fee \(Exact.plain(activity.fee))" }
      text += " \(activity.currency)"
      if let acquired = activity.acquired { text += ", acquired \(acquired)" }
      if let payDate = activity.payDate { text += ", paid on \(payDate)" }
      guard let source = slot.sources[activity.id] else { return text }
      return text + "  [\(source.externalID)]" + (source.note.map { " \($0)" } ?? "")
    case .action(let action):
      return "\(action.exDate)  \(words(for: action))"
    case .statement(let statement):
      return "\(statement.date)  statement, \(Exact.money(statement.value))"
    }
  }

  private func words(for action: CorporateAction) -> String {
    func shares(_ shares: CorporateAction.Shares) -> String {
      let other = slot.explanation.holdings.first { $0.instrument.id == shares.into }
      let symbol = other?.instrument.symbol.shown ?? "of another instrument"
      return "\(Exact.plain(shares.ratio.new)) \(symbol) for \(Exact.plain(shares.ratio.old))"
    }
    func cash(_ payment: CorporateAction.Payment) -> String {
      "\(Exact.plain(payment.perUnit))" + (payment.currency.map { " \($0)" } ?? "") + " a unit"
        + (payment.payDate.map { ", paid on \($0)" } ?? "")
    }
    let text: String
    switch action.effect {
    case .split(let ratio):
      text =
        "split, \(Exact.plain(ratio.new)) new for "
        + (ratio.old == .one ? "one" : Exact.plain(ratio.old))
    case .stockDividend(let ratio):
      text = "stock dividend, \(Exact.plain(ratio.new)) for \(Exact.plain(ratio.old)) held"
    case .dividend(let payment): text = "dividend, \(cash(payment))"
    case .returnOfCapital(let payment): text = "return of capital, \(cash(payment))"
    case .spinOff(let other, let share):
      text = "spin-off, \(shares(other)), cost share \(Exact.plain(share))"
    case .rights(let other, let share):
      text = "rights, \(shares(other)), cost share \(Exact.plain(share))"
    case .merger(let merger):
      let parts = [merger.shares.map(shares), merger.cash.map(cash)].compactMap(\.self)
      text =
        "merger, " + parts.joined(separator: " and ")
        + (merger.cost == .realized ? ", cost realized" : "")
    case .rename: text = "rename"
    }
    return text + (action.fractionPrice.map { ", fractions at \(Exact.plain($0))" } ?? "")
  }

  private func effects(of step: ExplainedStep, _ holding: ExplainedHolding?) -> [String] {
    var words: [String] = []
    for effect in step.cash {
      words.append(
        "cash \(Exact.money(effect.amount)) \(effect.currency)"
          + (effect.currency == base ? "" : " = \(Exact.money(effect.base)) \(base)"))
    }
    if !step.inflow.isZero { words.append("flow in \(Exact.money(step.inflow))") }
    if !step.outflow.isZero { words.append("flow out \(Exact.money(step.outflow))") }
    for attribution in [step.attribution, step.ownAttribution] {
      for (name, amount) in attribution.named where !amount.isZero {
        words.append("\(name) \(Exact.money(amount))")
      }
    }
    if let holding, holding.instrument.pricing == .valued {
      words.append("value \(Exact.money(step.carriedValue ?? .zero))")
      words.append("cost \(Exact.money(step.localCost))")
    } else if holding != nil {
      words.append("held \(Exact.plain(step.quantity))")
      words.append("cost \(Exact.money(step.localCost))")
    }
    return words.isEmpty ? ["information only"] : words
  }
}

extension Attribution {
  /// The parts by the names that the text uses.
  var named: [(String, Money)] {
    [
      ("realized", realized), ("unrealized", unrealizedChange), ("income", income),
      ("fees", fees), ("taxes", taxes), ("currency", fx), ("prior period", priorPeriod),
    ]
  }
}
