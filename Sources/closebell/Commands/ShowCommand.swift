import Accounting
import ArgumentParser
import Operations
import Presentation

/// One portfolio's closed date.
struct ShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Shows a portfolio's closed date: equity, P&L, returns, holdings, IRR.")

  @OptionGroup var common: CommonOptions

  @Argument(help: "The portfolio's code.")
  var code: String

  @Option(help: ArgumentHelp("The business date.", valueName: "date"))
  var date: Day

  func run() async throws {
    let shown = try await common.operations(for: "show").snapshot(of: code, on: date)
    try common.present(shown) { SnapshotText($0).lines }
  }
}
