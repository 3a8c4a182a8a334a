public import Postgres

/// The result tables, as two runs must agree on them.
public enum ResultTables {
  /// One line a row of every result table, in a fixed order, without ids, claims, leases, runs,
  /// revisions, attempts, what was seen, and times.
  public static func rows(on db: isolated Connection) throws -> [String] {
    try db.rows(numbers) { try $0.nextString() }
  }

  /// One line a row of every result table with all that is in it: for what must not have been
  /// written at all.
  public static func wholeRows(on db: isolated Connection) throws -> [String] {
    try db.rows(everything) { try $0.nextString() }
  }

  /// What a finished run must not leave behind, in words; empty if all is well.
  public static func leftovers(on db: isolated Connection) throws -> [String] {
    try db.rows(remains) { try $0.nextString() }
  }

  private static let numbers = Statement(
    "result-tables",
    lines(
      without: """
        {id,claim_id,claimed_at,completed_at,run_id,revision,opened_from_revision,inputs_seen,\
        inputs_epoch,attempts}
        """))

  private static let everything = Statement("result-tables-whole", lines(without: "{}"))

  private static func lines(without columns: String) -> String {
    """
    select l.line from (
      select 1, snapshot_date, portfolio_id, 0::bigint, pg_catalog.to_jsonb(s)
      from closebell.portfolio_snapshots s
      union all
      select 2, valuation_date, portfolio_id, portfolio_fund_id, pg_catalog.to_jsonb(v)
      from closebell.portfolio_fund_valuations v
      union all
      select 3, date, portfolio_id, fund_id, pg_catalog.to_jsonb(r)
      from closebell.portfolio_fund_irr_values r
      union all
      select 4, date, portfolio_id, 0, pg_catalog.to_jsonb(r)
      from closebell.portfolio_irr_values r
      union all
      select 5, balance_date, portfolio_id, 0, pg_catalog.to_jsonb(b)
      from closebell.portfolio_cash_balances b
      union all
      select 6, balance_date, portfolio_id, 0, pg_catalog.to_jsonb(r)
      from closebell.portfolio_receivables r
    ) t (place, day, portfolio_id, fund, json),
      lateral (select (json - '\(columns)'::text[])::text as line) l
    order by place, day, portfolio_id, fund, line
    """
  }

  private static let remains = Statement(
    "remains",
    """
    select 'slot ' || s.portfolio_id || ', ' || s.snapshot_date || ' is ' || s.state
    from closebell.portfolio_snapshots s where not s.is_complete
    union all
    select 'lease of claim ' || l.claim_id from closebell.worker_lease l
    union all
    select 'holding IRR id ' || i.id || ' stands more than once'
    from closebell.portfolio_fund_irr_values i group by i.id having count(*) > 1
    union all
    select 'portfolio IRR id ' || i.id || ' stands more than once'
    from closebell.portfolio_irr_values i group by i.id having count(*) > 1
    union all
    select 'the sequence of holding IRR ids would give out ' || max(i.id)
    from closebell.portfolio_fund_irr_values i, closebell.portfolio_fund_irr_values_id_seq q
    group by q.last_value having max(i.id) >= q.last_value + 500
    union all
    select 'the sequence of portfolio IRR ids would give out ' || max(i.id)
    from closebell.portfolio_irr_values i, closebell.portfolio_irr_values_id_seq q
    group by q.last_value having max(i.id) >= q.last_value + 500
    """)
}
