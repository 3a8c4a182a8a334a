/// One holding's window, run on from each thing that happened in it to the next.
///
/// A step is the difference between two states of the ledger itself, before and after what
/// happened; so nothing observes the ledger while it works, and nothing works it out a second time.
/// Everything is applied once; a step that changes lots copies them.
struct HoldingWalk {
  /// The ledger at the opening.
  let opening: HoldingLedger
  let window: Window
  /// In the order of booking.
  let activities: [Activity]
  /// Ascending by date.
  let statements: [FundStatement]
  /// The instrument's, in the ledger's order.
  let actions: [CorporateAction]

  /// The ledger after some of what happened, with what the last of it did outside.
  struct State {
    var ledger: HoldingLedger
    var totals = WindowTotals()
  }

  /// How much of the window has happened.
  private struct Point {
    var activityCount = 0
    var statementCount = 0
    var through = Day.earliest - 1
  }

  init(_ opening: HoldingLedger, _ window: Window, _ rows: [Activity], _ reports: [FundStatement]) {
    self.opening = opening
    self.window = window
    activities = rows.filter { $0.holding == opening.holding && window.contains($0.bookingDate) }
      .sorted { ($0.bookingDate, $0.date, $0.id) < ($1.bookingDate, $1.date, $1.id) }
    statements = reports.filter { $0.holding == opening.holding && window.contains($0.date) }
      .sorted { $0.date < $1.date }
    actions = window.actions(of: opening.instrument.id)
  }

  /// Every thing that changed something, in order, and the ledger after the last.
  func steps() throws -> (steps: [ExplainedStep], last: State) {
    var steps: [ExplainedStep] = []
    var (done, point) = (Point(), Point())
    var actionsLeft = actions[...]
    var before = State(ledger: opening)
    var after = before
    func advance() throws(CloseError) {
      let part = Window(
        portfolio: window.portfolio, relief: window.relief, market: window.market,
        after: window.after, through: point.through)
      var totals = after.totals
      try after.ledger.run(
        activities[done.activityCount..<point.activityCount],
        statements[done.statementCount..<point.statementCount], &actionsLeft, in: part,
        totals: &totals)
      after.totals = totals
      done = point
    }
    func goOn() {
      after.totals = WindowTotals()
      before = after
    }
    for event in events {
      switch event {
      case .activity(let activity):
        point.activityCount += 1
        point.through = activity.isLate ? activity.bookingDate - 1 : activity.bookingDate
        try advance()
        var writer = StepWriter(event, from: before, to: after, window)
        try writer.write(activity)
        steps.append(writer.step)
        goOn()
      case .action(let action):
        point.through = action.exDate
        try advance()
        if let step = try step(action, event, before, after) { steps.append(step) }
        if isLastOfItsDate(action) { goOn() }
      case .statement(let statement):
        point.statementCount += 1
        point.through = statement.date
        try advance()
        steps.append(StepWriter(event, from: before, to: after, window).step)
        goOn()
      }
    }
    return (steps, before)
  }

  /// In the ledger's order: on each date the late activities, the splits, the dividends, the
  /// other activities, the statement.
  private var events: [ExplainedStep.Event] {
    var keyed: [(day: Day, place: Int, event: ExplainedStep.Event)] = []
    for action in actions {
      keyed.append((action.exDate, action.isSplit ? 1 : 2, .action(action)))
    }
    for activity in activities {
      keyed.append((activity.bookingDate, activity.isLate ? 0 : 3, .activity(activity)))
    }
    for statement in statements { keyed.append((statement.date, 4, .statement(statement))) }
    // The sort is stable: rows of one date keep their order.
    return keyed.sorted { ($0.day, $0.place) < ($1.day, $1.place) }.map(\.event)
  }

  private func isLastOfItsDate(_ action: CorporateAction) -> Bool {
    actions.last { $0.exDate == action.exDate } == action
  }

  /// A split or a dividend; nil where nothing was held, or dividends are recorded.
  ///
  /// A split and a dividend of one date are run together: quantity is the split's, money the
  /// dividend's.
  private func step(
    _ action: CorporateAction, _ event: ExplainedStep.Event, _ before: State, _ after: State
  ) throws -> ExplainedStep? {
    guard !before.ledger.position.quantity.isZero else { return nil }
    let isShared = actions.count { $0.exDate == action.exDate } > 1
    var writer = StepWriter(event, from: before, to: after, window)
    switch action.effect {
    case .split(let ratio):
      if isShared { writer.keepOnlyQuantity() }
      try writer.split(by: ratio, on: action.exDate)
    case .dividend(let perUnit):
      guard window.portfolio.dividendMode == .automatic, !before.ledger.isFuture else {
        return nil
      }
      try writer.dividend(perUnit, on: action.exDate)
    }
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
      let old = earlier.cash.first { $0.currency == change.currency }
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
