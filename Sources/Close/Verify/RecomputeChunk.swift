internal import Accounting
internal import Postgres
internal import Problems
internal import Storage

/// What a recomputation computes.
enum RecomputeWork: Sendable {
  /// Closed dates.
  case closed(RecomputeScope)
  /// What a replay would close, again and for the first time.
  case replay(ReplayRange)

  /// The last of the dates at hand.
  var lastDate: Day {
    switch self {
    case .closed: .latest
    case .replay(let range): range.through
    }
  }

  /// The date before which everything is trusted; nil where nothing is.
  fileprivate var trustedOpening: Day? {
    if case .closed(let scope) = self { scope.trustedOpening } else { nil }
  }

  /// The dates that are computed.
  fileprivate var dates: (first: Day, last: Day) {
    switch self {
    case .closed(let scope):
      (trustedOpening ?? .earliest, scope.through ?? .latest)
    case .replay(let range): (range.from, range.throughLatest ? .latest : range.through)
    }
  }

  var includesRetired: Bool {
    if case .closed = self { true } else { false }
  }

  /// The retired portfolios that are looked at.
  var retired: RetiredPortfolios {
    switch self {
    case .closed: .all
    case .replay(let range): .since(range.from)
    }
  }
}

/// Recomputes some portfolios in one transaction.
struct RecomputeChunk {
  let work: RecomputeWork
  let settings: RunSettings
  let market: SharedMarket
  /// Whether everything is read in one snapshot, and every flow: terms and the market are of
  /// moments before otherwise, and of flows before a trusted opening the sum that the last night
  /// kept will do.
  private var isThorough = false

  init(work: RecomputeWork, settings: RunSettings, market: SharedMarket) {
    self.work = work
    self.settings = settings
    self.market = market
  }

  private var resumesFlows: Bool { work.trustedOpening != nil && !isThorough }

  /// The range cut into chunks of so many dates, so that memory stays workers × chunk.
  func bounded(
    _ range: [PlannedPortfolio], on db: isolated Connection
  ) throws -> [[PlannedPortfolio]] {
    let (first, last) = work.dates
    let room = ChunkBudget.slots(of: settings)
    if resumesFlows, range.count * (last - first + 1) <= room {
      return range.isEmpty ? [] : [range]
    }
    let counts = try Planning.completeCounts(
      of: range.map(\.portfolio.id), from: first, through: last, on: db)
    let activities =
      resumesFlows ? [:] : try Planning.activityCounts(of: range.map(\.portfolio.id), on: db)
    return range.cut(at: room) {
      (counts[$0.portfolio.id] ?? 0) + ChunkBudget.slots(ofHistory: activities[$0.portfolio.id])
    }
  }

