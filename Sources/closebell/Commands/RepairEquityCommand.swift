import Accounting
import ArgumentParser
import Close
import Console
import Operations
import Presentation
import Problems
import Settings
import Storage
import Text

/// Closes damaged dates again from the last good snapshot on.
struct RepairEquityCommand: AsyncParsableCommand, Descriptors.Employer {
  static let configuration = CommandConfiguration(
    commandName: "equity",
    abstract: "Closes damaged dates again, from each portfolio's last good snapshot on.",
    discussion: """
      Every closed date is computed anew from its inputs. Where a stored number differs, that \
      date and all later ones of the portfolio are closed again, and what stood there is \
      archived. Rows that belong to no closed date, and placeholders that nobody owns, are taken \
      out.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: RepairOptions

  @Option(
    name: .customLong("portfolio"),
    help: ArgumentHelp("Only this portfolio; may be given several times.", valueName: "code"))
  var portfolios: [String] = []

  @Option(help: ArgumentHelp("Look for damage from this date on.", valueName: "date"))
  var from: Day?

  @Option(
    help: ArgumentHelp(
      "Look for damage up to this date; what was built on it is closed again all the same.",
      valueName: "date"))
  var to: Day?

  @Option(
    help: ArgumentHelp("Workers, one connection each.", valueName: "n"),
    transform: Variables.workers.reading.argument)
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Oldest close, in business days, that is not degraded; else what each date was closed with.",
      valueName: "n"), transform: WorkOptions.carriedDays.argument)
  var maxCarriedDays: ClosePolicy?

  @Option(
    help: ArgumentHelp(
      "Close locked dates again too; say why, for the record.", valueName: "reason"))
  var overrideLock: String?

  func validate() throws {
    if let from, let to, to < from {
      throw ValidationError("--to \(to) lies before --from \(from)")
    }
    let isScoped = from != nil || to != nil || !portfolios.isEmpty || maxCarriedDays != nil
    if options.apply != nil, isScoped {
      throw ValidationError("--apply takes dates, portfolios and --max-carried-days from the plan")
    }
  }

  func run() async throws {
    _ = try options.plan.map { try WholeFile.version(at: $0) }
    // Before signals are taken: whoever waits for a pipe is ended by the first.
    let plan = try options.apply.map { (file: $0, text: try TextFile.read($0)) }
    let override = try overrideLock.map { try LockOptions.author(because: $0) }
    do {
      try await Watch(common.style).run { stop, observer in
        let repair = Repairing(
          operations: common.operations(for: "repair"),
          limits: WorkOptions.limits(workers: workers), overrideLock: override, stop: stop,
          observer: observer)
        try await run(repair, plan)
      }
    } catch is CancellationError {
      throw StatedProblem(
        ProblemCode("repair_interrupted", .interrupted), "interrupted; nothing was changed")
    }
  }

  /// What planning and applying have in common.
  private struct Repairing {
    let operations: Operations
    let limits: WorkLimits
    let overrideLock: PeriodLocks.Author?
    let stop: StopSignal
    let observer: any RunObserver

    func plan(_ scope: EquityScope, isReading: Bool) async throws -> EquityPlan {
      try await operations.planEquityRepair(
        scope, limits: limits, isReading: isReading, stop: stop)
    }

    func apply(_ text: String) async throws -> EquityRepaired {
      try await operations.applyEquityRepair(
        text, limits: limits, overrideLock: overrideLock, stop: stop, observer: observer)
    }
  }

  private func run(
    _ repair: Repairing, _ written: (file: String, text: String)?
  ) async throws {
    if let written {
      try options.confirm("Apply \(written.file)?")
      return try await apply(written.text, repair)
    }
    let onlyShows = options.dryRun || options.plan != nil
    let plan = try await repair.plan(
      EquityScope(from: from, through: to, codes: portfolios, policy: maxCarriedDays),
      isReading: onlyShows)
    if let file = options.plan { try WholeFile.write(plan.plan.text, to: file) }
    let isApplied = !plan.isEmpty && !onlyShows
    if plan.isEmpty, !onlyShows { try await repair.operations.cleanUpAfterRepairs() }
    if common.json, !isApplied {
      StandardOutput.data(plan.plan.text)
    } else if !common.quiet, !common.json {
      StandardOutput.lines(EquityPlanText(plan, all: common.verbose).lines)
      if let file = options.plan {
        StandardOutput.line(
          "written to \(file); to do it: closebell repair equity --apply \(file)")
      }
    }
    for failure in plan.failures {
      Concluding.complain(SlotFailureResult(failure))
    }
    if isApplied {
      try options.confirm(
        "Close \(plan.closedAgain) dates again and remove \(plan.orphanCount) rows?")
      try await apply(plan.plan.text, repair)
    }
    if !plan.failures.isEmpty { throw Ended(.refused) }
  }

  private func apply(_ text: String, _ repair: Repairing) async throws {
    switch try await repair.apply(text) {
    case .appliedBefore(let before): try common.present(before) { RepairText($0).lines }
    case .closedAgain(let result):
      try Concluding.conclude(result, common.style, verb: "closed again")
      if !common.quiet, !common.json {
        StandardOutput.line("to undo it: closebell repair undo \(result.id)")
      }
    }
  }
}
