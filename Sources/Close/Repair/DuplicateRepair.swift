internal import Accounting
package import Postgres
internal import Problems
package import Storage

/// What a repair of duplicates is going to do.
package struct DuplicatePlan: Sendable {
  /// The table.
  package var table: LegacyTable
  /// The slots where a row is removed or marked stale, portfolio by portfolio.
  package var decisions: [SlotDecision]
  /// The rows that were looked at.
  package var rowsRead: Int
  /// The plan as it is written.
  package var plan: RepairPlan

  /// How many rows meet a fate.
  package func count(_ action: RepairArchive.Action) -> Int {
    decisions.reduce(0) { $0 + $1.verdicts.count { $0.action == action } }
  }
}

/// What a repair did.
package struct RepairOutcome: Sendable {
  /// The run; of an earlier repair where the plan had been applied already.
  package var run: Int64
  /// Whether the plan had been applied already, so that nothing was done now.
  package var wasApplied = false
  /// Rows taken out, each kept in the archive.
  package var removed = 0
  /// Rows or slots that stay and are known to be wrong.
  package var stale = 0
  /// Rows put back by an undo.
  package var restored = 0

  /// What a repair that did something did.
  init(run: Int64, removed: Int = 0, stale: Int = 0, restored: Int = 0) {
    self.run = run
    self.removed = removed
    self.stale = stale
    self.restored = restored
  }

  /// Nothing: an earlier run did it.
  package init(appliedBefore run: Int64) {
    self.run = run
    wasApplied = true
  }
}

/// Who repairs, for the run history.
package struct RepairOwner: Sendable {
  /// The machine.
  package var host: String
  /// Our version.
  package var version: String
  /// The arguments, without secrets.
  package var arguments: String

  /// Who repairs.
  package init(host: String, version: String, arguments: String) {
    self.host = host
    self.version = version
    self.arguments = arguments
  }
}

