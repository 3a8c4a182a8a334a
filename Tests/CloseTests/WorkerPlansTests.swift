import Accounting
import Close
import Postgres
import TestSupport
import Testing

@testable import Storage

/// A worker's statements find their rows by the keys they are meant for, with statistics and
/// without: one plan a session serves all of its chunks.
@Suite struct WorkerPlansTests {
  /// Each statement, the one index by which it finds rows of a table that grows, and what it must
  /// compare there.
  private static let statements: [(Postgres.Statement, key: String, within: [String])] = [
    (Loading.openingRows, "portfolio_snapshots_key", ["snapshot_date =", "portfolio_id <="]),
    (
      Loading.holdingRows, "portfolio_fund_valuations_key", ["valuation_date =", "portfolio_id <="]
    ),
    (
      Loading.holdingRowsOfSlots, "portfolio_fund_valuations_key",
      ["valuation_date =", "portfolio_id <="]
    ),
    (
      Loading.cashRowsOfSlots, "portfolio_cash_balances_key", ["balance_date =", "portfolio_id <="]
    ),
    (Loading.cashRows, "portfolio_cash_balances_key", ["balance_date =", "portfolio_id ="]),
    (Loading.receivableRows, "portfolio_receivables_key", ["balance_date =", "portfolio_id ="]),
    (
      Loading.activityRows, "holding_activity_log_by_booking",
      ["portfolio_id =", "activity_date) >", "activity_date) <="]
    ),
    (
      Loading.activityRowsOfDays, "holding_activity_log_by_day",
      ["= o.day", "(portfolio_id + 0) >=", "(portfolio_id + 0) <="]
    ),
    (
      Loading.historyRows, "holding_activity_log_by_fund",
      ["portfolio_fund_id =", "activity_date <="]
    ),
    (
      Loading.externalRows, "holding_activity_log_by_booking",
      ["portfolio_id = ANY", "activity_date) <="]
    ),
    (Loading.feeRows, "holding_activity_log_by_booking", ["portfolio_id =", "activity_date) <="]),
    (
      Loading.statementRows, "statement_valuations_key",
      ["portfolio_fund_id =", "valuation_date >", "valuation_date <="]
    ),
    (
      Loading.statementRowsOfDays, "statement_valuations_by_day",
      ["= o.day", "(portfolio_id + 0) >=", "(portfolio_id + 0) <="]
    ),
    (
      Loading.statementDateRows, "statement_valuations_key",
      ["portfolio_fund_id =", "valuation_date <="]
    ),
    (Loading.momentRows, "portfolio_irr_moments_key", ["portfolio_id >=", "portfolio_id <="]),
    (Populating.fill, "portfolio_snapshots_key", ["snapshot_date =", "portfolio_id ="]),
    (
      Populating.confirmUnchanged, "portfolio_snapshots_key", ["snapshot_date =", "portfolio_id ="]
    ),
    (Populating.history, "portfolio_snapshots_key", ["snapshot_date =", "portfolio_id ="]),
    (IRRMoments.delete, "portfolio_irr_moments_key", ["portfolio_id = ANY"]),
    (
      Populating.deleteHoldings, "portfolio_fund_valuations_key",
      ["valuation_date =", "portfolio_id ="]
    ),
    (Populating.deleteCashBalances, "_key", ["balance_date =", "portfolio_id ="]),
    (
      Populating.deleteHoldingReturns, "portfolio_fund_irr_values_key",
      ["date =", "portfolio_id ="]
    ),
    (Populating.deletePortfolioReturns, "portfolio_irr_values_key", ["date =", "portfolio_id ="]),
  ]

  /// What else a plan may look at: what has a row or a few for each that was found, or is small.
  private static let others = [
    "Function Scan", "Subquery Scan", "CTE Scan", "Bitmap Heap Scan", "portfolio_funds_",
    "using prices_key", "using instruments_key", "using worker_lease_key",
    "Seq Scan on incarnation", "Seq Scan on close_stage",
  ]

  private static func plan(_ statement: Postgres.Statement, on db: isolated Connection) throws
    -> [String]
  {
    let parameters = (1...9).count { statement.sql.contains("$\($0)") }
    let nulls = Array(repeating: "null", count: parameters).joined(separator: ", ")
    try db.execute(sql: "prepare one as \(statement.sql)")
    let lines = try db.rows(
      .once("explain", "explain (costs off) execute one(\(nulls))")
    ) { try $0.nextString() }
    try db.execute(sql: "deallocate one")
    return lines
  }

