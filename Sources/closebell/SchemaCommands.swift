import ArgumentParser
import Postgres
import PrivateCluster
import Storage

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

  @Flag(help: "Put the schema last on the database's search_path, for people who query by hand.")
  var setSearchPath = false

  func run() async throws {
    let connection = try await common.connect(for: "migrate")
    if status {
      let steps = try await connection.perform { db in try Migrator.status(on: db) }
      await connection.close()
      return report(steps)
    }
    let version = to ?? Migration.latestVersion
    let setsPath = setSearchPath
    let (taken, epoch) = try await connection.perform { db in
      let taken = try Migrator.migrate(to: version, on: db)
      if setsPath { try SearchPath.set(on: db) }
      let isLatest = version == Migration.latestVersion
      return (taken, try isLatest ? Incarnation.begin(on: db) : nil)
    }
    await connection.close()
    guard !common.quiet else { return }
    if let epoch {
      Terminal.complain(
        "note: restored from a dump: transaction numbers count anew, as epoch \(epoch)"
      )
    }
    if common.json {
      print(JSON.object([("version", .integer(version)), ("steps", .integer(taken.count))]).text)
    } else if taken.isEmpty {
      print("the schema is at version \(version); nothing to do")
    } else {
      for step in taken { print("\(step.version) \(step.name)") }
      print("the schema is at version \(version)")
    }
  }

  private func report(_ steps: [Migrator.Step]) {
    if common.json {
      let list = steps.map { step in
        JSON.object([
          ("version", .integer(step.migration.version)), ("name", .string(step.migration.name)),
          ("applied", .bool(step.isApplied)),
        ])
      }
      print(JSON.object([("migrations", .array(list))]).text)
      return
    }
    var table = TextTable([("version", .right), ("name", .left), ("applied", .left)])
    for step in steps {
      table.add([
        String(step.migration.version), step.migration.name, step.isApplied ? "yes" : "no",
      ])
    }
    print(table.text)
  }
}
