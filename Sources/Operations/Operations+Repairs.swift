internal import Accounting
package import Close
internal import Postgres
package import Storage

extension Operations {
  // MARK: - Equity

  /// Says which closed dates are not what their inputs make them, and does nothing.
  ///
  /// - Parameter isReading: Whether a server that may only be read will do.
  /// - Throws: `CancellationError` where it was stopped; `UnknownPortfolios`, `SchemaError`,
  ///   `PostgresError`.
  package func planEquityRepair(
    _ scope: EquityScope, limits: WorkLimits, isReading: Bool, stop: StopSignal
  ) async throws -> EquityPlan {
    let repair = EquityRepair(settings: settings(limits)) { [connect] in
      try await connect(isReading)
    }
    stop.stops { repair.stop() }
    return try await repair.plan(scope)
  }

  /// Carries a plan out: the damaged dates are closed again, what stood there is archived.
  ///
  /// - Parameters:
  ///   - plan: As it was written down.
  ///   - overrideLock: Why locked dates are closed again too, and who says so; nil: they stay.
  /// - Throws: `RepairError` where the plan was edited, or the books changed since;
  ///   `CancellationError`, and what a run throws.
  package func applyEquityRepair(
    _ plan: String, limits: WorkLimits, overrideLock: PeriodLocks.Author?, stop: StopSignal,
    observer: any RunObserver
  ) async throws -> EquityRepaired {
    var settings = settings(limits)
    settings.overrideLock = overrideLock
    let repair = EquityRepair(settings: settings, observer: observer) { [connect] in
      try await connect(false)
    }
    stop.stops { repair.stop() }
    let (report, run) = try await repair.apply(plan)
    guard let report else {
      return .appliedBefore(RepairResult(RepairOutcome(appliedBefore: run)))
    }
    return .closedAgain(RunResult(report))
  }

  /// Puts in order what a repair left that died after its last write.
  package func cleanUpAfterRepairs() async throws {
    try await EquityRepair(settings: RunSettings()) { [connect] in try await connect(false) }
      .cleanUp()
  }

  private func settings(_ limits: WorkLimits) -> RunSettings {
    WorkRequest(portfolios: [], policy: nil, limits: limits).settings(of: caller)
  }

  // MARK: - Duplicates

  /// Says which rows of an older table stand in the way of its unique key, and does nothing.
  ///
  /// - Parameter table: As in SQL; nil: the only one that looks like one.
  /// - Throws: `RepairError`, `LegacyTableError`, `SchemaError`, `PostgresError`.
  package func planDuplicateRepair(of table: String?) async throws -> DuplicatePlan {
    try await perform { connection in
      try await connection.perform { db in
        try DuplicateRepair.plan(table ?? DuplicateRepair.onlyTable(on: db), on: db)
      }
    }
  }

  /// Carries a plan out, in one transaction.
  ///
  /// - Throws: `RepairError`, `LegacyTableError`, `PostgresError`; nothing was changed then.
  package func applyDuplicateRepair(_ plan: String) async throws -> RepairResult {
    let owner = owner
    return try await perform { connection in
      try await connection.perform { db in
        RepairResult(try DuplicateRepair.apply(plan, by: owner, on: db))
      }
    }
  }

  // MARK: - Undo

  /// Puts back what a repair took away or replaced.
  ///
  /// - Throws: `RepairError`, `PostgresError`; nothing was changed then.
  package func undoRepair(_ run: Int64) async throws -> RepairResult {
    let owner = owner
    return try await perform { connection in
      try await connection.perform { db in
        RepairResult(try RepairUndo.undo(run, by: owner, on: db))
      }
    }
  }

  private var owner: RepairOwner {
    RepairOwner(host: caller.host, version: caller.version, arguments: caller.arguments)
  }
}

/// What carrying out a plan of equities came to.
package enum EquityRepaired: Sendable {
  /// A run closed the dates again.
  case closedAgain(RunResult)
  /// It was done before: nothing to do.
  case appliedBefore(RepairResult)
}
