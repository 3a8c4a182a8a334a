internal import Accounting
internal import Postgres
internal import Storage
internal import Synchronization

/// The passes of a run: the first takes everything, later ones ask again for what live owners
/// held, and for nothing else.
struct RunPasses {
  let purpose: CloseRun.Purpose
  let context: RunContext
  let planning: PlanningConnection
  /// Opens a worker's session.
  let connect: @Sendable () async throws -> Connection

  /// Until nothing is left, or nobody waits any longer.
  ///
  /// - Returns: What went wrong, as it arrived.
  func run() async -> [any Error] {
    if case .repair(let task) = purpose, task.firstBad.isEmpty { return [] }
    let settings = context.settings
    let deadline = ContinuousClock.now + .seconds(settings.waitSeconds ?? settings.leaseSeconds)
    var waiting = OwnersWait(leaseSeconds: settings.leaseSeconds)
    do {
      var planner = try await planning.perform { [purpose, context] db in
        try Planner(purpose, context, on: db)
      }
      var queue = ChunkQueue(planner: planner, selection: context.selection, isFirstPass: true)
      while true {
        let pass = await WorkerPool(context: context, queue: queue, connect: connect).run()
        let left = pass.busy.reduce(0) { $0 + $1.steps.count }
        context.record { $0.counts.busy = left }
        guard pass.failures.isEmpty, left > 0, !context.isStopping,
          ContinuousClock.now < deadline
        else { return pass.failures }
        // Two replays, each done with what the other waits for, would wait in vain.
        if context.takeHoldsComplete() {
          try await planning.perform { [context] db in try db.relinquish(as: context.claim) }
        }
        try await sleep(until: min(deadline, .now + waiting.next(left: left)))
        planner = try await planning.perform { [planner, context] db in
          try context.market.renew(on: db)
          return try planner.rest(of: pass.busy, context, on: db)
        }
        queue = ChunkQueue(
          planner: planner, selection: PortfolioSelection(pass.busy.map(\.portfolio.id)),
          isFirstPass: false)
      }
    } catch {
      return [error]
    }
  }

  /// Ends early when the run is stopped.
  private func sleep(until moment: ContinuousClock.Instant) async throws {
    while !context.isStopping, ContinuousClock.now < moment {
      try await Task.sleep(until: min(moment, .now + .milliseconds(250)))
    }
  }
}

/// How long a run waits before it asks again for what live owners hold.
///
/// Twice as long each time, up to the time within which an owner gives a sign of life, and from the
/// beginning whenever something was given free.
struct OwnersWait {
  private static let shortest = Duration.milliseconds(250)
  private let longest: Duration
  private var pause = Self.shortest
  private var lastLeft = Int.max

  init(leaseSeconds: Double) {
    longest = max(Self.shortest, min(.seconds(5), .seconds(leaseSeconds / 8)))
  }

  /// The next pause.
  ///
  /// - Parameter left: How many dates are still held.
  mutating func next(left: Int) -> Duration {
    if left < lastLeft { pause = Self.shortest }
    lastLeft = left
    defer { pause = min(pause * 2, longest) }
    return pause
  }
}

/// The connection that plans a run and ends it; what is passing is tried again, on another one
/// where it was lost, as a worker does.
final class PlanningConnection: Sendable {
  private let context: RunContext
  private let ahead: ConnectionsAhead
  private let open = Mutex<Connection?>(nil)

  /// - Parameter ahead: Opens it when it is first needed, or has done so.
  init(_ context: RunContext, _ ahead: ConnectionsAhead) {
    self.context = context
    self.ahead = ahead
  }

  /// The connection, unless it is lost or was never opened.
  var usable: Connection? { open.withLock { $0 }.flatMap { $0.isUsable ? $0 : nil } }

  /// Runs `body`, which may be run again from its beginning.
  func perform<R: Sendable>(
    _ body: @escaping @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    var attempts = Attempts()
    while true {
      do {
        return try await ready().perform(body)
      } catch {
        let pause = attempts.pause(after: error, mayWrite: context.mayWrite)
        context.noteFault(error, retriedAfter: pause)
        guard let pause else { throw error }
        try await Attempts.sleep(about: pause)
      }
    }
  }

  private func ready() async throws -> Connection {
    if let usable { return usable }
    await close()
    let fresh = try await ahead.take()
    do {
      try await requireSameServer(fresh)
    } catch {
      await fresh.close()
      throw error
    }
    open.withLock { $0 = fresh }
    return fresh
  }

  /// What another server says of the books, or of a claim of this number, is not about this run.
  private func requireSameServer(_ connection: Connection) async throws {
    let server = try await connection.perform { db in try ServerIdentity.read(on: db) }
    guard server == context.lease.server else {
      throw ServerChanged(from: context.lease.server, to: server)
    }
  }

  func close() async {
    let last = open.withLock { open in
      defer { open = nil }
      return open
    }
    await last?.close()
  }
}
