import Accounting
import ArgumentParser
import Postgres
import Presentation
import Storage

/// Takes placeholders of dead owners back.
struct CleanupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleanup",
    abstract: "Takes back placeholders whose owners are gone.",
    discussion: """
      Every run does this first, for owners whose lease is on record. A live owner's placeholder \
      and a complete slot are never touched.
      """)

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "Only owners whose lease ended at least this long ago; without a lease, their claim.",
      valueName: "duration"), transform: WorkOptions.anyDuration.argument)
  var olderThan: TimeSpan?

  func run() async throws {
    let connection = try await common.connect(for: "cleanup")
    let seconds = olderThan?.seconds ?? 0
    let taken = try await connection.perform { db in
      try DatabaseEpoch.requireForWriting(on: db)
      let taken =
        try DeadOwners.cleanUp(olderThanSeconds: seconds, on: db)
        + DeadOwners.takeBackUnleased(olderThanSeconds: seconds, on: db)
      _ = try DeadOwners.discardRetired(on: db)
      return taken.map { (portfolio: $0.slot.portfolio, date: $0.slot.date, from: $0.from) }
    }
    await connection.close()
    if common.json {
      let list = taken.map {
        JSON.object([
          ("portfolio_id", .integer(Int($0.portfolio.rawValue))),
          ("date", .string($0.date.description)), ("claim_id", .integer(Int($0.from))),
        ])
      }
      StandardOutput.json(JSON.object([("taken_back", .array(list))]))
    } else if !common.quiet {
      StandardOutput.line(
        taken.isEmpty ? "nothing to take back" : "\(taken.count) placeholders were taken back")
    }
  }
}

/// Stops new claims.
struct PauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stops new claims everywhere; open chunks finish.")

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("Why, for whoever wonders later.", valueName: "text"))
  var reason: String?

  func run() async throws {
    let connection = try await common.connect(for: "pause")
    let reason = reason
    try await connection.perform { db in
      try DatabaseEpoch.requireForWriting(on: db)
      try Runs.pause(reason: reason, on: db)
    }
    await connection.close()
    if !common.quiet {
      StandardOutput.line("paused: no run claims anything until: closebell resume")
    }
  }
}

/// Allows new claims again.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Allows new claims again.")

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let connection = try await common.connect(for: "resume")
    let wasPaused = try await connection.perform { db in
      try DatabaseEpoch.requireForWriting(on: db)
      return try Runs.resume(on: db)
    }
    await connection.close()
    if !common.quiet { StandardOutput.line(wasPaused ? "resumed" : "claims were not paused") }
  }
}
