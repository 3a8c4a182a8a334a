internal import Accounting
internal import Postgres

// The bulk rows of a chunk, each table one binary COPY, in the order of its key.

extension Populating {
  static func stage(_ results: [SlotResult], on db: isolated Connection) throws {
    _ = try db.copyIn("populate-stage", copyStage) { rows in
      for result in results {
        let snapshot = result.snapshot
        rows.beginRow(38)
        rows.write(result.slot.portfolio)
        rows.write(result.slot.date)
        rows.write(snapshot.openedFrom)
        if let revision = result.openedFromRevision {
          rows.write(int32: revision)
        } else {
          rows.writeNull()
        }
        rows.write(bool: result.opensInSameSegment)
        if let replaced = result.replaced {
          rows.write(int32: replaced.revision)
        } else {
          rows.writeNull()
        }
        writeMoney(of: snapshot, to: &rows)
        rows.write(int16: Int16(clamping: result.receivables.count))
        rows.write(snapshot.dailyReturn)
        rows.write(double: snapshot.index)
        rows.write(snapshot.indexSince)
        rows.write(snapshot.cumulativePnL)
        rows.write(int32: Int32(snapshot.pricedCount))
        rows.write(int32: Int32(snapshot.carriedCount))
        rows.write(int32: Int32(snapshot.missingCount))
        rows.write(int32: Int32(snapshot.maxCarriedDays))
        rows.write(bool: snapshot.isDegraded)
        rows.write(result.policy)
        rows.write(result.fingerprint)
      }
    }
  }

  /// The twenty amounts, in the order of the table's columns.
  private static func writeMoney(of snapshot: Snapshot, to rows: inout CopyWriter) {
    rows.write(snapshot.openingEquity)
    rows.write(snapshot.inflow)
    rows.write(snapshot.outflow)
    rows.write(snapshot.netExternalFlow)
    rows.write(snapshot.dailyPnL)
    rows.write(snapshot.attribution.realized)
    rows.write(snapshot.attribution.unrealizedChange)
    rows.write(snapshot.unrealizedPnL)
    rows.write(snapshot.attribution.income)
    rows.write(snapshot.attribution.fees)
    rows.write(snapshot.attribution.taxes)
    rows.write(snapshot.attribution.fx)
    rows.write(snapshot.attribution.priorPeriod)
    rows.write(snapshot.closingEquity)
    rows.write(snapshot.cash)
    rows.write(snapshot.longValue)
    rows.write(snapshot.shortValue)
    rows.write(snapshot.grossExposure)
    rows.write(snapshot.netExposure)
    rows.write(snapshot.receivables)
  }

  static func copyHoldings(_ results: [SlotResult], on db: isolated Connection) throws {
    guard results.contains(where: { $0.writes(.holdings) }) else { return }
    _ = try db.copyIn("populate-holdings", copyHoldingRows) { rows in
      for result in results where result.writes(.holdings) {
        for holding in result.holdings {
          write(holding, of: result, to: &rows)
        }
      }
    }
  }

  /// What follows from the other columns is left null: most rows are in base currency.
  private static func write(
    _ holding: HoldingSnapshot, of result: SlotResult, to rows: inout CopyWriter
  ) {
    rows.beginRow(17)
    rows.write(result.slot.date)
    rows.write(result.slot.portfolio)
    rows.write(holding.holding)
    if let instrument = result.instruments[holding.holding] {
      rows.write(instrument.id)
    } else {
      rows.writeNull()
    }
    rows.write(holding.priceDate)
    rows.write(holding.quantity)
    rows.write(holding.price)
    rows.write(holding.marketValue)
    rows.write(holding.costBasis)
    rows.write(holding.dailyPnL)
    let plainLevel = holding.marketValue - holding.costBasis
    rows.write(holding.unrealized == plainLevel ? nil : holding.unrealized)
    rows.write(holding.localValue == holding.marketValue ? nil : holding.localValue)
    rows.write(holding.localCost == holding.costBasis ? nil : holding.localCost)
    rows.write(nonzero(holding.attribution.realized))
    rows.write(nonzero(holding.attribution.income))
    rows.write(nonzero(holding.attribution.fees))
    rows.write(nonzero(holding.attribution.taxes))
  }

