import Accounting
import ArgumentParser
import Console
import Operations
import Presentation

extension SeriesWriter.Series: ExpressibleByArgument {}
extension SeriesWriter.Format: ExpressibleByArgument {}

/// Series for a spreadsheet or another program.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes closed dates as CSV or JSON lines to standard output.")

  @OptionGroup var common: CommonOptions

  @Argument(help: "snapshots, holdings or irr.")
  var series: SeriesWriter.Series

  @Option(help: ArgumentHelp("The first date.", valueName: "date"))
  var from: Day?

  @Option(help: ArgumentHelp("The last date.", valueName: "date"))
  var to: Day?

  @Option(
    name: .customLong("portfolio"),
    help: ArgumentHelp("Only this portfolio; may be given several times.", valueName: "code"))
  var portfolios: [String] = []

  @Option(
    help: ArgumentHelp(
      "csv, unless --json is given, or json (one object a line).", valueName: "format"))
  var format: SeriesWriter.Format?

  func validate() throws {
    if let from, let to, to < from {
      throw ValidationError("--to \(to) lies before --from \(from)")
    }
    if common.json, let format, format != .json {
      throw ValidationError("--json and --format \(format.rawValue) exclude one another")
    }
  }

  func run() async throws {
    let writer = SeriesWriter(series: series, format: format ?? (common.json ? .json : .csv))
    StandardOutput.data(writer.header)
    try await common.operations(for: "export").forEachClosed(
      of: portfolios, from: from ?? .earliest, through: to ?? .latest
    ) { snapshots in
      var text = ""
      for snapshot in snapshots { writer.write(snapshot, to: &text) }
      StandardOutput.data(text)
      try StandardOutput.requireWritten()
    }
  }
}
