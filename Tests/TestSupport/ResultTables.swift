public import Postgres

/// The four result tables as two runs must agree on them: without ids, claims, leases, runs,
/// revisions, what was seen, and times.
public enum ResultTables {
  /// One line a row of every result table, in a fixed order.
  public static func rows(on db: isolated Connection) throws -> [String] {
    try db.rows(everything) { try $0.nextString() }
  }

  private static let everything = Statement(
    "result-tables",
    """
    select l.line from (
      select 1, snapshot_date, portfolio_id, 0::bigint, pg_catalog.to_jsonb(s)
        - '{claim_id,claimed_at,completed_at,run_id,revision,opened_from_revision}'::text[]
        - 'inputs_seen' - 'inputs_epoch' - 'attempts'
      from closebell.portfolio_snapshots s
      union all
      select 2, valuation_date, portfolio_id, portfolio_fund_id, pg_catalog.to_jsonb(v)
      from closebell.portfolio_fund_valuations v
      union all
      select 3, date, portfolio_id, fund_id, pg_catalog.to_jsonb(r) - 'id'
      from closebell.portfolio_fund_irr_values r
      union all
      select 4, date, portfolio_id, 0, pg_catalog.to_jsonb(r) - 'id'
      from closebell.portfolio_irr_values r
    ) t (place, day, portfolio_id, fund, json), lateral (select json::text as line) l
    order by place, day, portfolio_id, fund
    """)
}
