import ArgumentParser
import Console
import Operations
import Presentation

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
    let operations = common.operations(for: "migrate")
    if status {
      return try common.present(try await operations.migrations(), isError: true) { $0.lines }
    }
    let result = try await operations.migrate(
      to: to ?? Operations.latestSchema, setsSearchPath: setSearchPath, adopting: adopt)
    if let epoch = result.newEpoch, !common.quiet {
      Terminal.complain(
        .more,
        "note: the database was moved or restored: its transactions count anew, as epoch \(epoch)")
    }
    if let adopted = result.adopted { return try common.present(adopted) { $0.lines } }
    try common.present(result) { $0.lines }
  }
}
