package import Problems

/// What happens while a run is under way, as it happens.
///
/// Slots are counted per chunk: an event a slot would cost a large night more than its closing.
package enum RunEvent: Sendable {
  /// The run stands in the history under this number, and holds its lease.
  case began(run: Int64)
  /// A chunk, or a range of portfolios that was planned, came to its end.
  ///
  /// - chunk: What became of its slots.
  /// - total: What became of all slots so far.
  case advanced(chunk: SlotCounts, total: SlotCounts)
  /// A slot was not closed.
  case failed(SlotFailure)
  /// A step failed, and is taken again after the pause.
  case retried(StatedProblem, pause: Duration)
  /// How the run's lease stands.
  case lease(LeaseNews)
  /// The run is at its end; one that fails altogether has none of these.
  case ended(RunReport)

  /// What becomes of a lease.
  package enum LeaseNews: Sendable {
    /// It goes on.
    case renewed
    /// It could not be renewed just now, and goes on as long as it was asked for before.
    case late(StatedProblem)
    /// It is over: nothing is written any more.
    case lost
  }
}

/// Watches runs: a progress line, a log, metrics, a page.
package protocol RunObserver: Sendable {
  /// Takes note of an event; called from any worker, one at a time.
  ///
  /// A run waits for it, so what takes long is done elsewhere.
  func observe(_ event: RunEvent)
}

/// Watches nothing.
package struct Unobserved: RunObserver {
  /// An observer without eyes.
  package init() {}

  /// Does nothing.
  package func observe(_ event: RunEvent) {}
}

/// Several observers as one.
package struct Observers: RunObserver {
  private let all: [any RunObserver]

  /// - Parameter all: Told in this order.
  package init(_ all: [any RunObserver]) { self.all = all }

  /// Tells all of them.
  package func observe(_ event: RunEvent) {
    for observer in all { observer.observe(event) }
  }
}
