import Accounting
import Close
import Postgres
import Storage
import TestSupport
import Testing

extension DemoBooks {
  /// Closed books whose constraints are gone, as after a repair by hand.
  static func unguarded() async throws -> DemoBooks {
    let books = try await closed(through: "2017-06-30", since: "2017-06-21")
    try await books.execute(
      """
      do $$ declare c record; begin
        for c in select conname, conrelid::regclass as name from pg_catalog.pg_constraint
          where connamespace = 'closebell'::regnamespace and contype = 'c' loop
          execute format('alter table %s drop constraint %I', c.name, c.conname);
        end loop;
      end $$
      """)
    return books
  }
}

/// Stored rows that contradict each other are named by the check that looks for them.
@Suite struct ChainChecksTests {
  /// Each leaves a table as it must not be: the column that is named, and the check that fails.
  private static let damages: [(sql: String, column: String?, check: String?)] = [
    (
      "delete from closebell.portfolio_fund_valuations where \(Self.last("valuation_date"))",
      "row", nil
    ),
    (
      "delete from closebell.portfolio_irr_values where \(Self.last("date"))",
      "row", "missing-irr"
    ),
    (
      "delete from closebell.portfolio_fund_irr_values where \(Self.last("date"))",
      "row", "missing-holding-irr"
    ),
    (
      """
      insert into closebell.portfolio_cash_balances
      select '2017-06-30', id, 'USD', 1, 1 from closebell.portfolios where code = 'COLA'
      """, "row", nil
    ),
    (
      """
      insert into closebell.portfolio_fund_irr_values
      select id, date, portfolio_id, fund_id, null, null, 'no_root', 'monthly_nominal', 0
      from closebell.portfolio_fund_irr_values where \(Self.last("date"))
      """, "convention", "holding-irr-convention"
    ),
    (
      """
      insert into closebell.portfolio_irr_values
      select id, date, portfolio_id, null, null, 'no_root', 'monthly_nominal', 0
      from closebell.portfolio_irr_values where \(Self.last("date"))
      """, "convention", "irr-convention"
    ),
    (
      """
      update closebell.portfolio_irr_values set id = (
        select min(id) from closebell.portfolio_irr_values) where \(Self.last("date"))
      """, nil, "duplicate-irr-id"
    ),
    (
      """
      update closebell.portfolio_fund_irr_values set id = (
        select min(id) from closebell.portfolio_fund_irr_values) where \(Self.last("date"))
      """, nil, "duplicate-holding-irr-id"
    ),
    (
      """
      insert into closebell.portfolio_fund_valuations
        (valuation_date, portfolio_id, portfolio_fund_id, quantity, valuation, cost_basis,
          daily_pnl)
      select '2017-07-03', portfolio_id, id, 0, 0, 0, 0 from closebell.portfolio_funds
      """, nil, "orphaned-holding-rows"
    ),
    (
      """
      insert into closebell.portfolio_fund_valuations
        (valuation_date, portfolio_id, portfolio_fund_id, quantity, valuation, cost_basis,
          daily_pnl)
      select '2017-06-30', id, 0, 0, 0, 0, 0 from closebell.portfolios where code = 'COLA'
      """, nil, "unknown-holding"
    ),
    (
      """
      insert into closebell.portfolio_fund_irr_values
      select id, '2017-07-03', portfolio_id, fund_id, null, null, 'no_root', convention, 0
      from closebell.portfolio_fund_irr_values where \(Self.last("date"))
      """, nil, "orphaned-holding-irr"
    ),
    (
      """
      insert into closebell.portfolio_irr_values
      select id, '2017-07-03', portfolio_id, null, null, 'no_root', convention, 0
      from closebell.portfolio_irr_values where \(Self.last("date"))
      """, nil, "orphaned-irr"
    ),
    (
      """
      insert into closebell.portfolio_cash_balances
      select '2017-07-03', id, 'USD', 1, 1 from closebell.portfolios where code = 'COLA'
      """, nil, "orphaned-cash-balances"
    ),
    (
      """
      update closebell.portfolio_snapshots set opened_from_date = '2017-06-19'
      where \(Self.last("snapshot_date"))
      """, "opened_from_date", "opened-from"
    ),
    (
      """
      update closebell.portfolio_snapshots set opened_from_revision = 7
      where \(Self.last("snapshot_date"))
      """, nil, "opened-from-revision"
    ),
    (
      """
      update closebell.portfolio_snapshots set state = 'claimed'
      where \(Self.last("snapshot_date"))
      """, nil, "state"
    ),
    (
      """
      create table public.stray as
      select * from closebell.portfolio_snapshots where \(Self.last("snapshot_date"));
      update public.stray set portfolio_id = 0;
      insert into closebell.portfolio_snapshots select * from public.stray
      """, nil, "unknown-portfolio"
    ),
    (
      """
      update closebell.portfolio_snapshots set opening_equity = opening_equity + 1,
        daily_pnl = daily_pnl - 1, fx_pnl = fx_pnl - 1 where \(Self.last("snapshot_date"))
      """, "opening_equity", "opening-equity"
    ),
    (
      """
      update closebell.portfolio_snapshots set daily_pnl = daily_pnl - 1
      where \(Self.last("snapshot_date"))
      """, "daily_pnl", "identities"
    ),
  ]

  @Test("rows that are missing, too many or without a snapshot are named")
  func missingAndSurplus() async throws {
    for (sql, column, check) in Self.damages {
      let books = try await DemoBooks.unguarded()
      try await books.execute(sql)
      let report = try await books.verify()
      #expect(!report.isClean, "\(sql)")
      if let column {
        let finding = try #require(report.findings.first, "\(sql)")
        #expect(finding.portfolio.code == "COLA" && finding.first?.date == Day("2017-06-30"))
        #expect(finding.differences.contains { $0.column == column }, "\(sql)")
      } else {
        #expect(report.findings.isEmpty, "\(sql)")
      }
      let failed = report.chain.filter { $0.count > 0 }.map(\.check)
      if let check { #expect(failed.contains(check), "\(sql): \(failed)") }
    }
  }

  /// COLA's rows of its last date.
  private static func last(_ date: String) -> String {
    "\(date) = '2017-06-30' and portfolio_id = "
      + "(select id from closebell.portfolios where code = 'COLA')"
  }
}
