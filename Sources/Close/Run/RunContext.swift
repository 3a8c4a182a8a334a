internal import Accounting
internal import Postgres
internal import Problems
internal import Storage
internal import Synchronization

/// What the workers of one run share.
final class RunContext: Sendable {
  let settings: RunSettings
  let run: Int64
  /// What must be held to write.
  let lease: Lease
  /// The portfolios that it is for.
  let selection: PortfolioSelection
  let calendars: Calendars
  let market = SharedMarket()
  let reason: String
  private let state: Mutex<State>

  private struct State {
    var isStopping = false
    var holdsComplete = false
    /// By our own clock, measured from before the lease was asked for.
    var leaseEnds: ContinuousClock.Instant
    var covered: ClosedRange<Day>?
    var metFault = false
    var report: RunReport
  }

  private let observer: any RunObserver
  private let watching = Mutex(())
  private let now: @Sendable () -> ContinuousClock.Instant

  /// - Parameters:
  ///   - leaseAsked: By `now`, before the lease was asked for.
  ///   - observer: Is told what happens, here and by `observe`.
  ///   - now: Our own clock; it only tells how much of the lease is left.
  init(
    _ opening: RunOpening, _ begun: BegunRun, leaseAsked: ContinuousClock.Instant,
    observer: any RunObserver = Unobserved(),
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    settings = opening.settings
    run = begun.run
    lease = begun.lease
    selection = begun.selection
    calendars = Calendars(overrides: begun.overrides)
    reason =
      opening.settings.overrideLock.map { "\(opening.kind), lock overridden: \($0.reason)" }
      ?? (opening.kind == "run" ? "inputs changed" : opening.kind)
    self.observer = observer
    self.now = now
    var report = RunReport(run: begun.run, date: opening.through)
    report.reclaimed = begun.reclaimed
    state = Mutex(
      State(
        leaseEnds: leaseAsked + .seconds(opening.settings.leaseSeconds), covered: begun.covered,
        report: report))
    observer.observe(.began(run: begun.run))
  }

  /// The id that fences every write of this run.
  var claim: Int64 { lease.claim }

  /// Whether locked dates are closed again.
  var mayOverrideLocks: Bool { settings.overrideLock != nil }

  // MARK: - Going on or not

  /// No new chunk is begun after this.
  func stop() { state.withLock { $0.isStopping = true } }

  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Our claim was put on complete slots, which keep it until they are let go.
  func noteCompleteClaimed() { state.withLock { $0.holdsComplete = true } }

  /// Whether there are such slots; from now on there are none.
  func takeHoldsComplete() -> Bool {
    state.withLock { state in
      defer { state.holdsComplete = false }
      return state.holdsComplete
    }
  }

  /// The lease was prolonged, as asked for at that moment.
  func leaseRenewed(askedAt moment: ContinuousClock.Instant) {
    state.withLock { $0.leaseEnds = moment + .seconds(settings.leaseSeconds) }
    observe(.lease(.renewed))
  }

  /// Whether a write begun now is still covered by the lease; a tenth of it is kept in hand.
  var mayWrite: Bool {
    let ends = state.withLock { $0.leaseEnds }
    return now() < ends - .seconds(settings.leaseSeconds / 10)
  }

  /// Makes the lease say that the claim is used on the dates of segments; commits before it is.
  func cover(_ segments: [ChainSegment], on db: isolated some CloseStore) throws {
    guard let first = segments.lazy.map(\.steps[0].date).min(),
      let last = segments.lazy.map(\.through).max()
    else { return }
    let covered = state.withLock { $0.covered }
    if let covered, covered.lowerBound <= first, covered.upperBound >= last { return }
    try db.cover(from: first, through: last, lease)
    state.withLock { state in
      let low = min(first, state.covered?.lowerBound ?? first)
      let high = max(last, state.covered?.upperBound ?? last)
      state.covered = low...high
    }
  }

  // MARK: - What became of it

  /// Something failed, even if it went well when it was tried again.
  ///
  /// - Parameter pause: After which it is tried again; nil where it is not.
  func noteFault(_ error: any Error, retriedAfter pause: Duration?) {
    state.withLock { $0.metFault = true }
    if let pause { observe(.retried(error.stated, pause: pause)) }
  }

  /// Tells who watches, one event at a time.
  func observe(_ event: RunEvent) {
    watching.withLock { _ in observer.observe(event) }
  }

  /// Whether a placeholder may be left; none is where every step of every chunk went through.
  var mayHoldPlaceholders: Bool {
    state.withLock { state in
      let counts = state.report.counts
      let unclosed =
        counts.failed + counts.fenced + counts.blocked + counts.busy + counts.locked
      return state.metFault || state.isStopping || unclosed > 0 || counts.completed < counts.claimed
    }
  }

  var report: RunReport { state.withLock { $0.report } }

  func record(_ change: (inout RunReport) -> Void) {
    state.withLock { change(&$0.report) }
  }

  func record(_ outcome: ChunkOutcome) {
    let total = state.withLock { state in
      state.report.counts += outcome.counts
      state.report.stages += outcome.stages
      let room = RunReport.failuresKept - state.report.failures.count
      state.report.failures += outcome.failures.prefix(max(room, 0))
      return state.report.counts
    }
    observe(.advanced(chunk: outcome.counts, total: total))
    for failure in outcome.failures { observe(.failed(failure)) }
  }
}

/// What became of one chunk.
struct ChunkOutcome: Sendable {
  var counts = SlotCounts()
  var stages = StageSeconds()
  var failures: [SlotFailure] = []
  /// Of segments that a live owner is working on, what is left: worth asking again.
  var busy: [ChainSegment] = []
}

extension ChunkOutcome {
  /// Whether every slot was closed, by us or by somebody else.
  var isWhole: Bool {
    busy.isEmpty
      && counts.failed + counts.fenced + counts.blocked + counts.busy + counts.locked == 0
  }

  /// Nothing of `rest` is begun: it is left with what kept the part before it from being closed.
  mutating func leave(_ rest: ChainSegment, behind part: ChunkWork.Step) {
    let left = rest.steps.filter { $0.date != part.through }
    if let index = busy.firstIndex(where: { $0.portfolio.id == rest.portfolio.id }) {
      busy[index].steps = (busy[index].steps + left).sorted { $0.date < $1.date }
      counts.busy += left.count
    } else if counts.locked > 0 {
      counts.locked += left.count
    } else if counts.fenced > 0 {
      counts.fenced += left.count
    } else {
      counts.blocked += left.count
    }
  }

  /// What a live owner holds behind a date that could not be closed is not worth asking again.
  mutating func blockBusy(behind failed: Set<ID<Portfolio>>) {
    for segment in busy where failed.contains(segment.portfolio.id) {
      counts.busy -= segment.steps.count
      counts.blocked += segment.steps.count
    }
    busy.removeAll { failed.contains($0.portfolio.id) }
  }
}
