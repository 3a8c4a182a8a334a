package import Accounting
internal import Postgres
internal import Problems
package import Storage

/// A closed date of one portfolio with every input and step behind its numbers.
package struct SlotExplanation: Sendable {
  /// What is stored.
  package var shown: ShownSnapshot
  /// Every step, from today's inputs.
  package var explanation: Explanation
  /// Which revision of the opening snapshot is opened from today; nil for the first close.
  package var openingRevision: Int32?
  /// The business dates after the opening, up to and with the date.
  package var businessDays: [Day]
  /// Where the activities of the window came from, by key.
  package var sources: [Int64: ActivitySource]
  /// The portfolio's money-weighted return.
  package var portfolioIRR: ExplainedIRR?
  /// The holdings' own.
  package var holdingIRRs: [ID<Holding>: ExplainedIRR]
  /// When closes and statements are good enough.
  package var policy: ClosePolicy
  /// Changes of inputs that the stored snapshot has not seen.
  package var unseenChanges: [UnseenChange]
  /// What is not as it is stored; empty for a snapshot that follows from its inputs.
  package var differences: [ValueDifference]
}

/// What stands where an explanation was looked for.
package enum Explained: Sendable {
  /// The closed date, explained.
  case closed(SlotExplanation)
  /// The closed date, whose inputs today make no close, and why.
  case impossible(ShownSnapshot, error: String, [UnseenChange])
  /// A slot that is not closed: its state and, if it failed, why.
  case open(state: String, error: String?)
  /// Nothing: the closed dates next to it.
  case missing(before: Day?, after: Day?)
}

extension BooksReader {
  /// Explains a portfolio's closed date, without writing.
  ///
  /// - Parameter policy: Nil: the one that it was closed under.
  /// - Throws: `SchemaError`; `UnknownPortfolios` for a code without a portfolio.
  package func explain(
    _ code: String, on date: Day, policy: ClosePolicy? = nil
  ) throws -> Explained {
    let portfolio = try portfolio(code).portfolio
    let slot = Slot(portfolio: portfolio.id, date: date)
    guard let close = try closes([slot])[slot] else {
      return try read { db in
        if let state = try StoredSnapshots.state(of: slot, on: db) {
          return .open(state: state.state, error: state.error)
        }
        let around = try Provenance.closedAround(slot, on: db)
        return .missing(before: around.before, after: around.after)
      }
    }
    let explaining = Explaining(
      shown: try shown(portfolio, close), stored: close, policy: policy ?? close.snapshot.policy)
    return try read { db in try explaining.explain(on: db) }
  }
}

/// Makes one explanation, inside a transaction.
private struct Explaining {
  let shown: ShownSnapshot
  let stored: StoredCloses.StoredClose
  let policy: ClosePolicy

  private var portfolio: Portfolio { shown.portfolio }
  private var date: Day { shown.stored.slot.date }

  func explain(on db: isolated Connection) throws -> Explained {
    let openedFrom = shown.stored.snapshot.openedFrom
    // As a replay of just this date would load it.
    let segment = ChainSegment(
      portfolio: portfolio, openedFrom: openedFrom, steps: [ChainSegment.Step(date, .again)])
    var market = try MarketLoading.market(from: date, through: date, on: db)
    var inputs = try ChunkInputs.load([segment], market: market, on: db)
    if let first = inputs.books[portfolio.id]?.firstCloseNeeded(after: openedFrom) {
      market = try MarketLoading.market(from: first, through: date, on: db)
      inputs.market = market
    }
    let changes = try Provenance.unseenChanges(of: shown.stored.slot, on: db)
    let calendars = Calendars(overrides: market.calendarOverrides)
    let computation = SegmentComputation(
      inputs: inputs, calendars: calendars, policies: ClosePolicies(asked: policy), isStrict: false)
    let opened = try computation.open(segment)
    let history = try lotHistory(inputs)
    var closing = opened
    try computation.close(&closing, lots: history)
    var computed = [closing.computed]
    try SegmentReturns(inputs: inputs).solve(&computed, on: db)
    guard let closed = computed[0].closed.first else {
      return .impossible(
        shown, error: computed[0].problem?.headline ?? "it cannot be closed", changes)
    }
    let calendar = try calendars.named(portfolio.calendar)
    let explanation = try explanation(opened, history, inputs, calendar)
    var slot = SlotExplanation(
      shown: shown, explanation: explanation, openingRevision: computed[0].openingRevision,
      businessDays: calendar.businessDayList(
        after: openedFrom ?? portfolio.inception - 1, through: date),
      sources: try Provenance.sources(
        of: opened.activities.map(\.id), in: portfolio.id, on: db),
      portfolioIRR: nil, holdingIRRs: [:], policy: policy, unseenChanges: changes,
      differences: differences(closed, opened.computed.instruments))
    try addReturns(closed, opened, inputs, to: &slot)
    return .closed(slot)
  }

