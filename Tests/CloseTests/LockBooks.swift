import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport

/// One portfolio and one share over the end of May 2017, small enough to be worked out by hand.
///
/// LATE, in dollars, closes on weekdays. It receives 10 000 on Monday 05-29, when nothing is closed
/// yet, and buys 20 ACME at 99 with a fee of 1 on 05-30. ACME closes at 100, 102, 105 and 104.
///
/// | date | cash | ACME | equity | P&L |
/// |---|---|---|---|---|
/// | 05-30 | 10 000 − 1 980 − 1 = 8 019 | 20 × 100 = 2 000 | 10 019 | 19 |
/// | 05-31 | 8 019 | 20 × 102 = 2 040 | 10 059 | 40 |
/// | 06-01 | 8 019 | 20 × 105 = 2 100 | 10 119 | 60 |
/// | 06-02 | 8 019 | 20 × 104 = 2 080 | 10 099 | −20 |
enum LockBooks {
  /// What arrives when May was reported: a deposit, a purchase, a dividend, a fee.
  static let lateRows = """
    id,portfolio,date,type,symbol,quantity,price,amount,fee
    L1,LATE,2017-05-30,deposit,,,,1000,
    L2,LATE,2017-05-30,buy,ACME,5,98,,2
    L3,LATE,2017-05-31,dividend,ACME,,,8,
    L4,LATE,2017-05-31,fee,,,,3,

    """

  static func open() async throws -> DemoBooks {
    DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: "lock_books") { conninfo in
        let books = DemoBooks(conninfo: conninfo)
        try await books.perform { db in _ = try Migrator.migrate(on: db) }
        try await books.importing(
          .instruments, "symbol,name,kind,currency\nACME,Acme,equity,USD\n")
        try await books.importing(
          .portfolios,
          "code,name,base_currency,inception_date\nLATE,Late,USD,2017-05-01\n")
        try await books.importing(
          .prices,
          """
          date,symbol,close
          2017-05-30,ACME,100
          2017-05-31,ACME,102
          2017-06-01,ACME,105
          2017-06-02,ACME,104

          """)
        try await books.importing(
          .activities,
          """
          id,portfolio,date,type,symbol,quantity,price,amount,fee
          A1,LATE,2017-05-29,deposit,,,,10000,
          A2,LATE,2017-05-30,buy,ACME,20,99,,1

          """)
      })
  }

  /// May closed, perhaps June's first date too, and May locked.
  static func locked(through last: String = "2017-05-31") async throws -> DemoBooks {
    let books = try await open()
    try await books.closeEach("2017-05-30", through: last)
    _ = try await books.lock("2017-05")
    return books
  }
}

extension DemoBooks {
  @discardableResult
  func importing(_ kind: ImportKind, _ text: String) async throws -> ImportReport {
    let connection = try await connect()
    let report = try await runImport(
      ImportRequest(kind: kind, source: .bytes(Array(text.utf8))), on: connection, progress: nil)
    await connection.close()
    return report
  }

  /// Closes the weekdays of May and June 2017 from one date through another, a run a date.
  func closeEach(_ first: String, through last: String) async throws {
    for date in ["2017-05-30", "2017-05-31", "2017-06-01", "2017-06-02"]
    where date >= first && date <= last {
      let report = try await close(date)
      guard report.exitCode == 0 else { throw NotClosed(failures: report.failures) }
    }
  }

  struct NotClosed: Error {
    var failures: [SlotFailure]
  }

  static func month(_ month: String, _ codes: [String] = [], force: Bool = false) -> LockRequest {
    let first = Day(month + "-01") ?? .earliest
    var last = first + 27
    while (last + 1).parts.month == first.parts.month { last = last + 1 }
    return LockRequest(
      first: first, last: last, codes: codes,
      author: PeriodLocks.Author(name: "ann@desk", reason: "reported"), force: force)
  }

  @discardableResult
  func lock(
    _ month: String, _ codes: [String] = [], force: Bool = false
  ) async throws -> LockOutcome {
    let request = Self.month(month, codes, force: force)
    return try await perform { db in try PeriodLocking.lock(request, on: db) }
  }

  @discardableResult
  func unlock(_ month: String, _ codes: [String] = []) async throws -> LockOutcome {
    let request = Self.month(month, codes)
    return try await perform { db in try PeriodLocking.unlock(request, on: db) }
  }

  /// A number of LATE's snapshot of a date, as text.
  func number(_ column: String, _ date: String) async throws -> String {
    try await texts(
      """
      select s.\(column) from closebell.portfolio_snapshots s
      join closebell.portfolios p on p.id = s.portfolio_id
      where p.code = 'LATE' and s.snapshot_date = '\(date)' and s.is_complete
      """
    ).joined()
  }

  /// The first column of a query, as text.
  func texts(_ sql: String) async throws -> [String] {
    try await perform { db in
      try db.rows(Postgres.Statement.once("ask", "select (q.*)::text from (\(sql)) q")) {
        let text = try $0.nextString()
        return String(text.dropFirst().dropLast())
      }
    }
  }

  /// The result tables' rows of May.
  func may() async throws -> [String] {
    try await tables().filter { row in
      ["snapshot_date", "valuation_date", "date"].contains { row.contains("\"\($0)\": \"2017-05-") }
    }
  }

  /// The first stale date that a run would close again.
  func firstStale() async throws -> Day? {
    try await perform { db in try Planning.stale(through: .latest, on: db).values.min() }
  }
}
