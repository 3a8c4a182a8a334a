internal import Postgres
internal import Storage

extension Operations {
  /// The version that this program works with.
  package static var latestSchema: Int { Migration.latestVersion }

  /// Which versions of the schema there are, and which are applied.
  package func migrations() async throws -> MigrationList {
    try await perform(onlyReads: true) { connection in
      try await connection.perform { db in MigrationList(try Migrator.status(on: db)) }
    }
  }

  /// Brings the schema up to date, or back to an earlier version.
  ///
  /// - Parameters:
  ///   - version: 0 is an empty database.
  ///   - setsSearchPath: Whether the schema is put last on the database's search_path.
  ///   - table: An older table of snapshots that is taken under the key that it never had.
  /// - Throws: What `Migrator.migrate` and `Adoption.adopt` throw.
  package func migrate(
    to version: Int, setsSearchPath: Bool = false, adopting table: String? = nil
  ) async throws -> MigrationResult {
    try await perform { connection in
      try await connection.perform { db in
        let taken = try Migrator.migrate(to: version, on: db)
        if setsSearchPath { try SearchPath.set(on: db) }
        let isLatest = version == Migration.latestVersion
        let epoch = try isLatest ? DatabaseEpoch.begin(on: db).new : nil
        return MigrationResult(
          version: version,
          taken: taken.map { MigrationResult.Step(version: $0.version, name: $0.name) },
          newEpoch: epoch.map { "\($0)" },
          adopted: try table.map { AdoptionResult(try Adoption.adopt($0, on: db)) })
      }
    }
  }
}

/// What a migration did.
package struct MigrationResult: Encodable, Sendable {
  /// A step of it, forth or back.
  package struct Step: Sendable {
    package var version: Int
    package var name: String
  }

  package var version: Int
  /// In their order.
  package var taken: [Step]
  /// Under which the transactions of a database count that was moved or restored; nil: as before.
  package var newEpoch: String?
  package var adopted: AdoptionResult?

  private enum CodingKeys: String, CodingKey {
    case version, steps
  }

  /// The version and how many steps were taken.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(version, forKey: .version)
    try container.encode(taken.count, forKey: .steps)
  }
}
