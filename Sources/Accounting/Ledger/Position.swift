/// What is held of one instrument: a signed quantity, its costs, and the lots that make them up.
///
/// The totals are kept apart from the lots, since a night that only buys, or a portfolio with
/// average cost, does not need the lots. Where they are known they sum to the totals exactly.
struct Position: Equatable, Sendable {
  /// Signed units: negative is short, and a valued holding has none.
  private(set) var quantity = Quantity.zero
  /// Cost of what is open; signed like the quantity.
  private(set) var cost = Worth.zero
  /// Lots that first-in relief has closed, and behind them those that are open: the front of an
  /// array is dear to take away.
  private var storage: [Lot] = []
  private var closedCount: Int32 = 0
  /// Whether `lots` make up the position.
  var areLotsKnown = true

  init() {}

  /// A stored position, whose lots are unknown unless there are none.
  init(quantity: Quantity, cost: Worth) {
    self.quantity = quantity
    self.cost = cost
    areLotsKnown = quantity.isZero
  }

  /// In the order of acquisition; empty where they are not known.
  var lots: ArraySlice<Lot> { storage[Int(closedCount)...] }

  /// Replaces what is held; lots that are not known stay unknown.
  mutating func replace(quantity: Quantity, cost: Worth, lots: [Lot]) {
    self.quantity = quantity
    self.cost = cost
    storage = areLotsKnown ? lots : []
    closedCount = 0
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
    var place = storage.count
    while place > closedCount, storage[place - 1].acquired > lot.acquired { place -= 1 }
    storage.insert(lot, at: place)
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

  /// Takes over lots that were rebuilt from the activity log.
  mutating func restoreLots(of rebuilt: Position) {
    precondition(rebuilt.totals == totals, "rebuilt lots are the position's")
    storage = rebuilt.storage
    closedCount = rebuilt.closedCount
    areLotsKnown = rebuilt.areLotsKnown
  }
}

extension Position {
  static func == (left: Position, right: Position) -> Bool {
    left.totals == right.totals && left.areLotsKnown == right.areLotsKnown
      && left.lots == right.lots
  }

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
    while !rest.isZero {
      let oldest = Int(closedCount)
      let taken = try take(&rest, from: oldest)
      relieved = relieved + taken
      if storage[oldest].quantity.isZero { closedCount += 1 }
    }
    // Seldom enough to cost each lot one move, and often enough to keep no more than is open.
    if Int(closedCount) * 2 > storage.count {
      storage.removeFirst(Int(closedCount))
      closedCount = 0
    }
    return relieved
  }

  private mutating func relieveNewest(_ part: Quantity) throws(ArithmeticError) -> Worth {
    precondition(areLotsKnown, "last-in relief needs the lots")
    var rest = part
    var relieved = Worth.zero
    while !rest.isZero {
      let taken = try take(&rest, from: storage.count - 1)
      relieved = relieved + taken
      if storage[storage.count - 1].quantity.isZero { storage.removeLast() }
    }
    return relieved
  }

  /// Takes as much of `rest` from one lot as it has.
  private mutating func take(
    _ rest: inout Quantity, from index: Int
  ) throws(ArithmeticError) -> Worth {
    let lot = storage[index]
    let taken = rest.magnitude < lot.quantity.magnitude ? rest : lot.quantity
    let whole = Worth(local: lot.localCost, base: lot.costBasis)
    let relieved = try whole.share(taken, of: lot.quantity)
    storage[index].quantity -= taken
    storage[index].localCost -= relieved.local
    storage[index].costBasis -= relieved.base
    rest -= taken
    return relieved
  }
}
