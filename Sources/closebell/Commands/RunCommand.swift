import Problems
import Accounting
import ArgumentParser
import Close
import Console
import Glibc
import Operations
import Presentation
import Settings
import Text

/// The nightly close.
struct RunCommand: AsyncParsableCommand, Descriptors.Employer {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Closes every portfolio for a date, and the dates missed before it.",
    discussion: """
      Without --date: the last business date of each portfolio's calendar whose cut-off has \
      passed. A portfolio without any snapshot is closed for that date only. Run again, it \
      finds nothing to do.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var work: WorkOptions
  var workers: Int? { work.workers }

  @Option(help: ArgumentHelp("The business date to close.", valueName: "date"))
  var date: Day?

  @Flag(help: "Close the date alone, over whatever gap lies before it.")
  var noCatchUp = false

  @Option(
    help: ArgumentHelp("Most dates of a portfolio that one run closes.", valueName: "n"),
    transform: Variables.maxCatchUp.reading.argument)
  var maxCatchUp: Int?

  func validate() throws {
    if noCatchUp, maxCatchUp != nil {
      throw ValidationError("--no-catch-up and --max-catch-up exclude one another")
    }
  }

  func run() async throws {
    let request = CloseRequest(
      work.closing, date: date, catchesUp: !noCatchUp,
      maxCatchUp: maxCatchUp ?? Settings.current.maxCatchUp)
    try await RunMetrics.recording {
      try await Watch(common.style).run { stop, observer in
        try await common.operations(for: "run").close(request, stop: stop, observer: observer)
      }
    } conclude: { result in
      try Concluding.conclude(result, common.style, verb: "closed")
    }
  }
}

/// Closes a range of dates again.
struct ReplayCommand: AsyncParsableCommand, Descriptors.Employer {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Closes complete dates of a range again, and dates of it that were never closed.",
    discussion: """
      Readers see the old values until the new ones are there; what was replaced is kept in \
      closebell.snapshot_history with the run and the reason. A slot that comes out the same is \
      left alone.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var work: WorkOptions
  var workers: Int? { work.workers }

  @Option(help: ArgumentHelp("The first date.", valueName: "date"))
  var from: Day

  @Option(help: ArgumentHelp("The last date.", valueName: "date"))
  var to: Day

  @Flag(help: "Only dates whose inputs changed since they were closed.")
  var onlyStale = false

  @Flag(help: "Go on to each portfolio's latest complete date.")
  var throughLatest = false

  @Flag(help: "Show every value that would change, old → new, and write nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Close locked dates again too; say why, for the record.",
      valueName: "reason"))
  var overrideLock: String?

  func validate() throws {
    if to < from { throw ValidationError("--to \(to) lies before --from \(from)") }
  }

  func run() async throws {
    let request = ReplayRequest(
      work.closing,
      range: ReplayRange(
        from: from, through: to, onlyStale: onlyStale, throughLatest: throughLatest),
      overrideLock: try overrideLock.map { try LockOptions.author(because: $0) })
    if dryRun { return try await preview(request) }
    let result = try await Watch(common.style).run { stop, observer in
      try await common.operations(for: "run").replay(request, stop: stop, observer: observer)
    }
    try Concluding.conclude(result, common.style, verb: "closed or closed again")
  }

  /// What a replay would write, old → new, and nothing written.
  private func preview(_ request: ReplayRequest) async throws {
    let signals = Signals { _ in _exit(130) }
    defer { signals.restore() }
    let preview = try await common.operations(for: "replay").preview(request)
    try common.present(preview) { ReplayPreviewText($0).lines }
    for failure in preview.failures {
      Concluding.complain(failure)
    }
    if !preview.failures.isEmpty { throw Ended(.refused) }
  }
}

/// What a run and a replay have in common.
struct WorkOptions: ParsableArguments {
  @Option(
    name: .customLong("portfolio"),
    help: ArgumentHelp("Only this portfolio; may be given several times.", valueName: "code"))
  var portfolios: [String] = []

  @Option(
    help: ArgumentHelp("Workers, one connection each.", valueName: "n"),
    transform: Variables.workers.reading.argument)
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Oldest close, in business days, that is not degraded.",
      discussion: "Else what a date was closed with before, and 5 for one that never was.",
      valueName: "n"), transform: WorkOptions.carriedDays.argument)
  var maxCarriedDays: ClosePolicy?

  @Flag(
    help: """
      Refuse a snapshot with too many carried or missing prices (1), and a clock that is not the \
      server's (78).
      """)
  var strict = false

  @Option(
    help: ArgumentHelp(
      "How long to wait for slots that another run holds (90s, 5m).", valueName: "duration"),
    transform: WorkOptions.anyDuration.argument)
  var wait: TimeSpan?

  /// How old a close may be, in business days.
  static let carriedDays = Reading.whole(ClosePolicy.carriedBusinessDays)
    .map { ClosePolicy(maxCarriedBusinessDays: $0) }
  /// A duration that an option gives.
  static let anyDuration = Reading.duration(TimeSpan(seconds: 0)...TimeSpan.longest)

  var closing: CloseWork {
    CloseWork(
      WorkRequest(
        portfolios: portfolios, policy: maxCarriedDays, limits: Self.limits(workers: workers)),
      isStrict: strict, waitSeconds: wait?.seconds)
  }

  /// What one piece of work takes at a time, by an option or the environment.
  static func limits(workers: Int?) -> WorkLimits {
    WorkLimits(
      workers: workers ?? Settings.current.workers, chunk: Settings.current.chunk,
      leaseSeconds: Settings.current.lease.seconds)
  }
}
