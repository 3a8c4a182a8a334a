import Accounting
import Postgres

@testable import Close
@testable import Storage

/// The server: its tables, its clock and its advisory locks.
///
/// Only the thread that the scheduler lets run touches it.
final class SimulatedDatabase: @unchecked Sendable {
  var tables = SimulatedTables()
  /// The tables as they were before each commit that a crash may still undo, the oldest first.
  private var undoable: [SimulatedTables] = []
  /// Seconds; leases are measured by it.
  var now = 0.0
  /// The tokens of the leases whose owners' control connections are open.
  var locks: Set<Int64> = []
  /// Goes up with each failover.
  private(set) var timeline: Int32 = 1
  /// What a standby has heard of so far.
  private var standby: SimulatedTables?
  let portfolios: [Portfolio]
  let instrument: Instrument
  let sabotage: Sabotage

  /// The close of every weekday at first; imports change them.
  init(portfolios: [Portfolio], instrument: Instrument, sabotage: Sabotage = []) {
    self.portfolios = portfolios
    self.instrument = instrument
    self.sabotage = sabotage
  }

  // MARK: Commits

  func commit(_ changed: SimulatedTables, survivesCrash: Bool) {
    if survivesCrash { undoable = [] } else { undoable.append(tables) }
    tables = changed
  }

  /// Of the commits that did not wait for the disk some may be gone, and all that followed them.
  ///
  /// - Returns: How many are.
  func crash(_ random: inout some RandomNumberGenerator) -> Int {
    let kept = Int.random(in: 0...undoable.count, using: &random)
    let undone = undoable.count - kept
    if undone > 0 { tables = undoable[kept] }
    undoable = []
    return undone
  }

  // MARK: Servers

  var identity: ServerIdentity { ServerIdentity(system: 1, timeline: timeline) }

  /// The standby catches up with what a crash cannot undo.
  func replicate() { standby = undoable.first ?? tables }

  /// The server is lost, and the standby takes its place: it knows nothing of what was committed
  /// since it last caught up, and gives the same numbers out again.
  func failOver() {
    tables = standby ?? tables
    undoable = []
    timeline += 1
    locks = []
  }

  /// Whether a lease is held, here.
  func isHeld(_ lease: Lease, in tables: SimulatedTables) -> Bool {
    if sabotage.contains(.noLeaseCheck) { return true }
    guard let row = tables.leases[lease.claim] else { return false }
    if sabotage.contains(.noToken) { return true }
    return row.token == lease.token && locks.contains(row.token) && lease.server == identity
  }

  func require(_ lease: Lease, in tables: SimulatedTables) throws {
    guard !isHeld(lease, in: tables) else { return }
    guard lease.server == identity else { throw ServerChanged(from: lease.server, to: identity) }
    throw LeaseGone()
  }

  // MARK: Populate

  /// As `IRRMoments.keep`.
  private func keep(_ moments: StoredMoments, seen: Int?, in tables: inout SimulatedTables) {
    let mayBeKept =
      sabotage.contains(.keptMoments)
      || tables.isLast(moments.asOf, moments.portfolio)
        && !tables.isChanged(moments.portfolio, through: moments.asOf, after: seen ?? 0)
    if mayBeKept {
      tables.moments[moments.portfolio] = moments
    } else if !sabotage.contains(.olderMoments) {
      tables.moments[moments.portfolio] = nil
    }
  }

  /// All slots of a portfolio or none of them, as `Populating.populate`.
  ///
  /// - Returns: The slots that were not ours any more, or whose opening had changed.
  func populate(_ chunk: PopulateChunk, in tables: inout SimulatedTables) throws -> Set<Slot> {
    if !chunk.results.isEmpty { try require(chunk.lease, in: tables) }
    var results = chunk.results
    var lost: Set<Slot> = []
    while !results.isEmpty {
      var attempt = tables
      let torn = try fill(results, chunk, in: &attempt)
      guard torn.isEmpty else {
        lost.formUnion(results.filter { torn.contains($0.slot.portfolio) }.map(\.slot))
        results.removeAll { torn.contains($0.slot.portfolio) }
        continue
      }
      attempt.transaction += 1
      let written = Set(results.map(\.slot.portfolio))
      for id in chunk.outdatedMoments where written.contains(id) { attempt.moments[id] = nil }
      for moments in chunk.moments where written.contains(moments.portfolio) {
        keep(moments, seen: Int(chunk.inputsSeen), in: &attempt)
      }
      if !sabotage.contains(.silentReplays) { markLaterSlots(after: results, in: &attempt) }
      tables = attempt
      return lost
    }
    return lost
  }

