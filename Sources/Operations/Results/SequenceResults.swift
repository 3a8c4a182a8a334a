package import Sequences

/// What a look at sequences found.
package struct SequenceCheck: Sendable {
  package var healths: [SequenceHealth]
  /// Columns whose sequence nobody knows.
  package var unresolved: [UnresolvedDefault]
  package var seconds: Double

  package init(healths: [SequenceHealth], unresolved: [UnresolvedDefault] = [], seconds: Double) {
    self.healths = healths
    self.unresolved = unresolved
    self.seconds = seconds
  }
}

/// Which sequences would give ids that are taken, or run out.
package struct SequenceCheckResult: Codable, Sendable {
  /// A sequence against the columns that it fills.
  package struct Health: Codable, Sendable {
    package var sequence: String
    /// `behind`, `beyond range`, `exhausted`, `unchecked` or `healthy`.
    package var state: String
    /// `none`, `low`, `medium` or `high`.
    package var severity: String
    var lastValue: Int64?
    package var isCalled: Bool?
    package var increment: Int64
    /// The value that it gives next, or would if its range allowed; nil where it was not read.
    package var next: Int?
    /// By how many values it is behind.
    package var gap: Int
    /// The share of its range that is used up, 0 to 1.
    package var used: Double
    package var cycles: Bool
    package var columns: [Column]

    private enum CodingKeys: String, CodingKey {
      case sequence, state, severity
      case lastValue = "last_value"
      case isCalled = "is_called"
      case increment, next, gap, used, cycles, columns
    }
  }

  /// A column that a sequence fills.
  package struct Column: Codable, Sendable {
    package var table: String
    package var column: String
    /// How the catalogue knows.
    package var origin: String
    /// The largest value, or the least where the sequence counts down.
    package var farthest: Int64?
    /// `whole`, `newest`, or why it was not looked at.
    package var coverage: String
    package var reason: String?
  }

  /// A column whose default looks its sequence up by a name that no sequence has.
  package struct Unresolved: Codable, Sendable {
    package var table: String
    package var column: String
    package var reason: String
  }

  package var isHealthy: Bool
  package var checked: Int
  package var unhealthy: Int
  var nearlyExhausted: Int
  package var unchecked: Int
  package var seconds: Double
  package var sequences: [Health]
  package var unresolved: [Unresolved]

  private enum CodingKeys: String, CodingKey {
    case isHealthy = "healthy"
    case checked, unhealthy
    case nearlyExhausted = "nearly_exhausted"
    case unchecked
    case seconds = "duration_seconds"
    case sequences, unresolved
  }

  package init(_ check: SequenceCheck) {
    let healths = check.healths
    unhealthy = healths.count(where: \.isUnhealthy)
    isHealthy = unhealthy == 0
    checked = healths.count
    nearlyExhausted = healths.count { !$0.isUnhealthy && $0.isNearlyExhausted }
    unchecked = healths.count { $0.state == .unchecked }
    seconds = check.seconds
    sequences = healths.map { Health($0) }
    unresolved = check.unresolved.map {
      Unresolved(table: $0.table, column: $0.column, reason: $0.reason)
    }
  }
}

extension SequenceCheckResult.Health {
  init(_ health: SequenceHealth) {
    let last = health.readings.first { $0.last != nil }
    self.init(
      sequence: health.sequence.name, state: health.state.rawValue,
      severity: health.severity.rawValue, lastValue: last?.last, isCalled: last?.isCalled,
      increment: health.sequence.increment, next: health.next.map { Int(clamping: $0) },
      gap: Int(clamping: health.gap), used: health.used, cycles: health.sequence.cycles,
      columns: zip(health.sequence.users, health.readings).map {
        SequenceCheckResult.Column($0, $1)
      })
  }
}

extension SequenceCheckResult.Column {
  init(_ user: SequenceUser, _ reading: SequenceReading) {
    let (coverage, reason): (String, String?) =
      switch reading.coverage {
      case .whole: ("whole", nil)
      case .newest: ("newest", "no index leads with the column")
      case .none(let why): ("none", why)
      }
    self.init(
      table: user.table, column: user.column, origin: user.origin.rawValue,
      farthest: reading.extreme, coverage: coverage, reason: reason)
  }
}

/// What a repair of sequences did, or would do.
package struct SequenceRepairResult: Codable, Sendable {
  /// A sequence and what came of it.
  package struct Item: Codable, Sendable {
    package var sequence: String
    /// `moved` or `refused`.
    package var outcome: String
    package var oldNext: Int?
    package var newNext: Int?
    /// Why it stays as it is.
    package var reason: String?

    private enum CodingKeys: String, CodingKey {
      case sequence, outcome
      case oldNext = "old_next"
      case newNext = "new_next"
      case reason
    }

    /// Members that say nothing are left out.
    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(sequence, forKey: .sequence)
      try container.encode(outcome, forKey: .outcome)
      if let oldNext { try container.encode(oldNext, forKey: .oldNext) }
      if let newNext { try container.encode(newNext, forKey: .newNext) }
      if let reason { try container.encode(reason, forKey: .reason) }
    }
  }

  package var isDryRun: Bool
  package var moved: Int
  package var sequences: [Item]

  private enum CodingKeys: String, CodingKey {
    case isDryRun = "dry_run"
    case moved, sequences
  }

  package init(_ outcomes: [(name: String, outcome: SequenceRepair.Outcome)], isDryRun: Bool) {
    self.isDryRun = isDryRun
    sequences = outcomes.compactMap { name, outcome in
      switch outcome {
      case .nothingToDo: nil
      case .moved(let old, let new):
        Item(
          sequence: name, outcome: "moved", oldNext: Int(clamping: old),
          newNext: Int(clamping: new))
      case .refused(let reason): Item(sequence: name, outcome: "refused", reason: reason)
      }
    }
    moved = sequences.count { $0.outcome == "moved" }
  }
}

/// A trigger that keeps a sequence ahead, or that was taken away.
package struct TriggerResult: Codable, Sendable {
  package var table: String
  package var column: String?
  package var sequence: String?

  package init(_ trigger: SequenceTrigger.InstalledTrigger) {
    table = trigger.table
    column = trigger.column
    sequence = trigger.sequence
  }
}
