import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

/// Stored rows that were tampered with are named, by portfolio, date and value.
@Suite struct VerifyTests {
  static let snapshotColumns =
    [
      "opening_equity", "inflow", "outflow", "net_external_flow", "daily_pnl", "realized_pnl",
      "unrealized_change", "unrealized_pnl", "income", "fees", "taxes", "fx_pnl",
      "prior_period_adjustment", "closing_equity", "cash", "long_value", "short_value",
      "gross_exposure", "net_exposure", "cumulative_pnl",
    ].map { ($0, "+ 0.0001", "- 0.0001") }
    + ["priced_count", "carried_count", "missing_count", "max_carried_days", "index_since"]
    .map { ($0, "+ 1", "- 1") }
    + [("daily_return", "+ 1e-12", "- 1e-12"), ("return_index", "* 1.0000001", "/ 1.0000001")]
  static let holdingColumns = [
    "quantity", "price", "valuation", "cost_basis", "daily_pnl", "realized_pnl", "income", "fees",
    "taxes", "unrealized_pnl", "local_valuation", "local_cost", "instrument_id",
  ]

  private func tampered(
    _ books: DemoBooks, _ code: String, _ change: String, undo: String
  ) async throws -> VerifyReport {
    try await books.execute(change)
    let report = try await books.verify { $0.codes = [code] }
    try await books.execute(undo)
    return report
  }

  @Test("every number of a snapshot, a ten-thousandth off, is named with its first date")
  func snapshotNumbers() async throws {
    let books = try await DemoBooks.unguarded()
    for (column, change, _) in Self.snapshotColumns {
      let row = "where snapshot_date = '2017-06-28' and portfolio_id = \(Self.id("COLA"))"
      let table = "closebell.portfolio_snapshots"
      let report = try await tampered(
        books, "COLA",
        "create table public.kept as select * from \(table) \(row); "
          + "update \(table) set \(column) = \(column) \(change) \(row)",
        undo: "update \(table) s set \(column) = k.\(column) from public.kept k "
          + "where s.portfolio_id = k.portfolio_id and s.snapshot_date = k.snapshot_date; "
          + "drop table public.kept")
      let finding = try #require(report.findings.first, "\(column)")
      #expect(finding.first?.date == Day("2017-06-28"), "\(column)")
      #expect(finding.first?.cause == .corrupt, "\(column)")
      #expect(finding.lastGood == Day("2017-06-27"))
      #expect(finding.dates[.corrupt]?.count == 1, "a date that is right is not blamed")
      #expect(finding.differences.map(\.column) == [column])
      #expect(!report.isClean)
    }
    #expect(try await books.verify().isClean)
  }

  @Test("every number of a holding's row is named with its holding")
  func holdingNumbers() async throws {
    let books = try await DemoBooks.unguarded()
    for column in Self.holdingColumns {
      let row = """
        where valuation_date = '2017-06-29' and portfolio_id = \(Self.id("MERIDIAN"))
          and portfolio_fund_id = (select min(v.portfolio_fund_id)
            from closebell.portfolio_fund_valuations v
            where v.valuation_date = '2017-06-29' and v.price is not null
              and v.portfolio_id = \(Self.id("MERIDIAN")))
        """
      let table = "closebell.portfolio_fund_valuations"
      let step = column == "instrument_id" ? "1" : "0.0001"
      let report = try await tampered(
        books, "MERIDIAN",
        "create table public.kept as select * from \(table) \(row); "
          + "update \(table) set \(column) = coalesce(\(column), 0) + \(step) \(row)",
        undo: "delete from \(table) \(row); insert into \(table) select * from public.kept; "
          + "drop table public.kept")
      let finding = try #require(report.findings.first, "\(column)")
      #expect(finding.first?.date == Day("2017-06-29"), "\(column)")
      #expect(finding.differences.contains { $0.column == column }, "\(finding.differences)")
    }
    #expect(try await books.verify().isClean)
  }