  /// What the rows say otherwise than their inputs do today.
  private func differences(
    _ closed: ComputedSegment.Closed, _ instruments: [ID<Holding>: Instrument]
  ) -> [ValueDifference] {
    var comparison = SlotComparison(instruments: instruments)
    comparison.compare(stored, closed, portfolio.irrConvention)
    return comparison.differences
  }

  private func explanation(
    _ opened: SegmentComputation.Opened, _ history: [ID<Holding>: [Activity]],
    _ inputs: ChunkInputs, _ calendar: BusinessCalendar
  ) throws -> Explanation {
    var book = opened.book
    for holding in book.holdingsWithoutLots {
      // Lots that no trade needs are told where they can be: the close does not ask for them.
      try? book.restoreLots(
        of: holding, from: opened.lineage(of: holding, inputs).flatMap { history[$0] ?? [] },
        market: inputs.market.market)
    }
    let statements = inputs.books[portfolio.id]?.statements ?? []
    return try book.explain(
      on: date, activities: opened.activities,
      statements: statements.map {
        FundStatement(holding: $0.holding, date: $0.date, value: $0.value)
      },
      market: inputs.market.market,
      businessDays: { calendar.businessDays(after: $0, through: $1) }, policy: policy)
  }

  private func lotHistory(_ inputs: ChunkInputs) throws -> [ID<Holding>: [Activity]] {
    guard shown.stored.snapshot.openedFrom != nil else { return [:] }
    var result: [ID<Holding>: [Activity]] = [:]
    for row in inputs.books[portfolio.id]?.activities ?? [] {
      guard let holding = row.activity.holding else { continue }
      result[holding, default: []].append(try row.withReferenceClose(in: inputs.market))
    }
    return result
  }

  // MARK: - Returns

  private func addReturns(
    _ closed: ComputedSegment.Closed, _ opened: SegmentComputation.Opened, _ inputs: ChunkInputs,
    to slot: inout SlotExplanation
  ) throws {
    let rows = inputs.books[portfolio.id]?.activities ?? []
    let history = try rows.map { try $0.withReferenceClose(in: inputs.market) }
    let historyOf = Dictionary(grouping: history, by: \.holding)
    let market = inputs.market.market
    if let result = closed.portfolioIRR {
      slot.portfolioIRR = ExplainedIRR(
        flows: try PortfolioBook.portfolioFlows(
          portfolio: portfolio, instruments: opened.computed.instruments, history: history,
          market: market, through: date),
        closingValue: closed.close.snapshot.closingEquity, date: date, result: result,
        convention: portfolio.irrConvention)
    }
    for (row, result) in zip(closed.close.holdings, closed.holdingIRRs) {
      guard let result, opened.computed.instruments[row.holding] != nil else { continue }
      let kin = PortfolioBook.lineage(
        of: row.holding, portfolio: portfolio, instruments: opened.computed.instruments,
        market: market, through: date)
      slot.holdingIRRs[row.holding] = ExplainedIRR(
        flows: try PortfolioBook.flows(
          of: row.holding, portfolio: portfolio, instruments: opened.computed.instruments,
          history: kin.flatMap { historyOf[$0] ?? [] }, market: market, through: date),
        closingValue: row.marketValue, date: date, result: result,
        convention: portfolio.irrConvention)
    }
  }
}
