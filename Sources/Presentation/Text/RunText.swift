package import Operations
internal import Text

/// What a run did, as a person reads it.
package struct RunText {
  private let run: RunResult
  /// What became of the slots: `closed`.
  private let verb: String

  package init(_ run: RunResult, verb: String) {
    self.run = run
    self.verb = verb
  }

  package var lines: [String] {
    let slots = run.slots
    if slots.planned == 0 && slots.failed == 0 && slots.locked == 0 {
      return [run.outcome == "completed" ? "nothing to do" : "\(run.outcome): nothing was begun"]
    }
    var lines = ["run \(run.id), \(run.date): \(counts) in \(Readable.seconds(run.seconds))"]
    if run.reclaimed > 0 {
      lines.append("\(run.reclaimed) placeholders of dead owners were taken back")
    }
    if let stale = run.staleFrom {
      lines.append("later slots are stale from \(stale) on; the next run closes them again")
    }
    return lines + stages.lines
  }

  private var counts: String {
    let slots = run.slots
    let others = [
      (slots.degraded, "of them degraded"), (slots.unchanged, "unchanged"),
      (slots.takenOver, "taken over"), (slots.failed, "failed"), (slots.locked, "locked"),
      (slots.blocked, "blocked"), (slots.busy, "busy"), (slots.fenced, "fenced"),
    ]
    let parts =
      (run.outcome == "completed" ? [] : [run.outcome]) + ["\(slots.completed) \(verb)"]
      + others.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return parts.joined(separator: ", ")
  }

  private var stages: TextTable {
    var table = TextTable([
      ("stage", .left), ("slots", .right), ("seconds", .right), ("slots/s", .right),
    ])
    let slots = run.slots.completed + run.slots.unchanged
    let stages = [
      ("plan", run.stages.plan), ("claim", run.stages.claim), ("load", run.stages.load),
      ("compute", run.stages.compute), ("populate", run.stages.populate),
      ("wall clock", run.seconds),
    ]
    for (name, seconds) in stages {
      let rate = seconds > 0 ? Readable.whole(Double(slots) / seconds) : "–"
      table.add([name, String(slots), Readable.seconds(seconds), rate])
    }
    return table
  }
}
