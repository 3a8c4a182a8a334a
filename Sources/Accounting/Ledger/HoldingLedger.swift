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

  private mutating func apply(
    _ action: CorporateAction, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    if position.quantity.isZero { return }
    switch action.effect {
    case .split(let ratio): try split(by: ratio, on: action.exDate, in: window)
    case .dividend(let perUnit):
      let paid = try dividend(
        perUnit, on: position.quantity, exDate: action.exDate, in: window, totals: &totals)
      attribution.income += paid.base
      note(paid.base, on: action.exDate, totals: &totals)
    }
  }

  private mutating func split(
    by ratio: Rate, on exDate: Day, in window: Window
  ) throws(CloseError) {
    guard ratio > .zero else {
      throw .invalidSplit(symbol: instrument.symbol, exDate: exDate, ratio: ratio)
    }
    let rate = try window.market.rate(
      from: instrument.currency, to: window.portfolio.baseCurrency, on: exDate
    ).rate
    do throws(ArithmeticError) {
      guard try position.quantity.scaled(by: ratio).isZero else {
        try position.split(by: ratio)
        return
      }
      // Less than the smallest fraction is left: it is gone, without proceeds, and told so.
      isTouched = true
      let relieved = try position.relieve(position.quantity, by: window.relief)
      // A future was settled at its last close, and its cost is no money that was paid.
      if isFuture { return }
      try bookClosed(proceeds: .zero, relieved: relieved, mark: .none, rate: rate)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
  }

  /// Pays a cash dividend on a quantity; nothing where only recorded dividends count.
  func dividend(
    _ perUnit: Price, on quantity: Quantity, exDate: Day, in window: Window,
    totals: inout WindowTotals
  ) throws(CloseError) -> Worth {
    guard window.portfolio.dividendMode == .automatic, !isFuture else { return .zero }
    let rate = try window.market.rate(
      from: instrument.currency, to: window.portfolio.baseCurrency, on: exDate
    ).rate
    do throws(ArithmeticError) {
      let paid = try localAndBaseValue(quantity, at: perUnit, multiplier: .one, rate: rate)
      try totals.receive(paid, in: instrument.currency)
      return paid
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
  }

  /// Notes a flow of the holding; a future has none, since nothing is invested in it.
  func note(_ amount: Money, on day: Day, totals: inout WindowTotals) {
    if !isFuture { totals.flow(amount, of: holding, on: day) }
  }
}
