internal import Accounting
internal import Storage

/// A sweep as far as it could be closed.
struct ComputedSweep {
  /// One date that was closed.
  struct Closed {
    var step: Sweep.Step
    /// Under which it was closed.
    var policy: ClosePolicy
    var close: BookClose
    var portfolioReturn: IRRResult?
    var holdingReturns: [IRRResult?]
    /// Nil where that of the opening is not known.
    var fingerprint: Fingerprint?
  }

  var sweep: Sweep
  var openingRevision: Int32?
  var instruments: [ID<Holding>: Instrument]
  var closed: [Closed] = []
  /// Why the date after the last closed one could not be.
  var error: String?
  var ledger: FlowLedger
}

/// The books' part of a chunk: from inputs to numbers, without a database.
struct SweepComputation {
  let inputs: ChunkInputs
  let calendars: Calendars
  let policies: ClosePolicies
  let isStrict: Bool

  /// A book opened for a sweep, and how far it was closed.
  struct Opened {
    var book: PortfolioBook
    /// Everything in the sweep's window.
    var activities: [Activity]
    /// The holdings whose lots have to be restored from their history first.
    var needingLots: [ID<Holding>]
    var computed: ComputedSweep
  }

  /// Opens a sweep's book, before its first date.
  func open(_ sweep: Sweep) throws -> Opened {
    let stored = inputs.books[sweep.portfolio.id] ?? ChunkInputs.Book()
    let instruments = try stored.instruments(in: inputs.market)
    let book = PortfolioBook(
      portfolio: sweep.portfolio, instruments: instruments, opening: stored.bookOpening())
    let activities = try stored.activities(
      after: sweep.openedFrom, through: sweep.through, in: inputs.market)
    let isLost = sweep.openedFrom != nil && stored.opening == nil
    return Opened(
      book: book, activities: activities,
      needingLots: book.holdingsNeedingLots(for: activities),
      computed: ComputedSweep(
        sweep: sweep, openingRevision: stored.opening?.revision, instruments: instruments,
        error: isLost ? "the snapshot that it opens from is not complete any more" : nil,
        ledger: ledger(of: sweep, stored)))
  }

  /// Closes the sweep's dates one after the other, until one cannot be.
  func close(_ opened: inout Opened, lots: [ID<Holding>: [Activity]]) throws {
    guard opened.computed.error == nil else { return }
    do {
      for holding in opened.needingLots {
        try opened.book.restoreLots(
          of: holding, from: lots[holding] ?? [], market: inputs.market.market)
      }
      try closeDates(&opened)
    } catch let error as CloseError {
      opened.computed.error = error.description
    } catch let error as CalendarError {
      opened.computed.error = error.description
    }
  }

  private func closeDates(_ opened: inout Opened) throws {
    let sweep = opened.computed.sweep
    let calendar = try calendars.named(sweep.portfolio.calendar)
    let stored = inputs.books[sweep.portfolio.id] ?? ChunkInputs.Book()
    var window = Window(opened.activities[...], stored.statements)
    var fingerprints = SlotFingerprint(
      portfolio: sweep.portfolio, instruments: opened.computed.instruments,
      market: inputs.market.market)
    var fingerprint = stored.opening?.fingerprint
    for step in sweep.steps {
      let policy = policies.policy(of: sweep.slot(step))
      let (activities, statements) = window.next(through: step.date)
      let close = try opened.book.close(
        on: step.date, activities: activities, statements: statements,
        market: inputs.market.market,
        businessDays: { calendar.businessDays(after: $0, through: $1) }, policy: policy)
      if isStrict, close.snapshot.isDegraded {
        opened.computed.error = degradedRefusal(close.snapshot)
        return
      }
      // A chain that begins without one never gets one: what it stands on cannot be told.
      if fingerprint != nil || close.snapshot.openedFrom == nil {
        fingerprint = fingerprints.fingerprint(
          of: close, after: fingerprint, activities, statements)
      }
      opened.computed.closed.append(
        ComputedSweep.Closed(
          step: step, policy: policy, close: close,
          holdingReturns: Array(repeating: nil, count: close.holdings.count),
          fingerprint: fingerprint))
    }
  }

  private func degradedRefusal(_ snapshot: Snapshot) -> String {
    """
    degraded: \(snapshot.carriedCount) carried and \(snapshot.missingCount) missing prices, the \
    oldest \(snapshot.maxCarriedDays) business days old; refused by --strict
    """
  }

  /// What is known of the flows before the sweep's first date.
  private func ledger(of sweep: Sweep, _ stored: ChunkInputs.Book) -> FlowLedger {
    guard let openedFrom = sweep.openedFrom else { return .empty }
    guard let moments = stored.moments,
      moments.asOf <= (sweep.resumesFlows ? sweep.through : openedFrom),
      var ledger = FlowLedger(unpacking: moments.bytes)
    else { return .unknown }
    ledger.knownThrough = moments.asOf
    return ledger
  }

  /// A sweep's activities and statements, handed out date by date.
  private struct Window {
    var activities: ArraySlice<Activity>
    var statements: ArraySlice<StoredStatement>

    init(_ activities: ArraySlice<Activity>, _ statements: ArraySlice<StoredStatement>) {
      self.activities = activities
      self.statements = statements
    }

    mutating func next(through date: Day) -> ([Activity], [Accounting.Statement]) {
      let now = activities.prefix { $0.bookingDate <= date }
      let reported = statements.prefix { $0.date <= date }
      activities = activities[now.endIndex...]
      statements = statements[reported.endIndex...]
      return (
        Array(now),
        reported.map { Accounting.Statement(holding: $0.holding, date: $0.date, value: $0.value) }
      )
    }
  }
}
