package import Accounting
package import Postgres
package import Problems
internal import Storage
internal import Synchronization

/// One invocation: a night, or a replay.
///
/// Workers take chunks of portfolios until none is left; any number of invocations may run at once,
/// the unique slot key decides who closes what.
package final class CloseRun: Sendable {
  /// What a run is for.
  package enum Purpose: Sendable {
    /// Everything due up to a date.
    case night(Day)
    /// Dates closed again, and dates of the range that never were.
    case replay(ReplayRange)
    /// Damaged dates closed again, from each portfolio's first on.
    case repair(EquityRepairTask)
  }

  private let purpose: Purpose
  private let settings: RunSettings
  private let observer: any RunObserver
  private let connect: @Sendable () async throws -> Connection
  private let context = Mutex<RunContext?>(nil)
  private let isStopped = Mutex(false)
  private let token: Int64

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - token: Of its lease, a number that nobody else draws; nil: a random one.
  ///   - observer: Is told what happens as it happens.
  ///   - connect: Opens a connection; a run needs one a worker and two more: one that does nothing
  ///     but keep its lease, and one that plans.
  package init(
    _ purpose: Purpose, settings: RunSettings, token: Int64? = nil,
    observer: any RunObserver = Unobserved(),
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.purpose = purpose
    self.settings = settings
    self.token = token ?? Lease.randomToken()
    self.observer = observer
    self.connect = connect
  }

  /// Begins no further chunk; the open ones finish, and what was claimed for nothing is released.
  package func stop() {
    isStopped.withLock { $0 = true }
    context.withLock { $0 }?.stop()
  }

  /// What the run did so far; nil before it began.
  package var progress: RunReport? { context.withLock { $0 }?.report }

  /// Runs to the end.
  ///
  /// - Throws: `PostgresError` where the database is out of reach or refuses, `SchemaError`,
  ///   `UnknownPortfolios`, `LeaseEnded`, `LeaseGone`. A portfolio that cannot be closed is not an
  ///   error: it is reported.
  package func run() async throws -> RunReport {
    let started = ContinuousClock.now
    let keeper = try await connect()
    // A single worker opens its own when it comes to it: all calls of a run stand in one order.
    let isAlone = settings.workers == 1
    let controls = ConnectionsAhead(isAlone ? 0 : 1, connect)
    let ahead = ConnectionsAhead(isAlone ? 0 : settings.workers) { [self] in
      try await connectWorker()
    }
    let ended: Result<RunReport, any Error>
    do {
      ended = .success(try await run(keeper, controls, ahead, since: started))
    } catch {
      ended = .failure(error)
    }
    // With this connection goes the lock that says that the run lives.
    await keeper.close()
    await controls.close()
    await ahead.close()
    let report = try ended.get()
    observer.observe(.ended(report))
    return report
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
    _ keeper: Connection, _ controls: ConnectionsAhead, _ ahead: ConnectionsAhead,
    since started: ContinuousClock.Instant
  ) async throws -> RunReport {
    guard let context = try await keeper.perform({ [self] db in try begin(on: db) }) else {
      var report = RunReport(run: 0, date: lastDate)
      report.paused = true
      return report
    }
    self.context.withLock { $0 = context }
    if isStopped.withLock({ $0 }) { context.stop() }
    let planning = PlanningConnection(context, controls)
    let failure = await work(context, keeper, planning, ahead)
    let ended: Result<RunReport, any Error>
    do {
      // Where one connection is lost, the other one still ends the run.
      ended = .success(
        try await finish(
          context, planning.usable ?? keeper, after: failure,
          seconds: (ContinuousClock.now - started) / .seconds(1)))
    } catch {
      ended = .failure(error)
    }
    await planning.close()
    return try ended.get()
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
    return RunContext(opening, begun, leaseAsked: asked, observer: observer)
  }

  // MARK: - Working

  /// - Returns: Why it could not go on, if so.
  private func work(
    _ context: RunContext, _ keeper: Connection, _ planning: PlanningConnection,
    _ ahead: ConnectionsAhead
  ) async -> (any Error)? {
    await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask { await Heartbeat(context: context, connection: keeper).beat() }
      let errors = await RunPasses(purpose: purpose, context: context, planning: planning) {
        try await ahead.take()
      }.run()
      group.cancelAll()
      // A heart that stopped has stopped the passes too: they end early, and without an error.
      let heart = await group.next() ?? nil
      return Self.told(errors + [heart].compactMap(\.self), context)
    }
  }

  private static func told(_ errors: [any Error], _ context: RunContext) -> (any Error)? {
    RunFailure.told(
      errors, leaseIsOver: !context.mayWrite, lostSlots: context.report.counts.fenced > 0)
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
            exitCode: failure?.stated.code.kind.exitCode ?? report.exitCode,
            counts: report.counts.json,
            mayHoldPlaceholders: failure != nil || context.mayHoldPlaceholders,
            asksForStale: replays,
            concludesRepair: isRepair && failure == nil && report.exitCode == 0))
        context.record { $0.staleFrom = stale }
      }
    } catch {
      // The database is gone, or took us for dead: the next run cleans up.
      throw Self.told([failure, error].compactMap(\.self), context) ?? error
    }
    if let failure { throw failure }
    return context.report
  }
}

/// Codes that name no portfolio.
package struct UnknownPortfolios: Problem {
  /// The codes.
  package let codes: [String]

  /// The reason and the way out.
  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("portfolio_not_found", .notFound),
      "no portfolio \(codes.joined(separator: ", "))",
      remedy: "codes are case-sensitive; a retired one is named CODE#ID")
  }
}

extension RunReport {
  /// What kept it from being done: something was not closed, or somebody else holds slots or has
  /// claims paused; nil: nothing.
  package var shortfall: ProblemKind? {
    if interrupted { return .interrupted }
    if counts.failed > 0 || counts.blocked > 0 || counts.locked > 0 { return .refused }
    if counts.busy > 0 || counts.fenced > 0 || paused { return .busy }
    return nil
  }

  /// What the shell gets, and the history keeps.
  package var exitCode: Int32 { shortfall?.exitCode ?? 0 }
}

extension SlotCounts {
  /// The counts as a JSON object.
  package var json: String {
    """
    {"planned":\(planned),"claimed":\(claimed),"completed":\(completed),"degraded":\(degraded),\
    "skipped":\(skipped),"busy":\(busy),"blocked":\(blocked),"failed":\(failed),\
    "locked":\(locked),"taken_over":\(takenOver),"fenced":\(fenced),"unchanged":\(unchanged)}
    """
  }
}
