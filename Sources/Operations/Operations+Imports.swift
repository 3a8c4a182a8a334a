package import Import
internal import Postgres
internal import Storage

extension Operations {
  /// Imports of the past, and those under way.
  ///
  /// - Throws: `SchemaError`, `PostgresError`.
  package func imports() async throws -> ImportList {
    try await perform(onlyReads: true) { connection in
      try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return ImportList(try ImportHistory.latest(limit: 20, on: db))
      }
    }
  }

  /// Reads one of them, and the rows that it refused.
  ///
  /// - Throws: `ImportJobError.unknown`, and what `body` throws.
  package func refusedRows<R: Sendable>(
    of job: Int64, _ body: @escaping @Sendable (RefusedRows) throws -> R
  ) async throws -> R {
    try await perform(onlyReads: true) { connection in
      try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return try body(RefusedRows(of: job, on: db))
      }
    }
  }

  /// Stops one before its next chunk, wherever it runs.
  ///
  /// - Returns: The import, and whether it was stopped by this: one that has ended is not.
  /// - Throws: `ImportJobError.unknown`.
  package func cancelImport(
    _ job: Int64
  ) async throws -> (isCancelled: Bool, job: PastImportResult) {
    try await perform { connection in
      try await connection.perform { db in
        try DatabaseEpoch.requireForWriting(on: db)
        let isCancelled = try ImportJobs.cancel(job, on: db)
        guard let past = try ImportHistory.one(job, on: db) else {
          throw ImportJobError.unknown(job)
        }
        return (isCancelled, PastImportResult(past))
      }
    }
  }

  /// Imports files, one after the other.
  package func importing(_ watch: ImportWatch) -> Importing { Importing(self, watch) }
}

/// What imports may take.
package struct ImportLimits: Sendable {
  /// Most rows of a file; nil for no limit.
  package var maxRows: Int?
  /// After so many seconds an import stops before its next chunk; nil for no limit.
  package var seconds: Double?
  /// Roles whose requests are taken, beside one's own and those of the owner of the tables.
  package var trustedRoles: [String]

  package init(maxRows: Int?, seconds: Double?, trustedRoles: [String]) {
    self.maxRows = maxRows
    self.seconds = seconds
    self.trustedRoles = trustedRoles
  }
}

/// How imports are watched and stopped.
package struct ImportWatch: Sendable {
  /// Stops the one under way after its open chunk.
  let stop: StopSignal
  let limits: ImportLimits
  /// Called after each chunk.
  let progress: @Sendable (ImportProgress) -> Void

  package init(
    stop: StopSignal, limits: ImportLimits,
    progress: @escaping @Sendable (ImportProgress) -> Void
  ) {
    self.stop = stop
    self.limits = limits
    self.progress = progress
  }
}
