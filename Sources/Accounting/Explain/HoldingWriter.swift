/// Writes out one holding of a close: what happened, its levels, and what they changed by.
struct HoldingWriter {
  let opening: HoldingLedger
  let closed: HoldingLedger
  let row: HoldingSnapshot
  let window: Window

  private var instrument: Instrument { opening.instrument }
  private var base: Currency { window.portfolio.baseCurrency }
  private var isForeign: Bool { instrument.currency != base }

  func holding(
    _ activities: [Activity], _ statements: [FundStatement], _ legs: [LotLeg]
  ) throws -> ExplainedHolding {
    let walk = HoldingWalk(opening, window, activities, statements, legs)
    let (steps, last) = try walk.steps()
    var holding = ExplainedHolding(
      holding: row.holding, instrument: instrument,
      opening: opening.isFlat ? nil : opening.levelRow, row: row)
    if !opening.isValued && !opening.isFuture && window.relief != .average {
      holding.openingLots = ExplainedLot.of(opening.position)
      holding.closingLots = ExplainedLot.of(closed.position)
    }
    holding.steps = steps
    if !opening.isValued, !closed.isFlat {
      holding.published = window.market.published(of: instrument.id, on: window.through)
    }
    holding.closing =
      try settlement(from: last.ledger) + levels(holding.published)
      + changes(steps)
    return holding
  }

  // MARK: - Levels

  private func levels(_ published: ClosingPrice?) throws -> [Formula] {
    guard !closed.isFlat, !opening.isFuture else { return [] }
    var result: [Formula] = []
    let rate = try window.market.rate(from: instrument.currency, to: base, on: window.through).rate
    if opening.isValued {
      result.append(value("market value", .of(row.localValue), row.marketValue, rate))
    } else if let price = row.price, let published {
      result += try splits(since: published)
      let local = Expression.of(row.quantity) * .of(price) * .of(instrument.multiplier)
      if isForeign { result.append(Formula("local value", local, row.localValue)) }
      result.append(value("market value", local, row.marketValue, rate))
    } else {
      result.append(value("market value", .of(row.localCost), row.marketValue, rate))
    }
    let gain = Expression.sum([row.localValue, -row.localCost])
    result.append(
      Formula("unrealized", isForeign ? gain * .of(rate) : gain, row.unrealized))
    if isForeign {
      result.append(
        .labelled(
          "unrealized currency",
          [
            ("market value", row.marketValue), ("cost", -row.costBasis),
            ("unrealized", -row.unrealized),
          ], row.unrealizedFX))
    }
    return result
  }

  private func value(
    _ name: String, _ local: Expression, _ result: Money, _ rate: Rate
  ) -> Formula {
    Formula(name, isForeign ? local * .of(rate) : local, result)
  }

  /// A close from before a split, in the units of the date.
  private func splits(since published: ClosingPrice) throws -> [Formula] {
    var price = published.price
    var result: [Formula] = []
    for action in window.market.actions[instrument.id] ?? []
    where action.exDate > published.date && action.exDate <= window.through {
      guard action.portfolio == nil, let ratio = action.effect.unitRatio else { continue }
      let divided = try ratio.price(for: price)
      let product = ratio.old == .one ? Expression.of(price) : .of(price) * .of(ratio.old)
      result.append(
        .twelve(
          "close of \(published.date) after the \(action.effect.word)",
          product / .of(ratio.new), divided))
      price = divided
    }
    return result
  }

  /// A future's gain since its last settlement goes to cash at the close.
  private func settlement(from last: HoldingLedger) throws -> [Formula] {
    guard opening.isFuture, !closed.isFlat else { return [] }
    let rate = try window.market.rate(from: instrument.currency, to: base, on: window.through).rate
    var result: [Formula] = []
    if let price = row.price {
      result.append(
        Formula(
          "notional", .of(row.quantity) * .of(price) * .of(instrument.multiplier),
          row.localValue))
      let gain = row.localValue - last.position.cost.local
      result.append(
        .labelled(
          "gain settled",
          [("notional", row.localValue), ("settled before", -last.position.cost.local)], gain))
      if isForeign {
        result.append(
          Formula(
            "gain settled in \(base)", .of(gain) * .of(rate), try convert(gain, at: rate)))
      }
    }
    if isForeign {
      result.append(
        Formula(
          "exposure in \(base)", .of(row.localValue) * .of(rate),
          try convert(row.localValue, at: rate)))
    }
    return result
  }

  // MARK: - Changes

  private func changes(_ steps: [ExplainedStep]) -> [Formula] {
    var result: [Formula] = []
    func add(_ name: String, _ part: KeyPath<Attribution, Money>, _ more: [Money]) {
      let booked = steps.map { $0.attribution[keyPath: part] }
      let terms = (more + booked).filter { !$0.isZero }
      guard terms.count > 1 else { return }
      result.append(.sum(name, terms, row.attribution[keyPath: part]))
    }
    let settled =
      row.attribution.realized - steps.reduce(.zero) { $0 + $1.attribution.realized }
    add("realized", \.realized, [settled])
    add(
      "unrealized change", \.unrealizedChange, [row.unrealized, -opening.level.unrealized])
    add("income", \.income, [])
    add("fees", \.fees, [])
    add("taxes", \.taxes, [])
    add("currency", \.fx, [row.unrealizedFX, -opening.level.unrealizedFX])
    add("prior period", \.priorPeriod, [])
    result.append(
      .labelled("daily P&L", SumsWriter.parts(of: row.attribution), row.dailyPnL))
    return result
  }
}

extension Market {
  /// The last close on or before a date as it was published.
  func published(of instrument: ID<Instrument>, on date: Day) -> ClosingPrice? {
    guard let series = closes[instrument] else { return nil }
    let count = series.count(while: { $0.date <= date })
    return count > 0 ? series[count - 1] : nil
  }
}
