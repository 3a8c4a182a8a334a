internal import Accounting
internal import Postgres
internal import Storage
internal import Synchronization

/// Which plan a run follows.
enum Planner: Sendable {
  case night(NightPlan)
  case replay(ReplayPlan)

  /// The last date on which a portfolio must be active to be looked at.
  var date: Day {
    switch self {
    case .night(let plan): plan.date
    case .replay(let plan): plan.range.through
    }
  }

  func page(
    _ portfolios: [PlannedPortfolio], on db: isolated Connection
  ) throws -> NightPlan.Page {
    switch self {
    case .night(let plan): try plan.page(portfolios, on: db)
    case .replay(let plan): try plan.page(portfolios, on: db)
    }
  }
}

/// Hands out ranges of portfolios in order of id, each once; a plan's memory is a chunk's.
final class ChunkQueue: Sendable {
  private let planner: Planner
  private let codes: [String]
  private let isFirstPass: Bool
  private let state = Mutex(State())

  private struct State {
    /// The last id handed out; nil when there is no more.
    var cursor: Int64? = 0
    /// Ranges that were handed out and could not be planned: nobody else would ask for them.
    var unplanned: [[PlannedPortfolio]] = []
  }

  init(planner: Planner, codes: [String], isFirstPass: Bool) {
    self.planner = planner
    self.codes = codes
    self.isFirstPass = isFirstPass
  }

  /// The sweeps of the next range, or nil where no portfolio is left.
  func next(_ context: RunContext, on db: isolated Connection) throws -> [Sweep]? {
    var clock = StageClock()
    guard let portfolios = try nextRange(context, on: db) else { return nil }
    let page: NightPlan.Page
    do {
      page = try planner.page(portfolios, on: db)
    } catch {
      state.withLock { $0.unplanned.append(portfolios) }
      throw error
    }
    var outcome = ChunkOutcome()
    outcome.stages.plan = clock.lap()
    if isFirstPass {
      outcome.counts.planned = page.sweeps.reduce(page.refused.count) { $0 + $1.steps.count }
      outcome.counts.skipped = page.skipped
    }
    outcome.counts.failed = page.refused.count
    outcome.failures = page.refused
    context.record(outcome)
    return page.sweeps
  }

  private func nextRange(
    _ context: RunContext, on db: isolated Connection
  ) throws -> [PlannedPortfolio]? {
    try state.withLock { state in
      if let range = state.unplanned.popLast() { return range }
      guard let after = state.cursor else { return nil }
      let range = try Planning.portfolios(
        after: after, limit: context.settings.chunk, activeOn: planner.date, codes: codes, on: db)
      state.cursor = range.last?.portfolio.id.rawValue
      return range.isEmpty ? nil : range
    }
  }
}

/// The workers of a pass, one connection each.
struct WorkerPool {
  let context: RunContext
  let queue: ChunkQueue
  let connect: @Sendable () async throws -> Connection

  /// What a pass left over.
  struct Rest: Sendable {
    var busy: [Sweep] = []
    var failure: (any Error)?
  }

