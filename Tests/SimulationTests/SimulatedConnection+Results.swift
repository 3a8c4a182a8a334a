import Accounting

@testable import Close
@testable import Postgres
@testable import Storage

/// What is read and written between a claim and its end.
extension SimulatedConnection {
  // MARK: Inputs

  func reading<R>(_ body: (isolated SimulatedConnection) throws -> R) throws -> R {
    view = try call { $0 }
    defer { view = nil }
    return try body(self)
  }

  func market(from first: Day, through last: Day) throws -> LoadedMarket {
    try call { tables in
      let closes = tables.closes.map { ClosingPrice(date: $0.key, price: $0.value) }
        .sorted { $0.date < $1.date }
      let start = closes.lastIndex { $0.date < first } ?? 0
      return LoadedMarket(
        market: Market(
          closes: [database.instrument.id: closes[start...].filter { $0.date <= last }]),
        instruments: [database.instrument.id: database.instrument], calendarOverrides: [:],
        seen: "\(tables.transaction)")
    }
  }

  func unchanged(since seen: String) throws -> String? {
    try call { tables in
      let isChanged = tables.changes.contains { !$0.isReplacement && $0.number > Int(seen) ?? 0 }
      return isChanged ? nil : "\(tables.transaction)"
    }
  }

  func inputs(of segments: [ChainSegment], market: LoadedMarket) throws -> ChunkInputs {
    try call { tables in
      var books: [ID<Portfolio>: ChunkInputs.Book] = [:]
      for segment in segments { books[segment.portfolio.id] = book(of: segment, tables) }
      return ChunkInputs(books: books, market: market)
    }
  }

  private func book(of segment: ChainSegment, _ tables: SimulatedTables) -> ChunkInputs.Book {
    var book = ChunkInputs.Book()
    if let openedFrom = segment.openedFrom {
      let slot = Slot(portfolio: segment.portfolio.id, date: openedFrom)
      if let row = tables.rows[slot], row.state == .complete, let result = row.result {
        book.opening = StoredOpening(result, revision: row.revision)
        book.holdings = result.storedHoldings(of: database.instrument.id)[...]
      }
    }
    let first = segment.readsHistory ? nil : segment.openedFrom
    book.activities =
      tables.activities.filter { row in
        row.portfolio == segment.portfolio.id && row.activity.date <= segment.through
          && (first.map { row.activity.date > $0 } ?? true)
      }[...]
    if segment.openedFrom != nil, !segment.readsHistory {
      book.moments = tables.moments[segment.portfolio.id]
    }
    return book
  }

  func history(of holdings: [(holding: ID<Holding>, through: Day)]) throws -> [StoredActivity] {
    try call { tables in
      holdings.flatMap { asked in
        tables.activities.filter {
          $0.activity.holding == asked.holding && $0.activity.date <= asked.through
        }
      }
    }
  }

  func externalFlows(of portfolios: [ID<Portfolio>], through: Day) throws -> [StoredActivity] {
    try call { tables in
      portfolios.sorted().flatMap { id in
        tables.activities.filter {
          $0.portfolio == id && $0.activity.type.traits.isExternalFlow
            && $0.activity.date <= through
        }
      }
    }
  }

  // MARK: Results

  func storedCloses(of slots: [Slot]) throws -> [Slot: StoredCloses.StoredClose] {
    try call { tables in
      var result: [Slot: StoredCloses.StoredClose] = [:]
      for slot in slots {
        guard let row = tables.rows[slot], row.state == .complete, let stored = row.result else {
          continue
        }
        result[slot] = StoredCloses.StoredClose(
          stored, revision: row.revision, isStale: tables.isStale(slot),
          of: database.instrument.id)
      }
      return result
    }
  }

  func populate(_ chunk: PopulateChunk) throws -> Set<Slot> {
    try call(commits: .durable, isCommit: true) { tables in
      try database.populate(chunk, in: &tables)
    }
  }

  func confirm(_ slots: [ConfirmedSlot], inputsSeen: String, as claim: Int64) throws {
    try call(commits: .durable) { tables in
      guard tables.leases[claim] != nil else { return }
      for confirmed in slots {
        guard var row = tables.rows[confirmed.slot], row.claim == claim, row.state == .complete
        else { continue }
        row.seen = Int(inputsSeen)
        row.result?.openedFromRevision = confirmed.openedFromRevision
        row.result?.fingerprint = confirmed.fingerprint
        row.result?.policy = confirmed.policy
        tables.rows[confirmed.slot] = row
      }
    }
  }

  // MARK: Beginning and ending

  func begin(_ opening: RunOpening) throws -> BegunRun? {
    let reclaimed = try call(commits: .undoable) { tables in
      var count = 0
      for (slot, row) in tables.rows where row.state == .claimed && !isAlive(row.claim, tables) {
        guard tables.leases[row.claim]?.dates?.contains(slot.date) == true else { continue }
        tables.rows[slot]?.state = .failed
        tables.rows[slot]?.error = "lease expired"
        count += 1
      }
      return count
    }
    try forgetDead()
    return try call(commits: .durable) { tables in
      tables.runs += 1
      tables.claims += 1
      let dates = opening.from.map { $0...max($0, opening.through) }
      tables.leases[tables.claims] = SimulatedTables.Lease(
        run: tables.runs, token: opening.token,
        until: database.now + opening.settings.leaseSeconds, dates: dates)
      database.locks.insert(opening.token)
      process.heldLock = opening.token
      let lease = Lease(claim: tables.claims, token: opening.token, server: database.identity)
      return BegunRun(
        run: tables.runs, lease: lease, selection: .all, covered: dates,
        reclaimed: reclaimed, overrides: [:])
    }
  }

  private func forgetDead() throws {
    try call(commits: .durable) { tables in
      for claim in tables.leases.keys where !isAlive(claim, tables) {
        let isNeeded = tables.rows.values.contains { $0.claim == claim && $0.state == .claimed }
        if !isNeeded { tables.leases[claim] = nil }
      }
    }
  }

  func end(_ ending: RunEnding) throws -> Day? {
    let claim = ending.lease.claim
    try call(commits: .durable) { tables in
      for (slot, row) in tables.rows
      where ending.mayHoldPlaceholders && row.claim == claim && row.state == .claimed {
        if tables.leases[claim]?.dates?.contains(slot.date) == true {
          tables.rows[slot] = nil
        }
      }
      tables.leases[claim] = nil
      database.locks.remove(ending.lease.token)
    }
    try forgetDead()
    if ending.ending != .failed {
      try call(commits: .durable) { tables in
        guard tables.leases.keys.allSatisfy({ $0 == claim }) else { return }
        let rows = tables.rows
        tables.changes.removeAll { change in
          !rows.contains { slot, row in
            slot.date >= change.from && (row.seen.map { $0 < change.number } ?? true)
          }
        }
      }
    }
    return ending.asksForStale
      ? try stale(through: .latest, includingLocked: false, of: .all).values.min() : nil
  }
}
