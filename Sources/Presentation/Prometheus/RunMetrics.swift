package import Operations

/// What the nightly run says to Prometheus, in the file that `CLOSEBELL_METRICS_FILE` names.
package struct RunMetrics {
  /// Nil where the run could not even report.
  private let report: RunResult?
  private let exitCode: Int32
  /// Seconds since 1970.
  private let finished: Int64

  private static let lastSuccess = "closebell_run_last_success_timestamp_seconds"

  /// - Parameters:
  ///   - report: Nil where the run could not even report.
  ///   - finished: Seconds since 1970.
  package init(_ report: RunResult?, exitCode: Int32, finished: Int64) {
    self.report = report
    self.exitCode = exitCode
    self.finished = finished
  }

  /// The text format of Prometheus.
  ///
  /// - Parameter earlier: What the file said before: a run that fails keeps the time of the last
  ///   one that did not.
  package func text(after earlier: String?) -> String {
    var text = gauge("exit_code", "Exit code of the last run.", "\(exitCode)")
    text += gauge("finished_timestamp_seconds", "When the last run ended.", "\(finished)")
    if let success = exitCode == 0 ? "\(finished)" : Self.lastSuccess(in: earlier ?? "") {
      text += gauge(
        "last_success_timestamp_seconds", "When a run last ended with exit code 0.", success)
    }
    guard let report else { return text }
    text += gauge("duration_seconds", "How long the last run took.", "\(report.seconds)")
    let counts = report.slots
    let slots = [
      ("planned", counts.planned), ("completed", counts.completed), ("degraded", counts.degraded),
      ("unchanged", counts.unchanged), ("busy", counts.busy), ("blocked", counts.blocked),
      ("failed", counts.failed), ("locked", counts.locked), ("taken_over", counts.takenOver),
      ("fenced", counts.fenced), ("taken_back", report.reclaimed),
    ]
    return text
      + Prometheus.gauge(
        "closebell_run_slots", "What became of the slots of the last run.",
        slots.map { ("{outcome=\"\($0)\"}", "\($1)") })
  }

  private func gauge(_ name: String, _ help: String, _ value: String) -> String {
    Prometheus.gauge("closebell_run_\(name)", help, value)
  }

  private static func lastSuccess(in text: String) -> String? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(lastSuccess + " ") }
    // What else the file holds is somebody else's, and Prometheus refuses a file for one bad line.
    return line.flatMap { Int64($0.dropFirst(lastSuccess.count + 1)) }.map(String.init)
  }
}
