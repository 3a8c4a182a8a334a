import Accounting
import Postgres

@testable import Storage

/// The tables that a run reads and writes, as values: a snapshot of them is a copy.
struct SimulatedTables {
  /// A row of `portfolio_snapshots`, with everything that hangs on it.
  struct Row {
    /// How the row hangs in the chain's unique key; a parked placeholder is in nobody's way.
    enum Place: Hashable {
      case first
      case after(Day)
      case parked(Day)
    }

    enum State { case claimed, failed, complete }

    var place: Place
    var claim: Int64
    var state = State.claimed
    var revision: Int32 = 0
    var seen: Int?
    var result: SlotResult?
    var error: String?
  }

  struct Lease {
    var run: Int64
    var token: Int64
    var until: Double
    var dates: ClosedRange<Day>?
  }

  struct InputChange {
    var number: Int
    var from: Day
    /// Nil: every portfolio.
    var portfolio: ID<Portfolio>?
    var isReplacement = false
  }

  var rows: [Slot: Row] = [:]
  var leases: [Int64: Lease] = [:]
  var changes: [InputChange] = []
  var moments: [ID<Portfolio>: StoredMoments] = [:]
  var activities: [StoredActivity] = []
  var closes: [Day: Price] = [:]
  /// The number of the last transaction that wrote something.
  var transaction = 0
  var claims: Int64 = 0
  var runs: Int64 = 0

  func rows(of portfolio: ID<Portfolio>) -> [(slot: Slot, row: Row)] {
    rows.filter { $0.key.portfolio == portfolio }
      .map { (slot: $0.key, row: $0.value) }.sorted { $0.slot.date < $1.slot.date }
  }

  /// Whether another row of the portfolio hangs there: `portfolio_snapshots_unforked_chain`.
  func isTaken(_ place: Row.Place, besides slot: Slot) -> Bool {
    rows.contains {
      $0.key.portfolio == slot.portfolio && $0.key != slot && $0.value.place == place
    }
  }

  /// Whether no row of the portfolio opens from a date, or from a later one.
  func isLast(_ date: Day, _ portfolio: ID<Portfolio>) -> Bool {
    !rows.contains { slot, row in
      guard slot.portfolio == portfolio else { return false }
      return switch row.place {
      case .first: false
      case .after(let opening), .parked(let opening): opening >= date
      }
    }
  }

  func isStale(_ slot: Slot) -> Bool {
    guard let row = rows[slot], row.state == .complete, let seen = row.seen else { return false }
    return isChanged(slot.portfolio, through: slot.date, after: seen)
  }

  /// Whether inputs of dates up to and with one changed after the transaction of a number.
  func isChanged(_ portfolio: ID<Portfolio>, through date: Day, after seen: Int) -> Bool {
    changes.contains {
      $0.from <= date && $0.number > seen && ($0.portfolio == nil || $0.portfolio == portfolio)
    }
  }

  mutating func change(from date: Day, of portfolio: ID<Portfolio>?) {
    transaction += 1
    changes.append(InputChange(number: transaction, from: date, portfolio: portfolio))
  }
}

/// Rules of the store that a test can take away, to see that the simulation notices.
struct Sabotage: OptionSet, Sendable {
  let rawValue: Int

  /// Late writes are let through, whoever's claim stands in the slot and whatever it holds.
  static let noFence = Sabotage(rawValue: 1)
  /// A run that was taken for dead may go on writing.
  static let noLeaseCheck = Sabotage(rawValue: 16)
  /// A lease is believed by its claim id alone, wherever and whoever's it is.
  static let noToken = Sabotage(rawValue: 32)
  /// An opening that changed since it was read is not noticed.
  static let noRevisionCheck = Sabotage(rawValue: 2)
  /// A replay forgets to say that later slots opened from what it replaced.
  static let silentReplays = Sabotage(rawValue: 4)
  /// An import forgets to say what it changed.
  static let silentImports = Sabotage(rawValue: 8)
  /// What is kept of flows outlives a change of what it rests on.
  static let keptMoments = Sabotage(rawValue: 64)
  /// Where what came of a close may not be kept, what was kept before it stays.
  static let olderMoments = Sabotage(rawValue: 128)
}

extension SlotClaim.Link {
  func place(of slot: Slot) -> SimulatedTables.Row.Place {
    switch self {
    case .opensFrom(let day?): .after(day)
    case .opensFrom(nil): .first
    case .later: .parked(slot.date)
    }
  }
}
