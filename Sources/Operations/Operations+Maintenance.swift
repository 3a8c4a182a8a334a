package import Close
internal import Postgres
internal import Sequences
internal import Storage

extension Operations {
  // MARK: - Locks

  /// Locks a month and everything before it.
  ///
  /// - Throws: `MonthNotOver`, `LockRefused`, `LockBusy`, `RunAtWork`, `UnknownPortfolios`.
  package func lock(_ request: LockRequest) async throws -> MonthLocked {
    let outcome = try await changingLocks { clock, db in
      guard request.last < clock.today else { throw MonthNotOver(month: request.month) }
      return try PeriodLocking.lock(request, on: db)
    }
    return MonthLocked(request, outcome)
  }

  /// Opens a month and everything after it.
  ///
  /// - Throws: `RunAtWork`, `UnknownPortfolios`.
  package func unlock(_ request: LockRequest) async throws -> MonthUnlocked {
    let outcome = try await changingLocks { _, db in try PeriodLocking.unlock(request, on: db) }
    return MonthUnlocked(request, outcome)
  }

  /// Runs one transaction; who holds the locks for too long is somebody else at work.
  private func changingLocks(
    _ body: @escaping @Sendable (ServerClock, isolated Connection) throws -> LockOutcome
  ) async throws -> LockOutcome {
    try await perform { connection in
      let clock = try await askClock(connection, false)
      do {
        return try await connection.perform { db in try body(clock, db) }
      } catch let error as PostgresError where error.waitedTooLongForLock {
        throw RunAtWork()
      }
    }
  }

  // MARK: - Claims

  /// Reclaims placeholders whose owners are gone.
  ///
  /// - Parameter olderThanSeconds: Only of owners whose lease ended at least so long ago.
  package func cleanUp(olderThanSeconds seconds: Double) async throws -> CleanupResult {
    try await perform { connection in
      try await connection.perform { db in
        try DatabaseEpoch.requireForWriting(on: db)
        let reclaimed =
          try DeadOwners.cleanUp(olderThanSeconds: seconds, on: db)
          + DeadOwners.reclaimUnleased(olderThanSeconds: seconds, on: db)
        _ = try DeadOwners.discardRetired(on: db)
        return CleanupResult(
          reclaimed.map { CleanupResult.Placeholder($0.slot, claim: $0.from) })
      }
    }
  }

  /// Stops new claims everywhere.
  package func pause(reason: String?) async throws {
    try await perform { connection in
      try await connection.perform { db in
        try DatabaseEpoch.requireForWriting(on: db)
        try Runs.pause(reason: reason, on: db)
      }
    }
  }

  /// Allows new claims again.
  ///
  /// - Returns: Whether they were paused.
  package func resume() async throws -> Bool {
    try await perform { connection in
      try await connection.perform { db in
        try DatabaseEpoch.requireForWriting(on: db)
        return try Runs.resume(on: db)
      }
    }
  }

  // MARK: - Sequences

  /// Looks which sequences would give ids that are taken, or run out; writes nothing.
  ///
  /// - Parameters:
  ///   - tables: Only sequences of these, as in SQL; empty: all.
  ///   - scans: Whether a table is read whole where no index leads with the column.
  package func checkSequences(of tables: [String], scans: Bool) async throws -> SequenceCheck {
    try await perform(onlyReads: true) { connection in
      let started = ContinuousClock.now
      let (healths, unresolved) = try await connection.perform { db in
        let sequences = try SequenceCatalogue.find(tables, in: .everything, on: db)
        return (
          try SequenceReader.check(sequences, scans: scans, on: db),
          try SequenceCatalogue.unresolved(tables, in: .everything, on: db)
        )
      }
      return SequenceCheck(
        healths: healths, unresolved: unresolved,
        seconds: (ContinuousClock.now - started) / .seconds(1))
    }
  }

  /// Moves sequences forward that are behind; never back.
  ///
  /// - Parameters:
  ///   - tables: Only sequences of these, as in SQL; empty: all.
  ///   - isDry: Whether it is only said what would be done.
  package func repairSequences(
    of tables: [String], isDry: Bool
  ) async throws -> SequenceRepairResult {
    try await perform { connection in
      try await connection.perform { db in
        let sequences = try SequenceCatalogue.find(tables, in: .everything, on: db)
        let behind = try SequenceReader.check(sequences, on: db).filter {
          $0.isUnhealthy || !tables.isEmpty && $0.state == .unchecked
        }
        let outcomes = try behind.map { health in
          let (outcome, _) = try SequenceRepair.repair(health.sequence, isDry: isDry, on: db)
          return (name: health.sequence.name, outcome: outcome)
        }
        return SequenceRepairResult(outcomes, isDryRun: isDry)
      }
    }
  }

  /// Puts triggers on tables that keep their sequences ahead.
  package func installTriggers(on tables: [String]) async throws -> [TriggerResult] {
    try await perform { connection in
      try await connection.perform { db in
        try SequenceTrigger.install(on: tables, in: .everything, on: db).map { TriggerResult($0) }
      }
    }
  }

  /// Takes away what `installTriggers` put there.
  package func removeTriggers(from tables: [String]) async throws -> [TriggerResult] {
    try await perform { connection in
      try await connection.perform { db in
        try SequenceTrigger.remove(from: tables, on: db).map { TriggerResult($0) }
      }
    }
  }
}
