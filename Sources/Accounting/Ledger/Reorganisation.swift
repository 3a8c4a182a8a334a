/// An event by which lots pass from one holding of a portfolio to another, with what they cost and
/// when they were bought: what a merger and a spin-off have in common.
///
/// No corporate action makes one yet. The ledger can hold them: they are applied in the order of
/// dates with everything else, and take part in explanations and in the rebuilding of lots.
struct Reorganisation: Sendable {
  var exDate: Day
  var source: ID<Holding>
  /// Quoted like the source, in its currency, and held on no other side.
  var target: ID<Holding>
  /// New units for one old.
  var ratio: Rate
  /// The part of the cost that passes, 0…1; all of it where no units stay.
  var costShare: Rate
  /// Whether the source keeps its units: a spin-off's does, a merger's does not.
  var keepsUnits: Bool

  var order: BookingOrder { BookingOrder(exDate, .reorganisation) }
}

/// One side of a reorganisation, worked out: all that the ledger of its holding needs to book it.
///
/// It depends on nothing outside, so each holding's window can be told again by itself.
struct LotLeg: Sendable {
  enum Side: Sendable {
    /// Lots go away, and this stays.
    case delivers(leaving: Position)
    case receives
  }

  let holding: ID<Holding>
  let order: BookingOrder
  let side: Side
  /// What passes, in the units of the target.
  let passing: Position
  /// What that is worth on the ex-date: what it gained until then was made by the source.
  let worth: Worth
  /// From the instruments' currency to base, on the ex-date.
  let rate: Rate
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
    do throws(ArithmeticError) {
      let cost = leg.passing.cost
      switch leg.side {
      case .delivers(let left):
        position = left
        try leave(leg.worth, relieved: cost, rate: leg.rate)
        note(leg.worth.base, on: leg.order.day, totals: &totals)
      case .receives:
        try requireRoom(for: leg.passing.quantity)
        position.take(leg.passing, by: window.relief)
        try leave(-leg.worth, relieved: -cost, rate: leg.rate)
        note(-leg.worth.base, on: leg.order.day, totals: &totals)
      }
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: leg.order.day, error)
    }
  }

  /// The two sides of a reorganisation that this ledger delivers to another; nil where nothing is
  /// held, or less than the smallest fraction would arrive.
  func legs(
    of event: Reorganisation, into target: HoldingLedger, in window: Window
  ) throws(CloseError) -> (out: LotLeg, in: LotLeg)? {
    precondition(
      holding != target.holding && !isValued && !isFuture && !target.isValued && !target.isFuture
        && instrument.currency == target.instrument.currency,
      "lots pass between two quoted holdings of one currency")
    if position.quantity.isZero { return nil }
    let rate = try window.market.rate(
      from: instrument.currency, to: window.portfolio.baseCurrency, on: event.exDate
    ).rate
    do throws(ArithmeticError) {
      let (left, passing) = try position.passing(
        event.costShare, at: event.ratio, keepsUnits: event.keepsUnits)
      if passing.quantity.isZero { return nil }
      let worth = try target.worth(of: passing, on: event.exDate, rate: rate, in: window)
      func leg(_ holding: ID<Holding>, _ side: LotLeg.Side) -> LotLeg {
        LotLeg(
          holding: holding, order: event.order, side: side, passing: passing, worth: worth,
          rate: rate)
      }
      return (leg(holding, .delivers(leaving: left)), leg(target.holding, .receives))
    } catch {
      throw .arithmetic(subject: instrument.symbol, date: event.exDate, error)
    }
  }

  /// At the last close on or before the date; at cost where there never was one.
  private func worth(
    of passing: Position, on date: Day, rate: Rate, in window: Window
  ) throws(ArithmeticError) -> Worth {
    guard let close = try window.market.close(of: instrument.id, on: date) else {
      let local = passing.cost.local
      return Worth(local: local, base: try convert(local, at: rate))
    }
    return try localAndBaseValue(
      passing.quantity, at: close.price, multiplier: instrument.multiplier, rate: rate)
  }
}
