internal import Accounting
internal import Postgres
internal import Problems
internal import Storage

/// The money-weighted returns of computed segments: most from moments, the rest from flows that are
/// read for just those series, in two statements a chunk.
struct SegmentReturns {
  let inputs: ChunkInputs

  func solve(_ segments: inout [ComputedSegment], on db: isolated some CloseStore) throws {
    var pending: [(index: Int, series: Pending)] = []
    for index in segments.indices {
      let missing = solveKnown(&segments[index])
      if !missing.isEmpty { pending.append((index, missing)) }
    }
    guard !pending.isEmpty else { return }
    var fromDatabase = try readFlows(of: pending.map { (segments[$0.index], $0.series) }, on: db)
    for (index, missing) in pending {
      try solveRead(&segments[index], missing, &fromDatabase)
    }
  }

  /// Series of a segment whose flows have to be read.
  private struct Pending {
    var portfolio = false
    var holdings: Set<ID<Holding>> = []

    var isEmpty: Bool { !portfolio && holdings.isEmpty }
  }

  // MARK: - From what is at hand

  private func solveKnown(_ computed: inout ComputedSegment) -> Pending {
    var pending = Pending()
    let convention = computed.segment.portfolio.irrConvention
    for index in computed.closed.indices {
      let (close, policy) = (computed.closed[index].close, computed.closed[index].policy)
      let date = close.snapshot.date
      let isKnown = date >= computed.ledger.knownThrough
      if date > computed.ledger.knownThrough { computed.ledger.add(close.flows) }
      var isComplete = true
      for (position, row) in close.holdings.enumerated() {
        let instrument = computed.instruments[row.holding]
        guard hasUsableValue(row, instrument, on: date, convention, policy) else {
          isComplete = false
          computed.closed[index].holdingIRRs[position] = .incomplete
          continue
        }
        let result =
          isKnown
          ? computed.ledger.solve(
            row.holding, closingValue: row.marketValue, on: date, convention) : nil
        computed.closed[index].holdingIRRs[position] = result
        if result == nil { pending.holdings.insert(row.holding) }
      }
      let result: IRRResult? =
        if !isComplete { .incomplete } else if !isKnown { nil } else {
          computed.ledger.solvePortfolio(
            closingValue: close.snapshot.closingEquity, on: date, convention)
        }
      computed.closed[index].portfolioIRR = result
      if result == nil { pending.portfolio = true }
    }
    return pending
  }

  /// A quoted holding needs a close within the policy; a valued one a statement that is not too
  /// old, and by months one of that very month; an exited one needs neither.
  private func hasUsableValue(
    _ row: HoldingSnapshot, _ instrument: Instrument?, on date: Day,
    _ convention: IRRConvention, _ policy: ClosePolicy
  ) -> Bool {
    if row.quantity.isZero && row.localValue.isZero { return true }
    if instrument?.pricing == .valued {
      guard let stated = row.priceDate else { return false }
      if convention == .monthlyNominal {
        return stated.parts.year == date.parts.year && stated.parts.month == date.parts.month
      }
      return date - stated <= policy.maxStatementAgeDays
    }
    switch row.quality {
    case .priced: return true
    case .carried(let days): return days <= policy.maxCarriedBusinessDays
    case .missing: return false
    }
  }

  // MARK: - From flows read

  /// Activities behind pending series, by portfolio, ascending by date and key.
  private struct ReadFlows {
    var ofHoldings: [ID<Holding>: ArraySlice<StoredActivity>] = [:]
    var ofPortfolios: [ID<Portfolio>: ArraySlice<StoredActivity>] = [:]
    /// What the external flows in kind are in.
    var instruments: [ID<Portfolio>: [ID<Holding>: Instrument]] = [:]
  }

  /// A segment that reads its history has the rows already; the others' are asked for together.
  private func readFlows(
    of pending: [(ComputedSegment, Pending)], on db: isolated some CloseStore
  ) throws -> ReadFlows {
    var read = ReadFlows()
    var holdings: [(holding: ID<Holding>, through: Day)] = []
    var portfolios: [ID<Portfolio>] = []
    var through = Day.earliest
    for (computed, missing) in pending where !computed.segment.readsHistory {
      let kin = Set(missing.holdings.flatMap { lineage(of: $0, computed) })
      holdings += kin.sorted().map { ($0, computed.segment.through) }
      if missing.portfolio { portfolios.append(computed.segment.portfolio.id) }
      through = max(through, computed.segment.through)
    }
    if !holdings.isEmpty {
      for rows in try db.history(of: holdings).runs(of: \.activity.holding) {
        if let holding = rows[rows.startIndex].activity.holding { read.ofHoldings[holding] = rows }
      }
    }
    if !portfolios.isEmpty {
      let rows = try db.externalFlows(of: portfolios, through: through)
      for rows in rows.runs(of: \.portfolio) {
        read.ofPortfolios[rows[rows.startIndex].portfolio] = rows
      }
    }
    for (computed, missing) in pending where computed.segment.readsHistory {
      let rows = inputs.books[computed.segment.portfolio.id]?.activities ?? []
      if missing.portfolio { read.ofPortfolios[computed.segment.portfolio.id] = rows }
      let byHolding = Dictionary(grouping: rows) { $0.activity.holding }
      for holding in missing.holdings.flatMap({ lineage(of: $0, computed) }) {
        read.ofHoldings[holding] = byHolding[holding]?[...]
      }
    }
    return read
  }

