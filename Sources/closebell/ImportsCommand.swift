import ArgumentParser
import Postgres
import Storage

/// Past imports.
struct ImportsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "imports", abstract: "Shows past imports and the rows that they refused.",
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  /// The latest ones.
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the latest imports.")
    @OptionGroup var common: CommonOptions

    func run() async throws {
      let connection = try await common.connect(for: "imports")
      let jobs = try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return try ImportHistory.latest(limit: 20, on: db)
      }
      await connection.close()
      if common.json {
        print(JSON.object([("imports", .array(jobs.map(ImportsCommand.json)))]).text)
        return
      }
      var table = TextTable([
        ("import", .right), ("kind", .left), ("status", .left), ("rows", .right),
        ("new", .right), ("changed", .right), ("unchanged", .right), ("refused", .right),
        ("source", .left),
      ])
      for job in jobs {
        table.add([
          String(job.id), job.kind, job.status, String(job.processed), String(job.inserted),
          String(job.updated), String(job.unchanged), String(job.refused), job.source,
        ])
      }
      print(jobs.isEmpty ? "nothing was imported yet" : table.text)
    }
  }

  /// One of them.
  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows an import and every row that it refused.")
    @OptionGroup var common: CommonOptions
    @Argument(help: "The import's number.") var id: Int64

    func run() async throws {
      let connection = try await common.connect(for: "imports")
      let id = id
      let (job, rows) = try await connection.perform { db in
        try Migrator.requireCurrentSchema(on: db)
        return (
          try ImportHistory.one(id, on: db), try ImportHistory.refusals(of: id, on: db)
        )
      }
      await connection.close()
      guard let job else {
        throw Failure("there is no import \(id)\nhint: closebell imports list", code: 65)
      }
      if common.json {
        let list = rows.map {
          JSON.object([
            ("row", .integer($0.row)), ("field", .optional($0.field)),
            ("message", .string($0.message)), ("text", .string($0.text)),
          ])
        }
        print(
          JSON.object([("import", ImportsCommand.json(job)), ("refused_rows", .array(list))]).text)
        return
      }
      print("import \(job.id): \(job.kind) from \(job.source), \(job.status)")
      for row in rows {
        print("row \(row.row)" + (row.field.map { ", \($0)" } ?? "") + ": \(row.message)")
        print("  \(row.text)")
      }
    }
  }

  private static func json(_ job: PastImport) -> JSON {
    .object([
      ("job_id", .integer(Int(job.id))), ("kind", .string(job.kind)),
      ("source", .string(job.source)), ("status", .string(job.status)),
      ("processed", .integer(job.processed)), ("inserted", .integer(job.inserted)),
      ("updated", .integer(job.updated)), ("unchanged", .integer(job.unchanged)),
      ("refused", .integer(job.refused)),
    ])
  }
}
