import Accounting
import Close
import Postgres
import Storage
import Synchronization
import TestSupport
import Testing

/// Closed dates computed again without a write.
@Suite struct RecomputeTests {
  private func closed() async throws -> DemoBooks {
    try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
  }

  @Test("closed books come out as they stand, from the log and from a stored opening")
  func same() async throws {
    let books = try await closed()
    let slots = try await books.integer(
      "select count(*) from closebell.portfolio_snapshots where is_complete")
    let derived = try await books.recompute(RecomputeScope())
    #expect(derived.slots == Int(slots))
    #expect(derived.differing.isEmpty && derived.failures.isEmpty)
    #expect(derived.otherInputs.isEmpty, "a night, a first close and the log: the same digests")
    let middle = Day("2017-06-28")
    for opening in [RecomputeScope.Opening.derived, .stored] {
      let part = try await books.recompute(
        RecomputeScope(from: middle, through: Day("2017-06-29"), opening: opening))
      #expect(part.slots > 0 && part.slots < Int(slots))
      #expect(part.differing.isEmpty && part.failures.isEmpty && part.otherInputs.isEmpty)
    }
  }

  @Test("a recomputation writes nothing: no row, no lock, no claim, no value of a sequence")
  func writesNothing() async throws {
    let books = try await closed()
    let before = try await books.traces()
    _ = try await books.recompute(RecomputeScope())
    #expect(try await books.traces() == before)
  }

  @Test("an equity inflated from a date on in every later row is found where it began")
  func carriedForward() async throws {
    let books = try await closed()
    try await books.execute(
      """
      update closebell.portfolio_snapshots
      set closing_equity = closing_equity + 21000000, cash = cash + 21000000,
        cumulative_pnl = cumulative_pnl + 21000000,
        opening_equity = opening_equity + case when snapshot_date > '2017-06-27' then 21000000
          else 0 end,
        daily_pnl = daily_pnl + case when snapshot_date > '2017-06-27' then 0 else 21000000 end,
        fx_pnl = fx_pnl + case when snapshot_date > '2017-06-27' then 0 else 21000000 end
      where snapshot_date >= '2017-06-27' and portfolio_id =
        (select id from closebell.portfolios where code = 'COLA')
      """)
    let all = try await books.recompute(RecomputeScope())
    #expect(all.firstDates == ["COLA": "2017-06-27"])
    let late = try await books.recompute(RecomputeScope(from: Day("2017-06-29")))
    #expect(late.firstDates == ["COLA": "2017-06-29"], "the log says what the opening should be")
  }
}

/// What a recomputation handed over.
struct Recomputed: Sendable {
  var slots = 0
  var differing: [String: [String: [ValueDifference]]] = [:]
  var failures: [SlotFailure] = []
  /// Dates whose inputs do not have the digest that is stored.
  var otherInputs: [String] = []

  var firstDates: [String: String] { differing.compactMapValues { $0.keys.min() } }
}

extension DemoBooks {
  /// A copy of books that were closed once, date by date.
  static func closed(through last: String, since first: String) async throws -> DemoBooks {
    let name = "closed_\(first)_\(last)".filter { $0 != "-" }
    return DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: name) { conninfo in
        try await importDemo(into: conninfo)
        let books = DemoBooks(conninfo: conninfo)
        _ = try await books.close(first)
        _ = try await books.close(last)
      })
  }

  func recompute(
    _ scope: RecomputeScope, _ settings: RunSettings = settings()
  ) async throws -> Recomputed {
    let found = Mutex(Recomputed())
    try await Recompute(scope, settings: settings) { try await connect() }
      .run { segment in
        found.withLock { found in
          found.slots += segment.dates.count
          if let failure = segment.failure { found.failures.append(failure) }
          for date in segment.dates where date.fingerprint != date.stored?.fingerprint {
            found.otherInputs.append("\(segment.portfolio.code) \(date.date)")
          }
          for date in segment.dates where !date.differences.isEmpty {
            found.differing[segment.portfolio.code, default: [:]]["\(date.date)"] = date.differences
          }
        }
      }
    return found.withLock { $0 }
  }

  /// All that a write would leave: every table's rows with where they stand, the transactions that
  /// wrote and locked them, and the sequences.
  func traces() async throws -> [String] {
    try await perform { db in
      let tables = try db.rows(
        Postgres.Statement(
          "tables",
          """
          select c.relname::text from pg_catalog.pg_class c
          where c.relnamespace = 'closebell'::regnamespace and c.relkind in ('r', 'S')
          order by 1
          """)
      ) { try $0.nextString() }
      var lines: [String] = []
      for table in tables {
        let traces =
          table.hasSuffix("_seq")
          ? "t.last_value || ' ' || t.is_called"
          : "t.ctid || ' ' || t.xmin || ' ' || t.xmax || ' ' || t"
        lines += try db.rows(
          Postgres.Statement(
            "trace-\(table)",
            """
            select '\(table) ' || \(traces)
            from closebell.\(table) t order by 1
            """)
        ) { try $0.nextString() }
      }
      return lines
    }
  }
}