  /// 300 portfolios with 60 dates behind them, as rows without a meaning.
  private static let growth = """
    insert into closebell.portfolios (id, code, name, base_currency, inception_date)
    select p, 'P' || p, 'P' || p, 'USD', '2025-01-01' from generate_series(1, 300) p;
    insert into closebell.instruments (id, symbol, name, kind, currency)
    select i, 'I' || i, 'I' || i, 'equity', 'USD' from generate_series(1, 5) i;
    insert into closebell.portfolio_funds (id, portfolio_id, instrument_id)
    select p * 5 + i, p, i from generate_series(1, 300) p, generate_series(1, 5) i;
    insert into closebell.holding_activity_log (portfolio_id, portfolio_fund_id, activity_type,
      activity_date, quantity, price, currency, external_id)
    select p, p * 5 + 1 + d % 5, 'buy', date '2025-01-01' + d, 1, 1, 'USD', p || '-' || d
    from generate_series(1, 300) p, generate_series(0, 179) d;
    insert into closebell.portfolio_snapshots
      (portfolio_id, snapshot_date, opened_from_date, claim_id, claimed_at)
    select p, date '2025-05-01' + d, date '2025-05-01' + d - 1, 1, now()
    from generate_series(1, 300) p, generate_series(0, 59) d;
    insert into closebell.portfolio_fund_valuations (valuation_date, portfolio_id,
      portfolio_fund_id, instrument_id, quantity, valuation, cost_basis, daily_pnl)
    select date '2025-05-01' + d, p, p * 5 + i, i, 1, 1, 1, 0
    from generate_series(0, 59) d, generate_series(1, 300) p, generate_series(1, 5) i;
    insert into closebell.portfolio_fund_irr_values
      (id, date, portfolio_id, fund_id, status, convention, roots)
    select row_number() over (), v.valuation_date, v.portfolio_id, v.portfolio_fund_id,
      'no_root', 'xirr_act365', 0
    from closebell.portfolio_fund_valuations v;
    insert into closebell.portfolio_irr_values
      (id, date, portfolio_id, status, convention, roots)
    select row_number() over (), s.snapshot_date, s.portfolio_id, 'no_root', 'xirr_act365', 0
    from closebell.portfolio_snapshots s;
    insert into closebell.portfolio_cash_balances
      (balance_date, portfolio_id, currency, balance, base_value)
    select s.snapshot_date, s.portfolio_id, 'USD', 1, 1 from closebell.portfolio_snapshots s;
    insert into closebell.portfolio_receivables
      (balance_date, portfolio_id, pay_date, currency, amount, base_value)
    select s.snapshot_date, s.portfolio_id, s.snapshot_date + 9, 'USD', 1, 1
    from closebell.portfolio_snapshots s;
    insert into closebell.statement_valuations
      (portfolio_id, portfolio_fund_id, valuation_date, value)
    select v.portfolio_id, v.portfolio_fund_id, v.valuation_date, 1
    from closebell.portfolio_fund_valuations v;
    insert into closebell.portfolio_irr_moments (portfolio_id, as_of, moments)
    select p, '2025-06-30', '' from generate_series(1, 300) p
    """

  /// The scans of tables that grow, each with what it compares within the index.
  private static func scans(_ plan: [String]) -> [String] {
    var scans: [String] = []
    var isWanted = false
    for line in plan {
      if line.contains(" Scan") {
        isWanted = !others.contains { line.contains($0) }
        if isWanted { scans.append(line) }
      } else if isWanted, line.contains("Index Cond:") {
        scans[scans.count - 1] += line
      }
    }
    return scans
  }

  /// Works in a worker's session on tables that have grown.
  private static func asWorker<R: Sendable>(
    _ isAnalysed: Bool, _ body: @escaping @Sendable (isolated Connection) throws -> R
  ) async throws -> R {
    let books = try await DemoBooks.empty()
    try await books.execute(growth)
    if isAnalysed { try await books.execute("analyze") }
    return try await books.perform { db in
      try Populating.prepare(leaseSeconds: 60, on: db)
      return try body(db)
    }
  }

  @Test(
    "rows of tables that grow are found by the key that is meant for them",
    arguments: [false, true])
  func keys(_ isAnalysed: Bool) async throws {
    try await Self.asWorker(isAnalysed) { db in
      for (statement, key, within) in Self.statements {
        let scans = Self.scans(try Self.plan(statement, on: db))
        #expect(
          scans.allSatisfy { $0.contains(key) && $0.contains("Index Cond:") },
          "\(statement.name): \(scans)")
        #expect(
          scans.contains { scan in within.allSatisfy { scan.contains($0) } },
          "\(statement.name): \(scans)")
      }
    }
  }

  @Test(
    "a plan looks for last closes along the key by date, and for those it was given by their ids",
    arguments: [false, true])
  func lastCloses(_ isAnalysed: Bool) async throws {
    let (all, named) = try await Self.asWorker(isAnalysed) { db in
      (
        Self.scans(try Self.plan(Planning.next, on: db)),
        Self.scans(try Self.plan(Planning.nextNamed, on: db))
      )
    }
    for scans in [all, named] { Self.expectByDate(scans) }
    #expect(
      named.contains { $0.contains("using portfolios_key") && $0.contains("(id = n.id)") },
      "\(named)")
  }

  private static func expectByDate(_ scans: [String]) {
    let byDate = scans.filter {
      $0.contains("portfolio_snapshots_key") && $0.contains("snapshot_date =")
        && $0.contains("portfolio_id >=") && $0.contains("portfolio_id <=")
    }
    #expect(byDate.count == 2, "\(scans)")
  }
}
