import Postgres
import Sequences
import Storage
import TestSupport

/// A database of a test's own, with sequences in it.
struct SequenceWorld: TestBooks {
  let conninfo: String

  /// An empty database, and what `sql` makes in it.
  static func made(_ sql: String = "") async throws -> SequenceWorld {
    let world = SequenceWorld(conninfo: try await TestCluster.shared.freshDatabase())
    if !sql.isEmpty { try await world.execute(sql) }
    return world
  }

  var configuration: Configuration {
    Configuration(
      conninfo: conninfo, applicationName: "closebell-tests", lockTimeoutMilliseconds: 10_000)
  }

  /// A database with our schema.
  static func books() async throws -> SequenceWorld {
    let world = try await made()
    try await world.perform { db in _ = try Migrator.migrate(on: db) }
    return world
  }

  /// Judges all sequences, or those of some tables.
  func check(_ names: [String] = [], scans: Bool = false) async throws -> [SequenceHealth] {
    try await perform { db in
      try SequenceReader.check(
        SequenceCatalogue.find(names, in: .everything, on: db), scans: scans, on: db)
    }
  }

  /// Repairs all sequences, or those of some tables.
  @discardableResult
  func repair(
    _ names: [String] = [], isDry: Bool = false, lockTimeout: Int = 10_000
  ) async throws -> [SequenceRepair.Outcome] {
    var impatient = configuration
    impatient.lockTimeoutMilliseconds = lockTimeout
    return try await Connection.once(impatient) { db in
      try SequenceCatalogue.find(names, in: .everything, on: db).map {
        try SequenceRepair.repair($0, isDry: isDry, on: db).0
      }
    }
  }

  /// What the next `nextval` gives, without drawing it.
  func next(_ sequence: String) async throws -> Int64? {
    try await integer(
      """
      select case when q.is_called then q.last_value + s.seqincrement else q.last_value end
      from \(sequence) q, pg_catalog.pg_sequence s
      where s.seqrelid = $q$\(sequence)$q$::regclass
      """)
  }
}

/// An outcome as a test writes it.
extension SequenceRepair.Outcome {
  var text: String {
    switch self {
    case .nothingToDo: "nothing"
    case .moved(let old, let new): "\(old) → \(new)"
    case .refused: "refused"
    }
  }
}
