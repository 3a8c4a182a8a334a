/// A corporate action by which what is held of one instrument becomes, in whole or in part, units
/// of another one, or cash: a spin-off, rights, a merger.
struct Reorganisation: Hashable, Sendable {
  let source: ID<Instrument>
  let action: CorporateAction
  /// Whether actions of its date pass the same lots round in a circle: none of them can come first.
  var isInCycle = false

  init(source: ID<Instrument>, action: CorporateAction) {
    self.source = source
    self.action = action
  }

  var order: BookingOrder { action.order }
  /// What units come of; nil where only cash does.
  var target: ID<Instrument>? { action.effect.shares?.into }
}

/// One side of a reorganisation, worked out: all that the ledger of its holding needs to book it.
///
/// It depends on nothing outside, so each holding's window can be told again by itself.
struct LotLeg: Sendable {
  let holding: ID<Holding>
  let action: CorporateAction
  let side: Side
  /// From the instrument's currency to base, on the ex-date.
  let rate: Rate

  var order: BookingOrder { action.order }

  enum Side: Sendable {
    case delivers(Delivery)
    case receives(Receipt)
  }

  /// What goes away, in the currency of the old instrument.
  struct Delivery: Sendable {
    /// What stays.
    var left = Position()
    /// The value moved; what the units that go along gained up to it was made by this holding.
    var worth = Worth.zero
    /// The cost that goes along.
    var passing = Worth.zero
    /// The cost that cash, or a sale at the value received, relieves.
    var relieved = Worth.zero
    /// What relieves it: cash, and where all is sold the value moved as well.
    var proceeds = Worth.zero
    var cash: Cash?
  }

  /// Cash for the old units, in its own currency.
  struct Cash: Sendable {
    let payment: CorporateAction.Payment
    let paid: Worth
  }

  /// What arrives, in the units and the currency of the new instrument.
  struct Receipt: Sendable {
    /// Of how many old units.
    let old: Quantity
    var arriving: Position
    /// The value moved.
    var worth: Worth
  }
}

extension HoldingLedger {
  /// Books a side of a reorganisation.
  ///
  /// Lots that pass are no P&L: the unrealized gain that goes along is taken out of both changes
  /// of level, with opposite signs. For the holding's own return they are a flow at their worth.
  mutating func apply(
    _ leg: LotLeg, in window: Window, totals: inout WindowTotals
  ) throws(CloseError) {
    isTouched = true
    let exDate = leg.action.exDate
    do throws(ArithmeticError) {
      switch leg.side {
      case .delivers(let delivery):
        position = delivery.left
        try leave(delivery.worth, relieved: delivery.passing, rate: leg.rate)
        try bookClosed(
          proceeds: delivery.proceeds, relieved: delivery.relieved, mark: .none, rate: leg.rate)
        note(
          delivery.worth.base + (delivery.cash?.paid.base ?? .zero), on: exDate, totals: &totals)
      case .receives(let receipt):
        try leave(-receipt.worth, relieved: -receipt.arriving.cost, rate: leg.rate)
        note(-receipt.worth.base, on: exDate, totals: &totals)
      }
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: exDate, error)
    }
    switch leg.side {
    case .delivers(let delivery):
      guard let cash = delivery.cash else { return }
      try receive(cash.paid, of: cash.payment, on: exDate, totals: &totals)
    case .receives(let receipt):
      try take(receipt.arriving, at: leg.rate, on: exDate, in: window)
      try payFraction(of: receipt.arriving.quantity, leg.action, in: window, totals: &totals)
    }
  }

  /// Takes in lots that arrive; what of them meets the other side closes it, at their cost.
  private mutating func take(
    _ lots: Position, at rate: Rate, on day: Day, in window: Window
  ) throws(CloseError) {
    var arriving = lots
    let closing = closingPart(of: arriving.quantity)
    try requireLots(toClose: closing, by: window.relief, on: day)
    do throws(ArithmeticError) {
      if !closing.isZero {
        let cost = try arriving.relieve(closing, by: window.relief)
        let relieved = try position.relieve(-closing, by: window.relief)
        try bookClosed(proceeds: -cost, relieved: relieved, mark: .none, rate: rate)
      }
      if arriving.quantity.isZero { return }
      try requireRoom(for: arriving.quantity)
      position.take(arriving, by: window.relief)
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: day, error)
    }
  }
}
