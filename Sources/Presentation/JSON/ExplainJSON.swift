internal import Accounting
package import Close
internal import Storage
package import Text

/// An explanation as a program reads it.
///
/// Every calculation is `{"name", "rule", "formula", "result", "rounding"}`; `rounding` is `exact`,
/// `money` or `twelve` (once, half to even, to 4 or 12 decimals) or `binary` (floating point).
package struct ExplainJSON {
  private let slot: SlotExplanation

  package init(_ slot: SlotExplanation) { self.slot = slot }

  private var explanation: Explanation { slot.explanation }
  private var snapshot: Snapshot { explanation.close.snapshot }
  private var portfolio: Portfolio { slot.shown.portfolio }

  package var value: JSON {
    .object(
      identity + [
        ("opening", opening),
        ("rates", .array(explanation.rates.map(rate))),
        ("activities", .array(explanation.cashSteps.map { step($0, isOfHolding: false) })),
        ("holdings", .array(explanation.holdings.map(holding))),
        ("cash", formulas(explanation.cash)),
        ("sums", formulas(explanation.sums)),
        ("returns", formulas(explanation.returns)),
        ("no_daily_return", .optional(explanation.noReturn)),
        ("irr", slot.portfolioIRR.map(irr) ?? .null),
        ("quality", quality),
        ("stale_inputs", .array(slot.unseenChanges.map(change))),
        ("differences", .array(slot.differences.map(\.json))),
      ])
  }

  // MARK: - Heading

  private var identity: [(String, JSON)] {
    let stored = slot.shown.stored
    return [
      ("portfolio", .string(portfolio.name.description)),
      ("date", .string(snapshot.date.description)),
      ("base_currency", .string(portfolio.baseCurrency.description)),
      ("state", .string("complete")),
      ("degraded", .bool(snapshot.isDegraded)),
      ("stale", .bool(stored.isStale)),
      ("revision", .integer(Int(stored.revision))),
      ("run_id", stored.run.map { .integer(Int($0)) } ?? .null),
      (
        "terms",
        .object([
          ("inception", .string(portfolio.inception.description)),
          ("calendar", .string(portfolio.calendar)),
          ("lot_relief", .string(portfolio.lotRelief.rawValue)),
          ("cash", .string(portfolio.cashMode.rawValue)),
          ("dividends", .string(portfolio.dividendMode.rawValue)),
          ("irr_convention", .string(portfolio.irrConvention.rawValue)),
          ("flow_timing", .string(portfolio.flowTiming.rawValue)),
        ])
      ),
      ("business_days", .array(slot.businessDays.map { .string($0.description) })),
    ]
  }

  private var opening: JSON {
    guard let opening = explanation.opening else { return .null }
    return .object([
      ("date", .string(opening.date.description)),
      ("revision", slot.openingRevision.map { .integer(Int($0)) } ?? .null),
      (
        "stored_revision",
        slot.shown.stored.openedFromRevision.map { .integer(Int($0)) } ?? .null
      ),
      ("closing_equity", money(opening.closingEquity)),
      ("cash", money(opening.cash)),
      (
        "cash_balances",
        .array(
          opening.cashBalances.map {
            .object([
              ("currency", .string($0.currency.description)), ("balance", money($0.balance)),
              ("base_value", money($0.baseValue)),
            ])
          })
      ),
      (
        "receivables",
        .array(
          opening.receivables.map {
            .object([
              ("pay_date", .string($0.payDate.description)),
              ("currency", .string($0.currency.description)), ("amount", money($0.amount)),
              ("base_value", money($0.baseValue)),
            ])
          })
      ),
      ("index", .number(opening.index)),
      ("index_since", .string(opening.indexSince.description)),
      ("cumulative_pnl", money(opening.cumulativePnL)),
    ])
  }

  // MARK: - Numbers

  private func money(_ amount: Money) -> JSON { .string(amount.description) }

  private func plain(_ number: some FixedPoint) -> JSON {
    .string(number.text(minimumDecimals: 0))
  }

  private func formulas(_ formulas: [Formula]) -> JSON { .array(formulas.map(formula)) }

  private func formula(_ formula: Formula) -> JSON {
    .object([
      ("name", .string(formula.name)), ("rule", .string(formula.rule)),
      ("formula", .string(formula.expression.text)), ("result", .string(formula.result)),
      ("rounding", .string(formula.rounding.rawValue)),
    ])
  }

  private func rate(_ rate: ExplainedRate) -> JSON {
    func part(_ pair: String, _ published: DatedRate) -> JSON {
      .object([
        ("pair", .string(pair)), ("date", .string(published.date.description)),
        ("rate", plain(published.rate)),
      ])
    }
    let (formed, parts): (String, [JSON]) =
      switch rate.quotation {
      case .direct(let published): ("direct", [part("\(rate.from)/\(rate.to)", published)])
      case .inverse(let published): ("turned", [part("\(rate.to)/\(rate.from)", published)])
      case .cross(let crossing):
        (
          "crossed",
          [
            part(crossing.firstPair(rate.from), crossing.first),
            part(crossing.secondPair(rate.to), crossing.second),
          ]
        )
      }
    return .object([
      ("from", .string(rate.from.description)), ("to", .string(rate.to.description)),
      ("date", .string(rate.date.description)), ("rate", plain(rate.rate.rate)),
      ("published", .string(rate.rate.date.description)), ("formed", .string(formed)),
      ("parts", .array(parts)), ("formula", rate.formula.map(formula) ?? .null),
    ])
  }

  private func attribution(_ attribution: Attribution) -> JSON {
    .object([
      ("realized_pnl", money(attribution.realized)),
      ("unrealized_change", money(attribution.unrealizedChange)),
      ("income", money(attribution.income)), ("fees", money(attribution.fees)),
      ("taxes", money(attribution.taxes)), ("fx_pnl", money(attribution.fx)),
      ("prior_period_adjustment", money(attribution.priorPeriod)),
    ])
  }

  private func lot(_ lot: ExplainedLot) -> [(String, JSON)] {
    [
      ("acquired", .string(lot.acquired.description)), ("quantity", plain(lot.quantity)),
      ("local_cost", money(lot.localCost)), ("cost_basis", money(lot.costBasis)),
    ]
  }

  private func lots(_ lots: [ExplainedLot]?) -> JSON {
    lots.map { .array($0.map { .object(lot($0)) }) } ?? .null
  }

  // MARK: - What happened

  private func step(_ step: ExplainedStep, isOfHolding: Bool) -> JSON {
    var members = event(step.event)
    members += [
      ("formulas", formulas(step.formulas)),
      (
        "lots_closed",
        .array(
          step.relieved.map {
            .object([
              ("lot", .object(lot($0.lot))), ("quantity", plain($0.quantity)),
              ("local_cost", money($0.localCost)), ("cost_basis", money($0.costBasis)),
            ])
          })
      ),
      ("lot_opened", step.opened.map { .object(lot($0)) } ?? .null),
      (
        "cash",
        .array(
          step.cash.map {
            .object([
              ("currency", .string($0.currency.description)), ("amount", money($0.amount)),
              ("base", money($0.base)),
            ])
          })
      ),
      ("flow_in", money(step.inflow)), ("flow_out", money(step.outflow)),
      ("attribution", attribution(step.attribution)),
      ("portfolio_attribution", attribution(step.ownAttribution)),
    ]
    if isOfHolding {
      members += [
        ("quantity_after", plain(step.quantity)), ("local_cost_after", money(step.localCost)),
        ("cost_basis_after", money(step.costBasis)),
        ("carried_value_after", step.carriedValue.map(money) ?? .null),
      ]
    }
    return .object(members)
  }

  private func event(_ event: ExplainedStep.Event) -> [(String, JSON)] {
    switch event {
    case .activity(let activity):
      let source = slot.sources[activity.id]
      return [
        ("event", .string("activity")), ("date", .string(activity.date.description)),
        ("booked_on", .string(activity.bookingDate.description)),
        ("type", .string(activity.type.rawValue)), ("id", .optional(source?.externalID)),
        ("quantity", activity.quantity.map { plain($0) } ?? .null),
        ("price", activity.price.map { plain($0) } ?? .null),
        ("amount", activity.amount.map(money) ?? .null), ("fee", money(activity.fee)),
        ("currency", .string(activity.currency.description)),
        ("acquired", .optional(activity.acquired?.description)),
        ("pay_date", .optional(activity.payDate?.description)),
        ("note", .optional(source?.note)),
      ]
    case .action(let action):
      let fields: [(String, JSON)] = [
        ("event", .string("corporate_action")), ("date", .string(action.exDate.description)),
        ("type", .string(action.effect.type.rawValue)),
      ]
      return fields + terms(of: action)
    case .statement(let statement):
      return [
        ("event", .string("statement")), ("date", .string(statement.date.description)),
        ("value", money(statement.value)),
      ]
    }
  }

  /// What a corporate action says, under the names of its columns.
  private func terms(of action: CorporateAction) -> [(String, JSON)] {
    func payment(_ name: String, _ payment: CorporateAction.Payment) -> [(String, JSON)] {
      var fields: [(String, JSON)] = [(name, plain(payment.perUnit))]
      if let currency = payment.currency {
        fields.append(("currency", .string(currency.description)))
      }
      if let payDate = payment.payDate {
        fields.append(("pay_date", .string(payDate.description)))
      }
      return fields
    }
    func units(_ shares: CorporateAction.Shares) -> [(String, JSON)] {
      let other = explanation.holdings.first { $0.instrument.id == shares.into }
      return [
        ("new_symbol", .optional(other?.instrument.symbol)),
        ("ratio", .string(shares.ratio.description)),
      ]
    }
    func ratio(_ ratio: Ratio) -> [(String, JSON)] {
      ratio.old == .one
        ? [("value", plain(ratio.new))] : [("ratio", .string(ratio.description))]
    }
    var fields: [(String, JSON)]
    switch action.effect {
    case .split(let split): fields = ratio(split)
    case .stockDividend(let split): fields = [("ratio", .string(split.description))]
    case .dividend(let cash), .returnOfCapital(let cash): fields = payment("value", cash)
    case .spinOff(let shares, let share), .rights(let shares, let share):
      fields = units(shares) + [("cost_share", plain(share))]
    case .merger(let merger):
      fields = []
      if let shares = merger.shares { fields += units(shares) }
      if let cash = merger.cash { fields += payment("cash", cash) }
      fields.append(
        ("cost", .string(merger.cost == .realized ? "realized" : "carried")))
    case .rename: fields = []
    }
    if let price = action.fractionPrice { fields.append(("fraction_price", plain(price))) }
    return fields
  }

  private func holding(_ holding: ExplainedHolding) -> JSON {
    let instrument = holding.instrument
    let identity: [(String, JSON)] = [
      ("symbol", .string(instrument.symbol)), ("kind", .string(instrument.kind.rawValue)),
      ("currency", .string(instrument.currency.description)),
      ("multiplier", plain(instrument.multiplier)),
      ("pricing", .string(instrument.pricing.rawValue)),
      ("opening", holding.opening.map { .object(level($0)) } ?? .null),
      ("opening_lots", lots(holding.openingLots)),
      ("steps", .array(holding.steps.map { step($0, isOfHolding: true) })),
      (
        "close",
        holding.published.map {
          .object([("date", .string($0.date.description)), ("price", plain($0.price))])
        } ?? .null
      ),
      ("closing_lots", lots(holding.closingLots)),
      ("formulas", formulas(holding.closing)),
    ]
    return .object(
      identity + level(holding.row) + [
        ("daily_pnl", money(holding.row.dailyPnL)),
        ("attribution", attribution(holding.row.attribution)),
        ("quality", quality(holding.row.quality)),
        ("irr", slot.holdingIRRs[holding.holding].map(irr) ?? .null),
      ])
  }

  private func level(_ row: HoldingSnapshot) -> [(String, JSON)] {
    [
      ("quantity", plain(row.quantity)), ("price", row.price.map { plain($0) } ?? .null),
      ("price_date", .optional(row.priceDate?.description)),
      ("local_value", money(row.localValue)), ("market_value", money(row.marketValue)),
      ("local_cost", money(row.localCost)), ("cost_basis", money(row.costBasis)),
      ("unrealized", money(row.unrealized)), ("unrealized_fx", money(row.unrealizedFX)),
    ]
  }

  // MARK: - Returns, quality, differences

  private func irr(_ result: ExplainedIRR) -> JSON {
    let present = result.presentValue
    return .object([
      ("value", .optional(result.result.rate)),
      ("log_growth", .optional(result.result.logGrowth)),
      ("status", .string(result.result.status.rawValue)),
      ("convention", .string(result.convention.rawValue)),
      ("roots", .integer(result.result.roots)),
      (
        "flows",
        .array(
          result.flows.map {
            .object([
              ("date", .string($0.day.description)), ("amount", money($0.amount)),
            ])
          })
      ),
      ("closing_value", money(result.closingValue)),
      ("present_value", .optional(present?.net)),
      ("gross_present_value", .optional(present?.gross)),
    ])
  }

  private func quality(_ quality: PriceQuality) -> JSON {
    let (state, days): (String, Int) =
      switch quality {
      case .priced: ("priced", 0)
      case .carried(let days): ("carried", days)
      case .missing: ("missing", 0)
      }
    return .object([("state", .string(state)), ("business_days", .integer(days))])
  }

  private var quality: JSON {
    .object([
      ("priced", .integer(snapshot.pricedCount)), ("carried", .integer(snapshot.carriedCount)),
      ("missing", .integer(snapshot.missingCount)),
      ("max_carried_days", .integer(snapshot.maxCarriedDays)),
      ("policy_days", .integer(slot.policy.maxCarriedBusinessDays)),
    ])
  }

  private func change(_ change: UnseenChange) -> JSON {
    .object([
      ("from", .string(change.from.description)), ("changed_at", .string(change.changedAt)),
      ("symbols", .array(change.symbols.map { .string($0) })),
      ("currencies", .array(change.currencies.map { .string($0) })),
      ("calendars", .array(change.calendars.map { .string($0) })),
      ("portfolio", .bool(change.isOfPortfolio)),
    ])
  }
}

extension ValueDifference {
  /// A changed value, as every command writes one: `row`, `column`, `old` and `new`.
  fileprivate var json: JSON {
    .object([
      ("row", .string(place.description)), ("column", .string(column)),
      ("old", .optional(stored)), ("new", .optional(recomputed)),
    ])
  }
}
