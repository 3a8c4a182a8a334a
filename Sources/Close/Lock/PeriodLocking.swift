package import Accounting
package import Postgres
package import Problems
package import Storage

/// A month to be locked or unlocked, and for whom.
package struct LockRequest: Sendable {
  /// The month's first date.
  package var first: Day
  /// The month's last date.
  package var last: Day
  /// Only these portfolios; empty means all, those that come later included.
  package var codes: [String]
  /// Who and why.
  package var author: PeriodLocks.Author
  /// Lock over dates that are missing or failed.
  package var force = false

  /// A month given by its first and last date.
  package init(
    first: Day, last: Day, codes: [String], author: PeriodLocks.Author, force: Bool = false
  ) {
    self.first = first
    self.last = last
    self.codes = codes
    self.author = author
    self.force = force
  }

  /// `YYYY-MM`.
  package var month: String { String(first.description.dropLast(3)) }
}

/// What became of a request.
package struct LockOutcome: Sendable {
  /// Whether anything is locked, or open, that was not.
  package var changed = false
  /// Placeholders of dates that were begun in vain and are given up.
  package var discarded = 0
  /// Activities that were booked late and count on their own date again.
  package var returned = 0
}

/// Locks and unlocks months.
package enum PeriodLocking {
  /// Locks a month and everything before it.
  ///
  /// - Throws: `LockRefused` where a date is missing, failed or stale, `LockBusy` where a run is at
  ///   work on it, `UnknownPortfolios`.
  package static func lock(
    _ request: LockRequest, on db: isolated Connection
  ) throws -> LockOutcome {
    try DatabaseEpoch.requireForWriting(on: db)
    return try db.transaction { db in
      let scope = try scope(of: request, on: db)
      let books = try HeldBooks(holding: db)
      guard try !PeriodLocks.isBusy(through: request.last, on: db) else {
        throw LockBusy(month: request.month)
      }
      let open = try PeriodLocks.firstOpen(of: scope, on: db)
      let first = try open ?? Coverage.extent(on: db)?.first ?? request.first
      var outcome = LockOutcome()
      if first <= request.last {
        let rows = try books.coverageRows(from: first, through: request.last, of: scope)
        let unclean = rows.filter { $0.stops(force: request.force) }
        guard unclean.isEmpty else {
          let flaws = try books.flaws(
            on: unclean.map(\.date), of: scope, limit: LockRefused.named)
          throw LockRefused(request: request, dates: unclean, flaws: flaws)
        }
        outcome.discarded = try PeriodLocks.discardPlaceholders(
          from: first, through: request.last, scope, on: db)
      }
      outcome.changed = try PeriodLocks.lock(
        from: request.first, through: request.last, scope, by: request.author, on: db)
      return outcome
    }
  }

  /// Opens a month and everything after it.
  ///
  /// - Throws: `UnknownPortfolios`.
  package static func unlock(
    _ request: LockRequest, on db: isolated Connection
  ) throws -> LockOutcome {
    try DatabaseEpoch.requireForWriting(on: db)
    return try db.transaction { db in
      let scope = try scope(of: request, on: db)
      try PeriodLocks.own(on: db)
      let returned = try PeriodLocks.unlock(
        from: request.first, through: request.last, scope, by: request.author, on: db)
      return LockOutcome(changed: returned != nil, returned: returned?.activities ?? 0)
    }
  }

  private static func scope(
    of request: LockRequest, on db: isolated Connection
  ) throws -> PortfolioSelection {
    let named = try NamedPortfolios(request.codes, on: request.last, on: db)
    for missing in [named.unknown, named.absent] where !missing.isEmpty {
      throw UnknownPortfolios(codes: missing)
    }
    return named.selection
  }
}

extension CoverageReport.Row {
  /// Whether the date keeps its month from being locked.
  ///
  /// A stale one always does: what it has not seen would never reach the books, since a later
  /// close takes only what was booked after its opening.
  fileprivate func stops(force: Bool) -> Bool {
    states.stale > 0 || !force && (missing > 0 || states.failed > 0 || states.claimed > 0)
  }
}

/// A month that is not clean: nothing was locked.
package struct LockRefused: Problem {
  let request: LockRequest
  let dates: [CoverageReport.Row]
  let flaws: [Coverage.Flaw]

  /// How many slots are named.
  static let named = 20

  /// What stands in the way, by name and counted, and the way out.
  package var stated: StatedProblem {
    let counts = dates.prefix(Self.named).map { "\($0.date): \(Self.counts($0))" }
    let rest = dates.count - counts.count
    let more = rest > 0 ? ["and \(rest) more dates"] : []
    let (first, last) = ("\(dates[0].date)", "\(dates[dates.count - 1].date)")
    return StatedProblem(
      ProblemCode("month_not_clean", .refused), "\(request.month) cannot be locked",
      details: flaws.map { "portfolio \($0.portfolio), \($0.date): \($0.state)" } + counts + more,
      remedy: dates.contains { $0.states.stale > 0 }
        ? """
        stale dates are closed again by: \(.run()); or \
        \(.replay(from: first, through: last, onlyStale: true))
        """
        : """
        \(.replay(from: first, through: last)); or \(.option(.force)), which leaves them out for \
        good
        """)
  }

  private static func counts(_ row: CoverageReport.Row) -> String {
    [
      (row.missing, "missing"), (row.states.failed, "failed"), (row.states.claimed, "claimed"),
      (row.states.stale, "stale"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }
}

/// A run that lives has slots in the month or before it.
package struct LockBusy: Problem {
  let month: String

  /// What to do.
  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("run_under_way", .busy), "a run is at work on \(month) or before",
      remedy: "try again when it is done: \(.status)")
  }
}
