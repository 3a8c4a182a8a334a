import Accounting
import Close
import Glibc
import Postgres
import Presentation
import Storage
import Synchronization

/// `replay --dry-run`: what a replay would write, old → new, and nothing written.
struct ReplayPreview {
  let range: ReplayRange
  let settings: RunSettings
  let common: CommonOptions

  /// What it found, gathered from the workers.
  private struct Found {
    var changed: [(portfolio: PortfolioName, date: RecomputedDate)] = []
    var new: [(portfolio: PortfolioName, date: RecomputedDate)] = []
    var unchanged = 0
    var failures: [SlotFailure] = []
  }

  func run() async throws {
    let configuration = try await common.configuration(for: "replay", onlyReads: true)
    try await requireReached(configuration)
    let recompute = Recompute(replay: range, settings: settings) {
      try await Connection.connect(configuration)
    }
    let signals = Signals { _ in _exit(130) }
    defer { signals.restore() }
    let found = Mutex(Found())
    try await recompute.run { segment in
      found.withLock { found in
        if let failure = segment.failure { found.failures.append(failure) }
        for date in segment.dates {
          if date.stored == nil {
            found.new.append((segment.portfolio.name, date))
          } else if date.differences.isEmpty {
            found.unchanged += 1
          } else {
            found.changed.append((segment.portfolio.name, date))
          }
        }
      }
    }
    var result = found.withLock { $0 }
    result.changed.sort { ($0.portfolio, $0.date.date) < ($1.portfolio, $1.date.date) }
    result.new.sort { ($0.portfolio, $0.date.date) < ($1.portfolio, $1.date.date) }
    result.failures.sort { ($0.portfolio, $0.date) < ($1.portfolio, $1.date) }
    if common.json {
      StandardOutput.json(json(result))
    } else if !common.quiet {
      StandardOutput.line(text(result))
    }
    for failure in result.failures {
      Terminal.complain(
        "error: portfolio \(failure.portfolio.description.shown), \(failure.date): \(failure.error)"
      )
    }
    if !result.failures.isEmpty { throw Failure("", code: 1) }
  }

  private func requireReached(_ configuration: Configuration) async throws {
    let connection = try await Connection.connect(configuration)
    do {
      try await ServerClock.ask(connection, isStrict: settings.isStrict)
        .requireReached(range.through)
      await connection.close()
    } catch {
      await connection.close()
      throw error
    }
  }

  private func text(_ found: Found) -> String {
    var lines: [String] = []
    for (portfolio, date) in found.changed {
      lines.append("portfolio \(portfolio), \(date.date):")
      lines += date.differences.map { "  " + $0.text }
    }
    for (portfolio, date) in found.new {
      lines.append(
        "portfolio \(portfolio), \(date.date): would be closed, closing equity "
          + "\(date.close.snapshot.closingEquity)")
    }
    lines.append(
      "nothing was written; a replay would change \(found.changed.count) closed dates, leave "
        + "\(found.unchanged) as they are and close \(found.new.count) for the first time")
    return lines.joined(separator: "\n")
  }

  private func json(_ found: Found) -> JSON {
    func slot(_ one: (portfolio: PortfolioName, date: RecomputedDate)) -> [(String, JSON)] {
      [
        ("portfolio", .string(one.portfolio.description)),
        ("date", .string(one.date.date.description)),
      ]
    }
    return .object([
      ("dry_run", .bool(true)),
      (
        "changed",
        .array(
          found.changed.map {
            .object(slot($0) + [("values", .array($0.date.differences.map(\.json)))])
          })
      ),
      (
        "new",
        .array(
          found.new.map { one in
            let equity = one.date.close.snapshot.closingEquity
            return .object(slot(one) + [("closing_equity", .string(equity.description))])
          })
      ),
      ("unchanged", .integer(found.unchanged)),
      (
        "failures",
        .array(
          found.failures.map {
            .object([
              ("portfolio", .string($0.portfolio.description)),
              ("date", .string($0.date.description)),
              ("error", .string($0.error)),
            ])
          })
      ),
    ])
  }
}
