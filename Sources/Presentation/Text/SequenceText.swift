package import Operations

extension SequenceRepairResult {
  /// Those that were moved, or would be; what stays as it is is an error of its own.
  package var lines: [String] {
    guard !sequences.isEmpty else { return ["nothing to do"] }
    return sequences.compactMap { item -> String? in
      guard let old = item.oldNext, let new = item.newNext else { return nil }
      return "\(item.sequence): \(old) → \(new)\(isDryRun ? " (not done)" : "")"
    }
  }
}

/// Triggers that were put on tables or taken away, a line each.
package struct TriggersText {
  private let triggers: [TriggerResult]
  private let verb: String

  package init(_ triggers: [TriggerResult], verb: String) {
    self.triggers = triggers
    self.verb = verb
  }

  package var lines: [String] {
    guard !triggers.isEmpty else { return ["nothing to do"] }
    return triggers.map { trigger in
      let what = trigger.sequence.map { ", keeps \($0) ahead of \(trigger.column ?? "")" } ?? ""
      return "\(trigger.table): trigger \(verb)\(what)"
    }
  }
}
