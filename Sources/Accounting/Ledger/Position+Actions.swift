// What corporate actions make of a position. A total is rounded once, half to even; a lot gets the
// difference of two rounded running totals, so that the lots still sum to it.

extension Position {
  /// Multiplies the quantity by a ratio; the costs stay.
  mutating func split(by ratio: Ratio) throws(ArithmeticError) {
    let total = try ratio.units(for: quantity)
    var before = Quantity.zero
    var scaledBefore = Quantity.zero
    var carried = Worth.zero
    var result: [Lot] = []
    result.reserveCapacity(lots.count)
    for var lot in lots {
      before += lot.quantity
      let scaled = try ratio.units(for: before)
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
    replace(quantity: total, cost: cost, lots: result)
  }

  /// The position twice, each with all units: one with a share of every lot's cost, the other with
  /// the rest.
  func sharingCost<Measure: FixedPoint>(
    _ part: Measure, of whole: Measure
  ) throws(ArithmeticError) -> (share: Position, rest: Position) {
    let total = try cost.share(part, of: whole)
    var (shares, rests) = (Array(lots), Array(lots))
    var (before, takenBefore) = (Worth.zero, Worth.zero)
    for (index, lot) in lots.enumerated() {
      before = before + Worth(local: lot.localCost, base: lot.costBasis)
      let taken = try before.share(part, of: whole)
      shares[index].localCost = taken.local - takenBefore.local
      shares[index].costBasis = taken.base - takenBefore.base
      rests[index].localCost -= shares[index].localCost
      rests[index].costBasis -= shares[index].costBasis
      takenBefore = taken
    }
    var (share, rest) = (self, self)
    share.replace(quantity: quantity, cost: total, lots: shares)
    rest.replace(quantity: quantity, cost: cost - total, lots: rests)
    return (share, rest)
  }

  /// Counts the local cost in another currency; the cost in base currency stays.
  mutating func convertLocalCost(at rate: Rate) throws(ArithmeticError) {
    let total = Worth(local: try convert(cost.local, at: rate), base: cost.base)
    var (before, convertedBefore) = (Money.zero, Money.zero)
    var result = Array(lots)
    for index in result.indices {
      before += result[index].localCost
      let converted = try convert(before, at: rate)
      result[index].localCost = converted - convertedBefore
      convertedBefore = converted
    }
    replace(quantity: quantity, cost: total, lots: result)
  }

  /// Takes of every lot's cost what is paid for it, at most what there is of it; base cost goes
  /// along pro rata.
  ///
  /// - Parameter proceeds: In the instrument's currency, for all units; signed like them.
  /// - Returns: What was taken.
  mutating func relieveCost(_ proceeds: Money) throws(ArithmeticError) -> Worth {
    guard areLotsKnown, !lots.isEmpty else {
      let relieved = try Worth(local: cost.local, base: cost.base).upTo(proceeds)
      replace(quantity: quantity, cost: cost - relieved, lots: [])
      return relieved
    }
    var relieved = Worth.zero
    var (before, paidBefore) = (Quantity.zero, Money.zero)
    var result = Array(lots)
    for index in result.indices {
      before += result[index].quantity
      let paid = try proceeds.share(before, of: quantity)
      let cost = Worth(local: result[index].localCost, base: result[index].costBasis)
      let taken = try cost.upTo(paid - paidBefore)
      paidBefore = paid
      result[index].localCost -= taken.local
      result[index].costBasis -= taken.base
      relieved = relieved + taken
    }
    replace(quantity: quantity, cost: cost - relieved, lots: result)
    return relieved
  }

  /// Takes in what comes from another holding, each lot behind those acquired on or before its
  /// date.
  mutating func take(_ arriving: Position, by relief: LotRelief) {
    precondition(
      quantity.isZero || (arriving.quantity.units < 0) == (quantity.units < 0),
      "lots arrive on the side of the position")
    let (total, cost) = (quantity + arriving.quantity, cost + arriving.cost)
    areLotsKnown = areLotsKnown && arriving.areLotsKnown
    guard areLotsKnown, relief != .average else {
      replace(quantity: total, cost: cost, lots: [])
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
    replace(quantity: total, cost: cost, lots: merged + rest)
  }
}

extension Worth {
  /// As much of a cost as an amount in the instrument's currency pays for: all of it at most, and
  /// nothing of a cost on the other side.
  fileprivate func upTo(_ paid: Money) throws(ArithmeticError) -> Worth {
    if paid.isZero || local.isZero || (paid < .zero) != (local < .zero) {
      return Worth(local: .zero, base: local.isZero && !paid.isZero ? base : .zero)
    }
    if paid.magnitude >= local.magnitude { return self }
    return Worth(local: paid, base: try base.share(paid, of: local))
  }
}
