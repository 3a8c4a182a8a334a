package import Console
import Postgres
import Text

/// Variables that look like settings and are none.
package enum StrangeVariables {
  /// A warning for each; a typo must not be silent.
  package static func warnings(_ names: some Sequence<String>) -> [LogLine] {
    let known = Variables.all.map(\.name)
    let strange = names.filter { $0.hasPrefix(Variables.prefix) && !known.contains($0) }
    return strange.filter { !isOfOthers($0) }.sorted().map { name in
      let near = known.map { ($0, distance($0, name)) }.min { $0.1 < $1.1 }
      return LogLine(
        .warning, "\(Quoted.short(name)) is no setting, and has no effect",
        hint: near.flatMap { $0.1 <= max(2, $0.0.utf8.count / 5) ? "\($0.0)?" : nil })
    }
  }

  /// What the tests and the benchmarks are told, and what Kubernetes tells every container about a
  /// service by the name of closebell: its address, under many names.
  private static func isOfOthers(_ name: String) -> Bool {
    let ours = ["CLOSEBELL_TEST_", "CLOSEBELL_BENCH_", "CLOSEBELL_CHAOS"]
    if ours.contains(where: name.hasPrefix) || name == FaultPlan.variable { return true }
    return name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
      || name == "CLOSEBELL_PORT" || name.hasSuffix("_PORT")
      || name.contains("_TCP") || name.contains("_UDP")
  }

  /// How many letters have to be put in, taken out or changed (Levenshtein).
  private static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8.prefix(100)))
    var row = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (letter == other ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
