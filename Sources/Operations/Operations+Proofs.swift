package import Accounting
package import Close
internal import Postgres
package import Problems
package import Storage

/// Proving closed dates.
package struct VerifyRequest: Sendable {
  package var work: WorkRequest
  /// The first date that is compared; nil: the first there is.
  package var from: Day?
  /// The last date that is compared; nil: the last there is.
  package var through: Day?
  /// Whether the stored snapshot before `from` is trusted instead of derived.
  package var trustsOpening: Bool

  package init(_ work: WorkRequest, from: Day?, through: Day?, trustsOpening: Bool) {
    self.work = work
    self.from = from
    self.through = through
    self.trustsOpening = trustsOpening
  }
}

extension Operations {
  /// Recomputes closed dates from their inputs; writes nothing.
  ///
  /// - Parameters:
  ///   - stop: Ends it after the open chunks; the result is of what was compared by then.
  ///   - progress: Says how many dates are compared so far, and how many there are.
  /// - Throws: `PostgresError`, `SchemaError`, `UnknownPortfolios`.
  package func verify(
    _ request: VerifyRequest, stop: StopSignal, progress: WorkProgress
  ) async throws -> VerifyResult {
    let verification = Verification(
      RecomputeScope(
        from: request.from, through: request.through,
        opening: request.trustsOpening ? .stored : .derived),
      settings: request.work.settings(of: caller)
    ) { [connect] in try await connect(true) }
    stop.stops { verification.stop() }
    progress.follows { verification.progress }
    return VerifyResult(try await verification.run())
  }

  /// Every input and step behind a portfolio's closed date.
  ///
  /// - Parameter policy: Nil: the one that it was closed under.
  /// - Throws: `NotClosed`; `CloseImpossible` where today's inputs make no close any more;
  ///   `UnknownPortfolios`, `SchemaError`, `PostgresError`.
  package func explanation(
    of portfolio: String, on date: Day, policy: ClosePolicy?
  ) async throws -> SlotExplanation {
    switch try await reading({ try $0.explain(portfolio, on: date, policy: policy) }) {
    case .closed(let slot): return slot
    case .impossible(let shown, let error, let changes):
      throw CloseImpossible(
        reason: error,
        since: ChangedSince(
          portfolio: portfolio, date: date, changes: changes, closedUnder: shown.stored.policy,
          judgedBy: policy))
    case .open(let state, let error):
      throw NotClosed(portfolio: portfolio, date: date, place: .open(state: state, error: error))
    case .missing(let before, let after):
      throw NotClosed(portfolio: portfolio, date: date, place: .between(before, after))
    }
  }
}

extension SlotExplanation {
  /// That the stored snapshot is not what its inputs make it; nil where it is.
  ///
  /// - Parameters:
  ///   - portfolio: What it was asked for by.
  ///   - policy: What it was judged by, where that was asked for.
  package func difference(
    of portfolio: String, judgedBy policy: ClosePolicy?
  ) -> SnapshotDiffers? {
    guard !differences.isEmpty else { return nil }
    return SnapshotDiffers(
      count: differences.count,
      since: ChangedSince(
        portfolio: portfolio, date: shown.stored.slot.date, changes: unseenChanges,
        closedUnder: shown.stored.policy, judgedBy: policy))
  }
}

/// What changed since a date was closed, and how it is closed again.
package struct ChangedSince: Sendable {
  /// What it was asked for by.
  let portfolio: String
  let date: Day
  let changes: [UnseenChange]
  let closedUnder: ClosePolicy
  /// The policy that was asked for, where it was.
  let judgedBy: ClosePolicy?

  var details: [String] {
    if !changes.isEmpty { return changes.map { "changed since: \($0.summary)" } }
    if isOtherPolicy {
      return ["it was closed with --max-carried-days \(closedUnder.maxCarriedBusinessDays)"]
    }
    return ["no input is noted as changed since: its opening, or the rows themselves, were"]
  }

  var remedy: Remedy {
    let day = "\(date)"
    if let first = changes.map(\.from).min() {
      return Remedy(
        .replay(from: "\(first)", through: day, portfolio: portfolio, onlyStale: true))
    }
    return Remedy(
      .replay(
        from: day, through: day, portfolio: portfolio,
        maxCarriedDays: isOtherPolicy ? judgedBy?.maxCarriedBusinessDays : nil))
  }

  private var isOtherPolicy: Bool {
    judgedBy.map { $0.maxCarriedBusinessDays != closedUnder.maxCarriedBusinessDays } ?? false
  }
}

/// A closed date whose inputs make no close any more.
package struct CloseImpossible: Problem {
  let reason: String
  let since: ChangedSince

  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("inputs_make_no_close", .refused),
      "portfolio \(since.portfolio) on \(since.date): its inputs make no close any more: \(reason)",
      details: since.details, remedy: since.remedy)
  }
}

/// A closed date that is not what its inputs make it.
package struct SnapshotDiffers: Problem {
  /// How many numbers.
  let count: Int
  let since: ChangedSince

  package var stated: StatedProblem {
    StatedProblem(
      ProblemCode("snapshot_differs", .refused),
      """
      portfolio \(since.portfolio) on \(since.date): the stored snapshot says something else, in \
      \(count) \(count == 1 ? "number" : "numbers")
      """, details: since.details, remedy: since.remedy)
  }
}

extension UnseenChange {
  /// What changed and when, in one line.
  package var summary: String {
    var what: [String] = []
    if !symbols.isEmpty { what.append("closes, actions or terms of \(list(symbols))") }
    if !currencies.isEmpty { what.append("rates of \(list(currencies))") }
    if !calendars.isEmpty { what.append("calendar \(list(calendars))") }
    if isOfPortfolio { what.append("the portfolio's activities, statements or terms") }
    let things = what.isEmpty ? "something" : what.joined(separator: ", ")
    return "\(things), from \(from) on, at \(changedAt)"
  }

  private func list(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
  }
}
