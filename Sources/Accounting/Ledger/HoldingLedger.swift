/// One holding between two closes: what was true at the last one, and what happened since.
struct HoldingLedger: Sendable {
  let holding: ID<Holding>
  let instrument: Instrument
  /// What is open, and its cost.
  var position: Position
  /// A valued holding's last statement and the flows since, in the instrument's currency.
  var carriedValue: Money
  /// The levels of the last close; of a valued holding also the date of the last statement.
  var level: Level
  /// P&L since the last close.
  var attribution = Attribution()
  /// Whether anything happened since the last close.
  var isTouched = false

  /// What a close says about a holding's value.
  struct Level: Hashable, Sendable {
    var price: Price?
    var priceDate: Day?
    var value = Worth.zero
    var unrealized = Money.zero
    var unrealizedFX = Money.zero
  }

  var isValued: Bool { instrument.pricing == .valued }
  var isFuture: Bool { instrument.kind == .future && !isValued }

  /// Whether there is nothing to carry into the next date.
  var isFlat: Bool {
    position.quantity.isZero && carriedValue.isZero && position.cost == .zero
  }

  /// A holding of which nothing is held.
  init(_ holding: ID<Holding>, of instrument: Instrument) {
    self.holding = holding
    self.instrument = instrument
    position = Position()
    carriedValue = .zero
    level = Level()
  }

  /// Opens from the row that the last close stored.
  mutating func open(from row: HoldingSnapshot) {
    position = Position(
      quantity: row.quantity, cost: Worth(local: row.localCost, base: row.costBasis))
    carriedValue = isValued ? row.localValue : .zero
    guard !isFlat else { return }
    level = Level(
      price: row.price, priceDate: row.priceDate,
      value: Worth(local: row.localValue, base: row.marketValue),
      unrealized: row.unrealized, unrealizedFX: row.unrealizedFX)
  }

  /// Recalls a statement from before the holding was emptied.
  mutating func recall(statementOn date: Day) {
    if isValued, isFlat { level.priceDate = date }
  }

  /// Applies what happened, in order.
  ///
  /// - Parameter end: Leaves what does not come before it; nil leaves nothing.
  mutating func advance(
    through events: inout HoldingEvents, before end: BookingOrder? = nil, in window: Window,
    totals: inout WindowTotals
  ) throws(CloseError) {
    while let event = events.next(before: end) {
      try apply(event, in: window, totals: &totals)
    }
  }

  /// Applies one thing that happened.
  mutating func apply(
    _ event: HoldingEvent, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    switch event {
    case .activity(let activity):
      try apply(try window.entry(activity), in: window, totals: &totals)
      isTouched = true
    case .action(let action): try apply(action, in: window, totals: &totals)
    case .statement(let statement): try apply(statement)
    case .leg(let leg): try apply(leg, in: window, totals: &totals)
    }
  }

  private mutating func apply(_ statement: FundStatement) throws(CloseError) {
    guard isValued else {
      throw .statementOfQuoted(symbol: instrument.symbol, date: statement.date)
    }
    carriedValue = statement.value
    level.priceDate = statement.date
    isTouched = true
  }

  /// Notes a flow of the holding; a future has none, since nothing is invested in it.
  func note(_ amount: Money, on day: Day, totals: inout WindowTotals) {
    if !isFuture { totals.flow(amount, of: holding, on: day) }
  }
}
