-- What happened on one day, of many portfolios, in one walk.

-- A night reads a day or a few of all portfolios. With the portfolio first that is a look-up each,
-- mostly in vain, on pages that nothing else of the night needs.
create index holding_activity_log_by_day on closebell.holding_activity_log
  ((coalesce(booked_on, activity_date)), portfolio_id);
create index statement_valuations_by_day on closebell.statement_valuations
  (valuation_date, portfolio_id);

-- With the source's id first, one key keeps it unique and finds it whatever its portfolio. It took
-- two, so that the log has as many indexes as before.
drop index closebell.holding_activity_log_by_external_id;
alter table closebell.holding_activity_log
  drop constraint holding_activity_log_one_per_external_id,
  add constraint holding_activity_log_one_per_external_id unique (external_id, portfolio_id);