  private func solveRead(
    _ computed: inout ComputedSegment, _ missing: Pending, _ read: inout ReadFlows
  ) throws {
    do {
      for holding in missing.holdings {
        let rows = lineage(of: holding, computed).flatMap { read.ofHoldings[$0] ?? [] }
        let flows = try flows(of: holding, computed, rows)
        solve(holding, flows, &computed)
      }
      if missing.portfolio {
        let rows = read.ofPortfolios[computed.segment.portfolio.id] ?? []
        solvePortfolio(try portfolioFlows(computed, rows), &computed)
      }
    } catch let error as CloseError {
      computed.problem = error.stated(of: computed.segment)
      computed.closed = []
    }
  }

  private func flows(
    of holding: ID<Holding>, _ computed: ComputedSegment, _ rows: [StoredActivity]
  ) throws -> [DatedFlow] {
    guard computed.instruments[holding] != nil else { return [] }
    return try PortfolioBook.flows(
      of: holding, portfolio: computed.segment.portfolio, instruments: computed.instruments,
      history: try rows.map { try $0.withReferenceClose(in: inputs.market) },
      market: inputs.market.market, through: computed.segment.through
    ).map { DatedFlow(day: $0.day, amount: $0.amount.approximate) }
  }

  /// The holdings whose histories make a holding's flows: lots may have passed to it.
  private func lineage(
    of holding: ID<Holding>, _ computed: ComputedSegment
  ) -> [ID<Holding>] {
    PortfolioBook.lineage(
      of: holding, portfolio: computed.segment.portfolio, instruments: computed.instruments,
      market: inputs.market.market, through: computed.segment.through)
  }

  private func portfolioFlows(
    _ computed: ComputedSegment, _ rows: ArraySlice<StoredActivity>
  ) throws -> [DatedFlow] {
    var book = ChunkInputs.Book()
    book.activities = rows
    return try PortfolioBook.portfolioFlows(
      portfolio: computed.segment.portfolio, instruments: try book.instruments(in: inputs.market),
      history: try rows.map { try $0.withReferenceClose(in: inputs.market) },
      market: inputs.market.market, through: computed.segment.through
    ).map { DatedFlow(day: $0.day, amount: $0.amount.approximate) }
  }

  private func solve(
    _ holding: ID<Holding>, _ flows: [DatedFlow], _ computed: inout ComputedSegment
  ) {
    let convention = computed.segment.portfolio.irrConvention
    var flows = ReadSeries(flows)
    for index in computed.closed.indices {
      let close = computed.closed[index].close
      flows.advance(through: close.snapshot.date)
      for position in close.holdings.indices
      where close.holdings[position].holding == holding
        && computed.closed[index].holdingIRRs[position] == nil
      {
        computed.closed[index].holdingIRRs[position] = flows.series.solve(
          closingValue: close.holdings[position].marketValue, on: close.snapshot.date, convention)
      }
    }
    computed.ledger.set(flows.moments, of: holding)
    computed.ledger.isChanged = true
  }

  private func solvePortfolio(_ flows: [DatedFlow], _ computed: inout ComputedSegment) {
    let convention = computed.segment.portfolio.irrConvention
    var flows = ReadSeries(flows)
    for index in computed.closed.indices {
      let snapshot = computed.closed[index].close.snapshot
      flows.advance(through: snapshot.date)
      guard computed.closed[index].portfolioIRR == nil else { continue }
      computed.closed[index].portfolioIRR = flows.series.solve(
        closingValue: snapshot.closingEquity, on: snapshot.date, convention)
    }
    computed.ledger.portfolio = flows.moments
    computed.ledger.isChanged = true
  }
}

/// Flows that were read, added to a series date by date: each date starts from what the one before
/// it found, as nights do, and the series never knows of more than was closed.
private struct ReadSeries {
  private(set) var rest: ArraySlice<DatedFlow>
  var series = KnownFlows.empty

  init(_ flows: [DatedFlow]) { rest = flows.sorted { $0.day < $1.day }[...] }

  mutating func advance(through date: Day) {
    let now = rest.prefix { $0.day <= date }
    series.add(now)
    rest = rest[now.endIndex...]
  }

  /// What is kept for the next night.
  var moments: KnownFlows {
    KnownFlows(
      moments: series.moments ?? FlowMoments(flows: series.flows ?? [], expandedAt: 0), flows: nil)
  }
}
