import Accounting
import ArgumentParser
import Close
import Glibc
import Operations
import Postgres
import Storage

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
    var settings = work.settings()
    settings.catchesUp = !noCatchUp
    settings.maxCatchUp = maxCatchUp ?? Settings.current.maxCatchUp
    let (date, asked) = (date, settings)
    try await RunMetrics.recording {
      try await Supervised.run(asked, common) { clock, settings in
        if let date { try clock.requireReached(date) }
        settings.closedBy = date == nil ? clock.now : nil
        return .night(date ?? clock.today)
      }
    } conclude: { report in
      try Supervised.conclude(report, common, verb: "closed")
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
    var settings = work.settings()
    settings.overrideLock = try overrideLock.map { try LockOptions.author(because: $0) }
    let range = ReplayRange(
      from: from, through: to, onlyStale: onlyStale, throughLatest: throughLatest)
    if dryRun {
      return try await ReplayPreview(range: range, settings: settings, common: common).run()
    }
    let report = try await Supervised.run(settings, common) { clock, _ in
      try clock.requireReached(range.through)
      return .replay(range)
    }
    try Supervised.conclude(report, common, verb: "closed or closed again")
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

  func settings() -> RunSettings {
    var settings = Self.settings(portfolios, workers: workers, maxCarriedDays: maxCarriedDays)
    settings.isStrict = strict
    settings.waitSeconds = wait?.seconds
    return settings
  }

  /// What does not depend on whether anything is written.
  static func settings(
    _ portfolios: [String], workers: Int?, maxCarriedDays: ClosePolicy?
  ) -> RunSettings {
    var settings = RunSettings()
    settings.codes = portfolios
    settings.workers = workers ?? Settings.current.workers
    settings.chunk = Settings.current.chunk
    settings.leaseSeconds = Settings.current.lease.seconds
    settings.policy = maxCarriedDays
    settings.host = Host.name
    settings.pid = getpid()
    settings.version = Version.current
    settings.arguments = Host.argumentsWithoutSecrets
    return settings
  }
}

/// Facts about this process.
enum Host {
  /// The machine's name.
  static var name: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
    return String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The command line as the run history keeps it: a database URL may hold a password.
  ///
  /// What stands for it is ASCII: books that were made in another encoding than UTF-8 take it too.
  static var argumentsWithoutSecrets: String {
    var hidesNext = false
    return CommandLine.arguments.dropFirst().map { argument in
      defer { hidesNext = argument == "--database" }
      if hidesNext { return "***" }
      return argument.hasPrefix("--database=") ? "--database=***" : argument
    }.joined(separator: " ")
  }
}

/// The only place that looks at this machine's clock.
///
/// It is for what is written beside messages and metrics. What is over, `ServerClock` decides.
enum Clock {
  /// Seconds since 2000-01-01 00:00 UTC.
  static var now: Int64 { unix - 946_684_800 }

  /// Seconds since 1970-01-01 00:00 UTC.
  static var unix: Int64 { Int64(time(nil)) }
}
