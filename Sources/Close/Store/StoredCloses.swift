internal import Accounting
internal import Postgres
internal import Storage

/// A complete slot as the tables hold it, with everything that a close writes.
struct StoredCloses {
  /// One slot.
  struct StoredClose {
    var snapshot: StoredSnapshot
    /// Ascending by holding.
    var holdings: [StoredHolding] = []
    /// Ascending by currency.
    var cashBalances: [CashBalance] = []
    /// Ascending by date of payment and currency.
    var receivables: [Receivable] = []
    /// Ascending by holding; one a holding, unless a row is there that ought not to be.
    var holdingIRRs: [StoredIRR] = []
    /// One, unless a row is missing or there is one too many.
    var portfolioIRRs: [StoredIRR] = []

    var portfolioIRR: StoredIRR? { portfolioIRRs.first }
  }

  /// Five statements, and one where something is paid later: see ``BooksReader/closes(_:)``.
  fileprivate static func read(
    _ slots: [Slot], on db: isolated Connection
  ) throws -> [Slot: StoredClose] {
    guard !slots.isEmpty else { return [:] }
    // In the order of the tables' keys, so that the look-ups walk through them once.
    let slots = slots.sorted { ($0.date, $0.portfolio) < ($1.date, $1.portfolio) }
    var result: [Slot: StoredClose] = [:]
    result.reserveCapacity(slots.count)
    for row in try StoredSnapshots.read(slots, on: db) {
      result[row.slot] = StoredClose(snapshot: row)
    }
    for rows in try Loading.holdings(at: slots, on: db).runs(of: \.slot) {
      result[rows[rows.startIndex].slot]?.holdings = Array(rows)
    }
    for (slot, balance) in try Loading.cashBalances(at: slots, on: db) {
      result[slot]?.cashBalances.append(balance)
    }
    let owed = slots.filter { result[$0].map { $0.snapshot.receivableCount > 0 } ?? false }
    if !owed.isEmpty {
      for row in try Loading.receivables(at: owed, on: db) {
        result[row.slot]?.receivables.append(row.receivable)
      }
    }
    for rows in try StoredSnapshots.holdingIRRs(slots, on: db).runs(of: \.slot) {
      result[rows[rows.startIndex].slot]?.holdingIRRs = Array(rows)
    }
    for row in try StoredSnapshots.portfolioIRRs(slots, on: db) {
      result[row.slot]?.portfolioIRRs.append(row)
    }
    return result
  }
}

extension BooksReader {
  /// The complete slots of some portfolios over a range of dates.
  func closes(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day
  ) throws -> [Slot: StoredCloses.StoredClose] {
    try read { db in
      try StoredCloses.read(
        Planning.completeSlots(of: portfolios, from: first, through: last, on: db), on: db)
    }
  }

  /// Those of these slots that are complete, and perhaps some of other portfolios.
  func closes(_ slots: [Slot]) throws -> [Slot: StoredCloses.StoredClose] {
    try read { db in try StoredCloses.read(slots, on: db) }
  }
}

extension StoredHolding {
  fileprivate var slot: Slot { Slot(portfolio: portfolio, date: date) }
}

extension StoredCloses.StoredClose {
  /// The rows in which a computed close says just what is stored, to the last digit.
  ///
  /// - Parameter instruments: What each holding is.
  func rows(
    sameAs computed: ComputedSegment.Closed, convention: IRRConvention,
    instruments: [ID<Holding>: Instrument]
  ) -> SlotRows {
    var same: SlotRows = []
    let close = computed.close
    if snapshot.snapshot == close.snapshot,
      snapshot.netExternalFlow == close.snapshot.netExternalFlow
    {
      same.insert(.snapshot)
    }
    if holdings.count == close.holdings.count,
      zip(holdings, close.holdings).allSatisfy({ stored, row in
        isSame(stored, row)
          && (instruments[row.holding]?.id ?? stored.instrument) == stored.instrument
      })
    {
      same.insert(.holdings)
    }
    if cashBalances == close.cashBalances, receivables == close.receivables {
      same.insert(.cashBalances)
    }
    if holdingIRRs.count == computed.holdingIRRs.count,
      holdingIRRs.indices.allSatisfy({
        holdingIRRs[$0].holding == close.holdings[$0].holding
          && holdingIRRs[$0].isSame(as: computed.holdingIRRs[$0], convention)
      })
    {
      same.insert(.holdingIRRs)
    }
    if portfolioIRRs.count == 1,
      portfolioIRRs[0].isSame(as: computed.portfolioIRR, convention)
    {
      same.insert(.portfolioIRR)
    }
    return same
  }

  private func isSame(_ stored: StoredHolding, _ row: HoldingSnapshot) -> Bool {
    stored.holding == row.holding && stored.quantity == row.quantity && stored.price == row.price
      && stored.priceDate == row.priceDate && stored.marketValue == row.marketValue
      && stored.costBasis == row.costBasis && stored.dailyPnL == row.dailyPnL
      && stored.unrealized == row.unrealized && stored.localValue == row.localValue
      && stored.localCost == row.localCost
      && stored.attribution.realized == row.attribution.realized
      && stored.attribution.income == row.attribution.income
      && stored.attribution.fees == row.attribution.fees
      && stored.attribution.taxes == row.attribution.taxes
  }
}

extension StoredIRR {
  /// Whether a row would say the same; the period's return is not kept in one.
  fileprivate func isSame(as computed: IRRResult?, _ convention: IRRConvention) -> Bool {
    self.convention == convention && result.status == computed?.status
      && result.logGrowth == computed?.logGrowth && result.rate == computed?.rate
      && result.roots == computed?.roots
  }
}
