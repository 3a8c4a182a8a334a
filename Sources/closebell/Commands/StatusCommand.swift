import Accounting
import ArgumentParser
import Close
import Postgres
import Presentation
import Storage

/// How far the books are closed.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Shows per date what is closed, failed, missing or stale; and the last runs.",
    discussion:
      "Exit code 1 where a slot of the range is missing, failed or stale, unless it is locked.")

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The first date; default: so that \(CoverageReport.defaultDays) days are shown.",
      valueName: "date"))
  var from: Day?

  @Option(help: ArgumentHelp("The last date; default: the latest closed.", valueName: "date"))
  var to: Day?

  func validate() throws {
    if let from, let to, to < from {
      throw ValidationError("--to \(to) lies before --from \(from)")
    }
  }

  func run() async throws {
    let connection = try await common.connect(for: "status", onlyReads: true)
    let (from, to) = (from, to)
    let report = try await connection.perform { db in
      try db.readBooks { books in try books.coverage(from: from, through: to) }
    }
    await connection.close()
    if common.json {
      StandardOutput.json(Self.json(report))
    } else if !common.quiet {
      StandardOutput.line(Self.text(report))
    }
    if !report.isHealthy { throw Failure("", code: 1) }
  }

  private static func text(_ report: CoverageReport) -> String {
    guard !report.dates.isEmpty else { return "nothing is closed yet" }
    var table = TextTable([
      ("date", .left), ("complete", .right), ("degraded", .right), ("claimed", .right),
      ("failed", .right), ("missing", .right), ("stale", .right), ("locked", .right),
    ])
    for row in report.dates {
      table.add(
        [row.date.description]
          + [
            row.states.complete, row.states.degraded, row.states.claimed, row.states.failed,
            row.missing, row.states.stale, row.states.locked,
          ].map(String.init))
    }
    var parts = [table.text]
    let locks = lockLines(report)
    if !locks.isEmpty { parts.append(locks.joined(separator: "\n")) }
    if !report.failures.isEmpty {
      parts.append(
        report.failures.map { LogLine.text("failed: \($0.portfolio), \($0.date): \($0.error)") }
          .joined(separator: "\n"))
    }
    var runs = TextTable([
      ("run", .right), ("kind", .left), ("for", .left), ("status", .left), ("began", .left),
      ("took", .right),
    ])
    for run in report.runs {
      let dates = [run.dates.from, run.dates.through].compactMap(\.self)
      let range = dates.count == 2 && dates[0] == dates[1] ? [dates[0]] : dates
      runs.add([
        String(run.id), run.kind, range.map(\.description).joined(separator: " … "), run.status,
        run.startedAt, run.seconds.map(Readable.seconds) ?? "–",
      ])
    }
    if !report.runs.isEmpty { parts.append(runs.text) }
    return parts.joined(separator: "\n\n")
  }

  private static func lockLines(_ report: CoverageReport) -> [String] {
    var lines = report.locks.map { lock in
      "locked through \(lock.through): \(lock.code ?? "all portfolios"), "
        + "by \(lock.author.name.shown) at \(lock.at): \(lock.author.reason.shown)"
    }
    let stale = report.dates.filter { $0.states.lockedStale > 0 }
    if let first = stale.first {
      let slots = stale.reduce(0) { $0 + $1.states.lockedStale }
      lines.append(
        "\(slots) locked slots from \(first.date) on stay as they were: inputs changed since")
    }
    return lines
  }

  private static func json(_ report: CoverageReport) -> JSON {
    let dates = report.dates.map { row in
      JSON.object([
        ("date", .string(row.date.description)),
        ("complete", .integer(row.states.complete)), ("degraded", .integer(row.states.degraded)),
        ("claimed", .integer(row.states.claimed)), ("failed", .integer(row.states.failed)),
        ("missing", .integer(row.missing)), ("stale", .integer(row.states.stale)),
        ("locked", .integer(row.states.locked)),
        ("locked_stale", .integer(row.states.lockedStale)),
      ])
    }
    let runs = report.runs.map { run in
      JSON.object([
        ("run_id", .integer(Int(run.id))), ("kind", .string(run.kind)),
        ("from", .optional(run.dates.from?.description)),
        ("to", .optional(run.dates.through?.description)), ("status", .string(run.status)),
        ("started_at", .string(run.startedAt)), ("duration_seconds", .optional(run.seconds)),
      ])
    }
    let failures = report.failures.map {
      JSON.object([
        ("portfolio", .string($0.portfolio.description)), ("date", .string($0.date.description)),
        ("error", .string($0.error)),
      ])
    }
    let locks = report.locks.map {
      JSON.object([
        ("portfolio", .optional($0.code)), ("through", .string($0.through.description)),
        ("reason", .string($0.author.reason)), ("by", .string($0.author.name)),
        ("at", .string($0.at)),
      ])
    }
    return .object([
      ("healthy", .bool(report.isHealthy)), ("dates", .array(dates)),
      ("locks", .array(locks)), ("failures", .array(failures)), ("runs", .array(runs)),
    ])
  }
}
