package import Accounting
package import Close
internal import Postgres

extension Operations {
  /// Hands over closed dates, a chunk of portfolios after the other, each chunk of one snapshot.
  ///
  /// - Parameters:
  ///   - portfolios: Codes; empty: all.
  ///   - body: Is called with each chunk, in order of portfolio and date.
  /// - Throws: What `body` throws, which ends it; `UnknownPortfolios`, `SchemaError`,
  ///   `PostgresError`.
  package func forEachClosed(
    of portfolios: [String], from: Day, through: Day,
    _ body: @escaping @Sendable ([ShownSnapshot]) throws -> Void
  ) async throws {
    try await perform(onlyReads: true) { connection in
      try await connection.perform { db in
        try db.forEachClosed(codes: portfolios, from: from, through: through, body)
      }
    }
  }
}
