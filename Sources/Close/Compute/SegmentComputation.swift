internal import Accounting
internal import Problems
internal import Storage

/// A segment as far as it could be closed.
struct ComputedSegment {
  /// One date that was closed.
  struct Closed {
    var step: ChainSegment.Step
    /// Under which it was closed.
    var policy: ClosePolicy
    var close: BookClose
    var portfolioIRR: IRRResult?
    var holdingIRRs: [IRRResult?]
    /// Nil where that of the opening is not known.
    var fingerprint: Fingerprint?
  }

  var segment: ChainSegment
  var openingRevision: Int32?
  var instruments: [ID<Holding>: Instrument]
  var closed: [Closed] = []
  /// Why the date after the last closed one could not be.
  var problem: StatedProblem?
  var ledger: FlowLedger
}

/// The books' part of a chunk: from inputs to numbers, without a database.
struct SegmentComputation {
  let inputs: ChunkInputs
  let calendars: Calendars
  let policies: ClosePolicies
  let isStrict: Bool

  /// A book opened for a segment, and how far it was closed.
  struct Opened {
    var book: PortfolioBook
    /// Everything in the segment's window.
    var activities: [Activity]
    /// The holdings whose lots have to be restored from their history first.
    var needingLots: [ID<Holding>]
    var computed: ComputedSegment

    /// The holdings whose histories make a holding's lots.
    func lineage(of holding: ID<Holding>, _ inputs: ChunkInputs) -> [ID<Holding>] {
      book.lineage(of: holding, market: inputs.market.market)
    }
  }

  /// Opens a segment's book, before its first date.
  func open(_ segment: ChainSegment) throws -> Opened {
    let stored = inputs.books[segment.portfolio.id] ?? ChunkInputs.Book()
    let instruments = try stored.instruments(in: inputs.market)
    let book = PortfolioBook(
      portfolio: segment.portfolio, instruments: instruments, opening: stored.bookOpening())
    let activities = try stored.activities(
      after: segment.openedFrom, through: segment.through, in: inputs.market)
    let isLost = segment.openedFrom != nil && stored.opening == nil
    return Opened(
      book: book, activities: activities,
      needingLots: book.holdingsNeedingLots(
        for: activities, market: inputs.market.market, through: segment.through),
      computed: ComputedSegment(
        segment: segment, openingRevision: stored.opening?.revision, instruments: instruments,
        problem: isLost
          ? StatedProblem(
            ProblemCode("opening_lost", .refused),
            "the snapshot that it opens from is not complete any more") : nil,
        ledger: ledger(of: segment, stored)))
  }

  /// Closes the segment's dates one after the other, until one cannot be.
  func close(_ opened: inout Opened, lots: [ID<Holding>: [Activity]]) throws {
    guard opened.computed.problem == nil else { return }
    do {
      for holding in opened.needingLots {
        try opened.book.restoreLots(
          of: holding, from: opened.lineage(of: holding, inputs).flatMap { lots[$0] ?? [] },
          market: inputs.market.market)
      }
      try closeDates(&opened)
    } catch let error as CloseError {
      opened.computed.problem = error.stated(of: opened.computed.segment)
    } catch let error as CalendarError {
      opened.computed.problem = error.stated
    }
  }

  private func closeDates(_ opened: inout Opened) throws {
    let segment = opened.computed.segment
    let calendar = try calendars.named(segment.portfolio.calendar)
    let stored = inputs.books[segment.portfolio.id] ?? ChunkInputs.Book()
    var window = Window(opened.activities[...], stored.statements)
    var fingerprints = SlotFingerprint(
      portfolio: segment.portfolio, instruments: opened.computed.instruments,
      market: inputs.market.market)
    var fingerprint = stored.opening?.fingerprint
    for step in segment.steps {
      let policy = policies.policy(of: segment.slot(step))
      let (activities, statements) = window.next(through: step.date)
      let owed = opened.book.receivables
      let close = try opened.book.close(
        on: step.date, activities: activities, statements: statements,
        market: inputs.market.market,
        businessDays: { calendar.businessDays(after: $0, through: $1) }, policy: policy)
      if isStrict, close.snapshot.isDegraded {
        opened.computed.problem = degradedRefusal(close.snapshot)
        return
      }
      // A chain that begins without one never gets one: what it stands on cannot be told.
      if fingerprint != nil || close.snapshot.openedFrom == nil {
        fingerprint = fingerprints.fingerprint(
          of: close, after: fingerprint, owed: owed, activities, statements)
      }
      opened.computed.closed.append(
        ComputedSegment.Closed(
          step: step, policy: policy, close: close,
          holdingIRRs: Array(repeating: nil, count: close.holdings.count),
          fingerprint: fingerprint))
    }
  }

  private func degradedRefusal(_ snapshot: Snapshot) -> StatedProblem {
    StatedProblem(
      ProblemCode("degraded_refused", .refused),
      """
      degraded: \(snapshot.carriedCount) carried and \(snapshot.missingCount) missing prices, the \
      oldest \(snapshot.maxCarriedDays) business days old; refused by --strict
      """)
  }

  /// What is known of the flows before the segment's first date.
  private func ledger(of segment: ChainSegment, _ stored: ChunkInputs.Book) -> FlowLedger {
    guard let openedFrom = segment.openedFrom else { return .empty }
    guard let moments = stored.moments,
      moments.asOf <= (segment.resumesFlows ? segment.through : openedFrom),
      var ledger = FlowLedger(unpacking: moments.bytes)
    else { return .unknown }
    ledger.knownThrough = moments.asOf
    return ledger
  }

  /// A segment's activities and statements, handed out date by date.
  private struct Window {
    var activities: ArraySlice<Activity>
    var statements: ArraySlice<StoredStatement>

    init(_ activities: ArraySlice<Activity>, _ statements: ArraySlice<StoredStatement>) {
      self.activities = activities
      self.statements = statements
    }

    mutating func next(through date: Day) -> ([Activity], [FundStatement]) {
      let now = activities.prefix { $0.bookingDate <= date }
      let reported = statements.prefix { $0.date <= date }
      activities = activities[now.endIndex...]
      statements = statements[reported.endIndex...]
      return (
        Array(now),
        reported.map { FundStatement(holding: $0.holding, date: $0.date, value: $0.value) }
      )
    }
  }
}
