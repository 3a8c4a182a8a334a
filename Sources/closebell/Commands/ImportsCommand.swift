import ArgumentParser
import Import
import Postgres
import Presentation
import Storage

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
      let connection = try await common.connect(for: "imports", onlyReads: true)
      let jobs = try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return try ImportHistory.latest(limit: 20, on: db)
      }
      await connection.close()
      if common.json {
        StandardOutput.json(
          .object([("imports", .array(jobs.map { PastImportText(job: $0).json }))]))
        return
      }
      var table = TextTable([
        ("import", .right), ("kind", .left), ("status", .left), ("done", .right),
        ("rows", .right), ("new", .right), ("changed", .right), ("unchanged", .right),
        ("refused", .right), ("skipped", .right), ("source", .left),
      ])
      for job in jobs {
        table.add([
          String(job.id), job.kind, job.status,
          job.fraction.map { "\(Readable.whole($0 * 100)) %" } ?? "–",
          String(job.processed), String(job.inserted), String(job.updated),
          String(job.unchanged), String(job.refused), String(job.replaced), job.source,
        ])
      }
      StandardOutput.line(jobs.isEmpty ? "nothing was imported yet" : table.text)
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
      for line in PastImportText(job: job).lines { StandardOutput.line(line) }
      try ImportHistory.forEachRefusal(of: job.id, on: db) { row in
        let column = row.field.map { ", \($0)" } ?? ""
        StandardOutput.line("row \(row.row)\(column): \(row.message.shown)")
        StandardOutput.line("  \(row.text.shown)")
        try StandardOutput.requireWritten()
      }
    }

    private func printJSON(_ job: PastImport, on db: isolated Connection) throws {
      StandardOutput.data("{\"import\":\(PastImportText(job: job).json.text),\"refused_rows\":[")
      var separator = ""
      try ImportHistory.forEachRefusal(of: job.id, on: db) { row in
        let object = JSON.object([
          ("row", .integer(row.row)), ("line", .integer(row.line)),
          ("field", .optional(row.field)), ("message", .string(row.message)),
          ("text", .string(row.text)),
        ])
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
        Terminal.complain("log: import \(id) has no refused rows to be written")
      }
      if let place, place != output {
        Terminal.complain(
          """
          warning: \(rejects.path) stays as it is: import \(id) has not taken its whole file
          hint: the refused rows are in \(place)
          """)
      }
    }
  }
}