  @Test("a return is found from 1e-10 on, a wrong status and a wrong convention always")
  func returns() async throws {
    let books = try await DemoBooks.unguarded()
    let row = "where date = '2017-06-28' and portfolio_id = \(Self.id("COLA"))"
    for table in ["portfolio_irr_values", "portfolio_fund_irr_values"] {
      for (change, isFound) in [
        ("irr_result = irr_result + 2e-10", true), ("log_growth = log_growth - 2e-10", true),
        ("irr_result = irr_result + 1e-12", false), ("status = 'no_root'", true),
        ("irr_result = null", true), ("roots = roots + 1", true),
        ("convention = 'monthly_nominal'", true),
      ] {
        let report = try await tampered(
          books, "COLA",
          "create table public.kept as select * from closebell.\(table) \(row); "
            + "update closebell.\(table) set \(change) \(row)",
          undo: "delete from closebell.\(table) \(row); "
            + "insert into closebell.\(table) select * from public.kept; drop table public.kept")
        #expect(report.isClean != isFound, "\(table) \(change)")
        if isFound { #expect(report.findings.first?.first?.date == Day("2017-06-28")) }
      }
    }
  }

  @Test(
    "a date that an import made stale, inputs changed past it, and a changed number are told apart")
  func causes() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    let price = """
      update closebell.prices p set close = close * 1.01 from closebell.instruments i
      where i.id = p.instrument_id and i.symbol = 'AMZN' and p.price_date = '2017-06-28'
      """
    try await books.execute(price)
    let silent = try await books.verify()
    #expect(!silent.findings.isEmpty)
    for finding in silent.findings {
      #expect(finding.first?.date == Day("2017-06-28"))
      #expect(finding.first?.cause == .changed)
      #expect(finding.dates[.corrupt] == nil)
    }
    try await books.execute(
      """
      insert into closebell.input_changes (from_date, instrument_ids)
      select '2017-06-28', array[id] from closebell.instruments where symbol = 'AMZN'
      """)
    let marked = try await books.verify()
    #expect(marked.findings.map(\.portfolio.code) == silent.findings.map(\.portfolio.code))
    #expect(marked.findings.allSatisfy { $0.first?.cause == .stale && $0.dates.count == 1 })
    _ = try await books.close("2017-06-30")
    #expect(try await books.verify().isClean)
  }