  /// - Returns: The portfolios of which some slot could not be written.
  private func fill(
    _ results: [SlotResult], _ chunk: PopulateChunk, in tables: inout SimulatedTables
  ) throws -> Set<ID<Portfolio>> {
    var torn: Set<ID<Portfolio>> = []
    // As one statement a date sees it: the openings of other dates as they then stand.
    for result in results.sorted(by: { $0.slot.date > $1.slot.date }) {
      let row = tables.rows[result.slot]
      guard let row, isOurs(row, result, chunk), opens(result, tables) else {
        torn.insert(result.slot.portfolio)
        continue
      }
      let place = result.snapshot.openedFrom.map { SimulatedTables.Row.Place.after($0) } ?? .first
      guard !tables.isTaken(place, besides: result.slot) else {
        throw PostgresError(
          .server, "duplicate key value violates unique constraint", sqlState: "23505",
          reachedServer: true)
      }
      tables.rows[result.slot] = SimulatedTables.Row(
        place: place, claim: row.claim, state: .complete, revision: row.revision + 1,
        seen: Int(chunk.inputsSeen), result: result, error: nil)
    }
    return torn
  }

  private func isOurs(
    _ row: SimulatedTables.Row, _ result: SlotResult, _ chunk: PopulateChunk
  ) -> Bool {
    if sabotage.contains(.noFence) { return true }
    guard row.claim == chunk.claim else { return false }
    guard let replaced = result.replaced else { return row.state != .complete }
    return row.state == .complete && row.revision == replaced.revision
  }

  private func opens(_ result: SlotResult, _ tables: SimulatedTables) -> Bool {
    guard let openedFrom = result.snapshot.openedFrom, !result.opensInSameSegment else {
      return true
    }
    let slot = Slot(portfolio: result.slot.portfolio, date: openedFrom)
    guard let opening = tables.rows[slot], opening.state == .complete else { return false }
    return sabotage.contains(.noRevisionCheck) || opening.revision == result.openedFromRevision
  }

  private func markLaterSlots(after results: [SlotResult], in tables: inout SimulatedTables) {
    let changed = Set(results.filter { $0.replaced != nil }.map(\.slot.portfolio))
    for id in changed.sorted() {
      guard let last = results.filter({ $0.slot.portfolio == id }).map(\.slot.date).max() else {
        continue
      }
      tables.changes.append(
        SimulatedTables.InputChange(
          number: tables.transaction, from: last + 1, portfolio: id, isReplacement: true))
    }
  }

  // MARK: Imports

  func importClose(_ price: Price, on date: Day) {
    undoable = []
    tables.closes[date] = price
    announce(from: date, of: nil)
  }

  func importActivity(_ activity: StoredActivity) {
    undoable = []
    tables.activities.append(activity)
    tables.activities.sort {
      ($0.portfolio, $0.activity.date, $0.activity.id)
        < ($1.portfolio, $1.activity.date, $1.activity.id)
    }
    announce(from: activity.activity.date, of: activity.portfolio)
  }

  private func announce(from date: Day, of portfolio: ID<Portfolio>?) {
    if sabotage.contains(.silentImports) { return }
    tables.change(from: date, of: portfolio)
    if sabotage.contains(.keptMoments) { return }
    tables.moments = tables.moments.filter { id, moments in
      moments.asOf < date || portfolio.map { $0 != id } ?? false
    }
  }
}

extension SlotResult {
  /// The per-holding rows as they are read again.
  func storedHoldings(of instrument: ID<Instrument>) -> [StoredHolding] {
    holdings.map { row in
      StoredHolding(
        portfolio: slot.portfolio, date: slot.date, holding: row.holding, instrument: instrument,
        price: row.price, priceDate: row.priceDate, quantity: row.quantity,
        marketValue: row.marketValue, costBasis: row.costBasis, dailyPnL: row.dailyPnL,
        unrealized: row.unrealized, localValue: row.localValue, localCost: row.localCost,
        attribution: row.attribution)
    }
  }
}

extension StoredOpening {
  init(_ result: SlotResult, revision: Int32) {
    self.init(
      portfolio: result.slot.portfolio, date: result.slot.date, revision: revision,
      closingEquity: result.snapshot.closingEquity, cash: result.snapshot.cash,
      index: result.snapshot.index, indexSince: result.snapshot.indexSince,
      cumulativePnL: result.snapshot.cumulativePnL)
  }
}

extension StoredCloses.StoredClose {
  init(
    _ result: SlotResult, revision: Int32, isStale: Bool, of instrument: ID<Instrument>
  ) {
    func stored(_ holding: ID<Holding>?, _ answer: IRRResult) -> StoredIRR {
      StoredIRR(
        slot: result.slot, holding: holding, result: answer, convention: result.convention)
    }
    self.init(
      snapshot: StoredSnapshot(
        slot: result.slot, revision: revision, openedFromRevision: result.openedFromRevision,
        run: nil, isStale: isStale, snapshot: result.snapshot,
        netExternalFlow: result.snapshot.netExternalFlow, fingerprint: result.fingerprint,
        keptPolicy: result.policy),
      holdings: result.storedHoldings(of: instrument), cashBalances: result.cashBalances,
      holdingIRRs: zip(result.holdings, result.holdingIRRs).map { stored($0.holding, $1) },
      portfolioIRRs: [stored(nil, result.portfolioIRR)])
  }
}
