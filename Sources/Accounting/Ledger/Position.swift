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
  private(set) var areLotsKnown = true

  init() {}

  /// A stored position, whose lots are unknown unless there are none.
  init(quantity: Quantity, cost: Worth) {
    self.quantity = quantity
    self.cost = cost
    areLotsKnown = quantity.isZero
  }

  /// In the order of acquisition; empty where they are not known.
  var lots: ArraySlice<Lot> { storage[Int(closedCount)...] }

  private mutating func keep(_ lots: [Lot]) {
    storage = lots
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
    keep(result)
  }

  /// What passes to another holding, in that one's units, and what stays.
  ///
  /// Of each lot the same share of the cost passes. The total is rounded once, half to even; a lot
  /// gets the difference of two rounded running totals, so that the lots still sum to it.
  func passing(
    _ share: Rate, at ratio: Rate, keepsUnits: Bool
  ) throws(ArithmeticError) -> (left: Position, passing: Position) {
    precondition(keepsUnits || share == .one, "cost stays only where units do")
    var (left, passing) = (self, self)
    passing.cost = try cost.converted(at: share)
    left.cost = cost - passing.cost
    var (before, passedBefore) = (Worth.zero, Worth.zero)
    for index in Int(closedCount)..<storage.count {
      let lot = storage[index]
      before = before + Worth(local: lot.localCost, base: lot.costBasis)
      let passed = try before.converted(at: share)
      let part = passed - passedBefore
      passedBefore = passed
      passing.storage[index].localCost = part.local
      passing.storage[index].costBasis = part.base
      left.storage[index].localCost -= part.local
      left.storage[index].costBasis -= part.base
    }
    if !keepsUnits { left = Position() }
    try passing.split(by: ratio)
    return (left, passing)
  }

  /// Takes in what comes from another holding, each lot behind those acquired on or before its
  /// date.
  mutating func take(_ arriving: Position, by relief: LotRelief) {
    precondition(
      quantity.isZero || (arriving.quantity.units < 0) == (quantity.units < 0),
      "lots arrive on the side of the position")
    quantity += arriving.quantity
    cost = cost + arriving.cost
    areLotsKnown = areLotsKnown && arriving.areLotsKnown
    guard areLotsKnown, relief != .average else {
      keep([])
      return
    }
    var merged: [Lot] = []
    merged.reserveCapacity(lots.count + arriving.lots.count)
    var rest = arriving.lots
    for lot in lots {
      while let next = rest.first, next.acquired < lot.acquired {
        merged.append(rest.removeFirst())
      }
      merged.append(lot)
    }
    keep(merged + rest)
  }

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
