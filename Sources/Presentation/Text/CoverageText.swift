internal import Accounting
package import Operations
internal import Problems
internal import Text

/// How far the books are closed, as a person reads it.
package struct CoverageText {
  private let report: CoverageResult

  package init(_ report: CoverageResult) { self.report = report }

  package var lines: [String] {
    guard !report.dates.isEmpty else { return ["nothing is closed yet"] }
    return [dates.lines, locks, failures, report.runs.isEmpty ? [] : runs.lines].paragraphs
  }

  private var dates: TextTable {
    var table = TextTable([
      ("date", .left), ("complete", .right), ("degraded", .right), ("claimed", .right),
      ("failed", .right), ("missing", .right), ("stale", .right), ("locked", .right),
    ])
    for row in report.dates {
      let counts = [
        row.complete, row.degraded, row.claimed, row.failed, row.missing, row.stale, row.locked,
      ]
      table.add([row.date.description] + counts.map(String.init))
    }
    return table
  }

  private var locks: [String] {
    var lines = report.locks.map { lock in
      "locked through \(lock.through): \(lock.portfolio ?? "all portfolios"), "
        + "by \(lock.by) at \(lock.at): \(lock.reason)"
    }
    let stale = report.dates.filter { $0.lockedStale > 0 }
    if let first = stale.first {
      let slots = stale.reduce(0) { $0 + $1.lockedStale }
      lines.append(
        "\(slots) locked slots from \(first.date) on stay as they were: inputs changed since")
    }
    return lines
  }

  /// What is stored of a failure has lines of its own, which stay together.
  private var failures: [String] {
    report.failures.flatMap { "failed: \($0.portfolio), \($0.date): \($0.error)".setIn }
  }

  private var runs: TextTable {
    var table = TextTable([
      ("run", .right), ("kind", .left), ("for", .left), ("status", .left), ("began", .left),
      ("took", .right),
    ])
    for run in report.runs {
      let dates = [run.from, run.through].compactMap(\.self)
      let range = dates.count == 2 && dates[0] == dates[1] ? [dates[0]] : dates
      table.add([
        String(run.id), run.kind, range.map(\.description).joined(separator: " … "), run.status,
        run.startedAt, run.seconds.map(Readable.seconds) ?? "–",
      ])
    }
    return table
  }
}
