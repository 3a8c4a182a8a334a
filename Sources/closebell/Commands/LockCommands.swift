import Accounting
import ArgumentParser
import Close
import Glibc
import Operations
import Presentation
import Problems
import Storage

/// Locks a month.
struct LockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Locks a month and all before it: what was reported stays.",
    discussion: """
      Locked dates are neither replayed nor closed by a run. An activity that comes later and is \
      dated in them is booked on the first open date. Refused while a date is missing, failed or \
      stale, or a run is at work there.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: LockOptions

  @Flag(help: "Lock over missing and failed dates; they are never closed. Stale ones still refuse.")
  var force = false

  func run() async throws {
    let request = try options.request(force: force)
    let locked = try await common.operations(for: "lock").lock(request)
    try common.present(locked) { $0.lines }
  }
}

/// Opens a locked month.
struct UnlockCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Opens a locked month and all after it.",
    discussion: """
      What was booked late because its own date was locked counts on that date again; the next \
      run closes the dates again that this concerns.
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var options: LockOptions

  func run() async throws {
    let request = try options.request()
    let unlocked = try await common.operations(for: "lock").unlock(request)
    try common.present(unlocked) { $0.lines }
  }
}

/// What locking and unlocking have in common.
struct LockOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The month, YYYY-MM.", valueName: "month"))
  var month: String

  @Option(
    name: .customLong("portfolio"),
    help: ArgumentHelp(
      "Only this portfolio; may be given several times. Default: all, later ones too.",
      valueName: "code"))
  var portfolios: [String] = []

  @Option(help: ArgumentHelp("Why; it is kept with your name.", valueName: "text"))
  var reason: String

  func request(force: Bool = false) throws -> LockRequest {
    guard month.utf8.count == 7, let first = Day(month + "-01") else {
      throw StatedProblem(
        ProblemCode("month_malformed", .usage), "--month is YYYY-MM, not '\(month)'")
    }
    let (year, number, _) = first.parts
    let next =
      number == 12
      ? Day(year: year + 1, month: 1, day: 1) : Day(year: year, month: number + 1, day: 1)
    return LockRequest(
      first: first, last: next - 1, codes: portfolios, author: try Self.author(because: reason),
      force: force)
  }

  /// The person at this machine, with their reason.
  static func author(because reason: String) throws -> PeriodLocks.Author {
    guard reason.contains(where: { !$0.isWhitespace }) else {
      throw StatedProblem(ProblemCode("reason_missing", .usage), "a reason is required")
    }
    let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"
    return PeriodLocks.Author(name: "\(user)@\(Host.name)", reason: reason)
  }
}
