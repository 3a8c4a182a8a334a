import Accounting
import ArgumentParser
import Close
import Console
import Operations
import Presentation

/// Every input and step behind one portfolio's closed date.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Shows every input and every step behind a closed date's numbers.",
    discussion: """
      Each line is a calculation with its numbers, to be redone by hand: the inputs are read \
      again and closed again by the code that closes a night, and nothing is written. If the \
      stored snapshot says otherwise, that is told, with what changed since; exit 1.
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "The portfolio's code; CODE#ID for a retired one.")
  var code: String

  @Option(help: ArgumentHelp("The business date.", valueName: "date"))
  var date: Day

  @Flag(help: "List all flows behind every IRR.")
  var flows = false

  @Option(
    help: ArgumentHelp(
      "Oldest close, in business days, that is not degraded; else what the date was closed with.",
      valueName: "n"), transform: WorkOptions.carriedDays.argument)
  var maxCarriedDays: ClosePolicy?

  func run() async throws {
    let slot = try await common.operations(for: "explain")
      .explanation(of: code, on: date, policy: maxCarriedDays)
    if common.json {
      StandardOutput.json(ExplainJSON(slot).value)
    } else if !common.quiet {
      StandardOutput.lines(ExplainText(slot, listsFlows: flows || common.verbose).lines)
    }
    if let difference = slot.difference(of: code, judgedBy: maxCarriedDays) { throw difference }
  }
}
