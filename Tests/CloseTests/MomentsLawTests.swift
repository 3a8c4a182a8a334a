import Accounting
import Close
import Import
import Postgres
import Storage
import TestSupport
import Testing

/// The law of the cache: emptying `portfolio_irr_moments` at any moment changes no stored number
/// of the next run.
///
/// Each example has flows whose amounts rest on something that is corrected once January is closed
/// and locked: no date is closed again for it, so only what is forgotten puts the next one right.
@Suite("What is kept of flows is forgotten with what it rests on") struct MomentsLawTests {
  /// A correction of January that comes when January is locked.
  struct Correction: CustomTestStringConvertible, Sendable {
    var kind: ImportKind
    var text: String
    var restate = false

    var testDescription: String { "\(kind.rawValue) \(text.split(separator: "\n").last ?? "")" }
  }

  static let corrections: [Correction] = [
    // The transfer in kind has no amount: its flow is 100 units at this close.
    Correction(kind: .prices, text: "date,symbol,close\n2017-01-03,ACME,10\n"),
    Correction(
      kind: .corporateActions, text: "ex_date,symbol,type,value\n2017-01-17,ACME,dividend,9\n"),
    Correction(
      kind: .corporateActions, text: "ex_date,symbol,type,value\n2017-01-02,ACME,split,2\n"),
    Correction(kind: .fxRates, text: "date,base,quote,rate\n2017-01-03,EUR,USD,2.5\n"),
    Correction(kind: .calendars, text: "calendar,date,open\nweekdays,2017-01-16,no\n"),
    Correction(kind: .valuations, text: "portfolio,symbol,date,value\nKIND,FUND,2017-01-03,7000\n"),
    Correction(
      kind: .instruments, text: "symbol,name,kind,currency,multiplier\nACME,Acme,equity,USD,3\n",
      restate: true),
    Correction(
      kind: .portfolios,
      text: "code,name,base_currency,inception_date\nKIND,Kind,EUR,2017-01-02\n", restate: true),
    Correction(
      kind: .activities,
      text: "id,portfolio,date,type,amount,currency\nLATE,KIND,2017-01-09,deposit,5000,USD\n"),
  ]

  /// A portfolio in dollars with automatic dividends: a transfer in kind without an amount, a
  /// deposit in euros, a fund that is valued by statements.
  private static func january() async throws -> DemoBooks {
    let books = try await DemoBooks.empty()
    try await books.importText(
      .instruments,
      """
      symbol,name,kind,currency,multiplier,pricing
      ACME,Acme,equity,USD,1,quoted
      FUND,Fund,fund,USD,1,valued

      """)
    try await books.importText(
      .portfolios,
      """
      code,name,base_currency,inception_date,calendar,dividends
      KIND,Kind,USD,2017-01-02,weekdays,automatic

      """)
    try await books.importText(
      .prices,
      """
      date,symbol,close
      2017-01-02,ACME,98
      2017-01-03,ACME,100
      2017-01-31,ACME,104
      2017-02-01,ACME,105
      2017-02-02,ACME,103

      """)
    try await books.importText(.fxRates, "date,base,quote,rate\n2017-01-02,EUR,USD,1.05\n")
    try await books.importText(
      .activities,
      """
      id,portfolio,date,type,symbol,quantity,amount,currency
      A1,KIND,2017-01-02,deposit,,,2000,USD
      A2,KIND,2017-01-03,transfer_in,ACME,100,,USD
      A3,KIND,2017-01-03,deposit,,,1000,EUR
      A4,KIND,2017-01-04,investment,FUND,,3000,USD

      """)
    try await books.importText(
      .valuations, "portfolio,symbol,date,value\nKIND,FUND,2017-01-31,3100\n")
    let report = try await books.close("2017-01-31")
    #expect(report.exitCode == 0, "\(report.failures)")
    return books
  }

  @Test(
    "a correction of a locked month reaches the next date's rates of return",
    arguments: corrections)
  func lockedMonth(_ correction: Correction) async throws {
    let books = try await Self.january()
    // What was kept in one pass over the history is not yet what nights keep.
    #expect(try await books.close("2017-01-31").exitCode == 0)
    try await books.lock("2017-01")
    try await books.importing(correction)
    let differences = try await books.differencesWithoutMoments {
      try await $0.closed(on: "2017-02-01")
    }
    #expect(differences == [])
  }