  private static func nonzero(_ amount: Money) -> Money? { amount.isZero ? nil : amount }

  static func copyCashBalances(_ results: [SlotResult], on db: isolated Connection) throws {
    func writes(_ result: SlotResult) -> Bool {
      !result.cashBalances.isEmpty && result.writes(.cashBalances)
    }
    guard results.contains(where: writes) else { return }
    _ = try db.copyIn("populate-cash-balances", copyCashRows) { rows in
      for result in results where writes(result) {
        for balance in result.cashBalances {
          rows.beginRow(5)
          rows.write(result.slot.date)
          rows.write(result.slot.portfolio)
          rows.write(text: balance.currency.description)
          rows.write(balance.balance)
          rows.write(balance.baseValue)
        }
      }
    }
  }

  static func copyReceivables(_ results: [SlotResult], on db: isolated Connection) throws {
    func writes(_ result: SlotResult) -> Bool {
      !result.receivables.isEmpty && result.writes(.cashBalances)
    }
    guard results.contains(where: writes) else { return }
    _ = try db.copyIn("populate-receivables", copyReceivableRows) { rows in
      for result in results where writes(result) {
        for receivable in result.receivables {
          rows.beginRow(6)
          rows.write(result.slot.date)
          rows.write(result.slot.portfolio)
          rows.write(receivable.payDate)
          rows.write(text: receivable.currency.description)
          rows.write(receivable.amount)
          rows.write(receivable.baseValue)
        }
      }
    }
  }

  static func copyHoldingReturns(
    _ results: [SlotResult], keeping kept: KeptIDs, on db: isolated Connection
  ) throws {
    guard results.contains(where: { $0.writes(.holdingIRRs) }) else { return }
    // Not every kept id finds its row again: a holding may have been exited on an earlier date.
    let count = results.reduce(0) { count, result in
      guard result.writes(.holdingIRRs) else { return count }
      return count + result.holdings.count { kept.id(of: $0.holding, in: result.slot) == nil }
    }
    var ids = try ReservedIDs.reserve(count, from: .holdingIRRs, on: db)
    _ = try db.copyIn("populate-holding-returns", copyHoldingReturnRows) { rows in
      for result in results where result.writes(.holdingIRRs) {
        for (holding, value) in zip(result.holdings, result.holdingIRRs) {
          rows.beginRow(9)
          rows.write(int64: try kept.id(of: holding.holding, in: result.slot) ?? ids.next())
          rows.write(result.slot.date)
          rows.write(result.slot.portfolio)
          rows.write(holding.holding)
          write(value, result.convention, to: &rows)
        }
      }
    }
  }

  static func copyPortfolioReturns(
    _ results: [SlotResult], keeping kept: KeptIDs, on db: isolated Connection
  ) throws {
    guard results.contains(where: { $0.writes(.portfolioIRR) }) else { return }
    var ids = try ReservedIDs.reserve(
      results.count { $0.writes(.portfolioIRR) && kept.ofPortfolios[$0.slot] == nil },
      from: .portfolioIRRs, on: db)
    _ = try db.copyIn("populate-portfolio-returns", copyPortfolioReturnRows) { rows in
      for result in results where result.writes(.portfolioIRR) {
        rows.beginRow(8)
        rows.write(int64: try kept.ofPortfolios[result.slot] ?? ids.next())
        rows.write(result.slot.date)
        rows.write(result.slot.portfolio)
        write(result.portfolioIRR, result.convention, to: &rows)
      }
    }
  }

  private static func write(
    _ value: IRRResult, _ convention: IRRConvention, to rows: inout CopyWriter
  ) {
    rows.write(value.rate)
    rows.write(value.logGrowth)
    rows.write(text: value.status.rawValue)
    rows.write(text: convention.rawValue)
    rows.write(int16: Int16(clamping: value.roots))
  }
}
