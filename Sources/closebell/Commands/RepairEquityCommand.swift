import Accounting
import ArgumentParser
import Close
import Glibc
import Postgres
import Presentation
import Storage

/// Closes damaged dates again from the last good snapshot on.
struct RepairEquityCommand: AsyncParsableCommand {
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
    var settings = WorkOptions.settings([], workers: workers, maxCarriedDays: nil)
    settings.overrideLock = try overrideLock.map { try LockOptions.author(because: $0) }
    let onlyReads = options.dryRun || options.plan != nil
    let configuration = try await common.configuration(for: "repair", onlyReads: onlyReads)
    let repair = EquityRepair(settings: settings) {
      try await Connection.connect(configuration)
    }
    let signals = Signals { count in
      if count > 1 { _exit(130) }
      repair.stop()
    }
    defer { signals.restore() }
    do {
      try await run(repair, plan)
    } catch is CancellationError {
      throw Failure("interrupted; nothing was changed", code: 130)
    }
  }

  private func run(
    _ repair: EquityRepair, _ written: (file: String, text: String)?
  ) async throws {
    if let written {
      try options.confirm("Apply \(written.file.shown)?")
      return try await apply(written.text, repair)
    }
    let plan = try await repair.plan(
      EquityScope(from: from, through: to, codes: portfolios, policy: maxCarriedDays))
    if let file = options.plan { try WholeFile.write(plan.plan.text, to: file) }
    let onlyShows = options.dryRun || options.plan != nil
    let isApplied = !plan.isEmpty && !onlyShows
    if plan.isEmpty, !onlyShows { try await repair.cleanUp() }
    if common.json, !isApplied {
      StandardOutput.data(plan.plan.text)
    } else if !common.quiet, !common.json {
      StandardOutput.line(EquityPlanText(plan, all: common.verbose).text)
      if let file = options.plan {
        StandardOutput.line(
          "written to \(file.shown); to do it: closebell repair equity --apply \(file.shown)")
      }
    }
    for failure in plan.failures {
      Terminal.complain(
        "error: portfolio \(failure.portfolio.description.shown), \(failure.date): \(failure.error)"
      )
    }
    if isApplied {
      try options.confirm(
        "Close \(plan.closedAgain) dates again and remove \(plan.strayCount) rows?")
      try await apply(plan.plan.text, repair)
    }
    if !plan.failures.isEmpty { throw Failure("", code: 1) }
  }

  private func apply(_ text: String, _ repair: EquityRepair) async throws {
    let progress = Task { await ProgressLine(isQuiet: common.quiet).show { repair.progress } }
    defer { progress.cancel() }
    let (report, run) = try await repair.apply(text)
    progress.cancel()
    await progress.value
    guard let report else {
      return RepairReport(RepairOutcome(appliedBefore: run)).show(common)
    }
    try Supervised.conclude(report, common, verb: "closed again")
    if !common.quiet, !common.json {
      StandardOutput.line("to undo it: closebell repair undo \(run)")
    }
  }
}

/// A plan of equities as an operator reads it.
struct EquityPlanText {
  let plan: EquityPlan
  let all: Bool

  init(_ plan: EquityPlan, all: Bool) {
    self.plan = plan
    self.all = all
  }

  /// How many dates and groups of rows are shown unless all are wanted.
  private static let shown = 25

  var text: String {
    guard !plan.isEmpty else {
      return "\(plan.compared) closed dates compared: each is what its inputs make it; "
        + "nothing to do"
    }
    var lines: [String] = []
    if !plan.damage.isEmpty { lines += [damage.text, dates.text] }
    if !plan.strays.isEmpty { lines.append(strays.text) }
    let hidden = max(
      plan.damage.count, plan.damage.reduce(0) { $0 + $1.wrong.count }, plan.strays.count)
    if !all, hidden > Self.shown { lines.append("and more; see everything with --verbose") }
    lines.append(
      "\(plan.compared) closed dates compared: \(plan.closedAgain) to close again in "
        + "\(plan.damage.count) portfolios, \(plan.strayCount) stray rows to remove")
    return lines.joined(separator: "\n\n")
  }

  private func limited<T>(_ list: [T]) -> ArraySlice<T> {
    all ? list[...] : list.prefix(Self.shown)
  }

  private var damage: TextTable {
    var table = TextTable([
      ("portfolio", .left), ("last good", .left), ("first bad", .left), ("through", .left),
      ("closed again", .right), ("why", .left),
    ])
    for one in limited(plan.damage) {
      table.add([
        one.portfolio.name.description, one.lastGood?.description ?? "–", one.firstBad.description,
        one.latest.description, String(one.closedAgain), why(one),
      ])
    }
    return table
  }

  private func why(_ one: EquityPlan.Damage) -> String {
    if one.missing.first == one.firstBad { return "not closed, and a later date opened from it" }
    guard let wrong = one.wrong.first, wrong.date == one.firstBad else {
      return "opened from another revision"
    }
    guard let first = wrong.differences.first else { return "" }
    let rest = wrong.differences.count - 1
    guard first.column != "row" else {
      return "\(first.place): \(first.stored == nil ? "its row is lost" : "a row too many")"
        + (rest > 0 ? ", and \(rest) numbers more" : "")
    }
    return "\(first.place) \(first.column): \(first.stored ?? "none") for "
      + "\(first.recomputed ?? "none")" + (rest > 0 ? ", and \(rest) numbers more" : "")
  }

  private var dates: TextTable {
    var table = TextTable([
      ("portfolio", .left), ("date", .left), ("closing equity", .right), ("becomes", .right),
      ("numbers that differ", .right),
    ])
    let rows = plan.damage.flatMap { one in one.wrong.map { (one.portfolio.name, $0) } }
    for (name, wrong) in limited(rows) {
      table.add([
        name.description, wrong.date.description,
        wrong.storedClosing.map { Readable.money($0.units) } ?? "–",
        Readable.money(wrong.closing.units), String(wrong.differences.count),
      ])
    }
    return table
  }

  private var strays: TextTable {
    var table = TextTable([
      ("portfolio id", .right), ("date", .left), ("table", .left), ("rows", .right),
      ("why", .left),
    ])
    for group in limited(plan.strays) {
      table.add([
        group.slot.portfolio.description, group.slot.date.description, group.table,
        String(group.count), group.reason,
      ])
    }
    return table
  }
}
