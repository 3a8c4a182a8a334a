/// Money into and out of a holding that is valued by statements.
extension StepWriter {
  mutating func writeValued(_ entry: Entry) throws {
    // What happened inside the fund is in its next statement.
    switch entry.activity.type.traits.holding {
    case .into: try invest(entry)
    case .outOf: try divest(entry)
    case nil: return
    }
  }

  private mutating func invest(_ entry: Entry) throws {
    let flow = try before.amount(entry)
    inBase("flow", flow, entry)
    let isIncluded = before.isInStatement(entry)
    if !isIncluded {
      add(.sum("value", [before.carriedValue, flow.local], after.carriedValue))
    }
    let mark = try before.openingMark(isIncluded ? .zero : flow.local, entry)
    guard case .worth(let worth, let rate) = mark else { return }
    try late(-worth, -flow, -flow.base, rate)
  }

  private mutating func divest(_ entry: Entry) throws {
    let flow = try before.amount(entry)
    guard !flow.local.isZero else { return }
    inBase("flow", flow, entry)
    let isIncluded = before.isInStatement(entry)
    let whole = isIncluded ? before.carriedValue + flow.local : before.carriedValue
    let relieved = before.position.cost - after.position.cost
    if flow.local < whole {
      addShare(before.position.cost, flow.local, of: whole, relieved)
    }
    let left = before.carriedValue - after.carriedValue
    if !left.isZero {
      add(.sum("value", [before.carriedValue, -left], after.carriedValue))
    }
    switch try before.openingMark(left, entry) {
    case .none, .cost:
      gain("realized", flow, relieved, at: entry.rate, step.attribution.realized)
      guard isForeign else { return }
      addCurrency(
        "realized currency",
        [
          ("value", flow.base), ("cost", -relieved.base),
          ("realized", -step.attribution.realized),
        ])
    case .worth(let worth, let rate):
      try late(worth, relieved, flow.base, rate)
    }
  }

  private mutating func inBase(_ name: String, _ flow: Worth, _ entry: Entry) {
    guard isForeign else { return }
    add(Formula("\(name) in \(base)", .of(flow.local) * .of(entry.rate), flow.base))
  }

  private mutating func addShare(
    _ cost: Worth, _ part: Money, of whole: Money, _ relieved: Worth
  ) {
    add(Formula("cost relieved", .of(cost.local) * .of(part) / .of(whole), relieved.local))
    guard isForeign else { return }
    add(
      Formula("cost relieved in \(base)", .of(cost.base) * .of(part) / .of(whole), relieved.base))
  }

  /// A late flow: what it was worth at the opening against what was paid.
  private mutating func late(
    _ worth: Worth, _ cost: Worth, _ proceeds: Money, _ rate: Rate
  ) throws {
    if isForeign {
      add(Formula("worth at the opening in \(base)", .of(worth.local) * .of(rate), worth.base))
    }
    gain("unrealized moved", worth, cost, at: rate, step.attribution.unrealizedChange)
    if isForeign {
      addCurrency(
        "currency moved",
        [
          ("value", worth.base), ("cost", -cost.base),
          ("unrealized", -step.attribution.unrealizedChange),
        ])
    }
    add(
      .labelled(
        "prior period", [("paid", proceeds), ("worth at the opening", -worth.base)],
        step.attribution.priorPeriod))
  }
}
