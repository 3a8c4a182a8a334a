import Import
import Postgres
import TestSupport
import Testing

@Suite("An import marks what its changes make stale")
struct LateInputTests {
  private func marks(_ books: Books) async throws -> [String] {
    try await books.texts(
      """
      select from_date,
        (select string_agg(p.code, '+' order by p.code) from closebell.portfolios p
         where p.id = any(c.portfolio_ids)) as portfolios,
        (select string_agg(i.symbol, '+' order by i.symbol) from closebell.instruments i
         where i.id = any(c.instrument_ids)) as instruments,
        array_to_string(currencies, '+') as currencies, array_to_string(calendars, '+') as calendars
      from closebell.input_changes c order by c.id
      """)
  }

  @Test("activities mark their portfolios from the earlier of the old and the new date")
  func activities() async throws {
    let books = try await Books.small()
    let header = "id,portfolio,date,type,amount,note\n"
    try await books.mustImport(
      .activities,
      header + "A,ALPHA,2020-03-02,deposit,1,\nB,BETA,2020-03-05,deposit,1,\n")
    try await books.mustImport(
      .activities,
      header + "A,ALPHA,2020-03-09,deposit,1,\nB,BETA,2020-03-05,deposit,1,note only\n")
    try await books.mustImport(
      .activities, header + "A,ALPHA,2020-03-04,deposit,1,\nB,BETA,2020-03-05,deposit,1,\n")
    #expect(
      try await marks(books) == [
        "(2020-03-02,ALPHA+BETA,,,)", "(2020-03-02,ALPHA,,,)", "(2020-03-04,ALPHA,,,)",
      ])
  }

  @Test("each chunk marks once, for the rows that really changed")
  func once() async throws {
    let books = try await Books.small()
    let text = """
      date,symbol,close
      2020-01-02,ACME,1
      2020-01-03,ACME,2
      2020-01-02,BANK,3
      2020-01-06,BANK,4
      """
    try await books.importing(.prices, text, batchSize: 2)
    try await books.importing(.prices, text.replacing("BANK,4", with: "BANK,5"))
    #expect(
      try await marks(books) == [
        "(2020-01-02,,ACME,,)", "(2020-01-02,,BANK,,)", "(2020-01-06,,BANK,,)",
      ])
  }

  @Test("rates mark both currencies, statements the portfolio, calendars themselves")
  func otherKinds() async throws {
    let books = try await Books.small()
    try await books.mustImport(
      .fxRates, "date,base,quote,rate\n2020-01-03,EUR,USD,1.1\n2020-01-02,EUR,GBP,0.8\n")
    try await books.mustImport(
      .valuations, "portfolio,symbol,date,value\nBETA,FUND,2020-02-28,100\n")
    try await books.mustImport(.calendars, "calendar,date,open\nXLON,2020-05-08,no\n")
    try await books.mustImport(
      .corporateActions, "ex_date,symbol,type,value\n2020-06-01,ACME,split,4\n")
    #expect(
      try await marks(books) == [
        "(2020-01-02,,,EUR+GBP+USD,)", "(2020-02-28,BETA,,,)", "(2020-05-08,,,,XLON)",
        "(2020-06-01,,ACME,,)",
      ])
  }

  @Test("moments taken on or after the change are forgotten, earlier ones are kept")
  func moments() async throws {
    let books = try await Books.small()
    try await Self.closeADate(of: "ALPHA", books)
    try await books.perform { db in
      try db.execute(
        sql: """
          insert into closebell.portfolio_irr_moments (portfolio_id, as_of, moments)
          select id, case code when 'ALPHA' then date '2020-03-02' else '2020-03-01' end, ''
          from closebell.portfolios
          """)
    }
    try await books.mustImport(
      .activities,
      """
      id,portfolio,date,type,amount
      A,ALPHA,2020-03-02,deposit,1
      B,BETA,2020-03-02,deposit,1
      """)
    let left = """
      select p.code from closebell.portfolio_irr_moments m
      join closebell.portfolios p on p.id = m.portfolio_id order by 1
      """
    #expect(try await books.texts(left) == ["(BETA)", "(GAMMA)"])
    try await books.mustImport(.fxRates, "date,base,quote,rate\n2020-03-02,EUR,USD,1.1\n")
    #expect(try await books.texts(left) == ["(BETA)", "(GAMMA)"])
    try await books.mustImport(.fxRates, "date,base,quote,rate\n2020-03-01,EUR,USD,1.1\n")
    #expect(try await books.texts(left) == [])
  }

  @Test("when flows count in a day is a term: fixed by the first close, stale when restated")
  func flowTiming() async throws {
    let books = try await Books.small()
    let header = "code,name,base_currency,inception_date,flow_timing\n"
    let timing = "select flow_timing::text from closebell.portfolios where code = 'ALPHA'"
    #expect(try await books.texts(timing) == ["(inflows_at_start)"])
    try await books.mustImport(.portfolios, header + "ALPHA,Alpha,USD,2020-01-01,all_at_start\n")
    #expect(try await books.texts(timing) == ["(all_at_start)"])
    // An empty cell keeps what is stored.
    try await books.mustImport(.portfolios, header + "ALPHA,Alpha,USD,2020-01-01,\n")
    #expect(try await books.texts(timing) == ["(all_at_start)"])
    try await Self.closeADate(of: "ALPHA", books)
    let change = header + "ALPHA,Alpha,USD,2020-01-01,all_at_end\n"
    let refused = try await books.importing(.portfolios, change)
    #expect(refused.refusedRows.map(\.field) == ["flow_timing"])
    let before = try await marks(books).count
    #expect(try await books.importing(.portfolios, change, restate: true).updated == 1)
    #expect(try await marks(books).count == before + 1)
    #expect(try await books.texts(timing) == ["(all_at_end)"])
    let unknown = header + "ALPHA,Alpha,USD,2020-01-01,at_noon\n"
    #expect(
      try await books.importing(.portfolios, unknown).refusedRows.map(\.field) == ["flow_timing"])
  }

  @Test("after the first close a change of terms needs restate, which marks since inception")
  func restate() async throws {
    let books = try await Books.small()
    try await books.mustImport(
      .activities,
      "id,portfolio,date,type,symbol,quantity,price\nA,ALPHA,2020-03-02,buy,ACME,1,10\n")
    let portfolios = """
      code,name,base_currency,inception_date,lot_relief
      ALPHA,Alpha,USD,2020-01-01,lifo
      BETA,Beta,EUR,2020-01-01,average
      """
    let instruments = "symbol,name,kind,currency,multiplier\nACME,Acme,equity,USD,10\n"
    // Before any close terms may change.
    try await books.mustImport(
      .instruments, "symbol,name,kind,currency,multiplier\nACME,Acme,equity,USD,2\n")
    try await Self.closeADate(of: "ALPHA", books)
    let refused = try await books.importing(.portfolios, portfolios)
    #expect(refused.refusedRows.map(\.field) == ["lot_relief"])
    #expect(refused.refusedRows.map(\.row) == [1])
    #expect(refused.updated == 1)
    let kept = try await books.importing(.instruments, instruments)
    #expect(kept.refusedRows.map(\.field) == ["multiplier"])
    let renamed = try await books.importing(
      .portfolios, "code,name,base_currency,inception_date\nALPHA,New name,USD,2020-01-01\n")
    #expect(renamed.updated == 1)
    let before = try await marks(books).count
    let first = try await books.importing(.portfolios, portfolios, restate: true)
    #expect(first.updated == 1)
    let second = try await books.importing(.instruments, instruments, restate: true)
    #expect(second.updated == 1)
    let added = Array(try await marks(books).dropFirst(before))
    #expect(added == ["(2020-01-01,ALPHA,,,)", "(2020-01-01,,ACME,,)"])
  }

  private static func closeADate(of code: String, _ books: Books) async throws {
    try await books.perform { db in
      try db.execute(
        sql: """
          insert into closebell.portfolio_snapshots (portfolio_id, snapshot_date, state,
            is_complete, claim_id, claimed_at, completed_at, inputs_seen, opening_equity, inflow,
            outflow, net_external_flow, daily_pnl, realized_pnl, unrealized_change,
            unrealized_pnl, income, fees, taxes, fx_pnl, prior_period_adjustment,
            closing_equity, cash, long_value, short_value, gross_exposure, net_exposure,
            return_index, index_since, cumulative_pnl, priced_count, carried_count,
            missing_count, max_carried_days, is_degraded)
          select id, '2020-03-02', 'complete', true, 1, now(), now(), pg_current_snapshot(),
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, '2020-03-02', 0,
            0, 0, 0, 0, false
          from closebell.portfolios where code = '\(code)'
          """)
    }
  }

  @Test("a file that retires a portfolio and uses its code again can be imported twice")
  func retirement() async throws {
    let books = try await Books.small()
    let text = """
      code,name,base_currency,inception_date,retired_on
      ALPHA,Alpha,USD,2020-01-01,2020-06-30
      ALPHA,Alpha II,USD,2020-07-01,
      """
    // One row a chunk: the second finds the first retired.
    let first = try await books.importing(.portfolios, text, batchSize: 1)
    #expect([first.updated, first.inserted] == [1, 1])
    let second = try await books.importing(.portfolios, text, batchSize: 1)
    #expect(second.unchanged == 2)
    let header = "id,portfolio,date,type,amount\n"
    let report = try await books.importing(
      .activities,
      header + "A,ALPHA,2020-06-30,deposit,1\nB,ALPHA,2020-07-01,deposit,1\n"
        + "C,ALPHA,2019-12-31,deposit,1\n")
    #expect(report.refusedRows.map(\.field) == ["date"])
    #expect(
      try await books.texts(
        """
        select a.external_id, p.name from closebell.holding_activity_log a
        join closebell.portfolios p on p.id = a.portfolio_id order by 1
        """) == ["(A,Alpha)", "(B,\"Alpha II\")"])
  }

  @Test("in one chunk a portfolio is retired and its code used again; the last row counts")
  func retirementWithinAChunk() async throws {
    let books = try await Books.small()
    let text = """
      code,name,base_currency,inception_date,retired_on
      ALPHA,Alpha,USD,2020-01-01,2020-06-30
      ALPHA,Alpha the First,USD,2020-01-01,2020-06-30
      ALPHA,Alpha II,USD,2020-07-01,
      """
    let report = try await books.importing(.portfolios, text)
    #expect([report.updated, report.inserted, report.replaced] == [1, 1, 1])
    let again = try await books.importing(.portfolios, text)
    #expect([again.unchanged, again.replaced] == [2, 1])
    #expect(
      try await books.texts(
        "select name, retired_on from closebell.portfolios where code = 'ALPHA' order by id")
        == ["(\"Alpha the First\",2020-06-30)", "(\"Alpha II\",)"])
  }
}
