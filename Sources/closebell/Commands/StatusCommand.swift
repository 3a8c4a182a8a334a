import Problems
import Accounting
import ArgumentParser
import Console
import Operations
import Presentation

/// How far the books are closed.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows per date what is closed, failed, missing or stale; and the last runs.",
    discussion:
      "Exit code 1 where a slot of the range is missing, failed or stale, unless it is locked.")

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The first date; default: so that \(Operations.defaultCoverageDays) days are shown.",
      valueName: "date"))
  var from: Day?

  @Option(help: ArgumentHelp("The last date; default: the latest closed.", valueName: "date"))
  var to: Day?

  func validate() throws {
    if let from, let to, to < from {
      throw ValidationError("--to \(to) lies before --from \(from)")
    }
  }

  func run() async throws {
    let report = try await common.operations(for: "status").coverage(from: from, through: to)
    try common.present(report) { CoverageText($0).lines }
    if !report.isHealthy { throw Ended(.refused) }
  }
}
