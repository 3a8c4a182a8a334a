/// What is held of one instrument: a signed quantity, its costs, and the lots that make them up.
///
/// The totals are kept apart from the lots, since a night that only buys, or a portfolio with
/// average cost, does not need the lots. Where they are known they sum to the totals exactly.
struct Position: Hashable, Sendable {
  /// Signed units: negative is short, and a valued holding has none.
  private(set) var quantity = Quantity.zero
  /// Cost of what is open; signed like the quantity.
  private(set) var cost = Worth.zero
  /// In the order of acquisition; empty where they are not known.
  private(set) var lots: [Lot] = []
  /// Whether `lots` make up the position.
  private(set) var areLotsKnown = true

  init() {}

  /// A stored position, whose lots are unknown unless there are none.
  init(quantity: Quantity, cost: Worth) {
    self.quantity = quantity
    self.cost = cost
    areLotsKnown = quantity.isZero
  }

  var totals: PositionTotals {
    PositionTotals(quantity: quantity, localCost: cost.local, costBasis: cost.base)
  }

  /// Adds a lot behind those acquired on or before its date; under average cost only the totals.
  mutating func open(_ lot: Lot, by relief: LotRelief) {
    precondition(
      (lot.quantity.units < 0) == (quantity.units < 0) || quantity.isZero,
      "a lot opens on the side of its position")
    quantity += lot.quantity
    cost = cost + Worth(local: lot.localCost, base: lot.costBasis)
    guard areLotsKnown, relief != .average, !lot.quantity.isZero else { return }
    lots.insert(lot, at: lots.count(while: { $0.acquired <= lot.acquired }))
  }

  /// Adds to the cost alone, for a holding without units.
  mutating func invest(_ amount: Worth) { cost = cost + amount }

  /// Takes the share of the cost that a part of the value carries; all of it for the whole.
  mutating func divest(_ part: Money, of whole: Money) throws(ArithmeticError) -> Worth {
    let relieved = try cost.share(part, of: whole)
    cost = cost - relieved
    return relieved
  }

  /// Replaces the cost: a future's is its value at the last settlement.
  mutating func settle(at local: Money) { cost = Worth(local: local, base: .zero) }

  /// Multiplies the quantity by a split's ratio; the costs stay.
  ///
  /// The total is rounded once, half to even; a lot gets the difference of two rounded running
  /// totals, so that the lots still sum to it.
  mutating func split(by ratio: Rate) throws(ArithmeticError) {
    quantity = try quantity.scaled(by: ratio)
    guard areLotsKnown else { return }
    var before = Quantity.zero
    var scaledBefore = Quantity.zero
    var carried = Worth.zero
    var result: [Lot] = []
    result.reserveCapacity(lots.count)
    for var lot in lots {
      before += lot.quantity
      let scaled = try before.scaled(by: ratio)
      lot.quantity = scaled - scaledBefore
      scaledBefore = scaled
      if lot.quantity.isZero {
        carried = carried + Worth(local: lot.localCost, base: lot.costBasis)
        continue
      }
      lot.localCost += carried.local
      lot.costBasis += carried.base
      carried = .zero
      result.append(lot)
    }
    if !result.isEmpty {
      result[result.count - 1].localCost += carried.local
      result[result.count - 1].costBasis += carried.base
    }
    lots = result
  }

  /// Takes over lots that were rebuilt from the activity log.
  mutating func restoreLots(of rebuilt: Position) {
    precondition(rebuilt.totals == totals, "rebuilt lots are the position's")
    lots = rebuilt.lots
    areLotsKnown = rebuilt.areLotsKnown
  }
}

extension Position {
  /// Closes a part of the position and returns the cost that it carried.
  ///
  /// A part of a lot carries its share of the lot's cost, rounded half to even; the lot keeps the
  /// rest, and what closes a lot takes all that is left of it.
  /// - Parameter part: Signed like the position, no larger than it.
  mutating func relieve(
    _ part: Quantity, by relief: LotRelief
  ) throws(ArithmeticError) -> Worth {
    precondition(
      (part.units < 0) == (quantity.units < 0) && part.magnitude <= quantity.magnitude,
      "relief stays within the position")
    if part == quantity {
      let all = cost
      self = Position()
      return all
    }
    var relieved = Worth.zero
    switch relief {
    case .average: relieved = try cost.share(part, of: quantity)
    case .fifo: relieved = try relieveOldest(part)
    case .lifo: relieved = try relieveNewest(part)
    }
    quantity -= part
    cost = cost - relieved
    return relieved
  }

  private mutating func relieveOldest(_ part: Quantity) throws(ArithmeticError) -> Worth {
    precondition(areLotsKnown, "first-in relief needs the lots")
    var rest = part
    var relieved = Worth.zero
    var closed = 0
    while !rest.isZero {
      let taken = try take(&rest, from: closed)
      relieved = relieved + taken
      if lots[closed].quantity.isZero { closed += 1 }
    }
    lots.removeFirst(closed)
    return relieved
  }

  private mutating func relieveNewest(_ part: Quantity) throws(ArithmeticError) -> Worth {
    precondition(areLotsKnown, "last-in relief needs the lots")
    var rest = part
    var relieved = Worth.zero
    while !rest.isZero {
      let taken = try take(&rest, from: lots.count - 1)
      relieved = relieved + taken
      if lots[lots.count - 1].quantity.isZero { lots.removeLast() }
    }
    return relieved
  }

  /// Takes as much of `rest` from one lot as it has.
  private mutating func take(
    _ rest: inout Quantity, from index: Int
  ) throws(ArithmeticError) -> Worth {
    let lot = lots[index]
    let taken = rest.magnitude < lot.quantity.magnitude ? rest : lot.quantity
    let whole = Worth(local: lot.localCost, base: lot.costBasis)
    let relieved = try whole.share(taken, of: lot.quantity)
    lots[index].quantity -= taken
    lots[index].localCost -= relieved.local
    lots[index].costBasis -= relieved.base
    rest -= taken
    return relieved
  }
}
