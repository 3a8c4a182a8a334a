package import Accounting
package import Close
package import Storage

/// A month that was locked.
package struct MonthLocked: Codable, Sendable {
  /// `YYYY-MM`.
  package var month: String
  /// Empty: all, those that come later included.
  package var portfolios: [String]
  package var lockedThrough: Day
  /// Whether anything is locked that was not.
  package var changed: Bool
  /// Failed or abandoned slots that were given up.
  package var discarded: Int

  private enum CodingKeys: String, CodingKey {
    case month, portfolios
    case lockedThrough = "locked_through"
    case changed, discarded
  }

  package init(_ request: LockRequest, _ outcome: LockOutcome) {
    month = request.month
    portfolios = request.codes
    lockedThrough = request.last
    changed = outcome.changed
    discarded = outcome.discarded
  }
}

/// A month that was opened, with all after it.
package struct MonthUnlocked: Codable, Sendable {
  /// `YYYY-MM`.
  package var month: String
  /// Empty: all.
  package var portfolios: [String]
  package var openFrom: Day
  /// Whether anything is open that was not.
  package var changed: Bool
  /// Activities that were booked late and count on their own dates again.
  package var returned: Int

  private enum CodingKeys: String, CodingKey {
    case month, portfolios
    case openFrom = "open_from"
    case changed
    case returned = "returned_activities"
  }

  package init(_ request: LockRequest, _ outcome: LockOutcome) {
    month = request.month
    portfolios = request.codes
    openFrom = request.first
    changed = outcome.changed
    returned = outcome.returned
  }
}

/// Placeholders of dead owners that were reclaimed.
package struct CleanupResult: Codable, Sendable {
  /// A placeholder.
  package struct Placeholder: Codable, Sendable {
    package var portfolio: Int64
    package var date: Day
    package var claim: Int64

    private enum CodingKeys: String, CodingKey {
      case portfolio = "portfolio_id"
      case date
      case claim = "claim_id"
    }

    package init(_ slot: Slot, claim: Int64) {
      portfolio = slot.portfolio.rawValue
      date = slot.date
      self.claim = claim
    }
  }

  package var reclaimed: [Placeholder]

  private enum CodingKeys: String, CodingKey {
    case reclaimed = "taken_back"
  }

  package init(_ reclaimed: [Placeholder]) { self.reclaimed = reclaimed }
}

/// What a repair did, or its undoing.
package struct RepairResult: Codable, Sendable {
  /// Of an earlier repair where the plan had been applied already.
  package var run: Int64
  package var isNothingToDo: Bool
  package var removed: Int
  /// Rows or slots that stay and are known to be wrong.
  package var stale: Int
  /// Rows that an undo put back.
  package var restored: Int

  private enum CodingKeys: String, CodingKey {
    case run = "run_id"
    case isNothingToDo = "nothing_to_do"
    case removed, stale, restored
  }

  package init(_ outcome: RepairOutcome) {
    run = outcome.run
    isNothingToDo = outcome.wasApplied
    removed = outcome.removed
    stale = outcome.stale
    restored = outcome.restored
  }
}

/// The schema's versions.
package struct MigrationList: Codable, Sendable {
  /// One of them.
  package struct Version: Codable, Sendable {
    package var version: Int
    package var name: String
    package var applied: Bool
  }

  /// Ascending.
  package var migrations: [Version]

  package init(_ steps: [Migrator.Step]) {
    migrations = steps.map {
      Version(version: $0.migration.version, name: $0.migration.name, applied: $0.isApplied)
    }
  }
}

/// An older table of snapshots that was taken under a unique key.
package struct AdoptionResult: Codable, Sendable {
  package var table: String
  /// Whether the key was added now; false where it was there.
  package var keyAdded: Bool
  package var slots: Int64
  package var stale: Int64
  /// Slots that we closed too, with the same equity.
  package var equal: Int64
  /// Slots that we closed with another equity.
  package var different: Int64

  private enum CodingKeys: String, CodingKey {
    case table
    case keyAdded = "key_added"
    case slots, stale, equal, different
  }

  package init(_ adopted: Adoption.Result) {
    table = adopted.table
    keyAdded = adopted.keyAdded
    slots = adopted.slots
    stale = adopted.stale
    equal = adopted.equal
    different = adopted.different
  }
}

/// Claims are stopped.
package struct ClaimsPaused: Codable, Sendable {
  /// Always true.
  package var paused = true

  package init() {}
}

/// Claims are allowed.
package struct ClaimsResumed: Codable, Sendable {
  /// Always false.
  package var paused = false
  /// Whether they had been stopped.
  package var wasPaused: Bool

  private enum CodingKeys: String, CodingKey {
    case paused
    case wasPaused = "was_paused"
  }

  package init(wasPaused: Bool) { self.wasPaused = wasPaused }
}
