import Accounting
import ArgumentParser
import Close
import Postgres
import Presentation
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
      throw Failure(
        """
        portfolio \(code) on \(date): its inputs make no close any more: \(error)
        \(hint(shown, changes))
        """, code: 1)
    case .open(let state, let error):
      throw Failure(
        """
        portfolio \(code) is not closed on \(date): the slot is \(state)
        \(error.map { "detail: \($0)\n" } ?? "")hint: closebell run --date \(date) \
        --portfolio \(code)
        """, code: 1)
    case .missing(let before, let after):
      throw Failure(missing(before, after), code: 1)
    }
  }

  private func conclude(_ slot: SlotExplanation) throws {
    guard !slot.differences.isEmpty else { return }
    let count = slot.differences.count
    throw Failure(
      """
      portfolio \(code) on \(date): the stored snapshot says something else, in \(count) \
      \(count == 1 ? "number" : "numbers")
      \(hint(slot.shown, slot.unseenChanges))
      """, code: 1)
  }

  private func hint(_ shown: ShownSnapshot, _ changes: [UnseenChange]) -> String {
    guard let first = changes.map(\.from).min() else {
      let own = shown.stored.policy.maxCarriedBusinessDays
      if let told = maxCarriedDays?.maxCarriedBusinessDays, told != own {
        return """
          detail: it was closed with --max-carried-days \(own)
          hint: closebell replay --from \(date) --to \(date) --portfolio \(code) \
          --max-carried-days \(told)
          """
      }
      return """
        detail: no input is noted as changed since: its opening, or the rows themselves, were
        hint: closebell replay --from \(date) --to \(date) --portfolio \(code)
        """
    }
    let details = changes.map { "detail: changed since: \($0.summary)" }
    let hint =
      "hint: closebell replay --from \(first) --to \(date) --only-stale --portfolio \(code)"
    return (details + [hint]).joined(separator: "\n")
  }

  private func missing(_ before: Day?, _ after: Day?) -> String {
    let known =
      switch (before, after) {
      case (let before?, let after?): "the closed dates next to it are \(before) and \(after)"
      case (let before?, nil): "its last closed date is \(before)"
      case (nil, let after?): "its first closed date is \(after)"
      case (nil, nil): "none of its dates is closed"
      }
    let command =
      after == nil ? "run --date \(date)" : "replay --from \(date) --to \(date)"
    return """
      portfolio \(code) has no snapshot of \(date): \(known)
      hint: if it is a business date: closebell \(command) --portfolio \(code)
      """
  }
}
