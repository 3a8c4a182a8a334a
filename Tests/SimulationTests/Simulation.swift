import Accounting
import Foundation
import Postgres
import TestSupport

@testable import Close
@testable import Storage

/// A history of runs that overlap, crash, stall and lose their lines, all of it drawn from a seed.
final class Simulation: @unchecked Sendable {
  /// What may happen beside the work itself.
  struct Weather {
    /// The chance of a call's line being cut, and of its being refused.
    var cut = 0.02
    var refusal = 0.02
    /// The chances, at each turn, of a kill, of a stall beyond the lease, of a server crash, of
    /// an import, of the standby's catching up, and of its taking the server's place.
    var kill = 0.01
    var stall = 0.03
    var crash = 0.005
    var imports = 0.03
    var replication = 0.1
    var failover = 0.004

    /// Nothing happens.
    static let fair = Weather(
      cut: 0, refusal: 0, kill: 0, stall: 0, crash: 0, imports: 0,
      replication: 0, failover: 0)
  }

  let database: SimulatedDatabase
  private var random: SeededGenerator
  private var tokens: Tokens
  private var weather: Weather
  private let baton = DispatchSemaphore(value: 0)
  private let origin = ContinuousClock.now
  private(set) var processes: [SimulatedProcess] = []
  private var started = 0
  var listener: ((String) -> Void)?
  /// How often each thing happened.
  private(set) var events = Events()

  struct Events {
    var turns = 0
    var cuts = 0
    var kills = 0
    var stalls = 0
    var crashes = 0
    var undone = 0
    var failovers = 0
    var elsewhere = 0
    var imports = 0
    var fenced = 0
    var takenOver = 0
    var takenForDead = 0
  }

  init(_ database: SimulatedDatabase, seed: UInt64, weather: Weather) {
    self.database = database
    self.weather = weather
    random = SeededGenerator(seed: seed)
    tokens = Tokens(seed: seed)
  }

  /// Of leases; drawn apart from what happens.
  private struct Tokens {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: ~seed) }

    mutating func next() -> Int64 { Int64(bitPattern: random.next()) }
  }

  /// The processes' own clock.
  var instant: ContinuousClock.Instant { origin + .seconds(database.now) }

  func start(_ purpose: CloseRun.Purpose, _ settings: RunSettings, at time: Double = 0) {
    started += 1
    let name = "[\(started)]"
    tell("\(name) starts: \(purpose)")
    let process = SimulatedProcess(
      purpose, settings: settings, name: name, token: tokens.next(), in: self)
    process.wakesAt = database.now + time
    processes.append(process)
  }

  /// One line of the history, where somebody listens.
  func tell(_ line: @autoclosure () -> String) {
    guard let listener else { return }
    let time = (database.now * 10).rounded() / 10
    listener("\(time) \(line())")
  }

  /// Gives the turn back to the scheduler; called on a process's thread.
  func handBack() { baton.signal() }

  /// Runs every process to its end, one turn at a time.
  ///
  /// - Throws: `Endless` where that takes more turns than any honest history.
  func run() throws {
    var live = processes.filter { !$0.isOver }
    var turns = 0
    while !live.isEmpty {
      turns += 1
      guard turns < 20_000 else { throw Endless() }
      let awake = live.filter { $0.wakesAt <= database.now || $0.isKilled }
      guard let process = awake.randomElement(using: &random) else {
        database.now = live.map(\.wakesAt).min() ?? database.now
        continue
      }
      happen(to: process, among: live)
      for other in live where other.wakesAt <= database.now { other.beat() }
      guard process.wakesAt <= database.now || process.isKilled else { continue }
      database.now += Double.random(in: 0...0.5, using: &random)
      process.proceed()
      baton.wait()
      live.removeAll(where: \.isOver)
    }
    events.turns += turns
    for process in processes {
      events.fenced += process.report?.counts.fenced ?? 0
      events.takenOver += process.report?.counts.takenOver ?? 0
      if process.failure is LeaseGone { events.takenForDead += 1 }
      if process.failure is ServerChanged { events.elsewhere += 1 }
    }
    processes = []
  }

  struct Endless: Error {}

  /// Decides what becomes of the call that a process is about to make.
  func fate() -> Fate {
    let chance = Double.random(in: 0..<1, using: &random)
    if chance < weather.cut / 2 {
      events.cuts += 1
      return .cutBefore
    }
    if chance < weather.cut {
      events.cuts += 1
      return .cutAfter
    }
    return chance < weather.cut + weather.refusal ? .refused : .done
  }

  private func happens(_ chance: Double) -> Bool {
    chance > 0 && Double.random(in: 0..<1, using: &random) < chance
  }

  private func happen(to process: SimulatedProcess, among live: [SimulatedProcess]) {
    if happens(weather.kill) {
      events.kills += 1
      tell("\(process.name) kill")
      process.kill()
    }
    if happens(weather.stall) {
      events.stalls += 1
      tell("\(process.name) stall")
      process.wakesAt = database.now + Double.random(in: 1...300, using: &random)
    }
    if happens(weather.crash) {
      events.crashes += 1
      tell("crash")
      for one in live { one.cutLines() }
      let undone = database.crash(&random)
      events.undone += undone
      tell("\(undone) commits undone")
    }
    if happens(weather.replication) { database.replicate() }
    if happens(weather.failover) {
      events.failovers += 1
      tell("failover")
      database.failOver()
      for one in live { one.cutLines() }
    }
    if happens(weather.imports) {
      events.imports += 1
      tell("import")
      World.importSomething(into: database, &random)
    }
  }
}
