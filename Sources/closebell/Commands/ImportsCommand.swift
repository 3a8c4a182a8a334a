import ArgumentParser
import Console
import Import
import Operations
import Postgres
import Presentation
import Storage
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
      let connection = try await common.connect(for: "imports", onlyReads: true)
      let (id, isJSON) = (id, common.json)
      try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        guard let job = try ImportHistory.one(id, on: db) else { throw ImportJobError.unknown(id) }
        isJSON ? try printJSON(job, on: db) : try printText(job, on: db)
      }
      await connection.close()
    }

    private func printText(_ job: PastImport, on db: isolated Connection) throws {
      StandardOutput.lines(PastImportText(PastImportResult(job)).lines)
      try ImportHistory.forEachRefusal(of: job.id, on: db) { row in
        let column = row.field.map { ", \($0)" } ?? ""
        StandardOutput.lines(["row \(row.row)\(column): \(row.message)", "  \(row.text)"])
        try StandardOutput.requireWritten()
      }
    }

    private func printJSON(_ job: PastImport, on db: isolated Connection) throws {
      let head = try JSON(encoding: PastImportResult(job))
      StandardOutput.data("{\"import\":\(head.text),\"refused_rows\":[")
      var separator = ""
      try ImportHistory.forEachRefusal(of: job.id, on: db) { row in
        let object = try JSON(encoding: ImportResult.Refusal(row))
        StandardOutput.data(separator + object.text)
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
      let connection = try await common.connect(for: "imports", onlyReads: true)
      let id = id
      let job = try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return try ImportHistory.one(id, on: db)
      }
      let place = try await rejects.write(id, isWhole: job?.status == "completed", on: connection)
      await connection.close()
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
