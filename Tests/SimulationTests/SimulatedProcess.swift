import Accounting
import Foundation
import Postgres

@testable import Close
@testable import Storage

/// What becomes of one call.
enum Fate {
  case done
  /// The line breaks before the call is sent.
  case cutBefore
  /// The call is done, and the line breaks before the answer.
  case cutAfter
  /// The server ends it as the victim of a deadlock.
  case refused
}

/// The process is gone: nothing it does has an effect any more.
struct Killed: Error {}

/// One invocation of the program, on a thread of its own that runs when the scheduler says so.
///
/// What a run does is the product's own code; this stands where `CloseRun` and `Worker` await.
final class SimulatedProcess: @unchecked Sendable {
  let purpose: CloseRun.Purpose
  let settings: RunSettings
  private unowned let simulation: Simulation
  private let turn = DispatchSemaphore(value: 0)

  private(set) var isOver = false
  var isKilled = false
  var wakesAt = 0.0
  var heldLock: Int64?
  private(set) var context: RunContext?
  private(set) var control: SimulatedConnection?
  private var worker: SimulatedConnection?
  private(set) var failure: (any Error)?
  private var lastBeat = 0.0
  var report: RunReport? { context?.report }

  let name: String
  private let token: Int64

  init(
    _ purpose: CloseRun.Purpose, settings: RunSettings, name: String, token: Int64,
    in simulation: Simulation
  ) {
    self.name = name
    self.token = token
    self.purpose = purpose
    self.settings = settings
    self.simulation = simulation
    let thread = Thread { [self] in
      turn.wait()
      run()
      isOver = true
      tell("is over: \(failure.map { "\($0)" } ?? report?.counts.json ?? "")")
      simulation.handBack()
    }
    thread.stackSize = 1 << 20
    thread.start()
  }

  // MARK: Turns

  /// Lets the process run up to its next call; called by the scheduler.
  func proceed() { turn.signal() }

  /// Waits for the process's turn, and says what becomes of the call that it is about to make.
  func next() throws -> Fate {
    if isKilled { throw Killed() }
    simulation.handBack()
    turn.wait()
    if isKilled { throw Killed() }
    return simulation.fate()
  }

  /// One line of the history, for whoever looks for its cause.
  func tell(_ line: @autoclosure () -> String) {
    simulation.tell("\(name) \(line())")
  }

  private func sleep(_ seconds: Double) throws {
    wakesAt = simulation.database.now + seconds
    _ = try next()
  }

  // MARK: The run

  private func run() {
    do {
      guard let context = try begin() else { return }
      do {
        try passes(context)
      } catch {
        failure = error
      }
      guard !isKilled else { return }
      try end(context)
    } catch {
      failure = failure ?? error
    }
    // The process ends: its connections close, and the server frees the lock.
    if let lock = heldLock { simulation.database.locks.remove(lock) }
  }

  private func begin() throws -> RunContext? {
    let (kind, from, through) =
      switch purpose {
      case .night(let date): ("run", date, date)
      case .replay(let range): ("replay", range.from, range.through)
      case .repair(let task): ("repair equity", task.latest, task.latest)
      }
    let opening = RunOpening(
      kind: kind, from: from, through: through, settings: settings, token: token)
    let connection = SimulatedConnection(simulation.database, self)
    control = connection
    let asked = simulation.instant
    guard let begun = try connection.assumeIsolated({ db in try db.begin(opening) }) else {
      return nil
    }
    lastBeat = simulation.database.now
    context = RunContext(
      opening, begun, leaseAsked: asked, now: { [simulation] in simulation.instant })
    return context
  }

  private func passes(_ context: RunContext) throws {
    let deadline = simulation.database.now + (settings.waitSeconds ?? settings.leaseSeconds)
    guard let control else { return }
    var planner = try control.assumeIsolated { [purpose] db in
      try Planner(purpose, context, on: db)
    }
    var queue = ChunkQueue(planner: planner, selection: context.selection, isFirstPass: true)
    while true {
      let busy = try work(context, queue)
      guard !busy.isEmpty, !context.isStopping, simulation.database.now < deadline else { return }
      try sleep(5)
      planner = try control.assumeIsolated { [planner] db in
        try context.market.renew(on: db)
        return try planner.rest(of: busy, context, on: db)
      }
      queue = ChunkQueue(
        planner: planner, selection: PortfolioSelection(busy.map(\.portfolio.id)),
        isFirstPass: false)
    }
  }

  private func work(_ context: RunContext, _ queue: ChunkQueue) throws -> [ChainSegment] {
    var busy: [ChainSegment] = []
    while !context.isStopping {
      guard let chunk = try nextChunk(context, queue) else { break }
      var work = ChunkWork(chunk, room: ChunkBudget.slots(of: context.settings))
      while let step = work.next {
        do {
          let outcome = try ready(context).assumeIsolated { db in try step.take(context, on: db) }
          context.record(work.succeeded(outcome, goesOn: !context.isStopping))
        } catch {
          if let pause = try work.failed(error, mayWrite: context.mayWrite) {
            try sleep(pause / .seconds(1))
          }
        }
      }
      busy += work.busy
    }
    return busy
  }

  private func nextChunk(_ context: RunContext, _ queue: ChunkQueue) throws -> [ChainSegment]? {
    var attempts = Attempts()
    while true {
      do {
        return try ready(context).assumeIsolated { db in try queue.next(context, on: db) }
      } catch {
        guard let pause = attempts.pause(after: error, mayWrite: context.mayWrite) else {
          throw error
        }
        try sleep(pause / .seconds(1))
      }
    }
  }

  private func ready(_ context: RunContext) throws -> SimulatedConnection {
    if let worker, worker.assumeIsolated({ $0.isUsable }) { return worker }
    let fresh = SimulatedConnection(simulation.database, self)
    try fresh.assumeIsolated { db in try db.require(context.lease) }
    worker = fresh
    return fresh
  }

  private func end(_ context: RunContext) throws {
    let report = context.report
    try control?.assumeIsolated { db in
      _ = try db.end(
        RunEnding(
          run: context.run, lease: context.lease, ending: failure != nil ? .failed : .done,
          exitCode: failure != nil ? 2 : report.exitCode, counts: report.counts.json,
          mayHoldPlaceholders: failure != nil || context.mayHoldPlaceholders,
          asksForStale: false))
    }
  }

  // MARK: What the scheduler does to it

  /// The heartbeat's turn: prolongs the lease, or learns that it cannot be.
  func beat() {
    let now = simulation.database.now
    guard let context, !isOver, !isKilled, now - lastBeat >= settings.leaseSeconds / 8 else {
      return
    }
    lastBeat = now
    let asked = simulation.instant
    guard let lock = heldLock, simulation.database.locks.contains(lock) else {
      if !context.mayWrite { context.stop() }
      return
    }
    let claim = context.claim
    if let row = simulation.database.tables.leases[claim], row.until > now {
      var tables = simulation.database.tables
      tables.leases[claim]?.until = now + settings.leaseSeconds
      simulation.database.commit(tables, survivesCrash: true)
      context.leaseRenewed(askedAt: asked)
    } else {
      context.stop()
    }
  }

  /// kill -9: the server notices at once and frees the lock.
  func kill() {
    isKilled = true
    if let lock = heldLock { simulation.database.locks.remove(lock) }
  }

  /// All lines break, as in a crash of the server; the process lives.
  func cutLines() {
    control?.assumeIsolated { $0.cut() }
    worker?.assumeIsolated { $0.cut() }
    if let lock = heldLock { simulation.database.locks.remove(lock) }
  }
}
