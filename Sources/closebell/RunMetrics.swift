import Console
import Operations
import Presentation
import Problems
import Settings

extension RunMetrics {
  /// Runs `body`, and leaves its metrics however it ends.
  ///
  /// - Parameter conclude: Says what was done, and throws where the exit code is not 0.
  static func recording(
    _ body: () async throws -> RunResult, conclude: (RunResult) throws -> Void
  ) async throws {
    var report: RunResult?
    do {
      let done = try await body()
      report = done
      try conclude(done)
    } catch {
      record(report, exitCode: StandardOutput.code(for: Failure(error).code))
      throw error
    }
    record(report, exitCode: StandardOutput.code(for: 0))
  }

  /// A night is not failed for a file that cannot be written.
  private static func record(_ report: RunResult?, exitCode: Int32) {
    guard let path = Settings.current.metricsFile else { return }
    let metrics = RunMetrics(report, exitCode: exitCode, finished: Clock.unix)
    do {
      try WholeFile.write(metrics.text(after: WholeFile.text(at: path)), to: path)
    } catch {
      Terminal.complain(.warning, "no metrics were written: \(error.stated.message)")
    }
  }
}
