package import Operations
package import Problems
internal import Sequences
internal import Text

/// A check of sequences, as people, programs and Prometheus read it.
package struct SequenceReport {
  private let check: SequenceCheck

  package init(_ check: SequenceCheck) { self.check = check }

  private var healths: [SequenceHealth] { check.healths }

  private var unhealthy: [SequenceHealth] { healths.filter(\.isUnhealthy) }
  private var warned: [SequenceHealth] {
    healths.filter { !$0.isUnhealthy && $0.isNearlyExhausted }
  }
  private var unchecked: [SequenceHealth] { healths.filter { $0.state == .unchecked } }

  /// - Parameter strict: Whether a doubt counts.
  package func isHealthy(strict: Bool) -> Bool {
    let hasDoubt = !warned.isEmpty || !unchecked.isEmpty || !check.unresolved.isEmpty
    return unhealthy.isEmpty && !(strict && hasDoubt)
  }

  /// What somebody has to look at, each for itself.
  package var complaints: [String] {
    unhealthy.map { "sequence \($0.sequence.name): \(Self.reason($0))" }
  }

  /// What helps, where something does.
  package var remedy: Remedy? {
    unhealthy.contains { $0.state == .behind } ? Remedy(.repairSequences) : nil
  }

  // MARK: - Text

  /// - Parameter all: Whether healthy ones are listed too.
  package func lines(all: Bool) -> [String] {
    let shown = healths.filter {
      all || $0.isUnhealthy || $0.isNearlyExhausted || $0.state == .unchecked
    }
    let unresolved = check.unresolved.map {
      "note: \($0.table).\($0.column) was not looked at: \($0.reason)"
    }
    guard !shown.isEmpty else { return unresolved + [summary] }
    var table = TextTable([
      ("sequence", .left), ("next", .right), ("column", .left), ("farthest", .right),
      ("behind", .right), ("used", .right), ("state", .left),
    ])
    for health in shown { for row in Self.rows(health) { table.add(row) } }
    let notes = shown.flatMap(Self.notes) + unresolved
    return table.lines + notes + [summary]
  }

  private static func rows(_ health: SequenceHealth) -> [[String]] {
    let head = [health.sequence.name, health.next.map { "\($0)" } ?? "–"]
    let tail = [
      health.gap > 0 ? "\(health.gap)" : "–", Readable.percent(health.used), state(health),
    ]
    guard !health.sequence.users.isEmpty else { return [head + ["–", "–"] + tail] }
    return zip(health.sequence.users, health.readings).enumerated().map { index, pair in
      let (user, reading) = pair
      let place = ["\(user.table).\(user.column)", reading.extreme.map { "\($0)" } ?? "–"]
      return (index == 0 ? head : ["", ""]) + place + (index == 0 ? tail : ["", "", ""])
    }
  }

  private static func state(_ health: SequenceHealth) -> String {
    if health.isUnhealthy { return "\(health.state.rawValue) (\(health.severity.rawValue))" }
    return health.isNearlyExhausted ? "nearly used up" : health.state.rawValue
  }

  private static func reason(_ health: SequenceHealth) -> String {
    let next = health.next.map { "\($0)" } ?? "?"
    switch health.state {
    case .exhausted: return "its range is used up: \(next) would be next; widen it or the column"
    case .beyondRange, .behind, .unchecked, .healthy:
      guard let index = health.farthest, health.sequence.users.indices.contains(index),
        let extreme = health.readings[index].extreme
      else { return health.state.rawValue }
      let user = health.sequence.users[index]
      let end = health.state == .beyondRange ? ", beyond the sequence's end" : ""
      return "gives \(next) next, and \(user.table).\(user.column) holds \(extreme)\(end)"
    }
  }

  /// What could not be looked at, or only in part.
  private static func notes(_ health: SequenceHealth) -> [String] {
    zip(health.sequence.users, health.readings).compactMap { user, reading in
      switch reading.coverage {
      case .whole: nil
      case .newest(let pages):
        """
        note: \(user.table): no index leads with \(user.column); the newest of \(pages) pages were \
        read, --scan reads all
        """
      case .none(let why): "note: \(user.table).\(user.column) was not looked at: \(why)"
      }
    } + notesOnSequence(health)
  }

  private static func notesOnSequence(_ health: SequenceHealth) -> [String] {
    guard health.sequence.mayRead else { return ["note: \(health.sequence.name) must not be read"] }
    guard health.sequence.users.isEmpty else { return [] }
    return health.readings.compactMap { reading in
      guard case .none(let why) = reading.coverage else { return nil }
      return "note: \(why)"
    }
  }

  private var summary: String {
    var parts = ["\(healths.count) sequences", "\(unhealthy.count) unhealthy"]
    if !warned.isEmpty { parts.append("\(warned.count) nearly used up") }
    if !unchecked.isEmpty { parts.append("\(unchecked.count) not looked at") }
    return parts.joined(separator: ", ")
  }

  /// As a program reads it.
  package var result: SequenceCheckResult { SequenceCheckResult(check) }

  // MARK: - Metrics

  /// The text format of Prometheus.
  ///
  /// - Parameter time: Seconds since 1970.
  package func metrics(at time: Int64) -> String {
    func family(_ name: String, _ help: String, _ value: (SequenceHealth) -> String) -> String {
      Prometheus.gauge(
        "closebell_sequence_\(name)", help,
        healths.map { ("{sequence=\"\(Self.escaped($0.sequence.name))\"}", value($0)) })
    }
    return family("healthy", "1 if its next value is free and there is one.") {
      $0.isUnhealthy ? "0" : "1"
    }
      + family("gap", "By how many values it is behind its tables.") { "\($0.gap)" }
      + family("used_ratio", "Share of its range that is used up.") { "\($0.used)" }
      + family("unchecked", "1 if a column of it could not be looked at.") {
        $0.state == .unchecked ? "1" : "0"
      }
      + Prometheus.gauge(
        "closebell_sequences_checked_timestamp_seconds", "When they were looked at.", "\(time)")
  }

  private static func escaped(_ label: String) -> String {
    label.reduce(into: "") { text, character in
      switch character {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.append(character)
      }
    }
  }
}