/// Takes the rows out of an older table that stand in the way of its unique key: plan, then apply.
package enum DuplicateRepair {
  static let kind = "duplicates"

  /// The table that is meant where none is named: the only one that was adopted or looks right.
  package static func onlyTable(on db: isolated Connection) throws -> String {
    try Migrator.requireCurrentSchema(on: db)
    let candidates = try LegacyTable.candidates(on: db)
    guard candidates.count == 1, let table = candidates.first else {
      throw RepairError.noTable(candidates)
    }
    return table
  }

  /// Says what would be done, and does nothing.
  package static func plan(_ name: String, on db: isolated Connection) throws -> DuplicatePlan {
    try Migrator.requireCurrentSchema(on: db)
    let table = try LegacyTable.find(name, on: db)
    return try db.transaction(isolation: .repeatableRead, readOnly: true) { db in
      // Before anything is read: the moment that is seen is that of the first look.
      try table.hold(on: db)
      return try make(table, on: db)
    }
  }

  private static func make(
    _ table: LegacyTable, on db: isolated Connection
  ) throws -> DuplicatePlan {
    // A policy that hides rows would make us decide about half of them.
    try db.execute(sql: "set local row_security = off")
    try table.requireSlots(on: db)
    var decisions: [SlotDecision] = []
    var portfolios: [(name: String, digests: String)] = []
    var rowsRead = 0
    try table.forEachDoubtfulPortfolio(on: db) { rows in
      rowsRead += rows.count
      let decided = DuplicateChain.decide(rows, isExact: table.isExact)
      guard !decided.isEmpty else { return }
      decisions += decided
      portfolios.append((rows[0].portfolio, rows.map(\.digest).joined()))
    }
    let digests = try RepairArchive.digests(of: portfolios.map(\.digests), on: db)
    let byPortfolio = Dictionary(
      uniqueKeysWithValues: zip(portfolios.map { ExactText($0.name) }, digests))
    let plan = try RepairPlan(
      head(of: table, rowsRead, decisions),
      decisions: decisions.map {
        $0.members(rowsOfPortfolio: byPortfolio[ExactText($0.portfolio)] ?? "")
      },
      on: db)
    return DuplicatePlan(table: table, decisions: decisions, rowsRead: rowsRead, plan: plan)
  }

  private static func head(
    of table: LegacyTable, _ rowsRead: Int, _ decisions: [SlotDecision]
  ) -> [(String, String)] {
    func count(_ action: RepairArchive.Action) -> String {
      String(decisions.reduce(0) { $0 + $1.verdicts.count { $0.action == action } })
    }
    return [
      ("kind", PlanText.quoted(kind)), ("table", PlanText.quoted(table.name)),
      ("rows_removed", count(.removed)), ("rows_kept", count(.kept)),
      ("rows_stale", count(.stale)),
    ]
  }

  /// Carries a plan out, in one transaction: killed at any moment, all of it is done or nothing.
  ///
  /// - Throws: `RepairError` where the plan was edited, the data changed, or another repair is
  ///   at work; `LegacyTableError`, `PostgresError`. Nothing was changed then.
  package static func apply(
    _ text: String, by owner: RepairOwner, on db: isolated Connection
  ) throws -> RepairOutcome {
    try DatabaseEpoch.requireForWriting(on: db)
    guard try RepairArchive.lock(on: db) else { throw RepairError.busy }
    let plan = try RepairPlan(reading: text, kind: kind, on: db)
    if let before = try RepairArchive.applied(plan: plan.digest, on: db) {
      return RepairOutcome(appliedBefore: before)
    }
    let name = try RepairPlan.table(of: text, on: db) ?? ""
    return try RecordedRun.perform("repair duplicates", by: owner, on: db) { run, db in
      try db.transaction { db in
        let table = try LegacyTable.find(name, on: db)
        try table.lock(on: db)
        let now = try make(table, on: db)
        try plan.requireSame(as: now.plan)
        try table.requireNothingHangsOnIt(on: db)
        try RepairArchive.begin(
          run, kind: kind, table: table.name, plan: text, digest: plan.digest, on: db)
        let removed = try table.carryOut(now.decisions.flatMap(\.verdicts), run: run, on: db)
        try RepairArchive.end(run, on: db)
        return RepairOutcome(run: run, removed: removed, stale: now.count(.stale))
      }
    }
  }
}

extension SlotDecision {
  /// What a plan says about a slot.
  fileprivate func members(rowsOfPortfolio digest: String) -> [(String, String)] {
    let rows = verdicts.map { verdict in
      PlanText.object([
        ("action", PlanText.quoted(verdict.action.rawValue)),
        ("created_at", PlanText.quoted(verdict.row.createdAt)),
        ("closing", PlanText.optional(verdict.row.closing?.description)),
        ("reason", PlanText.quoted(verdict.reason)),
        ("row", PlanText.quoted(verdict.row.digest)),
      ])
    }
    return [
      ("portfolio", PlanText.quoted(portfolio)), ("date", PlanText.quoted(date.description)),
      ("rows", PlanText.lines(rows, indent: "      ")),
      ("rows_of_portfolio", PlanText.quoted(digest)),
    ]
  }
}

/// A short run on one connection, recorded from its beginning to its end.
enum RecordedRun {
  static func perform<R>(
    _ kind: String, by owner: RepairOwner, on db: isolated Connection,
    _ body: (Int64, isolated Connection) throws -> R
  ) throws -> R {
    let run = try Runs.begin(
      kind: kind, from: nil, through: nil, host: owner.host, version: owner.version,
      arguments: owner.arguments, on: db)
    do {
      let result = try body(run, db)
      try Runs.end(run, .done, exitCode: 0, counts: "{}", on: db)
      return result
    } catch {
      let code = error.stated.code.kind.exitCode
      try? Runs.end(run, .failed, exitCode: code, counts: "{}", on: db)
      throw error
    }
  }
}
