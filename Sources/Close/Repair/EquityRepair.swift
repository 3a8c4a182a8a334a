internal import Accounting
package import Postgres
internal import Storage
internal import Synchronization

/// Heals closed dates that are not what their inputs make them: plan, then apply.
///
/// From the last good snapshot every later date of the portfolio is closed again under a claim
/// of its own, and all that it replaces is archived in the same transaction. A portfolio is
/// healed as a whole or not at all; a repair that was killed goes on where it was.
package final class EquityRepair: Sendable {
  static let kind = "equity"

  private let settings: RunSettings
  private let observer: any RunObserver
  private let connect: @Sendable () async throws -> Connection
  private let state = Mutex(State())

  private struct State {
    var isStopped = false
    var recompute: Recompute?
    var run: CloseRun?
  }

  /// A repair that has not begun.
  ///
  /// - Parameters:
  ///   - settings: As of a run; its codes and policy do not count.
  ///   - observer: Is told of its run, which closes what the plan says.
  ///   - connect: Opens a connection; a repair needs one a worker and three more.
  package init(
    settings: RunSettings, observer: any RunObserver = Unobserved(),
    connect: @escaping @Sendable () async throws -> Connection
  ) {
    self.settings = settings
    self.observer = observer
    self.connect = connect
  }

  /// Begins no further chunk.
  package func stop() {
    let (recompute, run) = state.withLock { state in
      state.isStopped = true
      return (state.recompute, state.run)
    }
    recompute?.stop()
    run?.stop()
  }

  // MARK: - Plan

  /// Says what would be done, and does nothing.
  package func plan(_ scope: EquityScope) async throws -> EquityPlan {
    var settings = settings
    settings.codes = scope.codes
    settings.policy = scope.policy
    // A date is right or wrong by its numbers; one with a carried price is not wrong for that.
    settings.isStrict = false
    let recompute = Recompute(
      RecomputeScope(from: scope.from, through: scope.through), settings: settings,
      connect: connect)
    state.withLock { $0.recompute = recompute }
    let found = Mutex<[RecomputedSegment]>([])
    let compared = try await recompute.run { segment in
      var segment = segment
      segment.dates.removeAll { $0.differences.isEmpty }
      let kept = segment
      found.withLock { $0.append(kept) }
    }
    guard !state.withLock({ $0.isStopped }) else { throw CancellationError() }
    let segments = found.withLock { $0 }.sorted { $0.portfolio.id < $1.portfolio.id }
    let connection = try await connect()
    do {
      let plan = try await connection.perform { db in
        try db.readBooks { books in
          try books.read { db in try Self.make(scope, segments, compared.slots, on: db) }
        }
      }
      await connection.close()
      return plan
    } catch {
      await connection.close()
      throw error
    }
  }

  private static func make(
    _ scope: EquityScope, _ segments: [RecomputedSegment], _ compared: Int,
    on db: isolated Connection
  ) throws -> EquityPlan {
    let selection =
      scope.codes.isEmpty ? .all : PortfolioSelection(segments.map(\.portfolio.id))
    let (first, last) = (scope.from ?? .earliest, scope.through ?? .latest)
    let tears = try OrphanRows.tears(of: selection, from: first, through: last, on: db)
    let orphans = try OrphanRows.find(of: selection, from: first, through: last, on: db)
    let tearsByPortfolio = Dictionary(grouping: tears, by: \.slot.portfolio)
    let doubtful = segments.filter { !$0.dates.isEmpty || tearsByPortfolio[$0.portfolio.id] != nil }
    let complete = Dictionary(
      grouping: try Planning.completeSlots(
        of: doubtful.map(\.portfolio.id), from: .earliest, through: .latest, on: db),
      by: \.portfolio)
    let damage = doubtful.compactMap { segment in
      EquityPlan.Damage(
        segment.portfolio, wrong: segment.dates.map(\.wrong),
        tears: tearsByPortfolio[segment.portfolio.id] ?? [],
        complete: (complete[segment.portfolio.id] ?? []).map(\.date))
    }
    let digests = try RepairArchive.digests(of: damage.map(\.differenceText), on: db)
    let plan = try RepairPlan(
      scope.members(damage, orphans),
      decisions: zip(damage, digests).map { $0.members(differences: $1) } + orphans.map(\.members),
      on: db)
    return EquityPlan(
      damage: damage, orphans: orphans, failures: segments.compactMap(\.failure),
      compared: compared,
      plan: plan)
  }

  // MARK: - Nothing to do

  /// Puts in order what a repair left that died after its last write: where nothing is to be done
  /// no run begins, which would do it first.
  package func cleanUp() async throws {
    let connection = try await connect()
    do {
      try await connection.perform { db in
        try DatabaseEpoch.requireForWriting(on: db)
        _ = try DeadOwners.cleanUp(on: db)
      }
      await connection.close()
    } catch {
      await connection.close()
      throw error
    }
  }

  // MARK: - Apply

  /// Carries a plan out.
  ///
  /// - Returns: What the run did; nil where the plan had been applied already, by the run named.
  /// - Throws: `RepairError`, and what a run throws.
  package func apply(_ text: String) async throws -> (report: RunReport?, run: Int64) {
    let guardian = try await connect()
    do {
      let result = try await apply(text, guardian)
      await guardian.close()
      return result
    } catch {
      await guardian.close()
      throw error
    }
  }

  private func apply(
    _ text: String, _ guardian: Connection
  ) async throws -> (report: RunReport?, run: Int64) {
    let asked = try await guardian.perform { db in
      try DatabaseEpoch.requireForWriting(on: db)
      guard try RepairArchive.lock(on: db) else { throw RepairError.busy }
      let plan = try RepairPlan(reading: text, kind: Self.kind, on: db)
      let scope = try RepairArchive.scope(ofPlan: text, on: db)
      return (
        plan: plan, applied: try RepairArchive.applied(plan: plan.digest, on: db),
        isBegun: try RepairArchive.isBegun(plan: plan.digest, on: db),
        scope: EquityScope(
          from: scope.from.flatMap { Day($0) }, through: scope.to.flatMap { Day($0) },
          codes: scope.codes, policy: scope.policy)
      )
    }
    if let run = asked.applied { return (nil, run) }
    let now = try await plan(asked.scope)
    try asked.plan.requireSame(as: now.plan, orRestOf: asked.isBegun)
    var settings = settings
    settings.isRepair = true
    settings.policy = asked.scope.policy
    let task = EquityRepairTask(now, text: text, digest: asked.plan.digest)
    let run = CloseRun(
      .repair(task), settings: settings, observer: observer, connect: connect)
    let isStopped = state.withLock { state in
      state.run = run
      return state.isStopped
    }
    if isStopped { run.stop() }
    let report = try await run.run()
    return (report, report.run)
  }
}

