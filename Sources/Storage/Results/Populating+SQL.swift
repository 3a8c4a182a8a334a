internal import Postgres

// The statements behind Populating.

extension Populating {
  /// The amounts and qualities of a snapshot and its policy, in the order in which they are staged.
  private static let numbers = [
    "opening_equity", "inflow", "outflow", "net_external_flow", "daily_pnl", "realized_pnl",
    "unrealized_change", "unrealized_pnl", "income", "fees", "taxes", "fx_pnl",
    "prior_period_adjustment", "closing_equity", "cash", "long_value", "short_value",
    "gross_exposure", "net_exposure", "receivables", "receivable_count", "daily_return",
    "return_index", "index_since",
    "cumulative_pnl", "priced_count", "carried_count", "missing_count", "max_carried_days",
    "is_degraded", "carried_days_allowed",
  ].joined(separator: ", ")

  private static let keys = """
    portfolio_id, snapshot_date, opened_from_date, opened_from_revision, opens_in_same_segment,
    replaced_revision
    """

  private static let epoch = "(select i.epoch from closebell.incarnation i)"

  static let createStage = """
    create temporary table if not exists close_stage (
      portfolio_id bigint, snapshot_date date, opened_from_date date,
      opened_from_revision integer, opens_in_same_segment boolean, replaced_revision integer,
      opening_equity numeric, inflow numeric, outflow numeric, net_external_flow numeric,
      daily_pnl numeric, realized_pnl numeric, unrealized_change numeric,
      unrealized_pnl numeric, income numeric, fees numeric, taxes numeric, fx_pnl numeric,
      prior_period_adjustment numeric, closing_equity numeric, cash numeric,
      long_value numeric, short_value numeric, gross_exposure numeric, net_exposure numeric,
      receivables numeric, receivable_count smallint,
      daily_return float8, return_index float8, index_since date, cumulative_pnl numeric,
      priced_count integer, carried_count integer, missing_count integer,
      max_carried_days integer, is_degraded boolean, carried_days_allowed smallint,
      fingerprint bytea
    ) on commit delete rows
    """

  static let copyStage =
    "copy pg_temp.close_stage (\(keys), \(numbers), fingerprint) from stdin (format binary)"

  /// A session that finds rows by their keys, with plans that are made once, whatever a role or a
  /// database would rather have.
  static let looksUpOnly = """
    set enable_hashjoin = off; set enable_mergejoin = off; set enable_seqscan = off;
    set enable_nestloop = on; set enable_indexscan = on; set enable_indexonlyscan = on;
    set enable_bitmapscan = on; set plan_cache_mode = force_generic_plan
    """

  /// The fence.
  ///
  /// A placeholder must still be ours and incomplete; a complete slot must still be ours and at the
  /// revision that was read; an opening from outside this transaction must still be the one that
  /// was read.
  static let fill = Statement(
    "populate-fill",
    """
    update closebell.portfolio_snapshots s
    set is_complete = true, state = 'complete', completed_at = pg_catalog.clock_timestamp(),
      run_id = $2::bigint, revision = s.revision + 1, inputs_seen = $3::text::pg_snapshot,
      error = null, error_sqlstate = null,
      inputs_epoch = \(epoch), fingerprint = t.fingerprint,
      opened_from_date = t.opened_from_date, opened_from_revision = t.opened_from_revision,
      (\(numbers)) = (\(numbers.split(separator: ", ").map { "t." + $0 }.joined(separator: ", ")))
    from pg_temp.close_stage t
    where ($4::date is null or t.snapshot_date = $4::date)
      and s.snapshot_date = t.snapshot_date and s.portfolio_id = t.portfolio_id
      and \(Slots.isClaimed("s", by: "$1::bigint"))
      and case when t.replaced_revision is null then not s.is_complete
        else s.is_complete and s.revision = t.replaced_revision end
      and (t.opened_from_date is null or t.opens_in_same_segment or exists (
        select from closebell.portfolio_snapshots o
        where o.snapshot_date = t.opened_from_date and o.portfolio_id = t.portfolio_id
          and o.is_complete and o.revision = t.opened_from_revision))
    returning s.portfolio_id, s.snapshot_date
    """)

