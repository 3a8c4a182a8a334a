import ArgumentParser
import Operations
import Presentation
import Settings

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
    let result = try await common.operations(for: "cleanup")
      .cleanUp(olderThanSeconds: olderThan?.seconds ?? 0)
    try common.present(result) { $0.lines }
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
    try await common.operations(for: "pause").pause(reason: reason)
    try common.present(ClaimsPaused()) { $0.lines }
  }
}

/// Allows new claims again.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Allows new claims again.")

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let wasPaused = try await common.operations(for: "resume").resume()
    try common.present(ClaimsResumed(wasPaused: wasPaused)) { $0.lines }
  }
}