  @Test("so does one that comes after later dates were closed", arguments: corrections)
  func laterDates(_ correction: Correction) async throws {
    let books = try await Self.january()
    try await books.lock("2017-01")
    #expect(try await books.close("2017-02-01").exitCode == 0)
    let kept = "select count(*) from closebell.portfolio_irr_moments"
    #expect(try await books.integer(kept) == 1)
    try await books.importing(correction)
    // Whether or not a flow rests on such rows today, no kind is left out. What comes late itself
    // is booked behind what is kept.
    if correction.kind != .activities { #expect(try await books.integer(kept) == 0) }
    let differences = try await books.differencesWithoutMoments {
      try await $0.closed(on: "2017-02-02")
    }
    #expect(differences == [])
  }

  @Test("where a segment stops at a date that cannot be closed, its flows are not kept yet")
  func stoppedSegment() async throws {
    let books = try await LockBooks.open()
    try await books.importing(
      .activities, "id,portfolio,date,type,amount\nM1,LATE,2017-06-05,deposit,5000\n")
    try await books.closeEach("2017-05-30", through: "2017-06-01")
    // So the flows are read, and not what a night has kept.
    try await books.execute("truncate closebell.portfolio_irr_moments")
    let settings = DemoBooks.settings {
      $0.isStrict = true
      $0.policy = ClosePolicy(maxCarriedBusinessDays: 0)
    }
    let report = try await books.close("2017-06-05", settings)
    #expect(report.counts.completed == 1 && report.counts.failed == 1, "\(report.failures)")
    let differences = try await books.differencesWithoutMoments {
      try await $0.closed(on: "2017-06-05")
    }
    #expect(differences == [])
  }

  @Test("dates that are closed again before a locked one leave nothing for the night after it")
  func beforeALockedDate() async throws {
    let books = try await LockBooks.open()
    try await books.importing(
      .activities, "id,portfolio,date,type,amount\nM1,LATE,2017-05-31,deposit,5000\n")
    try await books.closeEach("2017-05-30", through: "2017-05-31")
    #expect(try await books.lock("2017-05").changed)
    try await books.importing(.prices, "date,symbol,close\n2017-05-30,ACME,103\n")
    let settings = DemoBooks.settings {
      $0.overrideLock = PeriodLocks.Author(name: "ann@desk", reason: "vendor restated")
    }
    let report = try await books.replay("2017-05-30", "2017-05-30", settings)
    #expect(report.counts.completed == 1)
    let differences = try await books.differencesWithoutMoments {
      try await $0.closed(on: "2017-06-01")
    }
    #expect(differences == [])
  }
}

extension DemoBooks {
  fileprivate func importing(_ correction: MomentsLawTests.Correction) async throws {
    let connection = try await connect()
    let report = try await runImport(
      ImportRequest(
        kind: correction.kind, source: .bytes(Array(correction.text.utf8)),
        restate: correction.restate), on: connection, progress: nil)
    await connection.close()
    #expect(report.refused == 0, "\(report.refusedRows)")
  }

  /// SQL that is true while somebody waits for those who keep moments.
  static let someoneWaitsForMoments = """
    exists (select from pg_catalog.pg_locks l
      join pg_catalog.pg_database d on d.oid = l.database
      where not l.granted and d.datname = pg_catalog.current_database()
        and l.relation = 'closebell.portfolio_irr_moments'::regclass)
    """

  /// Closes what is due; all of it must be closed.
  func closed(on date: String) async throws {
    let report = try await close(date)
    #expect(report.exitCode == 0, "\(report.failures)")
  }

  /// A database that is as this one is now.
  func copied() async throws -> DemoBooks {
    let name = conninfo.split(separator: "/").last?.prefix { $0 != "?" } ?? ""
    return DemoBooks(
      conninfo: try await TestCluster.shared.freshDatabase(template: String(name)))
  }

  /// Does the same here and on a copy whose moments were emptied.
  ///
  /// - Returns: The rows of the result tables that are not the same in both.
  func differencesWithoutMoments(
    _ happen: (DemoBooks) async throws -> Void
  ) async throws -> [String] {
    let emptied = try await copied()
    try await emptied.execute("truncate closebell.portfolio_irr_moments")
    for books in [self, emptied] { try await happen(books) }
    let (kept, fresh) = (try await tables(), try await emptied.tables())
    return kept.filter { !fresh.contains($0) }.map { "with moments: \($0)" }
      + fresh.filter { !kept.contains($0) }.map { "without: \($0)" }
  }
}
