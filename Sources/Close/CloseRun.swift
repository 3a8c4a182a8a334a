public import Accounting
public import Postgres
internal import Storage
internal import Synchronization

/// One invocation: a night, or a replay.
///
/// Workers take chunks of portfolios until none is left; any number of invocations may run at once,
/// the unique slot key decides who closes what.
public final class CloseRun: Sendable {
  /// What a run is for.
  public enum Purpose: Sendable {
    /// Everything due up to a date.
    case night(Day)
    /// Dates closed again, and dates of the range that never were.
    case replay(ReplayRange)
    /// Damaged dates closed again, from each portfolio's first on.
    case repair(EquityRepairTask)
  }

  private let purpose: Purpose
  private let settings: RunSettings
  private let connect: @Sendable () async throws -> Connection
  private let context = Mutex<RunContext?>(nil)
  private let isStopped = Mutex(false)
  private let token: Int64

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - token: Of its lease, a number that nobody else draws; nil: a random one.
  ///   - connect: Opens a connection; a run needs one a worker and one more.
  public init(
    _ purpose: Purpose, settings: RunSettings, token: Int64? = nil,
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.purpose = purpose
    self.settings = settings
    self.token = token ?? Lease.randomToken()
    self.connect = connect
  }

  /// Begins no further chunk; the open ones finish, and what was claimed for nothing is released.
  public func stop() {
    isStopped.withLock { $0 = true }
    context.withLock { $0 }?.stop()
  }

  /// What the run did so far; nil before it began.
  public var progress: RunReport? { context.withLock { $0 }?.report }

  /// Runs to the end.
  ///
  /// - Throws: `PostgresError` where the database is out of reach or refuses, `SchemaError`,
  ///   `UnknownPortfolios`. A portfolio that cannot be closed is not an error: it is reported.
  public func run() async throws -> RunReport {
    let started = ContinuousClock.now
    let control = try await connect()
    // A single worker opens its own when it comes to it: all calls of a run stand in one order.
    let ahead = ConnectionsAhead(settings.workers > 1 ? settings.workers : 0) { [self] in
      try await connectWorker()
    }
    let ended: Result<RunReport, any Error>
    do {
      ended = .success(try await run(control, ahead, since: started))
    } catch {
      ended = .failure(error)
    }
    // With this connection goes the lock that says that the run lives.
    await control.close()
    await ahead.close()
    return try ended.get()
  }

  private func connectWorker() async throws -> Connection {
    let connection = try await connect()
    do {
      try await connection.perform { [seconds = settings.leaseSeconds] db in
        try Populating.prepare(leaseSeconds: seconds, on: db)
      }
    } catch {
      await connection.close()
      throw error
    }
    return connection
  }

  private func run(
    _ control: Connection, _ ahead: ConnectionsAhead, since started: ContinuousClock.Instant
  ) async throws -> RunReport {
    guard let context = try await control.perform({ [self] db in try begin(on: db) }) else {
      var report = RunReport(run: 0, date: lastDate)
      report.paused = true
      return report
    }
    self.context.withLock { $0 = context }
    if isStopped.withLock({ $0 }) { context.stop() }
    let failure = await work(context, control, ahead)
    return try await finish(
      context, control, after: failure, seconds: (ContinuousClock.now - started) / .seconds(1))
  }

  private var lastDate: Day {
    switch purpose {
    case .night(let date): date
    case .replay(let range): range.through
    case .repair(let task): task.latest
    }
  }

  // MARK: - Beginning

  /// Nil while claims are paused.
  private func begin(on db: isolated Connection) throws -> RunContext? {
    let (kind, from): (String, Day?) =
      switch purpose {
      case .night(let date): ("run", date)
      case .replay(let range): ("replay", range.from)
      case .repair(let task): ("repair equity", task.earliest)
      }
    var opening = RunOpening(
      kind: kind, from: from, through: lastDate, settings: settings, token: token)
    if case .repair(let task) = purpose { opening.repair = task }
    let asked = ContinuousClock.now
    guard let begun = try db.begin(opening) else { return nil }
    return RunContext(opening, begun, leaseAsked: asked)
  }

  // MARK: - Working