  func run() async -> Rest {
    await withTaskGroup(of: Rest.self) { group in
      for _ in 0..<context.settings.workers {
        group.addTask { await Worker(context: context, queue: queue, connect: connect).run() }
      }
      var rest = Rest()
      for await one in group {
        rest.busy += one.busy
        rest.failure = rest.failure ?? one.failure
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

  /// How often a passing fault is tried again before the run gives up.
  private static let maxAttempts = 6

  func run() async -> WorkerPool.Rest {
    var rest = WorkerPool.Rest()
    var connection: Connection?
    do {
      while !context.isStopping {
        let sweeps = try await retrying(&connection) { [context, queue] db in
          try queue.next(context, on: db)
        }
        guard let sweeps else { break }
        for chunk in Self.bounded(sweeps, slots: context.settings.chunk * Self.slotsPerPortfolio) {
          guard !context.isStopping else { break }
          try await close(chunk, &connection, &rest)
        }
      }
    } catch {
      context.stop()
      rest.failure = error
    }
    await connection?.close()
    return rest
  }

  /// A sweep of many dates makes as many rows as many portfolios, and one that reads a history
  /// takes the room of many slots: chunks are cut by both, so that memory stays workers × chunk.
  private static let slotsPerPortfolio = 4

  /// What a portfolio's history is reckoned at: some hundred activities, as many as forty slots'
  /// holdings.
  private static let slotsPerHistory = 40

  private static func bounded(_ sweeps: [Sweep], slots limit: Int) -> [[Sweep]] {
    var chunks: [[Sweep]] = []
    var current: [Sweep] = []
    var slots = 0
    for sweep in sweeps {
      let readsHistory = sweep.openedFrom == nil || sweep.readsHistory
      let size = sweep.steps.count + (readsHistory ? slotsPerHistory : 0)
      if !current.isEmpty, slots + size > limit {
        chunks.append(current)
        current = []
        slots = 0
      }
      current.append(sweep)
      slots += size
    }
    if !current.isEmpty { chunks.append(current) }
    return chunks
  }

  /// Closes a chunk; one that fails is halved until the portfolio at fault stands alone.
  private func close(
    _ sweeps: [Sweep], _ connection: inout Connection?, _ rest: inout WorkerPool.Rest
  ) async throws {
    do {
      let outcome = try await retrying(&connection) { [context] db in
        try ChunkClose(context: context).run(sweeps, on: db)
      }
      rest.busy += outcome.busy
      context.record(outcome)
    } catch let error where isFinal(error) {
      throw error
    } catch {
      guard sweeps.count > 1 else {
        return try await fail(sweeps[0], error, &connection)
      }
      let middle = sweeps.count / 2
      try await close(Array(sweeps[..<middle]), &connection, &rest)
      try await close(Array(sweeps[middle...]), &connection, &rest)
    }
  }

  /// Whether an error concerns the whole run and not just some portfolio of a chunk.
  private func isFinal(_ error: any Error) -> Bool {
    if error is LeaseEnded || error is CancellationError || error is SchemaError { return true }
    guard let error = Self.cause(of: error) else { return false }
    return error.mayRetry || error.kind != .server
      || error.sqlState.map(Self.isTheServers) ?? false
  }

  /// A full disk, a limit of the server's, a file it cannot read, a server that may only be read:
  /// no portfolio is at fault, and halving the chunk would blame each of them.
  private static func isTheServers(_ state: String) -> Bool {
    ["53100", "53400", "25006"].contains(state) || state.hasPrefix("58")
  }

  /// What the database said.
  ///
  /// A commit whose outcome is unknown is a passing fault too: a chunk that is taken again finds
  /// its slots complete under its own claim.
  private static func cause(of error: any Error) -> PostgresError? {
    error as? PostgresError ?? (error as? TransactionError)?.cause
  }

  private func fail(
    _ sweep: Sweep, _ error: any Error, _ connection: inout Connection?
  ) async throws {
    let first = sweep.steps[0]
    let slot = Slot(portfolio: sweep.portfolio.id, date: first.date)
    let reason = "\(error)"
    let state = Self.cause(of: error)?.sqlState
    try await retrying(&connection) { [context] db in
      try Slots.fail([(slot, reason, state)], as: context.claim, on: db)
      let rest = sweep.steps.dropFirst().map {
        Slot(portfolio: sweep.portfolio.id, date: $0.date)
      }
      try Slots.release(rest, as: context.claim, on: db)
    }
    var outcome = ChunkOutcome()
    outcome.counts.failed = 1
    outcome.counts.blocked = sweep.steps.count - 1
    outcome.failures = [
      SlotFailure(portfolio: sweep.portfolio.code, date: first.date, error: reason)
    ]
    context.record(outcome)
  }

  /// Runs a step that may be taken again, on a connection that works.
  private func retrying<R: Sendable>(
    _ connection: inout Connection?,
    _ step: @escaping @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    var attempt = 1
    while true {
      do {
        let usable = try await ready(&connection)
        return try await usable.perform(step)
      } catch let error
        where Self.cause(of: error)?.mayRetry == true && attempt < Self.maxAttempts
        && context.mayWrite
      {
        let milliseconds = Double(50 << attempt) * Double.random(in: 0.5...1.5)
        try await Task.sleep(for: .milliseconds(Int(milliseconds)))
        attempt += 1
      }
    }
  }

  private func ready(_ connection: inout Connection?) async throws -> Connection {
    if let open = connection, open.isUsable { return open }
    await connection?.close()
    connection = nil
    let fresh = try await connect()
    do {
      try await fresh.perform { db in try Populating.prepare(on: db) }
    } catch {
      await fresh.close()
      throw error
    }
    connection = fresh
    return fresh
  }
}

/// Keeps the lease alive on a connection of its own, so that a busy worker cannot starve it.
struct Heartbeat {
  let context: RunContext
  let connection: Connection

  /// Until it is cancelled; a lease that cannot be prolonged stops the run.
  func beat() async -> (any Error)? {
    let pause = context.settings.leaseSeconds / 8
    while !Task.isCancelled {
      guard (try? await Task.sleep(for: .seconds(pause))) != nil else { return nil }
      let asked = ContinuousClock.now
      do {
        let seconds = context.settings.leaseSeconds
        let isAlive = try await connection.perform { [context] db in
          try Leases.renew(claim: context.claim, seconds: seconds, on: db)
        }
        guard isAlive else {
          context.stop()
          return LeaseEnded()
        }
        context.leaseRenewed(askedAt: asked)
      } catch {
        // The lease goes on until it ends; `mayWrite` turns false before that.
        if !context.mayWrite {
          context.stop()
          return error
        }
      }
    }
    return nil
  }
}
