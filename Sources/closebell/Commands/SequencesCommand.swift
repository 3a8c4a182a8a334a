import Problems
import ArgumentParser
import Console
import Operations
import Presentation
import Text

/// Id sequences against the tables that use them.
struct SequencesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sequences",
    abstract: "Checks and repairs id sequences, in any database.",
    discussion: """
      Tables are found in the catalogue: owned sequences, identity columns, defaults, shared \
      sequences, partitioned tables, in every schema.
      """,
    subcommands: [
      SequencesCheckCommand.self, SequencesRepairCommand.self, InstallTriggerCommand.self,
      RemoveTriggerCommand.self,
    ])
}

/// Says which sequences would give ids that are taken.
struct SequencesCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Shows which sequences would give ids that are taken, or run out.",
    discussion: """
      A sequence is healthy if every table that uses it has its largest id below the next value: \
      last_value plus the increment, or last_value itself where it was not called yet. Exit code \
      1 if one is not. It writes nothing and waits for no lock.
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("Only sequences of these tables, as in SQL.", valueName: "table"))
  var tables: [String] = []

  @Flag(help: "Read a table whole where no index leads with the column.")
  var scan = false

  @Flag(help: "Exit 1 too where a table could not be looked at, or a range is nearly used up.")
  var strict = false

  @Option(
    help: ArgumentHelp(
      "Write metrics for Prometheus to this file, in place of the old one.", valueName: "file"))
  var metrics: String?

  func run() async throws {
    _ = try metrics.map { try WholeFile.version(at: $0) }
    let found = try await common.operations(for: "sequences")
      .checkSequences(of: tables, scans: scan)
    let report = SequenceReport(found)
    if let metrics { try WholeFile.write(report.metrics(at: Clock.unix), to: metrics) }
    try common.present(report.result) { _ in
      report.lines(all: common.verbose || !tables.isEmpty)
    }
    let complaints = report.complaints
    for (place, complaint) in complaints.enumerated() {
      let isLast = place == complaints.count - 1
      Terminal.complain(.error, complaint, hint: isLast ? report.remedy?.text : nil)
    }
    if !report.isHealthy(strict: strict) { throw Ended(.refused) }
  }
}

/// Moves sequences forward.
struct SequencesRepairCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Moves sequences that are behind forward; never back.",
    discussion: """
      Safe while others insert, and a second time there is nothing to do. A long way is set while \
      nobody can draw, for which it waits at most the lock timeout. Exit code 1 if one stays \
      behind.
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("Only sequences of these tables, as in SQL.", valueName: "table"))
  var tables: [String] = []

  @Flag(help: "Show old → new, and change nothing.")
  var dryRun = false

  func run() async throws {
    try await SequenceRepairing(tables: tables, isDry: dryRun, common: common).run()
  }
}

/// The same under the name that all repairs have.
struct RepairSequencesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sequences",
    abstract: "Moves id sequences that are behind forward; same as `sequences repair`.",
    discussion: "Nothing is taken away, so there is nothing to plan, to confirm or to undo.")

  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("Only sequences of these tables, as in SQL.", valueName: "table"))
  var tables: [String] = []

  @Flag(help: "Show old → new, and change nothing.")
  var dryRun = false

  @Flag(help: "Accepted, since other repairs take it; nobody is asked.")
  var yes = false

  func run() async throws {
    try await SequenceRepairing(tables: tables, isDry: dryRun, common: common).run()
  }
}

/// What both names of the repair do.
struct SequenceRepairing {
  let tables: [String]
  let isDry: Bool
  let common: CommonOptions

  func run() async throws {
    let result = try await common.operations(for: "sequences")
      .repairSequences(of: tables, isDry: isDry)
    try common.present(result) { $0.lines }
    for item in result.sequences where item.outcome == "refused" {
      Terminal.complain(
        .error, "sequence \(item.sequence) stays as it is: \(item.reason ?? "")")
    }
    if result.sequences.count > result.moved { throw Ended(.refused) }
  }
}

/// What both commands on triggers take, and how they go.
struct TriggerOptions: ParsableArguments {
  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("The tables, as in SQL.", valueName: "table"))
  var tables: [String]

  /// - Parameter verb: What was done: the member of the JSON object, and a word of the text.
  func present(_ triggers: [TriggerResult], verb: String) throws {
    try common.present([verb: triggers]) { _ in TriggersText(triggers, verb: verb).lines }
  }
}

/// Puts triggers on tables.
struct InstallTriggerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install-trigger",
    abstract: "Keeps sequences ahead of ids that are inserted by hand.",
    discussion: "Needs the table's owner, who must own the sequence too.")

  @OptionGroup var options: TriggerOptions

  func run() async throws {
    let operations = options.common.operations(for: "sequences")
    try options.present(
      try await operations.installTriggers(on: options.tables), verb: "installed")
  }
}

/// Takes triggers away.
struct RemoveTriggerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove-trigger", abstract: "Takes away what install-trigger put there.")

  @OptionGroup var options: TriggerOptions

  func run() async throws {
    let operations = options.common.operations(for: "sequences")
    try options.present(
      try await operations.removeTriggers(from: options.tables), verb: "removed")
  }
}
