import Accounting
import ArgumentParser
import Close
import Operations
import Postgres
import Presentation
import Problems
import Storage

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
    let connection = try await common.connect(for: "explain", onlyReads: true)
    let (code, date, policy) = (code, date, maxCarriedDays)
    let explained = try await connection.perform { db in
      try db.readBooks { books in try books.explain(code, on: date, policy: policy) }
    }
    await connection.close()
    switch explained {
    case .closed(let slot):
      if common.json {
        StandardOutput.json(ExplainJSON(slot).value)
      } else if !common.quiet {
        StandardOutput.line(ExplainText(slot, listsFlows: flows || common.verbose).text)
      }
      try conclude(slot)
    case .impossible(let shown, let error, let changes):
      let (details, remedy) = wayOut(shown, changes)
      throw StatedProblem(
        ProblemCode("inputs_make_no_close", .refused),
        "portfolio \(code) on \(date): its inputs make no close any more: \(error)",
        details: details, remedy: remedy)
    case .open(let state, let error):
      throw NotClosed.unfinished(code, on: date, state: "\(state)", reason: error)
    case .missing(let before, let after):
      throw NotClosed.missing(
        code, on: date, known: known(before, after), isBehind: after != nil)
    }
  }

  private func conclude(_ slot: SlotExplanation) throws {
    guard !slot.differences.isEmpty else { return }
    let count = slot.differences.count
    let (details, remedy) = wayOut(slot.shown, slot.unseenChanges)
    throw StatedProblem(
      ProblemCode("snapshot_differs", .refused),
      """
      portfolio \(code) on \(date): the stored snapshot says something else, in \(count) \
      \(count == 1 ? "number" : "numbers")
      """, details: details, remedy: remedy)
  }

  /// What changed since the date was closed, and how it is closed again.
  private func wayOut(
    _ shown: ShownSnapshot, _ changes: [UnseenChange]
  ) -> (details: [String], Remedy) {
    let day = "\(date)"
    if let first = changes.map(\.from).min() {
      return (
        changes.map { "changed since: \($0.summary)" },
        Remedy(.replay(from: "\(first)", through: day, portfolio: code, onlyStale: true))
      )
    }
    let own = shown.stored.policy.maxCarriedBusinessDays
    if let told = maxCarriedDays?.maxCarriedBusinessDays, told != own {
      return (
        ["it was closed with --max-carried-days \(own)"],
        Remedy(.replay(from: day, through: day, portfolio: code, maxCarriedDays: told))
      )
    }
    return (
      ["no input is noted as changed since: its opening, or the rows themselves, were"],
      Remedy(.replay(from: day, through: day, portfolio: code))
    )
  }

  private func known(_ before: Day?, _ after: Day?) -> String {
    switch (before, after) {
    case (let before?, let after?): "the closed dates next to it are \(before) and \(after)"
    case (let before?, nil): "its last closed date is \(before)"
    case (nil, let after?): "its first closed date is \(after)"
    case (nil, nil): "none of its dates is closed"
    }
  }
}