  @Test("a date that cannot be recomputed is named, and everything else is verified")
  func failure() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    try await books.execute("delete from closebell.fx_rates where quote = 'JPY'")
    let report = try await books.verify()
    let finding = try #require(report.findings.first { $0.failure != nil })
    #expect(finding.portfolio.code == "SAKURA")
    #expect(finding.failure?.error.contains("JPY") == true)
    #expect(report.counts.leftOut > 0 && report.counts.slots > 100)
  }

  @Test("a night, an import and replays that run meanwhile raise no false alarm")
  func concurrently() async throws {
    let books = try await DemoBooks.fresh()
    _ = try await books.close("2017-06-21")
    async let closing: Void = {
      for day in 22...30 {
        _ = try await books.close("2017-06-\(day)")
        try await books.execute(
          """
          begin;
          update closebell.prices set close = close * 1.001 where price_date = '2017-06-\(day)';
          insert into closebell.input_changes (from_date, instrument_ids)
          select '2017-06-\(day)', array_agg(id) from closebell.instruments;
          commit
          """)
        _ = try await books.replay("2017-06-\(day)", "2017-06-\(day)")
      }
    }()
    for _ in 0..<12 {
      let report = try await books.verify { $0.workers = 1 }
      for finding in report.findings {
        #expect(finding.dates[.corrupt] == nil && finding.dates[.changed] == nil, "\(finding)")
        #expect(finding.failure == nil)
      }
      #expect(report.chain.allSatisfy { $0.count == 0 }, "\(report.chain)")
    }
    try await closing
    #expect(try await books.verify().isClean)
  }

  static let fingerprintsTampered: [(date: String, cause: VerifyReport.Cause, value: String)] = [
    ("2017-06-21", .corrupt, otherFingerprint), ("2017-06-28", .corrupt, otherFingerprint),
    ("2017-06-28", .corrupt, "null"), ("2017-06-30", .changed, otherFingerprint),
  ]
  private static let otherFingerprint = "decode(md5(encode(fingerprint, 'hex')), 'hex')"

  @Test(
    "a fingerprint that was changed is named; as corrupt, where a later one proves the inputs",
    arguments: fingerprintsTampered)
  func fingerprint(_ date: String, _ cause: VerifyReport.Cause, _ value: String) async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    try await books.execute(
      """
      update closebell.portfolio_snapshots set fingerprint = \(value)
      where snapshot_date = '\(date)' and portfolio_id = \(Self.id("COLA"))
      """)
    let day = try #require(Day(date))
    let scopes = [RecomputeScope(), RecomputeScope(from: day), RecomputeScope(from: day - 1)]
    for scope in scopes {
      let report = try await books.verify(scope)
      #expect(
        report.findings.map(\.portfolio.code) == ["COLA"], "\(date) from \(scope.from ?? day)")
      #expect(report.findings.first?.dates == [cause: [day]])
      #expect(report.findings.first?.differences.map(\.column) == ["fingerprint"])
      #expect(!report.isClean)
    }
    let tables = try await books.wholeTables().count
    #expect(try await books.replay(date, "2017-06-30").counts.completed == 0)
    #expect(try await books.verify().isClean, "a replay writes the fingerprint, and only it")
    #expect(try await books.wholeTables().count == tables)
    #expect(
      try await books.integer("select max(revision) from closebell.portfolio_snapshots") == 1)
  }

  @Test("over a trusted opening kept flows are taken, and what differs is computed from all flows")
  func trustedFlows() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-30", since: "2017-06-21")
    let scopes = [22, 28, 30].map {
      RecomputeScope(from: Day("2017-06-\($0)"), opening: .stored)
    }
    for scope in scopes { #expect(try await books.verify(scope).isClean) }
    try await books.execute(
      """
      update closebell.portfolio_irr_values set irr_result = irr_result + 2e-10
      where date = '2017-06-30' and portfolio_id = \(Self.id("COLA"))
      """)
    for scope in scopes {
      #expect(try await books.verify(scope).findings.map(\.portfolio.code) == ["COLA"])
    }
    try await books.execute(
      """
      update closebell.portfolio_irr_values set irr_result = irr_result - 2e-10
      where date = '2017-06-30' and portfolio_id = \(Self.id("COLA"));
      update closebell.portfolio_irr_moments m set moments = (
        select o.moments from closebell.portfolio_irr_moments o
        where o.portfolio_id <> m.portfolio_id order by o.portfolio_id limit 1)
      """)
    for scope in scopes {
      #expect(try await books.verify(scope).isClean, "what is kept is a cache, and raises no alarm")
    }
  }

  @Test("a fingerprint on which later dates were closed is named with its date, not with theirs")
  func fingerprintBelow() async throws {
    let books = try await DemoBooks.closed(through: "2017-06-28", since: "2017-06-21")
    try await books.execute(
      """
      update closebell.portfolio_snapshots set fingerprint = \(Self.otherFingerprint)
      where snapshot_date = '2017-06-28' and portfolio_id = \(Self.id("COLA"))
      """)
    _ = try await books.close("2017-06-30")
    let report = try await books.verify()
    #expect(report.findings.map(\.portfolio.code) == ["COLA"])
    #expect(report.findings.first?.dates == [.changed: [try #require(Day("2017-06-28"))]])
    _ = try await books.replay("2017-06-28", "2017-06-30")
    #expect(try await books.verify().isClean)
  }

  private static func id(_ code: String) -> String {
    "(select id from closebell.portfolios where code = '\(code)')"
  }
}

extension DemoBooks {
  func verify(
    _ scope: RecomputeScope = RecomputeScope(),
    _ change: (inout RunSettings) -> Void = { _ in }
  ) async throws -> VerifyReport {
    try await Verification(scope, settings: Self.settings(change)) { try await connect() }.run()
  }
}
