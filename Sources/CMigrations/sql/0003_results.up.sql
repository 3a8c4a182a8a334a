-- What a night writes. Keys begin with the date, so that a night's rows land on fresh pages one
-- after the other however deep the history is; each per-holding table has that one key only.
-- No foreign keys here: two of them make a large COPY eight times slower. `verify` looks for orphans.

create type closebell.slot_state as enum ('claimed', 'failed', 'complete');
create type closebell.irr_status as enum (
  'solved', 'several_roots', 'no_sign_change', 'no_root', 'too_short', 'total_loss', 'incomplete');

create table closebell.portfolio_snapshots (
  portfolio_id bigint not null,
  snapshot_date date not null,
  opened_from_date date,
  is_complete boolean not null default false,
  state closebell.slot_state not null default 'claimed',
  claim_id bigint not null,
  claimed_at timestamptz not null,
  completed_at timestamptz,
  run_id bigint,
  revision integer not null default 0,
  opened_from_revision integer,
  inputs_seen pg_snapshot,
  attempts integer not null default 1,
  error text,
  error_sqlstate text,
  opening_equity numeric(28, 4),
  inflow numeric(28, 4),
  outflow numeric(28, 4),
  net_external_flow numeric(28, 4),
  daily_pnl numeric(28, 4),
  realized_pnl numeric(28, 4),
  unrealized_change numeric(28, 4),
  unrealized_pnl numeric(28, 4),
  income numeric(28, 4),
  fees numeric(28, 4),
  taxes numeric(28, 4),
  fx_pnl numeric(28, 4),
  prior_period_adjustment numeric(28, 4),
  closing_equity numeric(28, 4),
  cash numeric(28, 4),
  long_value numeric(28, 4),
  short_value numeric(28, 4),
  gross_exposure numeric(28, 4),
  net_exposure numeric(28, 4),
  daily_return double precision,
  return_index double precision,
  index_since date,
  cumulative_pnl numeric(28, 4),
  priced_count integer,
  carried_count integer,
  missing_count integer,
  max_carried_days integer,
  is_degraded boolean,
  constraint portfolio_snapshots_key primary key (snapshot_date, portfolio_id),
  constraint portfolio_snapshots_complete_state check (is_complete = (state = 'complete')),
  constraint portfolio_snapshots_complete_has_every_number check (
    num_nulls(opening_equity, inflow, outflow, net_external_flow, daily_pnl, realized_pnl,
      unrealized_change, unrealized_pnl, income, fees, taxes, fx_pnl, prior_period_adjustment,
      closing_equity, cash, long_value, short_value, gross_exposure, net_exposure, return_index,
      index_since, cumulative_pnl, priced_count, carried_count, missing_count, max_carried_days,
      is_degraded, completed_at, inputs_seen)
    = case when is_complete then 0 else 29 end),
  constraint portfolio_snapshots_placeholder_has_no_return
    check (is_complete or daily_return is null),
  constraint portfolio_snapshots_flows_net check (net_external_flow = inflow - outflow),
  constraint portfolio_snapshots_equity_rolls_forward
    check (closing_equity = opening_equity + daily_pnl + net_external_flow),
  constraint portfolio_snapshots_equity_is_what_is_held
    check (closing_equity = long_value + short_value + cash),
  constraint portfolio_snapshots_pnl_is_attributed check (
    daily_pnl = realized_pnl + unrealized_change + income - fees - taxes + fx_pnl
      + prior_period_adjustment),
  constraint portfolio_snapshots_long_and_short check (long_value >= 0 and short_value <= 0),
  constraint portfolio_snapshots_first_opens_at_zero
    check (not is_complete or opened_from_date is not null or opening_equity = 0),
  constraint portfolio_snapshots_opening_has_revision
    check (not is_complete or (opened_from_date is null) = (opened_from_revision is null)),
  constraint portfolio_snapshots_opens_before
    check (opened_from_date < snapshot_date or not is_complete),
  constraint portfolio_snapshots_failed_says_why check ((state = 'failed') = (error is not null))
) with (fillfactor = 50);
-- The chain cannot fork: no two slots of a portfolio open from the same close, and only one is the
-- first. Nulls first, so that reading it backwards finds a portfolio's latest slot at once.
create unique index portfolio_snapshots_unforked_chain
  on closebell.portfolio_snapshots (portfolio_id, opened_from_date nulls first)
  nulls not distinct;

