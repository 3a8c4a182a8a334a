package import Postgres
internal import Problems
internal import Storage

/// Puts back what a repair removed or replaced.
package enum RepairUndo {
  /// Undoes a repair, all of it or nothing.
  ///
  /// - Throws: `RepairError.cannotUndo` where rows changed since, or something was built on them.
  package static func undo(
    _ run: Int64, by owner: RepairOwner, on db: isolated Connection
  ) throws -> RepairOutcome {
    try DatabaseEpoch.requireForWriting(on: db)
    guard try RepairArchive.lock(on: db) else { throw RepairError.busy }
    guard let repair = try RepairArchive.run(run, on: db) else {
      throw RepairError.cannotUndo(
        run, "it is no repair", remedy: "\(.status) lists the last runs")
    }
    if let other = repair.undoneBy {
      return RepairOutcome(appliedBefore: other)
    }
    try RepairArchive.prepare(on: db)
    return try RecordedRun.perform("repair undo", by: owner, on: db) { own, db in
      try db.transaction { db in
        let restored =
          if let table = repair.table { try putBack(run, into: table, on: db) } else {
            try putBackCloses(run, on: db)
          }
        try RepairArchive.markUndone(run, by: own, on: db)
        return RepairOutcome(run: own, restored: restored)
      }
    }
  }

  private static func putBackCloses(_ run: Int64, on db: isolated Connection) throws -> Int {
    let archive: Remedy = "what it replaced is in closebell.repair_archive, run_id \(run)"
    try RepairArchive.lockSlots(on: db)
    let changed = try RepairArchive.changed(sinceRun: run, on: db)
    guard changed.isEmpty else {
      throw RepairError.cannotUndo(
        run, "closed again since, or in work: \(changed.joined(separator: "; "))", remedy: archive)
    }
    let built = try RepairArchive.builtOn(run: run, on: db)
    guard built.isEmpty else {
      throw RepairError.cannotUndo(
        run, "dates opened from it since: \(built.joined(separator: "; "))", remedy: archive)
    }
    do {
      return try RepairArchive.putBack(run, on: db)
    } catch let error as PostgresError where error.isUniqueViolation {
      throw RepairError.cannotUndo(
        run, "other rows stand there by now: \(error.detail ?? error.message)", remedy: archive)
    }
  }

  private static func putBack(
    _ run: Int64, into name: String, on db: isolated Connection
  ) throws -> Int {
    let table = try LegacyTable.find(name, on: db)
    try table.lock(on: db)
    let changed = try table.changed(sinceRun: run, on: db)
    guard changed.isEmpty else {
      throw RepairError.cannotUndo(
        run, "rows changed since: \(changed.joined(separator: "; "))",
        remedy: "what it removed is in closebell.repair_archive, run_id \(run)")
    }
    do {
      return try table.putBack(run, on: db)
    } catch let error as PostgresError where error.isUniqueViolation {
      throw RepairError.cannotUndo(
        run, "\(name) has a unique key by now: \(error.detail ?? error.message)",
        remedy: "what it removed is in closebell.repair_archive, run_id \(run)")
    }
  }
}
