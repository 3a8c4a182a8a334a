internal import Accounting
internal import Postgres
internal import Problems
internal import Storage
internal import Synchronization

/// Which plan a run follows.
enum Planner: Sendable {
  case night(NightPlan)
  case replay(ReplayPlan)

  /// The plan of a run's first pass.
  init(
    _ purpose: CloseRun.Purpose, _ context: RunContext, on db: isolated some CloseStore
  ) throws {
    let (settings, calendars) = (context.settings, context.calendars)
    switch purpose {
    case .night(let date):
      let stale = try db.stale(
        through: date, includingLocked: false, of: context.selection)
      self = .night(
        NightPlan(
          settings: settings, calendars: calendars, date: date, stale: stale,
          staleRetired: try db.retired(among: stale.keys.sorted(), before: date)))
    case .replay(let range):
      let stale =
        range.onlyStale
        ? try db.stale(
          through: .latest, includingLocked: context.mayOverrideLocks, of: context.selection)
        : [:]
      self = .replay(
        ReplayPlan(
          calendars: calendars, range: range, stale: stale, asksForStale: range.onlyStale))
    case .repair(let task): self = .replay(task.replay(calendars))
    }
  }

  /// The plan of a later pass, for what is left of segments that live owners held.
  ///
  /// What was stale may have been closed again by them meanwhile, and is asked once more.
  func rest(
    of busy: [ChainSegment], _ context: RunContext, on db: isolated some CloseStore
  ) throws -> Planner {
    switch self {
    case .night(var plan):
      plan.stale = try Self.stillStale(
        plan.stale, among: busy, through: plan.date, includingLocked: false, on: db)
      return .night(plan)
    case .replay(var plan):
      if plan.asksForStale {
        plan.stale = try Self.stillStale(
          plan.stale, among: busy, through: .latest, includingLocked: context.mayOverrideLocks,
          on: db)
      }
      plan.firstLeft = Dictionary(
        busy.map { ($0.portfolio.id, $0.steps[0].date) }, uniquingKeysWith: min)
      return .replay(plan)
    }
  }

  private static func stillStale(
    _ stale: [ID<Portfolio>: Day], among busy: [ChainSegment], through: Day, includingLocked: Bool,
    on db: isolated some CloseStore
  ) throws -> [ID<Portfolio>: Day] {
    let before = busy.map(\.portfolio.id).filter { stale[$0] != nil }
    guard !before.isEmpty else { return [:] }
    return try db.stale(
      through: through, includingLocked: includingLocked, of: PortfolioSelection(before))
  }

  /// The retired portfolios that are looked at beside those that are active on `date`.
  var retired: RetiredPortfolios {
    switch self {
    case .night(let plan): .since(plan.date, and: plan.staleRetired)
    case .replay(let plan): .since(plan.range.from)
    }
  }

  /// How many of a chunk's portfolios are planned at once: fewer where the range is longer than a
  /// year, so that their dates have room.
  func atOnce(of chunk: Int) -> Int {
    guard case .replay(let plan) = self else { return chunk }
    let days = max(plan.range.through - plan.range.from, 0) + 1
    return max(1, min(chunk, chunk * 366 / days))
  }

  /// The last of the dates at hand.
  var date: Day {
    switch self {
    case .night(let plan): plan.date
    case .replay(let plan): plan.range.through
    }
  }

  func page(
    _ portfolios: [PlannedPortfolio], on db: isolated some CloseStore
  ) throws -> NightPlan.DuePage {
    switch self {
    case .night(let plan): try plan.page(portfolios, on: db)
    case .replay(let plan): try plan.page(portfolios, on: db)
    }
  }
}

/// Hands out chunks of segments in order of portfolio id, each once; what is planned ahead is at
/// most one range of portfolios.
final class ChunkQueue: Sendable {
  private let planner: Planner
  private let selection: PortfolioSelection
  private let isFirstPass: Bool
  private let cursor = Mutex(ChunkCursor<ChainSegment>())

  init(planner: Planner, selection: PortfolioSelection, isFirstPass: Bool) {
    self.planner = planner
    self.selection = selection
    self.isFirstPass = isFirstPass
  }

  /// The next chunk, or nil where none is left.
  ///
  /// One worker plans while the others wait, so that all of them share what it finds; planning
  /// that fails leaves its range to whoever asks next.
  func next(_ context: RunContext, on db: isolated some CloseStore) throws -> [ChainSegment]? {
    try cursor.withLock { cursor in
      try cursor.next { after in
        let range = try db.portfolios(
          after: after, limit: planner.atOnce(of: context.settings.chunk), activeOn: planner.date,
          of: selection, retired: planner.retired)
        let segments = range.isEmpty ? [] : try plan(range, context, on: db)
        return (
          try bounded(segments, context, on: db), range.last?.portfolio.id.rawValue
        )
      }
    }
  }

  private func plan(
    _ range: [PlannedPortfolio], _ context: RunContext, on db: isolated some CloseStore
  ) throws -> [ChainSegment] {
    var clock = StageClock()
    let page = try planner.page(range, on: db)
    var outcome = ChunkOutcome()
    outcome.stages.plan = clock.lap()
    if isFirstPass {
      outcome.counts.planned = page.segments.reduce(page.refused.count) { $0 + $1.steps.count }
      outcome.counts.skipped = page.skipped
    }
    outcome.counts.failed = page.refused.count
    outcome.counts.locked = page.locked.count
    outcome.failures = page.refused + page.locked
    context.record(outcome)
    return page.segments
  }