create table closebell.portfolio_fund_valuations (
  valuation_date date not null,
  portfolio_id bigint not null,
  portfolio_fund_id bigint not null,
  price_date date,
  quantity numeric(38, 12) not null,
  price numeric(38, 12),
  valuation numeric(28, 4) not null,
  cost_basis numeric(28, 4) not null,
  daily_pnl numeric(28, 4) not null,
  unrealized_pnl numeric(28, 4),
  local_valuation numeric(28, 4),
  local_cost numeric(28, 4),
  realized_pnl numeric(28, 4),
  income numeric(28, 4),
  fees numeric(28, 4),
  taxes numeric(28, 4),
  constraint portfolio_fund_valuations_key
    primary key (valuation_date, portfolio_id, portfolio_fund_id)
);
comment on column closebell.portfolio_fund_valuations.unrealized_pnl is
  'Level without currency effects; null where it is valuation - cost_basis.';
comment on column closebell.portfolio_fund_valuations.local_valuation is
  'In the instrument''s currency; null where that is the base currency or it equals valuation.';
comment on column closebell.portfolio_fund_valuations.local_cost is
  'In the instrument''s currency; null where it equals cost_basis.';
comment on column closebell.portfolio_fund_valuations.realized_pnl is
  'Of the date; null means none. So do income, fees and taxes.';

create table closebell.portfolio_cash_balances (
  balance_date date not null,
  portfolio_id bigint not null,
  currency text not null,
  balance numeric(28, 4) not null,
  base_value numeric(28, 4) not null,
  constraint portfolio_cash_balances_key primary key (balance_date, portfolio_id, currency)
);

-- Ids come from blocks: a call hands out 500 of them, and nothing else inserts by default.
create sequence closebell.portfolio_fund_irr_values_id_seq as bigint increment by 500;
create sequence closebell.portfolio_irr_values_id_seq as bigint increment by 500;

create table closebell.portfolio_fund_irr_values (
  id bigint not null,
  date date not null,
  portfolio_id bigint not null,
  fund_id bigint not null,
  irr_result double precision,
  log_growth double precision,
  status closebell.irr_status not null,
  convention closebell.irr_convention not null,
  roots smallint not null,
  constraint portfolio_fund_irr_values_key
    primary key (date, portfolio_id, fund_id, convention),
  constraint portfolio_fund_irr_values_result_has_a_root
    check (irr_result is null or status in ('solved', 'several_roots', 'total_loss'))
);
create table closebell.portfolio_irr_values (
  id bigint not null,
  date date not null,
  portfolio_id bigint not null,
  irr_result double precision,
  log_growth double precision,
  status closebell.irr_status not null,
  convention closebell.irr_convention not null,
  roots smallint not null,
  constraint portfolio_irr_values_key primary key (date, portfolio_id, convention),
  constraint portfolio_irr_values_result_has_a_root
    check (irr_result is null or status in ('solved', 'several_roots', 'total_loss'))
);
alter sequence closebell.portfolio_fund_irr_values_id_seq
  owned by closebell.portfolio_fund_irr_values.id;
alter sequence closebell.portfolio_irr_values_id_seq owned by closebell.portfolio_irr_values.id;

-- A cache, safe to empty: per portfolio the present-value moments of all flows up to and with
-- as_of, so that a night solves an IRR without reading the activity history.
create table closebell.portfolio_irr_moments (
  portfolio_id bigint not null constraint portfolio_irr_moments_key primary key,
  as_of date not null,
  moments bytea not null
) with (fillfactor = 50);
alter table closebell.portfolio_irr_moments alter column moments set storage external;
