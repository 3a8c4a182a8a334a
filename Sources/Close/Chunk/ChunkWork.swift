internal import Accounting
internal import Postgres
internal import Problems
internal import Storage

/// How often, and how long after, a step that failed is taken again.
struct Attempts {
  /// How often a passing fault is tried again before the run gives up.
  static let max = 6

  private var made = 1

  init() {}

  /// Waits for about so long: those who failed together do not come back together.
  static func sleep(about pause: Duration) async throws {
    try await Task.sleep(for: pause * Double.random(in: 0.5...1.5))
  }

  /// The pause before the next attempt, to be spread by chance; nil where there is to be none.
  ///
  /// - Parameter mayWrite: Whether the run's lease still covers a write.
  mutating func pause(after error: any Error, mayWrite: Bool) -> Duration? {
    guard Fault.cause(of: error)?.mayRetry == true, made < Self.max, mayWrite else { return nil }
    defer { made += 1 }
    return .milliseconds(50 << made)
  }
}

/// What an error means for the work that met it.
enum Fault {
  /// What the database said.
  ///
  /// A commit whose outcome is unknown is a passing fault too: a chunk that is taken again finds
  /// its slots complete under its own claim.
  static func cause(of error: any Error) -> PostgresError? {
    error as? PostgresError ?? (error as? TransactionError)?.cause
  }

  /// Whether a session ended under its owner, as the server ends that of a worker who stood still
  /// while others waited.
  ///
  /// A commit that may have gone through is told as it is.
  static func endedSession(_ error: any Error) -> Bool {
    if (error as? TransactionError)?.commitOutcomeUnknown == true { return false }
    guard let error = cause(of: error) else { return false }
    return error.kind == .connectionLost
      || error.sqlState.map([SQLState.idleInTransactionTimeout, SQLState.adminShutdown].contains)
        ?? false
  }

  /// Whether an error concerns the whole run and not just some portfolio of a chunk.
  static func isFinal(_ error: any Error) -> Bool {
    if error is LeaseEnded || error is LeaseGone || error is ServerChanged { return true }
    if error is LockHeld || error is MarketUnreadable { return true }
    if error is CancellationError || error is SchemaError { return true }
    guard let error = cause(of: error) else { return false }
    return error.mayRetry || error.kind != .server && error.kind != .unreadable
      || error.sqlState.map(isTheServers) ?? false
  }

  /// Whether a stored value is none to be counted with: written by hand, or by another version.
  static func isUnreadable(_ error: any Error) -> Bool {
    error is StorageError || (error as? PostgresError)?.kind == .unreadable
  }

  /// Whether somebody else kept a row locked for longer than one waits for it.
  static func isLock(_ error: any Error) -> Bool {
    cause(of: error)?.waitedTooLongForLock == true
  }

  /// A full disk, a limit of the server's, a file it cannot read, a server that may only be read, a
  /// role that may not do it: no portfolio is at fault, and halving the chunk would blame each.
  private static func isTheServers(_ state: String) -> Bool {
    [
      SQLState.diskFull, SQLState.configurationLimitExceeded, SQLState.readOnlyTransaction,
      SQLState.insufficientPrivilege,
    ].contains(state) || state.hasPrefix("58")
  }
}

/// What a worker does with a chunk, as a machine without a clock or a database: it says what comes
/// next, and is told how that went.
///
/// A passing fault is tried again; a chunk that fails for good is halved until the portfolio at
/// fault stands alone, whose slot then keeps the reason. A chunk that met somebody else's lock is
/// left for a later pass. A segment that is longer than a chunk has room for is closed part by
/// part, each claimed when the one before it is closed whole.
struct ChunkWork {
  /// One step, which can be taken again wherever it was interrupted.
  enum Step {
    /// Closes these segments.
    case close([ChainSegment])
    /// Records why a segment could not be closed.
    case fail(ChainSegment, any Error)
  }

  /// The next step last.
  private var steps: [Step]
  private var attempts = Attempts()
  /// What follows the part of a long segment that is at work; there is one segment then.
  private var rest: ChainSegment?
  /// How many dates of one segment are closed at a time.
  private let room: Int
  /// Segments that others are working on.
  private(set) var busy: [ChainSegment] = []

  /// - Parameter room: How many dates of one segment are closed at a time.
  init(_ segments: [ChainSegment], room: Int) {
    steps = []
    self.room = room
    if segments.count == 1 { begin(segments[0]) } else { steps = [.close(segments)] }
  }

  /// What comes next; nil when nothing is left.
  var next: Step? { steps.last }

  private mutating func begin(_ segment: ChainSegment) {
    let (part, rest) = segment.cut(after: room)
    steps.append(.close([part]))
    self.rest = rest
  }

  /// The step was taken.
  ///
  /// - Parameter goesOn: Whether a part of a segment is followed by its next one.
  /// - Returns: What became of it, and of what waited for it and is not begun any more.
  mutating func succeeded(_ outcome: ChunkOutcome, goesOn: Bool) -> ChunkOutcome {
    var outcome = outcome
    let step = steps.removeLast()
    attempts = Attempts()
    if let rest {
      self.rest = nil
      if !outcome.isWhole {
        outcome.leave(rest, behind: step)
      } else if goesOn {
        // The slot behind a hole is closed once more.
        outcome.counts.planned += rest.steps.count { $0.date == step.through }
        begin(rest)
      }
    }
    busy += outcome.busy
    return outcome
  }

  /// The step failed.
  ///
  /// - Returns: How long to wait before the same step is taken again; nil: go on with `next`.
  /// - Throws: The error, where it ends the whole run.
  mutating func failed(_ error: any Error, mayWrite: Bool) throws -> Duration? {
    if Fault.isLock(error), case .close(let segments) = next {
      var outcome = ChunkOutcome()
      outcome.busy = segments
      _ = succeeded(outcome, goesOn: false)
      return nil
    }
    if let pause = attempts.pause(after: error, mayWrite: mayWrite) { return pause }
    guard case .close(let segments) = steps.popLast(), !Fault.isFinal(error) else { throw error }
    attempts = Attempts()
    if segments.count == 1 {
      steps.append(.fail(segments[0], error))
    } else {
      let middle = segments.count / 2
      steps.append(.close(Array(segments[middle...])))
      steps.append(.close(Array(segments[..<middle])))
    }
    return nil
  }
}

extension ChunkWork.Step {
  /// The last date that it is about.
  var through: Day {
    switch self {
    case .close(let segments): segments.lazy.map(\.through).max() ?? .earliest
    case .fail(let segment, _): segment.through
    }
  }

  /// Takes the step, on a database.
  func take(_ context: RunContext, on db: isolated some CloseStore) throws -> ChunkOutcome {
    switch self {
    case .close(let segments): try ChunkClose(context: context).run(segments, on: db)
    case .fail(let segment, let error): try record(error, of: segment, context, on: db)
    }
  }

  private func record(
    _ error: any Error, of segment: ChainSegment, _ context: RunContext,
    on db: isolated some CloseStore
  ) throws -> ChunkOutcome {
    let first = segment.steps[0]
    let problem = error.stated
    try db.fail([(segment.slot(first), "\(problem)", problem.sqlState)], as: context.claim)
    try db.release(segment.steps.dropFirst().map { segment.slot($0) }, as: context.claim)
    var outcome = ChunkOutcome()
    outcome.counts.failed = 1
    outcome.counts.blocked = segment.steps.count - 1
    outcome.failures = [
      SlotFailure(portfolio: segment.portfolio.name, date: first.date, problem: problem)
    ]
    return outcome
  }
}
