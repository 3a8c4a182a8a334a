package import Operations
internal import Text

extension MonthLocked {
  /// As a person reads it.
  package var lines: [String] {
    let done =
      changed
      ? "locked through \(lockedThrough): \(whom(portfolios))" : "nothing to do: locked already"
    return [done]
      + (discarded > 0 ? ["\(discarded) failed or abandoned slots were given up"] : [])
  }
}

extension MonthUnlocked {
  /// As a person reads it.
  package var lines: [String] {
    let done = changed ? "open from \(openFrom) on: \(whom(portfolios))" : "nothing was locked"
    return [done]
      + (returned > 0 ? ["\(returned) activities count on their own dates again"] : [])
  }
}

private func whom(_ portfolios: [String]) -> String {
  portfolios.isEmpty ? "all portfolios" : portfolios.joined(separator: ", ")
}

extension CleanupResult {
  /// As a person reads it.
  package var lines: [String] {
    [
      reclaimed.isEmpty
        ? "nothing to take back" : "\(reclaimed.count) placeholders were taken back"
    ]
  }
}

/// What a repair did, as a person reads it.
package struct RepairText {
  private let result: RepairResult
  /// The run that was undone.
  private let undone: Int64?

  package init(_ result: RepairResult, undone: Int64? = nil) {
    self.result = result
    self.undone = undone
  }

  package var lines: [String] {
    if result.isNothingToDo {
      return [
        undone.map { "run \($0) was undone by run \(result.run); nothing to do" }
          ?? "the plan was applied by run \(result.run); nothing to do"
      ]
    }
    if let undone {
      return ["run \(result.run): \(result.restored) rows of run \(undone) are back"]
    }
    return [
      "run \(result.run): \(result.removed) rows removed and archived, "
        + "\(result.stale) marked stale",
      "to undo it: closebell repair undo \(result.run)",
    ]
  }
}

extension MigrationList {
  /// As a table.
  package var lines: [String] {
    var table = TextTable([("version", .right), ("name", .left), ("applied", .left)])
    for step in migrations {
      table.add([String(step.version), step.name, step.applied ? "yes" : "no"])
    }
    return table.lines
  }
}

extension AdoptionResult {
  /// As a person reads it.
  package var lines: [String] {
    var lines = [
      "\(table): the unique key \(keyAdded ? "was added" : "is there")",
      "\(slots) slots recorded, \(stale) of them stale",
    ]
    if equal + different > 0 {
      lines.append(
        "\(equal + different) closed by Closebell too: \(equal) equal, \(different) "
          + "different; see closebell.adopted_comparison")
    }
    return lines
  }
}

extension MigrationResult {
  /// Each step, and the version that was reached.
  package var lines: [String] {
    guard !taken.isEmpty else { return ["the schema is at version \(version); nothing to do"] }
    return taken.map { "\($0.version) \($0.name)" } + ["the schema is at version \(version)"]
  }
}

extension ClaimsPaused {
  /// As a person reads it.
  package var lines: [String] { ["paused: no run claims anything until: closebell resume"] }
}

extension ClaimsResumed {
  /// As a person reads it.
  package var lines: [String] { [wasPaused ? "resumed" : "claims were not paused"] }
}
