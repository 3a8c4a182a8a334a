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
  }

  private let purpose: Purpose
  private let settings: RunSettings
  private let connect: @Sendable () async throws -> Connection
  private let context = Mutex<RunContext?>(nil)
  private let isStopped = Mutex(false)

  /// A run that has not begun.
  ///
  /// - Parameter connect: Opens a connection; a run needs one a worker and one more.
  public init(
    _ purpose: Purpose, settings: RunSettings,
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.purpose = purpose
    self.settings = settings
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
    do {
      let begun = try await control.perform { [self] db in try begin(on: db) }
      guard let context = begun else {
        await control.close()
        var report = RunReport(run: 0, date: lastDate)
        report.paused = true
        return report
      }
      self.context.withLock { $0 = context }
      if isStopped.withLock({ $0 }) { context.stop() }
      let failure = await work(context, control)
      let report = try await finish(
        context, control, after: failure, seconds: (ContinuousClock.now - started) / .seconds(1))
      await control.close()
      return report
    } catch {
      await control.close()
      throw error
    }
  }

  private var lastDate: Day {
    switch purpose {
    case .night(let date): date
    case .replay(let range): range.through
    }
  }

  // MARK: - Beginning

  /// Nil while claims are paused.
  private func begin(on db: isolated Connection) throws -> RunContext? {
    try Migrator.requireCurrentSchema(on: db)
    let unknown = try Planning.unknownCodes(settings.codes, on: db)
    guard unknown.isEmpty else { throw UnknownPortfolios(codes: unknown) }
    guard try !Runs.isPaused(on: db) else { return nil }
    try Runs.endDead(on: db)
    let takenBack = try Slots.takeBackExpired(on: db)
    try Leases.forgetDead(on: db)
    let (kind, from) =
      switch purpose {
      case .night(let date): ("run", date)
      case .replay(let range): ("replay", range.from)
      }
    let run = try Runs.begin(
      kind: kind, from: from, through: lastDate, host: settings.host, version: settings.version,
      arguments: settings.arguments, on: db)
    let asked = ContinuousClock.now
    let claim = try Leases.open(
      run: run, host: settings.host, pid: settings.pid, seconds: settings.leaseSeconds, on: db)
    let context = RunContext(
      settings: settings, run: run, claim: claim,
      calendars: Calendars(overrides: try MarketLoading.overrides(on: db)),
      reason: kind == "run" ? "inputs changed" : "replay", date: lastDate, leaseAsked: asked)
    context.record { $0.takenBack = takenBack.count }
    return context
  }

  // MARK: - Working

  /// - Returns: Why it could not go on, if so.
  private func work(_ context: RunContext, _ control: Connection) async -> (any Error)? {
    await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask { await Heartbeat(context: context, connection: control).beat() }
      let failure = await passes(context, control)
      group.cancelAll()
      // A heart that stopped has stopped the passes too: they end early, and without an error.
      let heart = await group.next() ?? nil
      return failure ?? heart
    }
  }

  /// The first pass takes everything; later ones ask again for what a live owner held.
  private func passes(_ context: RunContext, _ control: Connection) async -> (any Error)? {
    let deadline = ContinuousClock.now + .seconds(settings.waitSeconds ?? settings.leaseSeconds)
    var codes = settings.codes
    var isFirst = true
    while true {
      do {
        let queue = ChunkQueue(
          planner: try await planner(context, control), codes: codes, isFirstPass: isFirst)
        let pass = await WorkerPool(context: context, queue: queue, connect: connect).run()
        context.record { $0.counts.busy = pass.busy.reduce(0) { $0 + $1.steps.count } }
        if let failure = pass.failure { return failure }
        guard !pass.busy.isEmpty, !context.isStopping, ContinuousClock.now < deadline else {
          return nil
        }
        // Two replays, each done with what the other waits for, would wait in vain.
        if context.takeHoldsComplete() {
          try await control.perform { db in try Slots.letGo(as: context.claim, on: db) }
        }
        codes = pass.busy.map { "\($0.portfolio.code)#\($0.portfolio.id)" }
        isFirst = false
        try await Task.sleep(for: .milliseconds(250))
      } catch {
        return error
      }
    }
  }

  private func planner(_ context: RunContext, _ control: Connection) async throws -> Planner {
    let last = lastDate
    switch purpose {
    case .night(let date):
      let stale = try await control.perform { db in try Planning.stale(through: last, on: db) }
      return .night(
        NightPlan(
          settings: settings, calendars: context.calendars, date: date, stale: stale))
    case .replay(let range):
      let stale =
        try await range.onlyStale
        ? control.perform { db in try Planning.stale(through: .latest, on: db) } : [:]
      return .replay(ReplayPlan(calendars: context.calendars, range: range, stale: stale))
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
    let replays = if case .replay = purpose { true } else { false }
    do {
      try await control.perform { db in
        try Slots.release(as: context.claim, on: db)
        try Leases.close(claim: context.claim, on: db)
        // Owners who were still believed alive when this run began.
        try Leases.forgetDead(on: db)
        if failure == nil { try Runs.forgetSeenChanges(exceptLeaseOf: context.claim, on: db) }
        let stale = replays ? try Planning.stale(through: .latest, on: db).values.min() : nil
        context.record { $0.staleFrom = stale }
        let report = context.report
        try Runs.end(
          context.run, failure != nil ? .failed : wasStopped ? .interrupted : .done,
          exitCode: failure != nil ? 2 : report.exitCode, counts: report.counts.json, on: db)
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
    if counts.failed > 0 || counts.blocked > 0 { return 1 }
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
    "taken_over":\(takenOver),"fenced":\(fenced),"unchanged":\(unchanged)}
    """
  }
}
