import ArgumentParser
import Operations
import Postgres
import Presentation
import Storage
import Text

/// Brings the schema up to date.
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Brings the schema up to date, or back to an earlier version.",
    discussion: "Going back refuses where data would be lost.")

  @OptionGroup var common: CommonOptions

  @Flag(help: "Show which versions are applied, and change nothing.")
  var status = false

  @Option(help: ArgumentHelp("Stop at this version; 0 is an empty database.", valueName: "n"))
  var to: Int?

  @Option(
    help: ArgumentHelp(
      "Take an older table of snapshots under the key that it never had.",
      discussion: """
        Refuses while a slot stands in it more than once or is unfinished. Every slot is \
        recorded in closebell.adopted_snapshots, and closebell.adopted_comparison sets it \
        beside Closebell's own close.
        """, valueName: "schema.table"))
  var adopt: String?

  @Flag(help: "Put the schema last on the database's search_path, for people who query by hand.")
  var setSearchPath = false

  func validate() throws {
    if adopt != nil, status || to != nil {
      throw ValidationError("--adopt works on the newest schema: neither --status nor --to")
    }
    if status, to != nil || setSearchPath {
      throw ValidationError("--status changes nothing: neither --to nor --set-search-path")
    }
  }

  func run() async throws {
    let connection = try await common.connect(for: "migrate", onlyReads: status)
    if status {
      let steps = try await connection.perform { db in try Migrator.status(on: db) }
      await connection.close()
      return try common.present(MigrationList(steps), isError: true) { $0.text }
    }
    let version = to ?? Migration.latestVersion
    let setsPath = setSearchPath
    let (taken, epoch) = try await connection.perform { db in
      let taken = try Migrator.migrate(to: version, on: db)
      if setsPath { try SearchPath.set(on: db) }
      let isLatest = version == Migration.latestVersion
      return (taken, try isLatest ? DatabaseEpoch.begin(on: db).new : nil)
    }
    let adopted = try await adopted(by: connection)
    await connection.close()
    guard !common.quiet else { return }
    if let epoch {
      Terminal.complain(
        "note: the database was moved or restored: its transactions count anew, as epoch \(epoch)"
      )
    }
    if let adopted { return try common.present(AdoptionResult(adopted)) { $0.text } }
    if common.json {
      StandardOutput.json(
        JSON.object([("version", .integer(version)), ("steps", .integer(taken.count))]))
    } else if taken.isEmpty {
      StandardOutput.line("the schema is at version \(version); nothing to do")
    } else {
      for step in taken { StandardOutput.line("\(step.version) \(step.name)") }
      StandardOutput.line("the schema is at version \(version)")
    }
  }

  private func adopted(by connection: Connection) async throws -> Adoption.Result? {
    guard let adopt else { return nil }
    return try await connection.perform { db in try Adoption.adopt(adopt, on: db) }
  }
}
