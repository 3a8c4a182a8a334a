package import Accounting
package import Postgres
package import Storage
internal import Synchronization

/// Proves closed dates: recomputes them from their inputs, and checks the rows against each other.
///
/// Nothing is written. See "What verify proves" in `docs/operations.md`.
package final class Verification: Sendable {
  private let scope: RecomputeScope
  private let settings: RunSettings
  private let connect: @Sendable () async throws -> Connection
  private let recompute: Recompute
  private let findings = Mutex<[VerifyReport.Finding]>([])
  private let total = Mutex<Int?>(nil)

  /// How many faults of a check are listed.
  private static let faultsKept = 100

  /// A verification that has not begun.
  package init(
    _ scope: RecomputeScope, settings: RunSettings,
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.scope = scope
    self.settings = settings
    self.connect = connect
    recompute = Recompute(scope, settings: settings, connect: connect)
  }

  /// Begins no further chunk.
  package func stop() { recompute.stop() }

  /// The dates compared so far, and how many there are to compare.
  package var progress: (done: Int, of: Int)? {
    total.withLock { $0 }.map { (recompute.progress.slots, $0) }
  }

  /// Runs to the end.
  ///
  /// - Throws: `PostgresError`, `SchemaError`, `UnknownPortfolios`.
  package func run() async throws -> VerifyReport {
    let started = ContinuousClock.now
    var report = VerifyReport()
    // Whichever fails ends the other at once.
    try await withThrowingTaskGroup(of: Part.self) { group in
      group.addTask { [self] in .chain(try await checkChain()) }
      group.addTask { [self] in
        .recomputed(
          try await recompute.run { [self] segment in
            guard let finding = VerifyReport.Finding(segment) else { return }
            findings.withLock { $0.append(finding) }
          })
      }
      while let part = try await group.next() {
        switch part {
        case .chain(let outcomes): report.chain = outcomes
        case .recomputed(let counts): report.counts = counts
        }
      }
    }
    report.findings = findings.withLock { $0 }.sorted { $0.portfolio < $1.portfolio }
    report.seconds = (ContinuousClock.now - started) / .seconds(1)
    return report
  }

  private enum Part: Sendable {
    case chain([ChainChecks.Outcome])
    case recomputed(RecomputeCounts)
  }

  /// On a connection of its own, beside the workers: the server's part is most of it.
  private func checkChain() async throws -> [ChainChecks.Outcome] {
    let (first, last) = (scope.from ?? .earliest, scope.through ?? .latest)
    let codes = settings.codes
    let control = try await connect()
    do {
      let outcomes = try await control.perform { [self] db in
        try Migrator.requireCurrentSchema(on: db)
        let selection = try db.selection(of: codes, on: .latest, includingRetired: true)
        return try db.readBooks { books in
          try books.read { db in
            let count = try RecomputingSession.slotCount(
              from: first, through: last, of: selection, on: db)
            total.withLock { $0 = count }
            return try ChainChecks.run(
              from: first, through: last, of: selection, limit: Self.faultsKept, on: db)
          }
        }
      }
      await control.close()
      return outcomes
    } catch {
      await control.close()
      throw error
    }
  }
}

/// What a verification found.
package struct VerifyReport: Sendable {
  /// Why a date's stored numbers are not what its inputs make them.
  package enum Cause: String, Sendable, CaseIterable {
    /// An input changed since, as the books know: the next run closes it again.
    case stale
    /// An input is not what it was, and nobody said so: it was changed past the program, or the
    /// date is judged by another policy than its own, or the fingerprint was changed that would
    /// tell.
    case changed
    /// The rows were changed, or computed wrongly.
    case corrupt
  }

  /// A portfolio whose stored numbers are not what its inputs make them.
  package struct Finding: Sendable {
    /// The portfolio.
    package var portfolio: PortfolioName
    /// The first date that differs, and why; nil where only a date could not be recomputed.
    package var first: (date: Day, cause: Cause)?
    /// The closed date before it, if it was compared: the last known-good snapshot.
    package var lastGood: Day?
    /// The values of that first date.
    package var differences: [ValueDifference]
    /// The dates that differ, by cause.
    package var dates: [Cause: [Day]]
    /// A date that could not be recomputed.
    package var failure: SlotFailure?
  }

  /// Portfolios that differ, by name.
  package var findings: [Finding] = []
  /// What every check of the rows against each other found.
  package var chain: [ChainChecks.Outcome] = []
  /// How much was compared.
  package var counts = RecomputeCounts()
  /// Wall time.
  package var seconds = 0.0

  /// Whether everything was compared and nothing differs.
  package var isClean: Bool { findings.isEmpty && chain.allSatisfy { $0.count == 0 } }
}

extension VerifyReport.Finding {
  /// Nil for a portfolio whose dates all came out as they stand.
  init?(_ segment: RecomputedSegment) {
    let differing = segment.dates.filter { !$0.differences.isEmpty }
    guard !differing.isEmpty || segment.failure != nil else { return nil }
    self.init(
      portfolio: segment.portfolio.name, first: nil, lastGood: nil, differences: [], dates: [:],
      failure: segment.failure)
    for date in differing { dates[date.cause, default: []].append(date.date) }
    guard let first = differing.first else { return }
    self.first = (first.date, first.cause)
    lastGood = segment.dates.last { $0.date < first.date }?.date
    differences = first.differences
  }
}

extension RecomputedDate {
  /// Why it differs, if it does.
  package var cause: VerifyReport.Cause {
    if stored?.isStale == true { return .stale }
    if let stored, stored.policy != policy { return .changed }
    if inputsAreProven { return .corrupt }
    // A row from before there were fingerprints says nothing of its inputs.
    guard let before = stored?.fingerprint, let fingerprint else { return .corrupt }
    return before == fingerprint ? .corrupt : .changed
  }
}
