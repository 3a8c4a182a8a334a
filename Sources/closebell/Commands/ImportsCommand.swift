import ArgumentParser
import Console
import Import
import Operations
import Presentation
import Text

/// Imports of the past, and those under way.
struct ImportsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imports", abstract: "Shows, stops, resumes and works at imports.",
    subcommands: [
      List.self, Show.self, Rejects.self, Cancel.self, Resume.self, Work.self,
    ], defaultSubcommand: List.self)

  /// The latest ones.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the latest imports.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
      let list = try await common.operations(for: "imports").imports()
      // It is what was asked for: as ever, --quiet or not.
      try common.present(list, isError: true) { ImportListText($0).lines }
    }
  }

  /// One of them.
  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows an import, how far it is, and every row that it refused.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The import's number.") var id: Int64

    func run() async throws {
      let isJSON = common.json
      try await common.operations(for: "imports").refusedRows(of: id) { rows in
        isJSON ? try Self.printJSON(rows) : try Self.printText(rows)
      }
    }

    private static func printText(_ rows: RefusedRows) throws {
      StandardOutput.lines(PastImportText(rows.job).lines)
      try rows.forEach { row in
        let column = row.field.map { ", \($0)" } ?? ""
        StandardOutput.lines(["row \(row.row)\(column): \(row.message)", "  \(row.text)"])
        try StandardOutput.requireWritten()
      }
    }

    private static func printJSON(_ rows: RefusedRows) throws {
      let head = try JSON(encoding: rows.job)
      StandardOutput.data("{\"import\":\(head.text),\"refused_rows\":[")
      var separator = ""
      try rows.forEach { row in
        StandardOutput.data(separator + (try JSON(encoding: row)).text)
        try StandardOutput.requireWritten()
        separator = ","
      }
      StandardOutput.data("]}\n")
    }
  }

  /// The refused rows of one as a file.
  struct Rejects: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes the rows that an import refused as a CSV file, to be mended.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The import's number.") var id: Int64
    @Option(help: ArgumentHelp("Where to; else standard output.", valueName: "file"))
    var output: String?

    func validate() throws {
      if common.json {
        throw ValidationError(
          "--json: closebell imports show ID --json has the refused rows as JSON")
      }
    }

    func run() async throws {
      let rejects = try RejectsFile(output ?? "-")
      let place = try await common.operations(for: "imports").refusedRows(of: id) { rows in
        try rejects.write(rows, isWhole: rows.job.status == ImportOutcome.completed.rawValue)
      }
      if place == nil, output ?? "-" != "-", !common.quiet {
        Terminal.complain(.log, "import \(id) has no refused rows to be written")
      }
      if let place, place != output {
        Terminal.complain(
          .warning, "\(rejects.path) stays as it is: import \(id) has not taken its whole file",
          hint: "the refused rows are in \(place)")
      }
    }
  }
}
