-- A number is one: what is not a number compares greater than every number, so that no other rule
-- refuses it. Older rows are not looked at: a program that reads one of them names it, and must not
-- be kept from an upgrade. Infinity does not fit a numeric of so many digits.
alter table closebell.instruments
  add constraint instruments_multiplier_is_a_number check (multiplier <> 'NaN') not valid;
alter table closebell.prices
  add constraint prices_close_is_a_number check (close <> 'NaN') not valid;
alter table closebell.fx_rates
  add constraint fx_rates_rate_is_a_number check (rate <> 'NaN') not valid;
alter table closebell.corporate_actions
  add constraint corporate_actions_value_is_a_number check (value <> 'NaN') not valid;
alter table closebell.holding_activity_log
  add constraint holding_activity_log_quantity_is_a_number check (quantity <> 'NaN') not valid,
  add constraint holding_activity_log_price_is_a_number check (price <> 'NaN') not valid,
  add constraint holding_activity_log_amount_is_a_number check (amount <> 'NaN') not valid,
  add constraint holding_activity_log_fee_is_a_number check (fee <> 'NaN') not valid;
alter table closebell.statement_valuations
  add constraint statement_valuations_value_is_a_number check (value <> 'NaN') not valid;
-- Every other number of a snapshot goes into its closing equity, or into one that is looked at here.
-- The many rows of holdings and cash are not looked at: that would cost each night more.
alter table closebell.portfolio_snapshots
  add constraint portfolio_snapshots_equity_is_a_number check (closing_equity <> 'NaN') not valid,
  add constraint portfolio_snapshots_sums_are_numbers check (
    unrealized_pnl <> 'NaN' and gross_exposure <> 'NaN' and net_exposure <> 'NaN'
      and cumulative_pnl <> 'NaN') not valid,
  add constraint portfolio_snapshots_returns_are_finite check (
    daily_return < 'infinity' and daily_return > '-infinity'
      and return_index < 'infinity' and return_index > '-infinity') not valid;
