import Accounting
@testable import Postgres

@testable import Close
@testable import Storage

/// A store without a server: each call is atomic, and before each anything may happen.
///
/// It says in Swift what Storage's statements say in SQL, rule by rule.
actor SimulatedConnection: CloseStore {
  let database: SimulatedDatabase
  let process: SimulatedProcess
  private var isLost = false
  /// What the open read-only transaction sees.
  var view: SimulatedTables?

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    CallersThread.shared.asUnownedSerialExecutor()
  }

  init(_ database: SimulatedDatabase, _ process: SimulatedProcess) {
    self.database = database
    self.process = process
  }

  var isUsable: Bool { !isLost }

  /// The line breaks; what was sent before may have been done.
  func cut() { isLost = true }

  // MARK: One call

  /// What becomes of a call's writes in a crash of the server.
  enum Commit {
    /// It writes nothing.
    case nothing
    /// It did not wait for the disk: a crash may undo it, and whatever it wrote after.
    case undoable
    /// It is there for good, and so is everything before it.
    case durable
  }

  func call<R>(
    _ name: String = #function, commits: Commit = .nothing, isCommit: Bool = false,
    _ body: (inout SimulatedTables) throws -> R
  ) throws -> R {
    let fate = try process.next()
    process.tell("\(name.prefix { $0 != "(" }) \(isLost ? "on a lost line" : "\(fate)")")
    if isLost { throw lost(reachedServer: false) }
    switch fate {
    case .cutBefore:
      isLost = true
      throw lost(reachedServer: false)
    case .refused:
      throw PostgresError(
        .server, "deadlock detected", sqlState: "40P01", reachedServer: true)
    case .done, .cutAfter: break
    }
    var tables = view ?? database.tables
    let result = try body(&tables)
    switch commits {
    case .nothing: break
    case .undoable: database.commit(tables, survivesCrash: false)
    case .durable: database.commit(tables, survivesCrash: true)
    }
    if fate == .cutAfter {
      isLost = true
      let cause = lost(reachedServer: true)
      guard isCommit else { throw cause }
      throw TransactionError(step: .commit, cause: cause, commitOutcomeUnknown: true)
    }
    return result
  }

  private func lost(reachedServer: Bool) -> PostgresError {
    PostgresError(
      .connectionLost, "the line was cut", reachedServer: reachedServer, connectionIsLost: true)
  }

  func isAlive(_ claim: Int64, _ tables: SimulatedTables) -> Bool {
    guard let lease = tables.leases[claim] else { return false }
    return lease.until > database.now && database.locks.contains(lease.token)
  }

  private func mayBeTaken(_ row: SimulatedTables.Row, _ tables: SimulatedTables) -> Bool {
    row.state == .failed || !isAlive(row.claim, tables)
  }

  // MARK: Planning

  func activityCounts(of portfolios: [ID<Portfolio>]) throws -> [ID<Portfolio>: Int] {
    try call { _ in [:] }
  }

  func portfolios(
    after: Int64, limit: Int, activeOn date: Day, of selection: PortfolioSelection,
    retired: RetiredPortfolios
  ) throws -> [PlannedPortfolio] {
    try call { tables in
      database.portfolios
        .filter { portfolio in
          portfolio.id.rawValue > after && portfolio.inception <= date
            && selection.includes(portfolio.id)
        }
        .prefix(limit).map { portfolio in
          PlannedPortfolio(
            portfolio: portfolio,
            lastComplete: tables.rows(of: portfolio.id).last { $0.row.state == .complete }?
              .slot.date)
        }
    }
  }

  func retired(among portfolios: [ID<Portfolio>], before date: Day) throws -> [ID<Portfolio>] { [] }

  func completeSlots(
    of portfolios: [ID<Portfolio>], from first: Day, through last: Day
  ) throws -> [Slot] {
    try call { tables in
      portfolios.sorted().flatMap { tables.rows(of: $0) }
        .filter { $0.row.state == .complete && $0.slot.date >= first && $0.slot.date <= last }
        .map(\.slot)
    }
  }

  func openingsBefore(
    _ first: Day, of portfolios: [ID<Portfolio>]
  ) throws -> [ID<Portfolio>: Day] {
    try call { tables in
      var result: [ID<Portfolio>: Day] = [:]
      for id in portfolios {
        result[id] =
          tables.rows(of: id).last { $0.row.state == .complete && $0.slot.date < first }?.slot.date
      }
      return result
    }
  }

  func stale(
    through: Day, includingLocked: Bool, of selection: PortfolioSelection
  ) throws -> [ID<Portfolio>: Day] {
    try call { tables in
      var result: [ID<Portfolio>: Day] = [:]
      for slot in tables.rows.keys
      where slot.date <= through && selection.includes(slot.portfolio) && tables.isStale(slot) {
        result[slot.portfolio] = min(result[slot.portfolio] ?? slot.date, slot.date)
      }
      return result
    }
  }

  // MARK: Claims

  func renew(_ lease: Lease, seconds: Double) throws -> Bool {
    try call(commits: .durable) { tables in
      guard let row = tables.leases[lease.claim], row.token == lease.token,
        row.until > database.now
      else { return false }
      tables.leases[lease.claim]?.until = database.now + seconds
      return true
    }
  }

  func cover(from first: Day, through last: Day, _ lease: Lease) throws {
    try call(commits: .durable) { tables in
      guard let row = tables.leases[lease.claim], row.token == lease.token else { return }
      let dates = row.dates ?? first...last
      tables.leases[lease.claim]?.dates =
        min(first, dates.lowerBound)...max(last, dates.upperBound)
    }
  }

  func require(_ lease: Lease) throws {
    try call { tables in try database.require(lease, in: tables) }
  }

  func claim(
    _ claims: [SlotClaim], as lease: Lease, run: Int64, overLocks: Bool
  ) throws -> Set<Slot> {
    try call(commits: .undoable) { tables in
      guard database.isHeld(lease, in: tables) else { return [] }
      let claim = lease.claim
      var ours: Set<Slot> = []
      let ordered = claims.sorted {
        ($0.slot.date, $0.slot.portfolio) < ($1.slot.date, $1.slot.portfolio)
      }
      for one in ordered {
        let place = one.link.place(of: one.slot)
        guard tables.rows[one.slot] == nil, !tables.isTaken(place, besides: one.slot) else {
          continue
        }
        tables.rows[one.slot] = SimulatedTables.Row(place: place, claim: claim)
        ours.insert(one.slot)
      }
      return ours
    }
  }

  func holders(of slots: [Slot]) throws -> [SlotHolder] {
    try call { tables in
      slots.compactMap { slot in
        tables.rows[slot].map { row in
          SlotHolder(
            slot: slot, claim: row.claim,
            state: row.state == .complete
              ? .complete : mayBeTaken(row, tables) ? .free : .busy)
        }
      }
    }
  }

  func unfinished(of portfolios: [ID<Portfolio>], through: Day) throws -> [SlotHolder] {
    try call { tables in
      portfolios.sorted().flatMap { tables.rows(of: $0) }
        .filter { $0.row.state != .complete && $0.slot.date <= through }
        .map { slot, row in
          let state: SlotHolder.State = mayBeTaken(row, tables) ? .free : .busy
          let hasFailed: Bool = row.state == .failed && row.error != "lease expired"
          return SlotHolder(
            slot: slot, claim: row.claim, state: state, hasFailed: hasFailed)
        }
    }
  }

  func takeOver(
    _ holders: [SlotHolder], links: [Slot: SlotClaim.Link], as lease: Lease, run: Int64,
    overLocks: Bool
  ) throws -> (ours: Set<Slot>, relinquish: Set<Slot>) {
    let claim = lease.claim
    let taken = try call(commits: .undoable) { tables in
      var taken: Set<Slot> = []
      guard database.isHeld(lease, in: tables) else { return taken }
      for holder in holders {
        guard var row = tables.rows[holder.slot], row.claim == holder.claim, row.claim < claim,
          row.state != .complete, mayBeTaken(row, tables)
        else { continue }
        row.claim = claim
        row.state = .claimed
        row.error = nil
        row.place = .parked(holder.slot.date)
        tables.rows[holder.slot] = row
        taken.insert(holder.slot)
      }
      return taken
    }
    let placed = try call(commits: .undoable) { tables in
      var placed: Set<Slot> = []
      for slot in taken {
        guard let row = tables.rows[slot], row.claim == claim, row.state != .complete else {
          continue
        }
        let place = (links[slot] ?? .later).place(of: slot)
        guard !tables.isTaken(place, besides: slot) else { continue }
        tables.rows[slot]?.place = place
        placed.insert(slot)
      }
      return placed
    }
    let left = taken.subtracting(placed)
    if !left.isEmpty { try release(Array(left), as: claim) }
    return (placed, left)
  }

  func discard(_ holders: [SlotHolder]) throws {
    try call(commits: .durable) { tables in
      for holder in holders {
        guard let row = tables.rows[holder.slot], row.claim == holder.claim,
          row.state != .complete, mayBeTaken(row, tables)
        else { continue }
        tables.rows[holder.slot] = nil
      }
    }
  }

  /// Nothing is locked in this world.
  func locked(among slots: [Slot]) throws -> Set<Slot> { [] }

  func claimComplete(
    _ slots: [Slot], as lease: Lease, run: Int64, overLocks: Bool
  ) throws -> [Slot: ClaimedClose] {
    try call(commits: .undoable) { tables in
      var ours: [Slot: ClaimedClose] = [:]
      guard database.isHeld(lease, in: tables) else { return ours }
      let claim = lease.claim
      for slot in slots {
        guard let row = tables.rows[slot], row.state == .complete,
          row.claim == claim || !isAlive(row.claim, tables)
        else { continue }
        tables.rows[slot]?.claim = claim
        ours[slot] = ClaimedClose(
          revision: row.revision, policy: row.result?.policy ?? ClosePolicy())
      }
      return ours
    }
  }

  func fail(
    _ failures: [(slot: Slot, error: String, sqlState: String?)], as claim: Int64
  ) throws {
    try call(commits: .durable) { tables in
      for failure in failures {
        guard let row = tables.rows[failure.slot], row.claim == claim, row.state != .complete else {
          continue
        }
        tables.rows[failure.slot]?.state = .failed
        tables.rows[failure.slot]?.error = failure.error
      }
    }
  }

  func relinquish(as claim: Int64) throws {
    try call(commits: .durable) { tables in
      guard tables.leases[claim] != nil else { return }
      for (slot, row) in tables.rows where row.claim == claim && row.state == .complete {
        tables.rows[slot]?.claim = -claim
      }
    }
  }

  func release(_ slots: [Slot], as claim: Int64) throws {
    try call(commits: .durable) { tables in
      for slot in slots where tables.rows[slot]?.claim == claim {
        if tables.rows[slot]?.state == .claimed { tables.rows[slot] = nil }
      }
    }
  }
}

/// Work on a simulated connection runs on the thread that asks for it; the scheduler lets one
/// thread run at a time.
final class CallersThread: SerialExecutor {
  static let shared = CallersThread()

  func enqueue(_ job: consuming ExecutorJob) {
    job.runSynchronously(on: asUnownedSerialExecutor())
  }

  func checkIsolated() {}
}
