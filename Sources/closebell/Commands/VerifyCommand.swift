import Accounting
import ArgumentParser
import Close
import Glibc
import Postgres
import Presentation
import Storage

/// Proves closed dates.
struct VerifyCommand: AsyncParsableCommand {
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
    let settings = WorkOptions.settings(
      portfolios, workers: workers, maxCarriedDays: maxCarriedDays)
    let scope = RecomputeScope(
      from: from, through: to, opening: trustOpening ? .stored : .derived)
    let configuration = try await common.configuration(for: "verify", onlyReads: true)
    let verification = Verification(scope, settings: settings) {
      try await Connection.connect(configuration)
    }
    let wasStopped = StopFlag()
    let signals = Signals { count in
      if count > 1 { _exit(130) }
      wasStopped.raise()
      verification.stop()
    }
    defer { signals.restore() }
    let progress = Task {
      await ProgressLine(isQuiet: common.quiet).show(verb: "verifying") { verification.progress }
    }
    defer { progress.cancel() }
    let report = try await verification.run()
    progress.cancel()
    await progress.value
    conclude(report, isWhole: !wasStopped.isRaised)
    if wasStopped.isRaised { throw Failure("interrupted: not everything was verified", code: 130) }
    if !report.isClean { throw Failure("", code: 1) }
  }

  private func conclude(_ report: VerifyReport, isWhole: Bool) {
    let summary = VerifySummary(report: report, isVerbose: common.verbose)
    if common.json {
      StandardOutput.json(summary.json)
    } else if !common.quiet || !report.isClean {
      StandardOutput.line(summary.text)
    }
  }
}

/// A verification as people and programs read it.
struct VerifySummary {
  let report: VerifyReport
  let isVerbose: Bool

  /// Most portfolios, and values of each, that a reader is shown without `--verbose`.
  private static let portfoliosShown = 20
  private static let valuesShown = 12

  // MARK: - Text

  var text: String {
    var lines: [String] = []
    let shown = isVerbose ? report.findings.count : Self.portfoliosShown
    for finding in report.findings.prefix(shown) { lines += text(of: finding) }
    if report.findings.count > shown {
      lines.append("and \(report.findings.count - shown) more portfolios; see them with --verbose")
    }
    for outcome in report.chain where outcome.count > 0 { lines += text(of: outcome) }
    lines.append(total)
    return lines.joined(separator: "\n")
  }

  private var total: String {
    let counts = report.counts
    let rate = Readable.whole(report.seconds > 0 ? Double(counts.slots) / report.seconds : 0)
    var text = "verified \(counts.slots) dates of \(counts.portfolios) portfolios"
    if counts.leftOut > 0 { text += ", \(counts.leftOut) could not be recomputed" }
    text += " in \(Readable.seconds(report.seconds)) (\(rate) a second): "
    if report.isClean { return text + "nothing differs" }
    let causes = VerifyReport.Cause.allCases.compactMap { cause in
      let count = report.findings.reduce(0) { $0 + ($1.dates[cause]?.count ?? 0) }
      return count > 0 ? "\(count) \(cause.rawValue)" : nil
    }
    let faults = report.chain.reduce(0) { $0 + $1.count }
    return text
      + (causes + (faults > 0 ? ["\(faults) rows at fault"] : [])
      + (counts.leftOut > 0 ? ["\(counts.leftOut) not verified"] : [])).joined(separator: ", ")
  }

  private func text(of finding: VerifyReport.Finding) -> [String] {
    var lines: [String] = []
    if let first = finding.first {
      let count = finding.dates.values.reduce(0) { $0 + $1.count }
      lines.append(
        "portfolio \(finding.portfolio): \(first.date) is the first date that differs, "
          + "\(first.cause.words)\(count > 1 ? "; \(count) dates differ" : "")")
      let shown = isVerbose ? finding.differences.count : Self.valuesShown
      lines += finding.differences.prefix(shown).map { "  " + $0.text }
      if finding.differences.count > shown {
        lines.append("  and \(finding.differences.count - shown) more values")
      }
      lines.append(
        finding.lastGood.map { "  last known-good snapshot: \($0)" }
          ?? "  no compared date before it is good")
    }
    if let failure = finding.failure {
      lines.append(
        "portfolio \(finding.portfolio): \(failure.date) cannot be recomputed: \(failure.error)")
    }
    return lines
  }

  private func text(of outcome: ChainChecks.Outcome) -> [String] {
    let shown = isVerbose ? outcome.faults.count : 5
    var lines = ["\(outcome.check): \(outcome.count) rows"]
    lines += outcome.faults.prefix(shown).map {
      "  portfolio \($0.portfolio), \($0.date): \($0.detail)"
    }
    if outcome.count > shown { lines.append("  and \(outcome.count - shown) more") }
    return lines
  }

  // MARK: - JSON

  var json: JSON {
    .object([
      ("clean", .bool(report.isClean)),
      (
        "slots",
        .object([
          ("verified", .integer(report.counts.slots)),
          ("differing", .integer(report.counts.differing)),
          ("not_recomputed", .integer(report.counts.leftOut)),
        ])
      ),
      ("portfolios", .integer(report.counts.portfolios)),
      ("differing", .array(report.findings.map(json))),
      ("checks", .array(report.chain.map(json))),
      ("duration_seconds", .number(report.seconds)),
    ])
  }

  private func json(_ finding: VerifyReport.Finding) -> JSON {
    let dates = VerifyReport.Cause.allCases.compactMap { cause in
      finding.dates[cause].map {
        (cause.rawValue, JSON.array($0.map { .string($0.description) }))
      }
    }
    return .object([
      ("portfolio", .string(finding.portfolio.description)),
      ("first_date", .optional(finding.first?.date.description)),
      ("cause", .optional(finding.first?.cause.rawValue)),
      ("last_good", .optional(finding.lastGood?.description)),
      ("values", .array(finding.differences.map(\.json))),
      ("dates", .object(dates)),
      (
        "failure",
        finding.failure.map {
          .object([("date", .string($0.date.description)), ("error", .string($0.error))])
        } ?? .null
      ),
    ])
  }

  private func json(_ outcome: ChainChecks.Outcome) -> JSON {
    .object([
      ("check", .string(outcome.check)), ("count", .integer(outcome.count)),
      (
        "rows",
        .array(
          outcome.faults.map {
            .object([
              ("portfolio", .string($0.portfolio)), ("date", .string($0.date.description)),
              ("detail", .string($0.detail)),
            ])
          })
      ),
    ])
  }
}

extension VerifyReport.Cause {
  /// What an operator is told.
  fileprivate var words: String {
    switch self {
    case .stale: "stale: an input changed since, the next run closes it again"
    case .changed: "an input is not what it was closed with, and no import changed it"
    case .corrupt: "and no input is known to have changed since"
    }
  }
}

extension ValueDifference {
  /// `holding AMZN price: 968.45 → 976.10`.
  var text: String { "\(place) \(column): \(stored ?? "none") → \(recomputed ?? "none")" }

  /// A changed value, as every command writes one: `row`, `column`, `old` and `new`.
  var json: JSON {
    .object([
      ("row", .string(place.description)), ("column", .string(column)),
      ("old", .optional(stored)), ("new", .optional(recomputed)),
    ])
  }
}
