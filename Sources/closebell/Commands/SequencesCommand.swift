import ArgumentParser
import Postgres
import Presentation
import Storage

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
    let connection = try await common.connect(for: "sequences", onlyReads: true)
    let (tables, scans) = (tables, scan)
    let started = ContinuousClock.now
    let healths = try await connection.perform { db in
      try SequenceReader.check(SequenceCatalogue.find(tables, on: db), scans: scans, on: db)
    }
    let report = SequenceReport(
      healths: healths, seconds: (ContinuousClock.now - started) / .seconds(1))
    await connection.close()
    if let metrics { try WholeFile.write(report.metrics(at: Clock.unix), to: metrics) }
    if common.json {
      StandardOutput.json(report.json)
    } else if !common.quiet {
      StandardOutput.line(report.text(all: common.verbose || !tables.isEmpty))
    }
    for line in report.complaints { Terminal.complain(line) }
    if !report.isHealthy(strict: strict) { throw Failure("", code: 1) }
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

  /// A sequence and what came of it.
  private struct Item: Sendable {
    var name: String
    var outcome: SequenceRepair.Outcome
  }

  func run() async throws {
    let connection = try await common.connect(for: "sequences")
    let (tables, isDry) = (tables, isDry)
    let items = try await connection.perform { db in
      let sequences = try SequenceCatalogue.find(tables, on: db)
      let behind = try SequenceReader.check(sequences, on: db).filter {
        $0.isUnhealthy || !tables.isEmpty && $0.state == .unchecked
      }
      return try behind.map { health in
        let (outcome, _) = try SequenceRepair.repair(health.sequence, isDry: isDry, on: db)
        return Item(name: health.sequence.name, outcome: outcome)
      }.filter { if case .nothingToDo = $0.outcome { false } else { true } }
    }
    await connection.close()
    report(items)
    let isRefused = items.contains { if case .refused = $0.outcome { true } else { false } }
    if isRefused { throw Failure("", code: 1) }
  }

  private func report(_ items: [Item]) {
    let moved = items.filter { if case .moved = $0.outcome { true } else { false } }
    if common.json {
      StandardOutput.json(json(items, moved: moved.count))
    } else if !common.quiet {
      for case (let name, .moved(let old, let new)) in items.map({ ($0.name, $0.outcome) }) {
        StandardOutput.line("\(name): \(old) → \(new)\(isDry ? " (not done)" : "")")
      }
      if items.isEmpty { StandardOutput.line("nothing to do") }
    }
    for case (let name, .refused(let reason)) in items.map({ ($0.name, $0.outcome) }) {
      Terminal.complain("error: sequence \(name) stays as it is: \(reason)")
    }
  }

  private func json(_ items: [Item], moved: Int) -> JSON {
    let list = items.map { item -> JSON in
      switch item.outcome {
      case .nothingToDo:
        .object([("sequence", .string(item.name)), ("outcome", .string("nothing to do"))])
      case .moved(let old, let new):
        .object([
          ("sequence", .string(item.name)), ("outcome", .string("moved")),
          ("old_next", .integer(Int(clamping: old))), ("new_next", .integer(Int(clamping: new))),
        ])
      case .refused(let reason):
        .object([
          ("sequence", .string(item.name)), ("outcome", .string("refused")),
          ("reason", .string(reason)),
        ])
      }
    }
    return .object([
      ("dry_run", .bool(isDry)), ("moved", .integer(moved)), ("sequences", .array(list)),
    ])
  }
}

/// What both commands on triggers take, and how they go.
struct TriggerOptions: ParsableArguments {
  @OptionGroup var common: CommonOptions

  @Argument(help: ArgumentHelp("The tables, as in SQL.", valueName: "table"))
  var tables: [String]

  func carryOut(
    _ verb: String,
    _ body:
      @escaping @Sendable ([String], isolated Connection) throws
      -> [SequenceTrigger.InstalledTrigger]
  ) async throws {
    let tables = tables
    let connection = try await common.connect(for: "sequences")
    let standing = try await connection.perform { db in try body(tables, db) }
    await connection.close()
    TriggerReport(standing: standing, verb: verb).show(common)
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
    try await options.carryOut("installed") { tables, db in
      try SequenceTrigger.install(on: tables, on: db)
    }
  }
}

/// Takes triggers away.
struct RemoveTriggerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove-trigger", abstract: "Takes away what install-trigger put there.")

  @OptionGroup var options: TriggerOptions

  func run() async throws {
    try await options.carryOut("removed") { tables, db in
      try SequenceTrigger.remove(from: tables, on: db)
    }
  }
}

/// Triggers that were put or taken, as people and programs read it.
struct TriggerReport {
  let standing: [SequenceTrigger.InstalledTrigger]
  let verb: String

  func show(_ options: CommonOptions) {
    if options.json {
      let list = standing.map { one in
        JSON.object([
          ("table", .string(one.table)), ("column", .optional(one.column)),
          ("sequence", .optional(one.sequence)),
        ])
      }
      StandardOutput.json(JSON.object([(verb, .array(list))]))
    } else if !options.quiet {
      for one in standing {
        let what = one.sequence.map { ", keeps \($0) ahead of \(one.column ?? "")" } ?? ""
        StandardOutput.line("\(one.table): trigger \(verb)\(what)")
      }
      if standing.isEmpty { StandardOutput.line("nothing to do") }
    }
  }
}
