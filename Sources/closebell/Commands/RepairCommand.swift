import Close
import ArgumentParser
import Console
import Operations
import Presentation
import Storage
import Text

/// Heals what a run of another system, or SQL by hand, did to the books.
struct RepairCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Heals damaged books: look, plan, apply, undo.",
    discussion: """
      A repair is shown before it is done. --dry-run only shows it; --plan FILE writes it down \
      with its digests; --apply FILE does what was written down, if neither the file nor the \
      data changed since. What is taken away is kept in closebell.repair_archive with the run, \
      and `repair undo RUN` puts it back.
      """,
    subcommands: [
      RepairDuplicatesCommand.self, RepairEquityCommand.self, RepairSequencesCommand.self,
      RepairUndoCommand.self,
    ])
}

/// What every repair takes.
struct RepairOptions: ParsableArguments {
  @Flag(help: "Show what would be done, and change nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp("Write the plan to this file, and change nothing.", valueName: "file"))
  var plan: String?

  @Option(help: ArgumentHelp("Do what this file says.", valueName: "file"))
  var apply: String?

  @Flag(help: "Do not ask.")
  var yes = false

  func validate() throws {
    let ways = [dryRun, plan != nil, apply != nil].count { $0 }
    if ways > 1 { throw ValidationError("--dry-run, --plan and --apply exclude one another") }
  }

  /// Asks whether to go on, unless --yes said so.
  func confirm(_ question: String) throws {
    try Confirmation.ask(question, isGiven: yes, wasWrittenDown: apply != nil)
  }
}

/// Makes an older table's slots unique.
struct RepairDuplicatesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "duplicates",
    abstract: "Takes duplicate and unfinished rows out of an older table of snapshots.",
    discussion: """
      Of several rows of one portfolio and date the one stays that follows from the close before \
      it, or that equals Closebell's own close; never the largest for its size. Where none does \
      the earliest stays and is marked stale. Without a table: the only one that looks like one.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: RepairOptions

  @Argument(help: ArgumentHelp("The table, as in SQL.", valueName: "schema.table"))
  var table: String?

  func run() async throws {
    _ = try options.plan.map { try WholeFile.version(at: $0) }
    let operations = common.operations(for: "repair")
    if let file = options.apply {
      let text = try TextFile.read(file)
      try options.confirm("Apply \(file)?")
      return try await apply(text, operations)
    }
    let plan = try await operations.planDuplicateRepair(of: table)
    if let file = options.plan { try WholeFile.write(plan.plan.text, to: file) }
    let isNothing = plan.decisions.isEmpty
    if common.json, options.dryRun || options.plan != nil || isNothing {
      StandardOutput.data(plan.plan.text)
    } else if !common.quiet, !common.json {
      StandardOutput.lines(DuplicatePlanText(plan, all: common.verbose).lines)
      if let file = options.plan {
        StandardOutput.line(
          "written to \(file); to do it: closebell repair duplicates --apply \(file)")
      }
    }
    guard !isNothing, !options.dryRun, options.plan == nil else { return }
    try options.confirm("Remove \(plan.count(.removed)) rows?")
    try await apply(plan.plan.text, operations)
  }

  private func apply(_ text: String, _ operations: Operations) async throws {
    let result = try await operations.applyDuplicateRepair(text)
    try common.present(result) { RepairText($0).lines }
  }
}

/// Puts back what a repair took away.
struct RepairUndoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Puts back what a repair removed or replaced.",
    discussion: "Refuses where rows changed since, or something was built on what it wrote.")

  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("The repair's run.", valueName: "run"))
  var run: Int64

  @Flag(help: "Do not ask.")
  var yes = false

  func run() async throws {
    try Confirmation.ask("Undo run \(run)?", isGiven: yes)
    let result = try await common.operations(for: "repair").undoRepair(run)
    try common.present(result) { RepairText($0, undone: run).lines }
  }
}