extension RecomputedDate {
  fileprivate var wrong: EquityPlan.WrongDate {
    EquityPlan.WrongDate(
      date: date, storedClosing: stored?.snapshot.closingEquity,
      closing: close.snapshot.closingEquity, differences: differences)
  }
}

/// What a run of a repair has to do.
package struct EquityRepairTask: Sendable {
  let firstBad: [ID<Portfolio>: Day]
  let missing: [ID<Portfolio>: [Day]]
  let orphans: [OrphanRows.Group]
  let earliest: Day?
  let latest: Day
  /// The portfolios that are closed again; all where none is.
  var selection: PortfolioSelection { firstBad.isEmpty ? .all : PortfolioSelection(firstBad.keys) }
  let text: String
  let digest: String

  init(_ plan: EquityPlan, text: String, digest: String) {
    firstBad = Dictionary(
      uniqueKeysWithValues: plan.damage.map { ($0.portfolio.id, $0.firstBad) })
    missing = Dictionary(uniqueKeysWithValues: plan.damage.map { ($0.portfolio.id, $0.missing) })
    orphans = plan.orphans
    earliest = firstBad.values.min() ?? orphans.map(\.slot.date).min()
    latest = plan.damage.map(\.latest).max() ?? orphans.map(\.slot.date).max() ?? .latest
    self.text = text
    self.digest = digest
  }

  /// Records the repair and takes out what belongs to no closed date, in the caller's transaction.
  func begin(_ run: Int64, on db: isolated Connection) throws {
    try RepairArchive.begin(
      run, kind: EquityRepair.kind, table: nil, plan: text, digest: digest, on: db)
    let removed = try OrphanRows.remove(orphans, run: run, on: db)
    guard removed == orphans.reduce(0, { $0 + Int($1.count) }) else {
      throw RepairError.changed(["rows that belong to no closed date"])
    }
  }

  func replay(_ calendars: Calendars) -> ReplayPlan {
    ReplayPlan(
      calendars: calendars,
      range: ReplayRange(
        from: earliest ?? latest, through: latest, onlyStale: true, throughLatest: true),
      stale: firstBad, missing: missing)
  }
}
