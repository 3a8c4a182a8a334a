import ArgumentParser
import Console
import Dispatch
import Glibc
import Postgres
import Problems
import Settings

/// The root of the command tree; it does nothing itself.
struct Closebell: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "closebell",
    abstract: "Closes the books of portfolios, each business date exactly once.",
    discussion: """
      Run it twice, kill it half-way, run it on several machines at once: every portfolio's date \
      is closed once, with the same numbers.

      Exit codes: 0 done, or nothing to do · 1 something was not closed, or differs · 2 the run \
      failed · 64 usage · 65 bad input data · 69 database unreachable · 75 somebody else is at \
      it, try later · 78 configuration or schema version · 130 interrupted.
      """,
    version: Version.current,
    subcommands: [
      PostgresCommand.self, MigrateCommand.self, ImportCommand.self, ImportsCommand.self,
      RunCommand.self, ReplayCommand.self, VerifyCommand.self, RepairCommand.self,
      CleanupCommand.self, PauseCommand.self, ResumeCommand.self, LockCommand.self,
      UnlockCommand.self, SequencesCommand.self, StatusCommand.self, ShowCommand.self,
      ExplainCommand.self, ExportCommand.self, IRRCommand.self,
    ])
}

/// The program: parse, run, and turn whatever went wrong into a message and an exit code.
@main
enum Program {
  /// What needs neither descriptors nor `/proc` comes first: the machinery of asynchronous work
  /// traps without.
  static func main() {
    StandardOutput.reserveStandardStreams()
    Signals.hearOfChildren()
    ReceivedMemory.keep()
    var objections: [String] = []
    let settings = Settings(ProcessEnvironment.variables, objections: &objections)
    let arguments = Array(CommandLine.arguments.dropFirst())
    Terminal.format = ArgumentRules.logFormat(arguments) ?? settings.logFormat
    HelpWidth.bound()
    do {
      try Typed.requireArguments()
      try Descriptors.requireToBegin()
    } catch {
      exit(StandardOutput.finish(Failure(error).report()))
    }
    Task { @MainActor [objections] in
      exit(StandardOutput.finish(await exitCode(settings, objections)))
    }
    dispatchMain()
  }

  /// Does what the arguments ask for and says what went wrong.
  private static func exitCode(_ settings: Settings, _ objections: [String]) async -> Int32 {
    do {
      try Typed.requireText()
      try Typed.requireNoConnectionString()
      try ArgumentRules.require(Array(CommandLine.arguments.dropFirst()))
      try await Settings.$current.withValue(settings) { try await run(objections) }
      return 0
    } catch {
      return Failure(error).report()
    }
  }

  private static func run(_ objections: [String]) async throws {
    // What the parser has to say, such as help, is said whatever the environment is.
    var command = try Closebell.parseAsRoot()
    let isOurs = command is any AsyncParsableCommand || command is IRRCommand
    guard objections.isEmpty || !isOurs else {
      for objection in objections {
        Terminal.complain(
          StatedProblem(ProblemCode("setting_refused", .configuration), objection))
      }
      throw Ended(.configuration)
    }
    if isOurs {
      let asked = (command as? any Descriptors.Employer)?.workers
      try Descriptors.require(workers: asked ?? Settings.current.workers)
    }
    for warning in StrangeVariables.warnings(ProcessEnvironment.variables.keys) {
      Terminal.complain(warning)
    }
    if var asynchronous = command as? any AsyncParsableCommand {
      try await asynchronous.run()
    } else {
      try command.run()
    }
  }
}

/// The version, as `--version` and the run history say it.
enum Version {
  static let current = "0.1.0"
}
