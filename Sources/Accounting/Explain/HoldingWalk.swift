/// One holding's window, run on from each thing that happened in it to the next.
///
/// A step is the difference between two states of the ledger itself, before and after what
/// happened; so nothing observes the ledger while it works, and nothing works it out a second time.
/// Everything is applied once; a step that changes lots copies them.
struct HoldingWalk {
  /// The ledger at the opening.
  let opening: HoldingLedger
  let window: Window
  private let events: HoldingEvents

  /// The ledger after some of what happened, with what the last of it did outside.
  struct State {
    var ledger: HoldingLedger
    var totals = WindowTotals()
  }

  init(
    _ opening: HoldingLedger, _ window: Window, _ rows: [Activity], _ reports: [FundStatement],
    _ legs: [LotLeg]
  ) {
    self.opening = opening
    self.window = window
    let activities = rows.filter {
      $0.holding == opening.holding && window.contains($0.bookingDate)
    }.sorted { ($0.bookingDate, $0.date, $0.id) < ($1.bookingDate, $1.date, $1.id) }
    let statements = reports.filter { $0.holding == opening.holding && window.contains($0.date) }
      .sorted { $0.date < $1.date }
    events = HoldingEvents(
      activities[...], statements[...], window.actions(of: opening.instrument.id)[...],
      legs: legs[...])
  }

  /// Every thing that changed something, in order, and the ledger after the last.
  func steps() throws -> (steps: [ExplainedStep], last: State) {
    var steps: [ExplainedStep] = []
    var events = events
    var before = State(ledger: opening)
    var after = before
    while let event = events.next() {
      try after.ledger.apply(event, in: window, totals: &after.totals)
      switch event {
      case .activity(let activity):
        var writer = StepWriter(.activity(activity), from: before, to: after, window)
        try writer.write(activity)
        steps.append(writer.step)
      case .action(let action):
        if let step = try step(action, before, after) { steps.append(step) }
      case .statement(let statement):
        steps.append(StepWriter(.statement(statement), from: before, to: after, window).step)
      case .leg(let leg):
        var writer = StepWriter(.action(leg.action), from: before, to: after, window)
        try writer.write(leg)
        steps.append(writer.step)
      }
      after.totals = WindowTotals()
      before = after
    }
    return (steps, before)
  }

  /// A corporate action of the holding alone; nil where nothing was held, or where it does not
  /// count.
  private func step(
    _ action: CorporateAction, _ before: State, _ after: State
  ) throws -> ExplainedStep? {
    guard !before.ledger.position.quantity.isZero else { return nil }
    switch action.effect {
    case .dividend, .returnOfCapital:
      guard window.portfolio.dividendMode == .automatic, !before.ledger.isFuture else {
        return nil
      }
    default: break
    }
    var writer = StepWriter(.action(action), from: before, to: after, window)
    try writer.write(action)
    return writer.step
  }
}

extension Attribution {
  /// Part by part, what came since.
  func since(_ earlier: Attribution) -> Attribution {
    var change = self
    change.realized -= earlier.realized
    change.unrealizedChange -= earlier.unrealizedChange
    change.income -= earlier.income
    change.fees -= earlier.fees
    change.taxes -= earlier.taxes
    change.fx -= earlier.fx
    change.priorPeriod -= earlier.priorPeriod
    return change
  }
}

extension WindowTotals {
  /// What came to cash since, by currency.
  func cash(since earlier: WindowTotals) -> [ExplainedStep.CashEffect] {
    cash.compactMap { change in
      if change.payDate != nil { return nil }
      let old = earlier.cash.first { $0.currency == change.currency && $0.payDate == nil }
      let effect = ExplainedStep.CashEffect(
        currency: change.currency, amount: change.local - (old?.local ?? .zero),
        base: change.base - (old?.base ?? .zero))
      return effect.amount.isZero && effect.base.isZero ? nil : effect
    }
  }
}

extension ExplainedLot {
  init(_ lot: Lot) {
    self.init(
      quantity: lot.quantity, localCost: lot.localCost, costBasis: lot.costBasis,
      acquired: lot.acquired)
  }

  /// The lots of a position; nil where they are not known.
  static func of(_ position: Position) -> [ExplainedLot]? {
    position.areLotsKnown ? position.lots.map { ExplainedLot($0) } : nil
  }
}