  /// The segments cut into chunks, so that memory stays workers × chunk.
  ///
  /// One of many dates makes as many rows as many portfolios, and one that reads a history takes
  /// the room of many slots.
  private func bounded(
    _ segments: [ChainSegment], _ context: RunContext, on db: isolated some CloseStore
  ) throws -> [[ChainSegment]] {
    let reading = segments.filter { $0.openedFrom == nil || $0.readsHistory }.map(\.portfolio.id)
    let activities = reading.isEmpty ? [:] : try db.activityCounts(of: reading)
    return segments.cut(at: ChunkBudget.slots(of: context.settings)) {
      $0.steps.count + ChunkBudget.slots(ofHistory: activities[$0.portfolio.id])
    }
  }
}

/// The workers of a pass, one connection each.
struct WorkerPool {
  let context: RunContext
  let queue: ChunkQueue
  /// Opens a session that is prepared to populate.
  let connect: @Sendable () async throws -> Connection

  /// What a pass left over.
  struct Rest: Sendable {
    /// Of segments that a live owner is working on, the dates that are not closed.
    var busy: [ChainSegment] = []
    /// Why workers gave up, as it arrived.
    var failures: [any Error] = []
  }

  func run() async -> Rest {
    await withTaskGroup(of: Rest.self) { group in
      for _ in 0..<context.settings.workers {
        group.addTask { await Worker(context: context, queue: queue, connect: connect).run() }
      }
      var rest = Rest()
      for await one in group {
        rest.busy += one.busy
        rest.failures += one.failures
      }
      return rest
    }
  }
}

/// Takes one chunk after the other; retries what is passing, isolates what is not.
struct Worker {
  let context: RunContext
  let queue: ChunkQueue
  let connect: @Sendable () async throws -> Connection

  func run() async -> WorkerPool.Rest {
    var rest = WorkerPool.Rest()
    var connection: Connection?
    do {
      while !context.isStopping {
        guard let chunk = try await nextChunk(&connection) else { break }
        rest.busy += try await close(chunk, &connection)
      }
    } catch {
      context.stop()
      rest.failures.append(error)
    }
    await connection?.close()
    return rest
  }

  private func nextChunk(_ connection: inout Connection?) async throws -> [ChainSegment]? {
    var attempts = Attempts()
    while true {
      do {
        return try await ready(&connection).perform { [context, queue] db in
          try queue.next(context, on: db)
        }
      } catch {
        let pause = attempts.pause(after: error, mayWrite: context.mayWrite)
        context.noteFault(error, retriedAfter: pause)
        guard let pause else { throw error }
        try await Attempts.sleep(about: pause)
      }
    }
  }

  /// - Returns: The segments that a live owner is working on.
  private func close(
    _ segments: [ChainSegment], _ connection: inout Connection?
  ) async throws -> [ChainSegment] {
    var work = ChunkWork(segments, room: ChunkBudget.slots(of: context.settings))
    while let step = work.next {
      do {
        let outcome = try await ready(&connection).perform { [context] db in
          try step.take(context, on: db)
        }
        context.record(work.succeeded(outcome, goesOn: !context.isStopping))
      } catch {
        let pause: Duration?
        do {
          pause = try work.failed(error, mayWrite: context.mayWrite)
        } catch {
          context.noteFault(error, retriedAfter: nil)
          throw error
        }
        context.noteFault(error, retriedAfter: pause)
        if let pause { try await Attempts.sleep(about: pause) }
      }
    }
    return work.busy
  }

  /// A connection that works.
  private func ready(_ connection: inout Connection?) async throws -> Connection {
    if let open = connection, open.isUsable { return open }
    await connection?.close()
    connection = nil
    let fresh = try await connect()
    do {
      try await fresh.perform { [lease = context.lease] db in try Leases.join(lease, on: db) }
    } catch {
      await fresh.close()
      throw error
    }
    connection = fresh
    return fresh
  }
}

/// Keeps the lease alive on a connection that does nothing else, so that neither a busy worker nor
/// a long plan can starve it.
struct Heartbeat {
  let context: RunContext
  let connection: Connection

  /// Until it is cancelled, which is no error; a lease that cannot be prolonged stops the run.
  func beat() async -> (any Error)? {
    let pause = context.settings.leaseSeconds / 8
    while !Task.isCancelled {
      guard (try? await Task.sleep(for: .seconds(pause))) != nil else { return nil }
      let asked = ContinuousClock.now
      do {
        let seconds = context.settings.leaseSeconds
        let isAlive = try await connection.perform { [context] db in
          try db.renew(context.lease, seconds: seconds)
        }
        guard isAlive else {
          context.stop()
          context.observe(.lease(.lost))
          return LeaseEnded()
        }
        context.leaseRenewed(askedAt: asked)
      } catch {
        if Task.isCancelled { return nil }
        // The lease goes on until it ends; `mayWrite` turns false before that.
        guard context.mayWrite else {
          context.stop()
          context.observe(.lease(.lost))
          return error
        }
        context.observe(.lease(.late(error.stated)))
      }
    }
    return nil
  }
}