  /// Recomputes; a chunk that fails is halved until the portfolio at fault stands alone.
  func recompute(
    _ portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> [RecomputedSegment] {
    do {
      return try attempt(portfolios, on: db)
    } catch let error where Fault.isUnreadable(error) {
      guard portfolios.count > 1 else { return [failed(portfolios[0], error)] }
      let middle = portfolios.count / 2
      return try recompute(Array(portfolios[..<middle]), on: db)
        + recompute(Array(portfolios[middle...]), on: db)
    }
  }

  private func failed(_ planned: PlannedPortfolio, _ error: any Error) -> RecomputedSegment {
    let date = planned.lastComplete ?? planned.portfolio.inception
    return RecomputedSegment(
      portfolio: planned.portfolio, dates: [],
      failure: SlotFailure(
        portfolio: planned.portfolio.name, date: date, problem: error.stated))
  }

  /// What differs is computed once more, and then from every flow.
  private func attempt(
    _ portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> [RecomputedSegment] {
    let first: [RecomputedSegment]
    do {
      first = try transaction(portfolios, market, on: db)
    } catch is MarketOutdated {
      market.clear()
      return try again(portfolios, on: db)
    }
    let doubtful = Set(
      first.lazy.filter { $0.failure != nil || $0.dates.contains { !$0.differences.isEmpty } }
        .map(\.portfolio.id))
    guard !doubtful.isEmpty else { return first }
    return try first.filter { !doubtful.contains($0.portfolio.id) }
      + again(portfolios.filter { doubtful.contains($0.portfolio.id) }, on: db)
  }

  /// Once more, with a market of the very snapshot that everything else is read in.
  private func again(
    _ portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> [RecomputedSegment] {
    var thorough = self
    thorough.isThorough = true
    var segments: [RecomputedSegment] = []
    for part in try thorough.bounded(portfolios, on: db) {
      segments += try thorough.transaction(part, SharedMarket(), on: db)
    }
    return segments
  }

  private func transaction(
    _ portfolios: [PlannedPortfolio], _ market: SharedMarket, on db: isolated Connection
  ) throws -> [RecomputedSegment] {
    try db.readBooks { books in
      let (portfolios, page, derived, stale) = try books.read { db in
        let portfolios = isThorough ? try reread(portfolios, on: db) : portfolios
        let page = try plan(portfolios, on: db)
        return (
          portfolios, page, try compute(page.segments, market, on: db),
          try firstStale(of: portfolios, on: db)
        )
      }
      var computed = derived
      let stored = try books.closes(slots(of: computed, staleFrom: stale))
      var segments: [RecomputedSegment] = []
      if case .closed = work {
        try books.read { db in
          // Where a stale date differs everything is computed once more, and reopened then.
          let reopened = isThorough ? try reopen(&computed, stored, market, on: db) : [:]
          segments = computed.map { compared($0, stored) }
          for (index, dates) in reopened { segments[index].reopened = dates }
          try FingerprintCheck.check(&segments, computed, on: db)
        }
      } else {
        segments = computed.map { compared($0, stored) }
      }
      return segments
        + page.refused.compactMap { refused in
          portfolios.first { $0.portfolio.id == refused.portfolio.id }.map {
            RecomputedSegment(portfolio: $0.portfolio, dates: [], failure: refused, leftOut: 1)
          }
        }
    }
  }

  /// Asked only where something differed, so that right books cost nothing.
  private func firstStale(
    of portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> [ID<Portfolio>: Day] {
    guard isThorough, case .closed = work else { return [:] }
    return try Planning.stale(
      through: .latest, includingLocked: true,
      of: PortfolioSelection(portfolios.map(\.portfolio.id)), on: db)
  }

  /// What is looked at of what is stored: the dates that are compared, and where some are stale
  /// all from the first of them on.
  private func slots(
    of computed: [ComputedSegment], staleFrom: [ID<Portfolio>: Day]
  ) -> [Slot] {
    computed.flatMap { segment in
      let stale = staleFrom[segment.segment.portfolio.id] ?? .latest
      return segment.segment.steps.lazy.map(\.date).filter { isCompared($0) || $0 >= stale }
        .map { Slot(portfolio: segment.segment.portfolio.id, date: $0) }
    }
  }

  // MARK: - Planning

  /// The portfolios as this transaction sees them.
  private func reread(
    _ portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> [PlannedPortfolio] {
    try Planning.portfolios(
      after: 0, limit: portfolios.count, activeOn: work.lastDate,
      of: PortfolioSelection(portfolios.map(\.portfolio.id)), on: db)
  }

  private func isCompared(_ date: Day) -> Bool {
    guard case .closed(let scope) = work else { return true }
    return scope.from.map { date >= $0 } ?? true
  }

  private func plan(
    _ portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> NightPlan.DuePage {
    switch work {
    case .closed: return try closedDates(of: portfolios, on: db)
    case .replay(let range):
      let stale = try range.onlyStale ? Planning.stale(through: .latest, on: db) : [:]
      let calendars = Calendars(overrides: try MarketLoading.overrides(on: db))
      return try ReplayPlan(calendars: calendars, range: range, stale: stale)
        .page(portfolios, on: db)
    }
  }

  /// A segment over a portfolio's closed dates, in the order in which they stand.
  private func closedDates(
    of portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> NightPlan.DuePage {
    let ids = portfolios.map(\.portfolio.id)
    let complete = Dictionary(
      grouping: try Planning.completeSlots(
        of: ids, from: work.dates.first, through: work.dates.last, on: db),
      by: \.portfolio)
    let openings =
      try work.trustedOpening.map { try Planning.openingsBefore($0, of: ids, on: db) } ?? [:]
    var page = NightPlan.DuePage()
    for planned in portfolios {
      let dates = (complete[planned.portfolio.id] ?? []).map(\.date)
      guard dates.contains(where: isCompared) else { continue }
      var segment = ChainSegment(
        portfolio: planned.portfolio, openedFrom: openings[planned.portfolio.id],
        steps: dates.map { ChainSegment.Step($0, .again) })
      segment.resumesFlows = resumesFlows
      page.segments.append(segment)
    }
    return page
  }

  // MARK: - Computing and comparing

  func compute(
    _ segments: [ChainSegment], _ market: SharedMarket, on db: isolated Connection
  ) throws -> [ComputedSegment] {
    guard let first = segments.lazy.map(\.steps[0].date).min() else { return [] }
    do {
      return try compute(segments, market, closesFrom: first, on: db)
    } catch let short as MarketTooShort {
      return try compute(segments, market, closesFrom: short.needed, on: db)
    }
  }

  private func compute(
    _ segments: [ChainSegment], _ market: SharedMarket, closesFrom first: Day,
    on db: isolated Connection
  ) throws -> [ComputedSegment] {
    let last = segments.lazy.map(\.through).max() ?? first
    let market = try market.market(from: first, through: last, on: db)
    let close = SegmentClose(
      calendars: Calendars(overrides: market.calendarOverrides),
      policies: try policies(of: segments, on: db), isStrict: settings.isStrict)
    var stages = StageSeconds()
    var clock = StageClock()
    return try close.compute(
      segments, market: market, closesFrom: first, &stages, &clock, on: db)
  }

  /// Closed dates are recomputed as they were closed, unless another policy was asked for.
  private func policies(
    of segments: [ChainSegment], on db: isolated Connection
  ) throws -> ClosePolicies {
    if let asked = settings.policy { return ClosePolicies(asked: asked) }
    let closed = segments.flatMap { segment in
      segment.steps.lazy.filter { $0.kind == .again }.map { segment.slot($0) }
    }
    return ClosePolicies(
      kept: try StoredPolicy.read(
        of: closed.sorted { ($0.date, $0.portfolio) < ($1.date, $1.portfolio) }, on: db))
  }

  private func compared(
    _ computed: ComputedSegment, _ stored: [Slot: StoredCloses.StoredClose]
  ) -> RecomputedSegment {
    let segment = computed.segment
    var result = RecomputedSegment(portfolio: segment.portfolio, dates: [])
    for closed in computed.closed where isCompared(closed.step.date) {
      let before = stored[segment.slot(closed.step)]
      result.dates.append(
        RecomputedDate(
          date: closed.step.date, stored: before?.snapshot, close: closed.close,
          portfolioIRR: closed.portfolioIRR, holdingIRRs: closed.holdingIRRs,
          differences: before.map { differences($0, closed, computed) } ?? [],
          fingerprint: closed.fingerprint,
          policy: closed.policy))
    }
    let left = segment.steps.dropFirst(computed.closed.count)
    if let problem = computed.problem, let first = left.first {
      result.failure = SlotFailure(
        portfolio: segment.portfolio.name, date: first.date, problem: problem)
      result.leftOut = left.count { isCompared($0.date) }
    }
    return result
  }

  /// Every number of a stored date that is not what was computed.
  func differences(
    _ before: StoredCloses.StoredClose, _ closed: ComputedSegment.Closed,
    _ computed: ComputedSegment
  ) -> [ValueDifference] {
    let (convention, instruments) = (
      computed.segment.portfolio.irrConvention, computed.instruments
    )
    guard before.rows(sameAs: closed, convention: convention, instruments: instruments) != .all
    else { return [] }
    var comparison = SlotComparison(instruments: instruments)
    comparison.compare(before, closed, convention)
    return comparison.differences
  }
}
