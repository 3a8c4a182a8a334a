import Accounting
import Close
import Import
import Postgres
import Storage
import Synchronization
import TestSupport

/// A run that goes on beside the test, and can be held up at a gate.
final class HeldRun: Sendable {
  /// How it ended.
  enum Ending: Sendable {
    case reported(RunReport)
    case threw(any Error)
  }

  let gate: Gate
  private let ending = Mutex<Ending?>(nil)
  private let task = Mutex<Task<Void, Never>?>(nil)

  init(_ purpose: CloseRun.Purpose, _ books: DemoBooks, _ settings: RunSettings, at gate: Gate) {
    self.gate = gate
    var configuration = books.configuration
    configuration.faultPlan = gate.plan
    let held = configuration
    task.withLock { task in
      task = Task {
        do {
          let report = try await CloseRun(purpose, settings: settings) {
            try await Connection.connect(held)
          }.run()
          ending.withLock { $0 = .reported(report) }
        } catch {
          ending.withLock { $0 = .threw(error) }
        }
      }
    }
  }

  /// Waits until it stands at its gate; false if it ended without coming there.
  func standsStill() async throws -> Bool {
    try await gate.reached { [self] in ending.withLock { $0 != nil } }
  }

  /// Lets it go on, and waits for its end.
  func goOn() async throws -> RunReport {
    gate.open()
    await task.withLock { $0 }?.value
    switch ending.withLock({ $0 }) {
    case .reported(let report): return report
    case .threw(let error): throw error
    case nil: throw CancellationError()
    }
  }
}

extension DemoBooks {
  /// A fresh copy of the small world; ASH and BIRCH are closed for the date before the nights.
  static func small() async throws -> DemoBooks {
    DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: "small_books") { conninfo in
        let books = DemoBooks(conninfo: conninfo)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        try await books.importFiles(SmallWorld.files)
        _ = try await books.close("2017-06-28", settings { $0.codes = ["ASH", "BIRCH"] })
      })
  }

  func importFiles(_ files: [(kind: String, csv: String)]) async throws {
    let connection = try await connect()
    for file in files {
      guard let kind = ImportKind(rawValue: file.kind) else { continue }
      let report = try await runImport(
        ImportRequest(kind: kind, source: .bytes(Array(file.csv.utf8))), on: connection,
        progress: nil)
      guard report.refused == 0 else { throw Refused(rows: report.refusedRows) }
    }
    await connection.close()
  }

  func begin(
    _ purpose: CloseRun.Purpose, _ settings: RunSettings = settings(workers: 1, chunk: 500),
    heldAt place: Gate.Place
  ) -> HeldRun {
    var settings = settings
    // However slow the machine is, the lease need not be prolonged.
    settings.leaseSeconds = 86_400
    return HeldRun(purpose, self, settings, at: Gate(before: place))
  }

  /// Somebody deletes the leases by hand; one that an owner holds while it writes stays.
  func loseLeases() async throws {
    try await execute(
      """
      delete from closebell.worker_lease where claim_id in (
        select claim_id from closebell.worker_lease for update skip locked)
      """)
  }

  /// On a connection that is held up at a gate.
  func perform<R: Sendable>(
    heldAt gate: Gate, _ body: @escaping @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    var held = configuration
    held.faultPlan = gate.plan
    return try await Connection.once(held, body)
  }

  /// What `closebell cleanup` does.
  ///
  /// - Returns: How many placeholders were taken back.
  @discardableResult
  func cleanUp() async throws -> Int {
    try await perform { db in
      try DeadOwners.cleanUp(on: db).count + DeadOwners.reclaimUnleased(on: db).count
    }
  }

  func wholeTables() async throws -> [String] {
    try await perform { db in try ResultTables.wholeRows(on: db) }
  }

  func leftovers() async throws -> [String] {
    try await perform { db in try ResultTables.leftovers(on: db) }
  }

  func stale() async throws -> [ID<Portfolio>: Day] {
    try await perform { db in try Planning.stale(through: .latest, on: db) }
  }

  /// The small world closed in order, with or without what comes late.
  static func smallReference(
    _ dates: [String] = SmallWorld.nights, corrections: [(kind: String, csv: String)] = []
  ) async throws -> [String] {
    let books = try await small()
    try await books.importFiles(corrections)
    for date in dates { _ = try await books.close(date) }
    return try await books.tables()
  }
}

extension CloseRun.Purpose {
  static func night(_ date: String) -> Self { .night(Day(date) ?? .earliest) }

  static func replay(_ from: String, _ through: String) -> Self {
    .replay(ReplayRange(from: Day(from) ?? .earliest, through: Day(through) ?? .earliest))
  }
}
