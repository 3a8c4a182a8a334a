package import Accounting
internal import Postgres
package import Storage

/// How far the books are closed over a range of dates.
package struct CoverageReport: Sendable {
  /// One business date.
  package struct Row: Sendable {
    /// The date.
    package var date: Day
    /// Its slots by state.
    package var states: Coverage.Row
    /// Slots that ought to be there and are not: of portfolios whose first close lies before.
    package var missing: Int
  }

  /// The dates on which a slot exists or ought to, ascending.
  package var dates: [Row] = []
  /// The locks that stand, at most twenty.
  package var locks: [PeriodLocks.HeldLock] = []
  /// Slots that failed, at most twenty.
  package var failures: [Coverage.Failure] = []
  /// The latest runs.
  package var runs: [Coverage.Run] = []

  /// How many days are looked at where no first date is given, the last one among them.
  package static let defaultDays = 14

  /// Whether nothing is missing, failed or stale, but for what is locked.
  package var isHealthy: Bool {
    dates.allSatisfy { $0.missing == 0 && $0.states.failed == 0 && $0.states.stale == 0 }
  }
}

extension BooksReader {
  /// How far the books are closed.
  ///
  /// - Parameters:
  ///   - from: The first date; nil: `CoverageReport.defaultDays` back.
  ///   - through: The last date; nil: the latest closed one.
  /// - Throws: `SchemaError`.
  package func coverage(from: Day?, through: Day?) throws -> CoverageReport {
    var report = CoverageReport()
    let extent = try read { db in
      try Migrator.requireCurrentSchema(on: db)
      report.runs = try Coverage.runs(limit: 5, on: db)
      report.locks = try PeriodLocks.standing(limit: 20, on: db)
      return try Coverage.extent(on: db)
    }
    guard let last = through ?? extent?.last else { return report }
    let earliest = last - (CoverageReport.defaultDays - 1)
    let first = from ?? max(earliest, extent?.first ?? earliest)
    report.dates = try coverageRows(from: first, through: last, of: .all)
    report.failures = try read { db in
      try Coverage.failures(from: first, through: last, limit: 20, on: db)
    }
    return report
  }
}

extension StillBooks {
  /// The dates of a range on which a slot of some portfolios exists or ought to.
  func coverageRows(
    from first: Day, through last: Day, of scope: PortfolioSelection
  ) throws -> [CoverageReport.Row] {
    let rows = try read { db in
      try Coverage.byDate(from: first, through: last, of: scope, on: db)
    }
    let states = try Dictionary(
      rows: rows.map { ($0.date, $0) }, of: "portfolio_snapshots")
    let expected = try expectedSlots(from: first, through: last, of: scope)
    return Set(states.keys).union(expected.keys).sorted().map { date in
      let row = states[date] ?? .none(on: date)
      let there = row.complete - row.locked - row.beyond + row.claimed + row.failed
      return CoverageReport.Row(
        date: date, states: row, missing: max(0, (expected[date] ?? 0) - there))
    }
  }

  /// The slots of some dates that are missing, claimed, failed or stale, by name: at most `limit`.
  func flaws(
    on dates: [Day], of scope: PortfolioSelection, limit: Int
  ) throws -> [Coverage.Flaw] {
    guard let first = dates.first, let last = dates.last else { return [] }
    let (overrides, groups) = try read { db in
      (
        try MarketLoading.overrides(on: db),
        try Coverage.expectations(from: first, through: last, of: scope, on: db)
      )
    }
    let calendars = Calendars(overrides: overrides)
    var open: [(calendar: String, date: Day)] = []
    for name in Set(groups.map(\.calendar)).sorted() {
      let calendar = try calendars.named(name)
      open += dates.filter { calendar.isBusinessDay($0) }.map { (name, $0) }
    }
    let flaws = try read { db in
      try Coverage.flaws(from: first, through: last, of: scope, limit: limit, on: db)
        + Coverage.missing(on: open, of: scope, limit: limit, on: db)
    }
    return Array(flaws.sorted { ($0.date, $0.portfolio) < ($1.date, $1.portfolio) }.prefix(limit))
  }

  private func expectedSlots(
    from first: Day, through last: Day, of scope: PortfolioSelection
  ) throws -> [Day: Int] {
    let (overrides, groups) = try read { db in
      (
        try MarketLoading.overrides(on: db),
        try Coverage.expectations(from: first, through: last, of: scope, on: db)
      )
    }
    let calendars = Calendars(overrides: overrides)
    var result: [Day: Int] = [:]
    for group in groups where group.from <= group.through {
      let calendar = try calendars.named(group.calendar)
      for date in calendar.businessDayList(after: group.from - 1, through: group.through) {
        result[date, default: 0] += group.count
      }
    }
    return result
  }
}
