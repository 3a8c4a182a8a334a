internal import Accounting
internal import Postgres
internal import Problems
internal import Storage
internal import Synchronization

/// The market of a run, read once and shared by its workers.
///
/// A slot's `inputs_seen` is the snapshot that the *market* was read in: the chunk's own inputs
/// are read later, so a change between the two is at worst looked at once more, never missed.
final class SharedMarket: Sendable {
  private struct Window {
    var first: Day
    var last: Day
    var loaded: LoadedMarket
  }

  private let window = Mutex<Window?>(nil)

  /// The market for closing dates from `first` through `last`; read if it is not at hand.
  ///
  /// A second worker that asks meanwhile waits and gets the same.
  func market(
    from first: Day, through last: Day, on db: isolated some CloseStore
  ) throws -> LoadedMarket {
    try window.withLock { window in
      if let window, window.first <= first, window.last >= last { return window.loaded }
      let from = min(first, window?.first ?? first)
      // What has to be read again is read twice as far: segments go on in their next part.
      let further = window == nil ? last : last + min(last - from, .latest - last)
      let through = max(further, window?.last ?? last)
      let loaded: LoadedMarket
      do {
        loaded = try db.market(from: from, through: through)
      } catch let error where Fault.isUnreadable(error) {
        throw MarketUnreadable(cause: error)
      }
      window = Window(first: from, last: through, loaded: loaded)
      return loaded
    }
  }

  /// Says that the market is still what the database has, if it is.
  ///
  /// Whoever goes on behind dates that were replaced has to say so: those after them are marked,
  /// and what is closed now, and opens from what is there now, would count as from before it.
  func renew(on db: isolated some CloseStore) throws {
    try window.withLock { window in
      guard let held = window, let seen = try db.unchanged(since: held.loaded.seen) else { return }
      window?.loaded.seen = seen
    }
  }

  /// Forgets the market, so that it is read again: something newer is needed.
  func clear() { window.withLock { $0 = nil } }
}

/// A close, a rate or an action cannot be counted with; all share it, and no portfolio is at fault.
struct MarketUnreadable: Problem {
  let cause: any Error

  var stated: StatedProblem { cause.stated }
}

/// An instrument was imported after the market was read; reading again finds it.
struct MarketOutdated: Error {
  var instrument: ID<Instrument>
}

/// A late activity needs a close from before the market that was read.
struct MarketTooShort: Error {
  var needed: Day
}
