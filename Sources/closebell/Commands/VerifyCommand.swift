import Accounting
import ArgumentParser
import Close
import Console
import Operations
import Presentation
import Problems
import Settings

/// Proves closed dates.
struct VerifyCommand: AsyncParsableCommand, Descriptors.Employer {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recomputes closed dates from their inputs and names the first that differs.",
    discussion: """
      Writes nothing. Every number is derived from the activity log and the market, from each \
      portfolio's first close on, and compared with what is stored; --from and --to say which \
      dates are compared. The rows are checked against each other as well: the chain of \
      openings, rows without a snapshot, ids. Exit code 1 if anything differs.
      """)

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The first date that is compared.", valueName: "date"))
  var from: Day?

  @Option(help: ArgumentHelp("The last date that is compared.", valueName: "date"))
  var to: Day?

  @Option(
    name: .customLong("portfolio"),
    help: ArgumentHelp("Only this portfolio; may be given several times.", valueName: "code"))
  var portfolios: [String] = []

  @Flag(help: "Trust the stored snapshot before --from instead of deriving it from the log.")
  var trustOpening = false

  @Option(
    help: ArgumentHelp("Workers, one connection each.", valueName: "n"),
    transform: Variables.workers.reading.argument)
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Oldest close, in business days, that is not degraded; else what each date was closed with.",
      valueName: "n"), transform: WorkOptions.carriedDays.argument)
  var maxCarriedDays: ClosePolicy?

  func validate() throws {
    if let from, let to, to < from {
      throw ValidationError("--to \(to) lies before --from \(from)")
    }
    if trustOpening, from == nil { throw ValidationError("--trust-opening needs --from") }
  }

  func run() async throws {
    let request = VerifyRequest(
      WorkRequest(
        portfolios: portfolios, policy: maxCarriedDays,
        limits: WorkOptions.limits(workers: workers)),
      from: from, through: to, trustsOpening: trustOpening)
    let stop = StopSignal()
    let result = try await Watch(common.style, stop).run(verb: "verifying") { progress in
      try await common.operations(for: "verify").verify(
        request, stop: stop, progress: progress)
    }
    // What differs is said even to who asked for errors alone.
    try common.present(result, isError: !result.isClean) {
      VerifyText($0, listsAll: common.verbose).lines
    }
    if stop.isRaised {
      throw StatedProblem(
        ProblemCode("verify_interrupted", .interrupted),
        "interrupted: not everything was verified")
    }
    if !result.isClean { throw Ended(.refused) }
  }
}