  /// - Returns: Why it could not go on, if so.
  private func work(
    _ context: RunContext, _ control: Connection, _ ahead: ConnectionsAhead
  ) async -> (any Error)? {
    await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask { await Heartbeat(context: context, connection: control).beat() }
      let failure = await passes(context, control, ahead)
      group.cancelAll()
      // A heart that stopped has stopped the passes too: they end early, and without an error.
      let heart = await group.next() ?? nil
      return failure ?? heart
    }
  }

  /// The first pass takes everything; later ones ask again for what a live owner held.
  private func passes(
    _ context: RunContext, _ control: Connection, _ ahead: ConnectionsAhead
  ) async -> (any Error)? {
    let deadline = ContinuousClock.now + .seconds(settings.waitSeconds ?? settings.leaseSeconds)
    var selection = context.selection
    var isFirst = true
    if case .repair(let task) = purpose, task.firstBad.isEmpty { return nil }
    while true {
      do {
        let queue = ChunkQueue(
          planner: try await planner(context, control), selection: selection,
          isFirstPass: isFirst)
        let pool = WorkerPool(context: context, queue: queue) { try await ahead.take() }
        let pass = await pool.run()
        context.record { $0.counts.busy = pass.busy.reduce(0) { $0 + $1.steps.count } }
        if let failure = pass.failure { return failure }
        guard !pass.busy.isEmpty, !context.isStopping, ContinuousClock.now < deadline else {
          return nil
        }
        // Two replays, each done with what the other waits for, would wait in vain.
        if context.takeHoldsComplete() {
          try await control.perform { db in try db.letGo(as: context.claim) }
        }
        selection = PortfolioSelection(pass.busy.map(\.portfolio.id))
        isFirst = false
        try await Task.sleep(for: .milliseconds(250))
      } catch {
        return error
      }
    }
  }

  private func planner(_ context: RunContext, _ control: Connection) async throws -> Planner {
    try await control.perform { [purpose, settings] db in
      try Planner(purpose, settings, context.calendars, on: db)
    }
  }

  // MARK: - Ending

  private func finish(
    _ context: RunContext, _ control: Connection, after failure: (any Error)?, seconds: Double
  ) async throws -> RunReport {
    let wasStopped = isStopped.withLock { $0 }
    context.record {
      $0.seconds = seconds
      $0.interrupted = wasStopped
    }
    let replays = if case .night = purpose { false } else { true }
    let isRepair = if case .repair = purpose { true } else { false }
    do {
      try await control.perform { db in
        let report = context.report
        let stale = try db.end(
          RunEnding(
            run: context.run, lease: context.lease,
            ending: failure != nil ? .failed : wasStopped ? .interrupted : .done,
            exitCode: failure != nil ? 2 : report.exitCode, counts: report.counts.json,
            mayHoldPlaceholders: failure != nil || context.mayHoldPlaceholders,
            asksForStale: replays,
            concludesRepair: isRepair && failure == nil && report.exitCode == 0))
        context.record { $0.staleFrom = stale }
      }
    } catch  where failure != nil {
      // The database is gone: what failed first is what matters, and the next run cleans up.
    }
    if let failure { throw failure }
    return context.report
  }
}

/// Codes that name no portfolio.
public struct UnknownPortfolios: Error, CustomStringConvertible {
  /// The codes.
  public let codes: [String]

  /// The reason and the way out.
  public var description: String {
    """
    no portfolio \(codes.joined(separator: ", "))
    hint: codes are case-sensitive; a retired one is named CODE#ID
    """
  }
}

extension RunReport {
  /// As the contract has it: 130 interrupted, 1 something was not closed, 75 somebody else holds
  /// slots or claims are paused, 0 done.
  public var exitCode: Int32 {
    if interrupted { return 130 }
    if counts.failed > 0 || counts.blocked > 0 || counts.locked > 0 { return 1 }
    if counts.busy > 0 || counts.fenced > 0 || paused { return 75 }
    return 0
  }
}

extension SlotCounts {
  /// The counts as a JSON object.
  public var json: String {
    """
    {"planned":\(planned),"claimed":\(claimed),"completed":\(completed),"degraded":\(degraded),\
    "skipped":\(skipped),"busy":\(busy),"blocked":\(blocked),"failed":\(failed),\
    "locked":\(locked),"taken_over":\(takenOver),"fenced":\(fenced),"unchanged":\(unchanged)}
    """
  }
}