  static let confirmUnchanged = Statement(
    "populate-confirm",
    """
    update closebell.portfolio_snapshots s
    set inputs_seen = $3::text::pg_snapshot, inputs_epoch = \(epoch),
      opened_from_revision = c.opened_from_revision, fingerprint = c.fingerprint,
      carried_days_allowed = c.carried_days_allowed
    from unnest($1::bigint[], $2::date[], $5::integer[], $6::bytea[], $7::smallint[])
      as c (portfolio_id, snapshot_date, opened_from_revision, fingerprint, carried_days_allowed)
    where s.snapshot_date = c.snapshot_date and s.portfolio_id = c.portfolio_id
      and \(Slots.isClaimed("s", by: "$4::bigint")) and s.is_complete
      and exists (select from closebell.worker_lease l where l.claim_id = $4::bigint)
    """)

  static let history = Statement(
    "populate-history",
    """
    insert into closebell.snapshot_history
      (portfolio_id, snapshot_date, revision, replaced_by_run, reason, numbers)
    select s.portfolio_id, s.snapshot_date, s.revision, $3::bigint, $4::text,
      pg_catalog.to_jsonb(s) - '{portfolio_id,snapshot_date,revision,claim_id,claimed_at}'::text[]
    from unnest($1::bigint[], $2::date[]) as c (portfolio_id, snapshot_date)
    cross join lateral (
      select r.* from closebell.portfolio_snapshots r
      where r.snapshot_date = c.snapshot_date and r.portfolio_id = c.portfolio_id
        and r.claim_id = $5::bigint and r.is_complete
      offset 0) s
    on conflict on constraint snapshot_history_key do nothing
    """)

  static let copyHoldingRows = """
    copy closebell.portfolio_fund_valuations (valuation_date, portfolio_id, portfolio_fund_id,
      instrument_id, price_date, quantity, price, valuation, cost_basis, daily_pnl, unrealized_pnl,
      local_valuation, local_cost, realized_pnl, income, fees, taxes) from stdin (format binary)
    """
  static let copyCashRows = """
    copy closebell.portfolio_cash_balances (balance_date, portfolio_id, currency, balance,
      base_value) from stdin (format binary)
    """
  static let copyReceivableRows = """
    copy closebell.portfolio_receivables (balance_date, portfolio_id, pay_date, currency, amount,
      base_value) from stdin (format binary)
    """
  static let copyHoldingReturnRows = """
    copy closebell.portfolio_fund_irr_values (id, date, portfolio_id, fund_id, irr_result,
      log_growth, status, convention, roots) from stdin (format binary)
    """
  static let copyPortfolioReturnRows = """
    copy closebell.portfolio_irr_values (id, date, portfolio_id, irr_result, log_growth, status,
      convention, roots) from stdin (format binary)
    """

  private static func delete(
    from table: String, date: String, returning columns: String? = nil
  ) -> String {
    """
    delete from closebell.\(table) t
    using unnest($1::bigint[], $2::date[]) as c (portfolio_id, slot_date)
    where t.\(date) = c.slot_date and t.portfolio_id = c.portfolio_id
    """ + (columns.map { " returning " + $0 } ?? "")
  }

  static let deleteHoldings = Statement(
    "replay-delete-holdings", delete(from: "portfolio_fund_valuations", date: "valuation_date"))
  /// And what is not paid yet.
  static let deleteCashBalances = Statement(
    "replay-delete-cash-balances",
    """
    with receivables as (\(delete(from: "portfolio_receivables", date: "balance_date")))
    \(delete(from: "portfolio_cash_balances", date: "balance_date"))
    """)
  static let deleteHoldingReturns = Statement(
    "replay-delete-holding-returns",
    delete(
      from: "portfolio_fund_irr_values", date: "date",
      returning: "t.portfolio_id, t.date, t.fund_id, t.id"))
  static let deletePortfolioReturns = Statement(
    "replay-delete-portfolio-returns",
    delete(
      from: "portfolio_irr_values", date: "date",
      returning: "t.portfolio_id, t.date, t.id"))
}
