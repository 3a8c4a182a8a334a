package import Close
import Logging
import Problems

/// What happens in a run, as a log has it.
///
/// A run that got over its troubles is silent, unless it was asked to tell more: whatever cron
/// hears, somebody is sent.
package struct RunLog: RunObserver {
  private let logger: Logger

  package init(isVerbose: Bool) {
    var logger = Logger(label: "closebell.run") { _ in TerminalLog() }
    logger.logLevel = isVerbose ? .info : .warning
    self.logger = logger
  }

  package func observe(_ event: RunEvent) {
    switch event {
    case .began(let run): logger.info("run \(run) has begun")
    case .retried(let problem, let pause):
      logger.info("trying again in \(pause / .milliseconds(1)) ms: \(problem.headline)")
    case .lease(.late(let problem)):
      logger.warning("the run's lease could not be renewed just now: \(problem.headline)")
    case .ended(let report) where report.counts.takenOver > 0:
      logger.info("\(report.counts.takenOver) slots were taken over from owners who are gone")
    // A lease that is over ends the run, which says so; failures are listed at the end.
    case .advanced, .failed, .lease, .ended: break
    }
  }
}

/// Writes what libraries and observers log where the program says everything else, as a line for a
/// person or as a JSON object.
struct TerminalLog: LogHandler {
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level: LogLine.Level =
      switch event.level {
      case .trace, .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error, .critical: .error
      }
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    var line = LogLine(level, "\(event.message)")
    line.details = all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)".onOneLine }
    Terminal.complain(line)
  }
}
